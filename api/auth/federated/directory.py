"""LDAP: the user is searched for, and then bound as, with the password that was given (RFC 4511, 4513, 4515)."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPSASLPrepError
from ldap3.protocol.sasl.sasl import sasl_prep
from ldap3.utils.conv import escape_filter_chars

from api.auth.federated import config
from api.auth.federated.vouched import ProviderError, RefusedError, Vouched, vouched

INVALID_CREDENTIALS = 49
SUCCESS = 0
SIZE_LIMIT = 4
UNREADABLE = (ssl.SSLError, OSError, LDAPException)

NOT_KNOWN = "login or password is wrong"
"""One answer, whichever of them it is."""


class LdapProvider:
    """One directory. A connection a log-in: nobody's password stays in one."""

    def __init__(self, provider: config.Ldap) -> None:
        self.config = provider

    def check(self, login: str, password: str) -> Vouched:
        """Who that is. Raises ProviderError and RefusedError."""
        prepared = _prepared(password)
        c = self.config
        try:
            bind_password = c.bind_password.read() if c.bind_password else None
        except (OSError, KeyError) as e:
            raise ProviderError(f"{c.name}: the password of bind_dn cannot be read: {e}") from None
        try:
            with _Connection(c, c.bind_dn, bind_password) as searcher:
                found = searcher.search(c.search_base, c.user_filter.replace("{login}", escape_filter_chars(login)), self._wanted())
                if len(found) != 1:
                    raise RefusedError(NOT_KNOWN)
                dn, values = found[0]
                with _Connection(c, dn, prepared, of_user=True):
                    pass
                groups = self._groups(searcher, dn, login, values)
        except UNREADABLE as e:
            raise ProviderError(f"{c.name}: {c.url}: {type(e).__name__}: {e}") from None
        return vouched(
            c.name,
            "ldap",
            _first(values, c.subject),
            _first(values, c.login),
            _first(values, c.full_name),
            _first(values, c.email),
            groups,
        )

    def _wanted(self) -> list[str]:
        c = self.config
        return sorted({c.subject, c.login, c.full_name, c.email, *([c.groups] if c.groups else [])})

    def _groups(self, searcher: _Connection, dn: str, login: str, values: dict[str, list[str]]) -> list[str]:
        search = self.config.group_search
        if search is None:
            return values.get((self.config.groups or "").lower(), [])
        wanted = search.filter.replace("{dn}", escape_filter_chars(dn)).replace("{login}", escape_filter_chars(login))
        return [
            name for _, group in searcher.search(search.base, wanted, [search.name], most=0) for name in group.get(search.name.lower(), [])
        ]


class _Connection:
    """Bound as somebody; raises RefusedError where `of_user` and the directory does not know them so, else ProviderError."""

    def __init__(self, c: config.Ldap, dn: str | None, password: str | bytes | None, *, of_user: bool = False) -> None:
        self._config, self._of_user = c, of_user
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT, ca_certs_file=str(c.ca_file) if c.ca_file else None)
        server = ldap3.Server(c.url, tls=tls, connect_timeout=c.timeout_s, get_info=ldap3.NONE)
        self._connection = ldap3.Connection(
            server,
            dn,
            password,
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
            client_strategy=ldap3.SAFE_SYNC,
            receive_timeout=c.timeout_s,
            auto_referrals=False,  # a referral would carry the password to whom it names
            read_only=True,
        )

    def __enter__(self) -> _Connection:
        try:
            self._connection.open(read_server_info=False)
            if self._config.start_tls:
                self._connection.start_tls(read_server_info=False)
            done, result, _, _ = self._connection.bind()
            if not done:
                if self._of_user and result["result"] == INVALID_CREDENTIALS:
                    raise RefusedError(NOT_KNOWN)
                whose = "the user's bind" if self._of_user else f"the bind as {self._config.bind_dn or 'nobody'}"
                raise ProviderError(f"{self._config.name}: {whose} ends with {result['description']}")
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        with suppress(*UNREADABLE):
            self._connection.unbind()

    def search(self, base: str, wanted: str, attributes: list[str], most: int = 2) -> list[tuple[str, dict[str, list[str]]]]:
        """(dn, values by attribute in lower case) of at most `most` entries; 0 = as many as there are."""
        _, result, entries, _ = self._connection.search(
            base, wanted, attributes=attributes, size_limit=most, time_limit=max(1, int(self._config.timeout_s))
        )
        if result["result"] not in (SUCCESS, SIZE_LIMIT):
            raise ProviderError(f"{self._config.name}: the search below {base} ends with {result['description']}")
        found = [e for e in entries or [] if e["type"] == "searchResEntry"]
        return [(e["dn"], {k.lower(): [_text(k, v) for v in vs] for k, vs in e["raw_attributes"].items()}) for e in found]


def _prepared(password: str) -> bytes:
    """As a directory compares it (RFC 4013). Raises RefusedError where it cannot be one.

    Nothing, and what leaves nothing, as a soft hyphen, is none: a bind with a name and no password is anonymous, and may succeed
    (RFC 4513 5.1.2).
    """
    try:
        prepared = str(sasl_prep(password)).encode() if password else b""
    except (LDAPSASLPrepError, UnicodeEncodeError):
        prepared = b""
    if not prepared:
        raise RefusedError(NOT_KNOWN)
    return prepared


def _text(attribute: str, value: bytes) -> str:
    """Binary values as hex, as the objectGUID of Active Directory."""
    if attribute.lower() == "objectguid":
        return value.hex()
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _first(values: dict[str, list[str]], attribute: str) -> Any:
    return next(iter(values.get(attribute.lower(), [])), None)
