"""Where things live and how they are called. All from the environment, with defaults that need no set-up.

METERHOUSE_HOME          folder of the embedded server, its secrets and the demo's files (default: .meterhouse in the working folder)
METERHOUSE_DATABASE_URL  any PostgreSQL in place of the embedded one: postgresql://user:password@host:port/database
METERHOUSE_PG_OS_USER    operating-system user that runs the embedded server when we are root (default: nobody)
"""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Folder of everything that a running Meterhouse keeps on disk."""
    return Path(os.environ.get("METERHOUSE_HOME", ".meterhouse")).resolve()


def explicit_database_url() -> str | None:
    """The server that the operator chose, or None for the embedded one."""
    return os.environ.get("METERHOUSE_DATABASE_URL") or None


def pg_os_user() -> str:
    return os.environ.get("METERHOUSE_PG_OS_USER", "nobody")
