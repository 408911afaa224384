"""What a piece of work costs: seconds, CPU seconds and peak memory over many processes, from the clock and /proc.

PSS counts a page that is shared once, so the server's buffers are counted once.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

SAMPLE_S = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Lap:
    """A piece of work. `name` may be given while it runs; `parts`: seconds of what can be told apart within, which may overlap."""

    name: str = ""
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_octets: int = 0
    parts: dict[str, float] = field(default_factory=dict)

    def add(self, other: Lap) -> None:
        self.seconds += other.seconds
        self.cpu_s += other.cpu_s
        self.peak_octets = max(self.peak_octets, other.peak_octets)
        for part, s in other.parts.items():
            self.parts[part] = self.parts.get(part, 0.0) + s


class Clock:
    """Times laps of this process, `server_pid` and all below both. Memory is sampled in the background while a lap runs."""

    def __init__(self, server_pid: int | None) -> None:
        self.roots = [os.getpid(), *([server_pid] if server_pid else [])]
        self._running: list[Lap] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        pss(self.roots[-1])  # says at once where /proc does not let us look

    def __enter__(self) -> Clock:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    @contextmanager
    def lap(self, name: str = "") -> Iterator[Lap]:
        """The cost stands in the lap when the block ends. Laps may lie within others."""
        lap = Lap(name)
        cpu, started = cpu_seconds(self.roots), time.perf_counter()
        self._running.append(lap)
        try:
            yield lap
        finally:
            lap.seconds = time.perf_counter() - started
            lap.cpu_s = cpu_seconds(self.roots) - cpu
            self._running.remove(lap)

    def _watch(self) -> None:
        while not self._end.wait(SAMPLE_S):
            if self._running:
                octets = sum(map(pss, tree(self.roots)))
                for lap in list(self._running):
                    lap.peak_octets = max(lap.peak_octets, octets)


def tree(roots: Sequence[int]) -> set[int]:
    """The processes `roots` and all below them, by pid."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if fields := _stat(path):
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
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


def cpu_seconds(roots: Sequence[int]) -> float:
    """User and system time so far of `roots` and all below them, and of what ended below them."""
    ticks = 0
    for pid in tree(roots):
        if fields := _stat(Path(f"/proc/{pid}/stat")):
            ticks += sum(map(int, fields[11:15]))  # utime, stime, and both of the children that were waited for
    return ticks / _TICKS


def stolen_seconds(stat: Path = Path("/proc/stat")) -> float:
    """Time so far that the host gave to others while a processor of this machine had work; 0 where Linux does not say."""
    with suppress(OSError, IndexError):
        return int(stat.read_text().splitlines()[0].split()[8]) / _TICKS  # "cpu", then user … softirq, steal
    return 0.0


def _stat(path: Path) -> list[str] | None:
    """The fields after the command's name; None where the process is gone."""
    with suppress(OSError):
        return path.read_text().rpartition(")")[2].split()
    return None
