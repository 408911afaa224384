"""/api/v1/auth and /.well-known/jwks.json."""

from __future__ import annotations

import logging
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response, status
from fastapi.responses import JSONResponse

from api.auth import local, me, oauth, passwords, tokens
from api.auth import totp as totp_codes
from api.auth.caller import Caller
from api.auth.changes import Origin
from api.auth.local import AccountError
from api.auth.require import database, require
from api.auth.schemas import Code, Enrolment, KeySet, Me, OAuthError, PasswordChange, Sessions, TokenAnswer
from api.database import Database
from api.errors import MEDIA_TYPE, Problem, ProblemDetails, problems

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], responses=problems(503))
well_known = APIRouter(tags=["auth"])

Pools = Annotated[Database, Depends(database)]
Known = Annotated[Caller, Depends(require(None))]
Field = Annotated[str | None, Form()]

_OAUTH: dict[int | str, dict[str, object]] = {
    s: {"model": OAuthError, "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}}}}
    for s in (400, 401)
}
_OF_ONESELF = problems(401, 403, 429)


@router.post("/token", summary="Log in, prolong a session, or change a key for a token", responses={**_OAUTH, **problems(422)})
def token(
    request: Request,
    pools: Pools,
    grant_type: Field = None,
    username: Field = None,
    password: Field = None,
    totp: Annotated[str | None, Form(description="code of the authenticator app, where the account has one")] = None,
    discom: Annotated[str | None, Form(description="code of the DISCOM, of who holds roles in several")] = None,
    new_password: Annotated[str | None, Form(description="one's own, in place of a one-time password")] = None,
    refresh_token: Field = None,
    client_id: Annotated[str | None, Form(description="id of an API key; or both by HTTP Basic")] = None,
    client_secret: Annotated[str | None, Form(description="what follows the id in an API key")] = None,
) -> TokenAnswer:
    """grant_type `password`, `refresh_token` or `client_credentials` (RFC 6749). Errors as its section 5.2 has them, with a `code`."""
    form = {
        "grant_type": grant_type,
        "username": username,
        "password": password,
        "totp": totp,
        "discom": discom,
        "new_password": new_password,
        "refresh_token": refresh_token,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    try:
        given = oauth.grant(request, pools, form)
    except oauth.Refusal as e:
        return e.response()  # type: ignore[return-value]
    except passwords.BusyError as e:
        raise _busy(e) from None
    except totp_codes.SealError as e:
        raise _sealed(e) from None
    return JSONResponse(given_fields(given), headers=oauth.NO_STORE)  # type: ignore[return-value]


def given_fields(given: oauth.Given) -> dict[str, object]:
    fields = {"access_token": given.access_token, "token_type": "Bearer", "expires_in": given.expires_in}
    more = {"refresh_token": given.refresh_token, "session_id": given.session_id}
    return fields | {k: v for k, v in more.items() if v is not None}


@router.post("/revoke", summary="End the session of a token", responses={400: _OAUTH[400], **problems(422)})
def revoke(request: Request, pools: Pools, token: Field = None, token_type_hint: Field = None) -> dict[str, str]:
    """RFC 7009: 200 also for a token that is none."""
    try:
        oauth.revoke(request, pools, {"token": token})
    except oauth.Refusal as e:
        return e.response()  # type: ignore[return-value]
    return {}


@router.get("/me", summary="Who I am, and what I may do where", responses=_OF_ONESELF)
def who_am_i(pools: Pools, caller: Known) -> Me:
    return me.me(pools, caller.identity)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, summary="End this session", responses=_OF_ONESELF)
def logout(request: Request, pools: Pools, caller: Known) -> Response:
    _, session_id = _session(caller)
    me.end_session(pools, caller.identity, session_id, "logged out")
    request.app.state.known.forget()
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/password",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Change my password, which ends my other sessions",
    responses={**_OF_ONESELF, **problems(400, 409, 422)},
)
def password(request: Request, change: PasswordChange, pools: Pools, caller: Known) -> Response:
    account_id, session_id = _session(caller)
    try:
        local.change_password(pools, account_id, session_id, change.present, change.new, Origin.of(request))
    except AccountError as e:
        raise _problem(e) from None
    except passwords.BusyError as e:
        raise _busy(e) from None
    request.app.state.known.forget()
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/totp",
    status_code=status.HTTP_201_CREATED,
    summary="Begin to use an authenticator app",
    responses={**_OF_ONESELF, **problems(409)},
)
def enrol(pools: Pools, caller: Known, response: Response) -> Enrolment:
    """Log-ins ask for its codes once `/totp/confirm` has had one. Needs a session of the last five minutes."""
    account_id, session_id = _session(caller)
    try:
        secret, uri = local.enrol(pools, account_id, session_id)
    except AccountError as e:
        raise _problem(e) from None
    response.headers.update(oauth.NO_STORE)
    return Enrolment(secret=secret, uri=uri)


@router.post(
    "/totp/confirm",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Confirm the authenticator app with a code of it",
    responses={**_OF_ONESELF, **problems(400, 409, 422)},
)
def confirm(request: Request, code: Code, pools: Pools, caller: Known) -> Response:
    account_id, _ = _session(caller)
    try:
        local.confirm(pools, account_id, code.code, Origin.of(request))
    except AccountError as e:
        raise _problem(e) from None
    except totp_codes.SealError as e:
        raise _sealed(e) from None
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.delete(
    "/totp",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Use no authenticator app any more",
    responses={**_OF_ONESELF, **problems(409)},
)
def remove_totp(request: Request, pools: Pools, caller: Known) -> Response:
    """Needs a session of the last five minutes."""
    account_id, session_id = _session(caller)
    try:
        local.remove_totp(pools, account_id, session_id, Origin.of(request))
    except AccountError as e:
        raise _problem(e) from None
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/sessions", summary="My sessions that last, the latest first", responses=_OF_ONESELF)
def list_sessions(pools: Pools, caller: Known) -> Sessions:
    _session(caller)
    return me.sessions(pools, caller.identity)


@router.delete(
    "/sessions/{id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End a session of mine",
    responses={**_OF_ONESELF, **problems(404, 422)},
)
def end_session(request: Request, id: UUID, pools: Pools, caller: Known) -> Response:
    _session(caller)
    me.end_session(pools, caller.identity, id, "ended by its holder")
    request.app.state.known.forget()
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@well_known.get("/.well-known/jwks.json", summary="The public keys of access tokens")
def jwks(response: Response) -> KeySet:
    response.headers["Cache-Control"] = "public, max-age=300"
    return KeySet.model_validate(tokens.key_set())


def _session(caller: Caller) -> tuple[int, UUID]:
    """(account, session). Raises Problem 403 for a key."""
    if caller.identity.account_id is None or caller.identity.session_id is None:
        detail = "this is for people who have logged in; a key has no password and no session: POST /api/v1/auth/token"
        raise Problem(403, "NO_SESSION", "Not for keys", detail)
    return caller.identity.account_id, UUID(caller.identity.session_id)


_STATUS = {"NOT_LOCAL": 409, "TOTP_ALREADY": 409, "NOT_ENROLLED": 409, "NOT_FRESH": 403, "WRONG_PASSWORD": 400, "WRONG_CODE": 400}


def _problem(e: AccountError) -> Problem:
    return Problem(_STATUS.get(e.code, 422), e.code, "This cannot be done", str(e))


def _sealed(e: Exception) -> Problem:
    logger.error("a second factor cannot be checked: %s", e)
    detail = "your second factor cannot be checked at this moment: see the log of this service, or ask your administrator"
    return Problem(503, "SECOND_FACTOR_SEALED", "Not available", detail)


def _busy(e: Exception) -> Problem:
    return Problem(503, "BUSY", "Not available", str(e), headers={"Retry-After": "5"})
