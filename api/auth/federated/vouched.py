"""What a provider says of who logs in, in one form whatever its protocol; and how a log-in fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api.errors import Problem

MOST_GROUPS = 1000
LONGEST = 256


class ProviderError(Exception):
    """The provider does not answer, or not as its protocol has it. The message is for the log of the operator."""


class RefusedError(Exception):
    """What was shown is not what it should be. The message is for the log and the client, so it holds no secret."""


@dataclass(frozen=True)
class Vouched:
    """Who a provider says that somebody is."""

    provider: str
    source: str
    """oidc, saml or ldap."""
    subject: str
    """Never given to another at the provider."""
    login: str
    name: str
    email: str | None
    groups: tuple[str, ...]


def vouched(provider: str, source: str, subject: Any, login: Any, name: Any, email: Any, groups: Iterable[Any]) -> Vouched:
    """Of what the provider said, each as it came. Raises RefusedError where that names nobody."""
    who = _text(subject, "subject")
    as_login = _text(login, "login").lower()
    held = tuple(dict.fromkeys(_text(g, "group") for g in groups))
    if len(held) > MOST_GROUPS:
        raise RefusedError(f"the provider names more than {MOST_GROUPS} groups: have it send those of this application alone")
    return Vouched(
        provider,
        source,
        who,
        as_login,
        _text(name, "name") if name else as_login,
        _text(email, "email") if email else None,
        held,
    )


def _text(value: Any, what: str) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise RefusedError(f"the provider says no {what}: see which claim or attribute holds it, and name that in the identity file")
    if len(text) > LONGEST or not text.isprintable():
        raise RefusedError(f"the {what} that the provider says is longer than {LONGEST} characters, or holds some that cannot be printed")
    return text


def not_available(provider: str) -> Problem:
    detail = f"the identity provider {provider} does not answer at this moment: try again in a while"
    return Problem(503, "PROVIDER_UNAVAILABLE", "Not available", detail, headers={"Retry-After": "10"})
