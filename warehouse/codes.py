"""Every code that is stored in the warehouse: quality, rejection reason, rule action, exception state, estimation method, edit reason,
state of a meter's life.

This file is the one home; what the standards call the qualities stands beside it in quality_codes.yml. `python -m warehouse.codes` writes
the dbt seeds from both; a test fails where they differ. Codes of meters (OBIS, events) are vendor data, not code, and stand in ingestion.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag, StrEnum
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml


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
    def meaning(self) -> str:
        return _QUALITY[self][1]

    @property
    def ies(self) -> str | None:
        """validationStatus of India Energy Stack MeterData; None = it is left out there."""
        status: str | None = _table()["quality"][self.name]["ies"]
        return status


_QUALITY: dict[Quality, tuple[str, str]] = {
    Quality.ACTUAL: ("A", "measured and passed every rule"),
    Quality.FROZEN: ("F", "final, frozen for billing"),
    Quality.EDITED: ("M2", "changed by a person, with a reason"),
    Quality.DERIVED: ("D", "computed from other channels"),
    Quality.SUBSTITUTED: ("S", "taken from another meter"),
    Quality.QUESTIONABLE: ("Q", "measured, but a rule doubts it"),
    Quality.ESTIMATED: ("E", "estimated by the machine"),
    Quality.PROJECTED: ("P", "projected into the future"),
    Quality.RAW: ("R", "measured, not yet validated"),
    Quality.MISSING: ("M", "no value"),
}


class Method(IntEnum):
    """How a slot was estimated: the number of the EM method of domain 6.3; SCALED is added where EM9 fitted it to the register.

    EM0 is 20, since 0 says that nothing was estimated. EM1 is a re-read, which is measured, and EM12 an edit.
    """

    NONE = 0
    CHECK_METER = 2
    LINEAR = 3
    LIKE_DAY = 4
    TEMPERATURE = 5
    LAST_YEAR = 6
    CLASS_PROFILE = 7
    NEIGHBOUR = 8
    FLAT = 10
    REGISTER = 11
    OUTAGE = 20

    @property
    def flag(self) -> str:
        return _METHOD[self][0]

    @property
    def meaning(self) -> str:
        return _METHOD[self][1]


_METHOD: dict[Method, tuple[str, str]] = {
    Method.NONE: ("", "not estimated"),
    Method.CHECK_METER: ("SUB_ALT", "from the check meter, by its ratio"),
    Method.LINEAR: ("EST_LIN", "straight line between its neighbours"),
    Method.LIKE_DAY: ("EST_LIKE", "the same intervals of like days"),
    Method.TEMPERATURE: ("EST_PROXY", "the same intervals of days with a like temperature"),
    Method.LAST_YEAR: ("EST_PY", "the same period of last year, by the trend"),
    Method.CLASS_PROFILE: ("EST_CLASS", "the profile of its class of consumers"),
    Method.NEIGHBOUR: ("EST_NBR", "meters like it on the same DT, by their ratio"),
    Method.FLAT: ("EST_FLAT", "the register's energy in equal parts"),
    Method.REGISTER: ("EST_REG", "register, from the intervals since the one before"),
    Method.OUTAGE: ("EST_OUTAGE", "zero: proven to be without supply"),
}


SCALED = 100
"""Added to a Method when register scaling (EM9) moved the estimate: 104 is a like-day estimate that was scaled."""


@cache
def method_flag(number: int) -> str:
    """`EST_LIKE_SCALED` of 104, the number that is stored of an estimate's method."""
    return Method(number % SCALED).flag + ("_SCALED" if number >= SCALED else "")


# --- what the standards call it (quality_codes.yml) ---


class QualityFlag(IntFlag):
    """qualityFlags of IEEE 2030.5."""

    VALID = 1 << 0
    MANUALLY_EDITED = 1 << 1
    REFERENCE_DAY = 1 << 2
    LINEAR_INTERPOLATION = 1 << 3
    QUESTIONABLE = 1 << 4
    DERIVED = 1 << 5
    PROJECTED = 1 << 6


@dataclass(frozen=True)
class StandardCodes:
    """One value's quality in the terms of the standards."""

    nem12: str | None
    """Letter and method, such as S17. None = it may not be delivered."""
    cim: tuple[str, ...]
    """system.category.index: the state first, then a code for each rule that failed."""
    ieee2030_5: int
    """qualityFlags, a mask of QualityFlag."""

    @cached_property
    def ieee2030_5_flags(self) -> tuple[str, ...]:
        """Names of the flags, the lowest bit first."""
        return tuple((f.name or "").lower() for f in QualityFlag(self.ieee2030_5))


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "quality_codes.yml").read_text(encoding="utf-8"))
    return table


@lru_cache(maxsize=4096)
def standard_codes(
    quality: Quality,
    method: int = 0,
    *,
    frozen: bool = False,
    added: bool = False,
    edited_by: str | None = None,
    failed: tuple[tuple[str, bool], ...] = (),
) -> StandardCodes:
    """What NEM12, CIM (IEC 61968-9) and IEEE 2030.5 call a value of this quality.

    `method`: as it is stored, a Method with SCALED where it was scaled. `frozen`: the value is final, for billing. `edited_by`: the
    operation of its edit, `added` where there was no value before. `failed`: rules that it failed, and whether it lies above their limit.
    """
    table = _table()
    state, how = table["quality"][quality.name], table["method"][Method(method % SCALED).name]
    estimated = quality in (Quality.ESTIMATED, Quality.SUBSTITUTED, Quality.PROJECTED) and method != Method.NONE
    cim, flags = state["cim"], state["ieee2030_5"]
    if estimated and quality is not Quality.PROJECTED:
        cim, flags = how["cim"], how["ieee2030_5"]
    elif quality is Quality.EDITED and added:
        cim = table["added"]["cim"]
    return StandardCodes(
        nem12=_nem12(state["nem12"], method, frozen=frozen, edited_by=edited_by),
        cim=(cim, *dict.fromkeys(code for rule, above in failed if (code := validation_code(rule, above=above)))),
        ieee2030_5=sum(QualityFlag[f.upper()] for f in flags),
    )


def _nem12(letter: str | None, method: int, *, frozen: bool, edited_by: str | None) -> str | None:
    if letter == "F" and not method:
        return "A"  # final, but nothing was substituted
    if letter not in ("E", "F", "S"):
        return letter
    how = _table()["method"][Method(method % SCALED).name]
    if letter == "E":
        return f"E{how.get('forward', how['nem12'])}"
    number = _table()["edit"].get(edited_by) or (_table()["scaled"]["nem12"] if method >= SCALED else how["nem12"])
    return f"{'F' if frozen else letter}{number}"


def validation_code(rule: str, *, above: bool) -> str | None:
    """CIM's code of a failed validation; None where the rule is none. `above`: the figure lies above the rule's limit, not below."""
    code = _table()["rule"].get(rule, "3.6.0")
    found: str | None = code["above" if above else "below"] if isinstance(code, dict) else code
    return found


def unverified(cim: str) -> bool:
    """Whether a CIM code is an assumption of ours: to be agreed with who receives it."""
    return cim in _table()["unverified"]


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


class EditReason(StrEnum):
    """Why a person changed a value. Stored in vee.edit."""

    METER_FAULT = "METER_FAULT"
    COMMUNICATION_LOSS = "COMMUNICATION_LOSS"
    METER_REPLACED = "METER_REPLACED"
    CHECK_METER = "CHECK_METER"
    CLOCK_ERROR = "CLOCK_ERROR"
    WRONG_MULTIPLIER = "WRONG_MULTIPLIER"
    TAMPER = "TAMPER"
    POWER_OUTAGE = "POWER_OUTAGE"
    AGREED_WITH_CONSUMER = "AGREED_WITH_CONSUMER"
    COURT_ORDER = "COURT_ORDER"
    TEST = "TEST"
    REVERT = "REVERT"
    OTHER = "OTHER"

    @property
    def meaning(self) -> str:
        return {
            "METER_FAULT": "the meter measured wrongly or not at all",
            "COMMUNICATION_LOSS": "the meter measured, but its values were lost on the way",
            "METER_REPLACED": "the meter was changed on this day",
            "CHECK_METER": "a check meter or a test at site says otherwise",
            "CLOCK_ERROR": "the meter's clock was wrong, so values stand in wrong intervals",
            "WRONG_MULTIPLIER": "the ratio of the transformers was set wrongly in the meter",
            "TAMPER": "the meter was tampered with",
            "POWER_OUTAGE": "there was no supply",
            "AGREED_WITH_CONSUMER": "the value was agreed with the consumer",
            "COURT_ORDER": "a court, forum or ombudsman decided",
            "TEST": "values of a test at the meter are taken out",
            "REVERT": "an earlier edit is taken back",
            "OTHER": "see the note, which is compulsory",
        }[self.value]


class CaseState(StrEnum):
    """State of a row of vee.case."""

    OPEN = "open"
    ASSIGNED = "assigned"
    WAITING = "waiting"
    CLOSED = "closed"


class Resolution(StrEnum):
    """Why a case was closed."""

    CLEARED = "cleared"
    MERGED = "merged"
    VALUE_ACCEPTED = "value_accepted"
    EDITED = "edited"
    MASTER_DATA = "master_data"
    METER_FAULT = "meter_fault"
    COMMUNICATION = "communication"
    TAMPER = "tamper"
    OTHER = "other"

    @property
    def meaning(self) -> str:
        return {
            "cleared": "by the machine: nothing of it fails any more",
            "merged": "by the machine: its days are part of another case",
            "value_accepted": "the values are right as they stand",
            "edited": "the values were corrected",
            "master_data": "the registry was wrong and was mended",
            "meter_fault": "the meter is faulty and is dealt with",
            "communication": "the meter could not be reached and is dealt with",
            "tamper": "somebody tampered with it and that is dealt with",
            "other": "what the note says",
        }[self.value]


BY_MACHINE = frozenset({Resolution.CLEARED, Resolution.MERGED})
"""Resolutions that no person may give."""


class MeterState(StrEnum):
    """States of a meter's life, in its order (domain 7)."""

    ORDERED = "ORDERED"
    MANUFACTURED = "MANUFACTURED"
    FAT_PASS = "FAT_PASS"  # noqa: S105
    DISPATCHED = "DISPATCHED"
    IN_STOCK = "IN_STOCK"
    QUARANTINE = "QUARANTINE"
    TEST_PASS = "TEST_PASS"  # noqa: S105
    TEST_FAIL = "TEST_FAIL"
    SEALED = "SEALED"
    ISSUED = "ISSUED"
    IN_TRANSIT = "IN_TRANSIT"
    RETURNED = "RETURNED"
    INSTALLED = "INSTALLED"
    INSTALL_REJECTED = "INSTALL_REJECTED"
    COMMISSIONED = "COMMISSIONED"
    COMM_PENDING = "COMM_PENDING"
    ACTIVE = "ACTIVE"
    DISCONNECTED = "DISCONNECTED"
    NON_COMM = "NON_COMM"
    FAULTY = "FAULTY"
    UNDER_TEST = "UNDER_TEST"
    TAMPERED = "TAMPERED"
    REMOVED = "REMOVED"
    REUSABLE = "REUSABLE"
    SCRAPPED = "SCRAPPED"


SEEDS = Path(__file__).resolve().parent.parent / "dbt_project" / "seeds"


def seed_rows() -> dict[str, list[list[object]]]:
    """Rows of every seed file, header first."""
    qualities: list[list[object]] = [["quality", "letter", "name", "nem12", "cim", "ieee2030_5", "meaning"]]
    for q in Quality:
        codes, letter = standard_codes(q), _table()["quality"][q.name]["nem12"]
        qualities.append([int(q), q.letter, q.name.lower(), letter, codes.cim[0], codes.ieee2030_5, q.meaning])
    methods: list[list[object]] = [["method", "name", "flag", "nem12", "cim", "ieee2030_5", "meaning"]]
    methods.append([0, "none", "", "", "", "", Method.NONE.meaning])
    for m in Method:
        # Nothing flows in an outage, whatever the register says.
        for number in [] if m is Method.NONE else [int(m)] if m is Method.OUTAGE else [int(m), m + SCALED]:
            codes = standard_codes(Quality.ESTIMATED, number)
            name = m.name.lower() + ("_scaled" if number >= SCALED else "")
            methods.append([number, name, method_flag(number), codes.nem12, codes.cim[0], codes.ieee2030_5, m.meaning])

    def simple(enum: type[Enum], key: str) -> list[list[object]]:
        return [[key, "meaning"], *([e.value, e.meaning] for e in enum)]  # type: ignore[attr-defined]

    return {
        "code_quality": qualities,
        "code_method": methods,
        "code_reason": simple(Reason, "reason"),
        "code_action": simple(Action, "action"),
        "code_exception_state": simple(ExceptionState, "state"),
        "code_edit_reason": simple(EditReason, "reason"),
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
