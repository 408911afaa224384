"""The API keeps what its OpenAPI says: requests made from the description never crash it, and every answer is one that it names."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from warehouse import db

pytestmark = pytest.mark.integration

OPEN = ("/api/v1/auth/token", "/api/v1/auth/revoke")
"""Where somebody becomes known, or gives up what makes them known."""
LOG_INS = ("providers", "oidc", "saml", "ldap", "federated")
"""Below /api/v1/auth: who comes here is not known yet."""

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def keys(module_database: str) -> dict[str, str]:
    """A key of each purpose."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'hpl' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, 3) n"""
        )
        discom_id, hes_id = conn.execute("select discom_id, hes_id from registry.hes").fetchone() or (0, 0)
        for purpose, role in (("hes", "hes_vendor"), ("operator", "operator"), ("billing", "billing_system"), ("admin", "tenant_admin")):
            made[purpose], key_id, secret = new_key()
            hes = hes_id if purpose == "hes" else None
            insert_key(conn, discom_id, key_id, secret, hes, "test", [], 1_000_000, role=role)
    return made


app = create_app()
schema = schemathesis.openapi.from_asgi("/openapi.json", app)


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_its_contract(case: schemathesis.Case, keys: dict[str, str]) -> None:
    domain = case.path.removeprefix("/api/v1/").split("/")[0]
    purpose = {"meters": "hes", "billing": "billing", "admin": "admin", "auth": "admin"}.get(domain, "operator")
    response = case.call(headers={HEADER: keys[purpose]})
    case.validate_response(response, checks=CHECKS)


@schema.parametrize()
@settings(max_examples=1, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_of_the_api_answers_without_a_key(case: schemathesis.Case, keys: dict[str, str]) -> None:
    if case.path.startswith(tuple(f"/api/v1/auth/{way}" for way in LOG_INS)):
        pytest.skip("a log-in: tests/integration/test_oidc.py, test_saml.py and test_ldap.py")
    if case.path.startswith("/api/") and case.path not in OPEN:
        case.headers.pop(HEADER, None)
        # Methods that the path does not have are refused before anybody asks who calls.
        assert case.call().status_code in (401, 405), f"{case.method} {case.path} answers somebody who is not known"
