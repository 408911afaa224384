"""Exceptions that need a person become cases: which ones, of what place, how they grow, shrink, join and end, and what they ask for."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vee.exceptions.job import Grouped, group
from vee.exceptions.settings import CaseRules, WorkOrder, load
from warehouse import db

pytestmark = pytest.mark.integration

D1 = date(2026, 10, 30)
"""The cases of several days run over the end of a month: two partitions."""
RULES = load("no code of a DISCOM")
Case = tuple[str, str, str, str, date, date, int, int]
"""scope, place, rule, stage, first day, last day, meters, meter-days."""


def day(n: int) -> date:
    return D1 + timedelta(days=n - 1)


@pytest.fixture(scope="module")
def module_conn(module_database: str) -> Iterator[psycopg.Connection]:
    """DISCOM 1: feeder F1 with DTs T1 (100 meters: 1 to 100), T2 (101 to 110) and T3 (111 to 120), F2 with T4 (121 to 130). DISCOM 2: one
    meter, 900. Meter 131 is a consumer of F1 itself. Every meter-day is 10 kWh; no interval is missing but what a test says."""
    with psycopg.connect(module_database, autocommit=True) as conn:
        conn.execute(
            "insert into registry.discom (discom_id, code, name) overriding system value values (1, 'acme', 'A'), (2, 'globex', 'G')"
        )
        for discom in (1, 2):
            conn.execute("insert into registry.office (discom_id, code, name, level) values (%s, 'O', 'O', 'discom')", [discom])
            conn.execute("insert into registry.hes (discom_id, code, vendor) values (%s, 'h', 'hpl')", [discom])
        conn.execute(
            "insert into registry.office (discom_id, code, name, level, parent_id) select 1, 'S', 'S', 'section', office_id"
            " from registry.office where discom_id = 1"
        )
        conn.execute(
            "insert into registry.substation (discom_id, code, office_id) select discom_id, 'SS', office_id from registry.office"
            " where code = 'O'"
        )
        conn.execute("""insert into registry.feeder (discom_id, code, substation_id, office_id)
                        select discom_id, f, substation_id, office_id from registry.substation, unnest(array['F1', 'F2']) f""")
        conn.execute("""insert into registry.dt (discom_id, code, feeder_id, office_id, capacity_kva)
                        select f.discom_id, t.dt, f.feeder_id, (select max(office_id) from registry.office o where o.discom_id = 1), 100
                        from registry.feeder f join (values ('T1', 'F1'), ('T2', 'F1'), ('T3', 'F1'), ('T4', 'F2')) t(dt, feeder)
                          on t.feeder = f.code where f.discom_id = 1""")
        conn.execute("""
            insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
            overriding system value
            select 1, n, 'P' || n, (select max(office_id) from registry.office where discom_id = 1), 'domestic', 1000
            from generate_series(1, 131) n""")
        conn.execute("""
            insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min) overriding system value
            select h.discom_id, n, 'M' || n, h.hes_id, 'D1', 30 from registry.hes h
            join generate_series(1, 900) n on h.discom_id = 1 and n <= 131 or h.discom_id = 2 and n = 900""")
        conn.execute("""insert into registry.installation (discom_id, meter_id, valid_from, service_point_id, mf)
                        select 1, n, '2026-01-01', n, 2 from generate_series(1, 131) n""")
        conn.execute("""
            insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id, feeder_id)
            select 1, n, '2026-01-01', d.dt_id, f.feeder_id
            from generate_series(1, 131) n
            left join registry.dt d on d.discom_id = 1
              and d.code = case when n <= 100 then 'T1' when n <= 110 then 'T2' when n <= 120 then 'T3' when n <= 130 then 'T4' end
            left join registry.feeder f on f.discom_id = 1 and n = 131 and f.code = 'F1'""")
    with db.connect("meterhouse_dbt", autocommit=True) as conn:
        conn.execute("""
            create table vee.measure (discom_id smallint, day date, meter_id integer, slots integer, limit_wh bigint, sum_wh bigint,
                                      register_advance_wh bigint, primary key (discom_id, day, meter_id))""")
        conn.execute("""
            create table vee.meter_day (discom_id smallint, day date, meter_id integer, interval_min smallint, import_wh integer[],
                                        primary key (discom_id, day, meter_id))""")
        conn.execute("select ops.ensure_month('vee.exception', %s, %s)", [D1, day(40)])
        conn.execute(
            """insert into vee.measure select 1, d::date, n, 48, 2000, 10000, 10000
                        from generate_series(1, 131) n, generate_series(%s::date, %s::date, interval '1 day') d""",
            [D1, day(40)],
        )
        yield conn


@pytest.fixture
def conn(module_conn: psycopg.Connection) -> psycopg.Connection:
    clean(module_conn)
    return module_conn


def clean(conn: psycopg.Connection) -> None:
    with psycopg.connect(db.database_url(), autocommit=True) as owner:
        owner.execute(
            "truncate vee.exception, vee.case, vee.case_audit, ops.work_order_request, ops.command, ops.decided_day, vee.meter_day cascade"
        )


def fail(conn: psycopg.Connection, meters: Iterable[int], days: Iterable[int], rule: str = "V19", **columns: Any) -> None:
    row = {"discom_id": 1, "rule": rule, "stage": "initial", "severity": "fail", "action": "hold", "value": 1.0, "message": "x", **columns}
    with conn.cursor() as cur:
        cur.executemany(
            f"""insert into vee.exception (day, meter_id, {", ".join(row)}) values (%s, %s, {", ".join(["%s"] * len(row))})
                on conflict (discom_id, day, meter_id, rule, stage) do update set state = excluded.state""",
            [(day(n), m, *row.values()) for n in days for m in meters],
        )


def settle(conn: psycopg.Connection, meters: Iterable[int], days: Iterable[int], state: str = "cleared") -> None:
    conn.execute(
        "update vee.exception set state = %s where discom_id = 1 and meter_id = any(%s) and day = any(%s)",
        [state, list(meters), [day(n) for n in days]],
    )


def miss(conn: psycopg.Connection, meters: Iterable[int], n: int, slots: Iterable[int], interval_min: int = 30) -> None:
    """V07, and a meter-day that has no value in `slots` (from 1)."""
    missing = set(slots)
    values = [None if s in missing else 100 for s in range(1, 1440 // interval_min + 1)]
    fail(conn, meters, [n], "V07", action="estimate", value=float(len(missing)))
    with conn.cursor() as cur:
        cur.executemany("insert into vee.meter_day values (1, %s, %s, %s, %s)", [(day(n), m, interval_min, values) for m in meters])


def build(first: int, last: int | None = None, rules: CaseRules = RULES) -> Grouped:
    return group(1, "acme", day(first), day(last or first), rules=rules)


CASES = """
    select c.scope, case c.scope when 'meter' then m.serial when 'dt' then d.code else f.code end, c.rule, c.stage, c.first_day, c.last_day,
           c.meters, c.meter_days
    from vee.case c
    left join registry.meter m using (discom_id, meter_id)
    left join registry.dt d on (d.discom_id, d.dt_id) = (c.discom_id, c.dt_id)
    left join registry.feeder f on (f.discom_id, f.feeder_id) = (c.discom_id, c.feeder_id)
    where c.discom_id = 1 and c.state <> 'closed' order by 1, 2, 3, 4, 5"""


def cases(conn: psycopg.Connection) -> list[Case]:
    """Live cases. What must always hold of them: each open exception that needs a person is in one, and the figures of each are right."""
    wrong = conn.execute("""
        select e.day, e.meter_id, e.rule, e.state, e.case_id, c.state from vee.exception e left join vee.case c using (discom_id, case_id)
        where e.state = 'open' and e.action <> 'note' and (c.case_id is null or c.state = 'closed' or e.rule <> c.rule or e.stage <> c.stage
                                                           or e.day not between c.first_day and c.last_day)
           or e.state in ('estimated', 'cleared') and e.case_id is not null""").fetchall()
    assert wrong == [], "exceptions without a case of theirs, or settled ones with one"
    wrong = conn.execute("""
        select c.* from vee.case c
        left join (
            select discom_id, case_id, min(day) as first, max(day) as last, count(distinct meter_id) as meters, count(*) as meter_days,
                   sum(stake_wh)::bigint as stake_wh, count(distinct day) as days
            from vee.exception where state = 'open' group by 1, 2
        ) e using (discom_id, case_id)
        where c.state <> 'closed'
          and (c.first_day, c.last_day, c.meters, c.meter_days, c.stake_wh, c.last_day - c.first_day + 1) is distinct from
              (e.first, e.last, e.meters, e.meter_days, e.stake_wh, e.days)""").fetchall()
    assert wrong == [], "cases whose figures are not those of their exceptions"
    return conn.execute(CASES).fetchall()


def ids(conn: psycopg.Connection, where: str = "true") -> list[int]:
    return [r[0] for r in conn.execute(f"select case_id from vee.case where {where} order by 1")]


# --- what is one case ---


def test_a_hundred_meters_of_a_dt_are_one_case_and_four_are_four(conn: psycopg.Connection) -> None:
    fail(conn, range(1, 101), [1])
    fail(conn, range(101, 105), [1])
    done = build(1)
    assert (done.exceptions, done.opened, done.closed) == (104, 5, 0)
    assert cases(conn) == [
        ("dt", "T1", "V19", "initial", D1, D1, 100, 100),
        *(("meter", f"M{n}", "V19", "initial", D1, D1, 1, 1) for n in range(101, 105)),
    ]
    found = conn.execute(
        "select stake_wh, severity, action, state, priority, o.code from vee.case join registry.office o using (discom_id, office_id)"
        " where scope = 'dt'"
    ).fetchall()
    assert found == [(100 * 20_000, "fail", "hold", "open", 2, "S")], "10 kWh a meter with a factor of 2"
    again = build(1)
    assert (again.opened, again.closed) == (0, 0), "a second time there is nothing to do"
    assert len(ids(conn)) == 5


def test_only_what_needs_a_person_is_a_case(conn: psycopg.Connection) -> None:
    fail(conn, [1], [1], "V05", action="note")
    fail(conn, [2], [1], "V07", action="estimate", state="estimated")
    fail(conn, [3], [1], state="cleared")
    fail(conn, [4], [1], state="closed")
    fail(conn, [5], [1], "V13", action="flag", severity="warn")
    fail(conn, [6], [1], "V16", action="estimate")
    fail(conn, [6], [1], "V16", action="hold", stage="estimate")
    build(1)
    assert [c[1:4] for c in cases(conn)] == [("M5", "V13", "initial"), ("M6", "V16", "estimate"), ("M6", "V16", "initial")]


def test_rules_and_stages_are_cases_of_their_own(conn: psycopg.Connection) -> None:
    fail(conn, range(1, 4), [1], "V19")
    fail(conn, range(4, 7), [1], "V21")
    fail(conn, range(7, 10), [1], "V19", stage="estimate")
    build(1)
    assert Counter(c[0] for c in cases(conn)) == {"meter": 9}, "three of a kind are too few for a case of the DT"


def test_gaps_are_one_case_where_an_interval_in_common_is_missing(conn: psycopg.Connection) -> None:
    miss(conn, range(1, 5), 1, range(10, 20))  # 04:30 to 09:30
    miss(conn, [5], 1, [19], interval_min=30)
    miss(conn, [6], 1, range(1, 97), interval_min=15)  # the whole day
    miss(conn, [7], 1, range(1, 10))  # ends when the others begin
    miss(conn, range(8, 11), 1, range(30, 40))
    build(1)
    assert cases(conn) == [
        ("dt", "T1", "V07", "initial", D1, D1, 6, 6),
        *(("meter", f"M{n}", "V07", "initial", D1, D1, 1, 1) for n in (10, 7, 8, 9)),
    ]


def test_gaps_that_do_not_overlap_are_cases_of_their_meters(conn: psycopg.Connection) -> None:
    for n in range(1, 8):
        miss(conn, [n], 1, [n])
    build(1)
    assert Counter(c[0] for c in cases(conn)) == {"meter": 7}


def test_most_dts_of_a_feeder_are_a_case_of_the_feeder(conn: psycopg.Connection) -> None:
    fail(conn, range(1, 6), [1, 2])
    fail(conn, range(101, 106), [2])
    fail(conn, [111, 131], [2])  # one of T3; a consumer of the feeder itself
    fail(conn, range(121, 126), [2])  # a feeder of a single DT
    build(1, 2)
    assert cases(conn) == [
        ("dt", "T1", "V19", "initial", D1, D1, 5, 5),
        ("dt", "T4", "V19", "initial", day(2), day(2), 5, 5),
        ("feeder", "F1", "V19", "initial", day(2), day(2), 10, 10),
        *(("meter", f"M{n}", "V19", "initial", day(2), day(2), 1, 1) for n in (111, 131)),
    ]


# --- over days ---


def test_a_meter_that_fails_for_thirty_days_is_one_case_that_grows(conn: psycopg.Connection) -> None:
    for n in range(1, 31):
        fail(conn, [1], [n], "V13", action="flag", severity="warn")
        done = build(n)
        assert (done.opened, done.closed) == ((1, 0) if n == 1 else (0, 0))
    assert cases(conn) == [("meter", "M1", "V13", "initial", D1, day(30), 1, 30)]


def test_a_day_between_two_cases_makes_them_one_and_whoever_has_one_keeps_it(conn: psycopg.Connection) -> None:
    fail(conn, [1], [1, 2, 4, 5])
    build(1, 5)
    first, second = ids(conn)
    conn.execute("update vee.case set state = 'assigned', assignee = 'Asha' where case_id = %s", [second])
    fail(conn, [1], [3])
    build(3)
    assert cases(conn) == [("meter", "M1", "V19", "initial", D1, day(5), 1, 5)]
    assert ids(conn, "state = 'assigned'") == [second], "somebody works on it"
    assert conn.execute("select resolution, resolution_note, closed_by from vee.case where case_id = %s", [first]).fetchall() == [
        ("merged", f"into case {second}", "meterhouse")
    ]
    assert conn.execute("select case_id, who, action, after->>'resolution' from vee.case_audit").fetchall() == [
        (first, "meterhouse", "close", "merged")
    ]


def test_a_day_that_clears_cuts_a_case_in_two_and_the_second_names_the_first(conn: psycopg.Connection) -> None:
    fail(conn, [1], range(1, 6))
    build(1, 5)
    (case,) = ids(conn)
    settle(conn, [1], [3])
    build(3)
    assert [c[4:6] for c in cases(conn)] == [(D1, day(2)), (day(4), day(5))]
    assert conn.execute("select case_id = %s, follows from vee.case order by 1 desc", [case]).fetchall() == [(True, None), (False, case)]


def test_what_clears_leaves_its_case_and_an_empty_case_closes_itself(conn: psycopg.Connection) -> None:
    fail(conn, range(1, 8), [1])
    fail(conn, [101], [1])
    build(1)
    settle(conn, [1], [1])
    settle(conn, [101], [1], "estimated")
    done = build(1)
    assert (done.opened, done.closed) == (0, 1)
    assert cases(conn) == [("dt", "T1", "V19", "initial", D1, D1, 6, 6)]
    assert conn.execute("select resolution, closed_by, closed_at is not null from vee.case where state = 'closed'").fetchall() == [
        ("cleared", "meterhouse", True)
    ]
    settle(conn, [2, 3], [1])
    assert build(1).closed == 1, "four are too few: the case of the DT ends"
    assert Counter(c[0] for c in cases(conn)) == {"meter": 4}


def test_a_closed_case_stays_closed_and_the_next_one_names_it(conn: psycopg.Connection) -> None:
    fail(conn, [1], [1, 2])
    build(1, 2)
    (old,) = ids(conn)
    settle(conn, [1], [1, 2], "closed")
    conn.execute("update vee.case set state = 'closed', closed_at = now(), closed_by = 'Asha', resolution = 'meter_fault'")
    build(1, 2)
    assert cases(conn) == []
    fail(conn, [1], [2, 3])  # the value of day 2 changed, so it is open again
    build(1, 3)
    assert cases(conn) == [("meter", "M1", "V19", "initial", day(2), day(3), 1, 2)]
    assert conn.execute("select follows from vee.case where state <> 'closed'").fetchall() == [(old,)]
    assert conn.execute("select state, resolution, first_day, last_day from vee.case where case_id = %s", [old]).fetchall() == [
        ("closed", "meter_fault", D1, day(2))
    ]


def test_another_discom_is_left_alone(conn: psycopg.Connection) -> None:
    fail(conn, [900], [1], discom_id=2)
    build(1)
    assert conn.execute("select count(*) from vee.case").fetchone() == (0,)
    group(2, "globex", D1, D1)
    assert conn.execute("select discom_id, meter_id, stake_wh from vee.case").fetchall() == [(2, 900, None)]
    build(1)
    assert conn.execute("select discom_id, state from vee.case").fetchall() == [(2, "open")]


def expected(open_: dict[int, set[tuple[int, str]]]) -> list[Case]:
    """What the cases are, reckoned from the definition. `open_`: day to (meter, rule)."""
    dt_of = {n: "T1" if n <= 100 else "T2" if n <= 110 else "T3" if n <= 120 else "T4" for n in range(1, 131)}
    place: dict[tuple[str, str, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for n, found in open_.items():
        for rule in {r for _, r in found}:
            by_dt: dict[str, set[int]] = defaultdict(set)
            for m, r in found:
                if r == rule:
                    by_dt[dt_of[m]].add(m)
            of_dts = {t for t, ms in by_dt.items() if len(ms) >= 5}
            of_f1 = of_dts & {"T1", "T2", "T3"}
            for t, ms in by_dt.items():
                for m in ms:
                    at = ("meter", f"M{m}") if t not in of_dts else ("feeder", "F1") if t in of_f1 and len(of_f1) >= 2 else ("dt", t)
                    place[(*at, rule)][n].add(m)
    found_cases: list[Case] = []
    for (scope, code, rule), by_day in place.items():
        for n in sorted(by_day):
            if n - 1 in by_day:
                continue
            run = [n]
            while run[-1] + 1 in by_day:
                run.append(run[-1] + 1)
            meters = set[int]().union(*(by_day[d] for d in run))
            found_cases.append((scope, code, rule, "initial", day(n), day(run[-1]), len(meters), sum(len(by_day[d]) for d in run)))
    return sorted(found_cases)


METERS = [*range(1, 8), *range(101, 108), *range(111, 113), *range(121, 128)]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), days=st.integers(1, 7))
def test_whatever_the_order_in_which_days_are_built_the_cases_are_the_same(module_conn: psycopg.Connection, seed: int, days: int) -> None:
    conn = module_conn
    clean(conn)
    choose = random.Random(seed)
    density = choose.choice([0.2, 0.6, 0.9])
    final: dict[int, set[tuple[int, str]]] = {}
    for n in range(1, days + 1):
        final[n] = {(m, r) for m in METERS for r in ("V19", "V21") if choose.random() < density * choose.random() * 1.3}
    # Days come in any order, in ranges, some of them first as they were before late data changed them.
    todo = list(range(1, days + 1))
    choose.shuffle(todo)
    for n in todo:
        if choose.random() < 0.4:
            before = {(m, r) for m in METERS for r in ("V19", "V21") if choose.random() < 0.5}
            put(conn, n, before)
            build(n)
    for n in todo:
        put(conn, n, final[n])
    while todo:
        first = todo.pop()
        last = min(days, first + choose.choice([0, 0, 1, 2]))
        todo = [n for n in todo if not first <= n <= last]
        build(first, last)
    assert sorted(cases(conn)) == expected(final)
    done = build(1, days)
    assert (done.opened, done.closed) == (0, 0), "built once more there is nothing to do"
    assert sorted(cases(conn)) == expected(final)


def put(conn: psycopg.Connection, n: int, found: set[tuple[int, str]]) -> None:
    conn.execute("update vee.exception set state = 'cleared' where discom_id = 1 and day = %s", [day(n)])
    for rule in ("V19", "V21"):
        fail(conn, sorted(m for m, r in found if r == rule), [n], rule, state="open")


# --- work orders ---


def orders(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        """select w.kind, w.meter_id, w.via, c.scope from ops.work_order_request w join vee.case c using (discom_id, case_id)
           order by 1, 2"""
    ).fetchall()


def test_a_case_asks_for_its_work_order_once_when_every_threshold_is_reached(conn: psycopg.Connection) -> None:
    order = WorkOrder(("V13",), "INSPECT_METER", after_h=48, min_days=2, min_stake_wh=30_000)
    rules = replace(RULES, work_orders=(order, WorkOrder(("V14",), "TAMPER_CHECK")))
    fail(conn, [1], [1, 2], "V13", action="flag")
    fail(conn, [2], [1], "V13", action="flag")
    fail(conn, [3], [1], "V14")
    fail(conn, [4], [1], "V19")
    assert build(1, 2, rules).work_orders == 1
    assert orders(conn) == [("TAMPER_CHECK", 3, "visit", "meter")], "a case of an hour does not ask yet"
    conn.execute("update vee.case set opened_at = now() - interval '49 hours'")
    assert build(2, 2, rules).work_orders == 1
    assert orders(conn) == [("INSPECT_METER", 1, "visit", "meter"), ("TAMPER_CHECK", 3, "visit", "meter")], "one day is too few"
    assert [build(1, 2, rules).work_orders for _ in range(2)] == [0, 0], "never twice for one case"
    assert len(orders(conn)) == 2


def test_a_case_of_a_dt_asks_for_one_work_order_of_the_dt(conn: psycopg.Connection) -> None:
    rules = replace(RULES, work_orders=(WorkOrder(("V07",), "COMMUNICATION_CHECK", min_meters=5),))
    for n in range(1, 7):
        miss(conn, [n], 1, [3])
    miss(conn, [101], 1, [3])
    assert build(1, 1, rules).work_orders == 1
    assert orders(conn) == [("COMMUNICATION_CHECK", None, "visit", "dt")]


def test_a_clock_is_set_by_command_where_the_head_end_system_takes_it_else_by_a_visit(conn: psycopg.Connection) -> None:
    rules = replace(RULES, work_orders=(WorkOrder(("V03",), "SYNC_CLOCK", command="clock_sync"),))
    fail(conn, [1], [1, 2], "V03", action="flag")
    assert [build(1, 2, rules).work_orders for _ in range(2)] == [1, 0]
    assert orders(conn) == [("SYNC_CLOCK", 1, "command", "meter")]
    (case,) = ids(conn)
    assert conn.execute("select meter_id, kind, state, reason from ops.command").fetchall() == [
        (1, "clock_sync", "queued", f"asked for by case {case}")
    ]
    assert conn.execute("select who, to_state from ops.command_audit").fetchall() == [("meterhouse", "queued")]
    with psycopg.connect(db.database_url(), autocommit=True) as owner:
        owner.execute("update registry.hes set vendor = 'vendor_c' where discom_id = 1")
    try:
        fail(conn, [2], [1], "V03", action="flag")
        assert build(1, 1, rules).work_orders == 1
    finally:
        with psycopg.connect(db.database_url(), autocommit=True) as owner:
            owner.execute("update registry.hes set vendor = 'hpl' where discom_id = 1")
    assert orders(conn) == [("SYNC_CLOCK", 1, "command", "meter"), ("SYNC_CLOCK", 2, "visit", "meter")]
    assert conn.execute("select count(*) from ops.command").fetchone() == (1,)


def test_a_closed_case_asks_for_nothing(conn: psycopg.Connection) -> None:
    fail(conn, [1], [1], "V14")
    build(1, 1, replace(RULES, work_orders=()))
    settle(conn, [1], [1], "closed")
    conn.execute("update vee.case set state = 'closed', closed_at = now(), closed_by = 'Asha', resolution = 'tamper'")
    assert build(1).work_orders == 0


def test_a_work_order_is_asked_for_by_an_alert_or_by_a_case(conn: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="asked_by"):
        conn.execute("insert into ops.work_order_request (discom_id, kind, meter_id) values (1, 'X', 1)")


def test_a_wait_that_is_over_ends_with_the_next_build(conn: psycopg.Connection) -> None:
    fail(conn, [1, 2, 3], [1])
    build(1)
    one, two, three = ids(conn)
    for case, assignee, until in ((one, "Asha", "-1 hour"), (two, None, "-1 hour"), (three, "Asha", "1 hour")):
        conn.execute(
            "update vee.case set state = 'waiting', wait_reason = 'r', assignee = %s, wait_until = now() + %s::interval where case_id = %s",
            [assignee, until, case],
        )
    assert build(1).woken == 2
    assert conn.execute("select state from vee.case order by case_id").fetchall() == [("assigned",), ("open",), ("waiting",)]
