"""/api/v1/auth: log-ins by an identity provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response, status
from fastapi.responses import JSONResponse, RedirectResponse

from api.auth.audit import AccessLog, Decision
from api.auth.caller import Identity
from api.auth.federated import sealed
from api.auth.federated.config import PREFIX
from api.auth.federated.schemas import (
    Challenge,
    DiscomCode,
    LdapLogin,
    ProviderInfo,
    ProviderName,
    Providers,
    Redeem,
    SamlForm,
    TokenAnswer,
)
from api.auth.federated.sealed import BEGUN_S, Begun, SealError
from api.auth.federated.service import Federation
from api.auth.require import database
from api.auth.sessions import Tokens
from api.auth.sessions_repository import Account
from api.database import Database
from api.errors import Problem, problems

router = APIRouter(prefix=PREFIX, tags=["log-in"])


def federation(request: Request) -> Federation:
    """The application's providers."""
    known: Federation = request.app.state.federation
    return known


Pools = Annotated[Database, Depends(database)]
Known = Annotated[Federation, Depends(federation)]
Name = Annotated[ProviderName, Path(description="as GET /api/v1/auth/providers names it")]
Discom = Annotated[DiscomCode | None, Query(description="code of the DISCOM; needed where you hold roles in several")]
ReturnTo = Annotated[
    str | None,
    Query(max_length=2000, description="a page of `front_ends` that gets `?code=` in place of this answer; none of them: tokens as JSON"),
]
FrontEndChallenge = Annotated[Challenge | None, Query(description="with return_to: S256 of the page's code_verifier, as PKCE has it")]

AWAY: dict[int | str, dict[str, object]] = {
    303: {"description": "To the provider"},
    **problems(400, 403, 404, 422, 503),
}
BACK: dict[int | str, dict[str, object]] = {
    200: {"model": TokenAnswer, "description": "Logged in"},
    303: {"description": "To the front end, with a code for the tokens, or an error"},
    **problems(400, 401, 403, 404, 409, 422, 503),
}


@router.get("/providers", summary="Ways to log in that others vouch for")
def providers(known: Known) -> Providers:
    """For a log-in page. Says nothing of how they are set up."""
    return Providers(
        providers=[
            ProviderInfo(
                name=p.name,
                kind=p.kind,
                title=p.title,
                log_in=f"{known.identities.path}/{p.kind}/{p.name}" + ("" if p.kind == "ldap" else "/login"),
            )
            for p in known.identities.providers.values()
        ]
    )


@router.get("/oidc/{provider}/login", summary="Log in by OpenID Connect", status_code=303, response_class=Response, responses=AWAY)
def oidc_login(
    provider: Name,
    known: Known,
    discom: Discom = None,
    return_to: ReturnTo = None,
    code_challenge: FrontEndChallenge = None,
) -> Response:
    """Sends the browser to the provider, by authorization code with PKCE."""
    return _away(known, "oidc", provider, discom, return_to, code_challenge)


@router.get("/oidc/{provider}/callback", summary="Back from OpenID Connect", response_model=TokenAnswer, responses=BACK)
def oidc_callback(
    request: Request,
    provider: Name,
    known: Known,
    pools: Pools,
    state: Annotated[str, Query(min_length=1, max_length=256)],
    code: Annotated[str | None, Query(min_length=1, max_length=4096)] = None,
    iss: Annotated[str | None, Query(max_length=2000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """What the provider sends the browser back to."""
    begun = _begun(request, provider, state)

    def who() -> Account:
        if code is None or error is not None:
            said = "".join(c for c in error or "no code" if c.isascii() and (c.isalnum() or c in "_ ."))
            raise Problem(401, "NOT_VOUCHED", "The log-in is refused", f"the provider did not log you in: {said}")
        return known.finish_oidc(pools, begun, code, iss)

    return _back(request, known, pools, begun, who)


@router.get("/saml/{provider}/login", summary="Log in by SAML 2.0", status_code=303, response_class=Response, responses=AWAY)
def saml_login(
    provider: Name,
    known: Known,
    discom: Discom = None,
    return_to: ReturnTo = None,
    code_challenge: FrontEndChallenge = None,
) -> Response:
    """Sends the browser to the provider with an AuthnRequest, by redirect."""
    return _away(known, "saml", provider, discom, return_to, code_challenge)


@router.post("/saml/{provider}/acs", summary="Back from SAML 2.0", response_model=TokenAnswer, responses=BACK)
def saml_acs(request: Request, provider: Name, known: Known, pools: Pools, form: Annotated[SamlForm, Form()]) -> Response:
    """The assertion consumer service: what the provider has the browser POST its Response to."""
    begun = _begun(request, provider, form.RelayState)
    return _back(request, known, pools, begun, lambda: known.finish_saml(pools, begun, form.SAMLResponse))


@router.get(
    "/saml/{provider}/metadata",
    summary="Metadata of the SAML service provider",
    response_class=Response,
    responses={200: {"content": {"application/samlmetadata+xml": {}}}, **problems(404, 422)},
)
def saml_metadata(provider: Name, known: Known) -> Response:
    """For the provider's administrator to read in."""
    return Response(known.metadata(provider), media_type="application/samlmetadata+xml")


@router.post(
    "/ldap/{provider}", summary="Log in by LDAP", response_model=TokenAnswer, responses=problems(400, 401, 403, 404, 409, 422, 429, 503)
)
def ldap_login(request: Request, provider: Name, known: Known, pools: Pools, form: Annotated[LdapLogin, Form()]) -> Response:
    """Login and password as the directory knows them."""
    try:
        account = known.check_password(pools, provider, form.login, form.password)
        opened, identity = known.open_session(pools, provider, account, form.discom)
    except Problem:
        _note(request, provider, None, "refused")
        raise
    _note(request, provider, identity, "allowed")
    return _tokens(opened)


@router.post(
    "/federated/token", summary="Tokens for a front end's code", response_model=TokenAnswer, responses=problems(400, 403, 404, 422, 503)
)
def redeem(request: Request, known: Known, pools: Pools, form: Annotated[Redeem, Form()]) -> Response:
    """The code that a front end was sent is good once, for a minute, with the verifier of the challenge that the log-in began with."""
    try:
        provider, opened, identity = known.redeem(pools, form.code, form.code_verifier)
    except Problem:
        _note(request, "federated", None, "refused")
        raise
    _note(request, provider, identity, "allowed")
    return _tokens(opened)


def _away(known: Federation, kind: str, provider: str, discom: str | None, return_to: str | None, challenge: str | None) -> Response:
    url, begun = known.begin(kind, provider, discom, return_to, challenge)
    response = RedirectResponse(url, status.HTTP_303_SEE_OTHER, {"Cache-Control": "no-store"})
    response.set_cookie(
        _cookie(begun.state),
        sealed.seal(begun),
        max_age=BEGUN_S,
        path=known.identities.path,
        secure=known.identities.secure,
        httponly=True,
        # A SAML provider has the browser POST from its own site, where browsers send no other cookie along.
        samesite="none" if kind == "saml" and known.identities.secure else "lax",
    )
    return response


def _cookie(state: str) -> str:
    """One a log-in, so that those in two tabs do not disturb each other."""
    return f"mh_log_in_{''.join(c for c in state if c.isascii() and c.isalnum())[:16]}"


def _begun(request: Request, provider: str, state: str) -> Begun:
    """What this browser began, with this provider."""
    try:
        begun = sealed.open_begun(request.cookies.get(_cookie(state), ""))
    except SealError:
        begun = None
    if begun is None or begun.state != state or begun.provider != provider:
        detail = "this browser did not begin this log-in, or longer than ten minutes ago: begin a new one, with cookies allowed"
        _note(request, provider, None, "refused")
        raise Problem(400, "LOG_IN_UNKNOWN", "The log-in is refused", detail)
    return begun


def _back(request: Request, known: Federation, pools: Database, begun: Begun, who: Callable[[], Account]) -> Response:
    """Tokens; where a front end began, a code for it, or why there is none."""
    try:
        account = who()
        if begun.return_to is not None:
            response = _to_front_end(begun.return_to, {"code": known.hand_over(begun, account)})
        else:
            opened, identity = known.open_session(pools, begun.provider, account, begun.discom)
            _note(request, begun.provider, identity, "allowed")
            response = _tokens(opened)
    except Problem as e:
        _note(request, begun.provider, None, "refused")
        response = e.response() if begun.return_to is None else _to_front_end(begun.return_to, {"error": e.code})
    response.delete_cookie(_cookie(begun.state), path=known.identities.path)
    return response


def _to_front_end(page: str, said: dict[str, str]) -> Response:
    return RedirectResponse(
        f"{page}?{urlencode(said)}", status.HTTP_303_SEE_OTHER, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )


def _tokens(opened: Tokens) -> Response:
    answer = TokenAnswer(access_token=opened.access_token, expires_in=opened.expires_in, refresh_token=opened.refresh_token)
    return JSONResponse(answer.model_dump(), headers={"Cache-Control": "no-store"})


def _note(request: Request, provider: str, identity: Identity | None, outcome: Literal["allowed", "refused"]) -> None:
    log: AccessLog = request.app.state.access_log
    log.note(
        Decision(
            identity.discom_id or None if identity else None,
            f"{identity.name} ({identity.subject})" if identity else None,
            f"log-in:{provider}",
            outcome,
            request.method,
            request.url.path[:500],
            getattr(request.state, "request_id", None),
            request.client.host if request.client else None,
        )
    )
