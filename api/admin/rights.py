"""Nobody gives what they do not hold: what an administrator may give to others, and whose accounts they may take over.

An administrator may give (by a role that they make or change, a grant, a key, or a new password of somebody) only permissions that they
hold themselves for the whole DISCOM. Who holds the role `tenant_admin` for the whole DISCOM may give all but `tenants:manage`, which is
the platform's alone. The role `consumer` is given for a service point alone, `hes_vendor` to keys of a head-end system alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.auth.caller import Caller, Grant
from api.auth.permissions import Permission, shipped_roles
from api.errors import Problem

OF_THE_PLATFORM = frozenset({Permission.TENANTS_MANAGE})
NOT_GRANTED = frozenset({"platform_admin", "hes_vendor"})
"""Shipped roles that no account of a DISCOM holds by a grant."""


def giveable(caller: Caller) -> frozenset[Permission]:
    """What the caller may give to others."""
    whole = [g for g in caller.identity.grants if g.scope.whole]
    if any(g.role == "tenant_admin" for g in whole):
        return frozenset(Permission) - OF_THE_PLATFORM
    return frozenset(p for g in whole for p in g.permissions) - OF_THE_PLATFORM


def must_hold(caller: Caller, permissions: Iterable[Permission], what: str) -> None:
    """Raises Problem 403 ESCALATION unless the caller may give them all. `what`: what would give them."""
    if lacking := sorted(set(permissions) - giveable(caller)):
        detail = f"{what} holds {', '.join(lacking)}, which you do not hold for the whole DISCOM: ask an administrator of the DISCOM"
        raise Problem(403, "ESCALATION", "Not allowed", detail)


def in_a_discom(caller: Caller) -> Caller:
    """Raises Problem 403 for an administrator of the platform who is in no DISCOM."""
    if not caller.discom_id:
        detail = "you are in no DISCOM: this its own administrators do, and you name the first of them"
        raise Problem(403, "NO_DISCOM", "Not allowed", detail)
    return caller


def administrator_grant() -> Grant:
    """What the person at the command line may give: the machine has let them in."""
    return Grant(shipped_roles()["tenant_admin"].permissions, role="tenant_admin")
