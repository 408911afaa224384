"""Every operation of the API with a request that is good for a caller of DISCOM 1 who sees the office North alone, or the whole where it
needs that. tests/integration/test_access_matrix.py sends it as everybody else too.

To add an operation, add a line: its method and path as in /openapi.json, the permission that it needs, and what the request needs. Say
what others get where it is not 404: an operation that lists says `EMPTY`, one that all of a DISCOM share `SHARED`, one that needs its
permission for the whole DISCOM `whole=True`; what everybody does with what is their own is `of_oneself`, and what administrators of the
platform do `of_the_platform`. What must exist beforehand is made by `make`, of which the path's parameters come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
from fastapi.testclient import TestClient

from api.auth import Permission as P
from tests.integration.tenancy_world import DAYS, FIRST, NORTH, PASSWORD, Key, Person, World, meter, only, serial
from warehouse import db

EMPTY = "answers, with nothing of DISCOM 1's North"
SHARED = "answers as everybody of the DISCOM"

_PROBE = "a probe, which knows no caller"
_PAGE = "documentation of the API, the same for all"
_PROVIDER = "a log-in: who calls is not known before; knows providers, which are the platform's, and no DISCOM's rows"

OPEN = {
    "GET /healthz": _PROBE,
    "GET /readyz": _PROBE,
    "GET /version": "says which program answers",
    "GET /metrics": "shown to the networks of METERHOUSE_METRICS_NETWORKS alone",
    "GET /openapi.json": _PAGE,
    "GET /docs": _PAGE,
    "GET /docs/start.js": _PAGE,
    "GET /docs/files/{file}": _PAGE,
    "GET /redoc": _PAGE,
    "GET /problems": _PAGE,
    "GET /problems/{code}": _PAGE,
    "POST /api/v1/auth/token": "the log-in: who calls is not known before",
    "POST /api/v1/auth/revoke": "ends the session of whoever has its token, and answers the same where there is none",
    "GET /.well-known/jwks.json": "public keys of access tokens, by which other programs verify them",
    "GET /api/v1/auth/providers": _PROVIDER,
    "GET /api/v1/auth/oidc/{provider}/login": _PROVIDER,
    "GET /api/v1/auth/oidc/{provider}/callback": _PROVIDER,
    "GET /api/v1/auth/saml/{provider}/login": _PROVIDER,
    "POST /api/v1/auth/saml/{provider}/acs": _PROVIDER,
    "GET /api/v1/auth/saml/{provider}/metadata": _PROVIDER,
    "POST /api/v1/auth/ldap/{provider}": _PROVIDER,
    "POST /api/v1/auth/federated/token": _PROVIDER,
    "GET /api/v1/reports/exports/{export_id}/file": "opened by a link that is signed for this file and ends, and whose asker may still",
}
"""Operations that anybody may call, with the reason. None says anything of a tenant."""

Given = Mapping[str, Any]
Maker = Callable[["Setting"], Given]


@dataclass(frozen=True)
class Setting:
    """What `make` may use: the client knows no caller."""

    world: World
    client: TestClient

    def send(self, method: str, path: str, who: Key | Person, **how: Any) -> Any:
        """What the API answers somebody; it must be a success."""
        answer = self.client.request(method, path, headers={**who.headers, **how.pop("headers", {})}, **how)
        assert answer.is_success, f"{method} {path} in the making of what a line needs: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def owner(self, query: str, *parameters: Any) -> Any:
        with db.connect("meterhouse_owner") as conn:
            row = conn.execute(query, parameters).fetchone()
        assert row, f"nothing is found: {query}"
        return row[0]


@dataclass(frozen=True, eq=False)
class Line:
    operation: str
    """METHOD /path as in /openapi.json."""
    permission: P | None
    """None: whoever is known, about themselves."""
    params: Given = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: Given = field(default_factory=dict)
    make: Maker | None = None
    """Gives values for the path and for `{name}` in texts of `params`, `json` and `content`; called once a line."""
    whole: bool = False
    """The permission is needed for all of the DISCOM."""
    other_tenant: int | str = 404
    other_office: int | str = 404
    shows: str = ""
    """What a list must show to who may: otherwise an empty one would pass for a safe one."""
    also: tuple[P, ...] = ()
    """Permissions that it needs besides, for what it reads or does."""
    who: str = "somebody"
    """Of what people do about themselves: a name, where what they do must not disturb other lines."""


def of_oneself(operation: str, **more: Any) -> Line:
    """Everybody gets their own, also who holds no role; who that is, `make` knows as `a_person`."""
    return Line(operation, None, **{"other_tenant": EMPTY, "other_office": EMPTY, **more})


def a_person(world: World, who: str) -> Person:
    """Who may, of lines about themselves."""
    return world.person(who, "analyst", office=NORTH)


def a_dashboard(s: Setting) -> Given:
    """What the sync with Superset writes of one."""
    s.owner("insert into ops.embedded_dashboard (discom_id, dashboard, embedded_id) values (1, 'of-one', gen_random_uuid()) returning 1")
    return {}


def of_the_platform(operation: str, **more: Any) -> Line:
    """For an administrator of the platform, who is in no DISCOM; the administrators of DISCOMs may not."""
    return Line(operation, P.TENANTS_MANAGE, whole=True, other_tenant=403, **more)


def edit_of(n: int, wh: int, *, who: str = "editor") -> Maker:
    """An edit of the office's n-th meter. One that waits keeps others off its day, so each line has a meter of its own."""

    def make(s: Setting) -> Given:
        key = s.world.key("operator", office=NORTH, who=who)
        change = _change(s, n, wh)
        made = s.send("POST", "/api/v1/edits", key, json={"changes": [change], "reason": "METER_FAULT"})
        return {"id": made["items"][0]["id"]}

    return make


def version_of_the_day(s: Setting) -> Given:
    return {"version": _version(s, serial(NORTH))}


def _version(s: Setting, meter: str) -> str:
    key = s.world.key("operator", office=NORTH, who="editor")
    return str(s.send("GET", "/api/v1/edits/day", key, params={"meter": meter, "day": str(DAYS[2])})["version"])


def _change(s: Setting, n: int, wh: int) -> dict[str, Any]:
    meter = serial(NORTH, n)
    operation = {"kind": "set", "first": 3, "last": 3, "values": [wh]}
    return {"meter": meter, "day": str(DAYS[2]), "channel": "import_wh", "version": _version(s, meter), "operations": [operation]}


CHANGE = {
    "meter": serial(NORTH),
    "day": str(DAYS[2]),
    "channel": "import_wh",
    "version": "{version}",
    "operations": [{"kind": "set", "first": 3, "last": 3, "values": [901]}],
}
LARGE = 7_000
"""Wh in a slot that are above the limits of the policy, so that a second person decides."""


def command(s: Setting) -> Given:
    key = s.world.key("operator", office=NORTH)
    made = s.send(
        "POST", "/api/v1/commands", key, json={"meter": serial(NORTH), "kind": "read"}, headers={"Idempotency-Key": f"for-a-line-{uuid4()}"}
    )
    return {"id": made["id"]}


def command_group(s: Setting) -> Given:
    key = s.world.key("operator")
    asked = {"meters": [serial(NORTH)], "kind": "read"}
    made = s.send("POST", "/api/v1/commands/groups", key, json=asked, headers={"Idempotency-Key": f"for-a-line-{uuid4()}"})
    return {"id": made["id"]}


def case_of(n: int) -> Maker:
    def make(s: Setting) -> Given:
        return {"id": s.owner("select case_id from vee.case where meter_id = %s", meter(NORTH, n))}

    return make


def rule_set(s: Setting) -> Given:
    return {"id": s.owner("select max(rule_set_id) from vee.rule_set where discom_id = 1")}


def proposal(s: Setting) -> Given:
    made = s.send("POST", "/api/v1/vee/rules/proposals", s.world.key("operator"), json={"overlay": "discom: acme\n", "note": "a proposal"})
    return {"id": made["id"]}


def freeze_of_another(s: Setting) -> Given:
    asked = {"first_day": str(DAYS[1]), "last_day": str(DAYS[1]), "reason": "billed by another"}
    return {"id": s.send("POST", "/api/v1/freezes", s.world.key("operator", who="biller"), json=asked)["id"]}


def delivery(s: Setting) -> Given:
    s.send("POST", "/api/v1/billing/receipts", s.world.key("billing_system"), json=receipts(1))
    return {}


def session_of(who: str) -> Maker:
    return lambda s: {"id": a_person(s.world, who).session_id}


def authenticator(who: str, *, confirmed: bool) -> Maker:
    """An authenticator app that is to be confirmed, and its code; or one that is."""

    def make(s: Setting) -> Given:
        person = a_person(s.world, who)
        code = pyotp.TOTP(s.send("POST", "/api/v1/auth/totp", person)["secret"]).now()
        if confirmed:
            s.send("POST", "/api/v1/auth/totp/confirm", person, json={"code": code})
        return {"code": code}

    return make


def account(who: str) -> Maker:
    def make(s: Setting) -> Given:
        made = s.world.person(who)
        return {"id": made.account_id, "login": made.login}

    return make


def role_of_acme(code: str) -> Maker:
    """A role of the DISCOM's own that the other DISCOM has not."""

    def make(s: Setting) -> Given:
        asked = {"code": code, "name": "A role", "permissions": [P.USERS_MANAGE]}
        return {"code": s.send("POST", "/api/v1/admin/roles", s.world.key("tenant_admin"), json=asked)["code"]}

    return make


def grant_to(who: str) -> Maker:
    def make(s: Setting) -> Given:
        login = s.world.person(who).login
        asked = {"login": login, "role": only(P.USERS_MANAGE)}
        return {"id": s.send("POST", "/api/v1/admin/grants", s.world.key("tenant_admin"), json=asked)["id"], "login": login}

    return make


def api_key(s: Setting) -> Given:
    asked = {"name": "for a line", "role": only(P.KEYS_MANAGE)}
    return {"id": s.send("POST", "/api/v1/admin/keys", s.world.key("tenant_admin"), json=asked)["line"]["id"]}


def tenant(code: str) -> Maker:
    def make(s: Setting) -> Given:
        made = s.send("POST", "/api/v1/admin/tenants", s.world.person("admin", platform=True), json={"code": code, "name": "A DISCOM"})
        return {"code": made["code"]}

    return make


def export_job(s: Setting) -> Given:
    """Of the caller that may: others do not see each other's."""
    key = s.world.key(only(P.REPORTS_EXPORT), office=NORTH)
    made = s.send("POST", "/api/v1/reports/export", key, json=FILES, headers={"Idempotency-Key": f"for-a-line-{uuid4()}"})
    return {"export_id": made["id"]}


def own_report(*permissions: P) -> Maker:
    """A saved report of the caller that may, with two versions."""

    def make(s: Setting) -> Given:
        saver = s.world.key(s.world.together(P.BUILDER_USE, P.REPORTS_READ), office=NORTH, who="of a line")
        owner = s.world.key(s.world.together(P.BUILDER_USE, *permissions), office=NORTH)
        first = s.send("POST", "/api/v1/builder/reports", saver, json={"name": "Losses of 101", "query": QUERY})
        s.send("PUT", f"/api/v1/builder/reports/{first['id']}", saver, json=REPORT, headers={"If-Match": "*"})
        s.owner(
            """update ops.report_config set owner_key_id = (select key_id from ops.api_key where name = %s) where config_id = %s
               returning config_id""",
            f"{only(P.BUILDER_USE, *permissions)} acme {NORTH}",
            first["id"],
        )
        assert s.send("GET", f"/api/v1/builder/reports/{first['id']}", owner)["own"], "the report is not the caller's own"
        return {"id": first["id"], "number": 1}

    return make


def shared_report(office: str | None) -> Maker:
    """A saved report of somebody else, shared with an office or the whole DISCOM."""

    def make(s: Setting) -> Given:
        owner = s.world.key("analyst", who="of a line, who shares")
        asked = {"name": "Losses of 101", "query": QUERY, "visibility": "shared", "office": office}
        made = s.send("POST", "/api/v1/builder/reports", owner, json=asked)
        return {"id": made["id"], "number": 1}

    return make


def receipts(n: int) -> dict[str, Any]:
    row = {"receipt": f"R{n}", "consumer": f"C{meter(NORTH, n)}", "received_on": str(FIRST), "amount_inr": 10}
    return {"receipts": [row, {**row, "receipt": f"R{n}-bad", "kind": "loan"}]}


NATIVE = {"Content-Type": "application/vnd.meterhouse+json"}
KEY = {"Idempotency-Key": "{unique}"}
NEXT = FIRST + timedelta(days=30)
READINGS = {"profiles": [{"serial": serial(NORTH), "start": f"{NEXT}T00:00:00+05:30", "interval_min": 30, "import_wh": [1, 2, 3]}]}
EVENTS = {"events": [{"serial": serial(NORTH), "occurred_at": f"{NEXT}T09:00:00+05:30", "code": 101}]}
BILLS = {
    "bills": [
        {"number": "B1", "consumer": f"C{meter(NORTH)}", "month": "2026-10-01", "issued_on": "2026-11-02", "energy_wh": 5, "amount_inr": 7}
    ]
}
A_DAY = {"meter": serial(NORTH), "day": str(DAYS[2])}
FILE = f"meter,day,from,to,channel,operation,value\n{serial(NORTH)},{DAYS[2]},02:30,03:00,import_wh,set,905\n".encode()
EXPLAINED = {"serial": serial(NORTH), "day": str(DAYS[2]), "slot": 3}
NORTHS_METER: Maker = lambda _: {"serial": serial(NORTH)}  # noqa: E731
SPAN = {"from": str(DAYS[0]), "to": str(DAYS[2])}
PERIOD = {"first": str(DAYS[0]), "last": str(DAYS[2])}
FILES = {**PERIOD, "office": f"O{NORTH}", "reports": ["D01"], "formats": ["csv"]}
QUERY = {
    "dataset": "reports.rpt_d01_dt_energy_audit",
    "columns": ["dt", "period_start", "input_kwh"],
    "filters": [
        {"column": "period", "op": "=", "value": "day"},
        {"column": "period_start", "op": "between", "value": [str(DAYS[0]), str(DAYS[2])]},
    ],
}
REPORT = {"name": "Losses", "query": QUERY}
ALL = {"size": 500}
"""So that it stands on the first page."""
IF_MATCH = {"If-Match": "*"}

LINES = (
    # oneself
    of_oneself("GET /api/v1/auth/me", shows=f"O{NORTH}"),
    of_oneself("GET /api/v1/auth/sessions", make=session_of("somebody"), shows="{id}"),
    of_oneself("DELETE /api/v1/auth/sessions/{id}", who="ending", make=session_of("ending"), other_tenant=404, other_office=404),
    of_oneself("POST /api/v1/auth/logout", who="leaving"),
    of_oneself("POST /api/v1/auth/password", who="changing", json={"present": PASSWORD, "new": f"another {PASSWORD}"}),
    of_oneself("POST /api/v1/auth/totp", who="enrolling"),
    of_oneself(
        "POST /api/v1/auth/totp/confirm",
        who="confirming",
        make=authenticator("confirming", confirmed=False),
        json={"code": "{code}"},
        other_tenant=409,
        other_office=409,
    ),
    of_oneself(
        "DELETE /api/v1/auth/totp",
        who="removing",
        make=authenticator("removing", confirmed=True),
        other_tenant=409,
        other_office=409,
    ),
    # administration of the DISCOM
    Line("GET /api/v1/admin/users", P.USERS_MANAGE, ALL, make=account("listed"), whole=True, other_tenant=EMPTY, shows="{login}"),
    Line(
        "POST /api/v1/admin/users",
        P.USERS_MANAGE,
        json={"login": "made", "name": "Made", "grants": [{"role": only(P.USERS_MANAGE), "office": f"O{NORTH}"}]},
        whole=True,
        other_tenant=422,
    ),
    Line("GET /api/v1/admin/users/{id}", P.USERS_MANAGE, make=account("shown"), whole=True),
    Line("POST /api/v1/admin/users/{id}/disable", P.USERS_MANAGE, make=account("disabled"), whole=True),
    Line("POST /api/v1/admin/users/{id}/enable", P.USERS_MANAGE, make=account("enabled"), whole=True),
    Line("POST /api/v1/admin/users/{id}/unlock", P.USERS_MANAGE, make=account("unlocked"), whole=True),
    Line("POST /api/v1/admin/users/{id}/reset-password", P.USERS_MANAGE, json={}, make=account("reset"), whole=True),
    Line("GET /api/v1/admin/roles", P.USERS_MANAGE, make=role_of_acme("listed"), whole=True, other_tenant=EMPTY, shows='"{code}"'),
    Line(
        "POST /api/v1/admin/roles",
        P.USERS_MANAGE,
        json={"code": "made", "name": "Made", "permissions": [P.USERS_MANAGE]},
        whole=True,
        other_tenant=EMPTY,
    ),
    Line(
        "PUT /api/v1/admin/roles/{code}",
        P.USERS_MANAGE,
        make=role_of_acme("changed"),
        json={"name": "Changed", "permissions": [P.USERS_MANAGE]},
        whole=True,
    ),
    Line("DELETE /api/v1/admin/roles/{code}", P.USERS_MANAGE, make=role_of_acme("deleted"), whole=True),
    Line("GET /api/v1/admin/grants", P.USERS_MANAGE, ALL, make=grant_to("holder"), whole=True, other_tenant=EMPTY, shows="{login}"),
    Line(
        "POST /api/v1/admin/grants",
        P.USERS_MANAGE,
        make=account("given"),
        json={"login": "{login}", "role": only(P.USERS_MANAGE), "office": f"O{NORTH}"},
        whole=True,
        other_tenant=422,
    ),
    Line("DELETE /api/v1/admin/grants/{id}", P.USERS_MANAGE, make=grant_to("former-holder"), whole=True),
    Line("GET /api/v1/admin/keys", P.KEYS_MANAGE, ALL, make=api_key, whole=True, other_tenant=EMPTY, shows="{id}"),
    Line(
        "POST /api/v1/admin/keys",
        P.KEYS_MANAGE,
        json={"name": "Made", "role": only(P.KEYS_MANAGE), "office": f"O{NORTH}"},
        whole=True,
        other_tenant=422,
    ),
    Line("PATCH /api/v1/admin/keys/{id}", P.KEYS_MANAGE, make=api_key, json={"requests_per_min": 7}, whole=True),
    Line("DELETE /api/v1/admin/keys/{id}", P.KEYS_MANAGE, make=api_key, whole=True),
    Line("POST /api/v1/admin/keys/{id}/rotate", P.KEYS_MANAGE, make=api_key, json={}, whole=True),
    Line(
        "GET /api/v1/admin/audit",
        P.AUDIT_READ,
        {"action": "keys:create", **ALL},
        make=api_key,
        whole=True,
        other_tenant=EMPTY,
        shows="{id}",
    ),
    # administration of the platform
    of_the_platform("GET /api/v1/admin/tenants", shows="globex"),
    of_the_platform("POST /api/v1/admin/tenants", json={"code": "made", "name": "Made"}),
    of_the_platform(
        "POST /api/v1/admin/tenants/{code}/administrators", make=tenant("unnamed"), json={"login": "the-first", "name": "The First"}
    ),
    # meters
    Line("GET /api/v1/meters", P.METERS_READ, ALL, other_tenant=EMPTY, other_office=EMPTY, shows=serial(NORTH)),
    Line("GET /api/v1/meters/{serial}", P.METERS_READ, make=NORTHS_METER),
    Line("GET /api/v1/meters/{serial}/consumption", P.METERS_READ, SPAN, make=NORTHS_METER, shows='"import_kwh"'),
    Line("GET /api/v1/meters/{serial}/events", P.METERS_READ, SPAN, make=NORTHS_METER),
    Line("GET /api/v1/meters/{serial}/profile", P.METERS_READ, SPAN, make=NORTHS_METER),
    Line("GET /api/v1/meters/{serial}/explain", P.VEE_READ, {"day": str(DAYS[2])}, make=NORTHS_METER),
    Line("POST /api/v1/meters/readings", P.READINGS_PUSH, json=READINGS, headers=NATIVE, whole=True, other_tenant=422),
    Line("POST /api/v1/meters/events", P.READINGS_PUSH, json=EVENTS, headers=NATIVE, whole=True, other_tenant=422),
    # energy
    Line("GET /api/v1/energy/dt/{code}", P.ENERGY_READ, SPAN, make=lambda _: {"code": f"T{NORTH}"}, shows='"input_wh"'),
    Line("GET /api/v1/energy/feeder/{code}", P.ENERGY_READ, SPAN, make=lambda _: {"code": f"F{NORTH}"}, shows='"input_wh"'),
    Line("GET /api/v1/energy/office/{code}", P.ENERGY_READ, SPAN, make=lambda _: {"code": f"O{NORTH}"}, shows='"input_wh"'),
    Line("GET /api/v1/energy/feeder/{code}/dts", P.ENERGY_READ, SPAN, make=lambda _: {"code": f"F{NORTH}"}, shows=f"T{NORTH}"),
    Line("GET /api/v1/energy/office/{code}/feeders", P.ENERGY_READ, SPAN, make=lambda _: {"code": f"O{NORTH}"}, shows=f"F{NORTH}"),
    Line("GET /api/v1/energy/office/{code}/dts", P.ENERGY_READ, SPAN, make=lambda _: {"code": f"O{NORTH}"}, shows=f"T{NORTH}"),
    # commands
    Line(
        "POST /api/v1/commands",
        P.COMMANDS_SEND,
        json={"meter": serial(NORTH), "kind": "read"},
        headers=KEY,
        other_tenant=422,
        other_office=422,
    ),
    Line("GET /api/v1/commands", P.COMMANDS_READ, make=command, other_tenant=EMPTY, other_office=EMPTY, shows=serial(NORTH)),
    Line(
        "POST /api/v1/commands/groups",
        P.COMMANDS_SEND,
        json={"meters": [serial(NORTH)], "kind": "read"},
        headers=KEY,
        whole=True,
        other_tenant=EMPTY,
        shows='"queued":1',
    ),
    Line("GET /api/v1/commands/groups/{id}", P.COMMANDS_READ, make=command_group, whole=True),
    Line("GET /api/v1/commands/{id}", P.COMMANDS_READ, make=command),
    Line("POST /api/v1/commands/{id}/cancel", P.COMMANDS_SEND, make=command),
    # billing
    Line("GET /api/v1/billing/deliveries", P.BILLING_WRITE, make=delivery, whole=True, other_tenant=EMPTY, shows="R1-bad"),
    Line("POST /api/v1/billing/bills", P.BILLING_WRITE, json=BILLS, whole=True, other_tenant=422),
    Line("POST /api/v1/billing/receipts", P.BILLING_WRITE, json=receipts(2), whole=True, other_tenant=422),
    # rules
    Line("GET /api/v1/vee/rules", P.RULES_READ, whole=True, other_tenant=EMPTY, shows="acme"),
    Line("GET /api/v1/vee/rules/versions", P.RULES_READ, make=rule_set, whole=True, other_tenant=EMPTY, shows='"id":{id}'),
    Line("GET /api/v1/vee/rules/versions/{id}", P.RULES_READ, make=rule_set, whole=True),
    Line(
        "POST /api/v1/vee/rules/proposals",
        P.RULES_PROPOSE,
        json={"overlay": "discom: acme\n", "note": "a proposal"},
        whole=True,
        other_tenant=422,
    ),
    Line("GET /api/v1/vee/rules/proposals", P.RULES_READ, make=proposal, whole=True, other_tenant=EMPTY, shows='"id":{id}'),
    Line("GET /api/v1/vee/rules/proposals/{id}", P.RULES_READ, make=proposal, whole=True),
    Line("POST /api/v1/vee/rules/proposals/{id}/withdraw", P.RULES_PROPOSE, make=proposal, whole=True),
    # edits
    Line("GET /api/v1/edits/day", P.VEE_READ, params=A_DAY),
    Line(
        "POST /api/v1/edits/preview",
        P.VEE_EDIT,
        make=version_of_the_day,
        json={"changes": [CHANGE], "reason": "METER_FAULT"},
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows='"after_wh"',
    ),
    Line(
        "POST /api/v1/edits",
        P.VEE_EDIT,
        make=version_of_the_day,
        json={"changes": [CHANGE], "reason": "METER_FAULT"},
        other_tenant=422,
        other_office=422,
    ),
    Line("GET /api/v1/edits", P.VEE_READ, make=edit_of(8, 910), other_tenant=EMPTY, other_office=EMPTY, shows=serial(NORTH)),
    Line(
        "POST /api/v1/edits/file/preview",
        P.VEE_EDIT,
        params={"name": "edits.csv", "reason": "METER_FAULT"},
        content=FILE,
        headers={"Content-Type": "application/octet-stream"},
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows='"after_wh"',
    ),
    Line(
        "POST /api/v1/edits/file",
        P.VEE_EDIT,
        params={"name": "edits.csv", "reason": "METER_FAULT"},
        content=FILE,
        headers={"Content-Type": "application/octet-stream"},
        other_tenant=422,
        other_office=422,
    ),
    Line("GET /api/v1/edits/{id}", P.VEE_READ, make=edit_of(9, 911)),
    Line("POST /api/v1/edits/{id}/approve", P.VEE_APPROVE, make=edit_of(10, LARGE), json={}),
    Line("POST /api/v1/edits/{id}/reject", P.VEE_APPROVE, make=edit_of(11, LARGE), json={}),
    Line("POST /api/v1/edits/{id}/withdraw", P.VEE_EDIT, make=edit_of(12, LARGE, who=only(P.VEE_EDIT)), json={}),
    # freezes
    Line(
        "POST /api/v1/freezes",
        P.VEE_FREEZE,
        json={"first_day": str(DAYS[0]), "last_day": str(DAYS[0]), "reason": "billed"},
        whole=True,
        other_tenant=201,
    ),
    Line("GET /api/v1/freezes", P.VEE_READ, other_tenant=EMPTY, other_office=SHARED),
    Line("POST /api/v1/freezes/{id}/release", P.VEE_FREEZE, make=freeze_of_another, json={"reason": "billed anew"}, whole=True),
    # cases and exceptions
    Line("GET /api/v1/vee/cases", P.VEE_READ, other_tenant=EMPTY, other_office=EMPTY, shows=serial(NORTH, 1)),
    Line("GET /api/v1/vee/cases/summary", P.VEE_READ, other_tenant=EMPTY, other_office=EMPTY, shows="V25"),
    Line(
        "POST /api/v1/vee/cases/actions",
        P.VEE_WORK,
        json={"filter": {"meter": serial(NORTH, 1)}, "expected": 1, "action": {"do": "assign", "assignee": "asha"}},
        other_tenant=409,
        other_office=409,
    ),
    Line("GET /api/v1/vee/cases/{id}", P.VEE_READ, make=case_of(2)),
    Line(
        "POST /api/v1/vee/cases/{id}/actions",
        P.VEE_WORK,
        make=case_of(3),
        json={"do": "close", "resolution": "value_accepted", "note": "as it is"},
    ),
    Line(
        "GET /api/v1/vee/exceptions",
        P.VEE_READ,
        params={"first": str(DAYS[0]), "last": str(DAYS[2])},
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows=serial(NORTH, 1),
    ),
    Line("GET /api/v1/vee/explain/{serial}/{day}", P.VEE_READ, make=lambda _: EXPLAINED),
    Line("GET /api/v1/vee/explain/{serial}/{day}/{slot}", P.VEE_READ, make=lambda _: EXPLAINED),
    # reports
    Line("POST /api/v1/embed/guest-token", P.REPORTS_READ, json={"dashboard": "of-one"}, make=a_dashboard, whole=True),
    Line("GET /api/v1/reports", P.REPORTS_READ, other_tenant=SHARED, other_office=SHARED),
    Line("GET /api/v1/reports/{id}/description", P.REPORTS_READ, make=lambda _: {"id": "D01"}, other_tenant=SHARED, other_office=SHARED),
    Line("GET /api/v1/reports/{id}/schema", P.REPORTS_READ, make=lambda _: {"id": "D01"}, other_tenant=SHARED, other_office=SHARED),
    Line(
        "GET /api/v1/reports/consumption",
        P.REPORTS_READ,
        {**PERIOD, "size": 1000},
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows=f"C{meter(NORTH)}",
    ),
    Line(
        "GET /api/v1/reports/losses",
        P.REPORTS_READ,
        {**PERIOD, "level": "dt"},
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows=f"T{NORTH}",
    ),
    Line(
        "GET /api/v1/reports/{id}",
        P.REPORTS_READ,
        PERIOD,
        make=lambda _: {"id": "D01"},
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows=f"T{NORTH}",
    ),
    Line(
        "GET /api/v1/reports/{id}/export",
        P.REPORTS_EXPORT,
        {**PERIOD, "format": "csv"},
        make=lambda _: {"id": "D01"},
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows=f"T{NORTH}",
    ),
    Line("POST /api/v1/reports/export", P.REPORTS_EXPORT, json=FILES, headers=KEY),
    Line("GET /api/v1/reports/exports", P.REPORTS_EXPORT, make=export_job, other_tenant=EMPTY, other_office=EMPTY, shows="{export_id}"),
    Line("GET /api/v1/reports/exports/{export_id}", P.REPORTS_EXPORT, make=export_job),
    Line("DELETE /api/v1/reports/exports/{export_id}", P.REPORTS_EXPORT, make=export_job),
    # report builder
    Line("GET /api/v1/builder/datasets", P.BUILDER_USE, other_tenant=SHARED, other_office=SHARED),
    Line(
        "GET /api/v1/builder/datasets/{name}",
        P.BUILDER_USE,
        make=lambda _: {"name": QUERY["dataset"]},
        other_tenant=SHARED,
        other_office=SHARED,
    ),
    Line(
        "POST /api/v1/builder/preview",
        P.BUILDER_USE,
        also=(P.REPORTS_READ,),
        json=QUERY,
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows=f"T{NORTH}",
    ),
    Line("POST /api/v1/builder/explain", P.BUILDER_USE, also=(P.REPORTS_READ,), json=QUERY, other_tenant=EMPTY, other_office=EMPTY),
    Line(
        "GET /api/v1/builder/reports",
        P.BUILDER_USE,
        ALL,
        make=shared_report(f"O{NORTH}"),
        other_tenant=EMPTY,
        other_office=EMPTY,
        shows='"id":{id},',
    ),
    Line(
        "POST /api/v1/builder/reports",
        P.BUILDER_USE,
        also=(P.REPORTS_READ, P.BUILDER_SHARE),
        json={**REPORT, "visibility": "shared", "office": f"O{NORTH}"},
        other_tenant=422,
        other_office=403,
    ),
    Line("GET /api/v1/builder/reports/{id}", P.BUILDER_USE, make=shared_report(f"O{NORTH}")),
    Line("GET /api/v1/builder/reports/{id}/versions", P.BUILDER_USE, make=shared_report(f"O{NORTH}")),
    Line("GET /api/v1/builder/reports/{id}/versions/{number}", P.BUILDER_USE, make=shared_report(f"O{NORTH}")),
    Line(
        "PUT /api/v1/builder/reports/{id}",
        P.BUILDER_USE,
        also=(P.REPORTS_READ,),
        make=own_report(P.REPORTS_READ),
        json=REPORT,
        headers=IF_MATCH,
    ),
    Line("DELETE /api/v1/builder/reports/{id}", P.BUILDER_USE, make=own_report(), headers=IF_MATCH),
    Line("POST /api/v1/builder/reports/{id}/versions/{number}/restore", P.BUILDER_USE, make=own_report(), headers=IF_MATCH),
    Line("POST /api/v1/builder/reports/{id}/clone", P.BUILDER_USE, also=(P.REPORTS_READ,), make=shared_report(f"O{NORTH}")),
    # Shared with the whole DISCOM, a report shows each what they may see.
    Line(
        "POST /api/v1/builder/reports/{id}/run",
        P.BUILDER_USE,
        also=(P.REPORTS_READ,),
        make=shared_report(None),
        other_office=EMPTY,
        shows=f"T{NORTH}",
    ),
    Line(
        "GET /api/v1/builder/reports/{id}/export",
        P.BUILDER_USE,
        {"format": "csv"},
        also=(P.REPORTS_READ, P.REPORTS_EXPORT),
        make=shared_report(None),
        other_office=EMPTY,
        shows=f"T{NORTH}",
    ),
)
