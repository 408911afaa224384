"""PostgreSQL binary COPY from numpy columns and to them. Only the encoding: no connection, no table, no knowledge of meters.

Format: PostgreSQL manual, COPY, "Binary Format"; arrays as in array_send(). Everything in it is a multiple of two octets, so a chunk of
rows is one big-endian matrix of the full layout, out of which the octets that NULLs do not have are cut by a mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_POSTGRES_EPOCH = np.datetime64("2000-01-01", "D")
_ELEMENT_OID = {"int2": 21, "int4": 23}
_DTYPE = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "date": ">i4", "timestamptz": ">i8", "float4": ">f4", "float8": ">f8", "bool": "?"}
_ARRAY_HEADER = 20
"""Octets: dimensions, has-null flag, element type, length, lower bound."""


@dataclass(frozen=True)
class Scalar:
    """A column of one value a row. `null` is bool (n,), True = NULL; `values` there may be anything."""

    type: str
    values: np.ndarray
    null: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Array:
    """A column of arrays of one length L: `values` and `present` are (n, L). `null`, bool (n,): rows that are NULL; by default those with
    nothing present."""

    type: str
    values: np.ndarray
    present: np.ndarray
    null: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Null:
    """A column that is NULL in all of `rows` rows."""

    rows: int

    def __len__(self) -> int:
        return self.rows


Column = Scalar | Array | Null


def _integers(name: str, values: np.ndarray) -> np.ndarray:
    limits = np.iinfo(np.dtype(name.replace("int", "i")))
    if values.dtype.kind not in "iu":
        raise TypeError(f"a column of {name} needs integers, not {values.dtype}")
    if values.dtype.itemsize > np.dtype(limits.dtype).itemsize and len(values):
        low, high = int(values.min()), int(values.max())
        if low < limits.min or high > limits.max:
            raise OverflowError(f"values from {low} to {high} do not fit {name}: reject what is out of range before")
    return values


def int2(values: np.ndarray, null: np.ndarray | None = None) -> Scalar:
    """int2 column from integers (n,). Raises OverflowError where a value does not fit, as all makers of columns do."""
    return Scalar("int2", _integers("int2", values), null)


def int4(values: np.ndarray, null: np.ndarray | None = None) -> Scalar:
    """int4 column from integers (n,)."""
    return Scalar("int4", _integers("int4", values), null)


def int8(values: np.ndarray, null: np.ndarray | None = None) -> Scalar:
    """int8 column from integers (n,)."""
    return Scalar("int8", _integers("int8", values), null)


def date(values: np.ndarray) -> Scalar:
    """date column from datetime64 (n,); NaT is NULL."""
    days = (values.astype("datetime64[D]") - _POSTGRES_EPOCH).astype(np.int64)
    null = np.isnat(values)
    return Scalar("date", np.where(null, 0, days), null)


def timestamptz(values: np.ndarray) -> Scalar:
    """timestamptz column from datetime64 (n,) in UTC; NaT is NULL. Microseconds are kept, finer is cut."""
    micros = (values.astype("datetime64[us]") - _POSTGRES_EPOCH.astype("datetime64[us]")).astype(np.int64)
    null = np.isnat(values)
    return Scalar("timestamptz", np.where(null, 0, micros), null)


def constant(type: str, value: int, rows: int) -> Scalar:
    """The same integer in every row: `type` is int2, int4 or int8."""
    return Scalar(type, _integers(type, np.full(rows, value, np.int64)))


def int2_array(values: np.ndarray, present: np.ndarray, null: np.ndarray | None = None) -> Array:
    """int2[] column from integers (n, L) and bool (n, L)."""
    return Array("int2", _integers("int2", values), present, null)


def int4_array(values: np.ndarray, present: np.ndarray, null: np.ndarray | None = None) -> Array:
    """int4[] column from integers (n, L) and bool (n, L)."""
    return Array("int4", _integers("int4", values), present, null)


def encode(columns: Sequence[Column], chunk_octets: int = 1 << 20) -> Iterator[bytes]:
    """The octets of COPY … FROM STDIN (FORMAT binary), in chunks: header, rows, trailer. Rows keep their order.

    A chunk is about `chunk_octets` (at least one row), small enough for the processor's cache; memory is about three times that.
    """
    n = len(columns[0])
    if any(len(c) != n for c in columns):
        raise ValueError(f"columns differ in rows: {[len(c) for c in columns]}")
    yield HEADER
    if n:
        layout = _Layout(columns, n, chunk_octets)
        for start in range(0, n, len(layout.whole)):
            yield layout.rows(slice(start, min(start + len(layout.whole), n)))
    yield TRAILER


class _Layout:
    """One chunk: a matrix of rows at full length, and which of its 16-bit units are there."""

    def __init__(self, columns: Sequence[Column], rows: int, octets: int) -> None:
        self.columns: list[tuple[int, Column]] = []
        parts, at = [np.array(len(columns), ">i2").tobytes()], 2
        for column in columns:
            self.columns.append((at, column))
            parts.append(_full(column))
            at += len(parts[-1])
        self.template = np.frombuffer(b"".join(parts), np.uint16)
        rows = min(rows, max(1, octets // self.template.nbytes))
        self.whole = np.empty((rows, len(self.template)), np.uint16)
        self.whole_mask = np.empty(self.whole.shape, bool)

    def rows(self, at: slice) -> bytes:
        self.matrix = self.whole[: at.stop - at.start]
        self.matrix[:] = self.template
        self.mask: np.ndarray | None = None
        for offset, column in self.columns:
            if isinstance(column, Scalar):
                self._scalar(offset, column, at)
            elif isinstance(column, Array):
                self._array(offset, column, at)
        if self.mask is None:
            return self.matrix.tobytes()
        # Masking costs more than copying, so whole rows are copied, in runs.
        whole = self.mask.all(axis=1)
        edges = [0, *(np.flatnonzero(whole[1:] != whole[:-1]) + 1).tolist(), len(whole)]
        return b"".join(self.matrix[a:b] if whole[a] else self.matrix[a:b][self.mask[a:b]] for a, b in pairwise(edges))

    def _scalar(self, offset: int, column: Scalar, at: slice) -> None:
        dtype = np.dtype(_DTYPE[column.type])
        self._numbers(offset + 4, dtype)[:, 0] = column.values[at]
        if column.null is not None and (null := column.null[at]).any():
            self._numbers(offset)[null, 0] = -1
            self._keep(offset + 4, dtype.itemsize)[null] = False

    def _array(self, offset: int, column: Array, at: slice) -> None:
        dtype, length = np.dtype(_DTYPE[column.type]), column.values.shape[1]
        if length == 0:
            return
        step = 4 + dtype.itemsize
        first = offset + 4 + _ARRAY_HEADER
        self._numbers(first + 4, dtype, length, step)[:] = column.values[at]
        if column.present[at].all():
            return
        gappy = np.flatnonzero(~column.present[at].all(axis=1))
        present = column.present[at][gappy]
        missing = length - present.sum(axis=1)
        self._numbers(offset)[gappy, 0] = _ARRAY_HEADER + length * step - dtype.itemsize * missing
        self._numbers(offset + 8)[gappy, 0] = 1
        row, element = np.nonzero(~present)
        self._numbers(first, length=length, step=step)[gappy[row], element] = -1
        elements = self._keep(first, length * step).reshape(-1, length, step // 2)
        elements[gappy[row], element, 2:] = False
        is_null = missing == length if column.null is None else column.null[at][gappy]
        if len(empty := gappy[is_null]):
            self._numbers(offset)[empty, 0] = -1
            self._keep(offset + 4, _ARRAY_HEADER + length * step)[empty] = False

    def _numbers(self, offset: int, dtype: np.dtype | str = ">i4", length: int = 1, step: int = 0) -> np.ndarray:
        """Numbers inside the matrix as (rows, length): the first `offset` octets into the row, then one every `step`."""
        return np.ndarray((len(self.matrix), length), dtype, self.matrix, offset, (self.matrix.strides[0], step))

    def _keep(self, offset: int, octets: int) -> np.ndarray:
        """The mask of `octets` octets of every row."""
        if self.mask is None:
            self.mask = self.whole_mask[: len(self.matrix)]
            self.mask[:] = True
        return self.mask[:, offset // 2 : (offset + octets) // 2]


def _full(column: Column) -> bytes:
    """A field with nothing NULL in it and all values 0."""
    if isinstance(column, Null) or (isinstance(column, Array) and column.values.shape[1] == 0):
        return np.array(-1, ">i4").tobytes()
    size = np.dtype(_DTYPE[column.type]).itemsize
    if isinstance(column, Scalar):
        return np.array(size, ">i4").tobytes() + bytes(size)
    length = column.values.shape[1]
    head = [_ARRAY_HEADER + length * (4 + size), 1, 0, _ELEMENT_OID[column.type], length, 1]
    return np.array(head, ">i4").tobytes() + (np.array(size, ">i4").tobytes() + bytes(size)) * length


@dataclass(frozen=True)
class Field:
    """A column that COPY … TO STDOUT gives: a scalar, or an array of `length`. Never NULL, nor anything in it."""

    name: str
    type: str
    length: int | None = None


def decode(octets: bytes, fields: Sequence[Field]) -> np.ndarray:
    """The rows of COPY … TO STDOUT (FORMAT binary) as a structured array, big-endian, without copying; dates are days since 2000-01-01.

    Rows are as long as each other, which NULLs and arrays of other lengths would break: raises ValueError.
    """
    parts: list[tuple[Any, ...]] = [("columns", ">i2")]
    for f in fields:
        dtype = _DTYPE[f.type]
        if f.length is None:
            parts += [(f"octets of {f.name}", ">i4"), (f.name, dtype)]
        else:
            parts += [(f"head of {f.name}", f"V{4 + _ARRAY_HEADER}"), (f.name, [("octets", ">i4"), ("value", dtype)], (f.length,))]
    row = np.dtype(parts)
    rows, rest = divmod(len(octets) - len(HEADER) - len(TRAILER), row.itemsize)
    found = np.frombuffer(octets, row, rows, len(HEADER)) if rows >= 0 and not rest else None
    if found is None or (rows and bool((found["columns"] != len(fields)).any())):
        raise ValueError(
            f"COPY gave {len(octets)} octets, which are no rows of {', '.join(f.name for f in fields)}: a NULL, or another length"
        )
    return found
