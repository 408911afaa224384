"""API keys: `mh_<key id>_<secret>`, of which the warehouse keeps a hash of the secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from api.auth.caller import Identity
from api.auth.repository import find_key, identity_of_key
from api.database import Database

HEADER = "X-API-Key"


def new_key() -> tuple[str, str, bytes]:
    """(the key to hand over, its id, the hash of its secret to keep)."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"mh_{key_id}_{secret}", key_id, hash_of(secret)


def hash_of(secret: str) -> bytes:
    """SHA-256; of a random secret of 256 bits, so no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()


def holder(pools: Database, key: str) -> Identity | None:
    """Whose key it is; None where it is none, was revoked or has ended."""
    parts = key.split("_", 2)
    return holder_of(pools, parts[1], parts[2]) if len(parts) == 3 and parts[0] == "mh" else None


def holder_of(pools: Database, key_id: str, secret: str | None) -> Identity | None:
    """As `holder`. Without a secret: of an access token that was given for the key."""
    if not (key_id.isalnum() and key_id.isascii() and len(key_id) <= 64):
        return None
    with pools.anonymous() as conn:
        known = find_key(conn, key_id)
    if known is None or (secret is not None and not hmac.compare_digest(known.secret_sha256, hash_of(secret))):
        return None
    return identity_of_key(key_id, known)
