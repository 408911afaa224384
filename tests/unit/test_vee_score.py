"""The score of estimates: its baselines by hand, its command, and that the chain beats them on real homes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from vee.estimation.score import MARGIN, Homes, Track, baselines, blank, read_homes, scaled, score, wape
from vee.estimation.series import Settings

HOMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "edrp_scotland"


def homes(n: int = 3, days: int = 50) -> Homes:
    rng = np.random.default_rng(7)
    return Homes(date(2026, 6, 1), 30, np.rint(rng.gamma(1, 100, (n, days, 48))).astype(np.float32))


def test_wape_and_scaling_by_hand() -> None:
    assert wape(np.array([[90.0, 130]]), np.array([[100.0, 100]])) == 20
    assert scaled(np.array([[1.0, 3], [0, 0]]), np.array([8.0, 10])).tolist() == [[2, 6], [5, 5]]


def test_gaps_are_seeded_and_have_their_history() -> None:
    a, b, other = (blank(homes(), 4, 2, seed) for seed in (1, 1, 2))
    assert (a.at == b.at).all()
    assert (a.truth == b.truth).all()
    assert not np.array_equal(a.truth, other.truth)
    known = a.known()
    assert np.isnan(a.of(known)).all()
    assert (a.at[:, 0] >= 28 * 48).all()
    assert (known.shape[1] - a.at[:, -1] > 7 * 48).all()


def test_baselines_by_hand() -> None:
    """Days are their number in Wh, so that a like day is told by its value."""
    value = np.repeat(np.arange(50, dtype=np.float32)[None, :, None], 48, 2)
    gaps = blank(Homes(date(2026, 6, 1), 30, value), 1, 1, 5)
    base = {name: float(x[0, 0]) for name, x in baselines(gaps).items()}
    day = int(gaps.truth[0, 0])
    kind = {5: 6, 6: 7}
    like = [d for d in range(day - 1, day - 29, -1) if d >= 0 and kind.get(d % 7, 0) == kind.get(day % 7, 0)]
    assert base["last week"] == day - 7
    assert base["like 4"] == pytest.approx(np.mean(like[:4]))
    assert base["like 8"] == pytest.approx(np.mean(like[:8]))
    assert base["linear"] == pytest.approx(day, abs=0.51)


def test_a_track_is_held_only_if_better_and_equal_only_at_no_error() -> None:
    assert Track({"a": 40, "b": 50}, 39, 39).held
    assert not Track({"a": 40}, 40, 40).held
    assert Track({"a": 0}, 0, 0).held


def test_too_few_days_are_said() -> None:
    with pytest.raises(ValueError, match="40 days are too few for a gap of 300 slots"):
        blank(homes(days=40), 300, 1, 1)


def write(path: Path, starts: list[str], kwh: str = "0.1", header: str = "meter,start,kwh") -> Path:
    path.write_text("\n".join([header, *(f"A,{s},{kwh}" for s in starts)]))
    return path


def test_readings_are_read(tmp_path: Path) -> None:
    first = date(2026, 6, 1)
    starts = [f"{first + timedelta(d)}T{h:02}:00" for d in range(2) for h in range(24)]
    read = read_homes(write(tmp_path / "a.csv", starts))
    assert (read.first, read.interval_min, read.values.shape, float(read.values[0, 0, 0])) == (first, 60, (1, 2, 24), 100)
    with pytest.raises(ValueError, match="not every home has every interval"):
        read_homes(write(tmp_path / "b.csv", starts[:5] + starts[6:]))
    with pytest.raises(ValueError, match="no column kwh"):
        read_homes(write(tmp_path / "c.csv", starts, header="meter,start,wh"))


def test_the_command_says_where_data_is_wanted(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["vee", "score", "--homes", str(tmp_path)])
    assert done.exit_code == 1
    assert isinstance(done.exception, FileNotFoundError | SystemExit)
    assert CliRunner().invoke(app, ["vee", "score", "--homes", str(tmp_path), "--gaps", "1,x"]).exit_code == 1


@pytest.mark.heavy
@pytest.mark.skipif(not HOMES.is_dir(), reason=f"no real homes at {HOMES} (docs/real-data.md)")
def test_the_chain_beats_the_best_baseline_at_every_gap_on_real_homes() -> None:
    found = list(score(read_homes(HOMES), (1, 2, 4, 12, 24, 48, 144), 2, 1, Settings()))
    for g in found:
        assert g.withheld.held, f"{g.slots} slots, registers withheld: {g.withheld.chain} against {g.withheld.best}"
        assert g.given.held, f"{g.slots} slots, registers given: {g.given.chain} against {g.given.best}"
        assert 0.75 < g.bias < 1.1
    for of in ("withheld", "given"):
        chain, best = (np.mean([getattr(getattr(g, of), x) for g in found]) for x in ("chain", "best"))
        assert chain <= MARGIN * best
