"""How the command speaks: one console, one way to fail, one progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

console = Console()
errors = Console(stderr=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on standard error and leave."""
    errors.print(f"[bold red]error:[/bold red] {escape(message)}", highlight=False, markup=True, soft_wrap=True)
    sys.exit(code)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar that stays while the work lasts and leaves no trace where the output is no terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as bar:
        yield bar


class RunProgress:
    """Shows the steps of a run of the graph (orchestration.progress.Listener)."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self.bar, self.task, self.total = bar, task, 0

    def expect(self, steps: int) -> None:
        self.total += steps
        self.bar.update(self.task, total=self.total)

    def done(self, name: str, status: str) -> None:
        self.bar.update(self.task, advance=1, detail=name)


def count(n: float) -> str:
    """A whole number with Indian grouping: 12,34,567."""
    digits = f"{abs(round(n))}"
    head, tail = digits[:-3], digits[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ("-" if round(n) < 0 else "") + ",".join([*groups, tail])
