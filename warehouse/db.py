"""Connections to the warehouse, each under the role that its work needs, and the migrations.

Roles cannot log in: a connection logs in with the URL's user and takes the role on at once, so it holds no more rights than
its work needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from warehouse import settings
from warehouse.embedded import EmbeddedServer

Role = Literal["meterhouse_owner", "meterhouse_loader", "meterhouse_dbt", "meterhouse_api", "meterhouse_auth", "meterhouse_dispatcher"]

CONNECT_TIMEOUT_S = 10

WHOLE_PARTITIONS = {
    # Every meter of a partition is joined with every other table's. The planner knows too little of such joins, takes them for a few rows
    # and loops (77 s for 27,600 meter-days, against 0.2 s with hash joins). Look-ups by LATERAL still loop, as they must.
    "enable_nestloop": "off",
    # A merge join may sort by a part of the key, such as the DISCOM, and compare every meter with every other.
    "enable_mergejoin": "off",
    # It also takes a row that a worker hands over for dearer than the work of making it.
    "parallel_tuple_cost": "0.001",
    "parallel_setup_cost": "100",
    # How many rows a day has can be told without a sample of 30,000 pages.
    "default_statistics_target": "10",
}
"""Settings of sessions that build or read whole days of a DISCOM."""


def database_url() -> str:
    """The operator's server, or the embedded one. Raises EmbeddedError where neither is there."""
    return settings.explicit_database_url() or EmbeddedServer().url()


def connect(
    role: Role = "meterhouse_loader", *, autocommit: bool = False, session: Mapping[str, str] = MappingProxyType({})
) -> psycopg.Connection:
    """A psycopg connection that acts as `role`, with the settings of `session`. Session time zone is UTC."""
    return psycopg.connect(database_url(), autocommit=autocommit, **session_arguments(role, session))


def session_arguments(role: Role, session: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """What psycopg.connect needs beside the URL, so that the connection acts as `role`."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": "meterhouse",
        "options": f"-c role={role} -c timezone=UTC {options(session)}",
    }


def options(session: Mapping[str, str]) -> str:
    """Settings as libpq's option `options` has them."""
    return " ".join(f"-c {name}={value}" for name, value in session.items())


def engine(role: Role) -> sa.Engine:
    """A SQLAlchemy engine whose connections act as `role`."""
    return sa.create_engine(
        sa.make_url(database_url()).set(drivername="postgresql+psycopg"),
        connect_args=session_arguments(role),
    )


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(revision: str = "head") -> None:
    """Bring the schema to `revision`. Runs as the URL's own user, who must be allowed to create roles."""
    command.upgrade(alembic_config(), revision)
