"""The command as an operator meets it: help with an example everywhere, one clear line where something is wrong, exit codes.

Each call is a process of its own. What the commands do is tested where it is done.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cli.main import app
from simulation import SimulationConfig, generate
from warehouse.embedded import EmbeddedServer

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

NO_SERVER = "postgresql://postgres@127.0.0.1:9/meterhouse"


def meterhouse(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = os.environ | {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"} | environment
    return subprocess.run([sys.executable, "-m", "cli.main", *args], capture_output=True, text=True, timeout=120, env=settings, check=False)


def refused(*args: str, **environment: str) -> str:
    """What a command says that must fail: one line on standard error."""
    done = meterhouse(*args, **environment)
    said = f"\nstdout: {done.stdout}\nstderr: {done.stderr}"
    assert done.returncode not in (0, 3), f"meterhouse {' '.join(args)} must fail, exit code {done.returncode}{said}"
    assert "Traceback" not in done.stderr + done.stdout, f"an operator's mistake is no crash{said}"
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, f"one line must say it{said}"
    assert lines[0].startswith("error: "), said
    return lines[0]


def commands() -> Iterator[tuple[str, ...]]:
    """The path of every command and sub-command."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield path
        else:
            for name, child in children.items():
                yield from walk(child, (*path, name))

    yield from walk(typer.main.get_command(app), ())


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "w"
    generate(SimulationConfig(tenants=1, consumers=30, dts=2, days=1, clean=True), out)
    return out / "D01"


@pytest.fixture(scope="module")
def registered(module_database: str, tenant: Path) -> str:
    """A database with the master data of D01, imported by the command."""
    done = meterhouse("registry", "import", str(tenant / "registry"))
    assert done.returncode == 0, done.stderr
    assert "meter 34" in done.stdout, "the counts of what changed must be told"
    return module_database


# --- help ---


def test_all_commands_are_there() -> None:
    known = {" ".join(c) for c in commands()}
    assert known >= {"demo", "run", "report", "dagster", "land files", "land rest", "registry import", "hes check"}
    assert known >= {f"db {c}" for c in ("start", "stop", "status", "migrate", "psql")}


@pytest.mark.parametrize("path", sorted(commands()), ids=" ".join)
def test_help_has_an_example(path: tuple[str, ...]) -> None:
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, [*path, "--help"])
    assert done.exit_code == 0, done.output
    assert "Example:" in done.output, f"meterhouse {' '.join(path)} --help must show an example"
    assert f"meterhouse {' '.join(path)}" in " ".join(done.output.split()), "the example must call this very command"


def test_without_a_command_help_is_shown() -> None:
    done = meterhouse()
    assert done.returncode == 2
    assert "demo" in done.stdout + done.stderr


# --- mistakes ---


def test_an_unknown_discom_is_named_with_those_that_are_known(registered: str, tenant: Path) -> None:
    said = refused("land", "files", "-d", "D99", "--hes", "HES-B", "--vendor", "vendor_b", str(tenant / "vendor_b"), "--keep")
    assert "D99" in said
    assert "D01" in said


@pytest.mark.parametrize("command", ["run", "report"])
def test_building_an_unknown_discom_fails(registered: str, command: str) -> None:
    assert "D99" in refused(command, "-d", "D99")


@pytest.mark.parametrize("command", ["run", "report"])
def test_building_an_unknown_discom_fails_also_where_the_days_are_given(registered: str, command: str, tmp_path: Path) -> None:
    where = ["--out", str(tmp_path)] if command == "report" else []
    said = refused(command, "-d", "D99", "--from", "2026-10-01", "--to", "2026-10-01", *where, METERHOUSE_HOME=str(tmp_path))
    assert "D99" in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["Z99", "--month", "2026-10"], "no report has the id 'Z99': there are A0"),
        (["D01", "--month", "2026-13"], "'2026-13' is no month: write it as 2026-10"),
        (["D01", "--month", "2099-01"], "2099-01 lies in the future"),
        (["D01", "--month", "2026-08"], "no day of D01 from 2026-08-01 to 2026-08-31 was built: `meterhouse run --discom D01"),
        (["D01", "--month", "2026-10", "--format", "xlsx,doc"], "no report is written as 'doc': choose of xlsx, csv"),
        (["D01", "--month", "2026-10", "--only", "fortnight"], "--only 'fortnight': choose of day, week"),
        (["D01", "--month", "2026-10", "--from", "2026-10-01"], "--month and --from or --to were given"),
        (["D01", "--all"], "ids of reports and --all were given"),
        (["--layout", "ceo", "--month", "2026-10"], "there is no layout 'ceo': choose of bee, nfms"),
    ],
)
def test_a_report_that_cannot_be_is_refused_in_words(registered: str, args: list[str], said: str, tmp_path: Path) -> None:
    assert said in refused("report", *args, "-d", "D01", "--out", str(tmp_path))
    assert not list(tmp_path.iterdir()), "a refused report must leave no file"


def test_an_unknown_head_end_system_is_named(registered: str, tenant: Path) -> None:
    assert "HES-X" in refused("land", "files", "-d", "D01", "--hes", "HES-X", str(tenant / "vendor_b"))


def test_a_missing_folder_is_named(registered: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    assert missing in refused("land", "files", "-d", "D01", "--hes", "HES-B", missing)


def test_missing_master_data_is_named(registered: str, tmp_path: Path) -> None:
    done = meterhouse("registry", "import", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "nothing was imported" in done.stderr or str(tmp_path / "nowhere") in done.stderr


def test_days_that_run_backwards_are_refused(registered: str) -> None:
    said = refused("run", "-d", "D01", "--from", "2026-10-07", "--to", "2026-10-01")
    assert "2026-10-07" in said
    assert "2026-10-01" in said


def test_estimates_of_days_that_are_not_built_are_not_made_anew(registered: str) -> None:
    days = ("--from", "2026-10-01", "--to", "2026-10-07")
    assert "7 of these days are not built" in refused("vee", "reestimate", "-d", "D01", *days)
    assert "D99" in refused("vee", "reestimate", "-d", "D99", *days)
    assert "lies after" in refused("vee", "reestimate", "-d", "D01", "--from", "2026-10-07", "--to", "2026-10-01")


def test_a_temperature_feed_is_landed_or_refused(registered: str, tmp_path: Path) -> None:
    feed = tmp_path / "t.csv"
    feed.write_text("station,at,celsius\nnowhere,2026-10-05T14:00,31.5\n")
    done = meterhouse("vee", "weather", "-d", "D01", str(feed))
    assert done.returncode == 1
    assert "line 2, column station: 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot be read" in refused("vee", "weather", "-d", "D01", str(tmp_path / "none.csv"))


def test_profiles_of_what_was_never_built_are_not_learnt(registered: str) -> None:
    assert "2026-10-31 is not built" in refused("vee", "profiles", "-d", "D01", "--to", "2026-10-31")


def test_nothing_landed_is_told(registered: str) -> None:
    assert "nothing was landed" in refused("run", "-d", "D01")


def test_an_unknown_vendor_file_is_told_with_those_that_are_known(registered: str, tenant: Path) -> None:
    said = refused("land", "files", "-d", "D01", "--hes", "HES-B", "--vendor", "nobody", str(tenant / "vendor_b"))
    assert "nobody" in said
    assert "vendor_b" in said


def test_a_pull_without_token_names_the_variable(registered: str) -> None:
    args = ("land", "rest", "-d", "D01", "--hes", "HES-HPL", "http://127.0.0.1:9", "--until", "2026-10-08T12:00:00+05:30")
    assert "METERHOUSE_HPL_TOKEN" in refused(*args, METERHOUSE_HPL_TOKEN="")


def test_an_address_that_is_none_is_told_with_its_form(registered: str) -> None:
    args = ("land", "rest", "-d", "D01", "--hes", "HES-HPL", "hes.local", "--until", "2026-10-08T12:00:00+05:30")
    assert "https://host[:port][/path]" in refused(*args, METERHOUSE_HPL_TOKEN="t")


def test_a_database_that_does_not_answer_is_told() -> None:
    done = meterhouse("run", "-d", "D01", METERHOUSE_DATABASE_URL=NO_SERVER)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "127.0.0.1" in done.stderr


def test_psql_without_a_server_is_told(tmp_path: Path) -> None:
    assert "db start" in refused("db", "psql", "-c", "select 1", METERHOUSE_DATABASE_URL="", METERHOUSE_HOME=str(tmp_path))


# --- what they say ---


def test_hes_check_counts_a_sample(tenant: Path) -> None:
    sample = sorted((tenant / "vendor_b").glob("blockload_*"))[0]
    done = meterhouse("hes", "check", "vendor_b", str(sample))
    assert done.returncode == 0, done.stderr
    meters = sum(1 for line in (tenant / "registry" / "meter.csv").read_text().splitlines() if ",HES-B," in line)
    assert f"{meters * 48}" in done.stdout, f"{meters} meters sent 48 blocks each:\n{done.stdout}"
    assert "import_wh" in done.stdout
    assert "30" in done.stdout, "the interval that was seen"


def test_hes_check_of_a_missing_sample_or_vendor_fails(tenant: Path, tmp_path: Path) -> None:
    done = meterhouse("hes", "check", "vendor_b", str(tmp_path / "nowhere.csv"))
    assert done.returncode == 2
    assert "nowhere.csv" in done.stderr
    assert "Traceback" not in done.stderr
    sample = str(next((tenant / "vendor_b").iterdir()))
    assert "nobody" in refused("hes", "check", "nobody", sample)


def test_status_has_its_exit_codes(tmp_path: Path, server: EmbeddedServer) -> None:
    down = meterhouse("db", "status", METERHOUSE_DATABASE_URL="", METERHOUSE_HOME=str(tmp_path))
    assert (down.returncode, down.stdout.startswith("not running")) == (3, True), "3 says that no server runs"
    up = meterhouse("db", "status", METERHOUSE_DATABASE_URL="", METERHOUSE_HOME=str(server.home))
    assert up.returncode == 0, up.stdout + up.stderr
    assert f"127.0.0.1:{server.status().port}" in up.stdout


def test_start_with_a_server_of_ones_own_is_refused() -> None:
    assert "db migrate" in refused("db", "start", METERHOUSE_DATABASE_URL=NO_SERVER)


def test_landing_tells_its_counts(registered: str, tenant: Path) -> None:
    done = meterhouse("land", "files", "-d", "D01", "--hes", "HES-C", str(tenant / "vendor_c"), "--keep")
    assert done.returncode == 0, done.stderr
    assert "0 failed" in done.stdout
    assert "+ 0 rejected" in done.stdout
