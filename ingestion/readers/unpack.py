"""Bytes as received -> plain files: gzip and zip, whole or cut off. Nothing here knows what is in the files."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.canonical import Rejection
from ingestion.normalise import rejection
from warehouse.codes import Reason

MAX_BYTES = 4 * 2**30
"""No payload of a day is as large; what unpacks to more is a decompression bomb."""

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


@dataclass
class Part:
    """One plain file. `cut`: why it ends early, or None; the reader then fills `tail` with what it could not read of the end."""

    name: str
    data: bytes
    cut: str | None = None
    cut_at: str | None = None
    tail: str = ""
    tail_values: int = 1
    member: str | None = None
    """Name within the archive; `name` is that of the archive."""


class Corrupt(Exception):
    """The packed data contradict themselves: nothing in them can be trusted."""


def unpack(name: str, content: bytes, rejections: list[Rejection], depth: int = 0) -> Iterator[Part]:
    """The plain files in `content`, told by its first bytes.

    A corrupt archive is rejected whole; of a truncated one comes what is there.
    """
    try:
        if content.startswith(_GZIP):
            data, whole = _inflate(content, 31)
            inner = Part(name, data, None if whole else f"the gzip ends early, after {len(data)} bytes of content")
        elif content.startswith(_ZIP) and depth == 0:
            for part in _zip(name, content):
                for inner in unpack(name, part.data, rejections, 1) if part.cut is None else [part]:
                    inner.member = part.member
                    yield inner
            return
        else:
            inner = Part(name, content)
    except Corrupt as e:
        rejections.append(rejection(Reason.MALFORMED, name, repr(content[:64]), f"{e}: ask for the file again"))
        return
    if inner.cut is None and depth < 2 and content.startswith(_GZIP) and inner.data.startswith((_GZIP, _ZIP)):
        yield from unpack(name, inner.data, rejections, depth + 1)
    else:
        yield inner


def _inflate(content: bytes, wbits: int, members: bool = True) -> tuple[bytes, bool]:
    """(decompressed, whole). Raises Corrupt."""
    out, room = io.BytesIO(), MAX_BYTES
    rest = content
    while rest:
        d = zlib.decompressobj(wbits)
        try:
            out.write(d.decompress(rest, room))
            out.write(d.flush() if not d.unconsumed_tail else b"")
        except zlib.error as e:
            raise Corrupt(f"the compressed data are corrupt ({e})") from None
        room = MAX_BYTES - out.tell()
        if d.unconsumed_tail or room <= 0:
            raise Corrupt(f"unpacks to more than {MAX_BYTES} bytes")
        if not d.eof:
            return out.getvalue(), False
        rest = d.unused_data.lstrip(b"\x00") if members else b""
        if rest and not rest.startswith(_GZIP):
            raise Corrupt("the gzip is followed by something else")
    return out.getvalue(), True


def _zip(name: str, content: bytes) -> Iterator[Part]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as z:
            members = [i for i in z.infolist() if not i.is_dir()]
            if sum(i.file_size for i in members) > MAX_BYTES:
                raise Corrupt(f"unpacks to more than {MAX_BYTES} bytes")
            if any(i.flag_bits & 1 for i in members):
                raise Corrupt("the zip is encrypted")
            for i in members:
                yield Part(name, z.read(i), member=i.filename)
    except zipfile.BadZipFile as e:
        if "File is not a zip file" not in str(e):
            raise Corrupt(f"the zip is corrupt ({e})") from None
        yield from _cut_zip(name, content)
    except (NotImplementedError, zlib.error, EOFError, struct.error) as e:
        raise Corrupt(f"the zip is corrupt ({e})") from None


def _cut_zip(name: str, content: bytes) -> Iterator[Part]:
    """A zip without its directory, which stands at the end: walk the local headers."""
    at, cut = 0, "the zip ends early: its directory is missing"
    while content.startswith(_ZIP, at) and len(content) >= at + 30:
        flags, method, _, _, packed, _, n, extra = struct.unpack_from("<HHIIIIHH", content, at + 6)
        start = at + 30 + n + extra
        member = content[at + 30 : at + 30 + n].decode("utf-8", "replace")
        body = content[start:] if flags & 8 else content[start : start + packed]
        if method not in (0, 8) or flags & 1:
            raise Corrupt("the zip ends early and is not deflated")
        data, whole = _inflate(body, -15, members=False) if method == 8 else (body, False)
        at = start + packed
        more = not flags & 8 and content.startswith(_ZIP, at)
        yield Part(name, data, None if more and whole else cut, member=member)
        if not more:
            return
    yield Part(name, b"", cut)
