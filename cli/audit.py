"""meterhouse audit: what energy audit finds, and what may be done about it."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Energy audit: losses, indexing and load, and what may be done about them."""
