"""XML by element paths: an element becomes a dict of its attributes (`@NAME`), children (lists by name) and `#text`.

A document with a DOCTYPE is refused: no meter file needs one, and entities are how XML is abused. A broken document gives
what stands before the break.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, cast
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from ingestion.canonical import Rejection
from ingestion.normalise import Rows, rejection
from ingestion.readers import tree
from ingestion.readers.unpack import Part
from ingestion.vendor import Vendor
from warehouse.codes import Reason

CHUNK = 1 << 20
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)")


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one XML document, paths below its root element."""
    text = part.data.decode("utf-8-sig" if vendor.encoding == "utf-8" else vendor.encoding, "replace")
    if m := _DOCTYPE.search(text):
        line = text.count("\n", 0, m.start()) + 1
        detail = "the document has a DOCTYPE or ENTITY declaration, which is refused: ask for a plain export"
        rejections.append(rejection(Reason.MALFORMED, f"line {line}", text[m.start() :], detail))
        return
    root = _load(text, part, rejections)
    if root is not None:
        yield from tree.rows(vendor, root, show, 1, rejections)


def _load(text: str, part: Part, rejections: list[Rejection]) -> dict[str, Any] | None:
    parser = ElementTree.XMLPullParser(events=("start", "end"))
    stack: list[dict[str, Any]] = []
    root: dict[str, Any] | None = None
    fault: ElementTree.ParseError | None = None

    def drain() -> None:
        nonlocal root
        for event, element in cast("Iterator[tuple[str, ElementTree.Element]]", parser.read_events()):
            if event == "start":
                node: dict[str, Any] = {"#name": element.tag, **{f"@{k}": v for k, v in element.attrib.items()}}
                if stack:
                    stack[-1].setdefault(element.tag, []).append(node)
                else:
                    root = node
                stack.append(node)
            else:
                if element.text and element.text.strip():
                    stack[-1]["#text"] = element.text.strip()
                stack.pop()
                element.clear()

    try:
        for at in range(0, len(text), CHUNK):
            parser.feed(text[at : at + CHUNK])
            drain()
        parser.close()
        drain()
    except ElementTree.ParseError as e:
        fault = e
    if fault is not None:
        with contextlib.suppress(ElementTree.ParseError):
            drain()
        line, column = fault.position
        tail = "\n".join(text.split("\n")[line - 1 :])[column:]
        where = f"line {line} column {column + 1}"
        if part.cut is not None:
            part.cut_at, part.tail = where, tail
        else:
            detail = f"not XML from here on: {fault}. What stands before was read"
            rejections.append(rejection(Reason.MALFORMED, where, tail or text[-200:], detail))
    return root


def show(node: Any) -> str:
    """A node as XML again."""
    if not isinstance(node, dict):
        return str(node)
    name = node.get("#name", "row")
    attributes = "".join(f" {k[1:]}={quoteattr(str(v))}" for k, v in node.items() if k.startswith("@"))
    inner = escape(node.get("#text", "")) + "".join(show(c) for v in node.values() if isinstance(v, list) for c in v)
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"
