"""The rules in force, and what becomes of a proposal. No HTTP paths, no SQL."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from api.auth import Caller
from api.auth.caller import of_this_machine
from api.database import Database
from api.errors import Problem
from api.rules import repository
from api.rules.schemas import MAX_OVERLAY, Page, Proposal, ProposalRequest, Rule, RuleSet, State, Version, Versions, VersionWithRules
from expectations import rule_set
from expectations.preview import Preview, preview
from expectations.rules import RuleError, overlay_folders, overlay_path, read_overlay
from expectations.runner import ValidationError

MAX_ID = 2**63 - 1
MAX_VERSION = 2**31 - 1


def in_force(pools: Database, caller: Caller) -> RuleSet:
    """Raises Problem 503 where the files cannot be read."""
    with _readable():
        found = rule_set.load(caller.discom)
    with pools.tenant(caller) as conn:
        version = rule_set.version(conn, caller.discom_id, found)
    rules = [_rule(stage, check) for stage, suite in found.suites.items() for check in suite.checks]
    return RuleSet(discom=caller.discom, version=version, sha256=found.sha256.hex(), overlay=found.overlay, rules=rules)


def _rule(stage: Any, check: Any) -> Rule:
    said = rule_set.described(stage, check)
    definition = {k: said.pop(k) for k in ("table", "test", "kwargs", "rows", "but", "value")}
    return Rule(
        **said,
        limit=rule_set.limit(check),
        scope=rule_set.scope(check),
        source="overlay" if check.overlay else "base",
        definition=definition,
    )


def versions(pools: Database, caller: Caller) -> Versions:
    with pools.tenant(caller) as conn:
        return Versions(items=[Version(**row) for row in repository.versions(conn)])


def version(pools: Database, caller: Caller, rule_set_id: int) -> VersionWithRules:
    """Raises Problem 404."""
    with pools.tenant(caller) as conn:
        row = repository.version(conn, rule_set_id)
    if row is None:
        raise Problem(404, "UNKNOWN_RULE_SET", "No such version", f"there is no version {rule_set_id} of the rules")
    return VersionWithRules(**row)


# --- proposals ---


def propose(pools: Database, caller: Caller, request: ProposalRequest) -> Proposal:
    """Keep a proposal. Raises Problem: 422 the overlay is no good or the days are not built, 503."""
    text = request.overlay if isinstance(request.overlay, str) else _text(request.overlay)
    if len(text) > MAX_OVERLAY:
        raise Problem(
            422, "INVALID_OVERLAY", "The overlay is no good", f"it is longer than {MAX_OVERLAY} characters: leave out what the suites say"
        )
    try:
        overlay = read_overlay(_name(caller.discom), text, discom=caller.discom)
    except RuleError as e:
        raise _invalid(e) from None
    found = None
    with _readable():
        now = rule_set.load(caller.discom)
    if request.preview:
        then = rule_set.of_overlay(caller.discom, overlay)
        try:
            found = preview(caller.discom_id, now, then, request.preview.first, request.preview.last)
        except ValidationError as e:
            raise Problem(422, "NOT_BUILT", "There is nothing to preview", str(e).split(" The reason given")[0]) from None
    with pools.tenant(caller) as conn:
        said = counts(found) if found else None
        made = repository.insert(conn, caller.discom_id, text, _sha256(now.overlay), request.note, said, caller.who)
        return _proposal(conn, made)


def counts(found: Preview) -> dict[str, Any]:
    """A preview as JSON says it."""
    return {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "rules": [asdict(r) for r in found.rules],
        "actions": [asdict(a) for a in found.actions],
        "refused": [{**asdict(r), "day": r.day.isoformat()} for r in found.refused],
        "skipped": found.skipped,
        "unbuilt": [d.isoformat() for d in found.unbuilt],
    }


def get(pools: Database, caller: Caller, proposal_id: int) -> Proposal:
    """Raises Problem 404, also for another tenant's."""
    with pools.tenant(caller) as conn:
        return _proposal(conn, proposal_id)


def listed(pools: Database, caller: Caller, state: State | None, before: int | None, size: int) -> Page:
    """A page of proposals, newest first."""
    with pools.tenant(caller) as conn:
        rows = repository.page(conn, state, before, size + 1)
    return Page(items=[Proposal(**row) for row in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def withdraw(pools: Database, caller: Caller, proposal_id: int) -> Proposal:
    """Raises Problem: 404, 409 where it was accepted."""
    with pools.tenant(caller) as conn:
        done = repository.decide(conn, proposal_id, "withdrawn", caller.who)
        found = _proposal(conn, proposal_id)
    if not done and found.state != "withdrawn":
        raise Problem(409, "NOT_OPEN", "It was decided already", f"proposal {proposal_id} is {found.state}: propose anew")
    return found


def accept(pools: Database, discom_id: int, discom: str, proposal_id: int, who: str) -> Path:
    """Write the proposal's overlay where it is in force from the next build on; answers with its file.

    Raises Problem: 404, 403 by who proposed it, 409 decided already or the overlay in force is another one than it was made for, 422 it
    does not fit the suites any more.
    """
    who = who.strip()
    with pools.tenant(of_this_machine(discom_id, discom, who)) as conn:
        repository.one_at_a_time(conn, discom_id)
        found = repository.proposal(conn, proposal_id) if 0 < proposal_id <= MAX_ID else None
        if found is None:
            raise _unknown(proposal_id)
        if found["state"] != "proposed":
            raise Problem(409, "NOT_OPEN", "It was decided already", f"proposal {proposal_id} is {found['state']}: propose anew")
        if not who or who.casefold() in _names(found["proposed_by"]):
            raise Problem(403, "FOUR_EYES", "Not by the proposer", f"{found['proposed_by']} proposed it: somebody else must accept it")
        present = overlay_path(discom)
        text = present.read_text(encoding="utf-8") if present else None
        if _sha256(text) != found["replaces_sha256"]:
            detail = f"the overlay changed since proposal {proposal_id} was made, which would undo that: propose anew from what is in force"
            raise Problem(409, "OVERLAY_CHANGED", "Another overlay is in force", detail)
        file = next(overlay_folders()) / f"{discom}.yml"
        try:
            read_overlay(file, found["overlay"])
        except RuleError as e:
            raise _invalid(e) from None
        if not repository.decide(conn, proposal_id, "accepted", who):
            raise Problem(409, "NOT_OPEN", "It was decided already", f"proposal {proposal_id} was withdrawn meanwhile: propose anew")
        # Before the commit: where the file cannot be written, the proposal stays open.
        _write(file, found["overlay"])
    return file


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".yml.part")
    with part.open("w", encoding="utf-8", newline="") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    part.replace(file)


def _names(proposer: str) -> set[str]:
    """All names under which `name (key id)` may come back."""
    name, _, key_id = proposer.casefold().removesuffix(")").rpartition(" (")
    return {proposer.casefold(), name, key_id}


def _name(discom: str) -> Path:
    return Path(f"{discom}.yml")


def _text(overlay: dict[str, Any]) -> str:
    try:
        return yaml.safe_dump(overlay, sort_keys=False, allow_unicode=True)
    except (yaml.YAMLError, RecursionError):
        raise Problem(422, "INVALID_OVERLAY", "The overlay is no good", "it is nested too deep: give it as text") from None


def _sha256(text: str | None) -> bytes | None:
    return None if text is None else hashlib.sha256(text.encode()).digest()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except RuleError as e:
        detail = f"the rules in force cannot be read: {e}"
        raise Problem(503, "RULES_UNREADABLE", "Not available", detail, headers={"Retry-After": "60"}) from None


def _invalid(e: RuleError) -> Problem:
    errors = [{"line": str(f.line), "field": f.field, "message": f.message} for f in e.faults]
    return Problem(422, "INVALID_OVERLAY", "The overlay is no good", str(e), errors=errors)


def _unknown(proposal_id: int) -> Problem:
    return Problem(404, "UNKNOWN_PROPOSAL", "No such proposal", f"there is no proposal {proposal_id}")


def _proposal(conn: Any, proposal_id: int) -> Proposal:
    row = repository.proposal(conn, proposal_id)
    if row is None:
        raise _unknown(proposal_id)
    return Proposal(**row)
