"""Every code that is stored in the warehouse: quality, rejection reason, rule action, exception state, estimation method.

This file is the one home. `python -m warehouse.codes` writes the dbt seeds from it; a test fails where they differ.
Codes of meters and standards (OBIS, events) are vendor data, not code, and stand in ingestion.
"""

from __future__ import annotations

import csv
import sys
from enum import Enum, IntEnum, StrEnum
from pathlib import Path


class Quality(IntEnum):
    """State of one value. A higher number is a weaker value, so a roll-up takes the maximum. Source: domain 6.4."""

    ACTUAL = 0
    FROZEN = 1
    EDITED = 2
    DERIVED = 3
    SUBSTITUTED = 4
    QUESTIONABLE = 5
    ESTIMATED = 6
    PROJECTED = 7
    RAW = 8
    MISSING = 9

    @property
    def letter(self) -> str:
        return _QUALITY[self][0]

    @property
    def nem12(self) -> str:
        return _QUALITY[self][1]

    @property
    def ieee2030_5_bit(self) -> int | None:
        return _QUALITY[self][2]

    @property
    def meaning(self) -> str:
        return _QUALITY[self][3]


_QUALITY: dict[Quality, tuple[str, str, int | None, str]] = {
    Quality.ACTUAL: ("A", "A", 0, "measured and passed every rule"),
    Quality.FROZEN: ("F", "F", None, "final, frozen for billing"),
    Quality.EDITED: ("M2", "S", 1, "changed by a person, with a reason"),
    Quality.DERIVED: ("D", "V", 5, "computed from other channels"),
    Quality.SUBSTITUTED: ("S", "S", 2, "taken from another meter"),
    Quality.QUESTIONABLE: ("Q", "A", 4, "measured, but a rule doubts it"),
    Quality.ESTIMATED: ("E", "E", 2, "estimated by the machine"),
    Quality.PROJECTED: ("P", "E", 6, "projected into the future"),
    Quality.RAW: ("R", "", None, "measured, not yet validated"),
    Quality.MISSING: ("M", "N", None, "no value"),
}


class Method(IntEnum):
    """How a slot was estimated: the number of the EM method of domain 6.3; SCALED is added where EM9 fitted it to the register."""

    NONE = 0
    LINEAR = 3
    LIKE_DAY = 4
    FLAT = 10

    @property
    def flag(self) -> str:
        return {0: "", 3: "EST_LIN", 4: "EST_LIKE", 10: "EST_FLAT"}[int(self)]


SCALED = 100
"""Added to a Method when register scaling (EM9) moved the estimate: 104 is a like-day estimate that was scaled."""


class Reason(StrEnum):
    """Why a value was not understood and stands in raw.rejected."""

    UNKNOWN_METER = "UNKNOWN_METER"
    UNKNOWN_OBIS = "UNKNOWN_OBIS"
    BAD_STAMP = "BAD_STAMP"
    FUTURE_STAMP = "FUTURE_STAMP"
    OFF_GRID = "OFF_GRID"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    WRONG_INTERVAL = "WRONG_INTERVAL"
    WRONG_HEADER = "WRONG_HEADER"
    WRONG_UNIT = "WRONG_UNIT"
    NOT_UTF8 = "NOT_UTF8"
    TRUNCATED = "TRUNCATED"
    MALFORMED = "MALFORMED"

    @property
    def meaning(self) -> str:
        return _REASON[self]


_REASON: dict[Reason, str] = {
    Reason.UNKNOWN_METER: "no meter of this serial is registered: import the meter; the values wait in raw.rejected",
    Reason.UNKNOWN_OBIS: "the vendor file does not map this code: add it, or list it under ignore",
    Reason.BAD_STAMP: "the time stamp cannot be read in the format that the vendor file states",
    Reason.FUTURE_STAMP: "the interval ends after the reading was received: the meter clock runs ahead",
    Reason.OFF_GRID: "the stamp is not on the meter's interval grid",
    Reason.NOT_A_NUMBER: "the value is not a number",
    Reason.OUT_OF_RANGE: "the value does not fit the warehouse's column: wrong unit or scaler?",
    Reason.WRONG_INTERVAL: "the interval length differs from the meter's in the registry",
    Reason.WRONG_HEADER: "the file's columns are not those of the vendor file",
    Reason.WRONG_UNIT: "the stated unit does not fit the quantity",
    Reason.NOT_UTF8: "the line has bytes that are not valid in the file's encoding",
    Reason.TRUNCATED: "the file ends early: what came before the break was landed",
    Reason.MALFORMED: "the record is not well-formed",
}


class Action(StrEnum):
    """What follows when a rule fails. Written in the suites as meta.action."""

    ESTIMATE = "estimate"
    HOLD = "hold"
    FLAG = "flag"
    NOTE = "note"

    @property
    def meaning(self) -> str:
        return {
            "estimate": "the slots that fail are estimated",
            "hold": "values stay as measured, the exception stays open for a person",
            "flag": "values stay and are questionable",
            "note": "recorded only",
        }[self.value]


class ExceptionState(StrEnum):
    """State of a row of vee.exception."""

    OPEN = "open"
    ESTIMATED = "estimated"
    CLEARED = "cleared"
    CLOSED = "closed"

    @property
    def meaning(self) -> str:
        return {
            "open": "waits for a person",
            "estimated": "the machine's estimate passed validation",
            "cleared": "a rebuild of the day no longer finds it",
            "closed": "closed by a person",
        }[self.value]


SEEDS = Path(__file__).resolve().parent.parent / "dbt_project" / "seeds"


def seed_rows() -> dict[str, list[list[object]]]:
    """Rows of every seed file, header first."""
    qualities: list[list[object]] = [[int(q), q.letter, q.name.lower(), q.nem12, q.ieee2030_5_bit, q.meaning] for q in Quality]
    method_rows: list[list[object]] = [["method", "name", "flag"]]
    for m in Method:
        method_rows.append([int(m), m.name.lower(), m.flag])
        if m is not Method.NONE:
            method_rows.append([int(m) + SCALED, f"{m.name.lower()}_scaled", f"{m.flag}_SCALED"])

    def simple(enum: type[Enum], key: str) -> list[list[object]]:
        return [[key, "meaning"], *([e.value, e.meaning] for e in enum)]  # type: ignore[attr-defined]

    return {
        "code_quality": [["quality", "letter", "name", "nem12", "ieee2030_5_bit", "meaning"], *qualities],
        "code_method": method_rows,
        "code_reason": simple(Reason, "reason"),
        "code_action": simple(Action, "action"),
        "code_exception_state": simple(ExceptionState, "state"),
    }


def write_seeds(folder: Path = SEEDS) -> None:
    """Write one CSV a seed below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in seed_rows().items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as f:
            csv.writer(f, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    write_seeds()
    sys.stdout.write(f"seeds written to {SEEDS}\n")
