"""The API keeps what its OpenAPI says: of whatever is sent, good or bad, nothing crashes it, every answer is one that it names, what is not
allowed is refused, and nobody gets past who calls."""

from __future__ import annotations

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.auth import HEADER, Permission, new_key
from api.auth.repository import insert_key
from api.main import create_app
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

OPEN = ("/api/v1/auth/token", "/api/v1/auth/revoke")
"""Where somebody becomes known, or gives up what makes them known."""
LOG_INS = ("providers", "oidc", "saml", "ldap", "federated")
"""Below /api/v1/auth: who comes here is not known yet."""

EXAMPLES = int(os.environ.get("METERHOUSE_CONTRACT_EXAMPLES", "200"))

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
    allow_header_conformance,
    ignored_auth,
)
LEFT_OUT = {
    "positive_data_acceptance": "what is well-formed may still be refused for what the warehouse knows, as an unknown meter is with 422",
    "use_after_free": "nothing can be deleted; it looks at sequences of requests only",
    "ensure_resource_availability": "it looks at sequences of requests only",
    "object_level_authorization": "needs two callers and an object: tests/integration/test_access_matrix.py has every operation as five",
}
"""Checks that are not made, and why."""

NOT_HERE = {
    ("POST /api/v1/meters/readings", negative_data_rejection): "a body is taken as far as it can be understood: see docs/push.md",
    ("POST /api/v1/meters/events", negative_data_rejection): "a body is taken as far as it can be understood: see docs/push.md",
}
"""Checks that one operation cannot pass, and why."""

PUSHES = ("POST /api/v1/meters/readings", "POST /api/v1/meters/events")
"""Operations that need the key of a head-end system."""


@pytest.fixture(scope="module")
def keys(module_database: str) -> dict[str, str]:
    """A key of a head-end system, and one that has every permission."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'hpl' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, 3) n"""
        )
        conn.execute("insert into ops.role (discom_id, code, name, permissions) select discom_id, 'all', 'All', %s from registry.discom",
                     [[p for p in Permission if p != Permission.TENANTS_MANAGE]])  # fmt: skip
        discom_id, hes_id = conn.execute("select discom_id, hes_id from registry.hes").fetchone() or (0, 0)
        for role in ("hes_vendor", "all"):
            made[role], key_id, secret = new_key()
            insert_key(conn, discom_id, key_id, secret, hes_id if role == "hes_vendor" else None, role, [], 1_000_000_000, role=role)
    return made


app = create_app()
schema = schemathesis.openapi.from_asgi("/openapi.json", app)


def test_no_check_is_forgotten() -> None:
    made = {check.__name__ for check in CHECKS}
    known = {check.__name__ for check in schemathesis.checks.CHECKS.get_all()}
    assert known - made == set(LEFT_OUT), "a check of schemathesis is neither made nor left out with a reason"


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_its_contract(case: schemathesis.Case, keys: dict[str, str]) -> None:
    operation = case.operation.label
    headers = {HEADER: keys["hes_vendor" if operation in PUSHES else "all"]}
    excluded = [check for label, check in NOT_HERE if label == operation]
    case.call_and_validate(headers=headers, checks=list(CHECKS), excluded_checks=excluded)


@schema.parametrize()
@settings(max_examples=1, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_nothing_of_the_api_answers_without_a_key(case: schemathesis.Case, keys: dict[str, str]) -> None:
    if case.path.startswith(tuple(f"/api/v1/auth/{way}" for way in LOG_INS)):
        pytest.skip("a log-in: tests/integration/test_oidc.py, test_saml.py and test_ldap.py")
    if case.path.startswith("/api/") and case.path not in OPEN:
        case.headers.pop(HEADER, None)
        # Methods and kinds of body that the path does not have are refused before anybody asks who calls.
        assert case.call().status_code in (401, 405, 415), f"{case.method} {case.path} answers somebody who is not known"
