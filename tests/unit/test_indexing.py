"""Suspected tags (audit.indexing) and currents (audit.currents) on networks small enough to say beforehand what must be found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from audit.currents import mismatches
from audit.indexing import Group, Settings, anomalies, correlations, metres, outage_matches, suspicions
from audit.job import spread

SLOTS, DAYS = 48, 7
T = SLOTS * DAYS
NOBODY = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
PLACES = np.array([[26.8, 80.9], [26.8, 80.905], [26.8, 80.91], [26.8, 80.915]])
"""Half a kilometre apart."""


def network(seed: int = 1, dts: int = 4, each: int = 10) -> tuple[Group, np.ndarray]:
    """DTs of one feeder with consumers whose voltage follows a phase of theirs, tagged right; and the phase of each consumer."""
    rng = np.random.default_rng(seed)
    common = np.cumsum(rng.normal(0, 0.3, T))
    dt_volts = 240 + common + rng.normal(0, 0.6, (dts, 3, T))
    true = np.repeat(np.arange(dts), each)
    phase = rng.integers(0, 3, dts * each)
    use = rng.gamma(2, 100, (dts * each, T))
    use[:, ::SLOTS] *= 3
    dt_wh = np.zeros((dts, T))
    np.add.at(dt_wh, true, use)
    group = Group(
        slots=SLOTS,
        dt_feeder=np.ones(dts, dtype=np.int64),
        dt_position=PLACES[:dts],
        dt_volts=dt_volts.astype(np.float32),
        dt_wh=(dt_wh * 1.03).astype(np.float32),
        tagged=true,
        position=PLACES[true] + rng.normal(0, 0.0003, (dts * each, 2)),
        volts=(dt_volts[true, phase] - 1.5 + rng.normal(0, 0.3, (dts * each, T))).astype(np.float32),
        wh=use.astype(np.float32),
        dt_outages=NOBODY,
        outages=NOBODY,
    )
    return group, phase


def tag_wrong(group: Group, consumer: int, to: int) -> Group:
    tagged = group.tagged.copy()
    tagged[consumer] = to
    return replace(group, tagged=tagged)


def without(group: Group, *, volts: bool = False, energy: bool = False, places: bool = False) -> Group:
    """The network as if nobody knew these."""
    nothing = np.full_like(group.position, np.nan)
    group = replace(group, volts=np.full_like(group.volts, np.nan)) if volts else group
    group = replace(group, dt_wh=np.full_like(group.dt_wh, np.nan)) if energy else group
    return replace(group, position=nothing) if places else group


def test_right_tags_are_not_suspected() -> None:
    assert suspicions(network()[0], Settings()) == []


def test_a_wrong_tag_is_found_with_its_dt_and_phase() -> None:
    group, phase = network()
    (found,) = suspicions(tag_wrong(group, 5, 2), Settings())
    assert (found.consumer, found.tagged, found.better, found.phase) == (5, 2, 0, int(phase[5]))
    assert found.confidence > 0.99
    assert min(found.voltage, found.energy, found.distance) > 0, "voltage, energy and place all speak for the DT that it hangs at"
    assert found.r_better is not None
    assert found.r_tagged is not None
    assert found.r_better > 0.7 > 0.3 > found.r_tagged


@pytest.mark.parametrize("unknown", [{"energy": True, "places": True}, {"volts": True}], ids=["voltage alone", "energy and place"])
def test_less_evidence_is_enough_where_it_is_clear(unknown: dict[str, bool]) -> None:
    (found,) = suspicions(without(tag_wrong(network()[0], 5, 2), **unknown), Settings())
    assert (found.consumer, found.better) == (5, 0)


def test_a_place_alone_accuses_nobody() -> None:
    group = without(tag_wrong(network()[0], 5, 2), volts=True, energy=True)
    assert suspicions(group, Settings()) == []


def test_outages_that_begin_together_tell_where_a_consumer_hangs() -> None:
    """Six failures of DT 0 reach consumer 5 within seconds; DT 2, its tag, has four of its own and consumer 5 none of them."""
    group = without(tag_wrong(network()[0], 5, 2), volts=True, energy=True)
    mine, theirs = np.arange(6) * 50_000, 20_000 + np.arange(4) * 70_000
    group = replace(
        group,
        dt_outages=(np.repeat([0, 2], [6, 4]), np.concatenate([mine, theirs])),
        outages=(np.full(6, 5), mine + np.array([3, -90, 120, 60, 0, 119])),
    )
    matched, own, of_dt = outage_matches(group, Settings())
    assert matched[5].tolist() == [6, 0, 0, 0]
    assert (own[5], of_dt.tolist()) == (6, [6, 0, 4, 0])
    (found,) = suspicions(group, Settings())
    assert (found.consumer, found.better, found.outages_better, found.outages_tagged) == (5, 0, 6, 0)


def test_an_outage_two_minutes_and_a_second_away_is_another() -> None:
    group = replace(network()[0], dt_outages=(np.array([0]), np.array([1000])), outages=(np.array([5, 6]), np.array([1120, 1121])))
    matched, _, _ = outage_matches(group, Settings())
    assert (matched[5, 0], matched[6, 0]) == (1, 0)


def test_what_all_share_every_day_is_no_likeness() -> None:
    daily = np.tile(np.arange(SLOTS, dtype=np.float32), DAYS)
    assert np.abs(anomalies(daily[None], SLOTS)).max() == pytest.approx(0, abs=1e-4)
    gap = daily.copy()
    gap[:SLOTS] = np.nan
    rest = anomalies(gap[None], SLOTS)[0]
    assert np.isnan(rest[:SLOTS]).all(), "what is not known stays so"
    assert np.abs(rest[SLOTS:]).max() == pytest.approx(0, abs=1e-4)


def test_swings_of_the_feeder_do_not_make_all_dts_alike() -> None:
    group, _ = network()
    r, _, _ = correlations(group)
    others = np.array([np.delete(r[c], t) for c, t in enumerate(group.tagged)])
    assert r[np.arange(len(r)), group.tagged].min() > 0.7
    assert others.max() < 0.4, "voltages of other DTs are taken for those of the consumer's"


def test_a_voltage_that_is_not_known_is_no_evidence() -> None:
    group = without(tag_wrong(network()[0], 5, 2), volts=True, places=True)
    r, _, _ = correlations(group)
    assert np.isnan(r).all()
    assert all(s.voltage == 0 and s.phase is None for s in suspicions(group, Settings()))


def test_too_few_days_or_dts_say_nothing() -> None:
    group = tag_wrong(network()[0], 5, 2)
    assert suspicions(group, Settings(min_days=DAYS + 1)) == []
    one, _ = network(dts=1)
    assert suspicions(one, Settings()) == []


def test_metres_on_the_map() -> None:
    """0.005 degrees of latitude are 556.6 m; of longitude at 60 degrees north half of that."""
    away = metres(np.array([[60.0, 10.0], [np.nan, np.nan]]), np.array([[60.005, 10.0], [60.0, 10.005]]))
    assert away[0] == pytest.approx([556.6, 278.3], rel=1e-3)
    assert np.isnan(away[1]).all()


def test_days_are_spread_over_the_month() -> None:
    days = [date(2026, 10, 1) + timedelta(days=i) for i in range(31)]
    assert spread(days[:4], 10) == days[:4]
    assert spread(days, 4) == [days[0], days[10], days[20], days[30]]


def test_a_neutral_that_carries_more_than_its_phase() -> None:
    """Meter 0 is sound; 1 sends half of what it takes past the phase; 2 does so in two slots; 3 at a current of no account; of 4 no
    neutral is known."""
    phase = np.full((5, 48), 2000, dtype=np.float32)
    neutral = phase * 1.02
    neutral[1] = 4000
    neutral[2, :2] = 4000
    phase[3], neutral[3] = 100, 300
    neutral[4] = np.nan
    (found,) = mismatches(phase, neutral, 0.5)
    assert (found.meter, found.slots, found.excess_slots) == (1, 48, 48)
    assert (found.phase_ah, found.neutral_ah) == pytest.approx((48, 96))
