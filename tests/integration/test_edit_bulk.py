"""Files of edits and the commands of a person, on a real warehouse: what is shown is what is made, and all of it or nothing."""

from __future__ import annotations

import getpass
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from openpyxl import Workbook
from typer.testing import CliRunner

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from cli.main import app
from tests.integration import edits_world as world
from tests.integration.edits_world import CODE, DAYS, OTHER, person, tenant
from vee.edits import freezing, service
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

DAY, FROZEN = DAYS[1], DAYS[3]


@pytest.fixture(scope="module")
def ids(built_module_database: str) -> dict[str, int]:
    made = world.make_world()
    with tenant(made[CODE]) as conn:
        freezing.freeze(conn, person(made, "chandra"), FROZEN, FROZEN, "the bills are out")
    return made


@pytest.fixture(autouse=True)
def _asha(ids: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "asha")


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["vee", *map(str, args)])


def said(result: Result) -> str:
    return " ".join(result.output.split())


def edits(ids: dict[str, int]) -> int:
    with tenant(ids[CODE]) as conn:
        row = conn.execute("select count(*) from vee.edit").fetchone()
    assert row
    return int(row[0])


def imports(ids: dict[str, int], meter: int, day: date = DAY) -> list[int | None]:
    with tenant(ids[CODE]) as conn:
        return service.day(conn, ids[CODE], f"{CODE}{meter}", day).channels["import_wh"]


def csv_file(folder: Path, *lines: str, header: str = "meter,day,from,to,operation,value") -> Path:
    path = folder / "edits.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return path


def test_a_dry_run_shows_what_is_then_made_with_its_token(ids: dict[str, int], tmp_path: Path) -> None:
    before = edits(ids)
    file = csv_file(tmp_path, f"{CODE}1,{DAY},3,,,90", f"{CODE}1,{DAY},4,,,91", f"{CODE}2,{DAY},0,47,zero,", f"{CODE}3,{DAY},0,0,scale,1.0")
    shown = run("edit", "bulk", file, "-d", CODE, "--reason", "METER_FAULT", "--dry-run")
    assert shown.exit_code == 0, shown.output
    first = world.values(1, DAY)
    assert re.search(rf"{CODE}1 {DAY} import_wh [\d,]+ [\d,]+ -?{abs(90 + 91 - first[3] - first[4])} 2", said(shown))
    assert re.search(rf"{CODE}2 {DAY} import_wh [\d,]+ 0 -[\d,]+ 48 yes", said(shown))
    assert "1 stand so already" in said(shown)
    assert edits(ids) == before, "a dry run writes nothing"
    token = re.search(r"token ([0-9a-f]{32})", shown.output)
    assert token

    done = run("edit", "bulk", file, "-d", CODE, "--reason", "METER_FAULT", "--apply", "--token", token[1])
    assert done.exit_code == 0, done.output
    assert edits(ids) == before + 2
    assert imports(ids, 1)[3:5] == [90, 91]
    assert imports(ids, 2) == world.values(2, DAY), "it waits"
    again = run("edit", "bulk", file, "-d", CODE, "--reason", "METER_FAULT", "--apply", "--token", token[1])
    assert again.exit_code == 1
    assert edits(ids) == before + 2, "applied twice, it is made once"


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        (f"{CODE}11,{DAY},3,,,90", "row 3, column from", "in row 2 already"),
        (f"{OTHER}1,{DAY},3,,,90", "row 3, column meter", "no meter 'globex1'"),
        (f"nobody,{DAY},3,,,90", "row 3, column meter", "no meter 'nobody'"),
        (f"{CODE}12,{FROZEN},3,,,90", "row 3", "is frozen"),
        (f"{CODE}12,{DAY},3,,,-1", "row 3, column value", "not between 0"),
        (f"{CODE}12,{DAY},3,,,2000000", "row 3, column value", "can flow"),
        (f"{CODE}12,{DAY},48,,,90", "row 3, column from", "0 to 47"),
        (f"{CODE}12,2026-01-01,3,,,90", "row 3", "no day 2026-01-01"),
    ],
)
def test_with_one_bad_row_nothing_of_the_file_is_made(ids: dict[str, int], tmp_path: Path, line: str, where: str, says: str) -> None:
    before = edits(ids)
    file = csv_file(tmp_path, f"{CODE}11,{DAY},3,,,90", line)
    for flag in ("--dry-run", "--apply"):
        result = run("edit", "bulk", file, "-d", CODE, "--reason", "TEST", flag)
        assert result.exit_code == 1
        assert where in said(result)
        assert says in said(result)
    assert edits(ids) == before
    assert imports(ids, 11) == world.values(11, DAY)


def test_every_fault_is_listed_at_once_and_an_unknown_reason_is_refused(ids: dict[str, int], tmp_path: Path) -> None:
    file = csv_file(tmp_path, f"nobody,{DAY},3,,,90", f"{CODE}12,{FROZEN},3,,,90", f"{CODE}12,{DAY},3,,,x")
    result = run("edit", "bulk", file, "-d", CODE, "--reason", "TEST")
    assert [f"row {n}" in said(result) for n in (2, 3, 4)] == [True] * 3
    assert "3 faults" in said(result)
    assert run("edit", "bulk", file, "-d", CODE, "--reason", "BECAUSE").exit_code == 2


def test_a_workbook_of_a_hundred_rows_is_made_in_one_transaction(ids: dict[str, int], tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["meter", "day", "from", "value"])
    for meter in range(20, 25):
        for slot in range(20):
            book.active.append([f"{CODE}{meter}", DAY, slot, world.values(meter, DAY)[slot] + 1])
    book.save(tmp_path / "edits.xlsx")
    result = run("edit", "bulk", tmp_path / "edits.xlsx", "-d", CODE, "--reason", "CHECK_METER", "--apply")
    assert result.exit_code == 0, result.output
    for meter in range(20, 25):
        expected = world.values(meter, DAY)
        assert imports(ids, meter) == [v + 1 for v in expected[:20]] + expected[20:]
    with tenant(ids[CODE]) as conn:
        written = conn.execute("select distinct request, written_by::text from vee.edit where reason = 'CHECK_METER'").fetchall()
    assert len(written) == 1


def test_a_person_edits_and_another_approves_at_the_terminal(ids: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    meter = f"{CODE}30"
    assert run("edit", "set", "-d", CODE, meter, DAY, 90, "--from", 3, "--to", 3, "--reason", "METER_FAULT").exit_code == 0
    assert run("edit", "interpolate", "-d", CODE, meter, DAY, "--from", 4, "--to", 5, "--reason", "METER_FAULT").exit_code == 0
    assert imports(ids, 30)[3] == 90
    show = run("edit", "show", "-d", CODE, meter, DAY)
    version = re.search(r"version ([0-9a-f]{16})", show.output)
    assert version
    waits = run("edit", "zero", "-d", CODE, meter, DAY, "--reason", "POWER_OUTAGE", "--version", version[1])
    number = re.search(rf"approve -d {CODE} (\d+)", waits.output)
    assert number, waits.output
    assert run("edit", "approve", "-d", CODE, number[1]).exit_code == 1, "not by who made it"
    monkeypatch.setattr(getpass, "getuser", lambda: "bela")
    assert run("edit", "approve", "-d", CODE, number[1]).exit_code == 0
    assert imports(ids, 30) == [0] * 48
    stale = run("edit", "zero", "-d", CODE, meter, DAY, "--reason", "POWER_OUTAGE", "--version", version[1])
    assert stale.exit_code == 1
    assert "is not what you saw" in said(stale)
    back = run("edit", "revert", "-d", CODE, number[1])
    assert back.exit_code == 0, back.output
    assert f"{number[1]} " in run("edit", "list", "-d", CODE, "--meter", meter).output


def test_the_same_over_http(ids: dict[str, int]) -> None:
    from fastapi.testclient import TestClient

    keys = {}
    with db.connect("meterhouse_owner") as conn:
        for name, code in (("asha", CODE), ("bela", CODE), ("zoe", OTHER)):
            keys[name], key_id, secret = new_key()
            insert_key(conn, ids[code], key_id, secret, None, name, [], 1_000_000)
    with TestClient(create_app()) as client:

        def call(who: str, method: str, path: str, **rest: object):  # type: ignore[no-untyped-def]
            return client.request(method, f"/api/v1{path}", headers={HEADER: keys[who]}, **rest)  # type: ignore[arg-type]

        where = {"meter": f"{CODE}31", "day": DAY.isoformat()}
        day = call("asha", "GET", "/edits/day", params=where).json()
        assert day["import_wh"] == world.values(31, DAY)
        change = {**where, "channel": "import_wh", "version": day["version"], "operations": [{"kind": "zero", "first": 3}]}
        asked = {"changes": [change], "reason": "METER_FAULT"}
        preview = call("asha", "POST", "/edits/preview", json=asked).json()
        assert (preview["faults"], preview["diffs"][0]["needs_approval"], preview["diffs"][0]["slots"]) == ([], True, 45)
        made = call("asha", "POST", "/edits", json={**asked, "token": preview["token"]})
        assert made.status_code == 201
        edit = made.json()["items"][0]
        assert (edit["state"], edit["editor"]) == ("pending", "asha")

        again = call("bela", "POST", "/edits", json=asked)
        assert (again.status_code, again.json()["code"]) == (409, "CHANGED")
        assert f"edit {edit['id']} of asha" in again.json()["detail"]
        assert call("asha", "POST", f"/edits/{edit['id']}/approve", json={}).status_code == 422
        assert call("zoe", "POST", f"/edits/{edit['id']}/approve", json={}).status_code == 404
        assert call("zoe", "GET", f"/edits/{edit['id']}").status_code == 404
        assert call("zoe", "GET", "/edits").json()["items"] == []
        assert call("zoe", "GET", "/freezes").json()["items"] == []
        assert call("bela", "POST", f"/edits/{edit['id']}/approve", json={"note": "seen"}).json()["decided_by"] == "bela"
        assert call("asha", "GET", "/edits/day", params=where).json()["import_wh"][3:] == [0] * 45
        assert call("asha", "POST", f"/edits/{edit['id']}/withdraw", json={}).status_code == 409

        file = f"meter,day,from,value\n{CODE}32,{DAY},3,90\nnobody,{DAY},3,90\n".encode()
        how = {"name": "edits.csv", "reason": "TEST"}
        shown = call("asha", "POST", "/edits/file/preview", content=file, params=how).json()
        assert [f["where"] for f in shown["faults"]] == ["row 3, column meter"]
        assert call("asha", "POST", "/edits/file", content=file, params=how).status_code == 422
        assert imports(ids, 32) == world.values(32, DAY)
        good = file.removesuffix(f"nobody,{DAY},3,90\n".encode())
        token = call("asha", "POST", "/edits/file/preview", content=good, params=how).json()["token"]
        sent = call("asha", "POST", "/edits/file", content=good, params={**how, "token": token})
        assert (sent.status_code, sent.json()["items"][0]["after"][3]) == (201, 90)

        frozen = call("asha", "GET", "/freezes").json()["items"][0]
        assert frozen["first_day"] == FROZEN.isoformat()
        twice = call("asha", "POST", "/freezes", json={"first_day": DAY.isoformat(), "last_day": FROZEN.isoformat(), "reason": "again"})
        assert (twice.status_code, twice.json()["code"]) == (409, "FROZEN")
        assert call("zoe", "POST", f"/freezes/{frozen['id']}/release", json={"reason": "not mine"}).status_code == 404
