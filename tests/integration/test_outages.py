"""Outages in a real PostgreSQL: of DTs and feeders, by event profile and status word, and the same whatever came first."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.alerts.outages import group_outages
from ingestion.canonical import Delivery, MeterEvents, StatusWords
from ingestion.landing import DiscomContext, land
from warehouse import db

pytestmark = pytest.mark.integration

ZERO = datetime(2026, 10, 5, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
number = count()

NETWORK = """
insert into registry.hes (discom_id, code, vendor) values (%(d)s, 'h1', 'vendor_b');
insert into registry.office (discom_id, code, name, level) values (%(d)s, 'O', 'O', 'discom');
insert into registry.substation (discom_id, code, office_id) select discom_id, 'S', office_id from registry.office where discom_id = %(d)s;
insert into registry.feeder (discom_id, code, substation_id, office_id)
select discom_id, 'F1', substation_id, office_id from registry.substation where discom_id = %(d)s;
insert into registry.dt (discom_id, code, feeder_id, office_id, capacity_kva)
select f.discom_id, 'T' || n, feeder_id, office_id, 100 from registry.feeder f, generate_series(1, 2) n where discom_id = %(d)s;
insert into registry.service_point (discom_id, code, office_id, category, sanctioned_load_w)
select discom_id, 'SP' || n, office_id, 'domestic', 1000 from registry.office, generate_series(1, 8) n where discom_id = %(d)s;
insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
select s.discom_id, s.service_point_id, '2026-01-01', t.dt_id
from registry.service_point s join registry.dt t on t.discom_id = s.discom_id and t.code = case when s.code <= 'SP4' then 'T1' else 'T2' end
where s.discom_id = %(d)s;
insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
select discom_id, m, hes_id, 'D1', 30 from registry.hes, unnest(string_to_array('C1 C2 C3 C4 C5 C6 C7 C8 T2M F1M', ' ')) m
where discom_id = %(d)s;
insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
select m.discom_id, m.meter_id, '2026-01-01', s.service_point_id from registry.meter m
join registry.service_point s on s.discom_id = m.discom_id and s.code = 'SP' || substr(m.serial, 2)
where m.discom_id = %(d)s and m.serial ~ '^C';
insert into registry.installation (discom_id, meter_id, valid_from, dt_id)
select m.discom_id, m.meter_id, '2026-01-01', t.dt_id from registry.meter m
join registry.dt t on t.discom_id = m.discom_id and t.code = 'T2' where m.discom_id = %(d)s and m.serial = 'T2M';
insert into registry.installation (discom_id, meter_id, valid_from, feeder_id)
select m.discom_id, m.meter_id, '2026-01-01', f.feeder_id from registry.meter m join registry.feeder f on f.discom_id = m.discom_id
where m.discom_id = %(d)s and m.serial = 'F1M';
"""
"""A feeder with a meter and two DTs of four consumers each; the second DT has a meter."""


@pytest.fixture(scope="module")
def loader(module_database: str) -> Iterator[psycopg.Connection]:
    with db.connect() as conn:
        yield conn


def discom(conn: psycopg.Connection) -> DiscomContext:
    code = f"d{next(number)}"
    with db.connect("meterhouse_owner") as owner:
        row = owner.execute("insert into registry.discom (code, name) values (%s, %s) returning discom_id", [code, code]).fetchone()
        for statement in NETWORK.split(";\n"):
            if statement.strip():
                owner.execute(statement, {"d": row[0]})
    return DiscomContext.load(conn, code)


Seen = tuple[str, float, int | frozenset[int]]
"""Serial, minute, and the code of an event profile, or the bits of a status word."""


def push(conn: psycopg.Connection, of: DiscomContext, seen: list[Seen]) -> None:
    def frame(rows: list[Seen]) -> pd.DataFrame:
        at = pd.Series([ZERO + r[1] * MINUTE for r in rows], dtype="datetime64[us, UTC]")
        return pd.DataFrame({"serial": [r[0] for r in rows], "occurred_at": at, "received_at": at, "locator": "test"})

    codes, words = [s for s in seen if isinstance(s[2], int)], [s for s in seen if not isinstance(s[2], int)]
    delivery = Delivery("push", hashlib.sha256(f"push {next(number)}".encode()).digest(), datetime.now(UTC))
    if codes:
        delivery.events.append(MeterEvents(frame(codes).assign(code=[s[2] for s in codes], detail=None)))
    if words:
        octets = [sum(1 << (127 - b) for b in s[2]).to_bytes(16, "big") for s in words]
        delivery.status_words.append(StatusWords(frame(words).assign(word=octets)))
    land(conn, of, of.hes_id("h1"), delivery)


def outages(conn: psycopg.Connection, of: DiscomContext) -> list[tuple]:
    with conn.transaction():
        rows = conn.execute(
            """select o.level, coalesce(t.code, f.code), started_at, ended_at, meters_out, meters_total, state
               from ops.outage o join registry.feeder f using (discom_id, feeder_id)
               left join registry.dt t on t.discom_id = o.discom_id and t.dt_id = o.dt_id
               where o.discom_id = %s order by 1, 2, 3""",
            [of.discom_id],
        ).fetchall()
    return [(level, code, *(at and (at - ZERO) / MINUTE for at in (start, end)), *rest) for level, code, start, end, *rest in rows]


GASP, BREATH = frozenset({85}), frozenset({86})


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(
            [("C1", 0, 101), ("C2", 1, 101)],
            [("dt", "T1", 0, None, 2, 4, "open"), ("feeder", "F1", 0, None, 2, 10, "open")],
            id="half of a DT",
        ),
        pytest.param([("C1", 0, 101), ("C2", 6, 101)], [], id="not within the window"),
        pytest.param([("C1", 0, 101), ("C5", 1, 101)], [], id="of two DTs, too few of each"),
        pytest.param(
            [("C1", 0, GASP), ("C2", 1, GASP), ("C2", 9, BREATH)],
            [("dt", "T1", 0, 9, 2, 4, "ended"), ("feeder", "F1", 0, 9, 2, 10, "ended")],
            id="by status words",
        ),
        pytest.param([("C1", 0, 101), ("C1", 1, GASP)], [], id="one meter, told twice"),
        pytest.param(
            [("T2M", 0, 101), ("T2M", 30, 102)],
            [("dt", "T2", 0, 30, 1, 5, "ended"), ("feeder", "F1", 0, 30, 1, 10, "ended")],
            id="the DT's own meter",
        ),
        pytest.param([("F1M", 0, 101), ("F1M", 30, 102)], [("feeder", "F1", 0, 30, 1, 10, "ended")], id="the feeder's own meter"),
    ],
)
def test_which_outages_there_are(loader: psycopg.Connection, seen: list[Seen], expected: list) -> None:
    of = discom(loader)
    push(loader, of, seen)
    assert outages(loader, of) == [], "they are grouped after landing, not in it"
    group_outages(loader)
    assert outages(loader, of) == expected
    push(loader, of, seen)
    group_outages(loader)
    assert outages(loader, of) == expected, "what comes twice changes nothing"
    assert group_outages(loader) == 0


def test_a_late_event_changes_the_outage_that_it_belongs_to_and_no_other(loader: psycopg.Connection) -> None:
    of = discom(loader)

    def numbers() -> list[tuple]:
        with loader.transaction():
            return loader.execute("select outage_id, started_at from ops.outage where discom_id = %s order by 1", [of.discom_id]).fetchall()

    push(loader, of, [(c, at, code) for at, code in ((0, 101), (10, 102), (100, 101)) for c in ("C1", "C2")])
    group_outages(loader)
    before = numbers()
    assert len(before) == 4
    push(loader, of, [("C3", 2, 101)])
    assert group_outages(loader) == 2
    assert outages(loader, of) == [
        ("dt", "T1", 0, 10, 3, 4, "ended"),
        ("dt", "T1", 100, None, 2, 4, "open"),
        ("feeder", "F1", 0, 10, 3, 10, "ended"),
        ("feeder", "F1", 100, None, 2, 10, "open"),
    ]
    assert numbers() == before, "an outage keeps its number"


def test_a_meter_counts_for_the_dt_where_it_was_on_that_day(loader: psycopg.Connection) -> None:
    of = discom(loader)
    with db.connect("meterhouse_owner") as owner:
        owner.execute(
            "update registry.installation set valid_to = '2026-10-05' where discom_id = %s and service_point_id is not null", [of.discom_id]
        )
    push(loader, of, [(f"C{n}", 0, 101) for n in range(1, 9)])
    group_outages(loader)
    assert outages(loader, of) == []
    push(loader, of, [(f"C{n}", -1440, 101) for n in range(1, 5)])
    group_outages(loader)
    assert [o[:3] for o in outages(loader, of)] == [("dt", "T1", -1440), ("feeder", "F1", -1440)]


seen_events = st.lists(
    st.tuples(
        st.sampled_from(["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "T2M", "F1M"]),
        st.one_of(st.integers(0, 30), st.integers(0, 400)).map(lambda n: n / 2),
        st.one_of(st.sampled_from([101, 102]), st.sampled_from([frozenset(), GASP, BREATH, frozenset({85, 86})])),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda s: (s[0], s[1], isinstance(s[2], int)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seen=seen_events, seed=st.integers(0, 10**6))
def test_the_same_events_give_the_same_outages_in_whatever_order_they_land(loader: psycopg.Connection, seen: list[Seen], seed: int) -> None:
    at_once, bit_by_bit = discom(loader), discom(loader)
    push(loader, at_once, seen)
    group_outages(loader)
    draw = random.Random(seed)
    shuffled = draw.sample(seen, len(seen))
    while shuffled:
        size = draw.randint(1, 8)
        push(loader, bit_by_bit, shuffled[:size])
        shuffled = shuffled[size:]
        if draw.random() < 0.7:
            group_outages(loader)
    group_outages(loader)
    assert outages(loader, bit_by_bit) == outages(loader, at_once)
