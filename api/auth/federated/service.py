"""The log-ins of an application by its identity providers, whatever their protocol; and the callers that show a provider's own token."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import psycopg
from psycopg.errors import UniqueViolation

from api.auth import sessions, sessions_repository
from api.auth.caller import Identity
from api.auth.federated import config, repository, sealed
from api.auth.federated.directory import NOT_KNOWN, LdapProvider
from api.auth.federated.oidc import OidcProvider, issuer_of, s256
from api.auth.federated.saml import SamlProvider
from api.auth.federated.sealed import BEGUN_S, DONE_S, Begun, Done, SealError
from api.auth.federated.vouched import ProviderError, RefusedError, Vouched, not_available
from api.auth.limits import Limits
from api.auth.repository import identity_of_session
from api.auth.sessions import LogInError, Tokens
from api.auth.sessions_repository import Account
from api.database import Database
from api.errors import Problem

logger = logging.getLogger(__name__)

TRIES_PER_MIN = 10
"""Passwords that may be tried for one login."""
MOST_COUNTED = 10_000
CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
T = TypeVar("T")

STATUS = {"NO_ROLE": 403, "WHICH_DISCOM": 422}


class Federation:
    """The providers of one application."""

    def __init__(self, identities: config.Identities) -> None:
        self.identities = identities
        url = f"{identities.public_url}{config.PREFIX}"
        self._oidc: dict[str, OidcProvider] = {}
        self._saml: dict[str, SamlProvider] = {}
        self._ldap: dict[str, LdapProvider] = {}
        for p in identities.providers.values():
            if isinstance(p, config.Oidc):
                self._oidc[p.name] = OidcProvider(p, f"{url}/oidc/{p.name}/callback")
            elif isinstance(p, config.Saml):
                self._saml[p.name] = SamlProvider(p, f"{url}/saml/{p.name}/acs")
            else:
                self._ldap[p.name] = LdapProvider(p)
        self._tries = Limits()
        self._tried: set[str] = set()

    @staticmethod
    def of_environment() -> Federation:
        """Of the file that METERHOUSE_IDENTITY_FILE names, if any. Raises IdentityFileError."""
        return Federation(config.load())

    def close(self) -> None:
        for p in self._oidc.values():
            p.close()

    # --- by a browser ---

    def begin(self, kind: str, name: str, discom: str | None, return_to: str | None, challenge: str | None) -> tuple[str, Begun]:
        """(where the browser goes, what its cookie is to remember). Raises Problem."""
        provider: OidcProvider | SamlProvider = _known(self._oidc, name) if kind == "oidc" else _known(self._saml, name)
        if return_to is not None and return_to not in self.identities.front_ends:
            raise Problem(
                400, "UNKNOWN_FRONT_END", "Not a page of ours", "return_to must be one of front_ends in the identity file, letter by letter"
            )
        if (return_to is None) != (challenge is None):
            detail = "return_to and code_challenge belong together: the page that is returned to shows the code_verifier for the tokens"
            raise Problem(400, "CHALLENGE_MISSING", "The log-in cannot begin", detail)
        if discom is not None and not _serves(provider.config, discom):
            raise _no_role()
        try:
            return provider.begin(discom, return_to, challenge)
        except ProviderError as e:
            raise _down(name, e) from None

    def finish_oidc(self, pools: Database, begun: Begun, code: str, issuer: str | None) -> Account:
        """Who came back from the provider. Raises Problem."""
        provider = _known(self._oidc, begun.provider)
        self._spend(pools, begun)
        try:
            who = provider.finish(begun, code, issuer)
        except ProviderError as e:
            raise _down(begun.provider, e) from None
        except RefusedError as e:
            raise _refused(begun.provider, e) from None
        return _account(pools, who)

    def finish_saml(self, pools: Database, begun: Begun, response: str) -> Account:
        """Who came back from the provider. Raises Problem."""
        provider = _known(self._saml, begun.provider)
        try:
            confirmed = provider.finish(begun, response)
        except RefusedError as e:
            raise _refused(begun.provider, e) from None
        with pools.auth() as conn:
            new = repository.spend(conn, f"assertion:{provider.config.issuer}:{confirmed.assertion_id}", confirmed.until)
        if not new:
            raise _refused(begun.provider, RefusedError("the assertion was used before: log in again"))
        self._spend(pools, begun)
        return _account(pools, confirmed.vouched)

    def metadata(self, name: str) -> bytes:
        """Of our side of a SAML provider. Raises Problem."""
        return _known(self._saml, name).metadata()

    def open_session(self, pools: Database, provider: str, account: Account, discom: str | None) -> tuple[Tokens, Identity | None]:
        """Log in who was vouched for. Raises Problem."""
        p = _known(self.identities.providers, provider)
        try:
            with pools.auth() as conn:
                opened = sessions.open_session(conn, account, _discom(conn, p, account, discom))
        except LogInError as e:
            raise Problem(STATUS.get(e.code, 403), e.code, "The log-in is refused", str(e)) from None
        with pools.auth() as conn:
            return opened, identity_of_session(conn, opened.session_id)

    # --- by a front end ---

    def hand_over(self, begun: Begun, account: Account) -> str:
        """A code for which the front end gets the tokens, once and soon."""
        assert begun.challenge is not None
        return sealed.seal(Done(begun.provider, account.account_id, begun.discom, begun.challenge, secrets.token_urlsafe(16)))

    def redeem(self, pools: Database, code: str, verifier: str) -> tuple[str, Tokens, Identity | None]:
        """(provider, tokens, who) for a code. Raises Problem."""
        detail = "the code is none of ours, was used before, is too old, or code_verifier is not that of its code_challenge: log in again"
        wrong = Problem(400, "INVALID_CODE", "The code is not accepted", detail)
        try:
            done = sealed.open_done(code)
        except SealError:
            raise wrong from None
        with pools.auth() as conn:
            # Used up also by a wrong verifier: who has the code but not the verifier has stolen it.
            new = repository.spend(conn, f"code:{done.once}", timedelta(seconds=DONE_S))
        if not new or not hmac.compare_digest(s256(verifier), done.challenge):
            raise wrong
        with pools.auth() as conn:
            account = repository.account(conn, done.account_id)
        if account is None:
            raise _disabled()
        return done.provider, *self.open_session(pools, done.provider, account, done.discom)

    # --- by password ---

    def check_password(self, pools: Database, name: str, login: str, password: str) -> Account:
        """Who that is in a directory. Raises Problem."""
        provider = _known(self._ldap, name)
        wait = self._count(f"{name}:{login.strip().lower()}")
        if wait > 0:
            detail = f"a login may be tried {TRIES_PER_MIN} times a minute: wait {wait:.0f} s"
            raise Problem(429, "TOO_OFTEN", "Too many log-ins", detail, headers={"Retry-After": str(int(wait) + 1)})
        try:
            if not login.isprintable():
                raise RefusedError(NOT_KNOWN)
            who = provider.check(login, password)
        except ProviderError as e:
            raise _down(name, e) from None
        except RefusedError as e:
            raise Problem(401, "WRONG_CREDENTIALS", "The log-in is refused", str(e)) from None
        return _account(pools, who)

    def _count(self, login: str) -> float:
        if len(self._tried) >= MOST_COUNTED:
            self._tried, self._tries = set(), Limits()
        self._tried.add(login)
        return self._tries.take(login, TRIES_PER_MIN)

    # --- by a token of the provider ---

    def holder_of_token(self, pools: Database, token: str) -> Identity | None:
        """Whose access token it is; None where it is of no provider whose tokens are taken. Raises Problem."""
        if not self.identities.by_issuer:
            return None
        p = self.identities.by_issuer.get(issuer_of(token) or "")
        if p is None:
            return None
        try:
            who = self._oidc[p.name].program(token)
        except ProviderError as e:
            raise _down(p.name, e) from None
        except RefusedError as e:
            raise Problem(401, "INVALID_TOKEN", "Who calls is not known", str(e), headers=CHALLENGE) from None
        with _taken(who, 403), pools.auth() as conn:
            account = repository.account_of_program(conn, who)
        if account is None:
            raise _disabled()
        with pools.auth() as conn:
            held = [i for i in repository.identities_of(conn, account, who.groups) if _serves(p, i.discom)]
        if not held:
            raise _no_role()
        if len(held) > 1:
            detail = f"this token holds roles in {', '.join(i.discom for i in held)}: use a client of its own for each DISCOM"
            raise Problem(403, "WHICH_DISCOM", "Not allowed", detail)
        return held[0]

    def _spend(self, pools: Database, begun: Begun) -> None:
        with pools.auth() as conn:
            new = repository.spend(conn, f"state:{begun.state}", timedelta(seconds=BEGUN_S))
        if not new:
            raise Problem(400, "LOG_IN_USED", "The log-in is refused", "this log-in was finished before: begin a new one")


def _known(providers: Mapping[str, T], name: str) -> T:
    if name not in providers:
        raise Problem(
            404, "UNKNOWN_PROVIDER", "No such provider", "GET /api/v1/auth/providers lists those that there are, each with its kind"
        )
    return providers[name]


def _account(pools: Database, who: Vouched) -> Account:
    """It is kept also where it holds no role yet, so that an administrator can give it one."""
    with _taken(who), pools.auth() as conn:
        account = sessions_repository.account_of_provider(
            conn, who.source, who.provider, who.subject, who.login, who.name, who.email, who.groups
        )
    if account is None:
        raise _disabled()
    return account


@contextmanager
def _taken(who: Vouched, status: int = 409) -> Iterator[None]:
    try:
        yield
    except UniqueViolation:
        detail = f"the login {who.login} belongs to another account: have the administrator rename that, or map another claim to the login"
        raise Problem(status, "LOGIN_TAKEN", "The log-in is refused", detail) from None


def _serves(provider: config.Provider, discom: str) -> bool:
    return provider.discoms is None or discom in provider.discoms


def _discom(conn: psycopg.Connection, provider: config.Provider, account: Account, wanted: str | None) -> str | None:
    """In which DISCOM: none but those that the provider serves. Raises LogInError."""
    if wanted is not None and not _serves(provider, wanted):
        raise LogInError("NO_ROLE", "you hold no role there: ask the administrator of the DISCOM for one")
    if wanted is not None or provider.discoms is None:
        return wanted
    held = sorted(provider.discoms & set(sessions_repository.discoms_of(conn, account)))
    if len(held) > 1:
        raise LogInError("WHICH_DISCOM", f"you hold roles in {', '.join(held)}: say in which you log in")
    return held[0] if held else min(provider.discoms)  # where it holds no role, which is then said


def _no_role() -> Problem:
    detail = "you hold no role there: ask the administrator of the DISCOM for one"
    return Problem(403, "NO_ROLE", "The log-in is refused", detail)


def _disabled() -> Problem:
    return Problem(403, "ACCOUNT_DISABLED", "The log-in is refused", "this account is disabled: ask the administrator of your DISCOM")


def _refused(provider: str, e: RefusedError) -> Problem:
    logger.info("a log-in by %s is refused: %s", provider, e)
    return Problem(401, "NOT_VOUCHED", "The log-in is refused", str(e))


def _down(provider: str, e: ProviderError) -> Problem:
    logger.warning("the identity provider %s: %s", provider, e)
    return not_available(provider)
