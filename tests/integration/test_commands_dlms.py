"""From the API to the relay of a simulated meter and back: real database, a worker and the meters as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from ingestion.commands import drivers, rules
from ingestion.commands.dispatcher import Dispatcher
from simulation.dlms import DlmsServer
from warehouse import db

pytestmark = pytest.mark.integration

WAIT_S = 60.0
QUICK = {"backoff_s": 0.05, "look_s": 0.05, "settle_s": 0}


@dataclass
class World:
    client: TestClient
    meters: DlmsServer

    def ask(self, kind: str, meter: int = 1, **rest: Any) -> int:
        """A command that was accepted. A disconnect states a reason, for the tests run at night as well."""
        body = {"kind": kind, "meter": self.meters.meter(meter).serial, **rest}
        if kind == "disconnect":
            body["override_reason"] = "a test, at whatever hour"
        answer = self.client.post("/api/v1/commands", json=body, headers={"Idempotency-Key": uuid4().hex})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def get(self, command: int) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/commands/{command}").json()
        assert isinstance(answer, dict)
        return answer

    def trail(self, command: int) -> list[str]:
        return [m["after"] for m in self.get(command)["audit"]]

    def work(self, *commands: int) -> None:
        """Rounds of a dispatcher in this process until the commands are settled."""
        wait_until(lambda: self._round() and all(settled(self.get(c)) for c in commands), f"{[self.get(c) for c in commands]}")

    def _round(self) -> bool:
        Dispatcher(idle_s=0.02).run_once()
        return True


def settled(command: dict[str, Any]) -> bool:
    return command["state"] in ("done", "failed", "timed_out")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends, f"not within {WAIT_S:.0f} s: {what}"
        time.sleep(0.05)


def owner(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with db.connect("meterhouse_owner", autocommit=True) as conn:
        cursor = conn.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """DISCOM acme with meters 1 (D1) and 2 (D3) behind head-end system DLMS, and an operator's key."""
    default = rules._read(rules.FOLDER / "default.yml")
    monkeypatch.setattr(rules, "_read", lambda _: default | QUICK)
    rules.load_rules.cache_clear()
    monkeypatch.setenv("METERHOUSE_DLMS_KEYS", str(tmp_path / "keys.json"))
    with DlmsServer(meters=2, categories="D1,D3", history_days=3, folder=tmp_path) as meters:
        owner("insert into registry.discom (code, name) values ('acme', 'Acme')")
        owner("insert into registry.hes (discom_id, code, vendor) select discom_id, 'DLMS', 'dlms' from registry.discom")
        for n, category in ((1, "D1"), (2, "D3")):
            sim = meters.meter(n)
            owner(
                """with m as (
                     insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
                     select discom_id, %s, hes_id, %s, 30 from registry.hes returning discom_id, meter_id)
                   insert into registry.meter_endpoint
                     (discom_id, meter_id, host, port, client_address, server_address, authentication, system_title)
                   select discom_id, meter_id, %s, %s, 48, %s, 'hls_gmac', %s from m""",
                *(sim.serial, category, meters.host, meters.port, n, sim.system_title.hex().upper()),
            )
        key, key_id, secret = new_key()
        with db.connect("meterhouse_owner") as conn:
            (discom_id,) = conn.execute("select discom_id from registry.discom").fetchone() or (0,)
            insert_key(conn, discom_id, key_id, secret, None, "control room", [], 1_000_000)
        with TestClient(create_app(), headers={HEADER: key}) as client:
            yield World(client, meters)
    rules.load_rules.cache_clear()


def switch_events() -> list[int]:
    """Codes of the load switch's events that were landed, by time."""
    return [code for (code,) in owner("select code from raw.event where code in (301, 302) order by occurred_at, seq")]


@pytest.mark.heavy
def test_a_disconnect_goes_from_the_api_to_the_relay_and_back_with_its_event_landed(world: World) -> None:
    off = world.ask("disconnect")
    worker = subprocess.Popen([sys.executable, "-m", "cli.main", "commands", "run"], stdout=subprocess.DEVNULL, env=os.environ.copy())
    try:
        wait_until(lambda: settled(world.get(off)), "the disconnect is settled")
    finally:
        worker.terminate()
        assert worker.wait(20) == 0
    found = world.get(off)
    assert world.trail(off) == ["queued", "sent", "done"]
    assert world.meters.order("state")["relay_closed"] is False
    assert 301 in switch_events(), "the meter's own event must be landed"
    assert found["result"]["relay_closed"] is False
    assert owner("select batch_id from raw.event where code = 301") == [(found["result"]["batch_id"],)], "the result names the batch"


def test_off_and_on_again_each_switch_once(world: World) -> None:
    off = world.ask("disconnect")
    world.work(off)
    on = world.ask("connect")
    world.work(on)
    assert [world.get(c)["state"] for c in (off, on)] == ["done", "done"]
    assert world.meters.order("state")["relay_closed"] is True
    assert owner("select count(distinct occurred_at) from raw.event where code = 301") == [(1,)]


@pytest.mark.parametrize(
    ("fault", "trail", "closed"),
    [
        ("silent", ["queued", "sent", "unknown", "done"], False),  # done, and the answer is lost
        ("deaf", ["queued", "sent", "unknown", "failed"], True),  # never done
    ],
)
def test_a_disconnect_whose_answer_is_lost_is_settled_by_the_relay_and_never_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str, trail: list[str], closed: bool
) -> None:
    vendor = drivers._vendor("dlms")
    monkeypatch.setitem(vendor.transport, "timeout_s", 1)
    world.meters.order("fault", kind=fault, on="action")
    off = world.ask("disconnect")
    world.work(off)
    assert world.trail(off) == trail
    assert world.meters.order("state")["relay_closed"] is closed
    read = world.ask("read_profile", parameters={"profile": "event", "since": "2026-10-01T00:00:00Z", "until": "2026-12-30T00:00:00Z"})
    world.work(read)
    assert owner("select count(distinct occurred_at) from raw.event where code = 301") == [(0 if closed else 1,)]


def test_a_meter_that_refuses_fails_and_one_that_cannot_be_reached_is_tried_again(world: World) -> None:
    world.meters.order("fault", kind="refuse", on="action")
    refused = world.ask("disconnect")
    world.work(refused)
    assert world.get(refused)["state"] == "failed"
    assert world.trail(refused).count("sent") == 1
    owner("update registry.meter_endpoint set port = 9")
    away = world.ask("connect")
    world.work(away)
    assert "unknown" not in world.trail(away), "what was never sent is not unknown"
    assert world.trail(away).count("sent") == rules.load_rules("acme").attempts


def test_a_read_a_profile_and_settings(world: World) -> None:
    # yesterday: shortly after midnight today's first block is not over, and rejected as of the future
    day = date.fromisoformat(world.meters.order("state")["clock"][:10]) - timedelta(days=1)
    span = {"since": f"{day}T00:00:00+05:30", "until": f"{day}T00:30:00+05:30"}
    world.meters.order("skew", seconds=3600)
    asked = {
        "load_limit": world.ask("load_limit", parameters={"load_limit_w": 2500}),
        "clock_sync": world.ask("clock_sync"),
        "tod_calendar": world.ask(
            "tod_calendar", parameters={"name": "winter", "switches": [{"at": "00:00", "zone": 1}, {"at": "18:00", "zone": 2}]}
        ),
        "block": world.ask("read_profile", parameters={"profile": "block", **span}),
        "of a D3 meter": world.ask("read_profile", 2, parameters={"profile": "daily", **span}),
    }
    world.work(*asked.values())
    assert {name: world.get(c)["state"] for name, c in asked.items()} == dict.fromkeys(asked, "done"), json.dumps(
        {name: world.get(c)["reason"] for name, c in asked.items()}
    )
    state = world.meters.order("state")
    assert state["load_limit_w"] == 2500
    assert abs(time.time() - _epoch(state["clock"])) < 120, "the clock is right again"
    assert world.get(asked["block"])["result"]["accepted"] > 0
    now = world.ask("read")  # not before: with a clock an hour fast the meter's values would be of the future, and rejected
    world.work(now)
    assert world.get(now)["state"] == "done", world.get(now)["reason"]
    assert owner("select value from raw.meter_value where quantity = 'relay_closed_flag'") == [(1,)]


def _epoch(ist: str) -> float:
    return datetime.fromisoformat(ist).replace(tzinfo=timezone(timedelta(minutes=330))).timestamp()
