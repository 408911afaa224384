"""Runs a peer in a process of its own and compares its outcome with ours: python -m tests.bench.peers polars --discom-id 1 --day 2026-10-05

Prints one JSON line: peer, seconds, differences (empty where every figure is ours), peak_octets (PSS of the peer's process and those
below it, without the server).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from cli.bench.clock import pss, tree
from tests.bench.peers import common, compare, parquet

PROGRAMS = {
    "polars": "polars",
    "duckdb": "duckdb",
    "pandas": "pandas",
    "rowsql": "rowsql",
    "polars_parquet": "polars",
    "duckdb_parquet": "duckdb",
}
SAMPLE_S = 0.1
FOLDER = Path(__file__).resolve().parent


class PeerError(RuntimeError):
    """The peer failed or took too long; the message says what it said last."""


def run_peer(name: str, url: str, discom_id: int, day: date, timeout_s: float) -> dict[str, Any]:
    """Let a peer do the day on a database where ours is built. Raises PeerError."""
    task = common.Day.of(url, discom_id, day)
    options = ["--discom-id", str(discom_id), "--day", day.isoformat()]
    with tempfile.TemporaryDirectory(prefix="meterhouse-peer-") as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        if name.endswith("_parquet"):
            target.mkdir()
            parquet.export(task, source)
            options += ["--parquet", str(source), str(target)]
        said, peak = _watched([sys.executable, str(FOLDER / f"{PROGRAMS[name]}_day.py"), *options], url, timeout_s)
        if name.endswith("_parquet"):
            parquet.load(task, target, f"peer_{name}")
    with common.connect(url) as conn:
        found = compare.differences(conn, f"peer_{name}", discom_id, day)
    return {"peer": name, "seconds": said["seconds"], "differences": found, "peak_octets": peak}


def _watched(command: list[str], url: str, timeout_s: float) -> tuple[dict[str, Any], int]:
    """What a program printed as JSON, and its peak memory."""
    env = os.environ | {"METERHOUSE_DATABASE_URL": url}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        child = subprocess.Popen(command, env=env, stdout=out, stderr=error)
        peak, ends = 0, time.monotonic() + timeout_s
        try:
            while child.poll() is None and time.monotonic() < ends:
                peak = max(peak, sum(map(pss, tree([child.pid]))))
                time.sleep(SAMPLE_S)
        finally:
            ended = child.poll()
            if ended is None:
                child.kill()
                child.wait()
        for stream in (out, error):
            stream.seek(0)
        if ended is None:
            raise PeerError(f"{command[1]} did not end in {timeout_s:.0f} s")
        if ended:
            raise PeerError(f"{command[1]} failed ({ended}): {error.read().strip()[-1000:]}")
        said: dict[str, Any] = json.loads(out.read().splitlines()[-1])
        return said, peak


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=PROGRAMS)
    parser.add_argument("--url", default=os.environ.get("METERHOUSE_DATABASE_URL"), help="default: METERHOUSE_DATABASE_URL")
    parser.add_argument("--discom-id", type=int, required=True)
    parser.add_argument("--day", type=date.fromisoformat, required=True, help="2026-10-05")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds")
    args = parser.parse_args()
    if not args.url:
        parser.error("give --url, or set METERHOUSE_DATABASE_URL")
    try:
        print(json.dumps(run_peer(args.name, args.url, args.discom_id, args.day, args.timeout)))
    except PeerError as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
