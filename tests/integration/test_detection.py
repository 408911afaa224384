"""Every rule finds what is injected for it, at every size beyond its limit, and nothing else: landed and built as any data."""

from __future__ import annotations

import pytest

from cli.vee import detection
from warehouse.embedded import EmbeddedServer

pytestmark = [pytest.mark.integration, pytest.mark.heavy]


def test_every_rule_finds_its_defects_and_accuses_nobody_else(server: EmbeddedServer) -> None:
    found = detection.detect(server, each=2, clean=20, seed=11)
    assert {r.rule for r in found.rules} == {f"V{n:02}" for n in range(1, 37)} - {"V34"}
    broken = [text for text, held in detection.verdicts(found) if not held]
    assert not broken, "; ".join(broken)
