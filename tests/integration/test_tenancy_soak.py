"""Ten thousand requests of five tenants at once over four connections, some given up by their callers and some failing: nobody ever sees a
row of somebody else, and everybody sees all of theirs."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI

from api.auth import HEADER, Caller, Permission, database, new_key, require
from api.auth.repository import insert_key
from api.database import Database
from api.main import create_app
from warehouse import db

pytestmark = pytest.mark.integration

TENANTS, OFFICES, METERS, REQUESTS, AT_ONCE = 5, 2, 4, 10_000, 24
GIVEN_UP = 0.05
DAY = "2026-10-05"
SERIAL = re.compile(r"M\d-\d-\d+")


@dataclass(frozen=True)
class Person:
    key: str
    serials: frozenset[str]
    """Of the meters that they see."""
    commands: tuple[int, ...]


@pytest.fixture
def people(database: str, monkeypatch: pytest.MonkeyPatch) -> list[Person]:
    """Of each tenant somebody who sees all of it, and somebody of each office."""
    monkeypatch.setenv("METERHOUSE_API_CONNECTIONS", "4")
    made = []
    with db.connect("meterhouse_owner") as conn:
        conn.execute("select ops.ensure_month('vee.exception', %s, %s)", [DAY, DAY])
        for statement in _WORLD:
            conn.execute(statement, {"tenants": TENANTS, "offices": OFFICES, "meters": METERS, "day": DAY})
        for discom in range(1, TENANTS + 1):
            for office in range(OFFICES + 1):
                key, key_id, secret = new_key()
                office_id = discom * 10 + office if office else None
                insert_key(conn, discom, key_id, secret, None, key_id, [], 10_000_000, office_id=office_id)
                seen = conn.execute(
                    """select array_agg(m.serial), array_agg(c.command_id)
                       from registry.meter m join ops.command c using (discom_id, meter_id)
                       where m.discom_id = %s and (%s::int is null or m.meter_id / 100 = %s)""",
                    [discom, office_id, office_id],
                ).fetchone()
                assert seen
                made.append(Person(key, frozenset(seen[0]), tuple(seen[1])))
    return made


_WORLD = (
    "insert into registry.discom (discom_id, code, name) select n, 'd' || n, 'D' from generate_series(1, %(tenants)s) n",
    "insert into registry.hes (discom_id, hes_id, code, vendor) select discom_id, discom_id, 'h', 'hpl' from registry.discom",
    """insert into registry.office (discom_id, office_id, code, name, level)
       select discom_id, discom_id * 10 + n, 'o' || n, 'O', 'division' from registry.discom, generate_series(1, %(offices)s) n""",
    """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
       select discom_id, office_id * 100 + n, n || code, office_id, 'domestic', 1 from registry.office, generate_series(1, %(meters)s) n""",
    """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min)
       select discom_id, service_point_id, format('M%%s-%%s-%%s', discom_id, office_id %% 10, service_point_id), discom_id, 'D1', 30
       from registry.service_point""",
    """insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
       select discom_id, meter_id, '2026-01-01', meter_id from registry.meter""",
    """insert into ops.command (discom_id, meter_id, hes_id, kind, priority, requested_by, due_at, expires_at)
       select discom_id, meter_id, hes_id, 'read', 5, 'test', now(), now() + interval '1 day' from registry.meter""",
    """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message)
       select discom_id, %(day)s, meter_id, 'V19', 'initial', 'fail', 'hold', serial from registry.meter""",
    "analyze registry.meter",
)


def application() -> FastAPI:
    """The real one, and a route of the asynchronous pool that can fail in the middle of its transaction."""
    app = create_app()

    @app.get("/soak/{how}")
    async def meters(
        how: str, pools: Annotated[Database, Depends(database)], caller: Annotated[Caller, Depends(require(Permission.METERS_READ))]
    ) -> list[str]:
        async with pools.tenant_async(caller, many=how == "many") as conn:
            if how == "slow":
                await conn.execute("select pg_sleep(0.005)")
            found = await (await conn.execute("select serial from registry.meter")).fetchall()
            if how == "fails":
                await conn.execute("select 1 / 0")
        return [serial for (serial,) in found]

    return app


async def ask(app: FastAPI, method: str, path: str, key: str, body: bytes = b"") -> tuple[int, bytes]:
    """A request as a server hands it to the application, without the cost of a client."""
    url, _, query = path.partition("?")
    headers = [(HEADER.lower().encode(), key.encode()), (b"content-type", b"application/json"), (b"idempotency-key", b"soak-soak")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": url,
        "raw_path": url.encode(), "query_string": query.encode(), "root_path": "", "headers": headers, "client": ("127.0.0.1", 1),
        "server": ("test", 80), "state": {},
    }  # fmt: skip
    sent = False
    status, parts = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts)


def test_no_row_of_another_tenant_or_office(people: list[Person]) -> None:
    asked = asyncio.run(_soak(people))
    assert asked["right"] > REQUESTS * 0.6, f"too few requests were answered with rows to prove anything: {asked}"
    assert min(asked["given up"], asked["failed"], asked["refused"]) > 100, f"not interleaved with what goes wrong: {asked}"


async def _soak(people: list[Person]) -> Counter[str]:
    app = application()
    chance = random.Random(1)
    asked: Counter[str] = Counter()
    plan = [(chance.choice(people), chance.random(), chance.random(), chance.random() < GIVEN_UP) for _ in range(REQUESTS)]
    queue = iter(plan)

    async def caller() -> None:
        for person, what, some, gives_up in queue:
            asked[await _one(app, people, person, what, some, gives_up)] += 1

    async with app.router.lifespan_context(app):
        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return asked


async def _one(app: FastAPI, people: list[Person], person: Person, what: float, some: float, gives_up: bool) -> str:
    """Ask for something, and look whose rows come."""
    if gives_up:
        task = asyncio.create_task(ask(app, "GET", "/soak/slow" if some < 0.5 else "/api/v1/commands?size=500", person.key))
        await asyncio.sleep(some / 200)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return "given up"
    if what < 0.4:
        path = ("/soak/one", "/soak/many", "/soak/slow")[int(some * 3)]
        return _all_of_theirs(path, person, *await ask(app, "GET", path, person.key))
    if what < 0.6:
        return _all_of_theirs("commands", person, *await ask(app, "GET", "/api/v1/commands?size=500", person.key))
    if what < 0.8:
        path = f"/api/v1/vee/exceptions?first={DAY}&last={DAY}&size=500"
        return _all_of_theirs("exceptions", person, *await ask(app, "GET", path, person.key))
    if what < 0.9:
        other = people[int(some * len(people))]
        command = other.commands[int(some * 1000) % len(other.commands)]
        status, body = await ask(app, "GET", f"/api/v1/commands/{command}", person.key)
        expected = 200 if command in person.commands else 404
        assert status == expected, f"command {command} of others: {status} instead of {expected}: {body!r}"
        return "right" if status == 200 else "refused"
    if what < 0.95:
        status, body = await ask(app, "GET", "/soak/fails", person.key)
        assert status == 500, f"a fault in the middle of a transaction is answered with {status}: {body!r}"
        assert not SERIAL.search(body.decode()), f"a fault shows rows: {body!r}"
        return "failed"
    broken = (b"{", b'{"meter": 7}', json.dumps({"meter": "nobody", "kind": "read"}).encode())[int(some * 3)]
    status, body = await ask(app, "POST", "/api/v1/commands", person.key, broken)
    assert status == 422, f"a bad command is answered with {status}: {body!r}"
    return "refused"


def _all_of_theirs(what: str, person: Person, status: int, body: bytes) -> str:
    assert status == 200, f"{what}: {status} {body!r}"
    shown = set(SERIAL.findall(body.decode()))
    assert shown == person.serials, f"{what}: not theirs {sorted(shown - person.serials)}, missing {sorted(person.serials - shown)}"
    return "right"
