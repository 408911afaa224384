"""Every operation of the API with a request that is good for a caller of DISCOM 1 who sees the office North alone, or the whole where it
needs that. tests/integration/test_access_matrix.py sends it as everybody else too.

To add an operation, add a line: its method and path as in /openapi.json, the permission that it needs, and what the request needs. Say
what others get where it is not 404: an operation that lists says `EMPTY`, one that all of a DISCOM share `SHARED`, one that needs its
permission for the whole DISCOM `whole=True`. What must exist beforehand is made by `make`, of which the path's parameters come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from api.auth import HEADER
from api.auth import Permission as P
from tests.integration.tenancy_world import DAYS, FIRST, NORTH, World, meter, only, serial
from warehouse import db

EMPTY = "answers, with nothing of DISCOM 1's North"
SHARED = "answers as everybody of the DISCOM"

OPEN = {
    "GET /health": "a probe of the process, which knows no caller; says nothing of any tenant",
    "GET /ready": "a probe of the process and its database; says nothing of any tenant",
    "GET /version": "says which program answers, and nothing of any tenant",
}
"""Operations that anybody may call, with the reason."""

Given = Mapping[str, Any]
Maker = Callable[["Setting"], Given]


@dataclass(frozen=True)
class Setting:
    """What `make` may use: the client knows no caller."""

    world: World
    client: httpx.Client

    def send(self, method: str, path: str, key: str, **how: Any) -> Any:
        """What the API answers somebody; it must be a success."""
        answer = self.client.request(method, path, headers={HEADER: key, **how.pop("headers", {})}, **how)
        assert answer.is_success, f"{method} {path} in the making of what a line needs: {answer.status_code} {answer.text}"
        return answer.json()

    def owner(self, query: str, *parameters: Any) -> Any:
        with db.connect("meterhouse_owner") as conn:
            row = conn.execute(query, parameters).fetchone()
        assert row, f"nothing is found: {query}"
        return row[0]


@dataclass(frozen=True, eq=False)
class Line:
    operation: str
    """METHOD /path as in /openapi.json."""
    permission: P
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

LINES = (
    # meters
    Line("POST /api/v1/meters/readings", P.READINGS_PUSH, json=READINGS, headers=NATIVE, whole=True, other_tenant=422),
    Line("POST /api/v1/meters/events", P.READINGS_PUSH, json=EVENTS, headers=NATIVE, whole=True, other_tenant=422),
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
)
