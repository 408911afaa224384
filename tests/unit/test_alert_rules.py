"""Files of alert rules: which holds for a DISCOM, what is refused and how it is said, and what a rule is true of."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from ingestion.alerts.rules import FOLDER, AlertRuleError, EventCondition, load, path_of, rules_of
from ingestion.events import DICTIONARY

GOOD = """version: 1
backfill_after_h: 6
rules:
  - name: cover
    when: {event: [meter_cover_opened, UNKNOWN_777]}
    severity: major
    throttle_min: 5
    send:
      - {webhook: "https://control.example/alerts"}
      - {work_order: inspection}
  - name: volts
    when: {channel: voltage_dv, above: 2700, slots: 2}
outage: {window_min: 3, dt_share: 0.8}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METERHOUSE_ALERT_RULES", str(tmp_path))
    return tmp_path


def test_the_rules_that_come_with_us_are_good() -> None:
    for path in FOLDER.glob("*.yml"):
        assert load(path).rules
    assert not any(r.send for r in load(FOLDER / "default.yml").rules), "whoever installs us says who is told"


def test_a_file_of_the_discom_before_the_default_before_ours(folder: Path) -> None:
    assert path_of("acme") == FOLDER / "default.yml"
    (folder / "default.yml").write_text(GOOD)
    assert path_of("acme") == folder / "default.yml"
    (folder / "acme.yml").write_text(GOOD)
    assert (path_of("acme"), path_of("globex")) == (folder / "acme.yml", folder / "default.yml")
    rules = rules_of("acme")
    assert rules.backfill_after == timedelta(hours=6)
    assert (rules.outage.window, rules.outage.dt_share, rules.outage.feeder_share) == (timedelta(minutes=3), 0.8, 0.5)
    cover, volts = rules.rules
    assert cover.send == (("webhook", "https://control.example/alerts"), ("work_order", "inspection"))
    assert (volts.channel.slots, volts.throttle, volts.severity) == (2, timedelta(minutes=60), None)


def test_one_file_may_be_for_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mine.yml").write_text(GOOD)
    monkeypatch.setenv("METERHOUSE_ALERT_RULES", str(folder / "mine.yml"))
    assert path_of("acme") == folder / "mine.yml"
    monkeypatch.setenv("METERHOUSE_ALERT_RULES", str(folder / "gone.yml"))
    with pytest.raises(AlertRuleError, match=r"gone.yml: cannot be read"):
        rules_of("acme")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("meter_cover_opened", "cover_open", r"bad.yml:5: rules.0.when.event: no event is called cover_open: see ingestion/events"),
        ("name: volts", "name: cover", r"bad.yml:11: rules.1.name: 'cover' stands twice: .* give each its own"),
        ("voltage_dv", "voltage_v", r"bad.yml:12: rules.1.when.channel: voltage_v is none. There are: import_wh"),
        ("above: 2700, ", "", r"bad.yml:12: rules.1.when: has no limit: add above or below"),
        ("severity: major", "severity: high", r"bad.yml:6: rules.0.severity: 'high' is not allowed. Allowed: critical, major, minor, info"),
        ("throttle_min", "throttle", r"bad.yml:7: rules.0.throttle: unknown field. Known here: name, send, severity, throttle_min, when"),
        ("channel: voltage_dv, ", "", r"bad.yml:12: rules.1.when: is none of what is understood here: give event, or family"),
        ("channel: voltage_dv", "channel: voltage_dv, event: overload", r"bad.yml:12: rules.1.when: is none of what"),
        ("{event: [meter_cover_opened, UNKNOWN_777]}", "{event: overload, slots: 2}", r"bad.yml:5: rules.0.when.slots: needs a channel"),
        ("https://control.example/alerts", "control room", r"bad.yml:9: rules.0.send.0.webhook: 'control room' does not match"),
        ("dt_share: 0.8", "dt_share: 80", r"bad.yml:13: outage.dt_share: 80 is greater than the maximum of 1"),
        ("version: 1", "version: 1: 2", r"bad.yml:1: not YAML: .* Quote texts"),
        ("rules:", "rule:", r"bad.yml:1: file: 'rules' is a required property: add it"),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_remedy(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in GOOD
    (tmp_path / "bad.yml").write_text(GOOD.replace(before, after))
    with pytest.raises(AlertRuleError, match=said):
        load(tmp_path / "bad.yml")


def test_a_file_that_is_spoiled_while_we_run_leaves_the_rules_that_were_good(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = folder / "spoiled.yml"
    path.write_text(GOOD)
    good = rules_of("spoiled")
    path.write_text(GOOD.replace("severity: major", "severity: high"))
    os.utime(path, ns=(1, 1))
    assert rules_of("spoiled") == good
    assert "'high' is not allowed" in caplog.text
    path.write_text(GOOD.replace("severity: major", "severity: minor"))
    os.utime(path, ns=(2, 2))
    assert rules_of("spoiled").rules[0].severity == "minor", "mended rules hold at once"


@pytest.mark.parametrize(
    ("condition", "codes"),
    [
        (EventCondition(events=frozenset({"over_voltage_restored"})), {8}),
        (EventCondition(events=frozenset({"UNKNOWN_777"})), {777}),
        (EventCondition(families=frozenset({"over_voltage"})), {7}),
        (EventCondition(log="voltage"), {1, 7, 9}),
        (EventCondition(min_severity="major"), {1, 7, 251}),
        (EventCondition(min_severity="critical"), {251}),
        (EventCondition(min_severity="info"), {1, 7, 9, 151, 251, 777}),
    ],
)
def test_what_a_condition_holds_for(condition: EventCondition, codes: set[int]) -> None:
    held = {c for c in (1, 2, 7, 8, 9, 10, 151, 251, 777) if condition.holds(DICTIONARY.resolve(None, None, c))}
    assert held == codes, "restorations count only where they are named"
