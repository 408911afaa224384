"""Checking a sample: counts, stamps in the vendor's zone, the first rejection of each reason, and hints that point at the mistake."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.check import check_sample, render
from ingestion.vendor import load_vendor
from warehouse.codes import Reason

HEAD = "METER_NO,BLOCK_END_TIME,BLOCK_ENERGY_KWH_IMPORT,BLOCK_ENERGY_KWH_EXPORT,BLOCK_ENERGY_KVAH_IMPORT,AVG_VOLTAGE\n"
NAME = "blockload_20251002_013000.csv"


def day(step=30, energy="0.095", voltage="231.4"):
    slots = [f"01-10-2025 {m // 60:02d}:{m % 60:02d}:00" for m in range(step, 1440, step)] + ["02-10-2025 00:00:00"]
    return HEAD + "".join(f"B1,{s},{energy},0.000,0.1,{voltage}\n" for s in slots)


def check(text, vendor="vendor_b", name=NAME):
    return check_sample(load_vendor(vendor), name, text.encode())


def shown(report):
    out = Console(file=io.StringIO(), width=200)
    out.print(render(report))
    return out.file.getvalue()


def test_a_good_sample():
    r = check(day())
    assert r.ok
    assert r.hints == []
    k = r.kinds[0]
    assert (k.kind, k.rows, k.meters, k.interval_min, k.interval_seen) == ("block", 48, 1, (30,), 30.0)
    assert k.values == {"import_wh": 48, "export_wh": 48, "import_vah": 48, "voltage_dv": 48}
    assert str(k.first) == "2025-10-01 00:00:00+05:30", "stamps are shown in the vendor's zone"
    assert str(k.last) == "2025-10-01 23:30:00+05:30"
    text = shown(r)
    assert "192 values understood" in text
    assert "2025-10-01 23:30" in text


def test_rejections_are_grouped_with_the_first_of_each():
    r = check(day() + "B1,x,1,0,1,230\nB1,y,1,0,1,230\nB1,02-10-2025 00:30:00,[red]z,0,1,230\n")
    assert not r.ok
    assert [(x.reason, x.rejections, x.values, x.locator) for x in r.refused] == [
        (Reason.BAD_STAMP, 2, 8, "line 50"),
        (Reason.NOT_A_NUMBER, 1, 1, "line 52, column BLOCK_ENERGY_KWH_IMPORT"),
    ]
    assert "[red]z" in shown(r), "what was received is shown as it is, never read as markup"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (day(step=20), "interval_min is 30"),
        (day(energy="950000"), "scaler applied twice"),
        (day(voltage="2.3"), "a typical voltage of 2.3 V"),
        (day().replace("-2025 ", "-2125 "), "in the future"),
        (day() + "B1,01-10-2025 00:30:00,1,0,1,230\n", "repeat a meter and stamp"),
        (HEAD.replace("AVG_", "") + "B1,x,1,0,1,2\n", "columns are not those of the vendor file"),
        (HEAD, "nothing was read and nothing refused"),
    ],
)
def test_hints(text, hint):
    r = check(text)
    assert any(hint in h for h in r.hints), f"{hint!r} was expected in {r.hints}"


def test_start_and_end_mixed_up_is_hinted():
    early = day().replace("02-10-2025 00:00:00", "01-10-2025 00:00:00")
    assert any("just before midnight" in h for h in check(early).hints)


def test_registers_off_midnight_and_events():
    head = "METER_NO,MIDNIGHT_TIME,CUMULATIVE_ENERGY_KWH_IMPORT,CUMULATIVE_ENERGY_KWH_EXPORT,CUMULATIVE_ENERGY_KVAH_IMPORT\n"
    r = check(head + "B1,02-10-2025 05:30:00,1,2,3\n", name="dailyload_20251002_060000.csv")
    assert any("not at midnight" in h for h in r.hints)
    e = check("METER_NO,EVENT_TIME,EVENT_CODE\nB1,01-10-2025 14:02:11,101\n", name="event_20251002_060000.csv")
    assert e.kinds[0].values == {"code": 1}
    assert "101" in shown(e)


def test_a_name_without_the_stamp_is_hinted():
    assert any("received_at" in h for h in check(day(), name="sample.csv").hints)


HES = Path(__file__).parent.parent / "data" / "hes"


def test_every_kind_of_profile_is_shown():
    sample = HES / "generic_dlms_json" / "profiles_20261002.json"
    r = check_sample(load_vendor("generic_dlms_json"), sample.name, sample.read_bytes())
    assert [k.kind for k in r.kinds] == ["block", "daily", "event", "instant", "billing", "nameplate", "status"]
    assert next(k for k in r.kinds if k.kind == "billing").values["import_wh"] == 9, "a total and eight zones"
    assert r.ok
    assert not [h for h in r.hints if "scaler" in h or "swapped" in h], r.hints


@pytest.mark.parametrize(
    ("name", "old", "new", "hint"),
    [
        ("block_load.json", '"blockEnergyKvahImport": 101.0', '"blockEnergyKvahImport": 50.0', None),
        ("block_load.json", '"blockEnergyKvahImport": ', '"blockEnergyKvahImport": -', "kVAh is less than kWh in 2 of 2 rows"),
        ("block_load.json", '"blockEnergyKwhExport": 0.0', '"blockEnergyKwhExport": 99999', "are import and export swapped"),
        ("billing.json", '"average_power_factor": 0.97', '"average_power_factor": 97', "a typical power factor of 97"),
    ],
)
def test_hints_of_what_quantities_say_of_each_other(name, old, new, hint):
    text = (HES / "generic_mdas_json" / name).read_text()
    assert old in text
    r = check_sample(load_vendor("generic_mdas_json"), name, text.replace(old, new).encode())
    found = [h for h in r.hints if "swapped" in h or "typical" in h]
    assert bool(found) == (hint is not None), found
    assert hint is None or hint in found[0]
