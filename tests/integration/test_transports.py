"""Drop folders and REST pulls against a real PostgreSQL and a head-end system on loopback that misbehaves as told."""

from __future__ import annotations

import dataclasses
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from ingestion.alerts.rules import AlertRuleError
from ingestion.landing import DiscomContext, LandingError
from ingestion.transports import file as drop
from ingestion.transports.file import land_folder
from ingestion.transports.rest import PullError, pull
from ingestion.vendor import Vendor, load_vendor
from warehouse import db
from warehouse.codes import Reason

pytestmark = pytest.mark.integration

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)


@pytest.fixture
def loader(database: str) -> Iterator[psycopg.Connection]:
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'vendor_b' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, 9) n"""
        )
    with db.connect() as conn:
        yield conn


@pytest.fixture
def acme(loader: psycopg.Connection) -> DiscomContext:
    return DiscomContext.load(loader, "acme")


def total(conn: psycopg.Connection, sql: str) -> Any:
    with conn.transaction():
        return conn.execute(sql).fetchone()[0]


# --- drop folder ---


def blockload(folder: Path, name: str, serial: str = "M1", blocks: int = 2) -> Path:
    lines = ["METER_NO,BLOCK_END_TIME,BLOCK_ENERGY_KWH_IMPORT,BLOCK_ENERGY_KWH_EXPORT,BLOCK_ENERGY_KVAH_IMPORT,AVG_VOLTAGE"]
    for i in range(1, blocks + 1):
        end = datetime(2026, 10, 1) + timedelta(minutes=30 * i)
        lines.append(f"{serial},{end:%d-%m-%Y %H:%M:%S},0.{i:03},0.000,0.{i:03},230.1")
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_files_are_landed_in_name_order_and_put_away(loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path) -> None:
    blockload(tmp_path, "blockload_20261002_020000.csv", "M2")
    blockload(tmp_path, "blockload_20261002_010000.csv", "M1")
    (tmp_path / "readme.txt").write_text("not ours")
    seen: list[tuple[int, int, str]] = []
    summary = land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path, lambda *a: seen.append(a))
    assert [s[2] for s in seen] == ["blockload_20261002_010000.csv", "blockload_20261002_020000.csv"]
    assert (summary.files, summary.landed, summary.received, summary.accepted) == (2, 2, 16, 16)
    assert summary.unmatched == ["readme.txt"]
    assert names(tmp_path) == ["done/blockload_20261002_010000.csv", "done/blockload_20261002_020000.csv", "readme.txt"]
    assert total(loader, "select sum((select sum(v) from unnest(import_wh) v)) from raw.profile_fragment") == 2 * (1 + 2)


def test_a_file_that_was_landed_but_not_moved_is_only_moved(loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path) -> None:
    blockload(tmp_path, "blockload_20261002_010000.csv")
    land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path, keep=True)
    assert names(tmp_path) == ["blockload_20261002_010000.csv"], "keep must leave the folder as it is"
    assert not (tmp_path / "done").exists()
    summary = land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path)
    assert (summary.duplicates, summary.landed, summary.received) == (1, 0, 0)
    assert names(tmp_path) == ["done/blockload_20261002_010000.csv"]
    assert total(loader, "select count(*) from raw.batch") == 1


def test_a_name_that_is_taken_gets_a_number_and_nothing_is_lost(loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path) -> None:
    for blocks in (1, 2, 3):
        blockload(tmp_path, "blockload_20261002_010000.csv", blocks=blocks)
        land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path)
    base = "done/blockload_20261002_010000.csv"
    assert names(tmp_path) == [base, f"{base}.1", f"{base}.2"]
    assert [len((tmp_path / n).read_text().splitlines()) for n in names(tmp_path)] == [2, 3, 4]


def test_a_file_of_which_nothing_can_be_accepted_fails_with_reason_and_remedy(
    loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path
) -> None:
    blockload(tmp_path, "blockload_20261002_010000.csv", "STRANGER", blocks=9)
    vendor = load_vendor("vendor_b")
    land_folder(loader, acme, "h1", vendor, tmp_path, keep=True)
    summary = land_folder(loader, acme, "h1", vendor, tmp_path)  # as after a crash between landing and moving
    assert summary.failed == 1
    assert names(tmp_path) == ["failed/blockload_20261002_010000.csv", "failed/blockload_20261002_010000.csv.error.txt"]
    said = (tmp_path / "failed/blockload_20261002_010000.csv.error.txt").read_text()
    for expected in ("blockload_20261002_010000.csv", "none of 36 values", "UNKNOWN_METER", "line 2", "import the meter"):
        assert expected in said, f"the error file must say {expected!r}:\n{said}"


def test_a_partly_good_file_is_done(loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path) -> None:
    path = blockload(tmp_path, "blockload_20261002_010000.csv")
    path.write_text(path.read_text() + "M1,rubbish,1,1,1,1\n")
    summary = land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path)
    assert (summary.failed, summary.accepted) == (0, 8)
    assert summary.rejected_by_reason.keys() == {Reason.BAD_STAMP}
    assert summary.received == summary.accepted + summary.rejected
    assert names(tmp_path) == ["done/blockload_20261002_010000.csv"]


def test_a_file_that_is_too_large_is_refused_unread(
    loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blockload(tmp_path, "blockload_20261002_010000.csv")
    blockload(tmp_path, "blockload_20261002_020000.csv", blocks=1)
    monkeypatch.setenv("METERHOUSE_MAX_FILE_BYTES", "180")
    summary = land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path)
    assert list(summary.failures) == ["blockload_20261002_010000.csv"], "the next file must not suffer"
    assert "split it" in (tmp_path / "failed/blockload_20261002_010000.csv.error.txt").read_text()
    assert summary.landed == 1


def test_a_file_that_is_still_written_waits(
    loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = blockload(tmp_path, "blockload_20261002_010000.csv")
    read_bytes = Path.read_bytes

    def read_while_written(self: Path) -> bytes:
        content = read_bytes(self)
        if self == path:
            with path.open("a") as f:
                f.write("M1,01-10-2026 02:00:00,0.004,0.000,0.004,230.1\n")
        return content

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_while_written)
        summary = land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path)
    assert (summary.waiting, summary.landed) == ([path.name], 0)
    assert land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path).accepted == 12


def test_an_error_of_the_database_leaves_the_file(
    loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blockload(tmp_path, "blockload_20261002_010000.csv")

    def lost(*_: Any, **__: Any) -> None:
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(drop, "land", lost)
    with pytest.raises(psycopg.OperationalError):
        land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path)
    assert names(tmp_path) == ["blockload_20261002_010000.csv"]


def test_spoiled_alert_rules_leave_the_file(
    loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("version: 1\nrules: none\n")
    monkeypatch.setenv("METERHOUSE_ALERT_RULES", str(rules))
    folder = tmp_path / "drop"
    folder.mkdir()
    path = blockload(folder, "blockload_20261002_010000.csv")
    with pytest.raises(AlertRuleError, match="rules"):
        land_folder(loader, acme, "h1", load_vendor("vendor_b"), folder)
    assert path.exists(), "the file is not to blame: it must wait where it is"
    assert total(loader, "select count(*) from raw.batch") == 0


def test_a_folder_that_is_not_there(loader: psycopg.Connection, acme: DiscomContext, tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="is not a folder"):
        land_folder(loader, acme, "h1", load_vendor("vendor_b"), tmp_path / "nowhere")
    with pytest.raises(LandingError, match=r"add transport\.files"):
        land_folder(loader, acme, "h1", load_vendor("hpl"), tmp_path)


# --- REST ---

Answer = tuple[int, dict[str, str], bytes]


class Hes:
    """A head-end system with pages a feed; `trouble` answers the requests first, one answer each."""

    def __init__(self) -> None:
        self.pages: dict[str, list[list[dict]]] = {"block": [], "daily": [], "event": []}
        self.trouble: list[Answer | None] = []
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []

    def answer(self, path: str) -> Answer:
        query = {k: v[0] for k, v in parse_qs(urlsplit(path).query).items()}
        feed, page = query["profile"], int(query["page"])
        self.asked.append((feed, query["page"]))
        if self.trouble and (trouble := self.trouble.pop(0)):
            return trouble
        pages = self.pages[feed]
        items = pages[page - 1] if page <= len(pages) else []
        body = {"page": page, "pages": len(pages), "generatedAt": datetime.now(UTC).isoformat(), "items": items}
        return 200, {}, json.dumps(body).encode()


@pytest.fixture
def hes() -> Iterator[Hes]:
    state = Hes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.headers.append(dict(self.headers))
            status, headers, body = state.answer(self.path)
            self.send_response(status)
            for k, v in headers.items():
                self.send_header(k, v)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def hpl(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setenv("METERHOUSE_HPL_TOKEN", "sesame")
    vendor = load_vendor("hpl")
    return dataclasses.replace(vendor, transport={**vendor.transport, "backoff_s": 0.01, "attempts": 3, "timeout_s": 5, "window_h": 48})


def item(serial: str, slots: range = range(2)) -> dict:
    """Block load of 2026-10-01 with import_wh = 100 + slot."""

    def register(obis: str, raw: bytes, unit: int) -> dict:
        return {
            "formattedRegisterObisCode": obis,
            "attributeId": 2,
            "unit": unit,
            "scalar": 0,
            "registerValue": b64encode(raw).decode(),
        }

    entries = []
    for slot in slots:
        end = datetime(2026, 10, 1) + timedelta(minutes=30 * (slot + 1))
        clock = end.year.to_bytes(2, "big") + bytes([end.month, end.day, 255, end.hour, end.minute, 0, 255, 1, 0x4A, 0])
        energy = b"\x06" + (100 + slot).to_bytes(4, "big")
        entries.append({"registerValues": [register("0.0.1.0.0.255", b"\x09\x0c" + clock, 255), register("1.0.1.29.0.255", energy, 30)]})
    return {
        "meterSerial": serial,
        "profileObisCode": "AQBjAQD/",
        "formattedProfileObisCode": "1.0.99.1.0.255",
        "receivedAt": "2026-10-02T00:41:07+05:30",
        "entries": entries,
    }


def run(loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes, since: datetime | None = SINCE) -> Any:
    return pull(loader, acme, "h1", hpl, hes.url, since, UNTIL)  # type: ignore[attr-defined]


def test_all_pages_of_all_feeds_are_landed(loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes) -> None:
    hes.pages["block"] = [[item("M1"), item("M2")], [item("M3")]]
    summary = run(loader, acme, hpl, hes)
    assert hes.asked == [("block", "1"), ("block", "2"), ("daily", "1"), ("event", "1")]
    assert all(h["Authorization"] == "Bearer sesame" for h in hes.headers)
    assert (summary.files, summary.landed, summary.accepted, summary.rejected) == (2, 2, 6, 0)
    assert total(loader, "select count(*) from raw.profile_fragment where import_wh = '{100,101}'") == 3
    assert total(loader, "select count(*) from ops.pull_cursor where cursor->>'next_page' is null") == 3


def test_the_same_window_again_lands_nothing_twice(loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes) -> None:
    hes.pages["block"] = [[item("M1")], [item("M2")]]
    run(loader, acme, hpl, hes)
    again = run(loader, acme, hpl, hes)
    assert (again.landed, again.duplicates) == (0, 2), "the time of the answer must not make a page new"
    assert total(loader, "select count(*) from raw.profile_fragment") == 2


def test_a_pull_that_is_broken_off_goes_on_with_its_next_page(
    loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes
) -> None:
    hes.pages["block"] = [[item("M1")], [item("M2")], [item("M3")]]
    hes.trouble = [None, None, (400, {}, b"gone mad")]
    with pytest.raises(PullError, match=r"400.*gone mad"):
        run(loader, acme, hpl, hes)
    assert total(loader, "select count(*) from raw.batch") == 2
    hes.asked.clear()
    run(loader, acme, hpl, hes)
    assert hes.asked[0] == ("block", "3"), "pages that were landed must not be asked for again"
    assert total(loader, "select count(*) from raw.batch") == 3


def test_without_since_a_pull_goes_on_from_the_last_complete_one(
    loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes
) -> None:
    with pytest.raises(LandingError, match="say since when"):
        run(loader, acme, hpl, hes, None)
    run(loader, acme, hpl, hes)
    hes.asked.clear()
    run(loader, acme, hpl, hes, None)
    assert hes.asked == [], "the window is empty: there is nothing to ask"
    later = UNTIL + timedelta(hours=1)
    hes.pages["block"] = [[item("M1")], [item("M2")]]
    hes.trouble = [None, (400, {}, b"")]
    with pytest.raises(PullError):
        pull(loader, acme, "h1", hpl, hes.url, None, later)  # type: ignore[attr-defined]
    hes.asked.clear()
    summary = pull(loader, acme, "h1", hpl, hes.url, None, later)  # type: ignore[attr-defined]
    assert hes.asked[0] == ("block", "2")
    assert summary.landed == 1


@pytest.mark.parametrize(
    "trouble",
    [
        (503, {}, b""),
        (500, {}, b"<html>"),
        (429, {"Retry-After": "0"}, b""),
        (429, {"Retry-After": format_datetime(datetime.now(UTC))}, b""),
        (200, {}, b'{"page": 1, "pa'),
        (200, {}, b"[]"),
    ],
)
def test_errors_that_pass_are_tried_again(loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes, trouble: Answer) -> None:
    hes.pages["block"] = [[item("M1")]]
    hes.trouble = [trouble, trouble]
    assert run(loader, acme, hpl, hes).landed == 1
    assert [a for a in hes.asked if a[0] == "block"] == [("block", "1")] * 3


def test_errors_that_stay_end_the_pull_after_bounded_attempts(
    loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes
) -> None:
    hes.trouble = [(503, {}, b"")] * 99
    with pytest.raises(PullError, match=r"no good answer in 3 attempts, the last: status 503.*goes on from this page"):
        run(loader, acme, hpl, hes)
    assert len(hes.asked) == 3


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ((401, {}, b""), "check the environment variable METERHOUSE_HPL_TOKEN"),
        ((404, {}, b""), "check the base URL"),
        ((429, {"Retry-After": "3600"}, b""), "asks to wait 3600 s"),
    ],
)
def test_errors_that_do_not_pass_end_the_pull_at_once(
    loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, hes: Hes, trouble: Answer, says: str
) -> None:
    hes.trouble = [trouble]
    with pytest.raises(PullError, match=says):
        run(loader, acme, hpl, hes)
    assert len(hes.asked) == 1


def test_a_head_end_system_that_is_down(loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor) -> None:
    with pytest.raises(PullError, match=r"ConnectError.*Is the head-end system up"):
        pull(loader, acme, "h1", hpl, "http://127.0.0.1:9", SINCE, UNTIL)


def test_settings_that_are_wrong(loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LandingError, match="is no address"):
        pull(loader, acme, "h1", hpl, "hes.example", SINCE, UNTIL)
    with pytest.raises(LandingError, match="add path, profiles, params, pages_field to transport"):
        pull(loader, acme, "h1", load_vendor("vendor_b"), "http://127.0.0.1:9", SINCE, UNTIL)
    monkeypatch.delenv("METERHOUSE_HPL_TOKEN")
    with pytest.raises(LandingError, match="METERHOUSE_HPL_TOKEN is not set"):
        pull(loader, acme, "h1", hpl, "http://127.0.0.1:9", SINCE, UNTIL)


def test_stamps_without_zone_are_refused(loader: psycopg.Connection, acme: DiscomContext, hpl: Vendor) -> None:
    with pytest.raises(ValueError, match="until has no time zone"):
        pull(loader, acme, "h1", hpl, "http://127.0.0.1:9", SINCE, UNTIL.replace(tzinfo=None))
