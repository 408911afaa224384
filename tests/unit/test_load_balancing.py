"""Load-balancing advice on cases that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audit.balancing import Member, Transformer, balance_phases, distance_m, phase_loads, relieve, unbalance_pct


def member(code: str, phase: str | None, *watts: float, peak: float = 0, at_peak: float = 0, **place: float) -> Member:
    return Member(code, phase, np.array(watts, dtype=float), peak, at_peak, **place)


def test_unbalance_is_weighed_by_the_load_of_the_slots() -> None:
    # Slot 1: 300, 0, 0 W: mean 100, deviation 200. Slot 2: 100 each. 200 of 200 = 100 %.
    assert unbalance_pct(np.array([[300.0, 100], [0, 100], [0, 100]])) == pytest.approx(100)
    assert unbalance_pct(np.zeros((3, 2))) == 0


def test_three_phase_supplies_and_unknown_phases_stand_on_all_three() -> None:
    loads = phase_loads([member("A", "R", 90, 0), member("B", None, 30, 60)], 2)
    assert loads.tolist() == [[100, 20], [10, 20], [10, 20]]


def test_the_move_that_helps_most_comes_first_and_says_what_it_does() -> None:
    # R 600, Y 300, B 0: mean 300, unbalance 100 %. Of R's 300 + 200 + 100 the 300 to B makes all three 300.
    members = [member("A", "R", 300), member("B", "R", 200), member("C", "R", 100), member("D", "Y", 300)]
    (move,) = balance_phases(members)
    assert (move.service_point, move.from_phase, move.to_phase) == ("A", "R", "B")
    assert (move.before_pct, move.after_pct, move.mean_kw) == (pytest.approx(100), pytest.approx(0), pytest.approx(0.3))


def test_steps_build_on_each_other_until_it_is_balanced_enough() -> None:
    # Six of 100 W on R: mean 200. Two to Y and two to B bring 600/0/0 (200 %) to 200/200/200.
    members = [member(f"M{i}", "R", 100) for i in range(6)]
    moves = balance_phases(members)
    assert len(moves) == 4, "four of six consumers have to go"
    assert [m.before_pct for m in moves[1:]] == [m.after_pct for m in moves[:-1]], "a step does not begin where the one before ended"
    assert moves[-1].after_pct == pytest.approx(0)
    assert len({m.service_point for m in moves}) == 4, "a consumer was moved twice"
    assert balance_phases(members, most=2) == moves[:2], "the first steps hang on how many may follow"


def test_nothing_moves_where_nothing_would_be_gained() -> None:
    assert balance_phases([]) == []
    assert balance_phases([member("A", "R", 100), member("B", "Y", 100), member("C", "B", 100)]) == []
    # One large consumer is unbalanced wherever it hangs.
    assert balance_phases([member("A", "R", 1000)]) == []


def test_profiles_count_and_not_their_means_alone() -> None:
    # The means of R, Y and B are equal, but R peaks by day and Y by night; no move of a whole consumer mends it.
    members = [member("A", "R", 200, 0), member("B", "Y", 0, 200), member("C", "B", 100, 100)]
    assert unbalance_pct(phase_loads(members, 2)) == pytest.approx(100)
    assert balance_phases(members) == []


def test_an_overloaded_dt_gives_its_largest_consumers_to_the_nearest_that_has_room() -> None:
    # 110 kVA of 100. Of 9 kW at pf 0.9 = 10 kVA, the largest at the peak, it gets rid: 100 %.
    # The nearest DT is full, the next is not: 30 + 10 of 63.
    donor = Transformer("T1", 100, 110, latitude=26.8, longitude=80.9)
    full = Transformer("T2", 25, 24, latitude=26.8005, longitude=80.9)
    room = Transformer("T3", 63, 30, latitude=26.802, longitude=80.9)
    far = Transformer("T4", 500, 10, latitude=26.9, longitude=80.9)
    members = [
        member("A", "R", 100, peak=5000, at_peak=4500, latitude=26.8, longitude=80.9),
        member("B", None, 100, peak=9000, at_peak=9000, latitude=26.8, longitude=80.9),
    ]
    (move,) = relieve(donor, members, [full, room, far])
    assert (move.service_point, move.to_dt, move.at_peak_kw) == ("B", "T3", pytest.approx(9))
    assert (move.before_pct, move.after_pct) == (pytest.approx(110), pytest.approx(100))
    assert (move.to_before_pct, move.to_after_pct) == (pytest.approx(100 * 30 / 63), pytest.approx(100 * 40 / 63))
    assert move.distance_m == pytest.approx(222.4, abs=0.5), "0.002 degrees of latitude are 222 m"


def test_a_dt_within_its_limit_or_without_a_neighbour_with_room_keeps_its_consumers() -> None:
    members = [member("A", "R", 100, peak=9000, at_peak=9000)]
    assert relieve(Transformer("T1", 100, 90), members, [Transformer("T2", 100, 10)]) == []
    assert relieve(Transformer("T1", 100, 130), members, [Transformer("T2", 100, 75)]) == []
    (move,) = relieve(Transformer("T1", 100, 130), members, [Transformer("T2", 100, 10)])
    assert move.distance_m is None, "no place is known"
    assert distance_m(members[0], Transformer("T2", 100, 10)) is None
