"""A head-end system of a style not seen before is added by a YAML file alone (docs/vendor-guide.md); what it does not map is listed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing import DiscomContext
from ingestion.transports.file import land_folder
from ingestion.unmapped import unmapped
from ingestion.vendor import load_vendor
from warehouse import db

pytestmark = pytest.mark.integration

# XML with a value as the text of its element, times in milliseconds, names of its own for units, codes and events.
VENDOR = """\
vendor: brook
description: Brook Metering exports, one XML a gateway
transport:
  kind: file
  files:
    all: ["brook_*.xml"]
payload:
  format: xml
  serial: gateway[].device[].@id
  readings: {path: "q[]", code: "@n", value: "#text", unit: "@u", units: {Units: kWh, kUnits: MWh, Volt: V, Hertz: Hz}}
time: {zone: Asia/Kolkata, stamp: start, formats: [epoch_ms]}
received_at: {from: field, field: "gateway[].@sent"}
profiles:
  block:
    kind: block
    rows: gateway[].device[].slot[]
    interval_min: 30
    stamp: "@at"
    values:
      - {from: fwd, to: import_wh, unit: kWh}
      - {from: rev, to: export_wh, unit: kWh}
      - {from: volt, to: voltage_dv, unit: V}
  now:
    kind: instant
    rows: gateway[].device[].now[]
    stamp: "@at"
    values:
      - {from: volt, to: voltage_r_mv, unit: V}
      - {from: hz, to: frequency_mhz, unit: Hz}
      - {from: switch, to: relay_closed_flag, words: {closed: 1, open: 0}}
  bill:
    kind: billing
    rows: gateway[].device[].bill[]
    stamp: "@at"
    values:
      - {from: "fwd{zone}", to: import_wh, unit: kWh}
      - {from: peak, to: md_import_w, unit: kW}
      - {from: peakAt, to: at, of: md_import_w}
  event:
    kind: event
    rows: gateway[].device[].alarm[]
    stamp: "@at"
    readings: none
    values:
      - {from: "@what", to: code, words: {COVER: 251, MAGNET_ON: 201, OUTAGE: 101}}
"""

SENT = datetime(2026, 10, 2, 1, 0, tzinfo=UTC)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


PAYLOAD = f"""<export>
 <gateway sent="{ms("2026-10-02T06:30+05:30")}">
  <device id="BR1">
   <slot at="{ms("2026-10-01T00:00+05:30")}"><q n="fwd" u="Units">0.095</q><q n="volt" u="Volt">231.4</q></slot>
   <slot at="{ms("2026-10-01T23:30+05:30")}"><q n="fwd" u="Units">0.090</q><q n="rev" u="Units">0.001</q><q n="thd" u="Pct">4.2</q></slot>
   <now at="{ms("2026-10-02T06:29+05:30")}"><q n="volt" u="Volt">230.1</q><q n="hz" u="Hertz">49.98</q><q n="switch">closed</q></now>
   <bill at="{ms("2026-10-01T00:00+05:30")}"><q n="fwd0" u="kUnits">1.5</q><q n="fwd3" u="Units">500</q><q n="peak">3.2</q>
    <q n="peakAt">{ms("2026-09-14T19:30+05:30")}</q></bill>
   <alarm at="{ms("2026-10-01T14:02:11+05:30")}" what="MAGNET_ON"/>
   <alarm at="{ms("2026-10-01T15:02:11+05:30")}" what="MYSTERY"/>
  </device>
 </gateway>
</export>
"""


@pytest.fixture
def registered(database: str) -> str:
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'BROOK', 'brook' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min, make, firmware)
               select discom_id, 'BR1', hes_id, 'D1', 30, 'Brook', '4.2' from registry.hes"""
        )
    return database


@pytest.fixture
def vendors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "vendors"
    folder.mkdir()
    (folder / "brook.yml").write_text(VENDOR, encoding="utf-8")
    monkeypatch.setenv("METERHOUSE_VENDORS", str(folder))
    return folder


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "brook_1.xml").write_text(PAYLOAD, encoding="utf-8")
    return folder


def meterhouse(*args: str) -> str:
    settings = os.environ | {"COLUMNS": "250", "TERM": "dumb", "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, "-m", "cli.main", *args], capture_output=True, text=True, timeout=120, env=settings, check=False)
    assert done.returncode == 0, f"meterhouse {' '.join(args)}: {done.stdout}{done.stderr}"
    return done.stdout


def rows(sql: str) -> list[tuple[Any, ...]]:
    with db.connect() as conn:
        return conn.execute(sql).fetchall()


def test_a_yaml_file_is_enough(registered: str, vendors: Path, drop: Path) -> None:
    said = meterhouse("land", "files", "-d", "acme", "--hes", "BROOK", str(drop))
    assert "13 received = 11 accepted + 2 rejected" in said, said
    assert (drop / "done" / "brook_1.xml").is_file()

    landed = rows("select day, start_slot, cardinality(import_wh), import_wh[1], import_wh[48] from raw.profile_fragment")
    assert landed == [(date(2026, 10, 1), 0, 48, 95, 90)]
    values = rows("select profile, quantity, zone, value, day, occurred_at from raw.meter_value order by profile, quantity, zone")
    assert values == [
        ("billing", "import_wh", 0, 1_500_000, date(2026, 9, 30), None),
        ("billing", "import_wh", 3, 500_000, date(2026, 9, 30), None),
        ("billing", "md_import_w", 0, 3200, date(2026, 9, 30), datetime(2026, 9, 14, 14, 0, tzinfo=UTC)),
        ("instant", "frequency_mhz", 0, 49_980, date(2026, 10, 2), None),
        ("instant", "relay_closed_flag", 0, 1, date(2026, 10, 2), None),
        ("instant", "voltage_r_mv", 0, 230_100, date(2026, 10, 2), None),
    ]
    assert rows("select code from raw.event") == [(201,)]
    assert rows("select reason, code, profile, value_count from raw.rejected order by code") == [
        ("UNKNOWN_OBIS", "MYSTERY", "event", 1),
        ("UNKNOWN_OBIS", "thd", "block", 1),
    ]

    listed = meterhouse("hes", "unmapped", "-d", "acme", "--hes", "BROOK")
    for part in ("BROOK", "block", "thd", "event", "MYSTERY", "Brook 4.2"):
        assert part in listed, f"{part} must be told of the unmapped code:\n{listed}"


def test_unmapped_codes_are_listed_by_how_often_they_came(registered: str, vendors: Path, drop: Path) -> None:
    (drop / "brook_2.xml").write_text(PAYLOAD.replace("thd", "ripple").replace("BR1", "BR9"), encoding="utf-8")
    with db.connect() as conn:
        context = DiscomContext.load(conn, "acme")
        land_folder(conn, context, "BROOK", load_vendor("brook"), drop, keep=True)
        (drop / "brook_3.xml").write_text(PAYLOAD + "<!-- again -->\n", encoding="utf-8")
        land_folder(conn, context, "BROOK", load_vendor("brook"), drop, keep=True)
        found = unmapped(conn, context.discom_id)
        assert [(u.code, u.profile, u.hes, u.makes, u.meters, u.values) for u in found] == [
            ("MYSTERY", "event", "BROOK", "Brook 4.2, make not known", 1, 3),
            ("thd", "block", "BROOK", "Brook 4.2", 1, 2),
            ("ripple", "block", "BROOK", "make not known", 0, 1),
        ]
        assert (found[0].first_seen, found[0].last_seen) == (SENT, SENT), "when the head-end system had it"
        assert 'n="thd"' in found[1].sample
        assert unmapped(conn, context.discom_id, "OTHER") == []
