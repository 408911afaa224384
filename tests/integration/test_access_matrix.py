"""Every operation as everybody: who is not known, who lacks the permission, another DISCOM, another office, and who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from api.auth import HEADER, Permission
from api.main import create_app
from tests.integration.access_matrix import EMPTY, LINES, OPEN, SHARED, Line, Setting
from tests.integration.tenancy_world import NORTH, SOUTH, World, all_but, make_world, only

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

CALLERS = ("anonymous", "wrong permission", "other tenant", "other office", "right")
NORTHS = re.compile(r"\b(?:Name |[A-Z])?101(?:\d\d)?\b")
"""Codes and ids of DISCOM 1's North: office, feeder and DT 101, meters, service points and consumers 10101 to 10114."""


@pytest.fixture(scope="module")
def world(module_database: str) -> World:
    return make_world()


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
    paths = create_app().openapi()["paths"]
    return [f"{method.upper()} {path}" for path, of in paths.items() for method in of if method in METHODS]


METHODS = ("get", "put", "post", "patch", "delete", "head", "options")


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
    answer = client.request(method, path)
    assert answer.status_code < 500, f"{operation}: {answer.status_code} {answer.text}"
    assert not re.search(r"acme|globex|Acme|Globex", answer.text), f"{operation} names a tenant: {answer.text[:300]}"


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("line", LINES, ids=[line.operation for line in LINES])
def test_the_operation_as(line: Line, caller: str, world: World, client: TestClient, given: Any) -> None:
    request = _request(line, given(line))
    answer = client.request(**request, headers=_headers(line, caller, world))
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


def _expected(line: Line, caller: str) -> int | str:
    if caller == "other office" and line.whole:
        return 403
    of_caller = {"anonymous": 401, "wrong permission": 403, "other tenant": line.other_tenant, "other office": line.other_office}
    return of_caller.get(caller, "success")


def _headers(line: Line, caller: str, world: World) -> dict[str, str]:
    headers = {k: _filled(v, {"unique": f"matrix-{uuid4()}"}) for k, v in line.headers.items()}
    may = "hes_vendor" if line.permission == Permission.READINGS_PUSH else only(line.permission)
    match caller:
        case "wrong permission":
            headers[HEADER] = world.key(all_but(line.permission))
        case "other tenant":
            headers[HEADER] = world.key(may, discom=2)
        case "other office":
            headers[HEADER] = world.key(may, office=SOUTH)
        case "right":
            headers[HEADER] = world.key(may, office=None if line.whole else NORTH)
    return headers


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
