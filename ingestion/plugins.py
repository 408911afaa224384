"""What other packages add by entry point: formats (`meterhouse.readers`) and folders of vendor files (`meterhouse.vendors`).

A reader is a function `rows(vendor, part, rejections) -> Iterator[Rows]` like those of `ingestion.readers`. For vendor files the entry
point names a package, and the files are the `.yml` beside its `__init__.py`. See docs/vendor-guide.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

READERS, VENDORS = "meterhouse.readers", "meterhouse.vendors"


def readers() -> dict[str, EntryPoint]:
    """Entry points of formats by name; nothing is imported yet."""
    return {e.name: e for e in entry_points(group=READERS)}


def reader(name: str) -> Callable[..., Iterator[Any]]:
    """The function that reads a format. Raises LookupError where no installed package has it."""
    try:
        found = readers()[name]
    except KeyError:
        raise LookupError(f"no installed package reads the format {name}: install the plug-in beside Meterhouse") from None
    return found.load()


def vendor_folders() -> Iterator[Path]:
    """Folders of the packages that bring vendor files, without importing them."""
    for point in sorted(entry_points(group=VENDORS), key=lambda e: e.name):
        spec = find_spec(point.module)
        for place in spec.submodule_search_locations or [] if spec else []:
            yield Path(place)
