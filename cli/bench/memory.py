"""Peak memory over many processes, from /proc. PSS counts a page that is shared once, so the server's buffers are counted once."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

INTERVAL_S = 0.5


def tree(roots: Sequence[int]) -> set[int]:
    """The processes `roots` and all below them, by pid."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def pss(pid: int) -> int:
    """Proportional set size in octets; 0 where the process is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class PeakMemory:
    """Samples the sum of PSS of this process, `server_pid` and all below both while a stage is named. `peaks`: octets by stage."""

    def __init__(self, server_pid: int | None) -> None:
        self.roots = [os.getpid(), *([server_pid] if server_pid else [])]
        self.stage: str | None = None
        self.peaks: dict[str, int] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        pss(self.roots[-1])  # says at once where /proc does not let us look

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(INTERVAL_S):
            if stage := self.stage:
                octets = sum(map(pss, tree(self.roots)))
                self.peaks[stage] = max(self.peaks.get(stage, 0), octets)
