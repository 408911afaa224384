"""The API keeps what its OpenAPI says: of whatever is sent, good or bad, nothing crashes it, every answer is one that it names, what is not
allowed is refused, and nobody gets past who calls."""

from __future__ import annotations

import os
from functools import wraps
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.auth import HEADER
from api.main import create_app

OPEN = ("/api/v1/auth/token", "/api/v1/auth/revoke")
"""Where somebody becomes known, or gives up what makes them known."""
LOG_INS = ("providers", "oidc", "saml", "ldap", "federated")
"""Below /api/v1/auth: who comes here is not known yet."""

EXAMPLES = int(os.environ.get("METERHOUSE_CONTRACT_EXAMPLES", "20"))


@wraps(openapi_checks.negative_data_rejection)
def negative_data_rejection(ctx: Any, response: Any, case: Any) -> Any:
    """What is refused for its length is refused."""
    return None if response.status_code in (414, 431) else openapi_checks.negative_data_rejection(ctx, response, case)


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
)
LEFT_OUT = {
    "ignored_auth": "two more requests an example: test_nothing_answers_without_a_key and the access matrix ask every operation",
    "positive_data_acceptance": "what is well-formed may still be refused for what the warehouse knows, as an unknown meter is with 422",
    "use_after_free": "nothing can be deleted; it looks at sequences of requests only",
    "ensure_resource_availability": "it looks at sequences of requests only",
    "object_level_authorization": "needs two callers and an object: tests/integration/test_access_matrix.py has every operation as five",
}
"""Checks that are not made, and why."""

NOT_HERE = {
    ("POST /api/v1/meters/readings", negative_data_rejection): "a body is taken as far as it can be understood: see docs/push.md",
    ("POST /api/v1/meters/events", negative_data_rejection): "a body is taken as far as it can be understood: see docs/push.md",
    ("POST /api/v1/embed/guest-token", not_a_server_error): "no Superset runs here, and 503 says so: see test_superset.py",
}
"""Checks that one operation cannot pass, and why."""

PUSHES = ("POST /api/v1/meters/readings", "POST /api/v1/meters/events")
"""Operations that need the key of a head-end system."""


schema = schemathesis.openapi.from_asgi("/openapi.json", create_app())

_SETTINGS = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}
many = settings(max_examples=EXAMPLES, **_SETTINGS)
one = settings(max_examples=1, **_SETTINGS)


def keeps_its_contract(case: schemathesis.Case, keys: dict[str, str]) -> None:
    operation = case.operation.label
    headers = {HEADER: keys["hes_vendor" if operation in PUSHES else "all"]}
    excluded = [check for label, check in NOT_HERE if label == operation]
    case.call_and_validate(headers=headers, checks=list(CHECKS), excluded_checks=excluded)


def lets_nobody_in(case: schemathesis.Case) -> None:
    """But where a log-in begins: tests/integration/test_oidc.py, test_saml.py and test_ldap.py."""
    log_in = case.path.startswith(tuple(f"/api/v1/auth/{way}" for way in LOG_INS))
    if case.path.startswith("/api/") and case.path not in OPEN and not log_in:
        case.headers.pop(HEADER, None)
        # Methods and kinds of body that the path does not have are refused before anybody asks who calls.
        assert case.call().status_code in (401, 405, 415), f"{case.method} {case.path} answers somebody who is not known"
