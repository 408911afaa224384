"""When an edit needs a second person: policies/default.yml, and policies/<code>.yml of a DISCOM that has its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.yaml_file import FileError, read

POLICIES = Path(__file__).resolve().parent / "policies"

POLICY = "policy"
"""Who approves what is small enough. Nobody else may be called so."""

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "approval_above_wh": {"type": "integer", "minimum": 0},
        "approval_above_pct": {"type": "number", "minimum": 0},
    },
}


class PolicyError(FileError):
    """A policy file that is no good: file, line, field, remedy."""


@dataclass(frozen=True)
class Policy:
    """Limits up to which, both included, an edit is approved at once. Wh (or VAh), and percent of the day as it stood."""

    approval_above_wh: int
    approval_above_pct: float

    def needs_approval(self, after: Sequence[int | None], *earlier: Sequence[int | None]) -> bool:
        """Whether the change from any of `earlier` (as it stands; as a person last left it) is above a limit."""
        return any(self._above(before, after) for before in earlier)

    def _above(self, before: Sequence[int | None], after: Sequence[int | None]) -> bool:
        wh, day = changed_wh(before, after), sum(v or 0 for v in before)
        return wh > self.approval_above_wh or 100 * wh > self.approval_above_pct * day


def changed_wh(before: Sequence[int | None], after: Sequence[int | None]) -> int:
    """Energy that was moved, in either direction; a slot without value counts as 0."""
    return sum(abs((a or 0) - (b or 0)) for b, a in zip(before, after, strict=True))


def load_policy(discom: str, folder: Path = POLICIES) -> Policy:
    """The policy of a DISCOM. Raises PolicyError."""
    values: dict[str, Any] = {}
    own = {p.stem: p for p in folder.glob("*.yml")}
    for name in ("default", discom):
        if name in own:
            values |= read(own[name], _SCHEMA, PolicyError).raw
    try:
        return Policy(**values)
    except TypeError:
        raise PolicyError(f"{folder / 'default.yml'}: approval_above_wh and approval_above_pct must both be there") from None
