"""When a build after late data may leave meters as they are, and when it must not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest

from orchestration import stale

pytestmark = pytest.mark.integration

DAY = date(2026, 10, 5)
NEXT = DAY + timedelta(days=1)
MODELS = "models and rules"


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    """A DISCOM of 100 meters, of which DAY and the next are built."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("insert into registry.discom (code, name) values ('D', 'D')")
        conn.execute("insert into registry.hes (discom_id, hes_id, code, vendor) overriding system value values (1, 1, 'H', 'h')")
        conn.execute(
            """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min)
               overriding system value select 1, n, 'M' || n, 1, 'D1', 30 from generate_series(1, 100) n"""
        )
        conn.execute("insert into ops.registry_change (discom_id) values (1)")
        touch(conn, DAY, 1, list(range(1, 101)))
        assert not begin(DAY, NEXT), "days that were never built are built for every meter"
        stale.end_build(1, DAY, NEXT)
        yield conn


def touch(conn: psycopg.Connection, day: date, batch_id: int, meters: list[int] | None) -> None:
    conn.execute("insert into raw.touched_day (discom_id, day, batch_id, meters) values (1, %s, %s, %s)", [day, batch_id, meters])


def begin(first: date, last: date, *, made_with: str = MODELS) -> bool:
    return stale.begin_build(1, first, last, made_with=made_with, changed_only=True)


def changed(conn: psycopg.Connection) -> set[tuple[date, int]]:
    return set(conn.execute("select day, meter_id from ops.changed_meter"))


def test_only_meters_of_which_something_came_on_the_day_or_the_day_before(conn: psycopg.Connection) -> None:
    touch(conn, DAY, 2, [7, 9])
    touch(conn, NEXT, 3, [11])
    assert begin(NEXT, NEXT)
    assert changed(conn) == {(NEXT, 7), (NEXT, 9), (NEXT, 11)}, "the register of the day before opens the day"
    assert stale.is_partial(1, NEXT, NEXT)
    stale.end_build(1, NEXT, NEXT)
    assert changed(conn) == set()
    assert not stale.is_partial(1, NEXT, NEXT)
    assert begin(DAY, DAY)
    assert changed(conn) == {(DAY, 7), (DAY, 9)}


def test_a_meter_is_built_for_all_days_of_a_range(conn: psycopg.Connection) -> None:
    touch(conn, NEXT, 2, [7])
    assert begin(DAY, NEXT)
    assert changed(conn) == {(DAY, 7), (NEXT, 7)}


def test_what_people_did_and_what_was_rejected_is_always_built(conn: psycopg.Connection) -> None:
    touch(conn, DAY, 2, [7])
    conn.execute("select ops.ensure_month('vee.exception', %s, %s)", [DAY, DAY])
    conn.execute(
        """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message, state)
           values (1, %s, 20, 'V07', 'initial', 'fail', 'hold', 'x', 'closed')""",
        [DAY],
    )
    conn.execute(
        """insert into vee.edit (discom_id, day, meter_id, channel, after, reason, editor, approver, approved_at)
           values (1, %s, 30, 'import_wh', '{1}', 'r', 'e', 'a', '2026-10-06 00:00+00')""",
        [DAY],
    )
    conn.execute(
        """insert into raw.batch (discom_id, batch_id, hes_id, source, content_sha256, received_at, values_received, values_accepted,
                                  values_rejected)
           overriding system value values (1, 5, 1, 's', '\\x00', '2026-10-06 04:00+00', 1, 0, 1)"""
    )
    conn.execute(
        """insert into raw.rejected (discom_id, batch_id, reason, locator, payload, value_count, meter_id, received_at, stamp)
           values (1, 5, 'FUTURE_STAMP', 'x', 'x', 1, 40, '2026-10-06 04:00+00', null),
                  (1, 5, 'FUTURE_STAMP', 'x', 'x', 1, 41, '2026-10-04 04:00+00', null),
                  (1, 5, 'BAD_STAMP', 'x', 'x', 1, 42, '2026-10-06 04:00+00', null),
                  (1, 5, 'WRONG_UNIT', 'x', 'x', 1, 43, '2026-10-06 04:00+00', null),
                  (1, 5, 'OFF_GRID', 'x', 'x', 1, 44, '2026-11-06 04:00+00', '2026-10-05 04:07+00'),
                  (1, 5, 'OFF_GRID', 'x', 'x', 1, 45, '2026-10-06 04:00+00', '2026-09-05 04:07+00')"""
    )
    assert begin(DAY, DAY)
    assert changed(conn) == {(DAY, 7), (DAY, 20), (DAY, 30), (DAY, 40), (DAY, 43), (DAY, 44)}


@pytest.mark.parametrize(
    ("why", "statement"),
    [
        ("nothing came", None),
        ("a batch does not say of which meters", "insert into raw.touched_day (discom_id, day, batch_id) values (1, '2026-10-05', 9)"),
        ("master data changed", "update ops.registry_change set written_by = pg_current_xact_id()"),
        ("the last build did not end", "update ops.day_build set built_at = null"),
        ("a day was never built", "delete from ops.day_build where day = '2026-10-05'"),
        (
            "too many meters changed",
            """insert into raw.touched_day (discom_id, day, batch_id, meters)
               select 1, '2026-10-05', 9, array_agg(n) from generate_series(1, 11) n""",
        ),
    ],
)
def test_every_meter_is_built_where(conn: psycopg.Connection, why: str, statement: str | None) -> None:
    if statement:
        touch(conn, DAY, 2, [7])
        conn.execute(statement)
    assert not begin(DAY, DAY), why
    assert changed(conn) == set()
    assert not stale.is_partial(1, DAY, DAY)


def test_every_meter_is_built_where_models_or_rules_changed(conn: psycopg.Connection) -> None:
    touch(conn, DAY, 2, [7])
    assert not begin(DAY, DAY, made_with="others")


def test_every_meter_is_built_where_one_day_of_a_range_does_not_say_what_it_was_made_with(conn: psycopg.Connection) -> None:
    touch(conn, DAY, 2, [7])
    conn.execute("update ops.day_build set built_with = null where day = %s", [DAY])
    assert not begin(DAY, NEXT)


def test_every_meter_is_built_for_who_asks_for_the_day(conn: psycopg.Connection) -> None:
    touch(conn, DAY, 2, [7])
    assert not stale.begin_build(1, DAY, DAY, made_with=MODELS)


def test_what_lands_while_a_build_goes_on_is_for_the_next(conn: psycopg.Connection) -> None:
    touch(conn, DAY, 2, [7])
    assert begin(DAY, DAY)
    touch(conn, DAY, 3, [8])
    assert changed(conn) == {(DAY, 7)}
    stale.end_build(1, DAY, DAY)
    assert begin(DAY, DAY)
    assert changed(conn) == {(DAY, 8)}


def test_a_month_ends_anew_once_a_day_of_it_was_made_anew(conn: psycopg.Connection) -> None:
    end = date(2026, 10, 31)
    conn.execute("select ops.ensure_month('raw.profile_fragment', %s, %s)", [DAY, end])
    conn.execute(
        """insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq)
           values (1, %s, 1, 0, 30, now(), 1, 1)""",
        [DAY],
    )
    touch(conn, end, 2, list(range(1, 101)))
    begin(end, end)
    stale.end_build(1, end, end)
    touch(conn, NEXT, 3, [7, 9])
    assert [(r.first, r.last) for r in stale.stale_ranges("D")] == [(NEXT, NEXT)], "the month waits for its day"
    assert begin(NEXT, NEXT)
    stale.end_build(1, NEXT, NEXT)
    assert [(r.first, r.last) for r in stale.stale_ranges("D")] == [(end, end)]
    assert begin(end, end)
    assert changed(conn) == {(end, 7), (end, 9)}, "only the meters that changed within the month"
    stale.end_build(1, end, end)
    assert stale.stale_ranges("D") == []


def test_estimates_that_wait_for_a_register_are_stale_with_what_lies_between_once_it_comes(conn: psycopg.Connection) -> None:
    """Even where the last of these days was built when the register was there."""
    third = NEXT + timedelta(1)
    for table in ("raw.profile_fragment", "raw.register_reading", "vee.estimated_day"):
        conn.execute("select ops.ensure_month(%s, %s, %s)", [table, DAY, third])
    conn.execute(
        """insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq)
           values (1, %s, 7, 0, 30, now(), 1, 1)""",
        [DAY],
    )
    conn.execute(
        "insert into vee.estimated_day values (1, %s, 7, '{1}', null, null, '{6}', '{3}', 1, null, null, 1, 0, 1, null, true)", [DAY]
    )
    touch(conn, third, 2, [7])
    begin(third, third)
    stale.end_build(1, third, third)
    assert stale.stale_ranges("D") == [], "no register came with it"
    conn.execute(
        """insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh)
           values (1, %s, 7, now(), now(), 2, 1, 5)""",
        [third],
    )
    assert [(r.first, r.last) for r in stale.stale_ranges("D")] == [(DAY, third)]
    touch(conn, NEXT, 3, [8])
    assert begin(DAY, third)
    assert (DAY, 7) in changed(conn), "who waits is built, whatever came"
    conn.execute("delete from vee.estimated_day")
    stale.end_build(1, DAY, third)
    assert stale.stale_ranges("D") == []


def test_days_whose_estimates_are_made_anew_are_under_way_until_the_end(conn: psycopg.Connection) -> None:
    before = conn.execute("select day, saw::text, built_with from ops.day_build order by day").fetchall()
    assert stale.unbuilt(1, DAY, NEXT) == []
    stale.begin_again(1, DAY, NEXT)
    assert stale.unbuilt(1, DAY, NEXT) == [DAY, NEXT]
    stale.end_build(1, DAY, NEXT)
    assert stale.unbuilt(1, DAY, NEXT) == []
    after = conn.execute("select day, saw::text, built_with from ops.day_build order by day").fetchall()
    assert after == before, "what landed since the build is still for the next"
