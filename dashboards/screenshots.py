"""Asks headless Chromium for pictures of dashboards: the driver runs in Superset's environment (server/screenshot.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboards.server_control import SERVER, SupersetError, python

TIMEOUT_S = 1200


@dataclass(frozen=True)
class Picture:
    slug: str
    file: Path
    seconds: float
    charts: int
    wrong: tuple[str, ...]
    """What is wrong on it: errors, empty panels."""


def pictures(
    url: str, username: str, password: str, pages: Sequence[tuple[str, Path]], *, width: int = 1600, dark: bool = False, bare: bool = False
) -> Iterator[Picture]:
    """One picture of each dashboard, by its slug; `bare` leaves out the frame of Superset. Raises SupersetError."""
    programs = {"chromium": shutil.which("chromium") or shutil.which("chromium-browser"), "chromedriver": shutil.which("chromedriver")}
    if missing := [name for name, found in programs.items() if not found]:
        raise SupersetError(f"{' and '.join(missing)} missing: apt-get install chromium chromium-driver")
    asked = {
        "url": url,
        "username": username,
        "password": password,
        "theme": "dark" if dark else "default",
        "standalone": 1 if bare else 0,
        "width": width,
        "pages": [[slug, str(file)] for slug, file in pages],
        **programs,
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    try:
        ran = subprocess.run(
            [str(python()), str(SERVER / "screenshot.py")],
            input=json.dumps(asked),
            text=True,
            capture_output=True,
            timeout=TIMEOUT_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        raise SupersetError(f"Chromium was not done after {TIMEOUT_S} s") from e
    for line in ran.stdout.splitlines():
        said = json.loads(line)
        yield Picture(said["slug"], Path(said["file"]), said["seconds"], said["charts"], tuple(said["wrong"]))
    if ran.returncode:
        raise SupersetError(f"Chromium failed: {ran.stderr[-1500:]}")
