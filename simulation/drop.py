"""A head-end system that leaves files in a folder, as one does over SFTP: slowly, and not always in good manner."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

MANNERS = {
    "rename": "written as .name.part, renamed when whole",
    "bare": "written under the final name from the start",
    "truncated": "first half of it under its name, the whole file under name.retry.ext later",
    "duplicates": "whole, and once more under name.again.ext",
}

PIECES = 4


def drop(data: Path, to: Path, manner: str, seconds: float) -> Iterator[str]:
    """Write the files of `data` to `to` in the order of their names, `seconds` each; yields the name of each that it is done with.

    Raises ValueError for an unknown manner, FileNotFoundError where there is nothing to write.
    """
    if manner not in MANNERS:
        raise ValueError(f"no manner {manner!r}: there are {', '.join(MANNERS)}")
    paths = sorted(p for p in data.iterdir() if p.is_file())
    if not paths:
        raise FileNotFoundError(f"no files in {data}: give a vendor's folder of a tenant, as generate writes it")
    to.mkdir(parents=True, exist_ok=True)
    for path in paths:
        content, target = path.read_bytes(), to / path.name
        if manner == "rename":
            part = to / f".{path.name}.part"
            _write(part, content, seconds)
            part.rename(target)
        elif manner == "truncated":
            _write(target, content[: len(content) // 2], seconds)
            _write(_second(target, "retry"), content, seconds)
        else:
            _write(target, content, seconds)
            if manner == "duplicates":
                _write(_second(target, "again"), content, seconds)
        yield path.name


def _second(path: Path, word: str) -> Path:
    """Another name that the same patterns match: the stem is kept, what follows its first dot stays at the end."""
    stem, _, ending = path.name.partition(".")
    return path.with_name(f"{stem}.{word}.{ending}")


def _write(path: Path, content: bytes, seconds: float) -> None:
    step = -(-len(content) // PIECES) or 1
    with path.open("wb") as f:
        for i in range(0, len(content), step):
            f.write(content[i : i + step])
            f.flush()
            time.sleep(seconds / PIECES)
