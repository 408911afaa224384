"""What a source of exports is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from api.auth import Scope


class StoppedError(Exception):
    """The job is not to go on: it was cancelled, another worker has it, or this process ends."""


@dataclass(frozen=True)
class Cut:
    """A tenant and what of it is seen, as `Database.tenant` and `Database.snapshot` take it."""

    discom_id: int
    scope: Scope


@dataclass(frozen=True)
class Part:
    """One file that a source wrote into the job's folder; or why there is none."""

    name: str
    path: Path | None = None
    rows: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Work:
    """A job as its source sees it."""

    what: dict[str, Any]
    """As it was submitted."""
    seen: Cut
    folder: Path
    """Empty; whatever is in it goes when the job ends badly."""
    connection: Callable[[], AbstractContextManager[psycopg.Connection]]
    """A read-only transaction that sees the rows of `seen` alone, all of the same moment. One at a time; it is cancelled with the job."""
    progress: Callable[[int], None]
    """To be told how many more rows are done, often. Raises StoppedError, which the source must let through."""


class Make(Protocol):
    """A source: makes the files of a job, and raises ReportError for what no second attempt would mend."""

    def __call__(self, work: Work) -> Sequence[Part]: ...
