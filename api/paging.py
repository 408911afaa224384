"""Cursors of pages: where the page before ended, as a text that callers hand back unread."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query

from api.errors import Problem
from api.instants import Instant

LONGEST = 400
Cursor = Annotated[str | None, Query(max_length=LONGEST, description="`next` of the page before")]
Since = Annotated[Instant | None, Query(description="only what changed at this time or later")]
_READ: dict[type, Any] = {date: date.fromisoformat, datetime: datetime.fromisoformat}
_LARGEST = 2**63 - 1


def cursor(*values: str | int | date | datetime) -> str:
    """The key of a page's last row, in the order that the page is sorted by."""
    written = [v.isoformat() if isinstance(v, date) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str, *types: type) -> tuple[Any, ...]:
    """The values of a cursor, each of its type (str, int, date, datetime). Raises Problem 422 where it is none of ours.

    It only says where to go on: what a caller may see is the database's business, so a cursor that somebody made up gains nothing.
    """
    try:
        if len(text) > LONGEST:
            raise ValueError
        values = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(types):
            raise ValueError
        return tuple(_value(v, t) for v, t in zip(values, types, strict=True))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        detail = "the cursor cannot be read: use `next` of the page before"
        raise Problem(422, "UNKNOWN_CURSOR", "The request is not valid", detail) from None


def _value(value: Any, wanted: type) -> Any:
    if wanted in _READ:
        if not isinstance(value, str):
            raise TypeError
        found = _READ[wanted](value)
        if wanted is datetime and found.tzinfo is None:
            raise ValueError
        return found
    if type(value) is not wanted or (isinstance(value, int) and abs(value) > _LARGEST):
        raise TypeError
    if isinstance(value, str):
        value.encode()  # raises UnicodeEncodeError, a ValueError, for half a character
        if "\x00" in value:
            raise ValueError
    return value
