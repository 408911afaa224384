"""Says in words what a peer's tables hold that ours do not, and the other way round.

The peers do a part of our work: eight of the rules, and a simple estimate (a line up to two hours, else the mean of like days, else flat;
windows of one day). What must be equal, to the Wh:

- the verdicts of the eight rules on what was measured; those of V07 and V19 on estimates, but for open days;
- per slot and channel, which slots are estimated, and what was measured in all others;
- totals and counts of the day, and which slots got a value, but for open channels. A channel is open where the registers do not give the
  day's total, or cannot be right: then the method alone says what is estimated;
- qualities, at least questionable where a rule doubts the day that the peers do not know;
- balances. Of those in which an open day takes part only what is no energy.

So what may differ is the value of an estimated slot, and what is judged or added up of one whose day's total no register gives.
"""

from __future__ import annotations

from datetime import date
from itertools import zip_longest
from typing import Any

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from tests.bench.peers.common import CHANNELS, LARGEST, TABLES, Day

EXAMPLES = 3
RULES = ("V05", "V06", "V07", "V11", "V13", "V16", "V17", "V19")
QUESTIONABLE = 5

OURS = {
    "final_day": "select * from vee.final_day where discom_id = %s and day = %s",
    "exception": f"""
        select * from vee.exception where discom_id = %s and day = %s and state in ('open', 'estimated')
          and (stage = 'initial' and rule in {RULES} or stage = 'estimate' and rule in ('V07', 'V19'))""",
    "dt_day": "select * from energy.dt_day where discom_id = %s and day = %s",
    "feeder_day": "select * from energy.feeder_day where discom_id = %s and day = %s",
}
PEERS = {"exception": "select * from {} where not (stage = 'estimate' and rule in ('V16', 'V17'))"}
KEYS = {"final_day": ("meter_id",), "exception": ("meter_id", "rule", "stage"), "dt_day": ("dt_id",), "feeder_day": ("feeder_id",)}

_OF_CHANNEL = {"export_wh": "export_wh", "export_day_wh": "export_wh", "import_vah": "import_vah", "import_day_vah": "import_vah"}
"""Columns of a final day that are not of import_wh."""
_OF_NO_ENERGY = ("feeder_id", "office_id", "unmetered_wh", "consumers", "dts")
"""Columns of a balance."""

_REPAIRED = """
create temp table repaired as
select e.meter_id, {channels}
from (
    select distinct meter_id from vee.exception where discom_id = {discom} and day = {day} and stage = 'initial' and action = 'estimate'
) e
join vee.measure x on x.discom_id = {discom} and x.day = {day} and x.meter_id = e.meter_id
join vee.meter_day m on m.discom_id = {discom} and m.day = {day} and m.meter_id = e.meter_id
join vee.final_day o on o.discom_id = {discom} and o.day = {day} and o.meter_id = e.meter_id
join {peers} t on t.meter_id = e.meter_id
cross join lateral (values
    ('import_wh', m.import_wh, o.import_wh, t.import_wh, x.register_advance_wh),
    ('export_wh', m.export_wh, o.export_wh, t.export_wh, x.export_advance_wh),
    ('import_vah', m.import_vah, o.import_vah, t.import_vah, x.apparent_advance_vah)
) c(channel, raw, ours, peers, advance)
cross join lateral (
    select count(*) filter (where bad) as bad, c.advance - coalesce(sum(c.raw[s]) filter (where not bad), 0) as energy
    from generate_series(1, x.slots) s
    cross join lateral (select c.raw[s] is null or c.raw[s] is distinct from c.ours[s] or c.raw[s] is distinct from c.peers[s] as bad) b
    where coalesce(c.raw, c.ours, c.peers) is not null
) k
cross join lateral (
    select k.bad > 0 and (k.energy between -x.register_lsb_wh and coalesce(x.limit_wh::bigint * k.bad, {largest})) is not true as open
) w
group by e.meter_id"""
"""Meter-days that fail a rule of action estimate: of each channel what was measured, and whether it is open."""

_DOUBTED = """
create temp table doubted as
select distinct meter_id from vee.exception
where discom_id = {discom} and day = {day} and stage = 'initial' and state = 'open' and action in ('hold', 'flag', 'estimate')
  and rule <> all ({rules})"""

_TAKES_PART = """
create temp table takes_part as
select coalesce(p.dt_id, p.consumer_dt_id) as dt_id, coalesce(t.feeder_id, p.feeder_id, p.ht_feeder_id) as feeder_id,
       r.import_wh_open or r.export_wh_open as energy_open, q.meter_id is not null as doubted
from ({place}) p
left join registry.dt t on t.discom_id = {discom} and t.dt_id = coalesce(p.dt_id, p.consumer_dt_id)
left join repaired r using (meter_id)
left join doubted q using (meter_id)
where r.meter_id is not null or q.meter_id is not null"""

_AROUND = {
    "final_day": """
        select *, repaired.meter_id is not null as repaired, doubted.meter_id is not null as doubted
        from repaired full join doubted using (meter_id)""",
    "exception": "select meter_id, import_wh_open from repaired",
    "dt_day": "select dt_id, bool_or(energy_open) as energy_open, bool_or(doubted) as doubted from takes_part group by dt_id",
    "feeder_day": "select feeder_id, bool_or(energy_open) as energy_open, bool_or(doubted) as doubted from takes_part group by feeder_id",
}
"""What is known beside the rows of a table, by the first column of its key."""


def differences(conn: psycopg.Connection, peer_schema: str, discom_id: int, day: date) -> list[str]:
    """What differs between a peer's day and ours, with first examples; empty = equal as said above, floats within 1e-9 of their size."""
    conn.execute("set enable_nestloop = off")
    _note_what_is_open(conn, peer_schema, discom_id, day)
    found: list[str] = []
    for table, columns in TABLES.items():
        found += _of_table(conn, peer_schema, table, columns, [discom_id, day])
    return found


def _note_what_is_open(conn: psycopg.Connection, schema: str, discom_id: int, day: date) -> None:
    """Temporary tables repaired, doubted and takes_part."""
    zone = conn.execute("select timezone from registry.discom where discom_id = %s", [discom_id]).fetchone()
    assert zone is not None, "whose day is compared is there"
    each = "bool_or(w.open) filter (where c.channel = '{0}') as {0}_open, max(c.raw) filter (where c.channel = '{0}') as {0}"
    values: dict[str, Composable] = {
        "discom": Literal(discom_id),
        "day": Literal(day),
        "channels": SQL(", ").join(SQL(each.format(c)) for c in CHANNELS),  # type: ignore[arg-type]
        "peers": Identifier(schema, "final_day"),
        "largest": Literal(LARGEST),
        "rules": Literal(list(RULES)),
        "place": Day("", discom_id, day, zone[0]).query("place", low=0, high=LARGEST),
    }
    conn.execute("drop table if exists repaired, doubted, takes_part")
    for statement in (_REPAIRED, _DOUBTED, _TAKES_PART):
        conn.execute(SQL(statement).format(**values))
    conn.execute("analyze repaired, doubted, takes_part")


def _of_table(conn: psycopg.Connection, schema: str, table: str, columns: dict[str, str], partition: list[object]) -> list[str]:
    keys = KEYS[table]
    key = SQL(", ").join(map(Identifier, keys))
    counts = conn.execute(
        SQL("select (select count(*) from {}), (select count(distinct ({})) from {})").format(
            Identifier(schema, table), key, Identifier(schema, table)
        )
    ).fetchone()
    assert counts is not None, "a count always answers"
    found = [f"{table}: the peer has {counts[0]} rows of {counts[1]} keys"] if counts[0] != counts[1] else []
    of_open = SQL("not (stage = 'estimate' and coalesce(r.import_wh_open, false)) and ") if table == "exception" else SQL("")
    checks = [(f"{table}: rows that the peer lacks", of_open + SQL("t.{} is null").format(Identifier(keys[0])))]
    checks += [(f"{table}: rows that only the peer has", of_open + SQL("o.{} is null").format(Identifier(keys[0])))]
    both = of_open + SQL("o.{k} is not null and t.{k} is not null and ").format(k=Identifier(keys[0]))
    checks += [(f"{table}.{c}", both + _differs(table, c, kind)) for c, kind in columns.items() if c not in keys]
    counted = SQL(", ").join(SQL("count(*) filter (where {})").format(condition) for _, condition in checks)
    joined = SQL("from ({ours}) o full join ({peers}) t using ({key}) left join ({around}) r using ({first})").format(
        ours=SQL(OURS[table]),
        peers=SQL(PEERS.get(table, "select * from {}")).format(Identifier(schema, table)),
        key=key,
        around=SQL(_AROUND[table]),
        first=Identifier(keys[0]),
    )
    numbers = conn.execute(SQL("select {} {}").format(counted, joined), partition).fetchone()
    assert numbers is not None, "a count always answers"
    for (what, condition), number in zip(checks, numbers, strict=True):
        if number:
            found.append(f"{what}: {number} differ, {_examples(conn, joined, key, what, condition, keys, columns, partition)}")
    return found


def _differs(table: str, column: str, kind: str) -> Composable:
    o, t = SQL("o.{}").format(Identifier(column)), SQL("t.{}").format(Identifier(column))
    differs = SQL("{} is distinct from {}").format(o, t)
    if kind == "double precision":
        differs = SQL("(({o} is null) <> ({t} is null) or abs({o} - {t}) > 1e-9 * greatest(abs({o}), abs({t})))").format(o=o, t=t)
    if table == "final_day":
        return _differs_of_day(column, o, t, differs)
    if table == "exception" or column in _OF_NO_ENERGY:
        return differs
    if column == "weakest_quality":
        differs = _weaker(o, t)
    return SQL("(not coalesce(r.energy_open, false) and {})").format(differs)


def _weaker(o: Composable, t: Composable) -> Composed:
    return SQL("{o} is distinct from case when r.doubted and {t} is not null then greatest({t}, {least}) else {t} end").format(
        o=o, t=t, least=Literal(QUESTIONABLE)
    )


def _differs_of_day(column: str, o: Composable, t: Composable, differs: Composable) -> Composable:
    channel = _OF_CHANNEL.get(column, "import_wh")
    opened = SQL("coalesce(r.{}, false)").format(Identifier(f"{channel}_open"))
    if column == "day_quality":
        return SQL("(o.estimated_slots > 0 and {differs} or o.estimated_slots = 0 and {weaker})").format(
            differs=differs, weaker=_weaker(o, t)
        )
    if column == "weakest_quality":
        return SQL("(not {} and {})").format(opened, _weaker(o, t))
    if column not in (*CHANNELS, "quality"):
        return SQL("(not {} and {})").format(opened, differs)
    # Slot by slot where something is estimated: there both must have put something else in the place of what was measured.
    replaced = SQL("({raw}[s] is null or {raw}[s] is distinct from o.{c}[s] and {raw}[s] is distinct from t.{c}[s])").format(
        raw=SQL("r.{}").format(Identifier(channel)), c=Identifier(channel)
    )
    if column == "quality":
        unlike = SQL("not ({opened} and {replaced}) and {weaker}").format(
            opened=opened, replaced=replaced, weaker=_weaker(SQL("o.quality[s]"), SQL("t.quality[s]"))
        )
        by_slot = SQL("r.repaired or r.doubted")
    else:
        unlike = SQL("{o}[s] is distinct from {t}[s] and not ({replaced} and ({opened} or ({o}[s] is null) = ({t}[s] is null)))").format(
            o=o, t=t, replaced=replaced, opened=opened
        )
        by_slot = SQL("r.repaired")
    return SQL("case when {} then exists (select from generate_series(1, o.slots) s where {}) else {} end").format(by_slot, unlike, differs)


def _examples(
    conn: psycopg.Connection,
    joined: Composable,
    key: Composable,
    what: str,
    condition: Composable,
    keys: tuple[str, ...],
    columns: dict[str, str],
    partition: list[object],
) -> str:
    column = what.partition(".")[2]
    values = SQL("o.{c}, t.{c}").format(c=Identifier(column)) if column in columns else SQL("null, null")
    rows = conn.execute(
        SQL("select {key}, {values} {joined} where {condition} order by {key} limit {n}").format(
            key=key, values=values, joined=joined, condition=condition, n=Literal(EXAMPLES)
        ),
        partition,
    ).fetchall()
    said = []
    for row in rows:
        name = " ".join(map(str, row[: len(keys)]))
        said.append(f"{name}: {_unlike(row[-2], row[-1])}" if column else name)
    return "e.g. " + "; ".join(said)


def _unlike(ours: Any, peers: Any) -> str:
    """Two values, or the first slot in which they differ."""
    if isinstance(ours, list) and isinstance(peers, list):
        slot, (a, b) = next((n, pair) for n, pair in enumerate(zip_longest(ours, peers)) if pair[0] != pair[1])
        return f"slot {slot}: ours {a}, the peer's {b}"
    return f"ours {ours}, the peer's {peers}"
