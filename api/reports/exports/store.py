"""Where the files of exports stand: METERHOUSE_EXPORTS, by default a folder below METERHOUSE_HOME. Several machines share it, or one does
not find what another made.

    <discom_id>/<export_id>/<attempt>/<file>     of jobs
    now-…/                                       of what is sent at once, while it is sent
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

from warehouse import settings

AT_ONCE = "now-"
LONGEST_AT_ONCE_S = 3600
"""What is sent at once and is older was left by a process that died."""


def root() -> Path:
    folder = Path(os.environ.get("METERHOUSE_EXPORTS") or settings.home() / "exports").resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def folder_of(discom_id: int, export_id: UUID) -> Path:
    return root() / str(int(discom_id)) / str(export_id)


def fresh(discom_id: int, export_id: UUID, attempt: int) -> Path:
    """An empty folder for an attempt; what earlier ones left is removed."""
    of_job = folder_of(discom_id, export_id)
    shutil.rmtree(of_job, ignore_errors=True)
    folder = of_job / str(attempt)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def at_once() -> Path:
    return Path(tempfile.mkdtemp(prefix=AT_ONCE, dir=root()))


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def path_of(file: str) -> Path | None:
    """A file by its path below the root; None where there is none, or it lies elsewhere."""
    path = (root() / file).resolve()
    return path if path.is_relative_to(root()) and path.is_file() else None


def digest(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def zipped(name: str, paths: Sequence[Path], folder: Path) -> Path:
    """One ZIP of several files in the folder, which go."""
    target = folder / name
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as z:
        for path in paths:
            z.write(path, path.name)
            path.unlink()
    return target


def sweep(used: Collection[tuple[int, UUID]]) -> None:
    """Remove the folders of jobs that are not in use, and what was to be sent at once and never was."""
    keep = {folder_of(discom_id, export_id) for discom_id, export_id in used}
    for of_discom in root().iterdir():
        if of_discom.name.startswith(AT_ONCE):
            if time.time() - of_discom.stat().st_mtime > LONGEST_AT_ONCE_S:
                remove(of_discom)
        elif of_discom.name.isdigit():
            for of_job in of_discom.iterdir():
                if of_job not in keep:
                    remove(of_job)
