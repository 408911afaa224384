"""What /openapi.json says that holds for every route: names of operations, tags, and the answers and headers of the conventions."""

from __future__ import annotations

import json
import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.errors import MEDIA_TYPE, ProblemDetails
from api.idempotency import HEADER as IDEMPOTENCY_KEY

TAGS = {
    "operation": "Whether the service is alive and ready, for whoever runs it.",
    "auth": "Log-ins with a password and a code, tokens, sessions.",
    "log-in": "Log-ins that OpenID Connect, SAML 2.0 or a directory vouches for.",
    "administration": "Accounts, roles, grants, keys, the audit log, the DISCOMs of the platform.",
    "meters": "Readings and events that head-end systems push; what a meter measured and reported.",
    "energy": "Balances and losses of DTs, feeders and offices.",
    "commands": "Instructions to meters, and what became of each.",
    "billing": "Bills and receipts, as the billing system delivers them.",
    "rules": "The rules that judge readings, their versions, and proposals to change them.",
    "edits": "Changes of readings by people, with four eyes, and the freezing of periods that were billed.",
    "cases": "What failed a rule and waits for a person.",
    "vee": "Why a value is what it is.",
    "reports": "The catalogue of reports, and their export as files.",
    "embed": "Tokens by which a dashboard is shown in another page.",
    "report builder": "Reports of one's own over the catalogue of datasets: built, saved, shared, scheduled.",
}
CONVENTIONS = """

Errors are problem details (RFC 9457): act on `code`. Lists give `next`, the cursor of the page that follows. A GET answers with an `ETag`;
sent back in `If-None-Match` it is answered with 304 while nothing changed. A POST with an `Idempotency-Key` acts once, however often it is
sent. `RateLimit-Remaining` says how many requests a caller has left. `X-Request-ID` names a request in the log."""


def operation_id(route: APIRoute) -> str:
    """`<tag>_<function>`, which stays when a path or a summary changes."""
    tag = re.sub(r"\W+", "_", str(route.tags[0])) if route.tags else "api"
    return f"{tag}_{route.name}"


def describe(app: FastAPI) -> None:
    """Let `app` describe itself with the conventions in."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def written(app: FastAPI) -> str:
    """As docs/openapi.json holds it."""
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description + CONVENTIONS, routes=app.routes, license_info=app.license_info
    )
    operations = [(method, path, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()]
    used = {tag for _, _, operation in operations for tag in operation.get("tags", ())}
    schema["tags"] = [{"name": tag, "description": text} for tag, text in TAGS.items() if tag in used]
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for method, path, operation in operations:
        answers = operation["responses"]
        if "HTTPValidationError" in json.dumps(answers.get("422", {})):
            answers["422"] = _problem("The request is not valid")
        if path.startswith("/api/"):
            if method == "get" and "200" in answers and "application/json" in answers["200"].get("content", {}):
                answers.setdefault("304", {"description": "Nothing changed since the ETag that If-None-Match names"})
            if method == "post" and "security" in operation:
                _keyed(operation)
        if "requestBody" in operation:
            answers.setdefault("400", _problem("The body cannot be read"))
            answers.setdefault("413", _problem("The body is too large"))
            answers.setdefault("415", _problem("The body is of another media type"))
        answers.setdefault("414", _problem("The address is too long"))
        answers.setdefault("431", _problem("The headers are too large"))
        operation["responses"] = dict(sorted(answers.items()))
    return _short_names(schema)


def _short_names(schema: dict[str, Any]) -> dict[str, Any]:
    """Models of one name in several modules come as `api__edits__schemas__Edit`: the domain before the name says as much."""
    text, taken = json.dumps(schema), set(schema["components"]["schemas"])
    for long in sorted(n for n in taken if "__" in n):
        _, *packages, _module, name = long.split("__")
        short = "".join(p.title().replace("_", "") for p in packages) + name
        if short not in taken:
            taken.add(short)
            text = text.replace(f'"{long}"', f'"{short}"').replace(f'schemas/{long}"', f'schemas/{short}"')
    found: dict[str, Any] = json.loads(text)
    for name, model in found["components"]["schemas"].items():
        model["title"] = name  # by which generators name their classes
    found["components"]["schemas"] = dict(sorted(found["components"]["schemas"].items()))
    return found


def _keyed(operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    if any(p["in"] == "header" and p["name"].lower() == IDEMPOTENCY_KEY.lower() for p in parameters):
        return
    parameters.append(
        {
            "name": IDEMPOTENCY_KEY,
            "in": "header",
            "required": False,
            "description": "the caller's own name for this request: sent again within 24 h it is answered as before, and done once",
            "schema": {"type": "string", "minLength": 8, "maxLength": 200, "pattern": "^[!-~]+$"},
        }
    )
    operation["responses"].setdefault("409", _problem("The key was used for something else, or the request is being worked on"))
    operation["responses"].setdefault("422", _problem("The request is not valid"))


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}}
