"""Every operation as everybody: who is not known, who lacks the permission, another DISCOM, another office, and who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.auth import Permission
from api.main import create_app
from tests.integration.access_matrix import EMPTY, LINES, OPEN, SHARED, Line, Setting, a_person
from tests.integration.identity_world import cheap_hashes
from tests.integration.tenancy_world import NORTH, SOUTH, Key, Person, World, all_but, make_world

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

CALLERS = ("anonymous", "wrong permission", "other tenant", "other office", "right")
NORTHS = re.compile(r"\b(?:Name |[A-Z])?101(?:\d\d)?\b")
"""Codes and ids of DISCOM 1's North: office, feeder and DT 101, meters, service points and consumers 10101 to 10114."""


@pytest.fixture(scope="module")
def world(built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        cheap_hashes(patch)
        patch.setenv("METERHOUSE_EXPORTS", str(tmp_path_factory.mktemp("exports")))
        patch.setenv("METERHOUSE_EXPORT_WORKER", "0")
        secrets = tmp_path_factory.mktemp("superset") / "secrets.json"
        secrets.write_text('{"guest_token_secret": "of a test, and 32 octets long at least"}')
        patch.setenv("METERHOUSE_SUPERSET_SECRETS", str(secrets))
        yield make_world()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.fixture(scope="module")
def given(world: World, client: TestClient) -> Any:
    """What the lines need to exist beforehand, made once each."""
    setting = Setting(world, client)
    return cache(lambda line: line.make(setting) if line.make else {})


def operations() -> list[str]:
    """Of all routes, those too that /openapi.json does not name; of files that are served as they are, one."""
    found = []
    for route in iter_route_contexts(create_app().routes):
        if route.methods is None:
            found.append(f"GET {route.path}/{{file}}")
        found += [f"{method} {route.path}" for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


@pytest.mark.parametrize("operation", operations())
def test_every_operation_is_in_the_matrix(operation: str) -> None:
    listed = [line.operation for line in LINES].count(operation) + (operation in OPEN)
    assert listed == 1, (
        f"{operation} stands {listed} times in the matrix: add one Line for it to LINES of tests/integration/access_matrix.py (its "
        f"permission, a request that is good for a caller of the office North, what others get where it is not 404), or to OPEN"
    )


def test_the_matrix_names_operations_that_there_are() -> None:
    gone = {line.operation for line in LINES} | set(OPEN)
    assert gone <= set(operations()), f"no operation of the API: {sorted(gone - set(operations()))}"


@pytest.mark.parametrize("operation", OPEN)
def test_what_is_open_to_all_says_nothing_of_a_tenant(operation: str, client: TestClient) -> None:
    method, path = operation.split(" ")
    answer = client.request(method, path, follow_redirects=False)
    assert answer.status_code < 500, f"{operation}: {answer.status_code} {answer.text}"
    assert not re.search(r"acme|globex|Acme|Globex", answer.text), f"{operation} names a tenant: {answer.text[:300]}"


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("line", LINES, ids=[line.operation for line in LINES])
def test_the_operation_as(line: Line, caller: str, world: World, client: TestClient, given: Any) -> None:
    request = _request(line, given(line))
    answer = client.request(**request, headers=_headers(line) | _shown_by(_caller(line, caller, world)))
    expected = _expected(line, caller)
    told = f"{line.operation} as {caller}: {answer.status_code} {answer.text[:600]}"
    if expected in (EMPTY, SHARED, "success"):
        assert answer.is_success, f"expected success, {told}"
    else:
        assert answer.status_code == expected, f"expected {expected}, {told}"
    shown = _filled(line.shows, given(line))
    if caller == "right":
        assert shown in answer.text, f"it does not show {shown!r}, so that the others' answers prove nothing: {told}"
    elif expected != SHARED:
        leaked = {m for m in NORTHS.findall(answer.text) if m not in _text_of(request)}
        assert not leaked, f"it shows {sorted(leaked)} of North: {told}"
        assert not shown or shown not in answer.text, f"it shows {shown!r}: {told}"


OF_ITS_OWNER = "PUT /api/v1/builder/reports/{id}"
"""Which finds nothing for whoever has not saved it, so that it cannot tell what they lack."""
BESIDES = [(line, permission) for line in LINES for permission in line.also if line.operation != OF_ITS_OWNER]


@pytest.mark.parametrize(("line", "missing"), BESIDES, ids=[f"{line.operation}-{permission}" for line, permission in BESIDES])
def test_the_operation_without_what_it_needs_besides(line: Line, missing: Permission, world: World, client: TestClient, given: Any) -> None:
    who = world.key(all_but(missing), office=NORTH)
    answer = client.request(**_request(line, given(line)), headers=_headers(line) | who.headers)
    assert answer.status_code == 403, f"expected 403, {line.operation} without {missing}: {answer.status_code} {answer.text[:600]}"


def _expected(line: Line, caller: str) -> int | str:
    if caller == "other office" and line.whole:
        return 403
    without = 403 if line.permission else line.other_office
    of_caller = {"anonymous": 401, "wrong permission": without, "other tenant": line.other_tenant, "other office": line.other_office}
    return of_caller.get(caller, "success")


def _caller(line: Line, caller: str, world: World) -> Key | Person | None:
    if caller == "anonymous":
        return None
    if line.permission is None:
        return _person(line.who, caller, world)
    if caller == "wrong permission":
        return world.key(all_but(line.permission))
    if line.permission == Permission.TENANTS_MANAGE:
        if caller == "right":
            return world.person("admin", platform=True)
        may = "tenant_admin"
    else:
        may = "hes_vendor" if line.permission == Permission.READINGS_PUSH else world.together(line.permission, *line.also)
    match caller:
        case "other tenant":
            return world.key(may, discom=2)
        case "other office":
            return world.key(may, office=SOUTH)
    return world.key(may, office=None if line.whole else NORTH)


def _person(who: str, caller: str, world: World) -> Person:
    match caller:
        case "wrong permission":
            return world.person(who)
        case "other tenant":
            return world.person(who, "analyst", discom=2)
        case "other office":
            return world.person(who, "analyst", office=SOUTH)
    return a_person(world, who)


def _shown_by(who: Key | Person | None) -> dict[str, str]:
    return who.headers if who else {}


def _headers(line: Line) -> dict[str, str]:
    return {k: _filled(v, {"unique": f"matrix-{uuid4()}"}) for k, v in line.headers.items()}


def _request(line: Line, values: Any) -> dict[str, Any]:
    method, path = line.operation.split(" ")
    request = {"method": method, "url": _filled(path, values), "params": dict(line.params)}
    if line.json is not None:
        request["json"] = _filled(line.json, values)
    if line.content is not None:
        request["content"] = line.content
    return request


def _text_of(request: dict[str, Any]) -> str:
    sent = httpx.Request(**{**request, "url": f"http://x{request['url']}"})
    return f"{sent.url} {sent.read().decode()}"


def _filled(what: Any, values: Any) -> Any:
    if isinstance(what, str):
        return re.sub(r"\{(\w+)\}", lambda m: str(values.get(m[1], m[0])), what)
    if isinstance(what, dict):
        return {k: _filled(v, values) for k, v in what.items()}
    return [_filled(v, values) for v in what] if isinstance(what, list) else what
