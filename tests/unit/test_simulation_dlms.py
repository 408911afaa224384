"""Simulated meters: the same seed gives the same meter, their registers add up, their objects are those of IS 15959."""

from __future__ import annotations

import csv
import json
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingestion.obis import Obis
from simulation.dlms import DlmsServer, SimulatedMeter
from simulation.dlms import meter as module
from simulation.dlms.meter import CATEGORIES, PROFILES, Clock, columns
from simulation.dlms.session import Session

NOW = datetime(2026, 10, 8, 10, 7)
ROOT = Path(__file__).resolve().parent.parent.parent


def meter(number: int = 1, category: str = "D1", seed: int = 1) -> SimulatedMeter:
    return SimulatedMeter(number, seed, category, clock=Clock(NOW, lambda: 0.0))


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_same_seed_gives_the_same_octets_and_another_seed_others(category: str) -> None:
    for obis in PROFILES.keys() - {"1.0.99.1.0.255"}:  # the block load is long, and made of the same draws
        assert meter(2, category).buffer(obis, None) == meter(2, category).buffer(obis, None)
    assert meter().buffer("1.0.99.2.0.255", None) != meter(seed=2).buffer("1.0.99.2.0.255", None)
    assert meter().keys != meter(seed=2).keys
    assert meter(1).system_title != meter(2).system_title


def test_registers_advance_by_their_blocks_and_zones_add_up() -> None:
    m = meter(3)
    begin, end = datetime(2026, 9, 3), datetime(2026, 9, 8)
    for channel in module.CHANNELS:
        blocks = [m.block(channel, i) for i in range(m.block_index(begin) + 1, m.block_index(end) + 1)]
        assert m.register(channel, end) - m.register(channel, begin) == sum(blocks)
        assert sum(m.register(channel, end, zone) for zone in range(1, 9)) == m.register(channel, end)
    watts, at = m.maximum_demand("import_wh", datetime(2026, 10, 1))
    assert at is not None
    assert m.block("import_wh", m.block_index(at)) * 2 == watts
    first, last = (m.block_index(datetime(2026, month, 1)) for month in (9, 10))
    assert watts == 2 * max(m.block("import_wh", i) for i in range(first + 1, last + 1))


def test_a_month_of_which_nothing_was_counted_has_no_demand() -> None:
    m = meter()
    assert m.maximum_demand("import_wh", m.epoch) == (0, None)


def test_the_table_of_objects_holds_together() -> None:
    with (Path(module.__file__).parent / "objects.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    for row in table:
        for k in "012":
            Obis.parse(row["obis"].replace(".z.", f".{k}.").replace(".k.", f".{k}."))
        assert set(row["categories"].split()) <= set(CATEGORIES), row
        assert (row["scaler"] == "") == (row["unit"] == "") or row["class"] == "71", row
    for category in CATEGORIES:
        for kind in {k for k, _ in PROFILES.values()}:
            captured = [(c.obis, c.attribute) for c in columns(kind, category, 0)]
            assert len(set(captured)) == len(captured), f"{kind} of {category} captures something twice"
    relay = [(c.obis, c.class_id) for c in columns("instant", "D3", 0) if c.class_id in (70, 71)]
    assert relay == [], "D3 has no relay and no limiter"


def test_codes_go_to_the_log_where_they_belong() -> None:
    m = meter()
    where = {7: "voltage", 51: "current", 101: "power", 151: "transaction", 201: "other", 251: "non_rollover", 301: "control"}
    for code, log in where.items():
        event = m.happen(code)
        assert event in m.events(log), f"{code} belongs to {log}"
    assert m.status_word()[83 // 8] >> (7 - 83 % 8) & 1, "bit 83: the cover was opened"


def test_the_clock_runs_and_can_be_set() -> None:
    seconds = [0.0]
    clock = Clock(NOW, lambda: seconds[0])
    seconds[0] = 90.4
    assert clock.now() == NOW + timedelta(seconds=90)
    clock.set(NOW)
    assert abs(clock.now() - NOW) <= timedelta(seconds=1)
    seconds[0] += 60
    assert abs(clock.now() - NOW - timedelta(minutes=1)) <= timedelta(seconds=1)


@pytest.mark.parametrize("octets", [b"\x60", b"\x60\x05abc", b"\xc0\x01", b"\xdb\x00", b"\xcb\x82", b"\x00", b"\xc0\x01\xc1" + bytes(20)])
def test_rubbish_is_answered_by_an_exception(octets: bytes) -> None:
    assert Session(meter()).handle(octets)[0] == 0xD8


def test_the_process_writes_endpoints_and_keys_that_only_the_owner_reads(tmp_path: Path) -> None:
    with DlmsServer(meters=2, clock=NOW, folder=tmp_path) as server:
        rows = list(csv.DictReader((tmp_path / "meter_endpoint.csv").open(encoding="utf-8")))
        keys = json.loads((tmp_path / "keys.json").read_text())
    assert [(r["meter_serial"], int(r["port"]), r["server_address"]) for r in rows] == [
        ("SIM00000001", server.port, "1"),
        ("SIM00000002", server.port, "2"),
    ]
    assert keys["SIM00000002"]["encryption_key"] == server.meter(2).keys.encryption.hex()
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("option", "why"), [("--meters=0", "from 1 to 10000"), ("--port=70000", "up to 65535"), ("--categories=Z", "is not one of")]
)
def test_wrong_options_are_said(option: str, why: str) -> None:
    done = subprocess.run([sys.executable, "-m", "simulation", "serve-dlms", option], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert why in done.stderr
