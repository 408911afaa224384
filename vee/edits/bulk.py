"""Files of many edits, CSV or XLSX: read with every fault by row and column, and turned into changes that are made together or not at all.

Columns, in any order: `meter`; `day` (2026-10-05); `from` and `to`; `channel` (import_wh where empty); `operation` (set where empty);
`value`. `from` and `to` are slots from 0, both included, or local times or stamps (13:30, 2026-10-05 13:30) of which `to` is the end; a
stamp stands for the day too. Without `to`, set is of one slot and any other operation goes to the end of the day. `value` is whole Wh (VAh)
of set and scale_to, the factor of scale, the day of copy, the number of the edit of revert, and empty of zero and interpolate.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from vee.edits import repository
from vee.edits.errors import EditError, Fault
from vee.edits.operations import LARGEST
from vee.edits.service import Change, Operation, OperationKind, set_values

COLUMNS = ("meter", "day", "from", "to", "channel", "operation", "value")
NEEDED = ("meter", "value")

MAX_BYTES = 10 << 20
MAX_UNPACKED = 100 << 20
MAX_ROWS = 200_000
MAX_PARTS = 1000

Cells = dict[str, str]


class _CellError(ValueError):
    def __init__(self, column: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.column, self.code = column, code


@dataclass(frozen=True)
class _Line:
    row: int
    meter: str
    day: date
    channel: str
    operation: Operation


def read_changes(conn: psycopg.Connection, discom_id: int, content: bytes, name: str) -> tuple[list[Change], list[Fault]]:
    """The changes of a file and every fault of it; with a fault nothing may be made. `name` says by its ending what the file is.

    Raises EditError where it cannot be read at all.
    """
    rows = list(read_rows(content, name))
    if not rows:
        raise EditError("EMPTY", f"{name}: has no rows below its header")
    meters = repository.known_meters(conn, discom_id, {cells.get("meter", "") for _, cells in rows})
    return changes_of(rows, meters, ZoneInfo(repository.timezone(conn, discom_id)))


def read_rows(content: bytes, name: str) -> Iterator[tuple[int, Cells]]:
    """Number of each row, as a spreadsheet shows it, and its cells by column. Raises EditError."""
    if len(content) > MAX_BYTES:
        raise EditError("TOO_LARGE", f"{name}: is larger than {MAX_BYTES >> 20} MiB: cut it up")
    kind = name.rsplit(".", 1)[-1].lower()
    if kind not in ("csv", "xlsx"):
        raise EditError("UNKNOWN_FORMAT", f"{name}: is neither .csv nor .xlsx")
    table = _csv(content, name) if kind == "csv" else _xlsx(content, name)
    number, header = next(table, (1, []))
    columns = [h.strip().lower() for h in header]
    while columns and not columns[-1]:
        columns.pop()
    unknown = [c for c in columns if c not in COLUMNS]
    missing = [c for c in NEEDED if c not in columns]
    if unknown or missing or len(set(columns)) < len(columns):
        said = f"unknown columns {', '.join(map(repr, unknown))}. " if unknown else ""
        said += f"no column {', '.join(missing)}. " if missing else ""
        raise EditError("WRONG_HEADER", f"{name}: row {number}: {said}Columns are, each once: {', '.join(COLUMNS)}")
    for number, values in table:
        if not any(v.strip() for v in values):
            continue
        if len(values) > len(columns) and any(v.strip() for v in values[len(columns) :]):
            raise EditError("WRONG_HEADER", f"{name}: row {number} has more cells than the header")
        if number > MAX_ROWS + 1:
            raise EditError("TOO_LARGE", f"{name}: has more than {MAX_ROWS} rows: cut it up")
        yield number, dict(zip(columns, (v.strip() for v in values), strict=False))


def changes_of(rows: Sequence[tuple[int, Cells]], meters: Mapping[str, int], zone: ZoneInfo) -> tuple[list[Change], list[Fault]]:
    """One change a meter, day and channel, and every fault. `meters`: interval in minutes by serial."""
    faults: list[Fault] = []
    lines: dict[tuple[str, date, str], list[_Line]] = {}
    for number, cells in rows:
        try:
            line = _line(number, cells, meters, zone)
        except _CellError as e:
            faults.append(Fault(f"row {number}, column {e.column}", e.code, str(e)))
            continue
        lines.setdefault((line.meter, line.day, line.channel), []).append(line)
    changes = []
    for (meter, day, channel), of_day in lines.items():
        slots = _minutes(day, zone) // meters[meter]
        taken: dict[int, int] = {}
        for line in of_day:
            o = line.operation
            last = slots - 1 if o.last is None else o.last
            if last >= slots or o.first >= slots:
                faults.append(Fault(f"row {line.row}, column from", "WRONG_SLOT", f"{day} has the slots 0 to {slots - 1} of this meter"))
                continue
            again = next((s for s in range(o.first, last + 1) if s in taken), None)
            if again is not None:
                said = f"slot {again} of {meter} on {day} ({channel}) is in row {taken[again]} already: once is enough"
                faults.append(Fault(f"row {line.row}, column from", "DUPLICATE", said))
            taken |= dict.fromkeys(range(o.first, last + 1), line.row)
        changes.append(Change(meter, day, channel, _joined([line.operation for line in of_day]), rows=taken))
    return changes, faults


def _joined(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Slots that are set one by one are set in runs. The slots are disjoint, so the order does not matter."""
    single = {o.first: o.values[0] for o in operations if o.kind is OperationKind.SET and o.first == o.last}
    return (*set_values(single), *(o for o in operations if o.kind is not OperationKind.SET or o.first != o.last))


def _line(number: int, cells: Cells, meters: Mapping[str, int], zone: ZoneInfo) -> _Line:
    meter = cells.get("meter", "")
    if meter not in meters:
        raise _CellError("meter", "UNKNOWN_METER", f"no meter {meter!r} is in this DISCOM's registry: check the serial")
    channel = cells.get("channel") or repository.CHANNELS[0]
    if channel not in repository.CHANNELS:
        raise _CellError("channel", "UNKNOWN_CHANNEL", f"{channel!r} cannot be edited. Known: {', '.join(repository.CHANNELS)}")
    try:
        kind = OperationKind((cells.get("operation") or OperationKind.SET).lower())
    except ValueError:
        known = ", ".join(OperationKind)
        raise _CellError("operation", "UNKNOWN_OPERATION", f"{cells['operation']!r} is none. Known: {known}") from None
    day, first, last = _when(cells, kind, meters[meter], zone)
    return _Line(number, meter, day, channel, _operation(kind, first, last, cells.get("value", "")))


def _when(cells: Cells, kind: OperationKind, interval: int, zone: ZoneInfo) -> tuple[date, int, int | None]:
    """Day, first and last slot."""
    begin, begin_day = _point("from", cells.get("from", ""))
    end, end_day = _point("to", cells.get("to", ""))
    stated = _date("day", cells["day"]) if cells.get("day") else None
    day = stated or begin_day
    if day is None:
        raise _CellError("day", "BAD_DAY", "is empty: write it as 2026-10-05")
    if begin_day is not None and begin_day != day:
        raise _CellError("from", "BAD_DAY", f"{begin_day} is not the day {day}")
    if end_day is not None and end_day != day and not (end_day == day + timedelta(days=1) and end == time(0)):
        raise _CellError("to", "BAD_DAY", f"{end_day} is not the day {day}: one row is of one day")
    first = _slot("from", day, begin, interval, zone) if begin is not None else 0
    if begin is None and kind is OperationKind.SET:
        raise _CellError("from", "WRONG_SLOT", "is empty: set needs the slot or time of the interval")
    if end is None:
        return day, first, first if kind is OperationKind.SET else None
    if isinstance(end, int):
        last = end
    elif end == time(0):
        last = _minutes(day, zone) // interval - 1
    else:
        last = _slot("to", day, end, interval, zone) - 1
    if last < first:
        raise _CellError("to", "WRONG_SLOT", "lies before `from`")
    return day, first, last


def _point(column: str, text: str) -> tuple[int | time | None, date | None]:
    """A slot, a local time, or a local stamp with its day; 24:00 is 00:00, the end of the day."""
    if not text:
        return None, None
    if text.isdecimal() and text.isascii() and len(text) <= 4:
        return int(text), None
    try:
        if len(text) > 8:
            stamp = datetime.fromisoformat(text)
            if stamp.tzinfo is not None:
                raise ValueError
            return stamp.time(), stamp.date()
        return (time(0) if text in ("24:00", "24:00:00") else time.fromisoformat(text)), None
    except ValueError:
        raise _CellError(column, "WRONG_SLOT", f"{text!r} is no slot (0, 1, …), local time (13:30) or stamp (2026-10-05 13:30)") from None


def _slot(column: str, day: date, at: int | time, interval: int, zone: ZoneInfo) -> int:
    if isinstance(at, int):
        return at
    midnight = datetime.combine(day, time(0), zone)
    seconds = datetime.combine(day, at, zone).timestamp() - midnight.timestamp()
    slot, rest = divmod(int(seconds), 60 * interval)
    if rest or seconds != int(seconds):
        raise _CellError(column, "WRONG_SLOT", f"{at} is not on the meter's grid of {interval} minutes")
    return slot


def _minutes(day: date, zone: ZoneInfo) -> int:
    """Length of a business day."""
    ends = (datetime.combine(d, time(0), zone).timestamp() for d in (day, day + timedelta(days=1)))
    begin, end = ends
    return int(end - begin) // 60


def _operation(kind: OperationKind, first: int, last: int | None, value: str) -> Operation:
    if kind in (OperationKind.ZERO, OperationKind.INTERPOLATE):
        if value:
            raise _CellError("value", "BAD_VALUE", f"{kind} takes no value")
        return Operation(kind, first, last)
    if kind is OperationKind.SET:
        return Operation(kind, first, last, (_whole(value),))
    if kind is OperationKind.SCALE_TO:
        return Operation(kind, first, last, total_wh=_whole(value))
    if kind is OperationKind.COPY:
        return Operation(kind, first, last, from_day=_date("value", value))
    if kind is OperationKind.REVERT:
        if first != 0 or last is not None:
            raise _CellError("from", "WRONG_SLOT", "revert is of the whole day: leave from and to empty")
        return Operation(kind, edit_id=_whole(value, 2**63 - 1))
    try:
        factor = Fraction(value if len(value) <= 20 and "/" not in value and "e" not in value.lower() else "")
    except ValueError:
        raise _CellError("value", "BAD_VALUE", f"{value!r} is no factor, such as 1.05") from None
    if not 0 <= factor <= 1000:
        raise _CellError("value", "BAD_VALUE", f"{value} is not a factor between 0 and 1000")
    return Operation(kind, first, last, factor=factor)


def _whole(text: str, largest: int = LARGEST) -> int:
    digits = text.removeprefix("-")
    if not (digits.isdecimal() and digits.isascii()):
        raise _CellError("value", "BAD_VALUE", f"{text!r} is not a whole number" if text else "is empty")
    if len(digits) > 19 or not 0 <= int(text) <= largest:
        raise _CellError("value", "BAD_VALUE", f"{text} is not between 0 and {largest}")
    return int(text)


def _date(column: str, text: str) -> date:
    try:
        found = date.fromisoformat(text[:10] if text[10:] in ("", " 00:00:00", "T00:00:00") else "")
    except ValueError:
        raise _CellError(column, "BAD_DAY", f"{text!r} is no day: write it as 2026-10-05") from None
    if not 2000 <= found.year <= 2100:
        raise _CellError(column, "BAD_DAY", f"{found} is not between the years 2000 and 2100")
    return found


# --- files ---


def _csv(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise EditError("NOT_UTF8", f"{name}: byte {e.start} is not UTF-8: save it as CSV UTF-8") from None
    if "\x00" in text:
        raise EditError("MALFORMED", f"{name}: holds a NUL character: it is no CSV")
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        for values in reader:
            yield reader.line_num, values
    except csv.Error as e:
        raise EditError("MALFORMED", f"{name}: line {reader.line_num}: {e}") from None


def _xlsx(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # takes long to load, so only who has such a file pays

    _check_parts(content, name)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheets = book.worksheets
        if len(sheets) != 1:
            raise EditError("MALFORMED", f"{name}: has {len(sheets)} sheets: leave the one with the edits")
        for number, row in enumerate(sheets[0].iter_rows(), 1):
            yield number, [_text(cell, name) for cell in row]
    except EditError:
        raise
    except Exception as e:  # whatever a broken file makes openpyxl raise
        raise EditError("MALFORMED", f"{name}: is no workbook that can be read ({type(e).__name__}): save it anew, or as CSV") from None


def _check_parts(content: bytes, name: str) -> None:
    """A workbook is a ZIP of XML files. Raises EditError where it unpacks to too much, or declares entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(p.file_size for p in parts) > MAX_UNPACKED:
                raise EditError("TOO_LARGE", f"{name}: unpacks to more than {MAX_UNPACKED >> 20} MiB: cut it up")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as f:
                        head = f.read(4096).replace(b"\x00", b"").upper()
                    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                        raise EditError("MALFORMED", f"{name}: {part.filename} declares a document type, which no workbook does")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as e:
        raise EditError("MALFORMED", f"{name}: is no workbook: {e}") from None


def _text(cell: Any, name: str) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise EditError("FORMULA", f"{name}: {cell.coordinate} is a formula: paste values only, what counts must be seen")
    if cell.data_type in ("e", "b"):
        raise EditError("MALFORMED", f"{name}: {cell.coordinate} is an error or a truth value")
    if isinstance(value, datetime):
        return value.isoformat(" ", timespec="seconds")
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)
