"""Edits of built days on a real warehouse: every operation, two editors at once, four eyes, revert, tenants, what becomes stale."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from fractions import Fraction
from itertools import count
from threading import Barrier
from typing import Any

import psycopg
import pytest

from orchestration import stale, steps
from tests.integration import edits_world as world
from tests.integration.edits_world import CODE, DAYS, OTHER, SLOTS, person, tenant
from vee.edits import service
from vee.edits.errors import EditError
from vee.edits.service import Asked, Change, Decision, Operation, OperationKind, Plan
from warehouse import db
from warehouse.codes import EditReason, Quality

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

DAY = DAYS[1]
fresh = count(1)
"""Meters that no other test has touched."""


@pytest.fixture(scope="module")
def ids(built_module_database: str) -> dict[str, int]:
    return world.make_world()


@pytest.fixture
def meter(ids: dict[str, int]) -> int:
    return next(fresh)


def serial(meter: int, code: str = CODE) -> str:
    return f"{code}{meter}"


def change(meter: int, *operations: Operation, day: date = DAY, channel: str = "import_wh", version: str | None = None) -> Change:
    return Change(serial(meter), day, channel, operations, version)


def make(
    ids: dict[str, int], *changes: Change, who: str = "asha", reason: EditReason = EditReason.METER_FAULT, **rest: Any
) -> list[dict[str, Any]]:
    token = rest.pop("token", None)
    with tenant(ids[CODE]) as conn:
        made, _ = service.make(conn, person(ids, who), Asked(changes, reason, **rest), token=token)
    return made


def plan(ids: dict[str, int], *changes: Change, **rest: Any) -> Plan:
    with tenant(ids[CODE]) as conn:
        return service.plan(conn, person(ids, "asha"), Asked(changes, EditReason.METER_FAULT, **rest))


def decide(ids: dict[str, int], edit: int, decision: Decision, who: str) -> dict[str, Any]:
    with tenant(ids[CODE]) as conn:
        return service.decide(conn, person(ids, who), [edit], decision, "seen")[0]


def final(ids: dict[str, int], meter: int, day: date = DAY) -> tuple[list[int | None], list[int]]:
    """Import and quality of the final layer."""
    with tenant(ids[CODE]) as conn:
        found = service.day(conn, ids[CODE], serial(meter), day)
    return found.channels["import_wh"], found.quality


def put(slot: int, value: int) -> Operation:
    return Operation(OperationKind.SET, slot, slot, (value,))


# --- operations ---


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (put(3, 90), {3: 90}),
        (Operation(OperationKind.SET, 3, 5, (1, 2, 3)), {3: 1, 4: 2, 5: 3}),
        (Operation(OperationKind.ZERO, 46), {46: 0, 47: 0}),
    ],
)
def test_values_are_set(ids: dict[str, int], meter: int, operation: Operation, expected: dict[int, int]) -> None:
    before, _ = final(ids, meter)
    made = make(ids, change(meter, operation))
    after, quality = final(ids, meter)
    assert after == [expected.get(s, v) for s, v in enumerate(before)]
    assert [s for s in range(SLOTS) if quality[s] == Quality.EDITED] == sorted(expected)
    assert (made[0]["before"], made[0]["after"]) == (before, after), "the record has the whole day before and after"
    assert (made[0]["state"], made[0]["decided_by"]) == ("approved", "policy")


def test_scaling_keeps_the_proportion_and_the_total_to_the_watt_hour(ids: dict[str, int], meter: int) -> None:
    before, _ = final(ids, meter)
    make(ids, change(meter, Operation(OperationKind.SCALE, 0, 9, factor=Fraction("1.037"))))
    after, _ = final(ids, meter)
    part = [v or 0 for v in before[:10]]
    assert sum(v or 0 for v in after[:10]) == round(sum(part) * 1.037), "by largest remainder, nothing is lost in rounding"
    assert all(abs((a or 0) - b * 1.037) < 1 for a, b in zip(after, part, strict=False))
    assert after[10:] == before[10:]
    make(ids, change(meter, Operation(OperationKind.SCALE_TO, 0, 9, total_wh=1234)))
    assert sum(v or 0 for v in final(ids, meter)[0][:10]) == 1234
    nothing = make(ids, change(meter, Operation(OperationKind.SCALE, 0, 1, factor=Fraction(0))))[0]
    assert nothing["operation"] == [{"kind": "scale", "first": 0, "last": 1, "factor": "0"}]
    assert nothing["after"][:2] == [0, 0]


def test_slots_are_copied_from_another_day(ids: dict[str, int], meter: int) -> None:
    source, _ = final(ids, meter, DAYS[2])
    before, _ = final(ids, meter)
    make(ids, change(meter, Operation(OperationKind.COPY, 10, 12, from_day=DAYS[2])))
    assert final(ids, meter)[0] == before[:10] + source[10:13] + before[13:]


def test_interpolation_goes_between_good_neighbours_also_of_the_next_day(ids: dict[str, int], meter: int) -> None:
    make(ids, change(meter, put(10, 100), put(14, 140)))
    make(ids, change(meter, Operation(OperationKind.INTERPOLATE, 11, 13)))
    assert final(ids, meter)[0][10:15] == [100, 110, 120, 130, 140]
    tomorrow = final(ids, meter, DAYS[2])[0][0]
    make(ids, change(meter, Operation(OperationKind.INTERPOLATE, 46, 47)))
    after = final(ids, meter)[0]
    left = after[45]
    assert left is not None
    assert tomorrow is not None
    assert after[46:] == [round(left + (tomorrow - left) / 3 + 1e-9), round(left + 2 * (tomorrow - left) / 3 + 1e-9)]
    with pytest.raises(EditError, match="no day beside"):
        make(ids, change(meter, Operation(OperationKind.INTERPOLATE, 47, 47), day=DAYS[-1]))


def test_a_channel_that_the_meter_does_not_have_is_set_whole_and_taken_back(ids: dict[str, int], meter: int) -> None:
    operation = Operation(OperationKind.SET, values=(0,))
    edit = make(ids, change(meter, operation, channel="export_wh"))[0]
    assert (edit["before"], edit["after"]) == ([None] * SLOTS, [0] * SLOTS)
    revert = Operation(OperationKind.REVERT, edit_id=edit["id"])
    assert make(ids, change(meter, revert, channel="export_wh"), reason=EditReason.REVERT)[0]["after"] == [None] * SLOTS


def test_a_revert_is_a_new_edit_to_what_stood_before(ids: dict[str, int], meter: int) -> None:
    before, quality = final(ids, meter)
    first = make(ids, change(meter, put(3, 90)))[0]
    make(ids, change(meter, put(4, 91)))
    back = make(ids, change(meter, Operation(OperationKind.REVERT, edit_id=first["id"])), reason=EditReason.REVERT)[0]
    assert final(ids, meter) == (before, quality), "as measured again, in value and in quality"
    with tenant(ids[CODE]) as conn:
        rows = conn.execute("select edit_id, after from vee.edit where meter_id = %s order by edit_id", [meter]).fetchall()
    assert len(rows) == 3
    assert rows[-1][0] == back["id"]
    with pytest.raises(EditError, match=r"no edit \d+ of this meter"):
        make(ids, change(meter, Operation(OperationKind.REVERT, edit_id=10**9)))


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (Operation(OperationKind.SET, 3, 48, (1,)), "it has 0 to 47"),
        (Operation(OperationKind.SET, 5, 3, (1,)), "not of this day"),
        (Operation(OperationKind.SET, 3, 5, (1, 2)), "2 values for 3 slots"),
        (put(3, -1), "not between 0"),
        (put(3, 10**6), "can flow"),
        (Operation(OperationKind.COPY, 0, 1, from_day=date(2026, 9, 1)), "no day 2026-09-01"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_place(ids: dict[str, int], meter: int, operation: Operation, says: str) -> None:
    with pytest.raises(EditError, match=says):
        make(ids, change(meter, put(1, 99)), change(meter, operation, day=DAYS[2]))
    assert final(ids, meter)[0] == world.values(meter, DAY), "of several changes none is made where one is refused"


def test_what_is_above_the_limit_can_be_forced(ids: dict[str, int], meter: int) -> None:
    found = plan(ids, change(meter, put(3, 10**6)), force=True)
    assert found.faults == []
    assert "can flow" in found.diffs[0].warnings[0]
    assert found.diffs[0].needs_approval


def test_what_changes_nothing_and_what_is_named_twice_is_refused(ids: dict[str, int], meter: int) -> None:
    with pytest.raises(EditError, match="stand so already"):
        make(ids, change(meter, put(3, world.values(meter, DAY)[3])))
    with pytest.raises(EditError, match="named twice"):
        make(ids, change(meter, put(3, 1)), change(meter, put(4, 1)))
    with pytest.raises(EditError, match="needs a note"):
        make(ids, change(meter, put(3, 1)), reason=EditReason.OTHER)


# --- two editors at once ---


def test_of_two_editors_at_once_one_is_told_who_was_quicker(ids: dict[str, int], meter: int) -> None:
    with tenant(ids[CODE]) as conn:
        version = service.day(conn, ids[CODE], serial(meter), DAY).version
    start = Barrier(2)

    def edit(who: str) -> str:
        start.wait(timeout=30)
        try:
            make(ids, change(meter, put(3, 90 if who == "asha" else 91), version=version), who=who)
        except EditError as e:
            return f"{e.kind}: {e}"
        return "made"

    with ThreadPoolExecutor(2) as pool:
        said = dict(zip(("asha", "bela"), pool.map(edit, ("asha", "bela")), strict=True))
    winners = [who for who, what in said.items() if what == "made"]
    assert len(winners) == 1, said
    loser = next(who for who in said if who not in winners)
    assert said[loser].startswith("conflict: ")
    assert f"of {winners[0]}" in said[loser]
    assert re.search(r"at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", said[loser]), "when it was"
    assert final(ids, meter)[0][3] == (90 if winners == ["asha"] else 91)


def test_what_a_preview_showed_is_what_is_made_or_nothing(ids: dict[str, int], meter: int) -> None:
    asked = change(meter, put(3, 90))
    token = plan(ids, asked).token
    make(ids, change(meter, put(3, 91)), who="bela")
    with pytest.raises(EditError, match="not what the token stands for"):
        make(ids, asked, token=token)
    assert make(ids, asked, token=plan(ids, asked).token)[0]["after"][3] == 90


# --- four eyes ---


def test_a_large_edit_waits_for_somebody_else(ids: dict[str, int], meter: int) -> None:
    before, _ = final(ids, meter)
    edit = make(ids, change(meter, Operation(OperationKind.ZERO)))[0]
    assert edit["state"] == "pending"
    assert final(ids, meter)[0] == before, "what waits changes nothing"
    with pytest.raises(EditError, match="its editor does not decide"):
        decide(ids, edit["id"], Decision.APPROVED, " Asha ")
    with pytest.raises(EditError, match=f"edit {edit['id']} of asha"):
        make(ids, change(meter, put(3, 90)), who="bela")
    with pytest.raises(EditError, match="nobody edits or approves"):
        decide(ids, edit["id"], Decision.APPROVED, "Policy")
    assert decide(ids, edit["id"], Decision.APPROVED, "bela")["decided_by"] == "bela"
    assert final(ids, meter)[0] == [0] * SLOTS
    with pytest.raises(EditError, match="approved by bela"):
        decide(ids, edit["id"], Decision.REJECTED, "chandra")


def test_rejected_and_withdrawn_edits_change_nothing_and_make_room(ids: dict[str, int], meter: int) -> None:
    before, _ = final(ids, meter)
    for decision, who in ((Decision.REJECTED, "bela"), (Decision.WITHDRAWN, "asha")):
        edit = make(ids, change(meter, Operation(OperationKind.ZERO)))[0]
        other = "asha" if who == "bela" else "bela"
        with pytest.raises(EditError, match=r"editor does not decide|only asha withdraws"):
            decide(ids, edit["id"], decision, other)
        assert decide(ids, edit["id"], decision, who)["state"] == decision
        assert final(ids, meter)[0] == before


def test_an_edit_of_a_day_that_changed_since_is_not_approved(ids: dict[str, int], meter: int) -> None:
    edit = make(ids, change(meter, Operation(OperationKind.ZERO)))[0]
    land_late = list(world.values(meter, DAY))
    land_late[5] += 7
    world.land(ids[CODE], meter, DAY, land_late)
    steps.build(CODE, ids[CODE], DAY, DAY, changed_only=True)
    with pytest.raises(EditError, match="other values than before"):
        decide(ids, edit["id"], Decision.APPROVED, "bela")


def test_small_steps_add_up_until_a_person_looks(ids: dict[str, int], meter: int) -> None:
    total = sum(world.values(meter, DAY))
    states = [make(ids, change(meter, Operation(OperationKind.ZERO, s, s)))[0]["state"] for s in range(4)]
    assert states == ["approved"] * 4
    with_the_fifth = make(ids, change(meter, Operation(OperationKind.ZERO, 4, 4)))[0]
    assert sum(world.values(meter, DAY)[:5]) > total / 10, "the five together are more than a tenth of the day"
    assert with_the_fifth["state"] == "pending"
    decide(ids, with_the_fifth["id"], Decision.APPROVED, "bela")
    assert make(ids, change(meter, Operation(OperationKind.ZERO, 5, 5)))[0]["state"] == "approved", "counted anew from there"


# --- rights ---


@pytest.mark.parametrize(
    "statement",
    [
        "update vee.edit set after = '{1}'",
        "delete from vee.edit",
        "update vee.edit_decision set decision = 'approved'",
        "delete from vee.edit_decision",
        "update ops.audit_head set entries = 0",
        "delete from vee.freeze",
        """insert into vee.edit (discom_id, day, meter_id, channel, after, reason, editor, approver, approved_at)
           select ops.tenant(), '2026-10-06', 1, 'import_wh', '{1}', 'TEST', 'a', 'b', now()""",
        """insert into vee.edit (discom_id, day, meter_id, channel, after, reason, editor, hash)
           select ops.tenant(), '2026-10-06', 1, 'import_wh', '{1}', 'TEST', 'a', ''""",
    ],
)
def test_the_record_is_append_only(ids: dict[str, int], statement: str) -> None:
    with tenant(ids[CODE]) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)  # type: ignore[arg-type]


def test_the_database_itself_keeps_four_eyes(ids: dict[str, int], meter: int) -> None:
    edit = make(ids, change(meter, Operation(OperationKind.ZERO)))[0]
    with tenant(ids[CODE]) as conn, pytest.raises(psycopg.errors.RaiseException, match="others approve"):
        conn.execute(
            "insert into vee.edit_decision (discom_id, edit_id, decision, decided_by) values (%s, %s, 'approved', 'ASHA ')",
            [ids[CODE], edit["id"]],
        )


def test_another_tenant_sees_and_edits_nothing(ids: dict[str, int], meter: int) -> None:
    edit = make(ids, change(meter, Operation(OperationKind.ZERO)))[0]
    stranger = person(ids, "zoe", OTHER)
    with tenant(ids[OTHER]) as conn:
        assert conn.execute("select count(*) from vee.edit").fetchone() == (0,)
        for kind in (service.Decision.APPROVED, service.Decision.REJECTED):
            with pytest.raises(EditError, match="there is no edit"):
                service.decide(conn, stranger, [edit["id"]], kind)
        with pytest.raises(EditError, match="no meter"):
            service.make(conn, stranger, Asked([change(meter, put(3, 1))], EditReason.TEST))
        with pytest.raises(EditError, match="no day"):
            service.day(conn, ids[OTHER], serial(meter), DAY)
    with tenant(ids[OTHER]) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(
            """insert into vee.edit (discom_id, day, meter_id, channel, after, reason, editor)
               values (%s, '2026-10-06', 1, 'import_wh', '{1}', 'TEST', 'zoe')""",
            [ids[CODE]],
        )


# --- what becomes stale ---


def test_an_approved_edit_makes_its_day_stale_and_only_its_meter_is_built_anew(ids: dict[str, int], meter: int) -> None:
    steps.build(CODE, ids[CODE], DAYS[0], DAYS[-1])
    assert stale.stale_ranges(CODE) == []
    edit = make(ids, change(meter, Operation(OperationKind.ZERO)))[0]
    assert stale.stale_ranges(CODE) == [], "what waits changes nothing"
    decide(ids, edit["id"], Decision.APPROVED, "bela")
    first = stale.stale_ranges(CODE)
    assert [(r.first, r.last) for r in first] == [(DAY, DAY)]

    assert stale.begin_build(ids[CODE], DAY, DAY, made_with="x", changed_only=True) is False, "other models: everything"
    steps.build(CODE, ids[CODE], DAY, DAY)
    decide(ids, make(ids, change(meter, put(3, 90)), who="bela")[0]["id"], Decision.APPROVED, "asha")
    second = stale.stale_ranges(CODE)
    assert second[0].mark != first[0].mark, "the sensor must not take it for the run that was"
    assert steps.begin(CODE, ids[CODE], DAY, DAY, changed_only=True)
    with db.connect("meterhouse_owner") as conn:
        assert conn.execute("select meter_id from ops.changed_meter").fetchall() == [(meter,)]
    steps.build(CODE, ids[CODE], DAY, DAY)
    assert stale.stale_ranges(CODE) == []


def test_energy_follows_the_edit_once_the_day_is_built(ids: dict[str, int], meter: int) -> None:
    def supplied() -> int:
        with db.connect("meterhouse_owner") as conn:
            row = conn.execute(
                "select consumer_import_wh from energy.dt_day where discom_id = %s and day = %s", [ids[CODE], DAY]
            ).fetchone()
        assert row
        return int(row[0])

    steps.build(CODE, ids[CODE], DAY, DAY)
    before = supplied()
    make(ids, change(meter, put(3, 0)))
    steps.build(CODE, ids[CODE], DAY, DAY, changed_only=True)
    assert supplied() == before - world.values(meter, DAY)[3]
