"""Put a whole simulation on disk: a folder a tenant (registry, truth, vendor_b, vendor_c, hpl) and one manifest.json of what was sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from simulation.feed import build_feed
from simulation.hes_files import write_vendor_b, write_vendor_c
from simulation.hpl import write_hpl
from simulation.model import VENDORS, SimulationConfig
from simulation.physics import build_world
from simulation.tables import write_registry, write_truth

WRITERS = {"hpl": write_hpl, "vendor_b": write_vendor_b, "vendor_c": write_vendor_c}


@dataclass(frozen=True)
class TenantManifest:
    """What one tenant's head-end systems sent.

    `values[vendor][profile]` counts values for block, daily and event: a channel or register at a stamp, or an event.
    """

    code: str
    meters: dict[str, int]
    values: dict[str, dict[str, int]]
    files: dict[str, int]
    defects: dict[str, int]

    def values_sent(self, vendor: str) -> int:
        return sum(self.values[vendor].values())


@dataclass(frozen=True)
class Manifest:
    """The truth for "received", a tenant each."""

    tenants: list[TenantManifest]

    def tenant(self, code: str) -> TenantManifest:
        """Raises KeyError where no tenant has that code."""
        for t in self.tenants:
            if t.code == code:
                return t
        raise KeyError(f"no tenant {code!r} in this simulation: {[t.code for t in self.tenants]}")


def generate(config: SimulationConfig, out: Path, progress: Callable[[str, float], None] | None = None) -> Manifest:
    """Write the simulation below `out` and say what was sent. The same config writes the same bytes.

    `progress` is called with what is being done and the share that is done. Raises FileExistsError where `out` already holds something,
    because left-over files would be taken for data.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: give a new folder, or empty this one")
    out.mkdir(parents=True, exist_ok=True)
    say = progress or (lambda _text, _share: None)
    steps = 2 + len(WRITERS)
    tenants = []
    for t in range(1, config.tenants + 1):
        done = float(t - 1)
        say(f"tenant {t}: loads and losses", done / config.tenants)
        world = build_world(config, t)
        feed = build_feed(world, t)
        folder = out / world.code
        done += 1 / steps
        say(f"tenant {t}: registry and truth", done / config.tenants)
        write_registry(world, t, folder / "registry")
        write_truth(feed, folder / "truth")
        values, files = {}, {}
        for vendor, write in WRITERS.items():
            done += 1 / steps
            say(f"tenant {t}: {vendor}", done / config.tenants)
            values[vendor], files[vendor] = write(feed, folder / vendor)
        tenants.append(
            TenantManifest(
                code=world.code,
                meters={v: world.meters.vendor.count(v) for v in VENDORS},
                values=values,
                files=files,
                defects=dict(sorted(Counter(x.kind for x in feed.defects).items())),
            )
        )
    manifest = Manifest(tenants)
    (out / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    say("done", 1.0)
    return manifest
