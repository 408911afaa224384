"""Idempotency-Key: a POST that is sent again with the same key acts once, and is answered as it was.

The middleware reads the request and keeps the answer; `begin`, which `api.auth.require` calls once it is known who asks, claims the key.
A route that has the header as a parameter of its own (commands) does it itself.
"""

from api.idempotency.middleware import HEADER, Idempotent, Replay, begin, on_replay

__all__ = ["HEADER", "Idempotent", "Replay", "begin", "on_replay"]
