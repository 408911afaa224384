"""What no committed file may hold."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = re.compile(
    # In pieces, or this file would be one of them.
    rb"https?://(?:[\w.-]+\.)?(?:py" + rb"pi\.org|python" + rb"hosted\.org|npm" + rb"js\.(?:org|com))|--(?:extra-)?index-url"
)


def test_no_committed_file_names_the_host_of_a_registry() -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60).stdout.split(b"\0")
    found = []
    for name in filter(None, names):
        path = ROOT / name.decode()
        if path.suffix != ".png" and path.is_file():
            found += [f"{name.decode()}: {m[0].decode()}" for m in REGISTRY.finditer(path.read_bytes())]
    assert found == [], "a registry's host stands in committed files: link to the project's own page, or name the package alone"
