"""The demo's last act: one meter-day from raw to final. A gap was estimated; two people who know better edit a part of it."""

from __future__ import annotations

from datetime import date

from cli.console import console
from cli.vee.explain import explain_day
from cli.vee.picture import day_picture
from orchestration import steps
from vee.edits import service
from vee.edits.errors import EditError
from vee.edits.service import Asked, Change, Decision, Editor, Operation, OperationKind
from vee.explain import Explanation
from warehouse import db, summary
from warehouse.codes import EditReason, Quality

SLOTS = 6
"""Intervals that a gap has at least: a third of them stays as it was estimated."""


def tell(discom: str, discom_id: int, first: date, last: date) -> None:
    """Choose a meter-day, edit it where nobody has, and show the picture. Again it finds its edit, and changes nothing."""
    with db.connect("meterhouse_dbt") as conn:
        chosen = summary.day_to_tell(conn, discom_id, first, last, SLOTS)
    if chosen is None:
        return
    serial, day = chosen
    console.rule(f"[bold]One meter's story: {serial} on {day}[/bold]")
    x = explain_day(discom, serial, day)
    if not x.edits:
        try:
            _edit(x, discom_id)
            steps.build(discom, discom_id, day, day, changed_only=True)
        except EditError as e:  # somebody froze the day
            console.print(f"not edited: {e}", markup=False)
        x = explain_day(discom, serial, day)
    console.print(day_picture(x, console.width))
    changed = [r for r in x.runs if r.method or r.quality == Quality.EDITED.name.lower()]
    command = f".venv/bin/meterhouse vee explain {serial} {day} -d {discom} --time {changed[-1].starts_at:%H:%M}"
    console.print(f"\nOne interval of it: [bold]{command}[/bold]", soft_wrap=True)


def _edit(x: Explanation, discom_id: int) -> None:
    """The lineman's log says that supply was off in the last third of the gap: zero there, and what the register leaves in the second."""
    gap = [i for i in x.intervals if i.quality == Quality.ESTIMATED.name.lower()]
    second, third = gap[len(gap) // 3].slot, gap[2 * len(gap) // 3].slot
    last = gap[-1].slot
    energy = sum(i.final_wh or 0 for i in x.intervals[second : last + 1])
    operations = (
        Operation(OperationKind.ZERO, third, last),
        Operation(OperationKind.SCALE_TO, second, third - 1, total_wh=energy),
    )
    change = Change(x.meter.serial, x.day, "import_wh", operations)
    asked = Asked([change], EditReason.POWER_OUTAGE, "the lineman's log has the line off", force=True)
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', %s, true)", [str(discom_id)])
        made, _ = service.make(conn, Editor(discom_id, x.discom, "demo analyst"), asked)
        waiting = [e["id"] for e in made if e["state"] == "pending"]
        if waiting:
            service.decide(conn, Editor(discom_id, x.discom, "demo supervisor"), waiting, Decision.APPROVED, "log seen")
