"""A synthetic DISCOM with known truth, and the head-end systems that speak for its meters.

It is the other side of the wire: everything is written from docs/hes-formats.md and nothing of the warehouse is imported, so a mistake
in a reader cannot hide behind the same mistake here. Times inside the package are naive Indian Standard Time, as on the meters' clocks.
"""

from simulation.generate import Manifest, TenantManifest, generate
from simulation.model import SimulationConfig
from simulation.server import HplServer

__all__ = ["HplServer", "Manifest", "SimulationConfig", "TenantManifest", "generate"]
