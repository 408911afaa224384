"""The body of a push, unpacked up to a limit before anybody looks at it. How large it may be as sent: `api.limits`."""

from __future__ import annotations

import os
import zlib

from fastapi import Request

from api.errors import Problem
from api.limits import too_large


def max_content_bytes() -> int:
    """Largest body once unpacked: METERHOUSE_API_MAX_CONTENT_BYTES, 64 MiB by default."""
    return int(os.environ.get("METERHOUSE_API_MAX_CONTENT_BYTES", 64 << 20))


async def content(request: Request) -> bytes:
    """The body, unpacked. Raises Problem: 400 empty or broken gzip, 413 too large once unpacked, 415 another encoding than gzip."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Problem(
            415, "UNKNOWN_ENCODING", "Unsupported encoding", f"Content-Encoding {encoding[:40]!r} is not read: send gzip, or none"
        )
    taken = await request.body()
    body = _unpacked(taken) if encoding == "gzip" else taken
    if not body.strip():
        raise Problem(400, "EMPTY_BODY", "Nothing was sent", "the body is empty: send what you mean to store")
    return body


def _unpacked(packed: bytes) -> bytes:
    """gunzip that never holds more than the limit, whatever the body claims to be."""
    limit, out = max_content_bytes(), bytearray()
    rest = packed
    try:
        while rest:
            gzip = zlib.decompressobj(wbits=31)
            out += gzip.decompress(rest, limit + 1 - len(out))
            if len(out) > limit:
                raise too_large(limit, "once unpacked")
            if not gzip.eof:
                raise zlib.error("the body ends early")
            rest = gzip.unused_data  # gzip allows members one after the other
    except zlib.error as e:
        raise Problem(400, "BROKEN_GZIP", "The body cannot be unpacked", f"gzip: {e}: nothing was stored, send it again") from None
    return bytes(out)
