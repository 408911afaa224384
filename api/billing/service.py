"""What of a delivery is stored, what was there, what is refused and why. No HTTP paths, no SQL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
from pydantic import ValidationError

from api.auth import Caller
from api.billing import repository
from api.billing.repository import BillRow, ReceiptRow
from api.billing.schemas import MAX_ROWS, ROWS, Bill, Delivery, Kind, Outcome, Page, Receipt, Refusal
from api.database import Database
from api.errors import Problem

MAX_ID = 2**63 - 1


@dataclass
class _Sorted:
    """The rows of a body: `good` by their place in it."""

    good: dict[int, Any]
    refusals: list[Refusal]
    unchanged: int = 0

    def refuse(self, row: int, code: str, detail: str) -> None:
        self.refusals.append(Refusal(row=row, number=_number(self.good.pop(row)), code=code, detail=detail))

    def drop(self, row: int) -> None:
        self.unchanged += 1
        del self.good[row]


def take(pools: Database, caller: Caller, kind: Kind, body: bytes) -> Outcome:
    """Store what can be stored and note the delivery, in one transaction.

    Raises Problem: 400 no JSON, 422 another shape than {kind: [...]}, or every row is refused (which is noted too).
    """
    rows = _rows(kind, body)
    sorted_ = _read(kind, rows)
    with pools.tenant(caller) as conn:
        repository.lock(conn, caller.discom_id)
        ids = repository.consumers(conn, {r.consumer for r in sorted_.good.values()})
        for row, r in list(sorted_.good.items()):
            if r.consumer not in ids:
                sorted_.refuse(
                    row, "UNKNOWN_CONSUMER", f"consumer {r.consumer!r} is not in the registry: import it, then send the row again"
                )
        (_take_bills if kind == "bills" else _take_receipts)(conn, caller.discom_id, sorted_, ids)
        refusals = sorted(sorted_.refusals, key=lambda r: r.row)
        counts = len(sorted_.good), sorted_.unchanged, len(refusals)
        digest = hashlib.sha256(body).digest()
        delivery = repository.note(conn, caller.discom_id, caller.who, kind, counts, digest, [r.model_dump() for r in refusals])
    stored, unchanged, rejected = counts
    if rejected == len(rows):
        detail = f"none of {rejected} {kind} could be stored; the delivery is noted as {delivery}"
        errors = [{"row": str(r.row), "number": r.number or "", "code": r.code, "detail": r.detail} for r in refusals]
        raise Problem(422, "NOTHING_ACCEPTED", "Nothing was accepted", detail, errors=errors)
    return Outcome(delivery=delivery, received=len(rows), stored=stored, unchanged=unchanged, rejected=rejected, refusals=refusals)


def listed(pools: Database, caller: Caller, before: int | None, size: int) -> Page:
    """Deliveries, newest first."""
    with pools.tenant(caller) as conn:
        found = repository.deliveries(conn, before, size + 1)
    items = [Delivery(**d) for d in found[:size]]
    return Page(items=items, next=items[-1].delivery if len(found) > size else None)


def _rows(kind: Kind, body: bytes) -> list[Any]:
    try:
        content = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as e:
        raise Problem(400, "NO_JSON", "The body cannot be read", f"the body is not JSON: {str(e)[:200]}; nothing was stored") from None
    rows = content.get(kind) if isinstance(content, dict) and set(content) == {kind} else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        detail = f'send {{"{kind}": [...]}} with 1 to {MAX_ROWS} rows; nothing was stored'
        raise Problem(422, "INVALID_REQUEST", "The request is not valid", detail)
    return rows


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _read(kind: Kind, rows: Sequence[Any]) -> _Sorted:
    model, result = ROWS[kind], _Sorted({}, [])
    for i, row in enumerate(rows):
        try:
            result.good[i] = model.model_validate(row)
        except ValidationError as e:
            faults = "; ".join(f"{'.'.join(map(str, x['loc'])) or 'row'}: {x['msg']}" for x in e.errors(include_input=False)[:5])
            refusal = Refusal(row=i, number=_number(row), code="INVALID_ROW", detail=_storable(faults, 500))
            result.refusals.append(refusal)
    return result


def _take_bills(conn: psycopg.Connection, discom_id: int, rows: _Sorted, ids: dict[str, int]) -> None:
    bills: dict[int, Bill] = rows.good
    there = repository.bills(conn, {b.number for b in bills.values()}, set(ids.values()), {b.month for b in bills.values()})
    by_number = {b.number: b for b in there if b.number is not None}
    of_month = {(b.consumer_id, b.month): b for b in there}
    new: dict[tuple[int, date], tuple[int, BillRow]] = {}
    for i, b in list(bills.items()):
        row = BillRow(ids[b.consumer], b.month, b.energy_wh, b.assessed, b.amount_inr, b.subsidy_inr, b.number, b.issued_on)
        earlier = by_number.setdefault(b.number, row)
        if earlier is not row:
            _same_again(rows, i, earlier == row, "bill", b.number)
            continue
        place = (row.consumer_id, row.month)
        rival = new.get(place)
        if not _is_later(row, rival[1] if rival else of_month.get(place)):
            rows.drop(i)
            continue
        if rival:
            rows.drop(rival[0])
        new[place] = i, row
    repository.store_bills(conn, discom_id, [row for _, row in new.values()])


def _is_later(bill: BillRow, rival: BillRow | None) -> bool:
    """Whether `bill` stands against another of its consumer and month: the same whichever came first."""
    if rival is None or rival.issued_on is None or bill.issued_on is None:
        return True
    return (bill.issued_on, bill.number or "") > (rival.issued_on, rival.number or "")


def _take_receipts(conn: psycopg.Connection, discom_id: int, rows: _Sorted, ids: dict[str, int]) -> None:
    receipts: dict[int, Receipt] = rows.good
    known = {r.receipt: r for r in repository.receipts(conn, {r.receipt for r in receipts.values()})}
    new: list[ReceiptRow] = []
    for i, r in list(receipts.items()):
        row = ReceiptRow(r.receipt, ids[r.consumer], r.received_on, r.kind, r.amount_inr)
        earlier = known.setdefault(r.receipt, row)
        if earlier is row:
            new.append(row)
        else:
            _same_again(rows, i, earlier == row, "receipt", r.receipt)
    repository.store_receipts(conn, discom_id, new)


def _same_again(rows: _Sorted, i: int, same: bool, what: str, number: str) -> None:
    if same:
        rows.drop(i)
    else:
        detail = f"{what} {number!r} is there with another content: what is changed is a new {what}, with a number of its own"
        rows.refuse(i, "NUMBER_REUSED", detail)


def _number(row: Any) -> str | None:
    """The number of a row, whatever the row is."""
    if isinstance(row, (Bill, Receipt)):
        return row.number if isinstance(row, Bill) else row.receipt
    found = (row.get("number") or row.get("receipt")) if isinstance(row, dict) else None
    return _storable(found, 64) if isinstance(found, str) else None


def _storable(text: str, length: int) -> str:
    """Text that JSON of the warehouse takes: no NUL, no half of a surrogate pair."""
    return text[:length].replace("\x00", "").encode("utf-8", "replace").decode()
