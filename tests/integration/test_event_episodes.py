"""Episodes of events from landing to vee.event_episode: when/events.csv of a scenario lands, then/episodes.csv is what must come of it.

`status_bits` are the bits of a status word, with spaces between; `-` = a word with none. Stamps are India's time.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.canonical import Delivery, MeterEvents, StatusWords
from ingestion.landing import DiscomContext, land
from orchestration import dbt
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

INDIA = ZoneInfo("Asia/Kolkata")
SCENARIOS = sorted(p.parent.parent for p in (Path(__file__).parent.parent / "scenarios").glob("given_*/then/episodes.csv"))
number = count()

Row = dict[str, str]


@pytest.fixture(scope="module")
def loader(module_database: str) -> Iterator[psycopg.Connection]:
    """A warehouse with the two models and their seeds."""
    dbt.run(["build", "--select", "code_event", "code_esw_bit", "stg_raw__event", "event_episode", "--exclude-resource-type", "unit_test"])
    with db.connect() as conn:
        yield conn


def discom(conn: psycopg.Connection) -> DiscomContext:
    """A DISCOM of its own with meters M1, M2, and M9 of a make that calls an opened cover 205."""
    code = f"d{next(number)}"
    with db.connect("meterhouse_owner") as owner:
        owner.execute("insert into registry.discom (code, name) values (%s, %s)", [code, code])
        owner.execute(
            "insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'x' from registry.discom where code = %s", [code]
        )
        owner.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min, make)
               select discom_id, 'M' || n, hes_id, 'D1', 30, case when n = 9 then 'Cover-at-205' end
               from registry.hes join registry.discom d using (discom_id), unnest(array[1, 2, 9]) n where d.code = %s""",
            [code],
        )
    return DiscomContext.load(conn, code)


def push(conn: psycopg.Connection, of: DiscomContext, rows: list[Row]) -> None:
    def frame(some: list[Row]) -> pd.DataFrame:
        at = pd.Series([datetime.fromisoformat(r["occurred_at"]).replace(tzinfo=INDIA) for r in some]).dt.tz_convert("UTC")
        received = pd.Series([datetime(2026, 10, 7, tzinfo=INDIA)] * len(some)).dt.tz_convert("UTC")
        columns = {"serial": [r["serial"] for r in some], "occurred_at": at.dt.as_unit("us"), "received_at": received.dt.as_unit("us")}
        return pd.DataFrame(columns | {"locator": "test"})

    codes, words = [r for r in rows if r["code"]], [r for r in rows if not r["code"]]
    delivery = Delivery("push", hashlib.sha256(f"push {next(number)}".encode()).digest(), datetime(2026, 10, 7, tzinfo=INDIA))
    if codes:
        delivery.events.append(MeterEvents(frame(codes).assign(code=[int(r["code"]) for r in codes], detail=None)))
    if words:
        bits = [r["status_bits"].replace("-", "").split() for r in words]
        octets = [sum(1 << (127 - int(b)) for b in of_word).to_bytes(16, "big") for of_word in bits]
        delivery.status_words.append(StatusWords(frame(words).assign(word=octets)))
    land(conn, of, of.hes_id("h1"), delivery)


def push_in_any_order(conn: psycopg.Connection, of: DiscomContext, rows: list[Row], draw: random.Random) -> None:
    rows = draw.sample(rows, len(rows))
    while rows:
        size = draw.randint(1, len(rows))
        push(conn, of, rows[:size])
        rows = rows[size:]


def episodes(conn: psycopg.Connection, of: DiscomContext) -> Counter[tuple[str, ...]]:
    with conn.transaction():
        conn.execute("set local role meterhouse_dbt")
        found = conn.execute(
            """select m.serial, e.family, e.occurred_at, e.ended_at, e.state, e.duration_s, e.source
               from vee.event_episode e join registry.meter m using (discom_id, meter_id) where e.discom_id = %s""",
            [of.discom_id],
        ).fetchall()
    return Counter(
        tuple("" if v is None else f"{v.astimezone(INDIA):%Y-%m-%dT%H:%M:%S}" if isinstance(v, datetime) else str(v) for v in row)
        for row in found
    )


def read(path: Path) -> list[Row]:
    with path.open(newline="") as f:
        return [r for r in csv.DictReader(f) if r["serial"]]


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_scenario(loader: psycopg.Connection, folder: Path) -> None:
    expected = Counter(tuple(r.values()) for r in read(folder / "then" / "episodes.csv"))
    for seed in range(4):
        of = discom(loader)
        push_in_any_order(loader, of, read(folder / "when" / "events.csv"), random.Random(seed))
        assert episodes(loader, of) == expected, f"{folder.name}, landed in the order of seed {seed}"


happenings = st.lists(
    st.tuples(
        st.sampled_from(["M1", "M2", "M9"]),
        st.integers(0, 59),
        st.one_of(st.sampled_from(["7", "8", "101", "102", "205", "206"]), st.sampled_from(["-", "3", "85", "86", "3 85", "12 83"])),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=30, deadline=None)
@given(seen=happenings, seed=st.integers(0, 10**6))
def test_the_order_of_landing_does_not_matter(loader: psycopg.Connection, seen: list[tuple[str, int, str]], seed: int) -> None:
    rows = [
        {
            "serial": s,
            "occurred_at": f"2026-10-05T10:{m:02}:00",
            "code": w if w in {"7", "8", "101", "102", "205", "206"} else "",
            "status_bits": w,
        }
        for s, m, w in seen
    ]
    at_once, bit_by_bit = discom(loader), discom(loader)
    push(loader, at_once, rows)
    push_in_any_order(loader, bit_by_bit, rows, random.Random(seed))
    found = episodes(loader, at_once)
    assert episodes(loader, bit_by_bit) == found
    assert all(n == 1 for n in found.values()), "an occurrence counts once"
