"""What people do with cases, each with its line in the audit trail. No HTTP and no SQL: the API and the command line call these in a
transaction of one tenant (row-level security), and nothing is applied where one of them raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg

from vee.exceptions import repository
from vee.exceptions.repository import Filter
from vee.exceptions.settings import CaseRules
from warehouse.codes import BY_MACHINE, CaseState, Resolution


class UnknownCaseError(LookupError):
    """The DISCOM has no such case."""


class CaseConflictError(RuntimeError):
    """The case is not in a state for it, or another person was quicker. `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Desk:
    """Who acts, and for which DISCOM. `who` goes into the audit trail, `name` is the assignee of what is taken."""

    conn: psycopg.Connection
    discom_id: int
    name: str
    who: str

    def take(self, case_id: int) -> None:
        """Take a case in hand. To take one's own again is no error. Raises UnknownCaseError, CaseConflictError."""
        case = self._live(case_id)
        if case["assignee"] not in (None, self.name):
            raise CaseConflictError("TAKEN", f"case {case_id} is with {case['assignee']}: ask for it, or have it assigned to you")
        if (case["state"], case["assignee"]) != (CaseState.ASSIGNED, self.name):
            self._change([case_id], "take", None, _hand_to(self.name))

    def assign(self, case_id: int, assignee: str, note: str | None = None) -> None:
        """Give a case to somebody, whoever has it. Raises UnknownCaseError, CaseConflictError."""
        self._live(case_id)
        self._change([case_id], "assign", note, _hand_to(assignee))

    def wait(self, case_id: int, reason: str, until: datetime | None) -> None:
        """Let a case rest until something happens; a build that is made after `until` wakes it. Raises UnknownCaseError,
        CaseConflictError."""
        self._live(case_id)
        if until is not None and until <= datetime.now(UTC):
            raise CaseConflictError("PAST", f"until {until.isoformat()} is past: name a later time")
        self._change([case_id], "wait", reason, {"state": CaseState.WAITING, "wait_reason": reason, "wait_until": until})

    def comment(self, case_id: int, note: str) -> None:
        """Raises UnknownCaseError."""
        self._locked(case_id)
        self._change([case_id], "comment", note, {})

    def close(self, case_id: int, resolution: Resolution, note: str | None) -> int:
        """Close a case and its exceptions: they stay closed while their values are the same. How many exceptions.

        Raises UnknownCaseError, CaseConflictError.
        """
        repository.lock(self.conn, self.discom_id)
        self._live(case_id)
        return self._close([case_id], resolution, note)

    def reopen(self, case_id: int, note: str | None) -> int:
        """Open a case that a person closed, with the exceptions that it closed. How many.

        Raises UnknownCaseError; CaseConflictError where it is not closed, or nothing of it is left.
        """
        repository.lock(self.conn, self.discom_id)
        case = self._locked(case_id)
        if case["state"] != CaseState.CLOSED:
            raise CaseConflictError("NOT_CLOSED", f"case {case_id} is {case['state']}: there is nothing to reopen")
        state = CaseState.ASSIGNED if case["assignee"] else CaseState.OPEN
        nobody = dict.fromkeys(("closed_at", "closed_by", "resolution", "resolution_note"))
        self._change([case_id], "reopen", note, {"state": state, **nobody})
        opened = repository.settle(self.conn, [case_id])
        if not opened:
            raise CaseConflictError("NOTHING_LEFT", f"case {case_id} was closed as {case['resolution']} and has no exception any more")
        return opened

    def bulk(self, wanted: Filter, expected: int, rules: CaseRules, do: Literal["assign", "close"], **how: Any) -> tuple[list[int], int]:
        """Assign or close all live cases that `wanted` finds, if they are as many as expected. Their ids, and how many exceptions closed.

        `how`: `assignee` and `note`, or `resolution` and `note`. Raises CaseConflictError where the count differs.
        """
        repository.lock(self.conn, self.discom_id)
        found = repository.locked_of(self.conn, wanted, rules.sla_h)
        if len(found) != expected:
            raise CaseConflictError("COUNT_DIFFERS", f"the filter finds {len(found)} cases, not {expected}: look at them again")
        if do == "close":
            return found, self._close(found, how["resolution"], how.get("note"))
        self._change(found, "assign", how.get("note"), _hand_to(how["assignee"]))
        return found, 0

    def _close(self, cases: Sequence[int], resolution: Resolution, note: str | None) -> int:
        if resolution in BY_MACHINE:
            raise CaseConflictError("BY_MACHINE", f"{resolution} is what the machine says of a case: give a reason of your own")
        closed = {"closed_at": datetime.now(UTC), "closed_by": self.who, "resolution": resolution, "resolution_note": note}
        self._change(cases, "close", note, {"state": CaseState.CLOSED, "wait_reason": None, "wait_until": None, **closed})
        return repository.settle(self.conn, cases)

    def _change(self, cases: Sequence[int], action: str, note: str | None, columns: dict[str, Any]) -> None:
        repository.change(self.conn, self.discom_id, cases, self.who, action, note, columns)

    def _live(self, case_id: int) -> dict[str, Any]:
        case = self._locked(case_id)
        if case["state"] == CaseState.CLOSED:
            at = f"{case['closed_at']:%Y-%m-%d %H:%M}Z"
            raise CaseConflictError("CLOSED", f"case {case_id} was closed by {case['closed_by']} at {at}: reopen it first")
        return case

    def _locked(self, case_id: int) -> dict[str, Any]:
        case = repository.locked(self.conn, case_id)
        if case is None:
            raise UnknownCaseError(f"there is no case {case_id}")
        return case


def _hand_to(assignee: str) -> dict[str, Any]:
    return {"state": CaseState.ASSIGNED, "assignee": assignee, "wait_reason": None, "wait_until": None}
