"""The example plug-in as an operator installs it: into a folder of its own, without a network, and then found by its entry points."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingestion import plugins
from ingestion.vendor import VendorError, load_vendor

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "vendor_plugin"

READ = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from ingestion.readers import read
from ingestion.vendor import load_vendor, names

path = Path(sys.argv[1])
d = read(load_vendor("iec62056_21"), path.name, path.read_bytes(), datetime(2026, 10, 3, tzinfo=UTC))
f = d.values[0].frame
print(json.dumps({
    "known": "iec62056_21" in names(),
    "values": [[s, q, int(v)] for s, q, v in zip(f["serial"], f["quantity"], f["value"], strict=True)],
    "read_at": sorted({str(t) for t in f["read_at"]}),
    "demand_at": [str(t) for t in f["at"].dropna()],
    "rejected": sorted([r.reason, r.code, r.values] for r in d.rejections),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the example."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(EXAMPLE, source)
    target = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--quiet",
        "--target",
        str(target),
    ]
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"the plug-in must install without a network: {done.stderr}"
    return target


def read_sample(installed: Path, sample: Path) -> dict[str, Any]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(installed)])}
    command = [sys.executable, "-c", READ, str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False, cwd=installed)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_example_reads_its_sample(installed: Path) -> None:
    found = read_sample(installed, EXAMPLE / "sample" / "two_meters.readout")
    assert found["known"], "the vendor file of the plug-in must be listed"
    assert found["values"] == [
        ["IE000001", "import_wh", 74_860_900],
        ["IE000001", "export_wh", 12_500],
        ["IE000001", "md_import_w", 3210],
        ["IE000001", "voltage_r_mv", 231_400],
        ["IE000001", "power_factor_milli", 970],
        ["IE000002", "import_wh", 5100],
    ]
    assert found["read_at"] == ["2026-10-02 04:00:15+00:00", "2026-10-02 04:01:01+00:00"]
    assert found["demand_at"] == ["2026-09-14 14:00:00+00:00"]
    assert found["rejected"] == [
        ["MALFORMED", None, 1],
        ["MALFORMED", None, 1],
        ["UNKNOWN_OBIS", "81.7.0", 1],
    ], "a line that is none, the line that was cut off, and a code that nobody mapped"


def test_without_the_plug_in_its_vendor_file_says_what_is_missing() -> None:
    with pytest.raises(VendorError, match=r"iec62056_21\.yml:8: payload\.format: iec62056_21 is not known: csv_long, .*must be installed"):
        load_vendor(EXAMPLE / "iec62056_21" / "iec62056_21.yml")
    with pytest.raises(LookupError, match="install the plug-in beside Meterhouse"):
        plugins.reader("iec62056_21")
