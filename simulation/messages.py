"""What vendor `hpl` sends as messages: the items of a tenant's store, with the faults of networks on demand. Publishing them is `publish`.

A message is the JSON of section 2 of docs/hes-formats.md with nothing beside its list: `{"items": [...]}`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulation.hpl import PROFILES, render


@dataclass(frozen=True)
class Faults:
    """How it goes wrong. Every Nth message (0 = none) is sent twice, or once more cut off; `shuffle` neighbours lose their order."""

    duplicate_every: int = 0
    cut_every: int = 0
    shuffle: int = 0
    seed: int = 1


@dataclass(frozen=True)
class Outgoing:
    """`key` is the serial of the first meter in it: of a topic's level, or of a partition."""

    key: str
    content: bytes


def outgoing(folder: Path, items_per_message: int = 1, faults: Faults | None = None) -> Iterator[Outgoing]:
    """The messages of a tenant's hpl folder in the order in which the HES received the data, profile by profile.

    Raises FileNotFoundError where the folder holds no items.
    """
    faults = faults or Faults()
    rng = random.Random(faults.seed)
    waiting: list[Outgoing] = []
    for message in _disturbed(_plain(folder, items_per_message), faults, rng):
        waiting.append(message)
        if len(waiting) > faults.shuffle:
            yield waiting.pop(rng.randrange(len(waiting)))
    rng.shuffle(waiting)
    yield from waiting


def _disturbed(messages: Iterator[Outgoing], faults: Faults, rng: random.Random) -> Iterator[Outgoing]:
    for n, message in enumerate(messages, 1):
        yield message
        if faults.duplicate_every and n % faults.duplicate_every == 0:
            yield message
        if faults.cut_every and n % faults.cut_every == 0:
            yield Outgoing(message.key, message.content[: rng.randrange(1, len(message.content))])


def _plain(folder: Path, items_per_message: int) -> Iterator[Outgoing]:
    paths = {profile: folder / f"{profile}.jsonl" for profile in PROFILES}
    if not any(path.exists() for path in paths.values()):
        raise FileNotFoundError(f"no items in {folder}: give the hpl folder of a tenant, as generate writes it")
    for profile, path in paths.items():
        if not path.exists():
            continue
        with path.open(encoding="utf-8") as lines:
            items: list[dict] = []
            for line in lines:
                items.append(render(json.loads(line), profile))
                if len(items) == items_per_message:
                    yield _message(items)
                    items = []
            if items:
                yield _message(items)


def _message(items: list[dict]) -> Outgoing:
    return Outgoing(items[0]["meterSerial"], json.dumps({"items": items}, separators=(",", ":")).encode())
