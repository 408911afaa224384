"""The arithmetic of edits, whatever the values; when a second person is needed; and files of edits, well-formed and not."""

from __future__ import annotations

import io
import zipfile
from datetime import date, time
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from vee.edits import bulk, operations
from vee.edits.errors import EditError, Fault
from vee.edits.policy import Policy, PolicyError, load_policy
from vee.edits.service import Change, Operation, OperationKind, set_values

wh = st.integers(0, 50_000)
days = st.lists(wh, min_size=1, max_size=96)
IST = ZoneInfo("Asia/Kolkata")
DAY = date(2026, 10, 5)


@given(days, st.integers(0, 10_000_000))
def test_what_is_scaled_to_a_total_is_that_total_in_the_same_proportion(day: list[int], total: int) -> None:
    after = operations.scale_to(day, range(len(day)), total)
    assert sum(v or 0 for v in after) == total
    if sum(day):
        assert all(abs((a or 0) - Fraction(b * total, sum(day))) < 1 for a, b in zip(after, day, strict=True))


@given(days, st.fractions(0, 10, max_denominator=1000))
def test_a_factor_moves_the_total_by_exactly_that_rounded(day: list[int], factor: Fraction) -> None:
    after = operations.scale(day, range(len(day)), factor)
    assert abs(sum(v or 0 for v in after) - sum(day) * factor) <= Fraction(1, 2)


@given(wh, wh, st.integers(1, 20))
def test_what_is_interpolated_lies_between_its_neighbours(left: int, right: int, n: int) -> None:
    after = operations.interpolate([None] * n, range(n), left, right)
    low, high = sorted((left, right))
    assert all(v is not None and low <= v <= high for v in after)
    assert after == (sorted(v or 0 for v in after) if left <= right else sorted((v or 0 for v in after), reverse=True))


@given(st.lists(st.one_of(st.none(), wh), min_size=2, max_size=48), st.data())
def test_other_slots_stay_as_they_are(day: list[int | None], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(day) - 1))
    last = data.draw(st.integers(first, len(day) - 1))
    after = operations.zero(day, range(first, last + 1))
    assert after == [0 if first <= s <= last else v for s, v in enumerate(day)]


def test_what_has_no_value_is_not_scaled() -> None:
    with pytest.raises(ValueError, match="slot 1 has no value"):
        operations.scale([1, None, 3], range(3), Fraction(2))


@pytest.mark.parametrize(
    ("after", "needed"),
    [([100, 100], False), ([110, 100], False), ([121, 100], True), ([90, 111], True), ([0, 0], True)],
)
def test_a_limit_in_percent_of_the_day(after: list[int], needed: bool) -> None:
    assert Policy(10_000, 10).needs_approval(after, [100, 100]) is needed


def test_a_limit_in_energy_and_on_a_day_without_any() -> None:
    assert Policy(50, 1000).needs_approval([151], [100])
    assert not Policy(50, 1000).needs_approval([150], [100])
    assert Policy(50, 1000).needs_approval([1], [None]), "of nothing, anything is more than any percentage"


def test_a_policy_of_a_discom_overrides_what_it_names(tmp_path) -> None:
    (tmp_path / "default.yml").write_text("approval_above_wh: 5\napproval_above_pct: 7\n")
    (tmp_path / "acme.yml").write_text("approval_above_pct: 0\n")
    assert load_policy("acme", tmp_path) == Policy(5, 0)
    assert load_policy("globex", tmp_path) == Policy(5, 7)
    (tmp_path / "acme.yml").write_text("approval_above_wh: 5\napprovals: 3\n")
    with pytest.raises(PolicyError, match=r"acme\.yml:2: approvals"):
        load_policy("acme", tmp_path)
    assert load_policy("nobody").approval_above_wh > 0


# --- files ---


def read(text: str, *, zone: str = "Asia/Kolkata", interval: int = 30) -> tuple[list[Change], list[Fault]]:
    rows = list(bulk.read_rows(text.encode(), "edits.csv"))
    return bulk.changes_of(rows, {"M1": interval, "M2": 15}, ZoneInfo(zone))


def test_slots_times_and_stamps_name_the_same_interval() -> None:
    lines = ["2026-10-05,27,,7", "2026-10-05,13:30,,7", ",2026-10-05 13:30,,7", ",2026-10-05T13:30:00,2026-10-05 14:00,7"]
    for line in lines:
        changes, faults = read(f"meter,day,from,to,value\nM1,{line}\n")
        assert faults == []
        assert [(c.day, c.operations) for c in changes] == [(DAY, (Operation(OperationKind.SET, 27, 27, (7,)),))], line


def test_rows_of_one_day_are_one_change_in_runs() -> None:
    changes, faults = read("Meter,DAY,from,value\nM1,2026-10-05,3,30\nM1,2026-10-05,2,20\nM1,2026-10-05,7,70\nM2,2026-10-05,95,1\n")
    assert faults == []
    assert [c.meter for c in changes] == ["M1", "M2"]
    assert changes[0].operations == set_values({2: 20, 3: 30, 7: 70})
    assert changes[0].operations == (Operation(OperationKind.SET, 2, 3, (20, 30)), Operation(OperationKind.SET, 7, 7, (70,)))
    assert changes[0].rows == {3: 2, 2: 3, 7: 4}


def test_operations_have_their_argument_in_the_column_value() -> None:
    changes, faults = read(
        "meter,day,from,to,channel,operation,value\n"
        "M1,2026-10-05,0,3,,zero,\nM1,2026-10-05,4,7,,SCALE,1.05\nM1,2026-10-05,8,11,,scale_to,900\n"
        "M1,2026-10-05,12:00,24:00,,copy,2026-10-04\nM1,2026-10-05,12,13,,interpolate,\nM2,2026-10-05,,,export_wh,revert,17\n"
    )
    assert faults == []
    assert [c.operations for c in changes] == [
        (
            Operation(OperationKind.ZERO, 0, 3),
            Operation(OperationKind.SCALE, 4, 7, factor=Fraction("1.05")),
            Operation(OperationKind.SCALE_TO, 8, 11, total_wh=900),
            Operation(OperationKind.COPY, 24, 47, from_day=date(2026, 10, 4)),
            Operation(OperationKind.INTERPOLATE, 12, 13),
        ),
        (Operation(OperationKind.REVERT, edit_id=17),),
    ]


def test_a_day_with_summer_time_has_its_own_slots() -> None:
    changes, faults = read("meter,day,from,value\nM1,2026-03-29,03:00,5\nM1,2026-03-29,46,5\n", zone="Europe/London")
    assert changes[0].operations[0] == Operation(OperationKind.SET, 4, 4, (5,)), "one hour is not there"
    assert [f.code for f in faults] == ["WRONG_SLOT"]
    assert "row 3" in faults[0].where


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        ("M9,2026-10-05,0,,,,1", "meter", "no meter 'M9'"),
        ("M1,05.10.2026,0,,,,1", "day", "write it as 2026-10-05"),
        ("M1,,0,,,,1", "day", "is empty"),
        ("M1,2026-10-05,13:35,,,,1", "from", "grid of 30 minutes"),
        ("M1,2026-10-05,48,,,,1", "from", "0 to 47"),
        ("M1,2026-10-05,,,,,1", "from", "set needs the slot"),
        ("M1,2026-10-05,x,,,,1", "from", "is no slot"),
        ("M1,2026-10-05,2026-10-06 00:00,,,,1", "from", "is not the day"),
        ("M1,2026-10-05,5,4,,,1", "to", "before"),
        ("M1,2026-10-05,0,,voltage,,1", "channel", "cannot be edited"),
        ("M1,2026-10-05,0,,,double,1", "operation", "Known: set"),
        ("M1,2026-10-05,0,,,,1.5", "value", "not a whole number"),
        ("M1,2026-10-05,0,,,,", "value", "is empty"),
        ("M1,2026-10-05,0,,,,-3", "value", "not between 0"),
        ("M1,2026-10-05,0,,,,99999999999", "value", "not between 0"),
        ("M1,2026-10-05,0,,,,=1+1", "value", "not a whole number"),
        ("M1,2026-10-05,0,,,scale,1/3", "value", "no factor"),
        ("M1,2026-10-05,0,,,zero,5", "value", "takes no value"),
        ("M1,2026-10-05,3,,,revert,5", "from", "whole day"),
    ],
)
def test_a_fault_is_named_by_row_and_column(line: str, column: str, says: str) -> None:
    _, faults = read(f"meter,day,from,to,channel,operation,value\nM2,2026-10-05,0,,,,1\n{line}\n")
    assert [f.where for f in faults] == [f"row 3, column {column}"]
    assert says in faults[0].detail


def test_a_slot_that_is_named_twice_is_a_fault_of_the_second_row() -> None:
    _, faults = read("meter,day,from,to,operation,value\nM1,2026-10-05,0,5,zero,\nM1,2026-10-05,5,,set,1\n")
    assert [(f.where, f.code) for f in faults] == [("row 3, column from", "DUPLICATE")]
    assert "row 2" in faults[0].detail


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"meter,day,slot,value\n", "e.csv", "WRONG_HEADER"),
        (b"day,from,value\n", "e.csv", "WRONG_HEADER"),
        (b"meter,meter,value\n", "e.csv", "WRONG_HEADER"),
        (b"meter,value\nM1,1,2\n", "e.csv", "WRONG_HEADER"),
        (b"meter,value\n\xff,1\n", "e.csv", "NOT_UTF8"),
        (b'meter,value\n"M1,1\n', "e.csv", "MALFORMED"),
        (b"meter,value\n\x00,1\n", "e.csv", "MALFORMED"),
        (b"meter,value\n", "e.xlsx", "MALFORMED"),
        (b"", "e.pdf", "UNKNOWN_FORMAT"),
        (b"x" * (bulk.MAX_BYTES + 1), "e.csv", "TOO_LARGE"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(content: bytes, name: str, code: str) -> None:
    with pytest.raises(EditError) as e:
        list(bulk.read_rows(content, name))
    assert e.value.code == code


def workbook(*rows: list[object], sheets: int = 1) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in ([*bulk.COLUMNS], *rows):
        book.active.append(row)
    for _ in range(sheets - 1):
        book.create_sheet()
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()


def test_a_workbook_reads_as_its_cells_mean() -> None:
    content = workbook(["M1", DAY, time(13, 30), None, None, None, 7], ["M1", "2026-10-05", 3, 4, None, "scale", 1.05], [None])
    changes, faults = bulk.changes_of(list(bulk.read_rows(content, "e.xlsx")), {"M1": 30}, IST)
    assert faults == []
    assert changes[0].operations == (
        Operation(OperationKind.SET, 27, 27, (7,)),
        Operation(OperationKind.SCALE, 3, 4, factor=Fraction("1.05")),
    )


def test_a_workbook_with_formulas_or_several_sheets_is_refused() -> None:
    for content, code, says in (
        (workbook(["M1", DAY, 0, None, None, None, "=1+1"]), "FORMULA", "G2"),
        (workbook(sheets=2), "MALFORMED", "2 sheets"),
    ):
        with pytest.raises(EditError, match=says) as e:
            list(bulk.read_rows(content, "e.xlsx"))
        assert e.value.code == code


def repacked(content: bytes, change) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part.filename)))
    return into.getvalue()


def test_a_workbook_that_unpacks_to_too_much_or_declares_entities_is_refused() -> None:
    plain = workbook(["M1", DAY, 0, None, None, None, 1])
    bomb = repacked(plain, lambda name, data: data + b" " * (bulk.MAX_UNPACKED + 1) if name.endswith("sheet1.xml") else data)
    assert len(bomb) < bulk.MAX_BYTES
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    declared = repacked(plain, lambda name, data: entity + data if name.endswith("sheet1.xml") else data)
    for content, code in ((bomb, "TOO_LARGE"), (declared, "MALFORMED")):
        with pytest.raises(EditError) as e:
            list(bulk.read_rows(content, "e.xlsx"))
        assert e.value.code == code
