"""IEC 62056-21 data readouts as an optical probe or a modem hub stores them: a telegram for each meter, one or more a file.

    /LGZ4ZMD310AT/1002345          identification, and the serial after the second slash
    0.9.1(093015)  0.9.2(26-10-02)  time and date of the readout
    1.8.0(0074860.9*kWh)           code, value, unit
    1.6.0(3.21*kW)(26-09-14 19:30) a maximum demand has its time in brackets of its own
    !                              end

Time and date stand on lines of their own and hold for the whole telegram, which is why a vendor file alone cannot say it. What the codes
mean is still said there (profiles, units, ignore).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingestion.canonical import Rejection
from ingestion.normalise import Rows, rejection
from ingestion.readers.tree import Collector
from ingestion.readers.unpack import Part
from ingestion.vendor import Vendor
from warehouse.codes import Reason

_LINE = re.compile(r"([0-9A-Z.:*-]{1,24})((?:\([^()]*\))+)")
_BRACKETS = re.compile(r"\(([^()]*)\)")
TIME, DATE = "0.9.1", "0.9.2"


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """One row a telegram. Lines that are none of the format are rejected one by one; a telegram without its end is TRUNCATED."""
    out = Collector(vendor, vendor.profiles[0], str)
    telegram: list[tuple[str, list[str], int]] | None = None
    serial, begun = None, 0
    for number, line in enumerate(part.data.decode(vendor.encoding, "replace").splitlines(), 1):
        text = line.strip("\x02\x03 \t")
        if text.startswith("/"):
            _open_end(telegram, begun, serial, rejections)
            telegram, begun = [], number
            serial = text.rsplit("/", 1)[1] if text.count("/") > 1 else None
        elif text.startswith("!"):
            if telegram:
                _row(out, serial, telegram, begun)
            telegram = None
        elif text and telegram is not None and (m := _LINE.fullmatch(text)):
            telegram.append((m.group(1), _BRACKETS.findall(m.group(2)), number))
        elif text:
            where = "outside of a telegram" if telegram is None else "which is no CODE(VALUE)"
            rejections.append(rejection(Reason.MALFORMED, f"line {number}", line, f"a line {where}", serial=serial))
    _open_end(telegram, begun, serial, rejections)
    yield out.rows()


def _row(out: Collector, serial: str | None, telegram: list[tuple[str, list[str], int]], begun: int) -> None:
    said = {code: values[0] for code, values, _ in telegram}
    out.row(serial, f"{said.get(DATE)} {said.get(TIME)}", telegram, f"telegram of line {begun}")
    for code, values, number in telegram:
        if code in (TIME, DATE):
            continue
        value, _, unit = values[0].partition("*")
        node = f"line {number}: {code}({')('.join(values)})"
        out.reading(code, None, unit, None, value, node)
        if len(values) > 1:  # mapped as attribute 5, as DLMS has it
            out.reading(code, 5, None, None, values[1], node)


def _open_end(telegram: list[tuple[str, list[str], int]] | None, begun: int, serial: str | None, rejections: list[Rejection]) -> None:
    if telegram:
        payload = "\n".join(f"{code}({')('.join(values)})" for code, values, _ in telegram)
        values = max(1, sum(code not in (TIME, DATE) for code, *_ in telegram))
        detail = "the telegram has no end (!): it was cut off"
        rejections.append(rejection(Reason.TRUNCATED, f"line {begun}", payload, detail, values, serial))
