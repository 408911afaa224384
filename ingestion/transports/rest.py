"""Pulls pages of JSON over HTTP from a head-end system and lands each page (docs/pulls.md). Parsing is the readers'.

`pull` takes what the head-end system received in a window, going on from where it was; `read_meters` asks it for single meters on demand.
After each page the cursor of its feed moves in the landing's own transaction, so a pull that is killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from types import TracebackType
from typing import Any

import httpx
import psycopg
from psycopg.types.json import Jsonb

from ingestion.canonical import Delivery
from ingestion.landing import DiscomContext, LandingError, land, require_idle
from ingestion.readers import read
from ingestion.transports.file import FolderSummary, Progress
from ingestion.vendor import Vendor

LONGEST_WAIT_S = 120.0
"""A Retry-After beyond it ends the pull: it goes on from its cursor next time."""

TURNS = 4
"""How often the pages of a window are read anew because they shifted meanwhile."""

STALE_PAGES = 5
"""So many pages in a row with nothing that did not come before are no shift: the head-end system does not heed the number of the page."""

ON_DEMAND_ATTEMPTS = 2
"""Somebody waits for the answer, and may ask again."""

CONNECT_TIMEOUT_S = 10.0
"""Who does not take up the line at once is down."""

LOCK_WAIT_S = 10
"""How long a pull waits for another one of the same head-end system."""

_ERROR_BYTES = 64 << 10
_TRY_AGAIN = {429, 500, 502, 503, 504}


class PullError(RuntimeError):
    """The head-end system did not answer as it should; the message says what was asked, what came and how to mend it.

    `summary` counts what was landed before.
    """

    summary: FolderSummary | None = None


def max_page_bytes() -> int:
    """Largest answer that is read, unpacked: METERHOUSE_MAX_PAGE_BYTES, 256 MiB by default."""
    return int(os.environ.get("METERHOUSE_MAX_PAGE_BYTES", 256 << 20))


def pull(
    conn: psycopg.Connection,
    discom: DiscomContext,
    hes_code: str,
    vendor: Vendor,
    base_url: str,
    since: datetime | None,
    until: datetime,
    progress: Progress | None = None,
    *,
    first_since: datetime | None = None,
) -> FolderSummary:
    """Land all pages of all feeds that the head-end system received in since <= t < until (aware stamps).

    `since` None goes on from where the last pull of each feed ended, or from `first_since` where there was none. A given `since` is
    history: a pull of its own with a cursor of its own, which leaves that of the running pulls alone unless it joins on to it. Either goes
    on with its next page where it was broken off; pages that were landed before are recognised by their content. `until` is moved back to
    `settle_s` before the head-end system's own clock: later there may still come something. `files` of the summary counts pages.
    Raises PullError for an answer that stays wrong after all attempts, LandingError for an unknown head-end system.
    """
    hes_id = discom.hes_id(hes_code)
    require_idle(conn)
    _require_zone(since=since, until=until, first_since=first_since)
    settings = Settings.of(vendor, base_url)
    summary = FolderSummary()
    with _told(summary), _alone(conn, discom, hes_code), Http(settings) as http:
        for feed in settings.profiles:
            cursor = _Cursor(discom.discom_id, hes_id, feed, (since.astimezone(UTC), until.astimezone(UTC)) if since else None)
            _pull_feed(conn, http, cursor, discom, vendor, since or first_since, until, summary, progress)
    return summary


def read_meters(
    conn: psycopg.Connection,
    discom: DiscomContext,
    hes_code: str,
    vendor: Vendor,
    base_url: str,
    meters: Sequence[str],
    since: datetime,
    until: datetime,
    kinds: Sequence[str] = ("block", "daily"),
    progress: Progress | None = None,
    *,
    seconds: float | None = None,
) -> FolderSummary:
    """Have the head-end system read single meters again, by serial, for readings in since < stamp <= until, and land what comes.

    `kinds` are kinds of profiles that the vendor file's `transport.on_demand.profiles` knows. No cursor is kept. `seconds` bounds it all.
    Raises PullError as `pull` does, also where the time is up; LandingError where the vendor file has no on_demand.
    """
    hes_id = discom.hes_id(hes_code)
    require_idle(conn)
    _require_zone(since=since, until=until)
    settings = Settings.of(vendor, base_url)
    settings = replace(settings, attempts=min(settings.attempts, ON_DEMAND_ATTEMPTS))
    if not settings.on_demand or "meters" not in settings.params:
        raise LandingError(
            f"vendor {vendor.name} cannot be asked for single meters: add on_demand and params.meters to transport in {vendor.path}"
        )
    summary = FolderSummary()
    asked = settings.on_demand
    groups = [meters[i : i + asked.meters_per_request] for i in range(0, len(meters), asked.meters_per_request)]
    wanted = [asked.profiles[k] for k in kinds if k in asked.profiles]
    with _told(summary), Http(settings, path=asked.path, seconds=seconds) as http:
        for n, group in enumerate(groups):
            for profile in wanted:
                params = settings.query(profile, since, until) | {settings.params["meters"]: ",".join(group)}
                for step in walk(http, vendor, params, settings.first_page, 0):
                    if step.delivery:
                        summary.add(land(conn, discom, hes_id, step.delivery))
            if progress:
                progress(n + 1, len(groups), group[-1])
    return summary


def _require_zone(**stamps: datetime | None) -> None:
    for name, stamp in stamps.items():
        if stamp is not None and stamp.tzinfo is None:
            raise ValueError(f"{name} has no time zone: give an aware datetime")


@contextmanager
def _told(summary: FolderSummary) -> Iterator[None]:
    """A PullError says what was landed before it."""
    try:
        yield
    except PullError as e:
        e.summary = summary
        raise


@contextmanager
def _alone(conn: psycopg.Connection, discom: DiscomContext, hes_code: str) -> Iterator[None]:
    """One pull of a head-end system at a time: two would move the same cursors. The lock ends with the connection of who holds it."""
    key = [f"meterhouse pull {discom.discom_id} {discom.hes_id(hes_code)}"]
    try:
        with conn.transaction():
            conn.execute(f"set local lock_timeout = '{LOCK_WAIT_S}s'")
            conn.execute("select pg_advisory_lock(hashtextextended(%s, 0))", key)
    except psycopg.errors.LockNotAvailable:
        raise PullError(f"another pull of {discom.code} {hes_code} is under way: wait for its end") from None
    try:
        yield
    finally:
        if not conn.closed and not conn.broken:
            with conn.transaction():
                conn.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", key)


# --- what the vendor file says -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnDemand:
    """How single meters are asked for: `profiles` says what each kind of profile is called there."""

    path: str
    profiles: dict[str, str]
    meters_per_request: int


@dataclass(frozen=True)
class Settings:
    """The section `transport` of a vendor file of kind rest, with the address and the token."""

    base_url: str
    path: str
    headers: dict[str, str]
    profiles: list[str]
    params: dict[str, str]
    first_page: int
    page_size: int
    pages_field: str
    token_env: str | None
    timeout_s: float
    page_deadline_s: float
    attempts: int
    backoff_s: float
    window: timedelta
    settle: timedelta
    max_pages: int
    on_demand: OnDemand | None

    @classmethod
    def of(cls, vendor: Vendor, base_url: str) -> Settings:
        """Raises LandingError where something is missing."""
        t = vendor.transport
        missing = [k for k in ("path", "profiles", "params", "pages_field") if k not in t]
        if missing:
            raise LandingError(f"vendor {vendor.name} cannot be pulled: add {', '.join(missing)} to transport in {vendor.path}")
        try:
            with_password = httpx.URL(base_url).userinfo
        except httpx.InvalidURL as e:
            raise LandingError(f"{base_url!r} is no address of a head-end system: {e}") from None
        if with_password:
            raise LandingError("the address of the head-end system has a user or password in it: put the secret into transport.token_env")
        if not base_url.startswith(("http://", "https://")):
            raise LandingError(f"{base_url!r} is no address of a head-end system: write it as https://host[:port][/path]")
        headers = {"Accept": "application/json"}
        if token_env := t.get("token_env"):
            if not (token := os.environ.get(token_env)):
                raise LandingError(f"the environment variable {token_env} is not set: put the head-end system's bearer token there")
            headers["Authorization"] = f"Bearer {token}"
        asked = t.get("on_demand")
        if asked and not asked.keys() >= {"path", "profiles"}:
            raise LandingError(f"vendor {vendor.name}: add path and profiles to transport.on_demand in {vendor.path}")
        return cls(
            base_url=base_url.rstrip("/"),
            path=t["path"],
            headers=headers,
            profiles=t["profiles"],
            params={k: k for k in ("profile", "from", "to", "page", "size")} | t["params"],
            first_page=t.get("first_page", 1),
            page_size=t.get("page_size", 500),
            pages_field=t["pages_field"],
            token_env=token_env,
            timeout_s=float(t.get("timeout_s", 30)),
            page_deadline_s=float(t.get("page_deadline_s", 120)),
            attempts=int(t.get("attempts", 6)),
            backoff_s=float(t.get("backoff_s", 1)),
            window=timedelta(hours=float(t.get("window_h", 24))),
            settle=timedelta(seconds=float(t.get("settle_s", 60))),
            max_pages=int(t.get("max_pages", 100_000)),
            on_demand=OnDemand(asked["path"], asked["profiles"], asked.get("meters_per_request", 50)) if asked else None,
        )

    def query(self, profile: str, since: datetime, until: datetime) -> dict[str, str]:
        """Parameters of a question, all but the page."""
        return {
            self.params["profile"]: profile,
            self.params["from"]: since.isoformat(),
            self.params["to"]: until.isoformat(),
            self.params["size"]: str(self.page_size),
        }


# --- one page ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """One good answer. `lists` are the lists at its top, which hold the readings; what stands beside them (such as the time of the answer)
    differs from one answer to the next. `digests` has a hash of each item of each list."""

    url: str
    content: bytes
    body: dict[str, Any]
    pages: int
    lists: dict[str, list[Any]]
    digests: dict[str, list[bytes]]


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    content: bytes
    url: str

    @property
    def begins(self) -> str:
        return repr(self.content[:200].decode("utf-8", "replace"))


class Http:
    """Fetches pages one after the other, over one connection. Each page has a deadline as a whole: a read timeout alone lets an answer that
    drips in take for ever.

    `seconds` bounds everything that is fetched. `clock` is the head-end system's time by its latest answer.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        path: str | None = None,
        seconds: float | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.url = settings.base_url + (path or settings.path)
        self.clock = datetime.now(UTC)
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._runner = asyncio.Runner()
        timeout = httpx.Timeout(settings.timeout_s, connect=min(settings.timeout_s, CONNECT_TIMEOUT_S))
        self._client = httpx.AsyncClient(timeout=timeout, headers=settings.headers, transport=transport)

    def __enter__(self) -> Http:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._runner.run(self._client.aclose())
        finally:
            self._runner.close()

    def page(self, params: dict[str, str]) -> Page:
        """One page. Tries again after errors that may pass, each wait longer and jittered. Raises PullError."""
        s = self.settings
        trouble = ""
        attempt = 0
        while attempt < s.attempts and self._left() > 0:
            attempt += 1
            wait = min(s.backoff_s * 2 ** (attempt - 1), LONGEST_WAIT_S) * random.uniform(0.5, 1.0)  # noqa: S311
            try:
                answer = self._runner.run(self._get(params, min(s.page_deadline_s, self._left())))
            except TimeoutError:
                trouble = f"the answer was not whole within {s.page_deadline_s:g} s"
            except httpx.RequestError as e:
                trouble = f"{type(e).__name__}: {e}"
            else:
                self.clock = _date(answer.headers.get("Date")) or datetime.now(UTC)
                if answer.status == 200:
                    page = self._read(answer)
                    if isinstance(page, Page):
                        return page
                    trouble = page
                else:
                    trouble = f"status {answer.status}"
                    wait = max(wait, self._refused(answer))
            if attempt < s.attempts:
                time.sleep(max(0.0, min(wait, self._left())))
        late = "" if self._left() > 0 else "the time for it is up after "
        raise PullError(
            f"GET {self.url} {params}: {late}no good answer in {attempt} attempts, the last: {trouble}. "
            "Is the head-end system up? Pull again later: it goes on from this page"
        )

    def _left(self) -> float:
        return float("inf") if self._ends is None else self._ends - time.monotonic()

    async def _get(self, params: dict[str, str], seconds: float) -> _Answer:
        async with asyncio.timeout(seconds), self._client.stream("GET", self.url, params=params) as response:
            limit = max_page_bytes() if response.status_code == 200 else _ERROR_BYTES
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > limit:
                    if response.status_code != 200:
                        break
                    raise PullError(
                        f"GET {response.url}: the answer has more than {limit} bytes: lower transport.page_size in the vendor file, "
                        "or raise METERHOUSE_MAX_PAGE_BYTES where there is the memory for it"
                    )
            return _Answer(response.status_code, response.headers, bytes(content), str(response.url))

    def _read(self, answer: _Answer) -> Page | str:
        """The page, or what is wrong with it."""
        field_ = self.settings.pages_field
        try:
            body = json.loads(answer.content)
            pages = max(int(body[field_]), 1)
            lists = {k: v for k, v in body.items() if isinstance(v, list)}
            digests = {k: [_digest(item) for item in v] for k, v in lists.items()}
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            said = answer.headers.get("Content-Type", "no content type")
            return f"the answer ({said}) is no JSON object with {field_!r}: {answer.begins}"
        return Page(answer.url, answer.content, body, pages, lists, digests)

    def _refused(self, answer: _Answer) -> float:
        """Seconds to wait before the next attempt. Raises PullError where none can help."""
        asked = f"GET {answer.url}"
        if answer.status in (401, 403):
            raise PullError(
                f"{asked}: {answer.status}, the head-end system refuses the token: "
                f"check the environment variable {self.settings.token_env or '(transport.token_env is not set in the vendor file)'}"
            )
        if answer.status not in _TRY_AGAIN:
            raise PullError(f"{asked}: status {answer.status}: {answer.begins}: check the base URL and transport in the vendor file")
        wait = _retry_after(answer.headers.get("Retry-After", ""))
        if wait > LONGEST_WAIT_S:
            raise PullError(
                f"{asked}: status {answer.status}, the head-end system asks to wait {wait:.0f} s: "
                "pull again then, it goes on from this page"
            )
        return wait


def _digest(item: Any) -> bytes:
    return hashlib.sha256(json.dumps(item, sort_keys=True, separators=(",", ":")).encode()).digest()


def _date(header: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(header or "")
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else None


def _retry_after(header: str) -> float:
    """Seconds that a Retry-After header asks for, written as a number or as a date; 0 without a readable one."""
    header = header.strip()
    if header.isdecimal() and len(header) < 10:
        return float(header)
    at = _date(header)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0) if at else 0.0


# --- the pages of one question ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A page that was read: what is new in it (None = nothing), and where to go on (None = the question is answered)."""

    number: int
    pages: int
    delivery: Delivery | None
    next_page: int | None
    repeated: int
    """Items that came on another page before."""


def walk(http: Http, vendor: Vendor, params: dict[str, str], page: int, pages: int) -> Iterator[Step]:
    """All pages of a question from `page` on, of `pages` known ones (0 = not known), each item once.

    A head-end system that goes on receiving, or answers from several machines, shifts items from page to page. Where the number of pages
    changes or an item comes twice, the pages are read again until they bring nothing new. Raises PullError where that does not end.
    """
    s = http.settings
    known: set[bytes] = set()
    for turn in range(TURNS):
        this_turn: set[bytes] = set()
        new = repeated = False
        steady = True
        stale = 0
        while True:
            got = http.page({**params, s.params["page"]: str(page)})
            if pages and got.pages != pages:
                steady = False
            pages = got.pages
            last = page - s.first_page + 1 >= pages
            if not last and not any(got.lists.values()):
                raise PullError(
                    f"GET {got.url}: the page is empty, though {pages} are stated: the head-end system lost its place. Pull again later"
                )
            if pages > s.max_pages:
                raise PullError(
                    f"GET {got.url}: {pages} pages are stated, more than {s.max_pages}: "
                    "shorten transport.window_h, or raise transport.max_pages"
                )
            # A page that is read again after a shift repeats what came; only within one turn is it a sign of a shift.
            seen = [d in this_turn for many in got.digests.values() for d in many]
            repeated |= any(seen)
            stale = stale + 1 if seen and all(seen) else 0
            if stale > STALE_PAGES:
                raise PullError(
                    f"GET {got.url}: {stale} pages in a row say what pages before them said: "
                    "check params.page and first_page of transport in the vendor file"
                )
            delivery, dropped = _new(vendor, params[s.params["profile"]], got, known)
            new |= delivery is not None
            for many in got.digests.values():
                this_turn.update(many)
                known.update(many)
            again = last and not ((steady and not repeated) or (turn and steady and not new))
            next_page = s.first_page if again or not steady or repeated else page + 1
            yield Step(page - s.first_page + 1, pages, delivery, None if last and not again else next_page, dropped)
            if last:
                break
            page += 1
        if not again:
            return
        page = s.first_page
    raise PullError(
        f"GET {http.url} {params}: the pages shifted each of {TURNS} times that they were read: "
        "shorten transport.window_h in the vendor file, or pull again when the head-end system is at rest"
    )


def _new(vendor: Vendor, profile: str, page: Page, known: set[bytes]) -> tuple[Delivery | None, int]:
    """What of a page is not known yet, and how many items are. Of two equal items of one page both stand, as in a file."""
    fresh = {k: [i for i, d in enumerate(many) if d not in known] for k, many in page.digests.items()}
    dropped = sum(map(len, page.digests.values())) - sum(map(len, fresh.values()))
    if not any(fresh.values()):
        return None, dropped
    source, content = page.url, page.content
    if dropped:
        source += f" (without {dropped} items of other pages)"
        content = json.dumps(page.body | {k: [page.lists[k][i] for i in at] for k, at in fresh.items()}).encode()
    delivery = read(vendor, source, content, datetime.now(UTC))
    digest = hashlib.sha256(profile.encode())
    for k, at in sorted(fresh.items()):
        digest.update(f"\0{k}\0".encode("utf-8", "backslashreplace"))
        for i in at:
            digest.update(page.digests[k][i])
    delivery.content_sha256 = digest.digest()
    return delivery, dropped


# --- the windows of one feed -------------------------------------------------------------------------------------------------


@dataclass
class _Cursor:
    """ops.pull_cursor of one feed, or of one window of its history: the window under way with its next page, and up to when all is there.

    A history's row goes when it is done; the feed's own row moves on where the history joins on to it.
    """

    discom_id: int
    hes_id: int
    feed: str
    history: tuple[datetime, datetime] | None
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> str:
        return self.feed if self.history is None else f"{self.feed} {self.history[0].isoformat()}/{self.history[1].isoformat()}"

    def load(self, conn: psycopg.Connection) -> None:
        with conn.transaction():
            self.state = self._read(conn, self.row)

    @property
    def complete_until(self) -> datetime | None:
        return _stamp(self.state.get("complete_until"))

    def under_way(self) -> tuple[datetime, datetime, int, int] | None:
        """Since, until, next page and pages of a window that was broken off."""
        s = self.state
        if s.get("next_page") is None:
            return None
        return datetime.fromisoformat(s["since"]), datetime.fromisoformat(s["until"]), s["next_page"], s.get("pages", 0)

    def move(self, conn: psycopg.Connection, since: datetime, until: datetime, step: Step, *, ends: bool) -> None:
        """Note a page that was landed, in the landing's transaction. `ends`: no window follows."""
        done = step.next_page is None
        self.state = {
            "since": since.astimezone(UTC).isoformat(),
            "until": until.astimezone(UTC).isoformat(),
            "next_page": step.next_page,
            "pages": step.pages,
            "complete_until": until.astimezone(UTC).isoformat() if done else self.state.get("complete_until"),
        }
        if not (done and ends and self.history):
            return self._write(conn, self.row, self.state)
        conn.execute("delete from ops.pull_cursor where discom_id = %s and hes_id = %s and feed = %s", [*self._key, self.row])
        running = self._read(conn, self.feed)
        reached = _stamp(running.get("complete_until"))
        if running.get("next_page") is None and (reached is None or self.history[0] <= reached < until):
            self._write(conn, self.feed, self.state)

    @property
    def _key(self) -> tuple[int, int]:
        return self.discom_id, self.hes_id

    def _read(self, conn: psycopg.Connection, row: str) -> dict[str, Any]:
        sql = "select cursor from ops.pull_cursor where discom_id = %s and hes_id = %s and feed = %s"
        found = conn.execute(sql, [*self._key, row]).fetchone()
        return found[0] if found else {}

    def _write(self, conn: psycopg.Connection, row: str, state: dict[str, Any]) -> None:
        conn.execute(
            """insert into ops.pull_cursor (discom_id, hes_id, feed, cursor) values (%s, %s, %s, %s)
               on conflict (discom_id, hes_id, feed) do update set cursor = excluded.cursor, updated_at = now()""",
            [*self._key, row, Jsonb(state)],
        )


def _stamp(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _pull_feed(
    conn: psycopg.Connection,
    http: Http,
    cursor: _Cursor,
    discom: DiscomContext,
    vendor: Vendor,
    since: datetime | None,
    until: datetime,
    summary: FolderSummary,
    progress: Progress | None,
) -> None:
    """Window by window, so that no question grows with the length of a history."""
    settings = http.settings
    cursor.load(conn)
    broken = cursor.under_way()
    at = broken[0] if broken else cursor.complete_until or since
    if at is None:
        raise LandingError(f"feed {cursor.feed} was never pulled to its end: say since when")
    while at < until:
        begin, end, page, pages = broken or (at, min(at + settings.window, until), settings.first_page, 0)
        broken = None
        window = _settled(http, vendor, settings.query(cursor.feed, begin, end), begin, end, page, pages)
        if window is None:
            return
        if window[0] < end:
            until = window[0]
        end, steps = window
        for step in steps:
            move = partial(cursor.move, since=begin, until=end, step=step, ends=end >= until)
            if step.delivery:
                summary.add(land(conn, discom, cursor.hes_id, step.delivery, within=move))
            else:
                with conn.transaction():
                    move(conn)
            summary.repeated += step.repeated
            if progress:
                progress(step.number, step.pages, cursor.feed)
        at = end


def _settled(
    http: Http, vendor: Vendor, params: dict[str, str], begin: datetime, end: datetime, page: int, pages: int
) -> tuple[datetime, Iterator[Step]] | None:
    """The steps of a window, its end moved back to where the head-end system has all that it will have; None where nothing is left of it.

    What it receives later, by its own clock, would never be asked for.
    """
    steps = walk(http, vendor, params, page, pages)
    first = next(steps)
    settled = http.clock - http.settings.settle
    if end > settled:
        if settled <= begin:
            return None
        end = settled
        steps = walk(http, vendor, params | {http.settings.params["to"]: end.isoformat()}, http.settings.first_page, 0)
        return end, steps
    return end, _chain(first, steps)


def _chain(first: Step, rest: Iterator[Step]) -> Iterator[Step]:
    yield first
    yield from rest
