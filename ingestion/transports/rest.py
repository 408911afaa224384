"""Pulls pages of JSON over HTTP from a head-end system and lands each page (docs/hes-formats.md, section 2). Parsing is the readers'.

The vendor file's `transport` says what the parameters are called; optional there: `timeout_s` (30), `attempts` (6), `backoff_s` (1).
After each page the cursor of its feed moves in the landing's own transaction, so a pull that is killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import httpx
import psycopg
from psycopg.types.json import Jsonb

from ingestion.landing import DiscomContext, LandingError, land, require_idle
from ingestion.readers import read
from ingestion.transports.file import FolderSummary, Progress
from ingestion.vendor import Vendor

LONGEST_WAIT_S = 120.0
"""A Retry-After beyond it ends the pull: it goes on from its cursor next time."""

_TRY_AGAIN = {429, 500, 502, 503, 504}


class PullError(RuntimeError):
    """The head-end system did not answer as it should; the message says what was asked, what came and how to mend it."""


def pull(
    conn: psycopg.Connection,
    discom: DiscomContext,
    hes_code: str,
    vendor: Vendor,
    base_url: str,
    since: datetime | None,
    until: datetime,
    progress: Progress | None = None,
) -> FolderSummary:
    """Land all pages of all feeds that the head-end system received in since <= t < until (aware stamps).

    `since` None goes on from where the last complete pull of each feed ended. A pull of the same window that was broken off goes on with
    its next page; pages that were landed before are recognised by their content. `files` of the summary counts pages.
    Raises PullError for an answer that stays wrong after all attempts, LandingError for an unknown head-end system.
    """
    hes_id = discom.hes_id(hes_code)
    require_idle(conn)
    for name, stamp in (("since", since), ("until", until)):
        if stamp is not None and stamp.tzinfo is None:
            raise ValueError(f"{name} has no time zone: give an aware datetime")
    settings = _Settings.of(vendor, base_url)
    summary = FolderSummary()
    with httpx.Client(timeout=settings.timeout_s, headers=settings.headers) as client:
        for feed in settings.profiles:
            _pull_feed(conn, client, settings, _Cursor(discom.discom_id, hes_id, feed), discom, vendor, since, until, summary, progress)
    return summary


@dataclass(frozen=True)
class _Settings:
    url: str
    headers: dict[str, str]
    profiles: list[str]
    params: dict[str, str]
    first_page: int
    page_size: int
    pages_field: str
    token_env: str | None
    timeout_s: float
    attempts: int
    backoff_s: float

    @classmethod
    def of(cls, vendor: Vendor, base_url: str) -> _Settings:
        t = vendor.transport
        missing = [k for k in ("path", "profiles", "params", "pages_field") if k not in t]
        if missing:
            raise LandingError(f"vendor {vendor.name} cannot be pulled: add {', '.join(missing)} to transport in {vendor.path}")
        if not base_url.startswith(("http://", "https://")):
            raise LandingError(f"{base_url!r} is no address of a head-end system: write it as https://host[:port][/path]")
        headers = {"Accept": "application/json"}
        if token_env := t.get("token_env"):
            if not (token := os.environ.get(token_env)):
                raise LandingError(f"the environment variable {token_env} is not set: put the head-end system's bearer token there")
            headers["Authorization"] = f"Bearer {token}"
        return cls(
            url=base_url.rstrip("/") + t["path"],
            headers=headers,
            profiles=t["profiles"],
            params={k: t["params"].get(k, k) for k in ("profile", "from", "to", "page", "size")},
            first_page=t.get("first_page", 1),
            page_size=t.get("page_size", 500),
            pages_field=t["pages_field"],
            token_env=token_env,
            timeout_s=float(t.get("timeout_s", 30)),
            attempts=int(t.get("attempts", 6)),
            backoff_s=float(t.get("backoff_s", 1)),
        )


@dataclass(frozen=True)
class _Cursor:
    """ops.pull_cursor of one feed: the window, the next page (None = complete) and up to when the feed was ever completed."""

    discom_id: int
    hes_id: int
    feed: str

    def load(self, conn: psycopg.Connection) -> dict[str, Any]:
        with conn.transaction():
            found = conn.execute(
                "select cursor from ops.pull_cursor where discom_id = %s and hes_id = %s and feed = %s",
                [self.discom_id, self.hes_id, self.feed],
            ).fetchone()
        return found[0] if found else {}

    def save(self, conn: psycopg.Connection, state: dict[str, Any]) -> None:
        conn.execute(
            """insert into ops.pull_cursor (discom_id, hes_id, feed, cursor) values (%s, %s, %s, %s)
               on conflict (discom_id, hes_id, feed) do update set cursor = excluded.cursor, updated_at = now()""",
            [self.discom_id, self.hes_id, self.feed, Jsonb(state)],
        )


def _pull_feed(
    conn: psycopg.Connection,
    client: httpx.Client,
    settings: _Settings,
    cursor: _Cursor,
    discom: DiscomContext,
    vendor: Vendor,
    since: datetime | None,
    until: datetime,
    summary: FolderSummary,
    progress: Progress | None,
) -> None:
    before = cursor.load(conn)
    complete_until = before.get("complete_until")
    broken_off = before.get("next_page") is not None and _same(before["until"], until)
    if since is None:
        if broken_off:
            since = datetime.fromisoformat(before["since"])
        elif complete_until:
            since = datetime.fromisoformat(complete_until)
        else:
            raise LandingError(f"feed {cursor.feed} was never pulled to its end: say since when")
    if since >= until:
        return
    page = before["next_page"] if broken_off and _same(before["since"], since) else settings.first_page
    window = {"since": since.astimezone(UTC).isoformat(), "until": until.astimezone(UTC).isoformat()}
    while True:
        params = {
            settings.params["profile"]: cursor.feed,
            settings.params["from"]: since.isoformat(),
            settings.params["to"]: until.isoformat(),
            settings.params["page"]: str(page),
            settings.params["size"]: str(settings.page_size),
        }
        response, body, pages = _fetch(client, settings, params)
        last = page - settings.first_page + 1 >= pages
        ends = [window["until"], *([complete_until] if complete_until else [])]
        state = {
            **window,
            "next_page": None if last else page + 1,
            "complete_until": max(ends, key=datetime.fromisoformat) if last else complete_until,
        }
        # Lists hold the readings; what stands beside them (such as the time of the answer) differs from one answer to the next.
        lists = {k: v for k, v in body.items() if isinstance(v, list)}
        if any(lists.values()):
            delivery = read(vendor, str(response.url), response.content, datetime.now(UTC))
            text = json.dumps([cursor.feed, lists], sort_keys=True, separators=(",", ":"))
            delivery.content_sha256 = hashlib.sha256(text.encode()).digest()
            summary.add(land(conn, discom, cursor.hes_id, delivery, within=partial(cursor.save, state=state)))
        else:
            with conn.transaction():
                cursor.save(conn, state)
        if progress:
            progress(page - settings.first_page + 1, pages, cursor.feed)
        if last:
            return
        page += 1


def _same(stored: str, stamp: datetime) -> bool:
    return datetime.fromisoformat(stored) == stamp


def _fetch(client: httpx.Client, settings: _Settings, params: dict[str, str]) -> tuple[httpx.Response, dict[str, Any], int]:
    """One page: the answer, its JSON and the number of pages. Tries again after errors that may pass, each wait longer and jittered."""
    trouble = ""
    for attempt in range(1, settings.attempts + 1):
        wait = min(settings.backoff_s * 2 ** (attempt - 1), LONGEST_WAIT_S) * random.uniform(0.5, 1.0)  # noqa: S311
        try:
            response = client.get(settings.url, params=params)
        except httpx.RequestError as e:
            trouble = f"{type(e).__name__}: {e}"
        else:
            asked = f"{response.request.method} {response.url}"
            if response.status_code == 200:
                try:
                    body = response.json()
                    return response, body, max(int(body[settings.pages_field]), 1)
                except (ValueError, KeyError, TypeError):
                    trouble = f"the answer is no JSON object with {settings.pages_field!r}: {response.text[:200]!r}"
            elif response.status_code in (401, 403):
                raise PullError(
                    f"{asked}: {response.status_code}, the head-end system refuses the token: "
                    f"check the environment variable {settings.token_env or '(transport.token_env is not set in the vendor file)'}"
                )
            elif response.status_code in _TRY_AGAIN:
                trouble = f"status {response.status_code}"
                if (asked_wait := _retry_after(response)) is not None:
                    if asked_wait > LONGEST_WAIT_S:
                        raise PullError(
                            f"{asked}: status {response.status_code}, the head-end system asks to wait {asked_wait:.0f} s: "
                            "pull again then, it goes on from this page"
                        )
                    wait = max(wait, asked_wait)
            else:
                raise PullError(
                    f"{asked}: status {response.status_code}: {response.text[:200]!r}: check the base URL and transport in the vendor file"
                )
        if attempt < settings.attempts:
            time.sleep(wait)
    raise PullError(
        f"GET {settings.url} {params}: no good answer in {settings.attempts} attempts, the last: {trouble}. "
        "Is the head-end system up? Pull again later: it goes on from this page"
    )


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that a Retry-After header asks for, written as a number or as a date; None without a readable one."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isdigit():
        return float(header)
    try:
        return max((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
