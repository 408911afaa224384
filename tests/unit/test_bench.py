"""What the bench does without a database: its world, its clock, its verdicts."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.bench import dashboards, report
from cli.bench.bars import bars
from cli.bench.clock import Clock, Lap, cpu_seconds, pss, stolen_seconds, tree
from cli.bench.master_data import CODE, EVERY_RULE
from cli.bench.stages import Day
from cli.bench.world import DAY, DEFECTS, LIMIT_WH, World
from cli.main import app
from cli.overlay import overlay_in_force
from expectations.rules import STAGES, load_suite


def test_the_same_seed_gives_the_same_readings() -> None:
    def sent(seed: int) -> list[bytes]:
        return [d.profiles[0].frame.to_csv().encode() for d in World(200, 2, seed).deliveries()]

    assert sent(3) == sent(3), "a run cannot be repeated"
    assert sent(3) != sent(4), "the seed has no effect"


@pytest.mark.parametrize("sizes", ["", "ten", "50", "2000,1000", "1000,1000"])
def test_sizes_that_make_no_sense_are_refused(sizes: str) -> None:
    result = CliRunner().invoke(app, ["bench", "--meters", sizes])
    assert result.exit_code == 1
    assert "smallest first" in result.output


def test_memory_of_a_process_that_is_gone_is_nothing() -> None:
    assert pss(2**22 + 1) == 0
    assert {1} <= tree([1])


def test_a_day_is_the_same_with_and_without_days_before_it() -> None:
    day = DAY + timedelta(days=3)
    long, short = World(200, 4, 1), World(200, 1, 1, day)
    frames = [[d.profiles[0].frame for d in w.deliveries()][-2:] for w in (long, short)]
    assert all(a.equals(b) for a, b in zip(*frames, strict=True)), "history measures other data than none"
    assert (long.truth[day] == short.truth[day]).all()


def test_late_data_are_other_values_with_registers_that_fit() -> None:
    world = World(2000, 1, 1)
    (first, _) = world.deliveries()
    before, defects = world.truth[DAY].copy(), {k: len(v) for k, v in world.defects.items()}
    late = world.late()
    new = late.profiles[0].frame.groupby("serial")["import_wh"].sum()
    assert len(new) == 20
    old = first.profiles[0].frame.drop_duplicates(["serial", "start"], keep="last")
    merged = old.merge(late.profiles[0].frame, on=["serial", "start"])
    assert (merged.groupby("serial")["import_wh_x"].apply(list) != merged.groupby("serial")["import_wh_y"].apply(list)).all()
    opening, closing = (r.frame.set_index("serial")["import_wh"] for r in (first.registers[0], late.registers[0]))
    assert ((closing - opening)[new.index] == new).all(), "the register does not fit what was corrected"
    moved = world.truth[DAY] - before
    assert (moved[:, 0] == -moved[:, 4]).all()
    assert moved[:, 0].sum() > 0
    assert not moved[:, 1:4].any()
    assert len(world.defects["duplicate"]) > defects["duplicate"], "corrected values conflict with the first"


def test_every_kind_of_defect_is_in_the_readings() -> None:
    world = World(2000, 1, 1)
    frame = next(world.deliveries()).profiles[0].frame
    count = frame.groupby("serial").size()
    value = frame.groupby("serial")["import_wh"]
    there = {
        "gap": count.index[count < 48],
        "duplicate": count.index[count > 48],
        "negative": value.min().index[value.min() < 0],
        "over limit": value.max().index[value.max() > LIMIT_WH],
    }
    for kind, serials in there.items():
        assert {int(s[1:]) for s in serials} == {meter for _, meter in world.defects[kind]}, kind


def test_nothing_flows_in_an_outage_and_its_events_are_sent() -> None:
    world = World(2000, 1, 1)
    (delivery, _) = world.deliveries()
    events = delivery.events[0].frame
    energy = delivery.profiles[0].frame.drop_duplicates(["serial", "start"], keep="last").set_index(["serial", "start"])
    spoiled = {meter for kind in DEFECTS for _, meter in world.defects[kind]}
    out = {s: (o["occurred_at"].min(), o["occurred_at"].max()) for s, o in events[events["code"] < 150].groupby("serial")}
    assert {int(s[1:]) for s in out} == {meter for _, meter in world.defects["outage"]}
    dark = [energy.loc[s].loc[a : b - pd.Timedelta(minutes=30)] for s, (a, b) in out.items() if int(s[1:]) not in spoiled]
    assert len(dark) > 10
    assert all(len(d) and not d[["import_wh", "export_wh", "import_vah"]].to_numpy().any() for d in dark)
    assert {int(s[1:]) for s in events["serial"][events["code"] > 150]} == {meter for _, meter in world.defects["programming"]} != set()
    world.late()
    assert {meter for _, meter in world.defects["outage"]} == {int(s[1:]) for s in out}, "late intervals undo no outage"


def test_validation_and_estimation_are_the_figures_suites_and_estimates() -> None:
    seconds = {"landed": 100.0, "initial suite": 1.0, "estimation": 2.0, "estimate suite": 4.0, "edit suite": 8.0, "cases": 100.0}
    laps = {name: Lap(name, s) for name, s in seconds.items()}
    laps["a"] = Lap("a", 46.0, parts={"assembled_day": 30.0, "measure": 10.0, "evidence": 5.0})
    laps["b"] = Lap("b", 32.0, parts={"estimated_measure": 1.0, "edited_measure": 1.0})
    laps["c"] = Lap("c", 100.0, parts={"dt_day": 1.0})
    assert Day(laps, {}).judged_s == 1 + 2 + 4 + 8 + 16 + 32


def test_every_rule_is_on_while_the_bench_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_OVERLAYS", "/srv/overlays")
    with overlay_in_force(CODE, EVERY_RULE):
        off = {c.key for stage in STAGES for c in load_suite(stage, CODE).checks if not c.enabled}
        assert {c.rule for stage in STAGES for c in load_suite(stage, CODE).enabled} == {f"V{n:02}" for n in range(1, 37)}
    assert not off - {"V18"}, "the rule that holds outside of the overlay's scope"
    assert os.environ["METERHOUSE_OVERLAYS"] == "/srv/overlays"


def test_a_lap_counts_the_cpu_of_children_that_ended() -> None:
    with Clock(None) as clock, clock.lap("work") as lap:
        if (child := os.fork()) == 0:
            end = time.process_time() + 0.3
            while time.process_time() < end:
                pass
            os._exit(0)
        os.waitpid(child, 0)
    assert lap.seconds >= 0.3
    assert 0.25 <= lap.cpu_s <= lap.seconds + 0.2
    assert cpu_seconds([os.getpid()]) > 0


@pytest.mark.parametrize(
    ("line", "seconds"), [("cpu  1 2 3 4 5 6 7 800 9 10", 800 / os.sysconf("SC_CLK_TCK")), ("cpu  1 2 3 4 5 6 7", 0), ("", 0)]
)
def test_what_the_host_took_is_the_eighth_time(tmp_path: Path, line: str, seconds: float) -> None:
    (tmp_path / "stat").write_text(f"{line}\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert stolen_seconds(tmp_path / "stat") == seconds
    assert stolen_seconds(tmp_path / "none") == 0


def size(consumers: int, balanced: float, **figures: Any) -> dict[str, Any]:
    more = {
        "balanced_s": balanced,
        "total_s": balanced + 20,
        "peak_octets": 3 << 30,
        "from_raw_s": balanced - 5,
        "judged_s": balanced - 20,
        "reports_s": 20,
    }
    more |= {"floor_ratio": 4.9, "rerun_share": 0.05}
    peers = [{"peer": "polars", "seconds": 2 * (balanced - 5), "differences": [], "peak_octets": 1}]
    return {"consumers": consumers, "days": 1, "floors": {"x": 1.0}, "peers": peers, "rerun": {"meters": 1}, "figures": more | figures}


def verdicts(*sizes: dict[str, Any], **doc: Any) -> dict[str, str]:
    nothing: dict[str, Any] = {"growth": [], "history": None, "month": None, "push": [], "events": None}
    return {b.what: b.verdict for b in bars({"sizes": list(sizes), **nothing} | doc)}


def test_bars_are_judged_at_the_size_that_they_name() -> None:
    small, large = verdicts(size(10_000, 1.0)), verdicts(size(10_000, 1.0), size(1_000_000, 60.0))
    day = "10,00,000 meters, landed to balanced"
    assert (small[day], large[day]) == ("not measured", "hold")
    assert verdicts(size(1_000_000, 60.1))[day] == "short"
    judged = "10,00,000 meter-days, validation and estimation, all rules on"
    assert (small[judged], large[judged]) == ("not measured", "hold")
    assert verdicts(size(1_000_000, 60.1))[judged] == "short"
    assert verdicts(size(1_000_000, 60, total_s=None))["10,00,000 meters, with all daily reports"] == "not measured"
    assert verdicts(size(1_000_000, 60, peak_octets=5 << 30))["10,00,000 meters, peak memory over all processes"] == "short"
    assert small["against Polars, from and to PostgreSQL"] == "hold"
    assert small["against pandas, from and to PostgreSQL"] == "not measured"
    assert verdicts(size(1000, 1.0, floor_ratio=5.1))["landed to balanced / floor (COPY in + INSERT … SELECT)"] == "short"
    assert verdicts(size(1000, 1.0, rerun_share=0.051))["the day again, 1 % of the meters changed / the full day"] == "short"


def test_reports_are_judged_by_a_day_and_by_a_month() -> None:
    day, month = (
        "10,00,000 meters, all reports of a day, built and read in full",
        "monthly reports over 31 days of 1,00,000 meters, read in full",
    )
    assert verdicts(size(1_000_000, 60, reports_s=30.0))[day] == "hold"
    assert verdicts(size(1_000_000, 60, reports_s=30.1))[day] == "short"
    assert verdicts(month={"consumers": 100_000, "reports": {}, "seconds": 60.0})[month] == "hold"
    assert verdicts(month={"consumers": 100_000, "reports": {}, "seconds": 60.1})[month] == "short"
    assert verdicts(month={"consumers": 1_000, "reports": {}, "seconds": 1.0})[month] == "not measured"


@pytest.mark.parametrize(("days", "ratio", "verdict"), [("90", 1.1, "hold"), ("90", 1.11, "short"), ("30", 1.0, "not measured")])
def test_history_is_judged_at_ninety_days(days: str, ratio: float, verdict: str) -> None:
    history = {"consumers": 20_000, "seconds": {"0": 1.0, days: ratio}, "ratio": ratio}
    assert verdicts(size(1000, 1.0), history=history)["growth: 90 days behind the day"] == verdict


def test_the_worst_step_of_growth_is_judged() -> None:
    growth = [{"from": 10, "to": 100, "per_ten": 12.0}, {"from": 100, "to": 1000, "per_ten": 10.0}]
    assert verdicts(size(1000, 1.0), growth=growth)["growth: 10 x meters"] == "short"


def test_the_push_path_is_judged_by_a_days_bodies() -> None:
    day = {"slots": 48, "intervals": 100_000, "seconds": 2.0, "copy_s": 1.0}
    one = {"slots": 1, "intervals": 100, "seconds": 2.0, "copy_s": 1.0}
    what = "POST /meters/readings, batches of 100 meters, acknowledged = committed"
    assert verdicts(size(1000, 1.0), push=[day, one])[what] == "hold"
    assert verdicts(size(1000, 1.0), push=[day | {"seconds": 2.1}, one])[what] == "short"
    assert verdicts(size(1000, 1.0))[what] == "not measured"


def test_events_are_judged_by_the_slowest_at_the_pace_that_is_named() -> None:
    found = {"events": 20_000, "per_second": 1_999.0, "max_s": 1.9}
    what = "2,000 events/s, from receipt to stored alert"
    assert verdicts(size(1000, 1.0), events=found)[what] == "hold"
    assert verdicts(size(1000, 1.0), events=found | {"max_s": 2.0})[what] == "short"
    assert verdicts(size(1000, 1.0), events=found | {"per_second": 1_500.0})[what] == "short", "at another pace"
    assert verdicts(size(1000, 1.0))[what] == "not measured"


def test_a_section_of_the_page_is_replaced_and_the_others_stay() -> None:
    page = "# Title\n\ntext\n\n## A\n\nof a\n\n## B\n\nof b\n"
    added = report.with_section(page, "API", "times")
    assert added == page + "\n## API\n\ntimes\n"
    again = report.with_section(added, "API", "other times")
    assert report.section_of(again, "API") == "other times"
    assert report.section_of(again, "A") == "of a"
    assert report.section_of(page, "API") is None


def test_a_dashboard_is_as_quick_as_its_slowest_chart() -> None:
    quick = {"seconds": 0.5, "cached": False, "rows": 3, "error": None}
    answers = [{"board": board, "chart": "A", **quick} for board in ("operations", "vee")]
    answers += [{"board": "vee", "chart": "B", **quick, "seconds": 2.5, "rows": 0}]
    doc = {"answers": answers, "measured_at": "now", "machine": "a machine", "consumers": 1000, "days": 90}
    _, operations, vee = dashboards.table(doc)
    assert operations == ["Operations today", "1", "0", "0.5", "0.50", "A", "yes"]
    assert vee == ["VEE workbench", "2", "1", "3.0", "2.50", "B", "no"], "a chart of 2.5 s holds no bar of 2 s"
    assert "| VEE workbench | 2 | 1 | 3.0 | 2.50 | B | no |" in dashboards.section(doc)
