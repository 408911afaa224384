"""Periods that were billed: not built, not edited; what lands for them is one exception with the right difference; release."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import dagster as dg
import pytest
from typer.testing import CliRunner

from cli.main import app
from orchestration import stale, steps
from orchestration.definitions import late_data_of_frozen_days, rebill
from tests.integration import edits_world as world
from tests.integration.edits_world import CODE, DAYS, OTHER, person, tenant
from vee.edits import audit, freezing, service
from vee.edits.errors import EditError
from vee.edits.service import Asked, Change, Operation, OperationKind
from warehouse import db
from warehouse.codes import EditReason, Quality

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

DAY, NEXT = DAYS[1], DAYS[2]


@pytest.fixture(scope="module")
def ids(built_module_database: str) -> dict[str, int]:
    """A world whose DAY is frozen by asha."""
    made = world.make_world()
    with tenant(made[CODE]) as conn:
        freezing.freeze(conn, person(made, "asha"), DAY, DAY, "the bills are out")
    return made


def v34(ids: dict[str, int]) -> list[tuple[object, ...]]:
    with db.connect("meterhouse_owner") as conn:
        return conn.execute(
            "select meter_id, severity, action, value, state from vee.exception where discom_id = %s and rule = 'V34' order by meter_id",
            [ids[CODE]],
        ).fetchall()


def judge_late(ids: dict[str, int]) -> Sequence[stale.DayRange]:
    """What the sensor's run does."""
    late = stale.rebill_ranges(CODE)
    for span in late:
        steps.rebill(CODE, ids[CODE], span.first, span.last)
    return late


def final(ids: dict[str, int], meter: int) -> list[int | None]:
    with tenant(ids[CODE]) as conn:
        return service.day(conn, ids[CODE], f"{CODE}{meter}", DAY).channels["import_wh"]


def test_a_frozen_period_from_late_data_to_release(ids: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "asha")
    billed = world.values(1, DAY)

    # Nothing is built, by hand or otherwise, and nothing is edited.
    for first, last in ((DAY, DAY), (DAYS[0], DAYS[-1])):
        with pytest.raises(stale.FrozenError, match=r"is frozen by asha .*bills are out.*vee release 1"):
            steps.build(CODE, ids[CODE], first, last)
        with pytest.raises(stale.FrozenError, match="is frozen by asha"):
            steps.reestimate(CODE, ids[CODE], first, last)
    edit = Change(f"{CODE}1", DAY, "import_wh", (Operation(OperationKind.ZERO),))
    with tenant(ids[CODE]) as conn, pytest.raises(EditError, match="is frozen") as refused:
        service.make(conn, person(ids, "asha"), Asked([edit], EditReason.TEST))
    assert refused.value.kind == "conflict"
    assert judge_late(ids) == [], "nothing landed"

    # A better value of two slots, a weaker one, a register that says more, and the same values once more.
    changed = list(billed)
    changed[4] += 40
    changed[5] -= 20
    batch = world.land(ids[CODE], 1, DAY, list(changed))
    world.land(ids[CODE], 3, DAY, list(world.values(3, DAY)), batch=batch)
    world.land(ids[CODE], 4, DAY, [world.values(4, DAY)[7] + 50], start_slot=7, quality=[Quality.ESTIMATED])
    closing = 10_000 + sum(sum(world.values(5, d)) for d in DAYS[:2])
    world.land_register(ids[CODE], 5, DAY, closing + 500)

    assert DAY not in {r.first for r in stale.stale_ranges(CODE)}
    assert [(r.first, r.last) for r in stale.stale_ranges(CODE)] == [(NEXT, NEXT)], "the register closes the frozen day and opens the next"
    ranges = list(late_data_of_frozen_days(dg.build_sensor_context()))
    assert isinstance(ranges[0], dg.RunRequest)
    assert ranges[0].run_config["ops"]["judge_late_data"]["config"] == {"discom": CODE, "first": str(DAY), "last": str(DAY)}
    assert [(r.first, r.last) for r in stale.rebill_ranges(CODE)] == [(DAY, DAY)]
    assert rebill.execute_in_process(run_config=ranges[0].run_config).success
    expected = [
        (1, "fail", "hold", 20.0, "open"),
        (4, "warn", "hold", 50.0, "open"),
        (5, "fail", "hold", 500.0, "open"),
    ]
    assert v34(ids) == expected
    assert final(ids, 1) == billed, "what was billed stands"
    assert judge_late(ids) == [], "what was judged is not judged again"

    # More of the same day: the difference is against what was billed, in the one exception.
    changed[6] += 20
    world.land(ids[CODE], 1, DAY, list(changed))
    judge_late(ids)
    assert v34(ids) == [(1, "fail", "hold", 40.0, "open"), *expected[1:]]

    # `meterhouse run` leaves the frozen day out.
    ran = CliRunner().invoke(app, ["run", "-d", CODE])
    assert ran.exit_code == 0, ran.output
    assert stale.stale_ranges(CODE) == []
    assert final(ids, 1) == billed

    # Release: by somebody else, with a reason; then the day is stale, is built, and the exceptions are no more.
    with tenant(ids[CODE]) as conn, pytest.raises(EditError, match="somebody else releases"):
        freezing.release(conn, person(ids, " Asha"), 1, "let me")
    with tenant(ids[OTHER]) as conn, pytest.raises(EditError, match="there is no freeze"):
        freezing.release(conn, person(ids, "zoe", OTHER), 1, "not mine")
    monkeypatch.setattr(getpass, "getuser", lambda: "bela")
    released = CliRunner().invoke(app, ["vee", "release", "-d", CODE, "1", "--reason", "a re-bill was ordered"])
    assert released.exit_code == 0, released.output
    with tenant(ids[CODE]) as conn, pytest.raises(EditError, match="bela released it"):
        freezing.release(conn, person(ids, "chandra"), 1, "me too")
    assert [(r.first, r.last) for r in stale.stale_ranges(CODE)] == [(DAY, DAY)]
    steps.build(CODE, ids[CODE], DAY, DAY, changed_only=True)
    assert {state for *_, state in v34(ids)} == {"cleared"}
    assert final(ids, 1) == changed
    with tenant(ids[CODE]) as conn:
        assert audit.verify(conn, ids[CODE]).fault is None
    listed = CliRunner().invoke(app, ["vee", "frozen", "-d", CODE])
    assert "a re-bill was ordered" in " ".join(listed.output.split())


def test_only_what_is_built_and_decided_is_frozen(ids: dict[str, int]) -> None:
    asha, day = person(ids, "asha"), DAYS[3]
    world.land(ids[CODE], 9, day, [*world.values(9, day)[:-1], 7])
    with tenant(ids[CODE]) as conn, pytest.raises(EditError, match=f"not built with all that landed and was edited: {day}"):
        freezing.freeze(conn, asha, day, day, "too early")
    steps.build(CODE, ids[CODE], day, day)
    zero = Change(f"{CODE}10", day, "import_wh", (Operation(OperationKind.ZERO),))
    with tenant(ids[CODE]) as conn:
        made, _ = service.make(conn, asha, Asked([zero], EditReason.TEST))
    with tenant(ids[CODE]) as conn, pytest.raises(EditError, match=f"edits wait for a decision: {made[0]['id']}"):
        freezing.freeze(conn, asha, day, day, "too early")
    with tenant(ids[CODE]) as conn:
        service.decide(conn, person(ids, "bela"), [made[0]["id"]], service.Decision.APPROVED)
    with tenant(ids[CODE]) as conn, pytest.raises(EditError, match="was edited"):
        freezing.freeze(conn, asha, day, day, "the balances do not know of it")
    steps.build(CODE, ids[CODE], day, day)
    with tenant(ids[CODE]) as conn:
        assert freezing.freeze(conn, asha, day, day, "the bills are out").frozen_by == "asha"
    with tenant(ids[CODE]) as conn, pytest.raises(EditError, match="is frozen by asha"):
        freezing.freeze(conn, asha, DAYS[0], day, "once more")
