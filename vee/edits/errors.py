"""How an edit is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["invalid", "unknown", "conflict"]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with what was asked. `where`: row and column of a file, or meter, day and slot."""

    where: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.detail}" if self.where else self.detail


class EditError(ValueError):
    """What was asked is refused as a whole, nothing was written. `code` is stable, the message says what is wrong and how to mend it."""

    def __init__(self, code: str, detail: str, *, kind: Kind = "invalid", faults: Sequence[Fault] = ()) -> None:
        super().__init__("\n".join([detail, *map(str, faults)]))
        self.code, self.detail, self.kind, self.faults = code, detail, kind, list(faults)
