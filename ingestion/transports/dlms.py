"""Reads meters directly by DLMS/COSEM and lands what they say: we are the head-end system. The protocol is `ingestion.dlms`.

What was read is rendered as the DLMS-faithful JSON that `hpl` sends (docs/hes-formats.md, 2) and nothing else: no time of asking, so that
the same rows read again are the same content. A payload is one meter and one profile, of block loads one business day.

The vendor file's `transport` may say `timeout_s` (10, an exchange), `attempts` (3), `backoff_s` (1), `invocation_counter` (an OBIS code).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import class_row

from ingestion.dlms.errors import DlmsError, DlmsRefused, DlmsTransient, DlmsUnknownOutcome
from ingestion.dlms.meter import INVOCATION_COUNTER, NOT_THERE, DlmsMeter, Endpoint, RelayState, ScalerCache
from ingestion.dlms.profiles import Profile, ProfileObject, expand, payload, profile_objects
from ingestion.dlms.security import Keys, KeyStore
from ingestion.landing import DiscomContext, LandingError, land, require_idle
from ingestion.readers import read
from ingestion.transports.file import FolderSummary, Progress
from ingestion.vendor import Vendor

__all__ = [
    "DlmsError",
    "DlmsMeter",
    "DlmsRefused",
    "DlmsTransient",
    "DlmsUnknownOutcome",
    "Endpoint",
    "KeyStore",
    "Keys",
    "RelayState",
    "endpoints",
    "read_meters",
]


def endpoints(conn: psycopg.Connection, discom_id: int, hes_id: int, serials: Iterable[str] | None = None) -> list[Endpoint]:
    """Where the meters of a head-end system are, in the order of their serials; of those asked for that have no endpoint, none."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Endpoint)) as cur:
        return cur.execute(
            """select m.serial, e.host, e.port, e.framing, e.client_address, e.server_address, e.authentication, e.system_title
               from registry.meter_endpoint e join registry.meter m using (discom_id, meter_id)
               where e.discom_id = %s and m.hes_id = %s and (%s::text[] is null or m.serial = any(%s)) order by m.serial""",
            [discom_id, hes_id, *[list(serials) if serials is not None else None] * 2],
        ).fetchall()


def read_meters(
    conn: psycopg.Connection,
    discom: DiscomContext,
    hes_code: str,
    vendor: Vendor,
    serials: Iterable[str] | None,
    profiles: Iterable[str] | None,
    since: datetime,
    until: datetime,
    progress: Progress | None = None,
    *,
    keys: KeyStore | None = None,
    seconds: float | None = None,
) -> FolderSummary:
    """Read rows stamped since < t <= until (aware) of meters (None = all of the head-end system) and land them.

    `profiles`: names of ingestion/dlms/profiles.csv, `event` = all logs; None = those that the vendor file knows. As many meters are read
    at once as registry.hes.max_concurrent says. A meter that fails stops no other: `failures` says what was wrong with it, `failed` counts
    them; what was read of it before is landed. After `seconds` no further meter is begun. Where reading breaks off it may simply be started
    again: what was landed is recognised.
    Raises LandingError for an unknown head-end system or meter, KeysError for keys that cannot be read.
    """
    hes_id = discom.hes_id(hes_code)
    require_idle(conn)
    for name, stamp in (("since", since), ("until", until)):
        if stamp.tzinfo is None:
            raise ValueError(f"{name} has no time zone: give an aware datetime")
    wanted = None if serials is None else sorted(set(serials))
    found = endpoints(conn, discom.discom_id, hes_id, wanted)
    missing = sorted(set(wanted or ()) - {e.serial for e in found})
    if missing or not found:
        which = ", ".join(missing[:5]) if missing else f"any meter of {hes_code}"
        raise LandingError(f"there is no endpoint of {which}: add it to meter_endpoint.csv and import the master data again")
    reader = _Reader.of(vendor, keys or KeyStore.load(), profiles, since, until, discom)
    summary = FolderSummary()
    ends = None if seconds is None else time.monotonic() + seconds
    for done, outcome in enumerate(_read_all(reader, found, _max_concurrent(conn, discom.discom_id, hes_id), ends), 1):
        for name, content, received_at in outcome.payloads:
            summary.add(land(conn, discom, hes_id, read(vendor, name, content, received_at)))
        if outcome.failures:
            summary.failed += 1
            summary.failures[outcome.serial] = "; ".join(outcome.failures)
        if progress:
            progress(done, len(found), outcome.serial)
    return summary


def _max_concurrent(conn: psycopg.Connection, discom_id: int, hes_id: int) -> int:
    with conn.transaction():
        row = conn.execute("select max_concurrent from registry.hes where discom_id = %s and hes_id = %s", [discom_id, hes_id]).fetchone()
    return int(row[0]) if row else 1


@dataclass
class _Outcome:
    """What was read of one meter: (name, content, when) of each payload."""

    serial: str
    payloads: list[tuple[str, bytes, datetime]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Reader:
    """How meters are read; one for all threads."""

    keys: KeyStore
    profiles: list[ProfileObject]
    since: datetime
    until: datetime
    discom: DiscomContext
    zone: str
    timeout_s: float
    attempts: int
    backoff_s: float
    counter_obis: str
    scalers: ScalerCache

    @classmethod
    def of(
        cls, vendor: Vendor, keys: KeyStore, names: Iterable[str] | None, since: datetime, until: datetime, discom: DiscomContext
    ) -> _Reader:
        known = {code for p in vendor.profiles for code in p.codes}
        try:
            profiles = [p for p in profile_objects().values() if p.obis in known] if names is None else expand(names)
        except ValueError as e:
            raise LandingError(str(e)) from None
        t = vendor.transport
        return cls(
            keys,
            profiles,
            since,
            until,
            discom,
            vendor.zone,
            float(t.get("timeout_s", 10)),
            int(t.get("attempts", 3)),
            float(t.get("backoff_s", 1)),
            t.get("invocation_counter", INVOCATION_COUNTER),
            ScalerCache(),
        )

    def _open(self, endpoint: Endpoint) -> DlmsMeter:
        keys = self.keys.of(endpoint.serial)
        return DlmsMeter.open(endpoint, keys, self.timeout_s, zone=self.zone, counter_obis=self.counter_obis, scalers=self.scalers)

    def meter(self, endpoint: Endpoint) -> _Outcome:
        """Read one meter. Never raises for what a meter does."""
        outcome = _Outcome(endpoint.serial)
        pending = list(self._parts())
        failed_in_a_row = 0
        while pending:
            before = len(pending)
            try:
                with self._open(endpoint) as meter:
                    while pending:
                        self._part(meter, *pending[0], outcome)
                        pending.pop(0)
            except DlmsTransient as e:
                failed_in_a_row = 1 if len(pending) < before else failed_in_a_row + 1
                if failed_in_a_row >= self.attempts:
                    outcome.failures.append(f"{e} (the last of {self.attempts} attempts)")
                    break
                time.sleep(self.backoff_s * 2 ** (failed_in_a_row - 1) * random.uniform(0.5, 1.0))  # noqa: S311
            except DlmsError as e:
                outcome.failures.append(str(e))
                break
        return outcome

    def _parts(self) -> Iterator[tuple[ProfileObject, datetime, datetime]]:
        """Profiles and ranges to read, block loads day by day: a day that is read again within another range is the same content."""
        for profile in self.profiles:
            if profile.name != "block":
                yield profile, self.since, self.until
                continue
            begin = self.since
            while begin < self.until:
                day = begin.astimezone(self.discom.timezone).date() + timedelta(days=1)
                end = min(datetime.combine(day, datetime.min.time(), self.discom.timezone), self.until)
                yield profile, begin, end
                begin = end

    def _part(self, meter: DlmsMeter, profile: ProfileObject, since: datetime, until: datetime, outcome: _Outcome) -> None:
        """Raises DlmsTransient. A refusal is noted: the other profiles may still be read."""
        try:
            got = self._read(meter, profile, since, until)
        except DlmsRefused as e:
            if not (profile.name.startswith("event_") and e.result in NOT_THERE):
                outcome.failures.append(f"{profile.name}: {e}")
            return
        if got.rows:
            serial = meter.endpoint.serial
            name = f"dlms:{serial}/{profile.name}/{until.astimezone(self.discom.timezone):%Y-%m-%dT%H:%M}"
            outcome.payloads.append((name, payload([got.item(serial)]), datetime.now(UTC)))

    @staticmethod
    def _read(meter: DlmsMeter, profile: ProfileObject, since: datetime, until: datetime) -> Profile:
        if profile.name == "instant":
            return meter.read_instant()
        if profile.name == "nameplate":
            return meter.read_nameplate()
        return meter.read_profile(profile.obis, since, until)


def _read_all(reader: _Reader, meters: list[Endpoint], workers: int, ends: float | None) -> Iterator[_Outcome]:
    """Outcomes as they come; no more than twice `workers` meters are held in memory. From `ends` (monotonic) on none is begun."""
    with ThreadPoolExecutor(workers, "dlms") as pool:
        waiting = iter(meters)
        under_way: set[Future[_Outcome]] = set()
        try:
            while True:
                for endpoint in waiting:
                    if ends is not None and time.monotonic() >= ends:
                        yield _Outcome(endpoint.serial, failures=["not begun: the time for reading was up"])
                        continue
                    under_way.add(pool.submit(reader.meter, endpoint))
                    if len(under_way) >= 2 * workers:
                        break
                if not under_way:
                    return
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
