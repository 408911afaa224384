"""Exports as jobs: asked for, made by a worker that may die, fetched by a link that is for one file and a while."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.auth import tokens
from api.auth.caller import Scope
from api.auth.standing import covers
from api.main import create_app
from api.reports import service
from api.reports.exports import service as exports
from api.reports.exports import sources, store, worker
from api.reports.exports.model import Part, Work
from api.reports.exports.worker import Worker
from tests.integration.reports_world import LIST, MISSING, key_of, make, make_offices, put_into_catalogue
from warehouse import db

pytestmark = pytest.mark.integration

OCTOBER = {"first": "2026-10-01", "last": "2026-10-31"}
EXPORT, JOBS = "/api/v1/reports/export", "/api/v1/reports/exports"
TWO = {**OCTOBER, "reports": ["C04", "D09"], "formats": ["csv"]}


@pytest.fixture(scope="module")
def world(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    make(module_database)
    make_offices(module_database)
    with pytest.MonkeyPatch.context() as patch:
        put_into_catalogue(patch)
        patch.setenv("METERHOUSE_EXPORTS", str(tmp_path_factory.mktemp("exports")))
        patch.setenv("METERHOUSE_EXPORT_WORKER", "0")
        yield module_database


@pytest.fixture(scope="module")
def app(world: str) -> FastAPI:
    return create_app()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    owner("delete from ops.report_export")
    return TestClient(app)


@pytest.fixture(scope="module")
def keys(world: str) -> dict[str, dict[str, str]]:
    return {
        "acme": key_of("ACME"),
        "other": key_of("ACME"),
        "town": key_of("ACME", office="TOWN"),
        "globex": key_of("GLOBEX"),
        "reader": key_of("ACME", role="approver"),
    }


@pytest.fixture
def at_work(app: FastAPI) -> Worker:
    """Makes a job where a test says so."""
    return Worker(app.state.database, lease_s=60)


def owner(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(db.database_url(), autocommit=True) as conn:
        cursor = conn.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def ask(client: TestClient, headers: dict[str, str], body: dict[str, Any] = TWO, key: str | None = None) -> Any:
    answer = client.post(EXPORT, json=body, headers={**headers, "Idempotency-Key": key or uuid4().hex})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"{JOBS}/{job['id']}"
    return job


def look(client: TestClient, headers: dict[str, str], job: Any) -> Any:
    answer = client.get(f"{JOBS}/{job['id']}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def until(what: Callable[[], Any], why: str) -> Any:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    pytest.fail(f"{why}, not within a minute")


def test_many_reports_are_one_job_and_one_file(client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    body = {**OCTOBER, "reports": ["d09", "C04", "I05"], "formats": ["csv", "json"], "period": "month"}
    asked = ask(client, keys["acme"], body)
    assert (asked["state"], asked["rows"], asked["download"]) == ("queued", 0, None)
    assert asked["what"] == {**OCTOBER, "reports": ["D09", "C04", "I05"], "formats": ["csv", "json"], "period": "month"}
    assert at_work.run_one()
    done = look(client, keys["acme"], asked)
    assert (done["state"], done["rows"], done["error"]) == ("done", 33, None), done
    assert {c["name"]: (c["rows"], c["error"]) for c in done["contents"]} == {
        "d09_list_ACME_2026-10.csv": (30, None),
        "d09_list_ACME_2026-10.json": (30, None),
        "c04_points_ACME_2026-10.csv": (3, None),
        "c04_points_ACME_2026-10.json": (3, None),
        "I05": (None, "I05 Never made was never built: run `meterhouse run --discom ACME`"),
    }
    fetched = client.get(done["download"])
    assert (fetched.status_code, fetched.headers["content-type"]) == (200, "application/zip")
    assert fetched.headers["cache-control"] == "private, no-store"
    assert hashlib.sha256(fetched.content).hexdigest() == done["sha256"]
    assert len(fetched.content) == done["bytes"]
    with zipfile.ZipFile(BytesIO(fetched.content)) as z:
        held = {name: hashlib.sha256(z.read(name)).hexdigest() for name in z.namelist()}
    assert held == {c["name"]: c["sha256"] for c in done["contents"] if c["sha256"]}
    assert [j["id"] for j in client.get(JOBS, headers=keys["acme"]).json()] == [asked["id"]]
    assert not at_work.run_one(), "it is made once"


def test_a_large_report_becomes_a_job_of_one_file(
    client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE_ROWS", 50)
    answer = client.get("/api/v1/reports/D09/export", params={**OCTOBER, "format": "xml"}, headers=keys["acme"])
    again = client.get("/api/v1/reports/D09/export", params={**OCTOBER, "format": "xml"}, headers=keys["acme"])
    assert (answer.status_code, again.status_code) == (202, 202), answer.text
    assert answer.headers["location"] == again.headers["location"], "as long as it is not finished it is the same job"
    assert answer.json()["rows_estimated"] > 0
    assert at_work.run_one()
    done = client.get(answer.headers["location"], headers=keys["acme"]).json()
    fetched = client.get(done["download"])
    assert (fetched.headers["content-type"], done["rows"]) == ("application/xml", 60)
    assert fetched.content.startswith(b"<?xml"), "one report in one format is no ZIP"


def test_what_the_planner_took_for_small_becomes_a_job_as_well(
    client: TestClient, keys: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE_ROWS", 50)
    monkeypatch.setattr("api.reports.repository.Snapshot.estimate", lambda *_: 1)
    answer = client.get("/api/v1/reports/D09/export", params={**OCTOBER, "format": "csv"}, headers=keys["acme"])
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert not list(store.root().glob("now-*")), "what was begun does not stay"


def test_whoever_prefers_a_job_has_one(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    headers = {**keys["acme"], "Prefer": "respond-async"}
    assert client.get("/api/v1/reports/C04/export", params={**OCTOBER, "format": "csv"}, headers=headers).status_code == 202


def test_a_job_sees_what_its_caller_saw(client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    asked = {
        who: ask(client, keys[who], {**OCTOBER, "reports": ["C04"], "formats": ["csv"], **more})
        for who, more in (("acme", {"office": "PORT"}), ("town", {}))
    }
    while at_work.run_one():
        pass
    codes = {
        who: [line.split(",")[6] for line in client.get(look(client, keys[who], job)["download"]).text.splitlines()[1:]]
        for who, job in asked.items()
    }
    assert codes == {"acme": ["ACME-P3"], "town": ["ACME-P1", "ACME-P2"]}


def test_the_same_key_is_the_same_job(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    first, again = ask(client, keys["acme"], key="my key 1"), ask(client, keys["acme"], key="my key 1")
    assert first["id"] == again["id"]
    assert ask(client, keys["other"], key="my key 1")["id"] != first["id"], "a key is of its caller"
    headers = {**keys["acme"], "Idempotency-Key": "my key 1"}
    other = client.post(EXPORT, json={**TWO, "formats": ["pdf"]}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "KEY_REUSED")
    assert client.post(EXPORT, json=TWO, headers=keys["acme"]).status_code == 422, "without a key it could be done twice"


def test_two_requests_with_one_key_at_once_are_one_job(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(ask(client, keys["acme"], key="my key 2")["id"])) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert (len(found), len(set(found))) == (6, 1)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**TWO, "reports": ["Z99"]}, 404, "UNKNOWN_REPORT"),
        ({**TWO, "reports": ["D09'; drop table ops.command --"]}, 422, "INVALID_REQUEST"),
        ({**TWO, "reports": []}, 422, "INVALID_REQUEST"),
        ({**TWO, "formats": ["exe"]}, 422, "INVALID_REQUEST"),
        ({**TWO, "first": "2026-13-01"}, 422, "INVALID_REQUEST"),
        ({**TWO, "first": "2026-11-01"}, 422, "INVALID_PERIOD"),
        ({**TWO, "first": "2099-01-01", "last": "2099-01-02"}, 422, "NOT_POSSIBLE"),
        ({**TWO, "office": "../../etc"}, 404, "UNKNOWN_OFFICE"),
        ({**TWO, "discom_id": 2}, 422, "INVALID_REQUEST"),
        ({"reports": ["D09"], "formats": ["csv"]}, 422, "INVALID_PERIOD"),
    ],
)
def test_a_bad_request_makes_no_job(
    client: TestClient, keys: dict[str, dict[str, str]], body: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(EXPORT, json=body, headers={**keys["acme"], "Idempotency-Key": uuid4().hex})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert owner("select count(*) from ops.report_export") == [(0,)]


def test_jobs_are_their_callers_own(client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    job = ask(client, keys["acme"])
    assert at_work.run_one()
    for who in ("other", "town", "globex"):
        for method in ("GET", "DELETE"):
            answer = client.request(method, f"{JOBS}/{job['id']}", headers=keys[who])
            assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_EXPORT"), f"{who} may {method} the job of another"
        assert client.get(JOBS, headers=keys[who]).json() == []
    assert client.get(f"{JOBS}/{job['id']}", headers=keys["reader"]).status_code == 403
    assert client.get(f"{JOBS}/{job['id']}").status_code == 401
    assert client.get(f"{JOBS}/{uuid4()}", headers=keys["acme"]).status_code == 404
    assert look(client, keys["acme"], job)["state"] == "done"


def test_a_link_is_for_one_file_and_a_while(client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    jobs = [ask(client, keys["acme"]), ask(client, keys["globex"], {**TWO, "reports": ["J05"]})]
    while at_work.run_one():
        pass
    mine, others = (look(client, keys[who], job) for who, job in zip(("acme", "globex"), jobs, strict=True))
    path, token = mine["download"].split("?token=")
    claims = jwt.decode(token, options={"verify_signature": False})
    soon = datetime.now(UTC) + timedelta(minutes=5)

    def sealed(**changed: Any) -> str:
        return tokens.seal(exports.PURPOSE, {**{k: claims[k] for k in ("discom", "sub", "sha256")}, **changed}, soon)

    assert client.get(f"{path}?token={sealed()}").status_code == 200, "else what follows would show nothing"
    head, body, signature = token.split(".")
    bad = {
        "none": "",
        "rubbish": "x.y.z",
        "of another export": others["download"].split("?token=")[1],
        "over": tokens.seal(exports.PURPOSE, {k: claims[k] for k in ("discom", "sub", "sha256")}, datetime.now(UTC) - timedelta(seconds=1)),
        "of another purpose": tokens.issue(uuid4(), "asha"),
        "changed": f"{head}.{body}.{signature[:-4]}AAAA",
        "not signed": jwt.encode(claims, None, "none"),
        "signed by somebody": jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA"),
        "signed with a word": jwt.encode(claims, "x" * 32, "HS256"),
        "of no DISCOM": sealed(discom="1; drop"),
    }
    for what, shown in bad.items():
        answer = client.get(path, params={"token": shown} if shown else {})
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_LINK"), f"a link that is {what} opens it"
    gone = {"another tenant's": sealed(discom=2), "another file's": sealed(sha256="0" * 64)}
    for what, shown in gone.items():
        answer = client.get(path, params={"token": shown})
        assert (answer.status_code, answer.json()["code"]) == (410, "EXPORT_GONE"), f"a link of {what} opens it"


def test_a_path_that_leads_out_opens_nothing(client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    job = ask(client, keys["acme"])
    assert at_work.run_one()
    for file in ("../../../../etc/passwd", "/etc/passwd", "."):
        owner("update ops.report_export set file = %s where export_id = %s", file, job["id"])
        answer = client.get(look(client, keys["acme"], job)["download"])
        assert (answer.status_code, answer.json()["code"]) == (410, "EXPORT_GONE"), f"{file} was opened"


def test_what_was_taken_away_is_neither_made_nor_fetched(client: TestClient, world: str, at_work: Worker) -> None:
    headers = key_of("ACME", office="TOWN")
    made, waits = ask(client, headers), ask(client, headers)
    assert at_work.run_one()
    download = look(client, headers, made)["download"]
    assert client.get(download).status_code == 200
    owner("update ops.api_key set revoked_at = now() where key_id = %s", next(iter(headers.values())).split("_")[1])
    refused = client.get(download)
    assert (refused.status_code, refused.json()["code"]) == (401, "INVALID_LINK"), "the key was revoked, the link still opens"
    assert at_work.run_one()
    ((state, error),) = owner("select state, error from ops.report_export where export_id = %s", waits["id"])
    assert state == "failed"
    assert "holds reports:export no more" in error


def test_who_was_moved_to_another_office_has_the_former_no_more(client: TestClient, world: str, at_work: Worker) -> None:
    headers = key_of("ACME", office="TOWN")
    job = ask(client, headers)
    owner(
        """update ops.api_key k set office_id = o.office_id from registry.office o
           where k.key_id = %s and o.discom_id = k.discom_id and o.code = 'PORT'""",
        next(iter(headers.values())).split("_")[1],
    )
    assert at_work.run_one()
    assert owner("select state from ops.report_export where export_id = %s", job["id"]) == [("failed",)]


@pytest.mark.parametrize(
    ("now", "then", "holds"),
    [
        (Scope(), Scope((1,), ()), True),
        (None, Scope((), ()), False),
        (Scope((1, 2), ()), Scope(), False),
        (Scope((1, 2), ()), Scope((1,), ()), True),
        (Scope((1,), ()), Scope((1, 2), ()), False),
        (Scope((), (7,)), Scope((), (7,)), True),
        (Scope((1,), ()), Scope((), (7,)), False),
    ],
)
def test_what_may_be_seen_now_must_hold_all_of_then(now: Scope | None, then: Scope, holds: bool) -> None:
    assert covers(now, then) is holds


def test_downloads_are_in_the_audit_log(client: TestClient, app: FastAPI, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    job = ask(client, keys["acme"])
    assert at_work.run_one()
    client.get(look(client, keys["acme"], job)["download"])
    client.get(f"{JOBS}/{job['id']}/file?token=forged")
    app.state.access_log.flush()  # its thread may be at it
    query = "select discom_id, who, outcome from ops.access_audit where action = 'reports:download' and path = %s order by outcome"
    lines = until(lambda: len(found := owner(query, f"{JOBS}/{job['id']}/file")) == 2 and found, "both are noted")
    key_id = next(iter(keys["acme"].values())).split("_")[1]
    assert lines == [(1, f"analyst ({key_id})", "allowed"), (None, None, "refused")]


def test_a_caller_has_a_few_jobs_at_once(client: TestClient, keys: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(exports.MOST_OF_CALLER):
        ask(client, keys["acme"])
    answer = client.post(EXPORT, json=TWO, headers={**keys["acme"], "Idempotency-Key": uuid4().hex})
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_EXPORTS")
    assert answer.headers["retry-after"] == "60"
    ask(client, keys["town"])
    monkeypatch.setattr(exports, "MOST_OF_DISCOM", exports.MOST_OF_CALLER + 1)
    of_discom = client.post(EXPORT, json=TWO, headers={**keys["town"], "Idempotency-Key": uuid4().hex})
    assert of_discom.status_code == 429, "jobs of the DISCOM count also where their caller is not seen"
    ask(client, keys["globex"])


def test_what_is_cancelled_is_not_made_and_what_is_given_up_is_gone(
    client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker
) -> None:
    waits = ask(client, keys["acme"])
    assert client.delete(f"{JOBS}/{waits['id']}", headers=keys["acme"]).json()["state"] == "cancelled"
    assert not at_work.run_one()
    done = ask(client, keys["acme"])
    assert at_work.run_one()
    download = look(client, keys["acme"], done)["download"]
    assert client.delete(f"{JOBS}/{done['id']}", headers=keys["acme"]).json()["state"] == "expired"
    assert client.get(download).status_code == 410
    at_work.sweep()
    assert not store.folder_of(1, done["id"]).exists(), "its file stays on disk"


def test_a_file_goes_when_its_time_is_over(client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    job = ask(client, keys["acme"])
    assert at_work.run_one()
    download = look(client, keys["acme"], job)["download"]
    owner("update ops.report_export set expires_at = now() - interval '1 s'")
    at_work.sweep()
    seen = look(client, keys["acme"], job)
    assert (seen["state"], seen["download"]) == ("expired", None)
    assert client.get(download).status_code == 410
    assert not store.folder_of(1, job["id"]).exists()
    owner("update ops.report_export set finished_at = now() - interval '31 days'")
    at_work.sweep()
    assert owner("select count(*) from ops.report_export") == [(0,)]


def test_a_job_is_cancelled_while_it_is_made(
    client: TestClient, keys: dict[str, dict[str, str]], app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it waits for a statement that gives no row."""
    begun = threading.Event()

    def forever(work: Work) -> list[Part]:
        (work.folder / "half").write_text("half")
        with work.connection() as conn:
            begun.set()
            conn.execute("select pg_sleep(600)")
        return []

    monkeypatch.setattr(sources, "maker", lambda _: forever)
    job = ask(client, keys["acme"])
    at_work = Worker(app.state.database, lease_s=2)
    thread = threading.Thread(target=at_work.run_one)
    thread.start()
    assert begun.wait(30)
    assert client.delete(f"{JOBS}/{job['id']}", headers=keys["acme"]).json()["state"] == "cancelled"
    thread.join(60)
    assert not thread.is_alive(), "it goes on"
    assert look(client, keys["acme"], job)["state"] == "cancelled"
    assert not list(store.folder_of(1, job["id"]).glob("*/*")), "half a file stays"


def test_a_worker_that_ends_gives_its_job_back(
    client: TestClient, keys: dict[str, dict[str, str]], app: FastAPI, at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def slow(work: Work) -> list[Part]:
        begun.set()
        while True:
            time.sleep(0.01)
            work.progress(1)

    job = ask(client, keys["acme"])
    ending = Worker(app.state.database)
    with monkeypatch.context() as patch:
        patch.setattr(sources, "maker", lambda _: slow)
        ending.wake()
        assert begun.wait(30)
        ending.close()
    assert (look(client, keys["acme"], job)["state"], look(client, keys["acme"], job)["attempts"]) == ("queued", 0)
    assert at_work.run_one()
    assert look(client, keys["acme"], job)["state"] == "done"


def test_what_fails_is_tried_again_and_then_given_up(
    client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Work) -> list[Part]:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(sources, "maker", lambda _: broken)
    job = ask(client, keys["acme"])
    for attempt in range(1, worker.MAX_ATTEMPTS + 1):
        assert at_work.run_one()
        seen = look(client, keys["acme"], job)
        assert (seen["attempts"], seen["error"]) == (attempt, "it failed inside: the service's log says how")
        assert not at_work.run_one(), "it waits before it is tried again"
        owner("update ops.report_export set next_attempt_at = now()")
    assert seen["state"] == "failed"


def test_one_report_that_cannot_be_given_fails_its_job_with_the_reason(
    client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker
) -> None:
    job = ask(client, keys["acme"], {**OCTOBER, "reports": ["I05"], "formats": ["csv"]})
    assert at_work.run_one()
    seen = look(client, keys["acme"], job)
    assert (seen["state"], seen["attempts"]) == ("failed", 1)
    assert "I05 Never made was never built" in seen["error"]


WORKER = """
import pytest
from api.reports.exports.worker import main
from tests.integration.reports_world import put_into_catalogue
put_into_catalogue(pytest.MonkeyPatch())
main()
"""
GATE = 4711
"""Advisory lock that the second report waits for."""
GATED = f"""
create view reports.{MISSING.relation} with (security_invoker) as
select l.* from reports.{LIST.relation} l cross join lateral (select pg_advisory_xact_lock_shared({GATE}), l.n offset 0) s
"""


@pytest.fixture
def gate(world: str) -> Iterator[psycopg.Connection]:
    """While this connection holds GATE, no row of I05 comes."""
    with psycopg.connect(world, autocommit=True) as conn:
        conn.execute("set role meterhouse_dbt")
        conn.execute(GATED)
        conn.execute(f"grant select on reports.{MISSING.relation} to meterhouse_api")
        conn.execute("select pg_advisory_lock(%s)", [GATE])
        yield conn
        conn.execute("select pg_advisory_unlock_all()")
        conn.execute(f"drop view reports.{MISSING.relation}")


def test_a_job_survives_its_worker(client: TestClient, keys: dict[str, dict[str, str]], gate: psycopg.Connection) -> None:
    """A process is killed between one report and the next; another makes the job from its beginning, and the file is whole."""
    job = ask(client, keys["acme"], {**OCTOBER, "reports": ["D09", "I05"], "formats": ["csv"]})
    environment = {**os.environ, "METERHOUSE_EXPORT_LEASE_S": "2"}
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stderr=subprocess.DEVNULL))
        until(lambda: look(client, keys["acme"], job)["rows"] == 60, "the job says that the first report is done")
        started[0].send_signal(signal.SIGKILL)
        started[0].wait(30)
        seen = look(client, keys["acme"], job)
        assert (seen["state"], seen["attempts"]) == ("running", 1), "it was to be killed in the middle"
        gate.execute("select pg_advisory_unlock(%s)", [GATE])
        started.append(subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stderr=subprocess.DEVNULL))
        done = until(lambda: (j := look(client, keys["acme"], job))["state"] == "done" and j, "another worker makes it")
        started[1].send_signal(signal.SIGTERM)
        assert started[1].wait(30) == 0, "a worker that is told to end ends"
    finally:
        for process in started:
            process.kill()
            process.wait(30)
    assert (done["attempts"], done["rows"]) == (2, 120)
    with zipfile.ZipFile(BytesIO(client.get(done["download"]).content)) as z:
        assert [z.read(name).count(b"\n") for name in z.namelist()] == [61, 61], "the files are not whole"
    assert [p.name for p in store.folder_of(1, job["id"]).iterdir()] == ["2"], "what the first wrote stays"


def test_whose_lease_is_over_publishes_nothing(
    client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hung so long that another took the job over: the file of the other counts."""
    real = sources.maker("reports")
    job = ask(client, keys["acme"])

    def hangs(work: Work) -> Any:
        parts = real(work)
        monkeypatch.setattr(sources, "maker", lambda _: real)
        owner("update ops.report_export set next_attempt_at = now()")
        assert Worker(at_work._pools).run_one()
        return parts

    monkeypatch.setattr(sources, "maker", lambda _: hangs)
    assert at_work.run_one()
    done = look(client, keys["acme"], job)
    assert (done["state"], done["attempts"]) == ("done", 2)
    assert client.get(done["download"]).status_code == 200


def test_the_api_makes_its_jobs_itself(world: str, keys: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_EXPORT_WORKER", "1")
    owner("delete from ops.report_export")
    with TestClient(create_app()) as client:
        job = ask(client, keys["acme"])
        done = until(lambda: (j := look(client, keys["acme"], job))["state"] == "done" and j, "nobody makes the job")
        assert client.get(done["download"]).status_code == 200


def test_a_file_at_once_and_a_job_say_the_same(client: TestClient, keys: dict[str, dict[str, str]], at_work: Worker) -> None:
    parameters = {**OCTOBER, "format": "json"}
    now = client.get("/api/v1/reports/D09/export", params=parameters, headers=keys["acme"])
    later = client.get("/api/v1/reports/D09/export", params=parameters, headers={**keys["acme"], "Prefer": "respond-async"})
    assert at_work.run_one()
    fetched = client.get(look(client, keys["acme"], later.json())["download"])
    of_both = [
        [{k: v for k, v in r.items() if k != "generated_at"} for r in json.loads(a.text, parse_float=str)["records"]]
        for a in (now, fetched)
    ]
    assert of_both[0] == of_both[1]
    assert len(of_both[0]) == 60
