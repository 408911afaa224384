"""The database log-in of each DISCOM under which Superset reads. Its name binds it to the tenant (policy of_log_in, migration 0028)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from dashboards.server_control import SupersetError, secret
from warehouse import db

GROUP = "meterhouse_superset"
SETTINGS: dict[str, tuple[str, ...]] = {
    "default_transaction_read_only": ("on",),
    "statement_timeout": ("60s",),
    "idle_in_transaction_session_timeout": ("60s",),
    # date_trunc of a day gives an instant, and Superset reads instants as UTC: of another zone each day would be the one before.
    "timezone": ("UTC",),
    "search_path": ("reports", "energy", "network", "vee", "registry", "public"),
}
CONNECTIONS = 20


@dataclass(frozen=True)
class Tenant:
    discom_id: int
    code: str
    name: str
    last_day: date | None
    """The last business day that was built."""

    @property
    def login(self) -> str:
        return f"{GROUP}_{self.discom_id}"

    @property
    def role(self) -> str:
        """Name of its role in Superset."""
        return f"DISCOM {self.code}"


def tenants() -> list[Tenant]:
    """Every DISCOM of the warehouse, in the order of codes."""
    with db.connect("meterhouse_owner") as conn:
        rows = conn.execute("""
            select d.discom_id, d.code, d.name, max(b.day)
            from registry.discom d
            left join ops.day_build b on b.discom_id = d.discom_id and b.built_at is not null
            group by d.discom_id, d.code, d.name
            order by d.code""").fetchall()
    return [Tenant(*row) for row in rows]


def tenant(code: str) -> Tenant:
    """Raises SupersetError."""
    found = {t.code: t for t in tenants()}
    if code not in found:
        raise SupersetError(f"there is no DISCOM {code!r}: there are {', '.join(found) or 'none'}")
    return found[code]


def ensure_login(of: Tenant) -> None:
    """Its log-in: reads what the reports read, writes nothing, is subject to row-level security and cannot take on another role."""
    with psycopg.connect(db.database_url(), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        name = sql.Identifier(of.login)
        if not conn.execute("select 1 from pg_roles where rolname = %s", [of.login]).fetchone():
            conn.execute(sql.SQL("create role {} login").format(name))
        conn.execute(
            sql.SQL("alter role {} nosuperuser nobypassrls nocreatedb nocreaterole inherit connection limit {} password {}").format(
                name, sql.Literal(CONNECTIONS), sql.Literal(password(of))
            )
        )
        conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(GROUP), name))
        # What every policy asks for; another value than this hides all rows, since the log-in's own policy stands beside it.
        for setting, values in {**SETTINGS, "app.discom_id": (str(of.discom_id),)}.items():
            value = sql.SQL(", ").join(map(sql.Literal, values))
            conn.execute(sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(*setting.split(".")), value))


def password(of: Tenant) -> str:
    return secret(of.login)


def uri(of: Tenant, shown: str = "XXXXXXXXXX") -> str:
    """SQLAlchemy's address of the warehouse under the log-in; the password goes to Superset apart from it."""
    parts = conninfo_to_dict(db.database_url())
    return f"postgresql+psycopg2://{of.login}:{shown}@{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts['dbname']}"


def note_embedded(of: Tenant, ids: dict[str, str]) -> bool:
    """Remember what Superset calls the dashboards that may be shown in other pages, by our names of them; whether that is new."""
    with db.connect("meterhouse_owner") as conn:
        there = {
            name: str(i)
            for name, i in conn.execute("select dashboard, embedded_id from ops.embedded_dashboard where discom_id = %s", [of.discom_id])
        }
        if there == ids:
            return False
        conn.execute("delete from ops.embedded_dashboard where discom_id = %s", [of.discom_id])
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into ops.embedded_dashboard (discom_id, dashboard, embedded_id) values (%s, %s, %s)",
                [(of.discom_id, name, i) for name, i in sorted(ids.items())],
            )
    return True
