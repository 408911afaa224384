"""Files with one thing wrong each, through the drop folder and the command: the good is landed, the bad is kept with its reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from ingestion.landing import DiscomContext, land
from ingestion.readers import read
from ingestion.transports.file import FolderSummary, land_folder
from ingestion.vendor import load_vendor
from simulation import SimulationConfig, generate
from simulation.bad_files import BadFile, write_bad_files
from warehouse import db
from warehouse.codes import Reason
from warehouse.registry_import import import_registry

pytestmark = pytest.mark.integration

REASON = {
    "wrong_header": Reason.WRONG_HEADER,
    "truncated": Reason.TRUNCATED,
    "not_utf8": Reason.NOT_UTF8,
    "unknown_meter": Reason.UNKNOWN_METER,
    "future_stamp": Reason.FUTURE_STAMP,
    "off_grid": Reason.OFF_GRID,
    "negative": None,
    "not_a_number": Reason.NOT_A_NUMBER,
    "unknown_obis": Reason.UNKNOWN_OBIS,
}
"""What each case is rejected for; None: a rule finds it later."""

KEPT = {
    "wrong_header": "METER_NO",
    "not_utf8": r"\xff\xfe",
    "unknown_meter": "VB99999999",
    "future_stamp": "2026-11-11T04:00:00+00:00",
    "off_grid": "import_wh=",
    "not_a_number": "abc",
    "unknown_obis": "1.0.128.7.0.255",
}
"""What must be found again in the payload that is kept."""


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "w"
    generate(SimulationConfig(tenants=1, consumers=60, dts=2, days=2), out)
    return out / "D01"


@pytest.fixture(scope="module")
def bad(tenant: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, BadFile]:
    return {b.case: b for b in write_bad_files(tmp_path_factory.mktemp("bad"), tenant)}


@pytest.fixture
def loader(database: str, tenant: Path) -> Iterator[psycopg.Connection]:
    with db.connect("meterhouse_owner") as owner:
        import_registry(owner, tenant / "registry")
    with db.connect() as conn:
        yield conn


def land_one(conn: psycopg.Connection, case: BadFile, folder: Path) -> FolderSummary:
    """Land a case: from a drop folder of its own, or as the page that it is."""
    context = DiscomContext.load(conn, "D01")
    vendor = load_vendor(case.vendor)
    if case.vendor == "hpl":
        summary = FolderSummary()
        summary.add(land(conn, context, context.hes_id("HES-HPL"), read(vendor, "page", case.path.read_bytes(), now())))
        return summary
    folder.mkdir(exist_ok=True)
    shutil.copy(case.path, folder)
    return land_folder(conn, context, "HES-B", vendor, folder)


def now() -> datetime:
    return datetime.now(UTC)


def rejected(conn: psycopg.Connection) -> list[tuple[str, str, str, int]]:
    """(reason, locator, payload, values) of everything that was rejected."""
    with conn.transaction():
        return conn.execute("select reason, locator, payload, value_count from raw.rejected order by rejected_id").fetchall()


def stored_values(conn: psycopg.Connection) -> int:
    channels = ("import_wh", "export_wh", "import_vah", "export_vah", "import_varh", "voltage_dv", "current_ma")
    # array_remove: a NULL in the array is no value.
    total = " + ".join(f"coalesce(cardinality(array_remove({c}, null)), 0)" for c in channels)
    with conn.transaction():
        row = conn.execute(f"select coalesce(sum({total}), 0) from raw.profile_fragment").fetchone()
    assert row is not None
    return int(row[0])


def test_every_case_is_tested(bad: dict[str, BadFile]) -> None:
    assert set(bad) == set(REASON)


@pytest.mark.parametrize("case", sorted(REASON))
def test_the_good_is_landed_and_the_bad_is_kept_with_its_reason(
    loader: psycopg.Connection, bad: dict[str, BadFile], case: str, tmp_path: Path
) -> None:
    file, reason = bad[case], REASON[case]
    s = land_one(loader, file, tmp_path / "drop")

    assert s.accepted == file.good_values, f"{case}: {file.good_values} values can be understood"
    assert stored_values(loader) == file.good_values, f"{case}: what was accepted must stand in raw.profile_fragment"
    if file.bad_values is None:
        assert s.rejected >= 1, f"{case}: how much was meant cannot be known, but something must be rejected"
    else:
        assert s.rejected == file.bad_values, f"{case}: {file.bad_values} values cannot be understood"
    assert s.received == s.accepted + s.rejected

    kept = rejected(loader)
    assert {r[0] for r in kept} == ({reason.value} if reason else set()), f"{case}: reasons in raw.rejected"
    assert sum(r[3] for r in kept) == s.rejected, f"{case}: raw.rejected must account for every value"
    assert all(r[1] for r in kept), f"{case}: a rejection must say where it was found"
    if case in KEPT:
        assert any(KEPT[case] in r[2] for r in kept), f"{case}: the payload must be kept, kept is {[r[2][:80] for r in kept]}"


@pytest.mark.parametrize("case", sorted(REASON))
def test_the_same_file_again_adds_nothing(loader: psycopg.Connection, bad: dict[str, BadFile], case: str, tmp_path: Path) -> None:
    file = bad[case]
    land_one(loader, file, tmp_path / "drop")
    before = stored_values(loader)
    again = land_one(loader, file, tmp_path / "drop")
    assert stored_values(loader) == before == file.good_values
    if file.good_values:
        assert (again.landed, again.duplicates, again.received) == (0, 1, 0), f"{case}: the file is known"


def test_a_file_of_which_nothing_is_good_goes_to_failed_and_the_others_to_done(
    loader: psycopg.Connection, bad: dict[str, BadFile], tmp_path: Path
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    cases = [b for b in bad.values() if b.vendor == "vendor_b"]
    for b in cases:
        shutil.copy(b.path, folder)
    s = land_folder(loader, DiscomContext.load(loader, "D01"), "HES-B", load_vendor("vendor_b"), folder)
    failed = {b.path.name for b in cases if not b.good_values}
    assert set(s.failures) == failed == {bad["wrong_header"].path.name}
    assert {p.name for p in (folder / "done").iterdir()} == {b.path.name for b in cases} - failed
    assert (folder / "failed" / f"{bad['wrong_header'].path.name}.error.txt").exists()


def test_the_command_says_how_many_of_each_reason_and_fails(loader: psycopg.Connection, bad: dict[str, BadFile], tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    cases = [b for b in bad.values() if b.vendor == "vendor_b"]
    for b in cases:
        shutil.copy(b.path, folder)
    done = command("land", "files", "-d", "D01", "--hes", "HES-B", str(folder))
    assert done.returncode == 1, f"one file failed whole, so the command must fail:\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    counts = Counter[str]()
    for reason, _, _, values in rejected(loader):
        counts[reason] += values
    assert len(counts) == 7, f"each reason of a file must be there: {counts}"
    said = " ".join(done.stdout.split())
    for reason, n in counts.items():
        assert f"{n} {reason}" in said, f"{n} values of {reason} must be told:\n{done.stdout}"
    assert bad["wrong_header"].path.name in said

    again = command("land", "files", "-d", "D01", "--hes", "HES-B", str(folder / "done"), "--keep")
    assert again.returncode == 0, f"nothing failed:\n{again.stdout}{again.stderr}"
    assert "0 landed, 7 known already, 0 failed" in again.stdout


def test_brackets_in_names_and_contents_are_told_as_they_are(loader: psycopg.Connection, tmp_path: Path) -> None:
    name = "blockload_[bold]_20261002_012000.csv"
    (tmp_path / name).write_text("[/red],[blue]\n1,2\n", encoding="utf-8")
    done = command("land", "files", "-d", "D01", "--hes", "HES-B", str(tmp_path))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr, done.stderr
    assert name in " ".join(done.stdout.split()), done.stdout


def test_an_unknown_page_code_is_told_by_its_code(loader: psycopg.Connection, bad: dict[str, BadFile], tmp_path: Path) -> None:
    land_one(loader, bad["unknown_obis"], tmp_path)
    items = json.loads(bad["unknown_obis"].path.read_text())["items"]
    assert sum(r[3] for r in rejected(loader)) == len(items[0]["entries"]), "one value an entry has the unknown code"


def command(*args: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200", "TERM": "dumb"}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *args], capture_output=True, text=True, timeout=120, env=environment, check=False
    )
