"""The chain over what people do: whoever changes, removes or inserts a row is found out, and the first such row is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from time import sleep

import psycopg
import pytest
from typer.testing import CliRunner

from cli.main import app
from orchestration import stale
from tests.integration.edits_world import tenant
from vee.edits import audit
from warehouse import db

pytestmark = pytest.mark.integration


def edit(day: str = "2026-10-05", *, note: str | None = None) -> int:
    with tenant(1) as conn:
        row = conn.execute(
            """insert into vee.edit (discom_id, day, meter_id, channel, before, after, reason, note, editor)
               values (1, %s, 1, 'import_wh', '{1,null}', '{2,3}', 'TEST', %s, 'asha') returning edit_id""",
            [day, note],
        ).fetchone()
    assert row
    return int(row[0])


def approve(edit_id: int) -> None:
    with tenant(1) as conn:
        conn.execute(
            "insert into vee.edit_decision (discom_id, edit_id, decision, decided_by) values (1, %s, 'approved', 'bela')", [edit_id]
        )


@pytest.fixture
def chain(database: str) -> str:
    """Seven rows: edits 1 to 4, of which 1 is approved, a freeze, and its release. The URL of the superuser."""
    with db.connect("meterhouse_owner", autocommit=True) as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme'), ('globex', 'Globex')")
    for n in range(4):
        edit(note=f'„{n}“ "\\ \x1f\u2028 टिप्पणी')
    approve(1)
    with tenant(1) as conn:
        for releases, who in ((None, "asha"), (1, "bela")):
            conn.execute(
                """insert into vee.freeze (discom_id, releases, first_day, last_day, frozen_by, reason)
                   values (1, %s, '2026-11-01', '2026-11-30', %s, 'bills')""",
                [releases, who],
            )
    return database


def verdict(anchor: tuple[int, str] | None = None) -> audit.Verdict:
    with tenant(1) as conn:
        return audit.verify(conn, 1, anchor)


def tamper(url: str, *statements: str) -> None:
    """As a superuser who knows of the triggers."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set session_replication_role = replica")
        for statement in statements:
            conn.execute(statement)  # type: ignore[arg-type]


def test_what_is_as_it_was_written_holds_whatever_the_session_is_set_to(chain: str) -> None:
    assert verdict() == audit.Verdict(7, verdict().head)
    with tenant(1) as conn:
        conn.execute("set local timezone = 'Asia/Kolkata'")
        conn.execute("set local datestyle = 'German'")
        assert audit.verify(conn, 1).fault is None
        lines = [x[0] for x in conn.execute("select vee.audit_line(e) from vee.edit e order by edit_id").fetchall()]
    assert '"2026-10-05"' in lines[0]
    assert '[1, null], [2, 3], "TEST"' in lines[0]


HEAD = "(select hash from vee.{} order by chain_no desc limit 1)"


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["update vee.edit set after = '{2,4}' where edit_id = 2"], "vee.edit 2 at place 2 was changed"),
        (["update vee.edit set editor = 'zoe' where edit_id = 3"], "vee.edit 3 at place 3 was changed"),
        (["update vee.edit set edited_at = edited_at - interval '1 us' where edit_id = 1"], "vee.edit 1 at place 1 was changed"),
        (["update vee.edit_decision set decided_by = 'zoe'"], "vee.edit 1 at place 1 was changed"),
        (["update vee.edit set approver = 'zoe', approved_at = now() where edit_id = 4"], "vee.edit 4 at place 4 was changed"),
        (["update vee.freeze set last_day = '2026-11-29' where freeze_id = 1"], "vee.freeze 1 at place 6 was changed"),
        (["delete from vee.edit where edit_id = 2"], "the row at place 2 was removed: after it comes vee.edit 3"),
        (["delete from vee.edit where edit_id = 1"], "the row at place 1 was removed"),
        (["delete from vee.freeze where freeze_id = 2"], "the row at place 7 was removed"),
        (["delete from vee.freeze"], "the row at place 6 was removed"),
        (
            ["delete from vee.edit where edit_id = 2", "update vee.edit set chain_no = chain_no - 1 where edit_id > 2"],
            "vee.edit 3 at place 2 was inserted or changed",
        ),
        (
            [
                "update vee.edit_decision set chain_no = 100",
                "update vee.freeze set chain_no = 100 + freeze_id",
                """insert into vee.edit (discom_id, day, meter_id, channel, after, reason, editor, chain_no, prev_hash, hash)
                   select 1, '2026-10-05', 1, 'import_wh', '{9,9}', 'TEST', 'asha', 5, hash, sha256('x') from vee.edit where edit_id = 4""",
                "update vee.edit_decision set chain_no = 6",
                "update vee.freeze set chain_no = 6 + freeze_id",
            ],
            "vee.edit 5 at place 5 was changed",
        ),
        (
            [
                """insert into vee.edit (discom_id, day, meter_id, channel, after, reason, editor, chain_no, prev_hash, hash)
                   select 1, '2026-10-05', 1, 'import_wh', '{9,9}', 'TEST', 'asha', 8, hash, sha256('x') from ops.audit_head"""
            ],
            "vee.edit 5 was inserted: the chain ends at place 7",
        ),
        (["update ops.audit_head set hash = sha256('x')"], "the head was changed"),
        (["delete from ops.audit_head"], "vee.edit 1 was inserted: the chain ends at place 0"),
    ],
)
def test_tampering_is_found_and_named(chain: str, statements: list[str], says: str) -> None:
    tamper(chain, *statements)
    fault = verdict().fault
    assert fault is not None
    assert says in fault
    said = CliRunner().invoke(app, ["vee", "verify-audit", "-d", "acme"])
    assert said.exit_code == 1
    assert says in " ".join(said.output.split())


def test_a_chain_that_was_cut_off_or_written_anew_with_its_head_does_not_match_what_was_noted(chain: str) -> None:
    noted = (verdict().entries, verdict().head)
    edit()
    assert verdict(noted).fault is None, "what was noted is still part of the longer chain"
    tamper(
        chain,
        "delete from vee.edit where chain_no >= 7",
        "delete from vee.freeze where chain_no >= 7",
        "update ops.audit_head set entries = 6, hash = (select hash from vee.freeze where chain_no = 6)",
    )
    assert verdict().fault is None, "the chain alone cannot show it"
    assert "cut off together with its head" in (verdict(noted).fault or "")
    edit()
    assert "written anew" in (verdict(noted).fault or "")


def test_the_command_says_the_head_which_serves_as_anchor(chain: str) -> None:
    first = CliRunner().invoke(app, ["vee", "verify-audit", "-d", "acme"])
    assert first.exit_code == 0, first.output
    head = first.output.split()[-1]
    assert head == f"7:{verdict().head}"
    assert CliRunner().invoke(app, ["vee", "verify-audit", "-d", "acme", "--anchor", head]).exit_code == 0
    assert CliRunner().invoke(app, ["vee", "verify-audit", "-d", "acme", "--anchor", f"7:{'0' * 64}"]).exit_code == 1
    assert CliRunner().invoke(app, ["vee", "verify-audit", "-d", "globex"]).exit_code == 0, "an empty chain holds"


def test_writers_at_once_make_one_chain_without_gaps(chain: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: edit(), range(40)))
    for e in made[:5]:
        approve(e)
    assert verdict().fault is None
    assert verdict().entries == 52


def test_a_frozen_day_is_not_edited_whoever_writes(chain: str) -> None:
    waiting = edit("2026-12-01")
    with tenant(1) as conn:
        conn.execute(
            "insert into vee.freeze (discom_id, first_day, last_day, frozen_by, reason) values (1, '2026-12-01', '2026-12-02', 'a', 'x')"
        )
    with pytest.raises(psycopg.errors.RaiseException, match="is frozen"):
        edit("2026-12-02")
    with pytest.raises(psycopg.errors.RaiseException, match="is frozen"):
        approve(waiting)
    with tenant(1) as conn, pytest.raises(psycopg.errors.RaiseException, match="somebody else releases"):
        conn.execute(
            """insert into vee.freeze (discom_id, releases, first_day, last_day, frozen_by, reason)
               values (1, 3, '2026-12-01', '2026-12-02', ' A', 'x')"""
        )
    with tenant(1) as conn, pytest.raises(psycopg.errors.RaiseException, match="frozen already"):
        conn.execute(
            "insert into vee.freeze (discom_id, first_day, last_day, frozen_by, reason) values (1, '2026-12-02', '2026-12-03', 'a', 'x')"
        )


def test_a_build_that_begins_while_its_days_are_being_frozen_is_refused(chain: str) -> None:
    day = date(2026, 12, 1)
    with ThreadPoolExecutor(1) as pool:
        with tenant(1) as conn:
            conn.execute(
                "insert into vee.freeze (discom_id, first_day, last_day, frozen_by, reason) values (1, %s, %s, 'asha', 'bills')", [day, day]
            )
            build = pool.submit(stale.begin_build, 1, day, day, made_with="x")
            waits = "select exists (select 1 from pg_locks where locktype = 'advisory' and not granted)"
            while not build.done() and conn.execute(waits).fetchone() == (False,):
                sleep(0.01)
            assert not build.done(), "it must wait for who freezes"
        with pytest.raises(stale.FrozenError, match="is frozen by asha"):
            build.result(timeout=30)
    with db.connect("meterhouse_owner") as conn:
        assert conn.execute("select count(*) from ops.day_build").fetchone() == (0,), "nothing was begun"
