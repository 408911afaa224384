"""JSON by array paths: rows of fields, or rows of (code, value) readings. A broken text gives what stands before the break."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ingestion.canonical import Rejection
from ingestion.normalise import Rows, rejection
from ingestion.readers import tree
from ingestion.readers.unpack import Part
from ingestion.vendor import Vendor
from warehouse.codes import Reason

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_CLOSE = {"[": "]", "{": "}"}


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one JSON payload."""
    root = load(vendor, part, rejections)
    if root is not None:
        yield from tree.rows(vendor, root, show, 0, rejections)


def show(node: Any) -> str:
    """A node as compact JSON."""
    try:
        return json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "nested too deep"


def load(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Any:
    """The payload as Python objects, None where nothing can be read. Adds a rejection for what lies behind a break."""
    text = part.data.decode("utf-8-sig" if vendor.encoding == "utf-8" else vendor.encoding, "replace")
    try:
        return json.loads(text)
    except json.JSONDecodeError as e:
        head = text[: e.pos]
        end, closers = _last_complete(head)
        tail = text[end:]
        where = f"line {e.lineno} column {e.colno}"
        if part.cut is not None:
            part.cut_at, part.tail = where, tail
        else:
            detail = f"not JSON from here on: {e.msg}. What stands before was read"
            rejections.append(rejection(Reason.MALFORMED, where, tail, detail))
        try:
            return json.loads(head[:end] + closers) if end else None
        except (ValueError, RecursionError):
            return None
    except (ValueError, RecursionError) as e:  # a number of thousands of digits, brackets without end
        rejections.append(rejection(Reason.MALFORMED, part.name, text, f"not readable: {e}"))
        return None


def _last_complete(text: str) -> tuple[int, str]:
    """(end of the last object or list that is closed, the brackets that close those still open there)."""
    end, closers = 0, ""
    stack: list[str] = []
    for m in _TOKEN.finditer(text):
        t = m.group()
        if t in _CLOSE:
            stack.append(_CLOSE[t])
        elif t in "]}":
            if not stack or stack.pop() != t:
                break
            end, closers = m.end(), "".join(reversed(stack))
    return end, closers
