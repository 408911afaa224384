"""Who calls, and what of a DISCOM they may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from api.auth.permissions import Permission


@dataclass(frozen=True)
class Scope:
    """What of a DISCOM a caller sees: all of it (both None), or the rows of some offices and service points."""

    offices: tuple[int, ...] | None = None
    """office_id of each, those below included."""
    service_points: tuple[int, ...] | None = None

    @property
    def whole(self) -> bool:
        return self.offices is None and self.service_points is None

    @staticmethod
    def union(scopes: Iterable[Scope]) -> Scope:
        """What any of them sees; nothing where there is none."""
        given = list(scopes)
        if any(s.whole for s in given):
            return Scope()
        offices, points = ({x for s in given for x in (getattr(s, n) or ())} for n in ("offices", "service_points"))
        return Scope(tuple(sorted(offices)), tuple(sorted(points)))


@dataclass(frozen=True)
class Grant:
    """A role that a caller holds, and where."""

    permissions: frozenset[Permission]
    scope: Scope = Scope()
    role: str = ""
    """Its code."""


@dataclass(frozen=True)
class Identity:
    """The holder of a key or of an access token. `hes_id`, `hes` and `vendor` are those of a head-end system's key."""

    discom_id: int
    discom: str
    subject: str
    """Id of the key, or login of the account."""
    name: str
    grants: tuple[Grant, ...]
    requests_per_min: int = 600
    networks: tuple[str, ...] = ()
    account_id: int | None = None
    session_id: str | None = None
    hes_id: int | None = None
    hes: str | None = None
    vendor: str | None = None

    def scope(self, permission: Permission) -> Scope | None:
        """Where the permission is held; None = nowhere."""
        held = [g.scope for g in self.grants if permission in g.permissions]
        return Scope.union(held) if held else None


@dataclass(frozen=True)
class Caller:
    """An identity that holds the permission of the route that it calls. `scope` is where it holds it."""

    identity: Identity
    scope: Scope = field(default_factory=Scope)

    @property
    def discom_id(self) -> int:
        return self.identity.discom_id

    @property
    def discom(self) -> str:
        return self.identity.discom

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def subject(self) -> str:
        return self.identity.subject

    @property
    def who(self) -> str:
        """As audit trails name the caller."""
        return f"{self.name} ({self.subject})"


def of_this_machine(discom_id: int, discom: str, who: str) -> Caller:
    """The person at the command line, who sees the whole DISCOM: the machine has let them in."""
    return Caller(Identity(discom_id, discom, "cli", who, ()))
