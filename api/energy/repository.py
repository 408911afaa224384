"""SQL of energy balances, as queries for `Database.read_async`.

Row-level security limits their rows to the offices of the caller. Which DTs and feeders there are is known to all of a DISCOM: `head`
limits that.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, LiteralString

from psycopg.sql import SQL, Composed, Identifier

Found = tuple[Composed, dict[str, Any]]
Kind = Literal["dt", "feeder", "office"]
Child = Literal["dt", "feeder"]

_HEAD: dict[Kind, LiteralString] = {
    "dt": """select n.dt_id as id, n.code, null::text as name, f.code as feeder, o.code as office, d.timezone
             from registry.dt n
             join registry.feeder f on f.discom_id = n.discom_id and f.feeder_id = n.feeder_id""",
    "feeder": """select n.feeder_id as id, n.code, n.name, n.code as feeder, o.code as office, d.timezone
                 from registry.feeder n""",
    "office": """select n.office_id as id, n.code, n.name, null::text as feeder, n.code as office, d.timezone,
                        ops.offices_below(n.discom_id, n.office_id) as offices
                 from registry.office n""",
}


def head(discom_id: int, kind: Kind, code: str) -> Found:
    """The DT, feeder or office; no row where there is none that the caller sees."""
    return (
        SQL("""{head}
        join registry.office o on o.discom_id = n.discom_id and o.office_id = n.office_id
        join registry.discom d on d.discom_id = n.discom_id
        where n.discom_id = %(discom_id)s and n.code = %(code)s
          and ((select ops.whole_tenant()) or n.office_id = any(coalesce(ops.offices(), '{{}}')))""").format(head=SQL(_HEAD[kind])),
        {"discom_id": discom_id, "code": code},
    )


_BALANCE: dict[Child, LiteralString] = {
    "dt": """
        sum(d.input_wh) filter (where d.loss_wh is not null)::bigint as input_wh,
        sum(d.output_wh) filter (where d.loss_wh is not null)::bigint as supplied_wh,
        sum(d.loss_wh)::bigint as loss_wh,
        sum(d.actual_wh) filter (where d.loss_wh is not null)::bigint as actual_wh,
        sum(d.consumer_import_wh + d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null)::bigint as sold_wh,
        sum(d.estimated_wh) filter (where d.loss_wh is not null)::bigint as estimated_wh,
        sum(d.consumer_import_wh + d.dt_import_wh) filter (where d.loss_wh is not null)::bigint as read_wh""",
    "feeder": """
        sum(d.input_wh + d.rooftop_export_wh) filter (where d.loss_wh is not null)::bigint as input_wh,
        sum(d.billed_wh + d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null)::bigint as supplied_wh,
        sum(d.loss_wh)::bigint as loss_wh,
        sum(d.actual_wh) filter (where d.loss_wh is not null)::bigint as actual_wh,
        sum(d.billed_wh + d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null)::bigint as sold_wh,
        sum(d.estimated_wh) filter (where d.loss_wh is not null)::bigint as estimated_wh,
        sum(d.read_wh) filter (where d.loss_wh is not null)::bigint as read_wh""",
}
_COUNTS: LiteralString = """
        count(*)::integer as balances, count(d.loss_wh)::integer as balances_known,
        sum(d.consumers)::bigint as consumer_days, sum(d.consumers_complete)::bigint as consumer_days_complete,
        max(d.weakest_quality) as weakest_quality"""
# An array of ids is looked up day by day; a join would read all of a day.
_BELOW: dict[tuple[Kind, Child], LiteralString] = {
    ("dt", "dt"): "d.dt_id = (select n.dt_id from registry.dt n where n.discom_id = %(discom_id)s and n.code = %(code)s)",
    (
        "feeder",
        "feeder",
    ): "d.feeder_id = (select n.feeder_id from registry.feeder n where n.discom_id = %(discom_id)s and n.code = %(code)s)",
    ("feeder", "dt"): """d.dt_id = any(array(
        select t.dt_id from registry.feeder n join registry.dt t on t.discom_id = n.discom_id and t.feeder_id = n.feeder_id
        where n.discom_id = %(discom_id)s and n.code = %(code)s))""",
    ("office", "feeder"): """d.feeder_id = any(array(
        select f.feeder_id from registry.feeder f where f.discom_id = %(discom_id)s and f.office_id = any((
          select ops.offices_below(n.discom_id, n.office_id) from registry.office n
          where n.discom_id = %(discom_id)s and n.code = %(code)s)::integer[])))""",
}


def balance(discom_id: int, kind: Kind, code: str, first: date, last: date, *, by_month: bool) -> Found:
    """Balances by day or month. Those of an office are those of the feeders of it and of the offices below it."""
    child: Child = "dt" if kind == "dt" else "feeder"
    period = SQL("date_trunc('month', d.day::timestamp)::date" if by_month else "d.day")
    return (
        SQL("""
        select {period} as start, count(distinct d.day)::integer as days, {counts}, {balance}
        from {table} d
        where d.discom_id = %(discom_id)s and d.day >= %(first)s::date and d.day <= %(last)s::date and {below}
        group by 1 order by 1""").format(
            period=period,
            counts=SQL(_COUNTS),
            balance=SQL(_BALANCE[child]),
            table=Identifier("energy", f"{child}_day"),
            below=SQL(_BELOW[kind, child]),
        ),
        {"discom_id": discom_id, "code": code, "first": first, "last": last},
    )


def intervals(discom_id: int, kind: Child, code: str, first: date, last: date) -> Found:
    """Balances by interval of energy.dt_interval or feeder_interval."""
    return (
        SQL("""
        select b.starts_at as start, b.interval_min, b.import_wh + b.given_wh as input_wh, b.taken_wh + b.export_wh as supplied_wh,
               b.loss_wh, b.coverage_pct, b.weakest_quality
        from registry.{registry} n
        join energy.{view} b on b.discom_id = n.discom_id and b.{id} = n.{id}
        where n.discom_id = %(discom_id)s and n.code = %(code)s and b.day >= %(first)s::date and b.day <= %(last)s::date
        order by b.starts_at""").format(registry=Identifier(kind), view=Identifier(f"{kind}_interval"), id=Identifier(f"{kind}_id")),
        {"discom_id": discom_id, "code": code, "first": first, "last": last},
    )


# Given as numbers, of which the planner sees whether they are few or all: what hangs below few offices is looked up.
_OF_OFFICES: LiteralString = """d.{id} in (
    select n.{id} from registry.{registry} n where n.discom_id = %(discom_id)s and n.office_id = any(%(offices)s::integer[]))"""
_WITHOUT_BALANCE = -(2**63 - 1)
"""In the order by loss: below all that have one."""


def children(
    discom_id: int,
    kind: Kind,
    child: Child,
    head: dict[str, Any],
    first: date,
    last: date,
    after: tuple[int | None, str] | None,
    size: int,
) -> Found:
    """What hangs below a row of `head`, those with most loss first, those without a balance last."""
    parameters: dict[str, Any] = {"discom_id": discom_id, "first": first, "last": last, "size": size, "without": _WITHOUT_BALANCE}
    parameters |= {"offices": head["offices"]} if kind == "office" else {"code": head["code"]}
    below: LiteralString = _OF_OFFICES if kind == "office" else _BELOW[kind, child]
    where: LiteralString = "true"
    if after is not None:
        parameters |= {"loss": _WITHOUT_BALANCE if after[0] is None else after[0], "after": after[1]}
        where = """c.loss < %(loss)s::bigint or c.loss = %(loss)s::bigint and n.code collate "C" > %(after)s"""
    names = {"id": Identifier(f"{child}_id"), "registry": Identifier(child)}
    return (
        SQL("""
        with c as (
            select d.{id} as id, coalesce(sum(d.loss_wh)::bigint, %(without)s::bigint) as loss
            from energy.{table} d
            where d.discom_id = %(discom_id)s and d.day >= %(first)s::date and d.day <= %(last)s::date and {below}
            group by d.{id}
        ),
        page as (
            select n.code, n.office_id, c.id, c.loss
            from c
            join registry.{registry} n on n.discom_id = %(discom_id)s and n.{id} = c.id
            where {where}
            order by c.loss desc, n.code collate "C"
            limit %(size)s
        ),
        -- The other figures of the page alone.
        figures as (
            select d.{id} as id, {counts}, {balance}
            from energy.{table} d
            where d.discom_id = %(discom_id)s and d.day >= %(first)s::date and d.day <= %(last)s::date
              and d.{id} = any(array(select p.id from page p))
            group by d.{id}
        )
        select p.code, o.code as office, f.*
        from page p
        join figures f on f.id = p.id
        join registry.office o on o.discom_id = %(discom_id)s and o.office_id = p.office_id
        order by p.loss desc, p.code collate "C"
        """).format(
            counts=SQL(_COUNTS),
            balance=SQL(_BALANCE[child]),
            table=Identifier(f"{child}_day"),
            below=SQL(below).format(**names),
            where=SQL(where),
            **names,
        ),
        parameters,
    )
