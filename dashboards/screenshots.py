"""Pictures of dashboards by headless Chromium: the driver runs in Superset's environment (server/screenshot.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from dashboards import server_control
from dashboards.client import administrator
from dashboards.generate import boards
from dashboards.people import add
from dashboards.server_control import SERVER, SESSION_COOKIE, SupersetError, python
from dashboards.sync import slug
from dashboards.tenants import tenant

TIMEOUT_S = 1200
POINTS_A_PIXEL = 0.5
"""Of a picture as a page of a PDF."""


@dataclass(frozen=True)
class Picture:
    name: str
    file: Path
    seconds: float
    charts: int
    errors: tuple[str, ...]
    empty: tuple[str, ...]
    """Panels without data."""


def check(names: Sequence[str]) -> None:
    """Raises SupersetError for a name that no dashboard has in addresses."""
    known = {str(b["slug"]) for b in boards().values()}
    if unknown := set(names) - known:
        raise SupersetError(f"no dashboard is called {', '.join(sorted(unknown))}: there are {', '.join(sorted(known))}")


def write(discom: str, names: Sequence[str], formats: Sequence[str], folder: Path) -> None:
    """<name>.png and <name>.pdf, as `formats` says, of a DISCOM's dashboards. Raises SupersetError, also where a panel shows an error."""
    check(names)
    for picture in pictures(discom, names, folder, bare=True):
        if picture.errors:
            raise SupersetError(f"{picture.name}: {'; '.join(picture.errors)}")
        if "pdf" in formats:
            _pdf(picture.file)
        if "png" not in formats:
            picture.file.unlink()


def pictures(
    discom: str, names: Sequence[str], folder: Path, *, width: int = 1600, dark: bool = False, bare: bool = False
) -> Iterator[Picture]:
    """<name>.png of each dashboard (of all where none is named), as somebody of the DISCOM sees it; `bare` without Superset's frame.

    Raises SupersetError.
    """
    check(names)
    of = tenant(discom)
    programs = {"chromium": shutil.which("chromium") or shutil.which("chromium-browser"), "chromedriver": shutil.which("chromedriver")}
    if missing := [name for name, found in programs.items() if not found]:
        raise SupersetError(f"{' and '.join(missing)} missing: apt-get install chromium chromium-driver")
    login = f"screenshots-{of.code.lower()}"
    with administrator() as client:
        add(client, of, login, server_control.secret(login), f"{login}@localhost.localdomain", "Screenshots", of.code)
        user = next(u["id"] for u in client.list("security/users") if u["username"] == login)
    wanted = {slug(of, name): name for name in sorted(names) or sorted(str(b["slug"]) for b in boards().values())}
    asked = {
        "url": server_control.status().url,
        "user": user,
        "secret_key": server_control.secret("secret_key"),
        "cookie": SESSION_COOKIE,
        "theme": "dark" if dark else "default",
        "standalone": 1 if bare else 0,
        "width": width,
        "pages": [[page, str(folder / f"{name}.png")] for page, name in wanted.items()],
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
        yield Picture(
            wanted[said["slug"]], Path(said["file"]), said["seconds"], said["charts"], tuple(said["errors"]), tuple(said["empty"])
        )
    if ran.returncode:
        raise SupersetError(f"Chromium failed: {ran.stderr[-1500:]}")


def _pdf(picture: Path) -> None:
    """One page of the picture's size beside it."""
    canvas = Canvas(str(picture.with_suffix(".pdf")), invariant=True)
    width, height = (pixels * POINTS_A_PIXEL for pixels in ImageReader(str(picture)).getSize())
    canvas.setPageSize((width, height))
    canvas.setTitle(picture.stem)
    canvas.drawImage(str(picture), 0, 0, width, height)
    canvas.save()
