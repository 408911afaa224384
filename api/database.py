"""The API's connections: a pool a role, opened when first needed so that the application starts without a database. No domain's SQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import ConnectionPool

from warehouse import db

WAIT_S = 5.0
"""How long a request waits for a free connection before it is answered with 503."""


def pool_size() -> int:
    """Connections a role and process: METERHOUSE_API_CONNECTIONS, 8 by default."""
    return int(os.environ.get("METERHOUSE_API_CONNECTIONS", "8"))


class Database:
    """The pools of one application."""

    def __init__(self) -> None:
        self._pools: dict[db.Role, ConnectionPool] = {}

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    @contextmanager
    def tenant(self, discom_id: int) -> Iterator[psycopg.Connection]:
        """A transaction as meterhouse_api that sees the rows of one DISCOM alone."""
        with self._pool("meterhouse_api").connection() as conn, conn.transaction():
            conn.execute("select set_config('app.discom_id', %s, true)", [str(discom_id)])
            yield conn

    @contextmanager
    def anonymous(self) -> Iterator[psycopg.Connection]:
        """A transaction as meterhouse_api before it is known who calls: it sees no tenant's rows."""
        with self._pool("meterhouse_api").connection() as conn, conn.transaction():
            yield conn

    @contextmanager
    def loader(self) -> Iterator[psycopg.Connection]:
        """An idle connection as meterhouse_loader, for landing, which opens its own transactions."""
        with self._pool("meterhouse_loader").connection() as conn:
            conn.autocommit = True
            yield conn

    def _pool(self, role: db.Role) -> ConnectionPool:
        if role not in self._pools:
            self._pools[role] = ConnectionPool(
                db.database_url(),
                min_size=0,
                max_size=pool_size(),
                timeout=WAIT_S,
                max_idle=300,
                kwargs=db.session_arguments(role),
                check=ConnectionPool.check_connection,
                open=True,
                name=role,
            )
        return self._pools[role]
