"""The body of a push: taken in up to a limit, and unpacked up to a limit, before anybody looks at it."""

from __future__ import annotations

import os
import zlib

from fastapi import Request

from api.errors import Problem


def max_body_bytes() -> int:
    """Largest body as sent: METERHOUSE_API_MAX_BODY_BYTES, 16 MiB by default."""
    return int(os.environ.get("METERHOUSE_API_MAX_BODY_BYTES", 16 << 20))


def max_content_bytes() -> int:
    """Largest body once unpacked: METERHOUSE_API_MAX_CONTENT_BYTES, 64 MiB by default."""
    return int(os.environ.get("METERHOUSE_API_MAX_CONTENT_BYTES", 64 << 20))


async def content(request: Request) -> bytes:
    """The body, unpacked. Raises Problem: 400 empty or broken gzip, 413 too large, 415 another encoding than gzip."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Problem(
            415, "UNKNOWN_ENCODING", "Unsupported encoding", f"Content-Encoding {encoding[:40]!r} is not read: send gzip, or none"
        )
    limit = max_body_bytes()
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        raise _too_large(limit, "as sent")
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > limit:
            raise _too_large(limit, "as sent")
    body = _unpacked(bytes(taken)) if encoding == "gzip" else bytes(taken)
    if not body.strip():
        raise Problem(400, "EMPTY_BODY", "Nothing was sent", "the body is empty: send readings or events")
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
                raise _too_large(limit, "once unpacked")
            if not gzip.eof:
                raise zlib.error("the body ends early")
            rest = gzip.unused_data  # gzip allows members one after the other
    except zlib.error as e:
        raise Problem(400, "BROKEN_GZIP", "The body cannot be unpacked", f"gzip: {e}: nothing was stored, send it again") from None
    return bytes(out)


def _too_large(limit: int, when: str) -> Problem:
    return Problem(413, "TOO_LARGE", "The body is too large", f"more than {limit} bytes {when}: send it in parts; nothing was stored")
