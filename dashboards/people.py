"""People who log in to Superset with a password of its own. Where OIDC or LDAP is set up, their groups there say their roles."""

from __future__ import annotations

from dashboards.client import Client
from dashboards.server_control import SupersetError
from dashboards.sync import ANALYST
from dashboards.tenants import Tenant


def add(client: Client, tenant: Tenant, login: str, password: str, email: str, first: str, last: str) -> bool:
    """A person of one DISCOM, made or brought in line; whether it is new. Raises SupersetError where the DISCOM has no role yet."""
    roles = {r["name"]: r["id"] for r in client.list("security/roles")}
    if missing := [name for name in (ANALYST, tenant.role) if name not in roles]:
        raise SupersetError(f"Superset has no role {' and no role '.join(missing)} yet: `meterhouse superset sync` makes it")
    wanted = {
        "username": login,
        "first_name": first,
        "last_name": last,
        "email": email,
        "active": True,
        "roles": [roles[ANALYST], roles[tenant.role]],
        "password": password,
    }
    there = next((u for u in client.list("security/users") if u["username"] == login), None)
    if there:
        client.call("PUT", f"/api/v1/security/users/{there['id']}", json=wanted)
    else:
        client.call("POST", "/api/v1/security/users/", json=wanted)
    return there is None
