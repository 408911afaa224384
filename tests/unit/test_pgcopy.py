"""The binary COPY encoder against a decoder written from PostgreSQL's manual; the server itself judges it in tests/integration."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from ingestion import pgcopy


def decode(blob: bytes) -> list[list[bytes | None]]:
    """Rows of raw fields of a binary COPY stream."""
    assert blob.startswith(pgcopy.HEADER), "the stream must open with the signature"
    rows, at = [], len(pgcopy.HEADER)
    while (fields := struct.unpack_from(">h", blob, at)[0]) != -1:
        at += 2
        row: list[bytes | None] = []
        for _ in range(fields):
            (size,) = struct.unpack_from(">i", blob, at)
            at += 4
            row.append(None if size == -1 else blob[at : at + size])
            at += max(size, 0)
        rows.append(row)
    assert at + 2 == len(blob), "nothing may follow the trailer"
    return rows


def decode_array(field: bytes | None, letter: str) -> list[int | None] | None:
    if field is None:
        return None
    dimensions, has_null, _oid, length, lower = struct.unpack_from(">5i", field)
    assert (dimensions, lower) == (1, 1), "one dimension that counts from 1"
    values: list[int | None] = []
    at = 20
    for _ in range(length):
        (size,) = struct.unpack_from(">i", field, at)
        values.append(None if size == -1 else struct.unpack_from(">" + letter, field, at + 4)[0])
        at += 4 + max(size, 0)
    assert at == len(field), "the field's length must be that of its elements"
    assert bool(has_null) == (None in values), "the has-null flag must be true to the elements"
    return values


def encode(*columns: pgcopy.Column, **options: int) -> list[list[bytes | None]]:
    return decode(b"".join(pgcopy.encode(columns, **options)))


def test_scalars_and_their_nulls() -> None:
    null = np.array([False, True, False])
    rows = encode(
        pgcopy.int2(np.array([-1, 0, 32767], np.int16), null),
        pgcopy.int8(np.array([-(2**62), 5, 7])),
        pgcopy.Null(3),
        pgcopy.constant("int4", -9, 3),
    )
    assert [r[0] for r in rows] == [b"\xff\xff", None, b"\x7f\xff"]
    assert [struct.unpack(">q", r[1] or b"")[0] for r in rows] == [-(2**62), 5, 7]
    assert [r[2] for r in rows] == [None] * 3
    assert [struct.unpack(">i", r[3] or b"")[0] for r in rows] == [-9] * 3


def test_dates_count_from_2000_and_go_back() -> None:
    rows = encode(
        pgcopy.date(np.array(["1999-12-31", "2000-01-02", "NaT"], "datetime64[D]")),
        pgcopy.timestamptz(np.array(["1999-12-31T23:59:59.999999", "NaT", "2000-01-01T00:00:01"], "datetime64[us]")),
    )
    assert [r[0] for r in rows] == [struct.pack(">i", -1), struct.pack(">i", 1), None]
    assert [r[1] for r in rows] == [struct.pack(">q", -1), None, struct.pack(">q", 1_000_000)]


@pytest.mark.parametrize("chunk_octets", [1, 400, 1 << 20])
def test_arrays_with_absent_elements_in_chunks_of_any_size(chunk_octets: int) -> None:
    rng = np.random.default_rng(7)
    n, length = 23, 5
    values = rng.integers(-(2**31), 2**31, (n, length))
    present = rng.random((n, length)) > 0.4
    present[3], present[4] = False, True
    small = rng.integers(-9, 9, (n, length)).astype(np.int16)
    null = rng.random(n) > 0.5
    rows = encode(
        pgcopy.int4_array(values, present),
        pgcopy.int4(np.arange(n), null),
        pgcopy.int2_array(small, present),
        chunk_octets=chunk_octets,
    )
    for i, (big, number, little) in enumerate(rows):
        expected = [int(v) if ok else None for v, ok in zip(values[i], present[i], strict=True)]
        assert decode_array(big, "i") == (expected if present[i].any() else None), f"row {i}"
        assert number == (None if null[i] else struct.pack(">i", i)), f"row {i}: the column after an array is out of place"
        expected = [int(v) if ok else None for v, ok in zip(small[i], present[i], strict=True)]
        assert decode_array(little, "h") == (expected if present[i].any() else None), f"row {i}"


def test_no_rows_and_no_slots() -> None:
    assert encode(pgcopy.int4(np.array([], np.int32))) == []
    empty = pgcopy.int4_array(np.zeros((2, 0), np.int32), np.zeros((2, 0), bool))
    assert encode(empty, pgcopy.constant("int2", 1, 2)) == [[None, b"\0\1"]] * 2


def test_what_does_not_fit_is_refused_not_wrapped() -> None:
    with pytest.raises(OverflowError, match="do not fit int4"):
        pgcopy.int4(np.array([2**31]))
    with pytest.raises(OverflowError, match="do not fit int2"):
        pgcopy.int2_array(np.array([[-40_000]]), np.array([[True]]))
    with pytest.raises(TypeError, match="needs integers"):
        pgcopy.int4(np.array([1.5]))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in rows"):
        encode(pgcopy.Null(2), pgcopy.Null(3))


def test_an_array_of_nothing_but_nulls_is_an_array_where_its_column_says_so() -> None:
    values, present = np.array([[1, 2], [0, 0], [0, 0]]), np.array([[True, True], [False, False], [False, False]])
    rows = encode(pgcopy.int4_array(values, present, np.array([False, False, True])))
    assert [decode_array(r[0], "i") for r in rows] == [[1, 2], [None, None], None]


def test_what_the_server_gives_is_decoded_as_it_was_encoded() -> None:
    whole = np.ones((2, 3), bool)
    columns = [
        pgcopy.int2(np.array([-1, 7])),
        pgcopy.date(np.array(["2026-10-05", "1999-12-31"], "datetime64[D]")),
        pgcopy.int4_array(np.array([[1, -2, 3], [4, 5, 2**31 - 1]]), whole),
        pgcopy.int8(np.array([2**62, -5])),
    ]
    fields = [pgcopy.Field("a", "int2"), pgcopy.Field("d", "date"), pgcopy.Field("v", "int4", 3), pgcopy.Field("b", "int8")]
    rows = pgcopy.decode(b"".join(pgcopy.encode(columns)), fields)
    assert rows["a"].tolist() == [-1, 7]
    assert rows["d"].tolist() == [9774, -1]
    assert rows["v"]["value"].tolist() == [[1, -2, 3], [4, 5, 2**31 - 1]]
    assert rows["b"].tolist() == [2**62, -5]
    assert len(pgcopy.decode(pgcopy.HEADER + pgcopy.TRAILER, fields)) == 0


@pytest.mark.parametrize(
    "column",
    [
        pgcopy.int4_array(np.array([[1, 2], [3, 4]]), np.array([[True, True], [True, False]])),
        pgcopy.int4_array(np.array([[1, 2, 3], [4, 5, 6]]), np.ones((2, 3), bool)),
        pgcopy.int4(np.array([1, 2]), np.array([False, True])),
    ],
    ids=["a NULL in an array", "another length", "a NULL"],
)
def test_rows_of_several_lengths_are_not_decoded(column: pgcopy.Column) -> None:
    kind = pgcopy.Field("v", "int4", 2) if isinstance(column, pgcopy.Array) else pgcopy.Field("v", "int4")
    with pytest.raises(ValueError, match="no rows of v"):
        pgcopy.decode(b"".join(pgcopy.encode([column])), [kind])
