"""meterhouse vee: validation, estimation and editing from the command line."""

from __future__ import annotations

import typer

from cli.vee import audit, cost, edit, estimation, exceptions, explain, preview, rules, score

app = typer.Typer(no_args_is_help=True)
app.command("explain")(explain.explain)
app.add_typer(rules.rules, name="rules")
app.command("preview")(preview.preview)
app.command("cost")(cost.cost)
app.command("reestimate")(estimation.reestimate)
app.command("weather")(estimation.weather)
app.command("profiles")(estimation.profiles)
app.command("zones")(estimation.zones)
app.add_typer(edit.app, name="edit", help="Edit validated days, and decide on edits of others.")
app.add_typer(exceptions.app, name="exceptions", help="Cases that wait for a person: the queue, and what is done with them.")
app.command("freeze")(audit.freeze)
app.command("release")(audit.release)
app.command("frozen")(audit.frozen)
app.command("verify-audit")(audit.verify_audit)
app.command("score")(score.score)


@app.callback()
def _group() -> None:
    """Validate, estimate, edit and explain meter-days."""
