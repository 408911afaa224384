"""Rules of moves and of waiting, without a database; and a random walk of commands through a real one."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.commands import rules
from ingestion.commands.rules import Protected, Rules, RulesError, load_rules
from ingestion.commands.states import FINAL, TRANSITIONS, IllegalMove, Kind, State, move

IST = ZoneInfo("Asia/Kolkata")


def test_every_state_can_end_and_what_has_ended_stays() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {State.DONE, State.FAILED, State.TIMED_OUT, State.CANCELLED} == FINAL
    for state in State:
        reached, new = {state}, {state}
        while new := {t for s in new for t in TRANSITIONS[s]} - reached:
            reached |= new
        assert reached & FINAL, f"{state} can never end"


def test_nothing_comes_back_to_the_queue_from_unknown_and_only_the_queue_leads_to_a_send() -> None:
    assert not TRANSITIONS[State.UNKNOWN] & {State.QUEUED, State.SENT}, "an unknown command must never be sent again"
    assert [s for s in State if State.SENT in TRANSITIONS[s]] == [State.QUEUED]
    assert [s for s in State if State.CANCELLED in TRANSITIONS[s]] == [State.QUEUED], "only what was not sent can be taken back"


@pytest.mark.parametrize(("before", "after"), [(b, a) for b, a in product(State, State) if a not in TRANSITIONS[b]])
def test_an_illegal_move_raises_before_anything_is_asked_of_the_database(before: State, after: State) -> None:
    with pytest.raises(IllegalMove, match="no legal move"):
        move(None, 1, 1, before, after, who="test", why="test")  # type: ignore[arg-type]


def of(begins: time, ends: time, weekdays: frozenset[int], holidays: bool) -> Rules:
    some = timedelta(seconds=1)
    return Rules(Protected(begins, ends, weekdays, holidays), {}, {}, 1, some, some, some, some)


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    begins=st.times(),
    ends=st.times(),
    weekdays=st.frozensets(st.integers(0, 6), max_size=6),
    holidays=st.sets(st.dates(datetime(2026, 1, 1).date(), datetime(2027, 1, 31).date()), max_size=20),
)
def test_the_first_open_instant_is_open_and_none_before_it_is(
    at: datetime, begins: time, ends: time, weekdays: frozenset[int], holidays: set
) -> None:
    mine = of(begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0), weekdays, True)
    now = at.replace(tzinfo=IST)
    opens = mine.opens_at(now, IST, holidays)
    assert opens >= now
    assert not mine.protected.covers(opens.astimezone(IST), holidays), "it must be open when it opens"
    step = now
    while step < opens:
        assert mine.protected.covers(step.astimezone(IST), holidays), f"{step} is open already"
        step += timedelta(minutes=30)
    if opens > now:
        assert mine.protected.covers((opens - timedelta(minutes=1)).astimezone(IST), holidays)


def test_a_calendar_without_an_open_hour_is_an_error_and_no_endless_search() -> None:
    days = {datetime(2026, 1, 1).date() + timedelta(days=n) for n in range(400)}
    with pytest.raises(RulesError, match="within 60 days"):
        of(time(0), time(0), frozenset(), True).opens_at(datetime(2026, 1, 1, tzinfo=UTC), IST, days)


def test_a_discoms_own_rules_are_laid_over_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "default.yml").write_text((rules.FOLDER / "default.yml").read_text())
    (tmp_path / "d01.yml").write_text('protected: {from: "20:00"}\nexpires_min: {read: 5}\nattempts: 2\n')
    (tmp_path / "d02.yml").write_text('protected: {from: "8 pm"}\nretries: 2\n')
    monkeypatch.setattr(rules, "FOLDER", tmp_path)
    load_rules.cache_clear()
    try:
        default, own = load_rules("other"), load_rules("D01")
        assert (own.protected.begins, own.protected.ends) == (time(20), default.protected.ends)
        assert (own.expires[Kind.READ], own.expires[Kind.CONNECT]) == (timedelta(minutes=5), default.expires[Kind.CONNECT])
        assert own.attempts == 2
        with pytest.raises(RulesError, match=r"d02\.yml.*retries(.|\n)*protected\.from"):
            load_rules("D02")
    finally:
        load_rules.cache_clear()
