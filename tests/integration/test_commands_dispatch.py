"""The dispatcher with a real database and a real head-end system that misbehaves as told, workers as processes where one is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest

from ingestion.commands import rules, store
from ingestion.commands.dispatcher import Dispatcher
from ingestion.commands.driver import Command, Outcome, Verdict
from ingestion.commands.states import RELAY, TRANSITIONS, Kind, State, move
from ingestion.commands.store import Job
from ingestion.readers import read
from ingestion.vendor import load_vendor
from simulation import HplServer
from warehouse import db

pytestmark = pytest.mark.integration

TOKEN = "token-of-the-test"
QUICK = {"backoff_s": 0.05, "look_s": 0.05, "attempts": 3, "settle_s": 0}
WAIT_S = 60.0
DAY = "2026-10-01"


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the head-end system has of meter M1: four blocks of a morning."""
    folder = tmp_path_factory.mktemp("hpl")
    entries = ",".join(f'["{DAY} {h:02}:{m:02}:00",{100 + h}]' for h, m in ((0, 30), (1, 0), (1, 30), (2, 0)))
    columns = '[["1.0.1.29.0.255",30,0,6]]'
    (folder / "block.jsonl").write_text(
        f'{{"receivedAt":"{DAY}T06:00:00+05:30","meterSerial":"M1","columns":{columns},"entries":[{entries}]}}\n'
    )
    return folder


class Head:
    """The simulated head-end system as a test handles it."""

    def __init__(self, server: HplServer) -> None:
        self.url = server.url
        self._client = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)

    def order(self, **rest: Any) -> None:
        assert self._client.post("/control/commands", json=rest).status_code == 200

    @property
    def counts(self) -> dict[str, Any]:
        answer = self._client.get("/control/commands").json()
        assert isinstance(answer, dict)
        return answer

    @property
    def order_of_sends(self) -> list[str]:
        return [s["meterSerial"] for s in self.counts["submitted"]]


@pytest.fixture
def hes(feeds: Path) -> Iterator[Head]:
    with HplServer(feeds, TOKEN) as server:
        yield Head(server)


@pytest.fixture
def acme(database: str, hes: Head, monkeypatch: pytest.MonkeyPatch) -> str:
    """DISCOM acme: meters M1 to M9 behind the simulated system, quick rules, no protected hours."""
    monkeypatch.setenv("METERHOUSE_HPL_TOKEN", TOKEN)
    default = rules._read(rules.FOLDER / "default.yml")
    monkeypatch.setattr(
        rules,
        "_read",
        lambda path: (
            default | QUICK | {"protected": {**default["protected"], "from": "00:00", "to": "00:00", "weekdays": [], "holidays": False}}
        ),
    )
    rules.load_rules.cache_clear()
    owner("insert into registry.discom (code, name) values ('acme', 'Acme')")
    owner("insert into registry.hes (discom_id, code, vendor, base_url) select discom_id, 'h1', 'hpl', %s from registry.discom", hes.url)
    owner(
        """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
           select discom_id, 'M' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, 9) n"""
    )
    yield "acme"
    rules.load_rules.cache_clear()


def owner(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with db.connect("meterhouse_owner", autocommit=True) as conn:
        cursor = conn.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def queue(
    kind: Kind,
    meter: str = "M1",
    priority: int = 5,
    expires: timedelta = timedelta(hours=1),
    due: timedelta = timedelta(0),
    **parameters: Any,
) -> int:
    """A queued command, as the API writes it."""
    made = owner(
        """with made as (
             insert into ops.command (discom_id, meter_id, hes_id, kind, parameters, priority, requested_by, requested_at,
                                      due_at, expires_at)
             select discom_id, meter_id, hes_id, %s, %s, %s, 'test', now() - interval '1 day', now() + %s, now() + %s
             from registry.meter where serial = %s
             returning discom_id, command_id)
           insert into ops.command_audit (discom_id, command_id, who, to_state, why)
           select discom_id, command_id, 'test', 'queued', 'asked' from made returning command_id""",
        kind,
        psycopg.types.json.Jsonb(parameters),
        priority,
        due,
        expires,
        meter,
    )
    return int(made[0][0])


def command(command_id: int) -> dict[str, Any]:
    names = ("state", "reason", "attempts", "result", "sent_at", "meter_id", "discom_id")
    return dict(zip(names, owner(f"select {', '.join(names)} from ops.command where command_id = %s", command_id)[0], strict=True))


def trail(command_id: int) -> list[str]:
    """States of the audit trail, after checking that each line begins where the one before ended and that every move is legal."""
    lines = owner("select from_state, to_state from ops.command_audit where command_id = %s order by audit_id", command_id)
    for (_, before), (begins, after) in pairwise(lines):
        assert begins == before, f"the trail has a gap: {lines}"
        assert State(after) in TRANSITIONS[State(before)], f"{before} -> {after} is no legal move: {lines}"
    assert lines[-1][1] == command(command_id)["state"], "the trail must end where the command is"
    return [after for _, after in lines]


def work_until(condition: Callable[[], bool], what: str, worker: Dispatcher | None = None) -> None:
    """Rounds of dispatchers until a condition holds."""
    ends = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends, f"not within {WAIT_S:.0f} s: {what}"
        Dispatcher(idle_s=0.02).run_once()


def settled(*ids: int) -> Callable[[], bool]:
    return lambda: all(command(i)["state"] in ("done", "failed", "timed_out", "cancelled") for i in ids)


# --- the way of a command ---


def test_a_disconnect_is_acknowledged_and_done_when_the_relay_is_open(acme: str, hes: Head) -> None:
    hes.order(delay_s=0.3)
    one = queue(Kind.DISCONNECT)
    work_until(settled(one), "the disconnect is done")
    assert trail(one) == ["queued", "sent", "acknowledged", "done"]
    assert command(one)["result"] == {"relay_closed": False}
    assert hes.counts["switches"] == {"M1": 1}


def test_what_a_read_brings_back_is_landed_and_the_result_names_the_batch(acme: str) -> None:
    span = {"since": f"{DAY}T00:00:00+05:30", "until": f"{DAY}T01:30:00+05:30"}
    ids = [queue(Kind.READ_PROFILE, profile="block", **span) for _ in range(2)]
    work_until(settled(*ids), "the profile is read")
    results = [command(i)["result"] for i in ids]
    assert {(r["accepted"], r["rejected"], r["duplicate"]) for r in results} == {(3, 0, False), (0, 0, True)}, "read twice, landed once"
    assert {r["batch_id"] for r in results} == {owner("select batch_id from raw.batch")[0][0]}
    assert owner("select start_slot, import_wh from raw.profile_fragment") == [(0, [100, 101, 101])]


def test_a_read_on_demand_lands_what_the_meter_says_now(acme: str) -> None:
    one = queue(Kind.READ)
    work_until(settled(one), "the meter is read")
    assert command(one)["state"] == "done", command(one)["reason"]
    assert command(one)["result"]["rejected"] == 0
    found = dict(owner("select quantity, value from raw.meter_value where profile = 'instant'"))
    assert found == {"import_wh": 1234567, "voltage_r_mv": 230120, "relay_closed_flag": 1}


def test_an_empty_answer_is_an_answer(acme: str) -> None:
    one = queue(Kind.READ_PROFILE, profile="block", since="2026-09-01T00:00:00Z", until="2026-09-02T00:00:00Z")
    work_until(settled(one), "the read ends")
    assert (command(one)["state"], command(one)["result"]) == ("done", {})


@pytest.mark.parametrize(("fault", "said"), [("refuse", "not commissioned"), ("fail", "did not answer")])
def test_a_refusal_or_a_failure_is_final_and_not_repeated(acme: str, hes: Head, fault: str, said: str) -> None:
    hes.order(faults=[fault])
    one = queue(Kind.DISCONNECT)
    work_until(settled(one), "the disconnect fails")
    assert command(one)["state"] == "failed"
    assert said in command(one)["reason"]
    assert len(hes.order_of_sends) == 1, "a refusal must not be sent again"


# --- what may be repeated, and what may not ---


def test_busy_is_tried_again_for_it_did_nothing(acme: str, hes: Head) -> None:
    hes.order(faults=["busy", "busy"])
    one = queue(Kind.DISCONNECT)
    work_until(settled(one), "the third attempt gets through")
    assert trail(one) == ["queued", "sent", "queued", "sent", "queued", "sent", "acknowledged", "done"]
    assert hes.counts["switches"] == {"M1": 1}


def test_attempts_are_bounded(acme: str, hes: Head) -> None:
    hes.order(faults=["busy"] * 9)
    one = queue(Kind.CONNECT)
    work_until(settled(one), "it gives up")
    assert (command(one)["state"], command(one)["attempts"]) == ("failed", 3)
    assert len(hes.order_of_sends) == 3
    assert "given up after 3 attempts" in command(one)["reason"]


def test_no_connection_is_tried_again(acme: str) -> None:
    owner("update registry.hes set base_url = 'http://127.0.0.1:9'")
    one = queue(Kind.DISCONNECT)
    work_until(settled(one), "it gives up")
    assert trail(one).count("unknown") == 0, "what was never sent is not unknown"
    assert "no connection" in command(one)["reason"]


def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers that wait for an answer half a second only."""
    from ingestion.commands import drivers, rest

    monkeypatch.setattr(drivers, "_rest", {})
    monkeypatch.setattr(rest.httpx, "Timeout", lambda *_, **__: 0.5)


def test_a_disconnect_whose_answer_is_lost_is_unknown_then_settled_and_never_sent_again(
    acme: str, hes: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_timeout(monkeypatch)
    hes.order(faults=["lost"])
    one = queue(Kind.DISCONNECT)
    work_until(settled(one), "the head-end system's own word settles it")
    assert trail(one) in (["queued", "sent", "unknown", "done"], ["queued", "sent", "unknown", "acknowledged", "done"])
    assert hes.counts["switches"] == {"M1": 1}
    assert len(hes.order_of_sends) == 1


class Deaf:
    """A way to a meter on which the answer is lost and the head-end system keeps no list; the relay is where the test says."""

    def __init__(self, closed: bool | None, *, heard: bool = False) -> None:
        self.closed, self.heard, self.sends = closed, heard, 0

    def supports(self, kind: Kind) -> bool:
        return True

    def submit(self, command: Command) -> Outcome:
        self.sends += 1
        return Outcome(Verdict.UNKNOWN, "no answer")

    def poll(self, command: Command) -> Outcome:
        return Outcome(Verdict.UNKNOWN if self.heard else Verdict.UNHEARD, "nobody knows")

    def relay_closed(self, command: Command) -> bool | None:
        return self.closed


def rounds(way: Deaf, count: int = 6) -> None:
    for _ in range(count):
        Dispatcher(idle_s=0.02, driver=lambda _: way).run_once()
        time.sleep(0.1)


def test_an_answer_of_which_nothing_can_be_used_fails_and_is_kept(acme: str) -> None:
    class Garbage(Deaf):
        def submit(self, command: Command) -> Outcome:
            return Outcome(Verdict.DONE, "read", read(load_vendor("hpl"), "answer", b'{"items": "none"', datetime.now(UTC)))

    one = queue(Kind.READ)
    Dispatcher(idle_s=0.02, driver=lambda _: Garbage(closed=None)).run_once()
    assert (command(one)["state"], command(one)["result"]["rejected"] > 0) == ("failed", True)
    assert "raw.rejected" in command(one)["reason"]
    assert owner("select count(*) from raw.rejected where batch_id = %s", command(one)["result"]["batch_id"])[0][0] > 0


def test_an_unknown_disconnect_is_settled_by_the_relays_position(acme: str) -> None:
    moved, stays = queue(Kind.DISCONNECT, "M1"), queue(Kind.DISCONNECT, "M2")
    ways = {"M1": Deaf(closed=False), "M2": Deaf(closed=True)}
    for _ in range(6):
        Dispatcher(idle_s=0.02, driver=lambda job: ways[job.command.serial]).run_once()
        time.sleep(0.1)
    assert (trail(moved), trail(stays)) == (["queued", "sent", "unknown", "done"], ["queued", "sent", "unknown", "failed"])
    assert [w.sends for w in ways.values()] == [1, 1], "an unknown relay command must never be sent again"


def test_a_relay_that_has_not_moved_proves_nothing_while_the_head_end_system_cannot_be_asked(acme: str) -> None:
    one, way = queue(Kind.DISCONNECT), Deaf(closed=True, heard=True)
    rounds(way)
    assert (trail(one), way.sends) == (["queued", "sent", "unknown"], 1)


def test_an_unknown_disconnect_is_settled_by_the_meters_event(acme: str) -> None:
    one, way = queue(Kind.DISCONNECT), Deaf(closed=None)
    rounds(way, 2)
    assert trail(one)[-1] == "unknown"
    sent_at, meter_id, discom_id = (command(one)[k] for k in ("sent_at", "meter_id", "discom_id"))
    event = """insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
               values (%s, %s, %s, %s, %s, now(), 1, 0)"""
    days = [sent_at.date() - timedelta(days=2), sent_at.date() + timedelta(days=2)]
    owner("select ops.ensure_month('raw.event', %s, %s)", *days)

    def land(at: datetime) -> None:
        owner(event, discom_id, at.astimezone(ZoneInfo("Asia/Kolkata")).date(), meter_id, at, 301)

    land(sent_at - timedelta(hours=1))
    rounds(way, 3)
    assert trail(one)[-1] == "unknown", "an event from before the send confirms nothing"
    land(sent_at + timedelta(seconds=1))
    owner("update ops.command set due_at = now()")
    rounds(way, 1)
    assert (trail(one)[-1], command(one)["result"]["event"]) == ("done", 301)


def test_a_later_command_that_went_out_keeps_the_position_from_settling_an_earlier_one(acme: str) -> None:
    off, way = queue(Kind.DISCONNECT), Deaf(closed=None)
    rounds(way, 1)
    on = queue(Kind.CONNECT, priority=1)
    way.closed = True
    rounds(way)
    assert (trail(on)[-1], trail(off)[-1]) == ("done", "unknown"), "the relay stands where the connect put it"


# --- kill -9 ---


class Worker:
    """`meterhouse commands run` as a process of its own."""

    def __init__(self, lease_s: float = 1.5) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "commands", "run", "--lease-s", str(lease_s)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends, f"not within {WAIT_S:.0f} s: {what}"
        time.sleep(0.05)


@pytest.mark.heavy
def test_a_worker_killed_between_send_and_answer_leaves_unknown_and_the_relay_is_switched_once(acme: str, hes: Head) -> None:
    hes.order(faults=["lost"])
    one = queue(Kind.DISCONNECT)
    owner("update ops.command set override_reason = 'test of a kill'")
    with Worker() as first:
        wait_until(lambda: hes.counts["switches"] == {"M1": 1}, "the relay is switched")
        assert command(one)["state"] == "sent", "sent is noted before it goes out"
        first.kill()
    assert command(one)["state"] == "sent"
    with Worker():
        wait_until(settled(one), "another worker finds out what became of it")
    assert trail(one)[:3] == ["queued", "sent", "unknown"]
    assert trail(one)[-1] == "done"
    assert hes.counts["switches"] == {"M1": 1}, "a disconnect must never be sent twice"
    assert len(hes.order_of_sends) == 1


@pytest.mark.heavy
def test_a_worker_killed_in_a_read_leaves_it_to_be_read_again(acme: str, hes: Head) -> None:
    hes.order(faults=["lost"])
    span = {"since": f"{DAY}T00:00:00+05:30", "until": f"{DAY}T01:30:00+05:30"}
    one = queue(Kind.READ_PROFILE, profile="block", **span)
    with Worker() as first:
        wait_until(lambda: len(hes.order_of_sends) == 1, "the read is sent")
        first.kill()
    with Worker():
        wait_until(settled(one), "another worker reads it")
    assert trail(one) == ["queued", "sent", "queued", "sent", "acknowledged", "done"]
    assert owner("select count(*), sum(values_accepted) from raw.batch") == [(1, 3)]


def test_a_worker_that_lost_its_lease_may_still_say_what_it_knows(acme: str) -> None:
    class Slow(Deaf):
        def submit(self, command: Command) -> Outcome:
            owner("update ops.command set leased_until = now() - interval '1 second'")
            with db.connect("meterhouse_dispatcher", autocommit=True) as conn:
                store.sweep(conn, "another worker")
            return Outcome(Verdict.ACCEPTED, "taken on")

        def poll(self, command: Command) -> Outcome:
            return Outcome(Verdict.ACCEPTED, "running")

    one = queue(Kind.DISCONNECT)
    Dispatcher(idle_s=0.02, driver=lambda _: Slow(closed=None)).run_once()
    assert trail(one) == ["queued", "sent", "unknown", "acknowledged"]


def test_a_worker_that_was_held_up_past_its_lease_sends_nothing(acme: str) -> None:
    way = Deaf(closed=None)

    def held_up(job: Job) -> Deaf:
        owner("update ops.command set leased_until = now() - interval '1 second'")
        with db.connect("meterhouse_dispatcher", autocommit=True) as conn:
            store.sweep(conn, "another worker")
        return way

    one = queue(Kind.DISCONNECT)
    Dispatcher(idle_s=0.02, driver=held_up).run_once()
    assert (trail(one)[:3], way.sends) == (["queued", "sent", "unknown"], 0), "others take it for gone, so it must not go out any more"


def test_a_meter_is_spoken_to_about_one_command_at_a_time(acme: str, hes: Head) -> None:
    hes.order(faults=["late"])
    ids = [queue(Kind.CLOCK_SYNC) for _ in range(3)]
    work_until(settled(*ids), "all are done")
    assert hes.counts["mostParallel"] == 1


# --- order and limits ---


def test_reconnects_go_first_then_by_age(acme: str, hes: Head) -> None:
    owner("update registry.hes set max_concurrent = 1")
    ids = [
        queue(Kind.DISCONNECT, "M1", priority=5, due=timedelta(seconds=-10)),
        queue(Kind.DISCONNECT, "M2", priority=5, due=timedelta(seconds=-20)),
        queue(Kind.CONNECT, "M3", priority=1),
    ]
    work_until(settled(*ids), "all are done")
    assert hes.order_of_sends == ["M3", "M2", "M1"]


def test_limits_hold_over_several_workers(acme: str, hes: Head) -> None:
    owner("update registry.hes set max_concurrent = 2, commands_per_min = 5")
    hes.order(faults=["late"] * 3)
    ids = [queue(Kind.CLOCK_SYNC, f"M{n}") for n in range(1, 10)]
    workers = [
        subprocess.Popen([sys.executable, "-c", "from ingestion.commands.dispatcher import Dispatcher; Dispatcher(idle_s=0.05).run_once()"])
        for _ in range(2)
    ]
    for w in workers:
        assert w.wait(WAIT_S) == 0
    counts = hes.counts
    assert len(counts["submitted"]) == 5, "five a minute, whoever sends them"
    assert counts["mostParallel"] <= 2, "two at once, whoever sends them"
    states = [command(i)["state"] for i in ids]
    assert states.count("queued") == 4
    owner("update ops.command_audit set at = at - interval '61 seconds'")
    work_until(lambda: len(hes.order_of_sends) == 9, "the others go out in the next minute")


def test_two_workers_never_send_one_command_twice(acme: str, hes: Head) -> None:
    owner("update registry.hes set max_concurrent = 9, commands_per_min = 1000")
    ids = [queue(Kind.DISCONNECT, f"M{n}") for n in range(1, 10)]
    owner("update ops.command set override_reason = 'workers of their own read the protected hours of the package'")
    code = "from ingestion.commands.dispatcher import Dispatcher; Dispatcher(idle_s=0.02).run_once()"
    workers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    for w in workers:
        assert w.wait(WAIT_S) == 0
    work_until(settled(*ids), "all are done")
    assert hes.counts["switches"] == {f"M{n}": 1 for n in range(1, 10)}


# --- time, protected hours, what overtakes what ---


def test_what_expires_in_the_queue_is_timed_out_and_never_sent(acme: str, hes: Head) -> None:
    one = queue(Kind.CONNECT, expires=timedelta(seconds=-1))
    Dispatcher().run_once()
    assert trail(one) == ["queued", "timed_out"]
    assert hes.order_of_sends == []


def test_an_accepted_command_that_is_not_confirmed_in_time(acme: str, hes: Head) -> None:
    hes.order(delay_s=3600)
    off, read = queue(Kind.DISCONNECT, "M1"), queue(Kind.CLOCK_SYNC, "M2")
    work_until(lambda: {command(i)["state"] for i in (off, read)} == {"acknowledged"}, "both are accepted")
    owner("update ops.command set expires_at = now() - interval '1 second'")
    Dispatcher(idle_s=0.02).run_once()
    assert "unknown" in trail(off), "the relay may have been switched"
    assert trail(read)[-1] == "timed_out"


def test_a_disconnect_that_falls_into_protected_hours_is_put_off_by_the_dispatcher(
    acme: str, hes: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
    monkeypatch.setattr(rules.Rules, "opens_at", lambda *_: opens)
    waits, late = queue(Kind.DISCONNECT, "M1"), queue(Kind.DISCONNECT, "M2", expires=timedelta(minutes=10))
    overridden, on = queue(Kind.DISCONNECT, "M3"), queue(Kind.CONNECT, "M4")
    owner("update ops.command set override_reason = 'fire' where command_id = %s", overridden)
    work_until(settled(late, overridden, on), "what need not wait is done")
    assert trail(waits) == ["queued", "queued"]
    assert owner("select due_at from ops.command where command_id = %s", waits) == [(opens,)]
    assert trail(late) == ["queued", "timed_out"]
    assert sorted(hes.order_of_sends) == ["M3", "M4"], "nothing else may go out in protected hours"


def test_a_connect_overtakes_a_disconnect_that_waits(acme: str, hes: Head) -> None:
    """A consumer who pays in the evening must not be disconnected in the morning."""
    off = queue(Kind.DISCONNECT, due=timedelta(minutes=5))
    on = queue(Kind.CONNECT)
    work_until(settled(off, on), "the connect is done")
    assert trail(off) == ["queued", "cancelled"]
    assert command(off)["reason"] == f"overtaken by command {on}"
    owner("update ops.command set due_at = now()")
    Dispatcher().run_once()
    assert hes.counts["switches"] == {"M1": 1}


def test_of_one_meters_relay_commands_one_is_under_way_at_a_time(acme: str, hes: Head) -> None:
    hes.order(delay_s=0.5)
    off = queue(Kind.DISCONNECT)
    work_until(lambda: command(off)["state"] == "acknowledged", "the disconnect is taken on")
    on = queue(Kind.CONNECT, priority=1)
    Dispatcher(idle_s=0.02).run_once()
    assert trail(on) == ["queued"] or command(off)["state"] == "done"
    work_until(settled(off, on), "both are done")
    assert [command(i)["state"] for i in (off, on)] == ["done", "done"]


# --- the operator's worker ---


def test_a_vendor_without_commands_fails_with_the_reason(acme: str) -> None:
    owner("update registry.hes set vendor = 'vendor_b'")
    one = queue(Kind.CONNECT)
    work_until(settled(one), "it gives up")
    assert "takes no commands" in command(one)["reason"]


@pytest.mark.heavy
def test_a_worker_that_is_stopped_finishes_what_is_under_way(acme: str, hes: Head) -> None:
    hes.order(faults=["late"])
    one = queue(Kind.CONNECT)
    with Worker(lease_s=60) as worker:
        wait_until(lambda: len(hes.order_of_sends) == 1, "it is sent")
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(20) == 0
    assert command(one)["state"] == "acknowledged", "the answer must be noted before the worker ends"


def test_a_database_that_goes_away_is_waited_for(acme: str, database: str) -> None:
    worker = Dispatcher(idle_s=0.02)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        one = queue(Kind.CONNECT)
        wait_until(settled(one), "the first is done")
        with psycopg.connect(database) as conn:
            others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            assert conn.execute(f"select count(pg_terminate_backend(pid)) {others}").fetchone() != (0,)
        two = queue(Kind.DISCONNECT, "M2")
        wait_until(settled(two), "the second is done after the connections were cut")
    finally:
        worker.stop()
        thread.join(30)
    assert not thread.is_alive()


class Fickle:
    """A way to meters of which anything may be expected, drawn from a seed; it keeps what it was asked."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.sends: list[tuple[int, Verdict]] = []

    def _draw(self, *verdicts: Verdict) -> Verdict:
        with self._lock:
            return self._random.choice(verdicts)

    def supports(self, kind: Kind) -> bool:
        return True

    def submit(self, command: Command) -> Outcome:
        verdict = self._draw(Verdict.ACCEPTED, Verdict.DONE, Verdict.REFUSED, Verdict.NOT_SENT, Verdict.UNKNOWN)
        with self._lock:
            self.sends.append((command.command_id, verdict))
        return Outcome(verdict, "drawn")

    def poll(self, command: Command) -> Outcome:
        return Outcome(self._draw(*(v for v in Verdict if v != Verdict.NOT_SENT)), "drawn")

    def relay_closed(self, command: Command) -> bool | None:
        with self._lock:
            return self._random.choice([True, False, None])


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_moves_are_legal_the_trail_is_whole_and_relays_are_sent_to_once(acme: str, seed: int) -> None:
    owner("update registry.hes set max_concurrent = 8, commands_per_min = 100000")
    draw, way = random.Random(seed), Fickle(seed)
    ids: dict[int, Kind] = {}
    for _ in range(7):
        for _ in range(6):
            kind = draw.choice([Kind.CONNECT, Kind.DISCONNECT, Kind.CLOCK_SYNC, Kind.READ])
            expires = draw.choice([timedelta(milliseconds=200), timedelta(hours=1)])
            ids[queue(kind, f"M{draw.randint(1, 9)}", draw.randint(1, 9), expires)] = kind
        Dispatcher(threads=8, idle_s=0.01, driver=lambda _: way).run_once()
        with db.connect("meterhouse_dispatcher", autocommit=True) as conn:
            for one in draw.sample(sorted(ids), 5):  # operators take back what they can, and workers are lost
                move(conn, command(one)["discom_id"], one, State.QUEUED, State.CANCELLED, who="operator", why="taken back")
        owner("update ops.command set leased_until = now() where state = 'sent'")
        owner("update ops.command set due_at = now() where due_at > now()")
    for one, kind in ids.items():
        states = trail(one)
        sends = [verdict for command_id, verdict in way.sends if command_id == one]
        assert len(sends) <= states.count("sent"), f"command {one} went out without a line in the trail: {states}"
        if kind in RELAY:
            assert all(v == Verdict.NOT_SENT for v in sends[:-1]), f"command {one} was sent again after {sends}"
    assert owner("select count(*) from ops.command where leased_by is not null and finished_at is not null") == [(0,)]
