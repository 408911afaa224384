"""Makes the tokens that Superset takes from guests, and signs them with the secret that both hold."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

from api.auth import Caller
from api.database import Database
from api.embed import repository
from api.embed.schemas import GuestToken
from api.errors import Problem
from warehouse import settings

LIFE = timedelta(minutes=10)
AUDIENCE = "meterhouse-superset"
"""GUEST_TOKEN_JWT_AUDIENCE of Superset's configuration."""


def guest_token(pools: Database, caller: Caller, dashboard: str) -> GuestToken:
    """A token for one dashboard of the caller's DISCOM. Raises Problem: 404 no such dashboard, 503 there is no Superset."""
    secret = _secret()
    with pools.tenant(caller) as conn:
        known = repository.embedded(conn)
    if dashboard not in known:
        there = ", ".join(known) or "none yet: `meterhouse superset sync` brings them in"
        raise Problem(404, "NO_SUCH_DASHBOARD", "No such dashboard", f"no dashboard is called {dashboard!r}: there are {there}")
    now = datetime.now(UTC).replace(microsecond=0)
    claims = {
        "user": {"username": f"guest of {caller.discom}", "first_name": "Guest", "last_name": caller.discom},
        "resources": [{"type": "dashboard", "id": str(known[dashboard])}],
        # The dashboard's own database log-in sees this DISCOM alone; this stands above it.
        "rls_rules": [{"clause": f"discom_id = {caller.discom_id}"}],
        "iat": now,
        "exp": now + LIFE,
        "aud": AUDIENCE,
        "type": "guest",
    }
    token = jwt.encode(claims, secret, algorithm="HS256")
    return GuestToken(token=token, expires_at=now + LIFE, dashboard_id=known[dashboard], superset_url=_superset_url())


def _secrets_file() -> Path:
    return Path(os.environ.get("METERHOUSE_SUPERSET_SECRETS") or settings.home() / "superset" / "secrets.json")


def _secret() -> str:
    try:
        return str(json.loads(_secrets_file().read_text())["guest_token_secret"])
    except (OSError, ValueError, KeyError):
        detail = (
            "Superset does not run beside this API: `meterhouse superset up`, or let METERHOUSE_SUPERSET_SECRETS name its file of secrets"
        )
        raise Problem(503, "NO_SUPERSET", "Dashboards cannot be embedded", detail) from None


def _superset_url() -> str:
    if url := os.environ.get("METERHOUSE_SUPERSET_URL"):
        return url.rstrip("/")
    state = settings.home() / "superset" / "state.json"
    try:
        return str(json.loads(state.read_text())["url"])
    except (OSError, ValueError, KeyError):
        return "http://127.0.0.1:8088"
