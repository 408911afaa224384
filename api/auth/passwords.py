"""Passwords: what is good enough, and how they are kept (argon2id). No accounts here, no SQL."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 12
MOST = 256
LEAST_KINDS = 5
"""Characters that differ."""

AT_ONCE = 4
WAIT_S = 5.0
"""A hash takes 64 MiB and a core: no more than so many at a time in a process, and nobody waits longer for a turn."""

_HASHER = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_ONCE)


class PasswordError(ValueError):
    """The password is not good enough; the message says why and what would be."""


class BusyError(RuntimeError):
    """Too many log-ins at once."""


def check(password: str, login: str) -> None:
    """Raises PasswordError unless it may be somebody's own password."""
    text = _normal(password)
    if len(text) < LEAST:
        raise PasswordError(f"the password has fewer than {LEAST} characters: a sentence of four words is good")
    if len(text) > MOST:
        raise PasswordError(f"the password has more than {MOST} characters: take a shorter one")
    names = (login.casefold(), login.casefold().partition("@")[0])
    if any(name in text.casefold() for name in names if len(name) >= 4):
        raise PasswordError("the password holds the login: take another")
    if len(set(text)) < LEAST_KINDS:
        raise PasswordError(f"the password has fewer than {LEAST_KINDS} different characters: take another")


def one_time() -> str:
    """A password to hand over: 100 bits, in groups that can be read out."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def hashed(password: str) -> str:
    """To keep. Raises BusyError."""
    with _turn():
        return _HASHER.hash(_normal(password))


def verify(kept: str | None, password: str) -> bool:
    """Whether it is the password of the hash. Without one it takes as long and is wrong. Raises BusyError."""
    text = _normal(password[: MOST + 1])
    with _turn():
        try:
            right = _HASHER.verify(kept or _nobodys(), text)
        except (VerificationError, InvalidHashError):
            return False
    return right and kept is not None


def outdated(kept: str) -> bool:
    """Whether it was made with other parameters than today's: make it anew at the next log-in."""
    return _HASHER.check_needs_rehash(kept)


def _normal(password: str) -> str:
    """The same characters however a keyboard writes them."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_S):
        raise BusyError("too many log-ins at this moment: try again in a few seconds")
    try:
        yield
    finally:
        _turns.release()
