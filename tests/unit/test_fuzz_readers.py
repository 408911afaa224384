"""Spoilt payloads over every format that vendor files describe: nothing escapes, nothing is lost, memory stays where it was.

METERHOUSE_FUZZ says how many in all (10,000 by default) and METERHOUSE_FUZZ_SEED where their seeds begin.
"""

from __future__ import annotations

import os
import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingestion.fragments import MeterLookup
from ingestion.landing import DiscomContext, _sort_out
from ingestion.readers import read
from ingestion.vendor import load_vendor
from tests.fuzz import mutations

FOLDER = Path(__file__).parent.parent / "data" / "hes"
SAMPLES = {
    # Most are small payloads, which are read in a tenth of the time of the large ones.
    "generic_hex_obis/01_00_63_01_00_FF_20261001.csv": 0.18,
    "generic_hex_obis/01_00_63_02_00_FF_20261002.csv": 0.18,
    "generic_mdas_json/billing.json": 0.16,
    "generic_mdas_json/block_load.json": 0.16,
    "generic_mdas_json/events.json": 0.16,
    "generic_loggers/loggers_20261002.json": 0.04,
    "generic_edis/readout_20261002.json": 0.04,
    "generic_makes/profiles_20261002.json": 0.04,
    "generic_dlms_json/profiles_20261002.json": 0.02,
    "generic_mios/CDF_MI000001.xml": 0.02,
}
"""Sample -> its share of the payloads."""
COUNT = int(os.environ.get("METERHOUSE_FUZZ", "10000"))
SEED = int(os.environ.get("METERHOUSE_FUZZ_SEED", "0"))
ARRIVAL = datetime(2026, 10, 3, tzinfo=UTC)
SERIALS = ["HP1000001", "MA000001", "MB000001", "MD000001", "MI000001", "HX000001", "ED000001"]
ACME = DiscomContext("acme", 1, ZoneInfo("Asia/Kolkata"), MeterLookup.of(SERIALS, range(1, 8), [30] * 7), {"h": 1})
HANG_S = 20
"""A guard against endless loops, no measure of speed."""


@pytest.mark.parametrize("sample", SAMPLES)
def test_spoilt_payloads(sample: str) -> None:
    path = FOLDER / sample
    vendor, good = load_vendor(path.parent.name), path.read_bytes()
    read(vendor, path.name, good, ARRIVAL)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = []
    for seed, spoilt in mutations(good, max(1, round(COUNT * SAMPLES[sample])), SEED):
        begun = time.process_time()
        try:
            delivery = read(vendor, path.name, spoilt, ARRIVAL)
            # What landing would do of it: raises where accepted + rejected is not what was received.
            sorted_out = _sort_out(ACME, delivery)
        except Exception as e:
            e.add_note(f"mutate({path}, seed={seed})")
            raise
        took.append(time.process_time() - begun)
        assert took[-1] < HANG_S, f"seed {seed} hangs"
        assert sorted_out.accepted + sorted_out.rejected == delivery.values_read + delivery.values_rejected, f"seed {seed}"
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 300, f"{grown_mb:.0f} MB more after {len(took)} payloads"
    each, worst = 1000 * sum(took) / len(took), 1000 * max(took)
    print(f"{path.name}: {len(took)} payloads, {each:.1f} ms of CPU each, worst {worst:.0f} ms, {grown_mb:.0f} MB")
