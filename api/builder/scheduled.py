"""Saved reports that go out by a schedule: under the rights that their owner has when they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.auth import Caller, Permission
from api.auth.standing import identity_now
from api.builder import repository, service
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
    """Whether a saved report is of a dataset that is built day by day. Raises ReportError."""
    with _as_owner(discom_id, config_id) as (pools, caller):
        saved = service.config(pools, caller, config_id)
        dataset = datasets().get(saved.query.dataset)
        return dataset is not None and dataset.time is not None


def write(discom_id: int, config_id: int, days: Days, formats: Sequence[str], folder: Path) -> tuple[str, int, list[File]]:
    """Name, rows and files of a saved report. `days` take the place of its own. Raises ReportError."""
    with _as_owner(discom_id, config_id) as (pools, caller):
        saved = service.config(pools, caller, config_id)
        files, found = service.export(pools, caller, config_id, formats, days, folder)
        return saved.name, found.rows, files


@contextmanager
def _as_owner(discom_id: int, config_id: int) -> Iterator[tuple[Database, Caller]]:
    """Connections, and the owner as a caller. What is refused is raised as ReportError."""
    pools = Database()
    try:
        yield pools, _owner(pools, discom_id, config_id)
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
    identity = identity_now(pools, discom_id, key_id, account_id)
    scope = identity.scope(Permission.BUILDER_USE) if identity else None
    if identity is None or scope is None:
        raise OwnerError(f"the owner of saved report {config_id} may not use the report builder any more: let another save a clone of it")
    return Caller(identity, scope)
