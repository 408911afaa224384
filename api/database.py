"""The API's connections: a pool a role, opened when first needed so that the application starts without a database. No domain's SQL."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import Composed
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from warehouse import db

Query = LiteralString | Composed

WAIT_S = 5.0
"""How long a request waits for a free connection before it is answered with 503."""


def pool_size() -> int:
    """Connections a role and process: METERHOUSE_API_CONNECTIONS, 8 by default."""
    return int(os.environ.get("METERHOUSE_API_CONNECTIONS", "8"))


# Processes side by side cost 30 ms to start on two cores: more than there is to read of one meter or a page.
LIMIT = """select set_config('app.discom_id', %(discom)s, true), set_config('app.offices', %(offices)s, true),
                  set_config('app.service_points', %(service_points)s, true), set_config('app.reads_many', %(many)s, true),
                  set_config('max_parallel_workers_per_gather',
                             case %(many)s when 'on' then current_setting('max_parallel_workers_per_gather') else '0' end, true)"""

READ = LIMIT + ", set_config('plan_cache_mode', %(plans)s, true)"


class Part(Protocol):
    """What of a DISCOM is seen: office_id and service_point_id, None = all."""

    @property
    def offices(self) -> tuple[int, ...] | None: ...
    @property
    def service_points(self) -> tuple[int, ...] | None: ...


class Sees(Protocol):
    """Who sees rows: an `api.auth.Caller`."""

    @property
    def discom_id(self) -> int: ...
    @property
    def scope(self) -> Part: ...


def limits(caller: Sees, many: bool = False) -> dict[str, str]:
    """Parameters of LIMIT. An empty text is no limit, '{}' lets nothing through."""
    lists = {"offices": caller.scope.offices, "service_points": caller.scope.service_points}
    within = {name: "" if ids is None else "{" + ",".join(map(str, ids)) + "}" for name, ids in lists.items()}
    return {"discom": str(caller.discom_id), **within, "many": "on" if many else "off"}


NOBODY = {"discom": "", "offices": "", "service_points": "", "many": "off"}
"""Parameters of LIMIT that take it back."""


class Database:
    """The pools of one application."""

    def __init__(self) -> None:
        self._pools: dict[db.Role, ConnectionPool] = {}
        self._async_pools: dict[db.Role, AsyncConnectionPool] = {}
        self._opening = threading.Lock()

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    async def close_async(self) -> None:
        for pool in self._async_pools.values():
            await pool.close()
        self._async_pools.clear()

    def stats(self) -> dict[str, dict[str, int]]:
        """What each pool says of itself, by name."""
        pools = [*self._pools.values(), *self._async_pools.values()]
        return {pool.name: pool.get_stats() for pool in pools}

    @contextmanager
    def tenant(self, caller: Sees, *, many: bool = False, plan_once: bool = False) -> Iterator[psycopg.Connection]:
        """A transaction as meterhouse_api that sees the rows of the caller's DISCOM alone, and of those what its scope says.

        With `many` for what reads thousands of rows, as a report does: what a limited caller sees is looked up at once, not row by row.
        With `plan_once` prepared statements are planned once a connection, whatever they are asked for.
        """
        with self._pool("meterhouse_api").connection() as conn, conn.transaction():
            plans = "force_generic_plan" if plan_once else "auto"
            conn.execute(READ, {**limits(caller, many), "plans": plans})
            yield conn

    @asynccontextmanager
    async def tenant_async(self, caller: Sees, *, many: bool = False) -> AsyncIterator[psycopg.AsyncConnection]:
        """As `tenant`, for routes that wait for nothing but the warehouse."""
        pool = self._async_pool("meterhouse_api")
        if pool.closed:
            await pool.open()
        async with pool.connection() as conn, conn.transaction():
            await conn.execute(LIMIT, limits(caller, many))
            yield conn

    async def read_async(
        self, caller: Sees, *queries: tuple[Query, Sequence[Any] | Mapping[str, Any]], many: bool = False, plan_anew: bool = False
    ) -> list[list[dict[str, Any]]]:
        """Rows of each query, as `tenant` sees them, all in one round trip. Plans are made once a connection, and not for each request.

        With `plan_anew` for what reads few rows or thousands, as it is asked: then a plan for that costs less than a wrong one.
        """
        pool = self._async_pool("meterhouse_api")
        if pool.closed:
            await pool.open()
        async with pool.connection() as conn:
            async with conn.pipeline(), conn.transaction():
                plans = "force_custom_plan" if plan_anew else "force_generic_plan"
                await conn.execute(READ, {**limits(caller, many), "plans": plans}, prepare=True)
                cursors = []
                for text, parameters in queries:
                    cursor = conn.cursor(binary=True, row_factory=dict_row)
                    await cursor.execute(text, parameters, prepare=True)
                    cursors.append(cursor)
            return [await c.fetchall() for c in cursors]

    @contextmanager
    def snapshot(self, caller: Sees) -> Iterator[psycopg.Connection]:
        """As `tenant` for many rows, read-only, and every statement of it sees the same moment of the warehouse."""
        with self._pool("meterhouse_api").connection() as conn:
            conn.isolation_level, conn.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
            try:
                with conn.transaction():
                    conn.execute(LIMIT, limits(caller, many=True))
                    yield conn
            finally:
                if not conn.closed:
                    conn.isolation_level = conn.read_only = None

    @contextmanager
    def auth(self) -> Iterator[psycopg.Connection]:
        """A transaction as meterhouse_auth: accounts and sessions, and no tenant's data."""
        with self._pool("meterhouse_auth").connection() as conn, conn.transaction():
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
        with self._opening:  # two first requests at once would open two, and one would be lost with its connections
            if role not in self._pools:
                self._pools[role] = ConnectionPool(
                    db.database_url(), **_of_pool(role), check=ConnectionPool.check_connection, open=True, name=role
                )
            return self._pools[role]

    def _async_pool(self, role: db.Role) -> AsyncConnectionPool:
        if role not in self._async_pools:
            self._async_pools[role] = AsyncConnectionPool(db.database_url(), **_of_pool(role), open=False, name=f"{role} async")
        return self._async_pools[role]


def _of_pool(role: db.Role) -> dict[str, Any]:
    return {"min_size": 0, "max_size": pool_size(), "timeout": WAIT_S, "max_idle": 300, "kwargs": db.session_arguments(role)}
