"""An overlay that is in force only while something is measured."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def overlay_in_force(discom: str, text: str) -> Iterator[None]:
    """`text` is the overlay of the DISCOM `discom` meanwhile, before any other that METERHOUSE_OVERLAYS has."""
    before = os.environ.get("METERHOUSE_OVERLAYS")
    with TemporaryDirectory(prefix="meterhouse-overlay-") as folder:
        Path(folder, f"{discom}.yml").write_text(text, encoding="utf-8")
        os.environ["METERHOUSE_OVERLAYS"] = os.pathsep.join(filter(None, [folder, before]))
        try:
            yield
        finally:
            if before is None:
                del os.environ["METERHOUSE_OVERLAYS"]
            else:
                os.environ["METERHOUSE_OVERLAYS"] = before
