"""What estimation is fed with: temperature feeds, check meters of the registry, settings of a DISCOM. A fault says where, and nothing is
taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from expectations.rules import RuleError
from vee.estimation import weather
from vee.estimation.series import Settings
from vee.estimation.settings import load_settings
from vee.estimation.weather import WeatherError
from warehouse import db
from warehouse.codes import Method

pytestmark = pytest.mark.integration

FEED = b"station,at,celsius\nO,2026-10-05T14:00,31.5\nO,2026-10-05T09:30Z,32\nP,2026-10-05T14:00+05:30,-1.25\n"


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as owner:
        owner.execute("insert into registry.discom (code, name) values ('D', 'D'), ('E', 'E')")
        owner.execute("insert into registry.office (discom_id, code, name, level) values (1, 'O', 'O', 'discom'), (1, 'P', 'P', 'zone')")
    with db.connect(autocommit=True) as conn:
        yield conn


def rows(conn: psycopg.Connection) -> list[tuple[object, ...]]:
    return conn.execute(
        "select station, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), milli_c from registry.temperature order by 1, 2"
    ).fetchall()


def test_a_feed_is_taken_once_and_corrected(conn: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(FEED)
    assert weather.land(conn, "D", str(path), weather.fetch(str(path))) == weather.Readings(3, 3)
    assert rows(conn) == [("O", "2026-10-05 08:30", 31500), ("O", "2026-10-05 09:30", 32000), ("P", "2026-10-05 08:30", -1250)]
    assert weather.land(conn, "D", "again", FEED).changed == 0
    assert weather.land(conn, "D", "corrected", FEED.replace(b"31.5", b"30")).changed == 1
    assert rows(conn)[0] == ("O", "2026-10-05 08:30", 30000)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (FEED + b"X,2026-10-05T14:00,20\n", "line 5, column station: 'X' is no office"),
        (FEED + b"O,yesterday,20\n", "line 5, column at: 'yesterday' is no time"),
        (FEED + b"O,2026-10-05T15:00,hot\n", "line 5, column celsius: 'hot' is no air temperature"),
        (FEED + b"O,2026-10-05T15:00,305\n", "line 5, column celsius: '305'"),
        (FEED + b"O,2026-10-05T15:00,nan\n", "line 5, column celsius: 'nan'"),
        (FEED + b"O,2026-10-05T15:00\n", "line 5, column celsius: ''"),
        (FEED + b"O,2026-10-05T08:30Z,20\n", "line 5: O at 2026-10-05T08:30Z stands in the feed twice"),
        (FEED.replace(b"celsius", b"fahrenheit"), "line 1: no column celsius"),
        (b"station,at,celsius\n", "has no readings"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"", "line 1: no column station, at, celsius"),
    ],
)
def test_a_feed_with_a_fault_is_not_taken(conn: psycopg.Connection, content: bytes, says: str) -> None:
    with pytest.raises(WeatherError, match="nothing was taken") as e:
        weather.land(conn, "D", "t.csv", content)
    assert says in str(e.value)
    assert rows(conn) == []


def test_a_feed_of_another_discom_or_from_nowhere(conn: psycopg.Connection, tmp_path: Path) -> None:
    with pytest.raises(WeatherError, match="'O' is no office"):
        weather.land(conn, "E", "t.csv", FEED)
    with pytest.raises(WeatherError, match="no DISCOM 'F'"):
        weather.land(conn, "F", "t.csv", FEED)
    with pytest.raises(WeatherError, match="cannot be read"):
        weather.fetch(str(tmp_path / "none.csv"))


def test_a_feed_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    class Station(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/t.csv" else 503)
            self.end_headers()
            self.wfile.write(FEED)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Station)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        assert weather.fetch(f"{url}/t.csv") == FEED
        with pytest.raises(WeatherError, match="503"):
            weather.fetch(f"{url}/down.csv")
        monkeypatch.setattr(weather, "MAX_OCTETS", 10)
        with pytest.raises(WeatherError, match="sends more than"):
            weather.fetch(f"{url}/t.csv")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_settings_of_a_discom(tmp_path: Path) -> None:
    (tmp_path / "D.yml").write_text(
        "discom: D\nestimation: {order: [linear, flat], like_days: 14, tou_zones: {2: ['06:00-24:00'], 1: ['00:00-06:00']}}\n"
    )
    own, plain = load_settings("D", tmp_path), load_settings("E", tmp_path)
    assert own.engine.order == (Method.LINEAR, Method.FLAT)
    assert own.uses(Method.LINEAR)
    assert not own.uses(Method.NEIGHBOUR)
    assert (own.engine.like_days, plain.engine.like_days) == (14, 28)
    assert own.tou_zones == ((1, ((0, 360),)), (2, ((360, 1440),)))
    assert own.engine.max_linear_minutes == plain.engine.max_linear_minutes == 120
    assert plain.engine == Settings(), "two homes of one default"
    assert set(plain.engine.order) == set(Method) - {Method.NONE, Method.REGISTER}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("order: [linear, guess]", "order"),
        ("order: []", "order"),
        ("like_dayz: 3", "like_dayz"),
        ("like_days: 0", "like_days"),
        ("tou_zones: {9: ['00:00-06:00']}", "tou_zones"),
        ("tou_zones: {1: ['0-6']}", "tou_zones"),
        ("tou_zones: {1: ['06:00-06:00']}", "tou_zones.1"),
        ("tou_zones: {1: ['00:00-06:00'], 2: ['05:30-24:00']}", "tou_zones.2"),
    ],
)
def test_settings_with_a_fault_say_which(tmp_path: Path, said: str, field: str) -> None:
    (tmp_path / "D.yml").write_text(f"discom: D\nestimation: {{{said}}}\n")
    with pytest.raises(RuleError, match=rf"D\.yml.*estimation\.{field}"):
        load_settings("D", tmp_path)
