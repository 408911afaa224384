"""dbt, run inside this process: its start-up costs seconds, the work of a day less.

The manifest is parsed once per state of the project and kept under METERHOUSE_HOME; dbt writes nothing into the project's folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from warehouse import db, settings

PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"

NO_DATABASE = "postgresql://nobody@127.0.0.1/meterhouse"
"""To read the project takes no server, so the graph can be loaded without one."""

NodeListener = Callable[[str, str], None]
"""Called with (node name, status) as each node ends."""


class DbtError(RuntimeError):
    """A dbt command failed; the message lists the nodes that failed and what the server said."""


@dataclass(frozen=True)
class NodeResult:
    unique_id: str
    status: str
    seconds: float
    rows: int | None
    failures: int | None
    message: str

    @property
    def ok(self) -> bool:
        return self.status in ("success", "pass")


def dbt_environment(url: str | None = None) -> dict[str, str]:
    """Variables that profiles.yml reads, for the server at `url` (default: the warehouse)."""
    parts = sa.make_url(url or db.database_url())
    return {
        "METERHOUSE_PG_HOST": parts.host or "127.0.0.1",
        "METERHOUSE_PG_PORT": str(parts.port or 5432),
        "METERHOUSE_PG_USER": parts.username or "",
        "METERHOUSE_PG_PASSWORD": parts.password or "",
        "METERHOUSE_PG_DATABASE": parts.database or "",
        "PGOPTIONS": db.options(db.WHOLE_PARTITIONS),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def target_path() -> Path:
    path = settings.home() / "dbt"
    path.mkdir(parents=True, exist_ok=True)
    return path


def project_hash() -> str:
    """Fingerprint of everything that dbt parses."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*")):
        if path.suffix in {".sql", ".yml", ".csv"} and "target" not in path.parts and path.is_file():
            digest.update(str(path.relative_to(PROJECT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def manifest_path() -> Path:
    """The manifest of the project as it stands, written again only where a file changed."""
    manifest, stamp = target_path() / "manifest.json", target_path() / "manifest.hash"
    if not (manifest.exists() and stamp.exists() and stamp.read_text() == project_hash()):
        from dbt.parser.manifest import write_manifest

        write_manifest(_parsed(project_hash()), str(target_path()))
        stamp.write_text(project_hash())
    return manifest


@cache
def _read_manifest(path: Path, stamp: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def manifest() -> dict[str, Any]:
    """The manifest as dbt writes it."""
    return _read_manifest(manifest_path(), project_hash())


@cache
def _parsed(stamp: str) -> Any:
    """dbt's own manifest object, so that a run need not parse. Takes seconds, once a process."""
    outcome = _invoke(["parse"], url=NO_DATABASE)
    if not outcome.success:
        raise DbtError(f"the dbt project in {PROJECT} cannot be read: {outcome.exception or outcome.result}")
    return outcome.result


def _manifest_of(database: str) -> Any:
    """dbt's manifest object for runs in that database: it holds the name, and is otherwise the same for each."""
    parsed = _parsed(project_hash())
    for node in (*parsed.nodes.values(), *parsed.sources.values()):
        if node.database != database:
            if node.relation_name:
                node.relation_name = node.relation_name.replace(f'"{node.database}".', f'"{database}".', 1)
            node.database = database
    return parsed


def run(args: list[str], variables: dict[str, object] | None = None, listener: NodeListener | None = None) -> list[NodeResult]:
    """Run a dbt command that executes nodes. Raises DbtError where a node failed or dbt could not run."""
    options = ["--vars", json.dumps(variables)] if variables else []
    outcome = _invoke([*args, *options], manifest=_manifest_of(dbt_environment()["METERHOUSE_PG_DATABASE"]), listener=listener)
    results = [_node_result(r) for r in getattr(outcome.result, "results", [])]
    failed = [r for r in results if r.status in ("error", "fail", "runtime error")]
    if failed:
        raise DbtError(f"dbt {' '.join(args[:1])} failed:\n" + "\n".join(f"- {r.unique_id}: {r.status}: {r.message}" for r in failed))
    if not outcome.success:
        raise DbtError(f"dbt {' '.join(args)} failed: {outcome.exception or outcome.result}")
    return results


def _node_result(result: Any) -> NodeResult:
    rows = (result.adapter_response or {}).get("rows_affected")
    return NodeResult(
        result.node.unique_id, str(result.status), result.execution_time, rows, result.failures, " ".join((result.message or "").split())
    )


def _invoke(args: list[str], manifest: Any = None, listener: NodeListener | None = None, url: str | None = None) -> Any:
    from dbt.cli.main import dbtRunner
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.events.base_types import EventMsg

    # Each command reads its whole call stack, with sources, once a flag, to name the flag's module in a message that is not shown:
    # a quarter of the time of a small build.
    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]

    def heard(event: EventMsg) -> None:
        if listener and event.info.name == "NodeFinished":
            node = event.data.node_info
            listener(node.node_name, node.node_status)

    common = [
        "--project-dir",
        str(PROJECT),
        "--profiles-dir",
        str(PROJECT),
        "--target-path",
        str(target_path()),
        "--log-path",
        str(target_path()),
    ]
    quiet = ["--quiet", "--no-version-check", "--no-use-colors", "--log-level", "none", "--log-level-file", "warn", "--no-write-json"]
    with _environment(dbt_environment(url)):
        return dbtRunner(manifest=manifest, callbacks=[heard]).invoke([*quiet, *args, *common])


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {k: os.environ.get(k) for k in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
