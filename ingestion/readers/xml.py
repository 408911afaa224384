"""XML by element paths: an element becomes a dict of its attributes (`@NAME`), children (lists by name) and `#text`.

Names are local: a namespace says which edition of a standard a sender wrote by, not what a name means.
A document with a DOCTYPE is refused: no meter file needs one, and entities are how XML is abused. A broken document gives
what stands before the break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from ingestion.canonical import Rejection
from ingestion.normalise import Rows, rejection
from ingestion.readers import tree
from ingestion.readers.unpack import Part
from ingestion.vendor import Vendor
from warehouse.codes import Reason

CHUNK = 1 << 20
MAX_DEPTH = 64
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)")


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one XML document, paths below its root element."""
    root = load(vendor, part, rejections)
    if root is not None:
        yield from tree.rows(vendor, root, show, 1, rejections)


def load(vendor: Vendor, part: Part, rejections: list[Rejection]) -> dict[str, Any] | None:
    """The root element, None where nothing can be read. Adds a rejection for what lies behind a break."""
    text = part.data.decode("utf-8-sig" if vendor.encoding == "utf-8" else vendor.encoding, "replace")
    if m := _DOCTYPE.search(text):
        line = text.count("\n", 0, m.start()) + 1
        detail = "the document has a DOCTYPE or ENTITY declaration, which is refused: ask for a plain export"
        rejections.append(rejection(Reason.MALFORMED, f"line {line}", text[m.start() :], detail))
        return None
    return _load(text, part, rejections)


class _TooDeep(Exception):
    """No meter file is nested so deep."""


class _Builder:
    """Target of the parser: dicts straight from its calls. What stands here when the parser breaks off is what could be read."""

    def __init__(self) -> None:
        self.root: dict[str, Any] | None = None
        self.open: list[dict[str, Any]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition("}")[2]
        node: dict[str, Any] = {"#name": tag}
        for name, value in attributes.items():
            node["@" + name.rpartition("}")[2]] = value
        if len(self.open) == MAX_DEPTH:
            raise _TooDeep(f"elements are nested deeper than {MAX_DEPTH}")
        if self.open:
            self.open[-1].setdefault(tag, []).append(node)
        else:
            self.root = node
        self.open.append(node)

    def end(self, tag: str) -> None:
        node = self.open.pop()
        if (text := node.get("#text")) is not None:
            if text := text.strip():
                node["#text"] = text
            else:
                del node["#text"]

    def data(self, text: str) -> None:
        self.open[-1]["#text"] = self.open[-1].get("#text", "") + text


def _load(text: str, part: Part, rejections: list[Rejection]) -> dict[str, Any] | None:
    builder = _Builder()
    parser = ElementTree.XMLParser(target=builder)  # noqa: S314 (a document with a DOCTYPE does not come this far)
    try:
        for at in range(0, len(text), CHUNK):
            parser.feed(text[at : at + CHUNK])
        parser.close()
    except _TooDeep as e:
        rejections.append(rejection(Reason.MALFORMED, part.name, text, str(e)))
        return None
    except ElementTree.ParseError as e:
        line, column = e.position
        tail = "\n".join(text.split("\n")[line - 1 :])[column:]
        where = f"line {line} column {column + 1}"
        if part.cut is not None:
            part.cut_at, part.tail = where, tail
        else:
            detail = f"not XML from here on: {e}. What stands before was read"
            rejections.append(rejection(Reason.MALFORMED, where, tail or text[-200:], detail))
    return builder.root


def show(node: Any) -> str:
    """A node as XML again."""
    if not isinstance(node, dict):
        return str(node)
    name = node.get("#name", "row")
    attributes = "".join(f" {k[1:]}={quoteattr(str(v))}" for k, v in node.items() if k.startswith("@"))
    inner = escape(node.get("#text", "")) + "".join(show(c) for v in node.values() if isinstance(v, list) for c in v)
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"
