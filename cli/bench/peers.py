"""Calls the peers: other programs that do the same day on the same database. They live in tests/bench/peers and are run as processes.

A peer's time counts only where its outcome is ours; how that is compared is the peers' own matter.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from psycopg.sql import SQL, Identifier

from cli.bench.database import as_owner, checkpoint
from cli.bench.stages import BenchError

ROOT = Path(__file__).resolve().parents[2]
PEERS = ("polars", "duckdb", "pandas", "rowsql", "polars_parquet", "duckdb_parquet")
SLOW = ("pandas", "rowsql")
TIMEOUT_S = 1800


@dataclass
class PeerResult:
    """`seconds` is None where the outcome differs from ours (`differences` says how) or the peer failed."""

    peer: str
    seconds: float | None = None
    peak_octets: int = 0
    differences: list[str] = field(default_factory=list)


def require_source_tree() -> None:
    if not (ROOT / "tests" / "bench" / "peers" / "__main__.py").exists():
        raise BenchError("the peers need the source tree: run the bench from a checkout, or without peers (--peers none)")


def run_peer(name: str, discom_id: int, day: date) -> PeerResult:
    """Let a peer do the day on the database that METERHOUSE_DATABASE_URL names; what it wrote there is dropped."""
    checkpoint()
    result = _answer(name, ["--discom-id", str(discom_id), "--day", day.isoformat()])
    if result.differences:
        result.seconds = None
    with as_owner() as conn:
        conn.execute(SQL("drop schema if exists {} cascade").format(Identifier(f"peer_{name}")))
    return result


def _answer(name: str, options: list[str]) -> PeerResult:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.peers", name, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, error = child.communicate(timeout=TIMEOUT_S)
        said = json.loads(out.strip().splitlines()[-1])
        return PeerResult(name, float(said["seconds"]), int(said["peak_octets"]), [str(d) for d in said["differences"]])
    except subprocess.TimeoutExpired:
        return PeerResult(name, differences=[f"it did not end in {TIMEOUT_S} s"])
    except (ValueError, KeyError, IndexError, TypeError):
        return PeerResult(name, differences=[f"it failed ({child.returncode}): {(error or out).strip()[-500:] or 'without a word'}"])
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)  # and what it started
            child.wait()
