"""The token endpoint's grants (RFC 6749) and revocation (RFC 7009), and how they say no. No SQL.

These two answer errors as RFC 6749, 5.2 wants them, so that any OAuth library understands; all other routes answer problem details.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus

from fastapi import Request
from starlette.responses import JSONResponse

from api.auth import keys, local, local_repository, sessions, sessions_repository, tokens
from api.auth.audit import AccessLog, Decision
from api.auth.keys import hash_of
from api.auth.require import within
from api.database import Database

LONGEST = 4096
"""Characters of a field."""

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

ErrorName = Literal["invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type", "unsupported_token_type"]


class Refusal(Exception):
    """An answer of the token endpoint other than tokens."""

    def __init__(self, error: ErrorName, code: str, description: str) -> None:
        super().__init__(description)
        self.error, self.code, self.description = error, code, description

    def response(self) -> JSONResponse:
        body = {"error": self.error, "error_description": self.description, "code": self.code}
        if self.error == "invalid_client":
            return JSONResponse(body, 401, {**NO_STORE, "WWW-Authenticate": 'Basic realm="meterhouse"'})
        return JSONResponse(body, 400, NO_STORE)


@dataclass(frozen=True)
class Given:
    """What a grant ends in."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None
    session_id: str | None = None


def grant(request: Request, pools: Database, form: Mapping[str, str | None]) -> Given:
    """Tokens for what a form asks for. Raises Refusal, and BusyError where too many log in at once."""
    fields = _fields(form)
    kind = fields.get("grant_type")
    if kind == "password":
        return _password(request, pools, fields)
    if kind == "refresh_token":
        return _refresh(pools, fields)
    if kind == "client_credentials":
        return _client(request, pools, fields)
    if kind is None:
        raise _missing("grant_type")
    raise Refusal("unsupported_grant_type", "UNSUPPORTED_GRANT", "grant_type is one of password, refresh_token, client_credentials")


def revoke(request: Request, pools: Database, form: Mapping[str, str | None]) -> None:
    """End the session of an access token or refresh token; what is none of ours is ended already. Raises Refusal."""
    token = _fields(form).get("token")
    if token is None:
        raise _missing("token")
    try:
        access = tokens.verify(token)
    except tokens.TokenError:
        with pools.auth() as conn:
            local_repository.revoke_by_refresh(conn, hash_of(token))
    else:
        if access.session_id is None:
            description = (
                f"the token of a key ends by itself within {tokens.LIFETIME_S // 60} minutes: revoke the key, which ends it at once"
            )
            raise Refusal("unsupported_token_type", "TOKEN_OF_A_KEY", description)
        with pools.auth() as conn:
            sessions_repository.revoke(conn, access.session_id, "revoked by its holder")
    request.app.state.known.forget()


def _password(request: Request, pools: Database, fields: Mapping[str, str]) -> Given:
    for name in ("username", "password"):
        if name not in fields:
            raise _missing(name)
    try:
        given, account = local.log_in(
            pools, fields["username"], fields["password"], fields.get("totp"), fields.get("discom"), fields.get("new_password")
        )
    except local.Refused as e:
        # What was typed as a login may be a password: only a login that there is goes into the log.
        _note(request, e.account.home_discom_id if e.account else None, _who(e.account), "refused")
        raise Refusal("invalid_grant", e.code, str(e)) from None
    _note(request, account.home_discom_id, _who(account), "allowed")
    return Given(given.access_token, given.expires_in, given.refresh_token, str(given.session_id))


def _refresh(pools: Database, fields: Mapping[str, str]) -> Given:
    if "refresh_token" not in fields:
        raise _missing("refresh_token")
    with pools.auth() as conn:
        given = sessions.prolong(conn, fields["refresh_token"])
    if given is None:
        raise Refusal("invalid_grant", "SESSION_ENDED", "this refresh token was used before, or its session has ended: log in again")
    return Given(given.access_token, given.expires_in, given.refresh_token, str(given.session_id))


def _client(request: Request, pools: Database, fields: Mapping[str, str]) -> Given:
    client_id, secret = _basic(request) or (fields.get("client_id"), fields.get("client_secret"))
    unknown = Refusal("invalid_client", "UNKNOWN_KEY", "client_id and client_secret are the id and the secret of an API key that is in use")
    identity = keys.holder_of(pools, client_id, secret) if client_id and secret else None
    if identity is None:
        _note(request, None, None, "refused")
        raise unknown
    who = f"{identity.name} ({identity.subject})"
    if identity.networks and not within(request, identity.networks):
        _note(request, identity.discom_id, who, "refused")
        raise Refusal("invalid_client", "WRONG_NETWORK", "this key may not be used from your address: have it added to the key's networks")
    _note(request, identity.discom_id, who, "allowed")
    return Given(tokens.issue_for_key(identity.subject), tokens.LIFETIME_S)


def _basic(request: Request) -> tuple[str, str] | None:
    """Of the header Authorization, each part form-encoded (RFC 6749, 2.3.1)."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id, colon, secret = "", "", ""
    return (unquote_plus(client_id), unquote_plus(secret)) if colon else ("", "")


def _fields(form: Mapping[str, str | None]) -> dict[str, str]:
    """What was sent; empty is as good as not sent (RFC 6749, 3.2)."""
    fields = {name: value for name, value in form.items() if value}
    for name, value in fields.items():
        if "\x00" in value or len(value) > LONGEST:
            raise Refusal("invalid_request", "INVALID_REQUEST", f"{name} holds a NUL character or more than {LONGEST} characters")
    return fields


def _missing(name: str) -> Refusal:
    return Refusal("invalid_request", "INVALID_REQUEST", f"{name} is missing: send it in a body of application/x-www-form-urlencoded")


def _who(account: local_repository.LocalAccount | None) -> str | None:
    return f"{account.name} ({account.login})" if account else None


def _note(request: Request, discom_id: int | None, who: str | None, outcome: Literal["allowed", "refused"]) -> None:
    log: AccessLog = request.app.state.access_log
    address = request.client.host if request.client else None
    request_id = getattr(request.state, "request_id", None)
    log.note(Decision(discom_id, who, "auth:log-in", outcome, request.method, request.url.path[:500], request_id, address))
