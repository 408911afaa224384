"""Connections to the warehouse, each under the role that its work needs, and the migrations.

Roles cannot log in: a connection logs in with the URL's user and takes the role on at once, so it holds no more rights than
its work needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from warehouse import settings
from warehouse.embedded import EmbeddedServer

Role = Literal["meterhouse_owner", "meterhouse_loader", "meterhouse_dbt", "meterhouse_api"]

CONNECT_TIMEOUT_S = 10


def database_url() -> str:
    """The operator's server, or the embedded one. Raises EmbeddedError where neither is there."""
    return settings.explicit_database_url() or EmbeddedServer().url()


def connect(role: Role = "meterhouse_loader", *, autocommit: bool = False) -> psycopg.Connection:
    """A psycopg connection that acts as `role`. Session time zone is UTC."""
    return psycopg.connect(
        database_url(),
        autocommit=autocommit,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="meterhouse",
        options=f"-c role={role} -c timezone=UTC",
    )


def engine(role: Role) -> sa.Engine:
    """A SQLAlchemy engine whose connections act as `role`."""
    return sa.create_engine(
        sa.make_url(database_url()).set(drivername="postgresql+psycopg"),
        connect_args={
            "options": f"-c role={role} -c timezone=UTC",
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "meterhouse",
        },
    )


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(revision: str = "head") -> None:
    """Bring the schema to `revision`. Runs as the URL's own user, who must be allowed to create roles."""
    command.upgrade(alembic_config(), revision)
