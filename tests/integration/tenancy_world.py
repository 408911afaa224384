"""Two DISCOMs of two offices each, built, with people of every kind. Each office has a feeder, a DT and consumers of its own.

Ids and codes are nobody else's: what is seen where it should not be is told by them. Of DISCOM n (1, 2) the offices are n00 (whole),
n01 (north) and n02 (south); office nnn has feeder and DT nnn, and meters and service points nnn01, nnn02, ….
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

import psycopg

from api.auth import HEADER, Permission, new_key, passwords, tokens
from api.auth.repository import insert_key
from orchestration import steps
from vee.exceptions.job import group
from warehouse import db

FIRST = date(2026, 10, 5)
DAYS = [FIRST + timedelta(days=n) for n in range(3)]
CODES = {1: "acme", 2: "globex"}
NORTH, SOUTH = 101, 102
CONSUMERS = 12
"""Of an office: meters nnn01 to nnn12. nnn13 is its DT's, nnn14 its feeder's."""
SPOILT = (1, 2, 3, 4, 5)
"""Of an office, the meters with hours missing on the second day; each has a case that waits for a person."""

NORTHS_OWN = 7
"""A meter of North with a case of a rule that is nobody else's: V25."""


def meter(office: int, n: int = 6) -> int:
    """meter_id and service_point_id of an office's n-th; by default of one without a fault."""
    return office * 100 + n


def serial(office: int, n: int = 6) -> str:
    return f"M{meter(office, n)}"


def only(*permissions: Permission) -> str:
    """The role of both DISCOMs that has these permissions and no other; of several, `World.together` makes it."""
    return "_".join(("only", *(p.replace(":", "_") for p in permissions)))


def all_but(permission: Permission) -> str:
    """The role of both DISCOMs that has every other permission."""
    return f"all_but_{permission.replace(':', '_')}"


PASSWORD = "correct horse battery"
OF_DISCOMS = [p for p in Permission if p != Permission.TENANTS_MANAGE]
"""Permissions that a role of a DISCOM can have."""


@dataclass(frozen=True)
class Key:
    text: str

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: self.text}


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a password, who has logged in."""

    account_id: int
    login: str
    session_id: UUID

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.issue(self.session_id, self.login)}"}


@dataclass
class World:
    keys: dict[str, Key] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)

    def key(self, role: str, discom: int = 1, office: int | None = None, who: str = "") -> Key:
        """A key of somebody who holds the role in the DISCOM, or in an office of it; the same for the same person."""
        name = f"{who or role} {CODES[discom]} {office or 'whole'}"
        if name not in self.keys:
            text, key_id, secret = new_key()
            self.keys[name] = Key(text)
            with db.connect("meterhouse_owner") as conn:
                hes = discom * 100 if role == "hes_vendor" else None
                insert_key(conn, discom, key_id, secret, hes, name, [], 1_000_000, role=role, office_id=office)
        return self.keys[name]

    def person(self, who: str, role: str | None = None, discom: int = 1, office: int | None = None, *, platform: bool = False) -> Person:
        """An account that holds the role, if any, in the DISCOM or in an office of it; `platform`: an administrator of the platform, in no
        DISCOM. The same for the same name and place."""
        login = f"{who}-platform" if platform else f"{who}-{CODES[discom]}-{office or 'whole'}"
        if login not in self.persons:
            home = None if platform else discom
            with db.connect("meterhouse_owner") as conn:
                account_id, session_id = conn.execute(
                    """with a as (insert into ops.account (login, name, source, password_hash, platform_admin, home_discom_id)
                                  values (%(login)s, %(login)s, 'local', %(hash)s, %(platform)s, %(home)s) returning account_id),
                            g as (insert into ops.role_grant (discom_id, account_id, role, granted_by, office_id)
                                  select %(home)s, account_id, %(role)s, 'test', %(office)s from a where %(role)s::text is not null)
                       insert into ops.session (account_id, discom_id, refresh_sha256, expires_at)
                       select account_id, %(home)s, sha256(%(login)s::text::bytea), now() + interval '1 hour' from a
                       returning account_id, session_id""",
                    {
                        "login": login,
                        "hash": passwords.hashed(PASSWORD),
                        "platform": platform,
                        "home": home,
                        "role": role,
                        "office": office,
                    },
                ).fetchone() or (0, "")
            self.persons[login] = Person(account_id, login, UUID(str(session_id)))
        return self.persons[login]

    def together(self, *permissions: Permission) -> str:
        """As `only`, of one or several."""
        code = only(*permissions)
        with db.connect("meterhouse_owner") as conn:
            _role(conn, code, permissions)
        return code


def _role(conn: psycopg.Connection, code: str, permissions: Collection[Permission]) -> None:
    conn.execute(
        """insert into ops.role (discom_id, code, name, permissions)
           select discom_id, %s, %s, %s from registry.discom where discom_id = any(%s) on conflict do nothing""",
        [code, code, list(permissions), list(CODES)],
    )


def make_world(*, build: bool = True, days: Collection[date] = DAYS) -> World:
    """Both DISCOMs, their days built where asked for."""
    with db.connect("meterhouse_owner") as conn:
        for discom in CODES:
            _registry(conn, discom)
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event"):
            conn.execute("select ops.ensure_month(%s::regclass, %s, %s)", [table, FIRST - timedelta(days=1), DAYS[-1]])
        for discom in CODES:
            _readings(conn, discom, sorted(days))
        for permission in Permission:
            _role(conn, all_but(permission), [p for p in OF_DISCOMS if p != permission])
            if permission in OF_DISCOMS:
                _role(conn, only(permission), [permission])
    if build:
        for discom, code in CODES.items():
            steps.build(code, discom, min(days), max(days))
            _cases(discom, code)
    return World()


def _cases(discom: int, code: str) -> None:
    """A case of each meter that is spoilt: of a rule each, for those that fail together are one case of their DT."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message)
               select discom_id, %s, meter_id, 'V' || 18 + meter_id %% 100, 'initial', 'fail', 'hold', 'test' from registry.meter
               where discom_id = %s and (meter_id %% 100 = any(%s) or meter_id = %s)""",
            [DAYS[1], discom, list(SPOILT), meter(NORTH, NORTHS_OWN)],
        )
    group(discom, code, DAYS[1], DAYS[1])


def _registry(conn: psycopg.Connection, discom: int) -> None:
    given = {"discom": discom, "code": CODES[discom], "root": discom * 100, "consumers": CONSUMERS}
    # Numbered by the database, so that the API can make more.
    made = conn.execute(
        "insert into registry.discom (code, name) values (%(code)s, initcap(%(code)s)) returning discom_id", given
    ).fetchone()
    assert made == (discom,), f"the database is not a fresh one: {CODES[discom]} is DISCOM {made}"
    for statement in _REGISTRY:
        conn.execute(statement, given)


_REGISTRY = (
    """insert into registry.office (discom_id, office_id, code, name, level)
       values (%(discom)s, %(root)s, 'O' || %(root)s, 'Whole', 'discom')""",
    """insert into registry.office (discom_id, office_id, code, name, level, parent_id)
       select %(discom)s, %(root)s + n, 'O' || %(root)s + n, 'Part', 'division', %(root)s from generate_series(1, 2) n""",
    "insert into registry.hes (discom_id, hes_id, code, vendor) values (%(discom)s, %(root)s, 'H' || %(root)s, 'hpl')",
    """insert into registry.substation (discom_id, substation_id, code, office_id)
       select discom_id, office_id, 'S' || office_id, office_id from registry.office
       where discom_id = %(discom)s and parent_id is not null""",
    """insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id)
       select discom_id, office_id, 'F' || office_id, office_id, office_id from registry.substation where discom_id = %(discom)s""",
    """insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva)
       select discom_id, office_id, 'T' || office_id, office_id, office_id, 100 from registry.feeder where discom_id = %(discom)s""",
    """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
       select discom_id, office_id * 100 + n, 'P' || office_id * 100 + n, office_id, 'domestic', 5000
       from registry.dt, generate_series(1, %(consumers)s) n where discom_id = %(discom)s""",
    """insert into registry.consumer (discom_id, consumer_id, code, name, service_point_id, valid_from)
       select discom_id, service_point_id, 'C' || service_point_id, 'Name ' || service_point_id, service_point_id, '2026-01-01'
       from registry.service_point where discom_id = %(discom)s""",
    """insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
       select discom_id, service_point_id, '2026-01-01', office_id from registry.service_point where discom_id = %(discom)s""",
    """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min, voltage_v, i_max_a)
       select discom_id, office_id * 100 + n, 'M' || office_id * 100 + n, %(root)s, 'D1', 30, 240, 60
       from registry.dt, generate_series(1, %(consumers)s + 2) n where discom_id = %(discom)s""",
    """insert into registry.installation (discom_id, meter_id, valid_from, service_point_id, dt_id, feeder_id)
       select discom_id, meter_id, '2026-01-01', case when n <= %(consumers)s then meter_id end,
              case when n = %(consumers)s + 1 then meter_id / 100 end, case when n = %(consumers)s + 2 then meter_id / 100 end
       from registry.meter, lateral (select meter_id %% 100) x(n) where discom_id = %(discom)s""",
)


def _readings(conn: psycopg.Connection, discom: int, days: list[date]) -> None:
    """A steady 1 kWh a consumer and block, which the DT's and the feeder's meters sum up; hours are missing of who is spoilt."""
    row = conn.execute(
        """insert into raw.batch (discom_id, hes_id, source, content_sha256, received_at, values_received, values_accepted, values_rejected)
           values (%s, %s, 'test', sha256('test'), '2026-10-20 00:00+00', 1, 1, 0) returning batch_id""",
        [discom, discom * 100],
    ).fetchone()
    assert row
    given = {
        "discom": discom,
        "days": days,
        "batch": row[0],
        "consumers": CONSUMERS,
        "opening": days[0] - timedelta(days=1),
        "spoilt": list(SPOILT),
    }
    for statement in _READINGS:
        conn.execute(statement, given)


_READINGS = (
    """insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq, import_wh)
       select discom_id, day, meter_id, 0, 30, '2026-10-20 00:00+00', %(batch)s, row_number() over (), w.wh
       from registry.meter, unnest(%(days)s::date[]) day,
            lateral (select meter_id %% 100) x(n),
            lateral (select array_agg(case when n = any(%(spoilt)s) and day = (%(days)s::date[])[2] and s between 10 and 29 then null
                                      else (900 + s * 2 + meter_id %% 7) * case when n > %(consumers)s then %(consumers)s else 1 end
                                      end order by s)
                     from generate_series(1, 48) s) w(wh)
       where discom_id = %(discom)s""",
    """insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh)
       select m.discom_id, day, meter_id, day + time '18:30', '2026-10-20 00:00+00', %(batch)s, row_number() over (),
              100000 + (day - %(opening)s) * (45552 + 48 * (meter_id %% 7))
                       * case when meter_id %% 100 > %(consumers)s then %(consumers)s else 1 end
       from registry.meter m, unnest(%(opening)s::date || %(days)s::date[]) day where discom_id = %(discom)s""",
    """insert into raw.touched_day (discom_id, day, batch_id, meters)
       select %(discom)s, day, %(batch)s, (select array_agg(meter_id order by meter_id) from registry.meter where discom_id = %(discom)s)
       from unnest(%(opening)s::date || %(days)s::date[]) day""",
)
