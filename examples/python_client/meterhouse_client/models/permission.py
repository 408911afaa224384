from typing import Literal

Permission = Literal[
    "audit:read",
    "billing:write",
    "builder:share",
    "builder:use",
    "commands:read",
    "commands:send",
    "energy:read",
    "keys:manage",
    "meters:read",
    "readings:push",
    "reports:export",
    "reports:read",
    "rules:propose",
    "rules:read",
    "tenants:manage",
    "users:manage",
    "vee:approve",
    "vee:edit",
    "vee:freeze",
    "vee:read",
    "vee:work",
]

PERMISSION_VALUES: set[Permission] = {
    "audit:read",
    "billing:write",
    "builder:share",
    "builder:use",
    "commands:read",
    "commands:send",
    "energy:read",
    "keys:manage",
    "meters:read",
    "readings:push",
    "reports:export",
    "reports:read",
    "rules:propose",
    "rules:read",
    "tenants:manage",
    "users:manage",
    "vee:approve",
    "vee:edit",
    "vee:freeze",
    "vee:read",
    "vee:work",
}


def check_permission(value: str) -> Permission:
    if value in PERMISSION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PERMISSION_VALUES!r}"
    )
