"""Files of report schedules: what they mean, and what is said of a wrong one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.reports import catalogue
from api.reports.schedules import config
from api.reports.schedules.config import Schedule, ScheduleError

IST = ZoneInfo("Asia/Kolkata")

GOOD = """\
version: 1
catch_up_h: 3
schedules:
  - name: losses
    reports: [D01, D02]
    formats: [csv, pdf]
    period: yesterday
    cron: "30 7 * * *"
    send:
      - email: [a@acme.example, b@acme.example]
      - folder: /srv/reports
  - name: months
    enabled: false
    reports: all
    period: last_month
    only: month
    cron: "0 4 2 * *"
    send: [{folder: /srv/reports}]
"""


def written(folder: Path, text: str, name: str = "ACME") -> Path:
    path = folder / f"{name}.yml"
    path.write_text(text)
    return path


def test_a_file_as_it_is_meant(tmp_path: Path) -> None:
    found = config.load(written(tmp_path, GOOD))
    losses, months = found.schedules
    assert found.catch_up == timedelta(hours=3)
    assert losses.what == {"reports": ["D01", "D02"], "formats": ["csv", "pdf"], "only": None, "layout": None}
    assert losses.send == (("email", "a@acme.example, b@acme.example"), ("folder", "/srv/reports"))
    assert months.reports == tuple(catalogue())
    assert (months.formats, months.only, months.enabled) == (("xlsx",), "month", False)


def test_dashboards_come_as_pictures_when_yesterday_stands(tmp_path: Path) -> None:
    text = GOOD.replace("reports: [D01, D02]", "dashboards: [operations]").replace("    formats: [csv, pdf]\n    period: yesterday\n", "")
    (schedule, _) = config.load(written(tmp_path, text)).schedules
    assert schedule.what == {"reports": [], "formats": ["png"], "only": None, "layout": None, "dashboards": ["operations"]}
    assert schedule.period == "yesterday"


def test_the_shipped_example_is_good() -> None:
    found = config.load(config.FOLDER / "_example.yml")
    assert [s.layout for s in found.schedules] == [None, None, None, "bee"]
    assert [s.dashboards for s in found.schedules] == [(), (), ("operations", "executive"), ()]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[D01, D02]", "[D01, D99]", "ACME.yml:5: schedules.0.reports: no report has the id D99: see docs/reports.md"),
        ("[D01, D02]", "D01", "ACME.yml:5: schedules.0.reports: is a list of ids, as [D01, D02], or all"),
        ('"30 7 * * *"', '"61 7 * * *"', "ACME.yml:8: schedules.0.cron: '61 7 * * *' is no time: five fields"),
        ('"30 7 * * *"', '"30 7 * * * 0"', "ACME.yml:8: schedules.0.cron: '30 7 * * * 0' is no time: five fields"),
        ('"30 7 * * *"', '"@daily"', "ACME.yml:8: schedules.0.cron: '@daily' is no time: five fields"),
        ("a@acme.example", "nobody", "ACME.yml:10: schedules.0.send.0.email: is a mail address, or a list of such"),
        (
            "folder: /srv/reports\n  - name",
            "folder: reports\n  - name",
            "ACME.yml:11: schedules.0.send.1.folder: 'reports' depends on where",
        ),
        ("period: yesterday", "period: today", "ACME.yml:7: schedules.0.period: 'today' is not allowed. Allowed: yesterday"),
        ("[csv, pdf]", "[csv, doc]", "ACME.yml:6: schedules.0.formats.1: 'doc' is not allowed. Allowed: xlsx, csv"),
        ("name: months", "name: losses", "ACME.yml:12: schedules.1.name: 'losses' stands twice"),
        ("    cron:", "    corn:", "ACME.yml:8: schedules.0.corn: unknown field. Known here: builder, cron"),
        ("reports: [D01, D02]", "builder: 0", "ACME.yml:5: schedules.0.builder:"),
        ("    reports: [D01, D02]\n", "    reports: [D01]\n    builder: 4\n", "ACME.yml:4: schedules.0:"),
        (
            "reports: [D01, D02]",
            "dashboards: [operations]",
            "ACME.yml:6: schedules.0.formats.0: a dashboard comes as png or pdf, not as csv",
        ),
        ("reports: [D01, D02]", "dashboards: [operations]", "ACME.yml:7: schedules.0.period: a dashboard opens with a period of its own"),
        ("[csv, pdf]", "[png]", "ACME.yml:6: schedules.0.formats.0: a dashboard alone comes as png"),
        ("    period: yesterday\n", "", "ACME.yml:4: schedules.0: 'period' is missing. Allowed: yesterday, last_7_days"),
        ("reports: [D01, D02]", "layout: bee", "ACME.yml:6: schedules.0.formats: a layout has a format and periods of its own"),
        ("    reports: [D01, D02]\n", "", "ACME.yml:4: schedules.0: is none of what is understood here: give reports, or layout"),
        ("name: losses", 'name: "a\\nBcc: x@y.example"', "ACME.yml:4: schedules.0.name:"),
        ("version: 1", "version: [", "ACME.yml:"),
    ],
)
def test_a_wrong_file_is_told_with_line_and_field(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(ScheduleError) as e:
        config.load(written(tmp_path, GOOD.replace(old, new, 1)))
    assert said in str(e.value)


def schedule(cron: str, period: str = "yesterday") -> Schedule:
    return Schedule("x", True, ("D01",), None, ("csv",), period, None, cron, (("folder", "/x"),))


def test_times_are_those_of_the_discom() -> None:
    s = schedule("30 7 * * *")
    assert s.due_before(datetime(2026, 10, 5, 2, 0, tzinfo=UTC), IST) == datetime(2026, 10, 5, 2, 0, tzinfo=UTC), "07:30 IST, to the minute"
    assert s.due_before(datetime(2026, 10, 5, 1, 59, 59, tzinfo=UTC), IST) == datetime(2026, 10, 4, 2, 0, tzinfo=UTC)
    assert s.due_after(datetime(2026, 10, 5, 2, 0, tzinfo=UTC), IST) == datetime(2026, 10, 6, 2, 0, tzinfo=UTC)
    early = schedule("30 0 * * *")
    assert early.days(datetime(2026, 10, 4, 19, 0, tzinfo=UTC), IST) == (date(2026, 10, 4), date(2026, 10, 4)), "in India it is the 5th"


def test_days_on_which_clocks_change_have_their_report() -> None:
    london = ZoneInfo("Europe/London")
    at, seen = datetime(2026, 3, 27, 12, tzinfo=UTC), []
    for _ in range(4):
        at = schedule("0 6 * * *").due_after(at, london)
        seen.append(at)
    assert [s.astimezone(london).strftime("%d %H:%M") for s in seen] == ["28 06:00", "29 06:00", "30 06:00", "31 06:00"]


def test_a_discom_has_the_file_of_its_name_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_REPORT_SCHEDULES", str(tmp_path))
    written(tmp_path, GOOD)
    assert config.path_of("ACME") == tmp_path / "ACME.yml"
    for code in ("GLOBEX", "../ACME", "acme", ""):
        assert config.schedules_of(code) is None, f"{code!r} has no file"
