"""Saved reports that go out by a schedule: under the rights that their owner has when they are made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from api.auth import Caller, Permission
from api.auth.caller import Identity
from api.builder import owners, repository, service
from api.builder.catalogue import datasets
from api.builder.schemas import Days
from api.database import Database
from api.errors import Problem
from api.reports.catalogue import ReportError
from api.reports.files import File


class OwnerError(ReportError):
    """There is nobody any more under whose rights it could be made: to try again is of no use."""

    permanent = True


def of_days(discom_id: int, config_id: int) -> bool:
    """Whether a saved report is of a dataset that is built day by day. Raises OwnerError where there is no such report."""
    pools = Database()
    try:
        caller = _owner(pools, discom_id, config_id)
        saved = service.config(pools, caller, config_id)
        return datasets()[saved.query.dataset].time is not None
    finally:
        pools.close()


def write(discom_id: int, config_id: int, days: Days, formats: Sequence[str], folder: Path) -> tuple[str, int, list[File]]:
    """Name, rows and files of a saved report. `days` take the place of its own. Raises ReportError."""
    pools = Database()
    try:
        caller = _owner(pools, discom_id, config_id)
        saved = service.config(pools, caller, config_id)
        files, found = service.export(pools, caller, config_id, formats, days, folder)
        return saved.name, found.rows, files
    except Problem as e:
        more = "; ".join(f"{x['field']}: {x['message']}" for x in e.errors)
        raise ReportError(f"saved report {config_id}: {e.detail}" + (f": {more}" if more else "")) from e
    finally:
        pools.close()


def _owner(pools: Database, discom_id: int, config_id: int) -> Caller:
    with pools.loader() as conn:
        found = repository.owner_of(conn, discom_id, config_id)
    if found is None:
        raise OwnerError(f"there is no saved report {config_id}: take it out of the schedules")
    account_id, key_id = found
    identity: Identity | None
    with pools.auth() as conn:
        if account_id is not None:
            identity = owners.identity_of_account(conn, discom_id, account_id)
        else:
            identity = owners.identity_of_key(conn, discom_id, str(key_id))
    scope = identity.scope(Permission.BUILDER_USE) if identity else None
    if identity is None or scope is None:
        raise OwnerError(f"the owner of saved report {config_id} may not use the report builder any more: let another save a clone of it")
    return Caller(identity, scope)
