"""A query as SQL: SQLAlchemy Core over the names of the catalogue, every value bound. No database here.

Names of the caller never come into the SQL: its columns are called c1, c2 …, and what they are called in the answer is put on afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from api.builder.catalogue import NUMBERS, Dataset, Field, Ratio, datasets
from api.builder.schemas import PERIOD_NAMES, Aggregate, Calculated, Days, Filter, Query
from api.reports import periods
from api.reports.catalogue import Column, Kind

_DIALECT = psycopg_dialect.dialect()

_TYPES: dict[Kind, Callable[[], Any]] = {
    Kind.TEXT: sa.Text,
    Kind.INTEGER: sa.BigInteger,
    Kind.DECIMAL: sa.Numeric,
    Kind.REAL: sa.Double,
    Kind.BOOLEAN: sa.Boolean,
    Kind.DATE: sa.Date,
    Kind.STAMP: lambda: sa.TIMESTAMP(timezone=True),
}
_ORDERED = {Kind.INTEGER, Kind.DECIMAL, Kind.REAL, Kind.DATE, Kind.STAMP, Kind.TEXT}

EXAMPLES = {
    Kind.TEXT: 'a text, as "domestic"',
    Kind.INTEGER: "a whole number, as 4",
    Kind.DECIMAL: "a number, as 12.5",
    Kind.REAL: "a number, as 12.5",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: 'a day, as "2026-10-31"',
    Kind.STAMP: 'a time with an offset, as "2026-10-31T06:30:00+05:30"',
}


@dataclass(frozen=True)
class Output(Column):
    """A column of the answer, with what it says itself where a column of a report is understood by its name."""

    stated_unit: str | None = None
    source: str | None = None
    """The column of the dataset that it is of."""

    @property
    def unit(self) -> str | None:
        return self.stated_unit

    @property
    def heading(self) -> str:
        plain = Column(self.name, self.data_type, "")
        if plain.unit == self.unit:
            return plain.heading
        text = self.name.replace("_", " ")
        return text[0].upper() + text[1:] + (f" ({self.unit})" if self.unit else "")


@dataclass(frozen=True)
class Compiled:
    """SQL with psycopg's %(name)s, and what is bound. `first` to `last`: the business days that are asked for."""

    dataset: Dataset
    sql: str
    parameters: dict[str, Any]
    outputs: tuple[Output, ...]
    first: date | None
    last: date | None
    filtered: frozenset[str]


class QueryError(ValueError):
    """A query that cannot be. `faults` are (field, what is wrong and how to mend it)."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{where}: {what}" for where, what in faults))
        self.faults = list(faults)


@dataclass
class _Faults:
    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        self.found.append((where, what))

    def check(self) -> None:
        if self.found:
            raise QueryError(self.found)


def operators(f: Field, time: str | None = None) -> list[str]:
    """What a filter can say of a column."""
    found = ["=", "!="]
    if f.kind in _ORDERED:
        found += ["<", "<=", ">", ">=", "between"]
    if f.kind is not Kind.BOOLEAN:
        found += ["in", "not in"]
    if f.kind is Kind.TEXT:
        found.append("starts with")
    if f.kind is Kind.DATE:
        found.append("period")
    return [*found, "is null", "is not null"]


def compile_query(
    query: Query, discom_id: int, zone: ZoneInfo, now: datetime, *, max_rows: int, days: Days | None = None, whole: bool = False
) -> Compiled:
    """The SQL of a query of one DISCOM, for at most `max_rows` + 1 rows, so that it shows whether there are more.

    `now` is aware. `days` take the place of the filters of the dataset's days. With `whole` the limit of the query itself is not
    exceeded by that one row. Raises QueryError.
    """
    if query.dataset not in datasets():
        raise QueryError([("dataset", f"there is no dataset {query.dataset}: see GET /api/v1/builder/datasets")])
    return _Compiler(query, datasets()[query.dataset], discom_id, zone, now, days).compiled(max_rows, whole=whole)


class _Compiler:
    def __init__(self, query: Query, dataset: Dataset, discom_id: int, zone: ZoneInfo, now: datetime, days: Days | None) -> None:
        self.query, self.dataset, self.zone, self.now, self.days = query, dataset, zone, now, days
        self.discom_id = discom_id
        self.faults = _Faults()
        self.first: date | None = None
        self.last: date | None = None
        self.columns: list[tuple[Any, Output]] = []
        self.figures: list[tuple[Any, Output]] = []

    def compiled(self, max_rows: int, *, whole: bool) -> Compiled:
        conditions = self._conditions()
        for n, chosen in enumerate(self.query.columns):
            self._column(f"columns.{n}", chosen)
        for n, aggregate in enumerate(self.query.aggregates):
            self._aggregate(f"aggregates.{n}", aggregate)
        self._no_mixture()
        outputs = tuple(o for _, o in (*self.columns, *self.figures))
        self._names(outputs)
        order = self._order(outputs)
        self._chart(outputs)
        self.faults.check()
        sql, parameters = self._statement(conditions, order, self._limit(max_rows, whole=whole))
        filtered = frozenset(f.column for f in self.query.filters)
        return Compiled(self.dataset, sql, parameters, outputs, self.first, self.last, filtered)

    def _limit(self, max_rows: int, *, whole: bool) -> int:
        asked = self.query.limit
        if asked is None or asked > max_rows:
            return max_rows + 1
        return asked if whole else asked + 1

    def _statement(self, conditions: list[Any], order: list[Any], limit: int) -> tuple[str, dict[str, Any]]:
        inner_columns = [expression.label(f"c{n}") for n, (expression, _) in enumerate(self.columns, 1)]
        table = self.dataset.table
        if not self.query.aggregates:
            statement = sa.select(*inner_columns).select_from(table).where(*conditions)
            statement = statement.order_by(*order, *([] if self.query.sort else self._by_key(inner_columns)))
        else:
            # Groups are reckoned within, so that a bound value in them stands once, as GROUP BY must find it.
            used = sorted({c for a in self.query.aggregates for c in self._used(a)})
            within = sa.select(*inner_columns, *(table.c[c].label(f"s_{c}") for c in used)).where(*conditions).select_from(table)
            rows = within.subquery("q")
            groups = [rows.c[f"c{n}"] for n in range(1, len(self.columns) + 1)]
            first = len(self.columns) + 1
            figures = [make(rows).label(f"c{n}") for n, (make, _) in enumerate(self.figures, first)]
            statement = sa.select(*groups, *figures).select_from(rows).group_by(*groups)
            statement = statement.order_by(*order, *(g.asc() for g in groups))
        compiled = statement.limit(limit).compile(dialect=_DIALECT)
        return str(compiled), dict(compiled.params)

    def _by_key(self, columns: list[Any]) -> list[Any]:
        return [self.dataset.table.c[k] for k in self.dataset.key] or [sa.column(c.name) for c in columns]

    # --- what is shown ---

    def _field(self, where: str, name: str) -> Field | None:
        found = self.dataset.fields.get(name)
        if found is None:
            near = ", ".join(sorted(self.dataset.fields))
            self.faults.add(where, f"{self.dataset.name} has no column {name}: it has {near}")
        return found

    def _column(self, where: str, chosen: str | Calculated) -> None:
        if isinstance(chosen, str):
            if f := self._field(where, chosen):
                c = f.column
                output = Output(c.name, c.data_type, c.description, stated_unit=c.unit, source=c.name)
                self.columns.append((self.dataset.table.c[c.name], output))
            return
        f = self._field(f"{where}.column", chosen.column)
        if f is None:
            return
        if chosen.period not in f.periods:
            has = f"it has {', '.join(f.periods)}" if f.periods else "only days and stamps have periods"
            self.faults.add(f"{where}.period", f"{chosen.period} cannot be made of {f.name} ({f.kind.value}): {has}")
            return
        expression, data_type = self._calculated(f, chosen.period)
        said = f"{chosen.period.replace('_', ' ')} of {f.name}"
        self.columns.append((expression, Output(chosen.name or f"{f.name}_{chosen.period}", data_type, said, source=f.name)))

    def _calculated(self, f: Field, period: str) -> tuple[Any, str]:
        column: Any = self.dataset.table.c[f.name]
        if f.kind is Kind.STAMP:
            zone = sa.bindparam("zone", self.zone.key, sa.Text)
            if period == "hour":
                return sa.func.date_trunc(sa.bindparam("hour", "hour", sa.Text), column, zone), "timestamp with time zone"
            local = sa.func.timezone(zone, column)
            if period == "hour_of_day":
                return sa.cast(sa.extract("hour", local), sa.Integer), "integer"
            column = sa.cast(local, sa.Date)
        if period == "day":
            return column, "date"
        if period == "financial_year":
            # April to March: the calendar year of the day three months before, and its first day three months on.
            three = sa.func.make_interval(sa.bindparam("no_years", 0, sa.Integer), sa.bindparam("three_months", 3, sa.Integer))
            year = sa.func.date_trunc(sa.bindparam("year", "year", sa.Text), sa.cast(column, sa.TIMESTAMP) - three)
            return sa.cast(year + three, sa.Date), "date"
        unit = sa.bindparam(f"unit_{period}", period, sa.Text)
        return sa.cast(sa.func.date_trunc(unit, sa.cast(column, sa.TIMESTAMP)), sa.Date), "date"

    # --- aggregates ---

    def _ratio(self, a: Aggregate) -> Ratio | None:
        if a.of and a.to:
            return Ratio(tuple(a.of), tuple(a.to), a.times)
        return self.dataset.fields[a.column].ratio if a.column in self.dataset.fields else None

    def _used(self, a: Aggregate) -> tuple[str, ...]:
        if a.fn == "ratio_of_sums":
            ratio = self._ratio(a)
            return (*ratio.of, *ratio.to) if ratio else ()
        return (a.column,) if a.column else ()

    def _aggregate(self, where: str, a: Aggregate) -> None:
        if a.fn == "ratio_of_sums":
            self._ratio_of_sums(where, a)
            return
        for name in ("of", "to"):
            if getattr(a, name) is not None:
                self.faults.add(f"{where}.{name}", f"{a.fn} takes a column; of and to belong to ratio_of_sums")
        if a.column is None:
            if a.fn == "count":
                output = Output(a.name or "count", "bigint", "rows")
                self.figures.append((lambda rows: sa.func.count(), output))
            else:
                self.faults.add(f"{where}.column", f"{a.fn} needs a column: say which")
            return
        f = self._field(f"{where}.column", a.column)
        if f is None or not self._may(where, a, f):
            return
        make, data_type, unit = self._figure(a.fn, f)
        words = {"avg": "average, every row weighing the same", "count": "rows with a value", "count_distinct": "different values"}
        said = f"{words.get(a.fn, a.fn)} of {f.name}" + (f": {f.column.description}" if f.column.description else "")
        self.figures.append((make, Output(a.name or f"{a.fn}_{f.name}", data_type, said, stated_unit=unit, source=f.name)))

    def _may(self, where: str, a: Aggregate, f: Field) -> bool:
        if a.fn not in f.aggregates:
            if f.is_ratio:
                what = f"{f.name} is a ratio, which cannot be summed: {self._instead(f)}"
            elif f.is_level:
                what = f"{f.name} is an extreme or a level, which does not add up: choose of {', '.join(f.aggregates)}"
            else:
                what = f"{f.name} ({f.kind.value}) has no {a.fn}: choose of {', '.join(f.aggregates)}"
            self.faults.add(f"{where}.fn", what)
            return False
        if a.fn == "avg" and f.is_ratio and not a.unweighted:
            what = f"{f.name} is a ratio, and its average is not that of the whole: {self._instead(f)}, or say unweighted: true"
            self.faults.add(f"{where}.fn", what)
            return False
        return True

    def _instead(self, f: Field) -> str:
        if f.ratio:
            return f"take ratio_of_sums, which is {f.ratio.times:g} x sum({' + '.join(f.ratio.of)}) / sum({' + '.join(f.ratio.to)})"
        return "take ratio_of_sums and name with of and to the quantities that it is made of"

    def _figure(self, fn: str, f: Field) -> tuple[Callable[[Any], Any], str, str | None]:
        """How it is made of the rows, its type and its unit."""
        name, c = f"s_{f.name}", f.column
        if fn == "count":
            return lambda rows: sa.func.count(rows.c[name]), "bigint", None
        if fn == "count_distinct":
            return lambda rows: sa.func.count(sa.distinct(rows.c[name])), "bigint", None
        if fn in ("min", "max"):
            made = sa.func.min if fn == "min" else sa.func.max
            return lambda rows: made(rows.c[name]), c.data_type, c.unit
        if fn == "avg":
            return lambda rows: sa.cast(sa.func.avg(rows.c[name]), sa.Double), "double precision", c.unit
        if f.kind is Kind.INTEGER:
            return lambda rows: sa.cast(sa.func.sum(rows.c[name]), sa.BigInteger), "bigint", c.unit
        data_type = f"numeric(38,{c.precision[1]})" if f.kind is Kind.DECIMAL else "double precision"
        return lambda rows: sa.func.sum(rows.c[name]), data_type, c.unit

    def _ratio_of_sums(self, where: str, a: Aggregate) -> None:
        unit: str | None = None
        if a.of is None and a.to is None:
            if a.column is None:
                self.faults.add(where, "ratio_of_sums needs a ratio column, or of and to")
                return
            f = self._field(f"{where}.column", a.column)
            if f is None:
                return
            if f.ratio is None:
                what = f"the dataset does not say what {f.name} is made of: name the quantities with of and to"
                self.faults.add(f"{where}.column", what)
                return
            ratio, unit, name = f.ratio, f.column.unit, f.name
        elif a.of is None or a.to is None or a.column is not None:
            self.faults.add(where, "ratio_of_sums takes a ratio column, or of and to together")
            return
        else:
            good = True
            for side in ("of", "to"):
                for n, column in enumerate(getattr(a, side)):
                    found = self._field(f"{where}.{side}.{n}", column)
                    if found and "sum" not in found.aggregates:
                        self.faults.add(f"{where}.{side}.{n}", f"{column} cannot be summed")
                    good = good and found is not None and "sum" in found.aggregates
            if not good:
                return
            ratio, name = Ratio(tuple(a.of), tuple(a.to), a.times), f"{a.of[0]}_of_{a.to[0]}"
            unit = "%" if a.times == 100 else None
        said = f"{ratio.times:g} x sum({' + '.join(ratio.of)}) / sum({' + '.join(ratio.to)}), of rows in which all are known"
        output = Output(a.name or f"{name}_of_sums", "double precision", said, stated_unit=unit, source=a.column)
        self.figures.append((lambda rows: _quotient(rows, ratio), output))

    # --- filters ---

    def _conditions(self) -> list[Any]:
        made = (
            [self.dataset.table.c.discom_id == sa.bindparam("discom_id", self.discom_id, sa.SmallInteger)]
            if self.dataset.has_discom
            else []
        )
        low: list[date] = []
        high: list[date] = []
        for n, asked in enumerate(self.query.filters):
            if self.days and asked.column == self.dataset.time and asked.op not in ("is null", "is not null"):
                continue
            condition, bounds = self._condition(f"filters.{n}", asked)
            if condition is not None:
                made.append(condition)
            if asked.column == self.dataset.time and bounds:
                low += [bounds[0]] if bounds[0] else []
                high += [bounds[1]] if bounds[1] else []
        if self.dataset.time:
            if self.days:
                column = self.dataset.table.c[self.dataset.time]
                made.append(column.between(_bind("first", self.days.first, Kind.DATE), _bind("last", self.days.last, Kind.DATE)))
                low, high = [self.days.first], [self.days.last]
            self._days(low, high)
        return made

    def _days(self, low: list[date], high: list[date]) -> None:
        time, most = self.dataset.time, self.dataset.max_days
        if any(where.startswith("filters") for where, _ in self.faults.found):
            return
        if not low or not high:
            what = f'say which days of {time} you want: {{"column": "{time}", "op": "between", "value": ["2026-10-01", "2026-10-31"]}}'
            self.faults.add("filters", f'{what}, or {{"column": "{time}", "op": "period", "value": "last_month"}}; at most {most} days')
            return
        self.first, self.last = max(low), min(high)
        if self.last < self.first:
            self.faults.add("filters", f"no day of {time} is in all of them: from {self.first} to {self.last}")
        elif (self.last - self.first).days >= most:
            number = (self.last - self.first).days + 1
            self.faults.add("filters", f"{number} days of {time} are asked for, and {self.dataset.name} gives at most {most} at once")

    def _condition(self, where: str, asked: Filter) -> tuple[Any, tuple[date | None, date | None] | None]:
        """The condition, and of days the first and the last that it lets through."""
        f = self._field(f"{where}.column", asked.column)
        if f is None:
            return None, None
        if asked.op not in operators(f):
            has = ", ".join(operators(f))
            self.faults.add(f"{where}.op", f"{f.name} ({f.kind.value}) has no operator {asked.op!r}: choose of {has}")
            return None, None
        column: Any = self.dataset.table.c[f.name]
        if asked.op in ("is null", "is not null"):
            if asked.value is not None:
                self.faults.add(f"{where}.value", f"{asked.op!r} takes no value")
                return None, None
            return (column.is_(None) if asked.op == "is null" else column.is_not(None)), None
        if asked.op == "period":
            return self._named_period(where, asked, column)
        values = self._values(where, asked, f)
        if values is None:
            return None, None
        name = where.replace(".", "_")
        bound = [_bind(f"{name}_{i}", v, f.kind) for i, v in enumerate(values)] if asked.op not in ("in", "not in") else []
        extent = (min(values), max(values)) if f.kind is Kind.DATE else None
        match asked.op:
            case "in" | "not in":
                many = sa.bindparam(name, values, postgresql.ARRAY(_TYPES[f.kind]()), unique=False)
                return (column == sa.any_(many), extent) if asked.op == "in" else (column != sa.all_(many), None)
            case "between":
                return column.between(*bound), extent
            case "starts with":
                return sa.func.starts_with(column, bound[0]), None
            case "=":
                return column == bound[0], extent
            case "!=":
                return column != bound[0], None
            case "<":
                return column < bound[0], (None, extent[0] - timedelta(days=1) if extent[0] > date.min else extent[0]) if extent else None
            case "<=":
                return column <= bound[0], (None, extent[0]) if extent else None
            case ">":
                return column > bound[0], (extent[0] + timedelta(days=1) if extent[0] < date.max else extent[0], None) if extent else None
            case _:
                return column >= bound[0], (extent[0], None) if extent else None

    def _named_period(self, where: str, asked: Filter, column: Any) -> tuple[Any, tuple[date, date] | None]:
        if asked.value not in PERIOD_NAMES:
            self.faults.add(f"{where}.value", f"there is no such period: choose of {', '.join(PERIOD_NAMES)}")
            return None, None
        first, last = periods.NAMED[str(asked.value)](self.now.astimezone(self.zone).date())
        name = where.replace(".", "_")
        return column.between(_bind(f"{name}_0", first, Kind.DATE), _bind(f"{name}_1", last, Kind.DATE)), (first, last)

    def _values(self, where: str, asked: Filter, f: Field) -> list[Any] | None:
        """The values as the column's type has them; None where one is none."""
        given: list[Any]
        if asked.op in ("in", "not in", "between"):
            if not isinstance(asked.value, list) or (asked.op == "between" and len(asked.value) != 2):
                expected = "two values, the lower first" if asked.op == "between" else "a list of values"
                self.faults.add(f"{where}.value", f"{asked.op!r} takes {expected}")
                return None
            given = asked.value
        elif asked.value is None or isinstance(asked.value, list):
            self.faults.add(f"{where}.value", f"{asked.op!r} takes one value: {EXAMPLES[f.kind]}")
            return None
        else:
            given = [asked.value]
        read = []
        for n, value in enumerate(given):
            try:
                read.append(_read(value, f.kind))
            except (ValueError, InvalidOperation, OverflowError):
                at = f"{where}.value.{n}" if isinstance(asked.value, list) else f"{where}.value"
                self.faults.add(at, f"{f.name} is compared with {EXAMPLES[f.kind]}")
                return None
        if asked.op == "between" and read[1] < read[0]:
            self.faults.add(f"{where}.value", "'between' takes the lower value first")
            return None
        return read

    # --- sense ---

    def _no_mixture(self) -> None:
        """Rows that count the same things must not be added up."""
        if not self.query.aggregates:
            return
        grouped = {c for c in self.query.columns if isinstance(c, str)}
        fixed = {f.column for f in self.query.filters if f.op == "=" or (f.op == "in" and isinstance(f.value, list) and len(f.value) == 1)}
        for name in self.dataset.overlap:
            if name not in grouped | fixed:
                what = f"rows of different {name} count the same things: filter {name} to one value, or make it one of the columns"
                self.faults.add("filters", what)

    def _names(self, outputs: Iterable[Output]) -> None:
        seen: set[str] = set()
        for n, o in enumerate(outputs):
            if o.name in seen:
                columns = len(self.query.columns)
                where = f"columns.{n}" if n < columns else f"aggregates.{n - columns}"
                self.faults.add(f"{where}.name", f"the answer has two columns {o.name}: give one another name")
            seen.add(o.name)

    def _order(self, outputs: Sequence[Output]) -> list[Any]:
        names = {o.name: n for n, o in enumerate(outputs, 1)}
        order = []
        for n, s in enumerate(self.query.sort):
            if s.by not in names:
                self.faults.add(f"sort.{n}.by", f"the answer has no column {s.by}: it has {', '.join(names)}")
                continue
            column: Any = sa.column(f"c{names[s.by]}")
            order.append(column.desc().nulls_last() if s.descending else column.asc().nulls_last())
        return order

    def _chart(self, outputs: Sequence[Output]) -> None:
        chart = self.query.chart
        if chart is None:
            return
        known = {o.name: o for o in outputs}
        wanted = [("x", chart.x), *((f"y.{n}", y) for n, y in enumerate(chart.y))]
        for where, name in [*wanted, *([("series", chart.series)] if chart.series else [])]:
            if name not in known:
                self.faults.add(f"chart.{where}", f"the answer has no column {name}: it has {', '.join(known)}")
            elif where.startswith("y") and known[name].kind not in NUMBERS:
                self.faults.add(f"chart.{where}", f"{name} is no number ({known[name].kind.value}): it cannot be drawn")


def _quotient(rows: Any, ratio: Ratio) -> Any:
    known = sa.and_(*(rows.c[f"s_{c}"].is_not(None) for c in dict.fromkeys((*ratio.of, *ratio.to))))

    def total(columns: tuple[str, ...]) -> Any:
        parts = [rows.c[f"s_{c}"] for c in columns]
        return sa.func.sum(sum(parts[1:], parts[0])).filter(known)

    # Reckoned in numeric where the quantities are whole or decimal, as the columns themselves are.
    part = sa.bindparam(None, Decimal(str(ratio.times)), sa.Numeric).op("*")(total(ratio.of))
    return sa.cast(part.op("/")(sa.func.nullif(total(ratio.to), sa.bindparam(None, 0, sa.Integer))), sa.Double)


def _bind(name: str, value: Any, kind: Kind) -> Any:
    return sa.bindparam(name, value, _TYPES[kind]())


def _read(value: Any, kind: Kind) -> Any:
    """A value of JSON as a column's type has it. Raises ValueError, InvalidOperation."""
    if kind is Kind.TEXT:
        if not isinstance(value, str):
            raise ValueError
        return value
    if kind is Kind.BOOLEAN:
        if not isinstance(value, bool):
            raise ValueError
        return value
    if isinstance(value, bool):
        raise ValueError
    if kind in NUMBERS:
        number = Decimal(str(value))
        if not number.is_finite() or abs(number) >= Decimal(10) ** 30 or (number and number.adjusted() < -30):
            raise ValueError
        if kind is Kind.REAL:
            real = float(number)
            if not math.isfinite(real):
                raise ValueError
            return real
        if kind is Kind.INTEGER:
            if number != number.to_integral_value() or not -(2**63) <= number < 2**63:
                raise ValueError
            return int(number)
        return number
    if not isinstance(value, str):
        raise ValueError
    if kind is Kind.DATE:
        return date.fromisoformat(value)
    stamp = datetime.fromisoformat(value)
    if stamp.tzinfo is None:
        raise ValueError
    return stamp
