"""What a caller may be allowed to do, and the shipped roles that bundle it. What a role is limited to stands in its grant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

import yaml


class Permission(StrEnum):
    """The name of a permission: what it is about, and what may be done with it."""

    READINGS_PUSH = "readings:push"
    METERS_READ = "meters:read"
    VEE_READ = "vee:read"
    VEE_WORK = "vee:work"
    """Take, assign and close cases."""
    VEE_EDIT = "vee:edit"
    VEE_APPROVE = "vee:approve"
    VEE_FREEZE = "vee:freeze"
    RULES_READ = "rules:read"
    RULES_PROPOSE = "rules:propose"
    COMMANDS_READ = "commands:read"
    COMMANDS_SEND = "commands:send"
    ENERGY_READ = "energy:read"
    REPORTS_READ = "reports:read"
    REPORTS_EXPORT = "reports:export"
    BUILDER_USE = "builder:use"
    BUILDER_SHARE = "builder:share"
    BILLING_WRITE = "billing:write"
    USERS_MANAGE = "users:manage"
    KEYS_MANAGE = "keys:manage"
    AUDIT_READ = "audit:read"
    TENANTS_MANAGE = "tenants:manage"


@dataclass(frozen=True)
class Role:
    code: str
    name: str
    permissions: frozenset[Permission]


@cache
def shipped_roles() -> dict[str, Role]:
    """By code. Raises ValueError where the file names a permission that there is not."""
    raw = yaml.safe_load(files("api.auth").joinpath("roles.yml").read_text())
    return {code: Role(code, r["name"], frozenset(Permission(p) for p in r["permissions"])) for code, r in raw.items()}


def permissions_of(role: str, own: list[str] | None) -> frozenset[Permission]:
    """Of a role: what the DISCOM's own role of that code says (`own`), else the shipped one. What there is no more is left out."""
    if own is not None:
        return frozenset(Permission(p) for p in own if p in set(Permission))
    shipped = shipped_roles().get(role)
    return shipped.permissions if shipped else frozenset()
