"""What must hold of the container set-up, read from its files: pinned, no secret in it, checked for health, no rights, no telemetry."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
OURS = sorted(set(SERVICES) - {"postgres", "redis"})
LONG_RUNNING = sorted(set(SERVICES) - {"migrate"})


def test_the_services_are_there() -> None:
    assert sorted(SERVICES) == [
        *("alerts", "api", "commands", "dagster-daemon", "dagster-webserver", "migrate", "postgres", "redis", "superset"),
    ]


def test_images_have_a_version() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE, re.MULTILINE))
    images = [s["image"] for s in SERVICES.values()] + [i for i in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) if i not in stages]
    for image in images:
        tag = image.partition(":")[2]
        assert re.search(r"\d+\.\d+", tag), f"{image} has no version: another day gives another image"
        assert "latest" not in tag


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_services_that_stay_say_whether_they_are_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD", f"{name} has no health check"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_no_secret_stands_in_the_file() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    for line in re.findall(r"^\s*\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*:.*$", text, re.MULTILINE):
        assert re.search(r":\s*\$\{\w+:\?", line), f"a secret has a value or a default: {line.strip()}"
    for credentials in re.findall(r"postgresql://[^:/\s]+:([^@\s]+)", text.replace(" ", "")):
        assert credentials.startswith("${METERHOUSE_DB_PASSWORD:?"), "a URL holds a password"


def test_nothing_that_asks_no_one_who_they_are_is_reachable_from_outside() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is published to the network: {port}"
    assert not {"postgres", "redis"} & {name for name, service in SERVICES.items() if "ports" in service}


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_no_rights_they_do_not_need(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["alerts", "api", "commands", "dagster-webserver", "superset"])
def test_work_starts_after_the_migrations(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_all_packages_are_in_the_image() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]
    taken = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert not [p for p in packages if f"!{p}" not in taken], "what is imported is not copied into the image"


def test_each_service_is_built_to_a_stage_that_is_there() -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE, re.MULTILINE)
    for name in OURS:
        assert SERVICES[name]["build"]["target"] in stages, name
    assert SERVICES["dagster-daemon"]["build"] == SERVICES["superset"]["build"], "the daemon mails dashboards, for which it needs a browser"


def test_the_image_is_reproducible_and_runs_without_root() -> None:
    installs = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if "pip install" in line and not line.startswith("#")]
    for part in re.split("&&", " && ".join(installs)):
        if "pip install" in part:
            assert "--require-hashes" in part or "--no-deps --no-build-isolation -e ." in part, f"not pinned by hash: {part.strip()}"
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users, "the image runs as root"
    assert users[-1] not in ("0", "root")


def test_nothing_sends_telemetry() -> None:
    for setting in ("DBT_SEND_ANONYMOUS_USAGE_STATS=false", "GX_ANALYTICS_ENABLED=False", "DO_NOT_TRACK=1"):
        assert setting in DOCKERFILE
    assert "timescaledb.telemetry_level=off" in SERVICES["postgres"]["command"]
