"""Imports master data (docs/hes-formats.md, section 1) from a folder of CSV files into `registry`. Knows no head-end system's readings.

A file is a table: its columns follow from warehouse.tables, with codes in the place of ids. A folder is imported whole or not at all.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql

from warehouse.tables import metadata

FILES = (
    "discom",
    "office",
    "substation",
    "feeder",
    "dt",
    "service_point",
    "consumer",
    "hes",
    "meter",
    "meter_endpoint",
    "installation",
    "consumer_index",
    "check_meter",
    "holiday",
    "revenue_month",
    "assessed_supply",
    "feeder_transfer",
    "energy_purchase",
    "open_access",
    "planned_outage",
    "load_forecast",
    "rdss_target",
    "bill",
    "collection",
)
"""In the order in which they refer to each other."""

NOT_BUILT_IN = frozenset(("energy_purchase", "load_forecast", "rdss_target", "bill", "collection"))
"""Files that no table of a day is built from: what they bring makes no day stale."""

OPTIONAL_COLUMNS = frozenset(
    (
        *(f"hes.{c}" for c in ("base_url", "pull_every_min", "max_concurrent", "commands_per_min", "silent_after_min")),
        *(f"feeder.{c}" for c in ("town", "supply", "line_ohm", "feeds_substation_code")),
        *(f"dt.{c}" for c in ("no_load_loss_w", "load_loss_w", "lt_line_ohm", "latitude", "longitude", "commissioned_on")),
        *(f"service_point.{c}" for c in ("tariff", "phase", "latitude", "longitude")),
        *(f"meter.{c}" for c in ("register_digits", "medium", "payment", "state", "lot", "manufactured_on", "commissioned_on")),
        *(f"meter.{c}" for c in ("warranty_until", "target_firmware")),
        *(f"bill.{c}" for c in ("number", "issued_on")),
    )
)
"""Columns that a file may lack: those of head-end systems that only bring files or are never commanded, and what few utilities know."""

REQUIRED = ("discom", "office", "hes", "meter", "installation")
SHOWN = 20
"""Faults of one kind in one column that are listed; the rest is counted."""


@dataclass(frozen=True)
class Fault:
    file: str
    line: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        where = ", ".join([self.file, *([f"line {self.line}"] if self.line else []), *([f"column {self.column}"] if self.column else [])])
        return f"{where}: {self.message}"


class RegistryImportError(ValueError):
    """The folder has faults and nothing was imported. `faults` says of each what, where and how to mend it."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(["nothing was imported:", *map(str, faults)]))


def import_registry(conn: psycopg.Connection, folder: Path) -> dict[str, int]:
    """Bring `registry` to what the CSV files of `folder` say, in one transaction; needs the role meterhouse_owner.

    Rows are found by code (periods: by what they are of and `valid_from`) and inserted or updated; rows that the files no longer hold stay.
    Returns how many rows of each file changed something: all 0 the second time. Raises RegistryImportError with all faults.
    """
    faults: list[Fault] = []
    files: dict[str, pd.DataFrame] = {}
    unreadable: set[str] = set()
    for name in FILES:
        path = Path(folder) / f"{name}.csv"
        if path.is_file():
            if (frame := _read(path, _File(name), faults)) is None:
                unreadable.add(name)
            else:
                files[name] = frame
        elif name in REQUIRED:
            faults.append(Fault(path.name, None, None, f"is not in {folder}: export it, with the columns {', '.join(_File(name).columns)}"))
    if len(files.get("discom", ())) != 1 and "discom" in files:
        faults.append(Fault("discom.csv", None, None, f"has {len(files['discom'])} rows: it must have one, the DISCOM of the folder"))
    with conn.transaction():
        discom_id = _discom_id(conn, files.get("discom"))
        for name, frame in files.items():
            faults += _unknown_codes(conn, discom_id, name, frame, files, unreadable)
        if faults:
            raise RegistryImportError(faults)
        changed = {}
        for name, frame in files.items():
            changed[name], discom_id = _write(conn, discom_id, _File(name, frame.columns), frame, faults)
        if faults:
            raise RegistryImportError(faults)
        if any(n for name, n in changed.items() if name not in NOT_BUILT_IN):
            conn.execute(
                """insert into ops.registry_change (discom_id) values (%s)
                   on conflict (discom_id) do update set written_by = excluded.written_by""",
                [discom_id],
            )
    return changed


class _File:
    """A file as its table defines it: CSV column -> table column, and which columns find a row."""

    def __init__(self, name: str, there: Collection[str] | None = None) -> None:
        """`there`: the columns that a file has, where it lacks optional ones: those stay as the table has them."""
        self.name = name
        self.table = next(metadata.tables[t] for t in (f"registry.{name}", f"billing.{name}") if t in metadata.tables)
        own = [c for c in self.table.columns if c.identity is None and c.name != "discom_id"]
        self.columns: dict[str, sa.Column] = {_csv_name(c): c for c in own if there is None or _csv_name(c) in there}
        self.references = {k: _referred(c) for k, c in self.columns.items() if c.name.endswith("_id")}
        uniques = [u for u in self.table.constraints if isinstance(u, sa.UniqueConstraint)]
        keyed = uniques[0].columns if uniques else self.table.primary_key.columns
        self.key = [k for k, c in self.columns.items() if c.name in keyed]
        self.periods = "valid_from" in self.key


def _csv_name(column: sa.Column) -> str:
    if not column.name.endswith("_id"):
        return column.name
    return column.name.removesuffix("_id") + ("_serial" if _referred(column) == "meter" else "_code")


def _referred(column: sa.Column) -> str:
    """The table that a column's foreign key names."""
    return next(f.column.table.name for f in column.foreign_keys if f.column.name != "discom_id")


def _code_of(name: str) -> str:
    return "serial" if name == "meter" else "code"


# --- reading and checking one file ---------------------------------------------------------------------------------------


def _read(path: Path, file: _File, faults: list[Fault]) -> pd.DataFrame | None:
    """Typed columns, indexed by line of the file. None where the file cannot be taken as a table at all."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("the file has NUL characters")
        frame = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False, na_values=[""], skip_blank_lines=False, index_col=False)
    except UnicodeDecodeError as e:
        line = e.object[: e.start].count(b"\n") + 1
        faults.append(Fault(path.name, line, None, "is not UTF-8: save the file as CSV UTF-8"))
        return None
    except ValueError as e:  # pandas' ParserError and EmptyDataError are of this kind
        faults.append(Fault(path.name, None, None, f"cannot be read as CSV with a header row and commas: {str(e).strip()}"))
        return None
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    frame = frame.dropna(how="all")
    frame.columns = frame.columns.str.strip()
    missing = [c for c in file.columns if c not in frame.columns and f"{file.name}.{c}" not in OPTIONAL_COLUMNS]
    unknown = [c for c in frame.columns if c not in file.columns]
    for c in missing:
        faults.append(Fault(path.name, 1, c, f"the column is missing: the file needs {', '.join(file.columns)}"))
    for c in unknown:
        faults.append(Fault(path.name, 1, c, f"unknown column: remove it, or correct its name (known: {', '.join(file.columns)})"))
    if missing or unknown:
        return None
    found = len(faults)
    present = _File(file.name, frame.columns)
    typed = pd.DataFrame({c: _typed(path.name, c, frame[c].str.strip(), column, faults) for c, column in present.columns.items()})
    for check in (*_of_constraints(present), *(k for k in CHECKS.get(file.name, []) if k.column in typed)):
        faults += _list(path.name, typed, check.column, check.bad(typed), check.message, shown=check.shown)
    if len(faults) == found:
        again = typed.duplicated(file.key, keep="first")
        faults += _list(
            path.name, typed, file.key[0], again, f"stands in the file twice (same {', '.join(file.key)}): remove one of the rows"
        )
    if file.periods and len(faults) == found:
        faults += _overlaps(path.name, typed, file.key[0])
    return typed


def _typed(file: str, name: str, text: pd.Series, column: sa.Column, faults: list[Fault]) -> pd.Series:
    """The column as text that PostgreSQL reads as the column's type; what it cannot be is a fault."""
    text = text.mask(text == "")
    default = column.server_default
    if isinstance(default, sa.DefaultClause):
        text = text.fillna(str(default.arg))
    frame = pd.DataFrame({name: text})
    if not column.nullable:
        faults += _list(file, frame, name, text.isna(), "is empty: give it a value", shown=False)
    if column.name.endswith("_id"):
        return text
    there = text.notna()
    if isinstance(column.type, sa.Date):
        dates = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
        bad = there & (dates.isna() | ~text.str.fullmatch(r"\d{4}-\d\d-\d\d").fillna(False).astype(bool))
        faults += _list(file, frame, name, bad, "is not a date: write it as YYYY-MM-DD")
        return text.mask(bad)
    if isinstance(column.type, sa.Integer):
        limit = 2**15 if isinstance(column.type, sa.SmallInteger) else 2**53 if isinstance(column.type, sa.BigInteger) else 2**31
        number = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?\d+").fillna(False).astype(bool)), errors="coerce")
        bad = there & ~(number.abs() < limit)
        faults += _list(file, frame, name, bad, f"is not a whole number below {limit}: write digits only")
        return text.mask(bad)
    if isinstance(column.type, sa.TIMESTAMP):
        stamps = _instant(text)
        zoned = text.str.fullmatch(r".*(Z|[+-]\d\d:?\d\d)").fillna(False).astype(bool)
        bad = there & (stamps.isna() | ~zoned)
        faults += _list(file, frame, name, bad, "is no instant: write it with its zone, as 2026-10-01T00:30:00+05:30")
        return text.mask(bad)
    if isinstance(column.type, sa.Boolean):
        bad = there & ~text.str.lower().isin(("true", "false"))
        faults += _list(file, frame, name, bad, "is neither true nor false")
        return text.mask(bad)
    if isinstance(column.type, sa.Numeric):
        scale = column.type.scale or 0
        whole = (column.type.precision or 18) - scale
        bad = there & ~text.str.fullmatch(rf"[+-]?0*\d{{1,{whole}}}(\.\d{{0,{scale}}}0*)?").fillna(False).astype(bool)
        faults += _list(
            file,
            frame,
            name,
            bad,
            f"is not a number of at most {whole} digits and {scale} decimals: write it with a decimal point, without units",
        )
        return text.mask(bad)
    return text


def _list(file: str, frame: pd.DataFrame, column: str, bad: pd.Series, message: str, *, shown: bool = True) -> Iterator[Fault]:
    lines = frame.index[bad.to_numpy(bool)]
    for line in lines[:SHOWN]:
        value = f"{frame.at[line, column]!r} " if shown else ""
        yield Fault(file, int(line), column, value + message)
    if len(lines) > SHOWN:
        yield Fault(file, None, column, f"{len(lines) - SHOWN} more rows with the same fault")


def _overlaps(file: str, frame: pd.DataFrame, of: str) -> Iterator[Fault]:
    """Periods of the same thing that overlap; dates are ISO text, which sorts as time does."""
    rows = frame.sort_values([of, "valid_from"], kind="stable")
    before = rows.shift()
    line_before = pd.Series(rows.index, rows.index).shift()
    bad = (rows[of] == before[of]) & (before["valid_to"].fillna("9999-12-31") > rows["valid_from"])
    for line in rows.index[bad][:SHOWN]:
        message = (
            f"{rows.at[line, of]!r} has a period from {rows.at[line, 'valid_from']!s} that overlaps that of line {int(line_before[line])}: "
            "end the earlier one with valid_to (that day itself no longer belongs to it)"
        )
        yield Fault(file, int(line), "valid_from", message)
    if bad.sum() > SHOWN:
        yield Fault(file, None, "valid_from", f"{bad.sum() - SHOWN} more rows with the same fault")


@dataclass(frozen=True)
class _Check:
    """What the type of a column cannot say. `bad` must take empty cells as good."""

    column: str
    bad: Callable[[pd.DataFrame], pd.Series]
    message: str
    shown: bool = True


def _number(text: pd.Series) -> pd.Series:
    return pd.to_numeric(text, errors="coerce")


def _instant(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)


def _of_constraints(file: _File) -> Iterator[_Check]:
    """What the table's own constraints say of its columns (warehouse.tables)."""
    for constraint in file.table.constraints:
        if (column := constraint.info.get("column")) in file.columns:
            allowed = constraint.info["one_of"]
            yield _Check(column, lambda f, c=column, a=allowed: f[c].notna() & ~f[c].isin(a), f"is not one of {', '.join(allowed)}")  # type: ignore[misc]


def _exactly_one(*columns: str) -> _Check:
    return _Check(columns[0], lambda f: f[list(columns)].notna().sum(axis=1) != 1, f"fill exactly one of {', '.join(columns)}", shown=False)


def _is_no_zone(name: object) -> bool:
    try:
        ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        return True
    return False


_PERIOD = _Check("valid_to", lambda f: f["valid_to"] <= f["valid_from"].fillna(""), "is not after valid_from: a period has at least a day")

_MONTH = _Check(
    "month",
    lambda f: f["month"].notna() & ~f["month"].str.endswith("-01").fillna(True).astype(bool),
    "must be the first of a month",
)
_POSITION = [
    _Check(c, lambda f, c=c, most=most: _number(f[c]).abs() > most, f"is not within ±{most} degrees")  # type: ignore[misc]
    for c, most in (("latitude", 90), ("longitude", 180))
]


def _not_negative(column: str) -> _Check:
    return _Check(column, lambda f: _number(f[column]) < 0, "must not be below 0")


CHECKS: dict[str, list[_Check]] = {
    "discom": [_Check("timezone", lambda f: f["timezone"].map(_is_no_zone), "is no time zone of the IANA list, such as Asia/Kolkata")],
    "consumer": [_PERIOD],
    "meter": [
        _Check(
            "interval_min",
            lambda f: f["interval_min"].notna() & ~_number(f["interval_min"]).map(lambda m: m > 0 and 1440 % m == 0).astype(bool),
            "does not divide the day: 15, 30 and 60 are usual",
        ),
        _Check(
            "register_digits",
            lambda f: f["register_digits"].notna() & ~_number(f["register_digits"]).between(4, 12),
            "is not from 4 to 12: give the digits of the kWh register before the decimal point, or leave it empty",
        ),
    ],
    "hes": [
        _Check(c, lambda f, c=c: _number(f[c]) <= 0, "must be above 0")  # type: ignore[misc]
        for c in ("pull_every_min", "max_concurrent", "commands_per_min", "silent_after_min")
    ],
    "meter_endpoint": [
        _Check("port", lambda f: f["port"].notna() & ~_number(f["port"]).between(1, 65535), "is no port: 1 to 65535"),
        _Check(
            "system_title",
            lambda f: f["system_title"].notna() & ~f["system_title"].str.fullmatch(r"[0-9A-F]{16}").fillna(True).astype(bool),
            "is not 8 octets in capital hex, such as 4D4D4D0000000001",
        ),
    ],
    "installation": [
        _PERIOD,
        _exactly_one("service_point_code", "dt_code", "feeder_code"),
        _Check("mf", lambda f: _number(f["mf"]) <= 0, "must be above 0: 1 where the meter counts directly"),
    ],
    "consumer_index": [
        _PERIOD,
        _exactly_one("dt_code", "feeder_code"),
    ],
    "check_meter": [
        _PERIOD,
        _Check("ratio", lambda f: _number(f["ratio"]) <= 0, "must be above 0: 1 where both meters count the same energy"),
        _Check(
            "check_meter_serial", lambda f: f["check_meter_serial"] == f["meter_serial"], "is the meter itself: name the one that checks it"
        ),
    ],
    "dt": [_not_negative("no_load_loss_w"), _not_negative("load_loss_w"), _not_negative("lt_line_ohm"), *_POSITION],
    "service_point": _POSITION,
    "revenue_month": [_MONTH],
    "assessed_supply": [
        _MONTH,
        _not_negative("energy_wh"),
        _not_negative("consumers"),
    ],
    "feeder_transfer": [
        _not_negative("energy_wh"),
        _Check("to_feeder_code", lambda f: f["to_feeder_code"] == f["from_feeder_code"], "is the feeder itself"),
    ],
    "energy_purchase": [
        _MONTH,
        _not_negative("energy_wh"),
    ],
    "open_access": [_MONTH, _not_negative("energy_wh")],
    "planned_outage": [
        _Check(
            "ends_at",
            lambda f: _instant(f["ends_at"]) <= _instant(f["starts_at"]),
            "is not after starts_at",
        ),
    ],
    "rdss_target": [_not_negative("sanctioned")],
    "bill": [_MONTH],
}


# --- against the database ------------------------------------------------------------------------------------------------


def _discom_id(conn: psycopg.Connection, frame: pd.DataFrame | None) -> int | None:
    if frame is None or len(frame) != 1:
        return None
    found = conn.execute("select discom_id from registry.discom where code = %s", [frame["code"].iloc[0]]).fetchone()
    return int(found[0]) if found else None


def _unknown_codes(
    conn: psycopg.Connection,
    discom_id: int | None,
    name: str,
    frame: pd.DataFrame,
    files: dict[str, pd.DataFrame],
    unreadable: set[str],
) -> Iterator[Fault]:
    """Codes that stand neither in the folder nor in the registry; those of a file that could not be read are not known to be wrong."""
    for column, referred in _File(name, frame.columns).references.items():
        if referred in unreadable:
            continue
        code = _code_of(referred)
        known = set(files[referred][code].dropna()) if referred in files else set()
        unknown = frame[column].notna() & ~frame[column].isin(known)
        if unknown.any():
            query = sql.SQL("select {} from registry.{} where discom_id = %s and {} = any(%s)").format(
                sql.Identifier(code), sql.Identifier(referred), sql.Identifier(code)
            )
            there = {r[0] for r in conn.execute(query, [discom_id, frame.loc[unknown, column].unique().tolist()]).fetchall()}
            unknown &= ~frame[column].isin(there)
        where = f"{referred}.csv" + ("" if referred in files else " (not in the folder)")
        yield from _list(f"{name}.csv", frame, column, unknown, f"is unknown: add it to {where}, or correct the code")


def _write(
    conn: psycopg.Connection, discom_id: int | None, file: _File, frame: pd.DataFrame, faults: list[Fault]
) -> tuple[int, int | None]:
    """Rows that changed, and the tenant's id, which the first file makes. Periods that clash with rows of the table become faults."""
    staged = sql.Identifier(f"import_{file.name}")
    _stage(conn, staged, file, frame)
    if file.name == "discom":
        row = conn.execute(
            sql.SQL(
                """insert into registry.discom as d (code, name, timezone) select code, name, timezone from {}
                   on conflict (code) do update set name = excluded.name, timezone = excluded.timezone
                   where (d.name, d.timezone) is distinct from (excluded.name, excluded.timezone)"""
            ).format(staged)
        )
        return row.rowcount, _discom_id(conn, frame)

    source = _resolved(file, staged)
    names = {k: sql.Identifier(c.name) for k, c in file.columns.items()}
    same_row = sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(names[k]) for k in file.key)
    same_row = sql.SQL("t.discom_id = %(discom)s and {}").format(same_row)
    other = [names[k] for k in file.columns if k not in file.key]
    parts = {
        "table": sql.Identifier(str(file.table.schema), file.name),
        "source": source,
        "same_row": same_row,
        "all": sql.SQL(", ").join(names.values()),
        "all_s": sql.SQL(", ").join(sql.SQL("s.{}").format(n) for n in names.values()),
        "set": sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(n) for n in other),
        "old": sql.SQL(", ").join(sql.SQL("t.{}").format(n) for n in other),
        "new": sql.SQL(", ").join(sql.SQL("s.{}").format(n) for n in other),
    }
    update = sql.SQL("update {table} t set {set} from ({source}) s where {same_row} and row({old}) is distinct from row({new})").format(
        **parts
    )
    insert = sql.SQL(
        """insert into {table} (discom_id, {all}) select %(discom)s, {all_s} from ({source}) s
           where not exists (select 1 from {table} t where {same_row})"""
    ).format(**parts)
    who = {"discom": discom_id}
    if file.periods and (clashes := list(_clashes(conn, file, parts, who))):
        faults += clashes
        return 0, discom_id
    # Updates first: an old period ends before the next one begins. New offices get their parents once all of them are there.
    changed = conn.execute(update, who).rowcount
    changed += conn.execute(insert, who).rowcount
    if file.name == "office":
        conn.execute(update, who)
    return changed, discom_id


def _stage(conn: psycopg.Connection, staged: sql.Identifier, file: _File, frame: pd.DataFrame) -> None:
    types = [sql.SQL("{} {}").format(sql.Identifier(k), sql.SQL(_type(file, k))) for k in file.columns]
    conn.execute(sql.SQL("create temp table {} (line integer, {}) on commit drop").format(staged, sql.SQL(", ").join(types)))
    columns = [frame.index.to_series().astype("str"), *(frame[k] for k in file.columns)]
    text = pd.concat(columns, axis=1).to_csv(header=False, index=False, na_rep="")
    with conn.cursor() as cur, cur.copy(sql.SQL("copy {} from stdin (format csv)").format(staged)) as copy:
        for at in range(0, len(text), 1 << 20):
            copy.write(text[at : at + (1 << 20)])
    conn.execute(sql.SQL("analyze {}").format(staged))


def _type(file: _File, column: str) -> str:
    return "text" if column in file.references else file.columns[column].type.compile(postgresql.dialect())


def _resolved(file: _File, staged: sql.Identifier) -> sql.Composed:
    """The staged rows with ids in the place of codes."""
    columns, joins = [], []
    for k, c in file.columns.items():
        if k not in file.references:
            columns.append(sql.SQL("i.{}").format(sql.Identifier(k)))
            continue
        referred, alias = file.references[k], sql.Identifier(f"r_{k}")
        columns.append(sql.SQL("{}.{} as {}").format(alias, sql.Identifier(f"{referred}_id"), sql.Identifier(c.name)))
        joins.append(
            sql.SQL("left join registry.{} {} on {}.discom_id = %(discom)s and {}.{} = i.{}").format(
                sql.Identifier(referred), alias, alias, alias, sql.Identifier(_code_of(referred)), sql.Identifier(k)
            )
        )
    return sql.SQL("select i.line, {} from {} i {}").format(sql.SQL(", ").join(columns), staged, sql.SQL(" ").join(joins))


def _clashes(conn: psycopg.Connection, file: _File, parts: dict[str, sql.Composable], who: dict[str, int | None]) -> Iterator[Fault]:
    """Periods of the file against those in the table that the file does not replace."""
    of = file.key[0]
    query = sql.SQL(
        """with s as ({source})
           select s.line, t.valid_from, t.valid_to from s
           join {table} t on t.discom_id = %(discom)s and t.{of} = s.{of} and t.valid_from <> s.valid_from
                         and daterange(t.valid_from, t.valid_to) && daterange(s.valid_from, s.valid_to)
           where not exists (select 1 from s again where again.{of} = t.{of} and again.valid_from = t.valid_from)
           order by s.line limit {limit}"""
    ).format(**parts, of=sql.Identifier(file.columns[of].name), limit=sql.Literal(SHOWN))
    for line, start, end in conn.execute(query, who).fetchall():
        message = (
            f"the period overlaps one that is in the warehouse, from {start} to {end or 'today and on'}, and that the file does not hold: "
            f"add that row to the file, with the valid_to that it really had"
        )
        yield Fault(f"{file.name}.csv", line, "valid_from", message)
