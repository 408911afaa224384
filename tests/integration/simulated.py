"""A simulated DISCOM in the warehouse: made, registered and landed as an operator would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingestion.landing import DiscomContext
from ingestion.transports.file import FolderSummary, land_folder
from ingestion.transports.rest import pull
from ingestion.vendor import load_vendor
from simulation import HplServer, Manifest, SimulationConfig, TenantManifest, generate
from warehouse import db
from warehouse.registry_import import import_registry

IST = ZoneInfo("Asia/Kolkata")
HES = {"hpl": "HES-HPL", "vendor_b": "HES-B", "vendor_c": "HES-C"}
SINCE, UNTIL = datetime(2026, 9, 30, tzinfo=IST), datetime(2026, 10, 15, tzinfo=IST)
TOKEN = "a token of the test"


@dataclass(frozen=True)
class World:
    """One simulated tenant on disk, and what its head-end systems sent."""

    folder: Path
    sent: TenantManifest

    @property
    def code(self) -> str:
        return self.folder.name

    @property
    def truth(self) -> Path:
        return self.folder / "truth"


def simulate(folder: Path, config: SimulationConfig) -> list[World]:
    manifest: Manifest = generate(config, folder)
    return [World(folder / t.code, t) for t in manifest.tenants]


def register(world: World) -> int:
    with db.connect("meterhouse_owner") as conn:
        import_registry(conn, world.folder / "registry")
    with db.connect() as conn:
        return DiscomContext.load(conn, world.code).discom_id


def land_all(world: World, until: datetime = UNTIL) -> dict[str, FolderSummary]:
    """Land the three head-end systems: hpl over HTTP, the others from their folders."""
    landed = {}
    with db.connect() as conn:
        context = DiscomContext.load(conn, world.code)
        for name in ("vendor_b", "vendor_c"):
            landed[name] = land_folder(conn, context, HES[name], load_vendor(name), world.folder / name, keep=True)
        hpl = load_vendor("hpl")
        vendor = replace(hpl, transport=hpl.transport | {"backoff_s": 0.05})
        with pytest.MonkeyPatch.context() as patch, HplServer(world.folder / "hpl", TOKEN, fail_every=7) as server:
            patch.setenv(vendor.transport["token_env"], TOKEN)
            landed["hpl"] = pull(conn, context, HES["hpl"], vendor, server.url, SINCE, until)
    return landed
