"""The report schedules of a DISCOM: read from YAML, checked, ready to be asked what is due. No database here.

METERHOUSE_REPORT_SCHEDULES  folder of <code of the DISCOM>.yml (default: the folder `discoms` here)
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter

from api.reports import periods
from api.reports.catalogue import ReportError, catalogue
from api.reports.layouts import layout_reports
from warehouse import yaml_file

PICTURES = ("png", "pdf")
"""What a dashboard comes as."""
FOLDER = Path(__file__).parent / "discoms"
SCHEMA = Path(__file__).parent / "schedules.schema.json"


class ScheduleError(yaml_file.FileError):
    """A file of schedules is wrong. The message has one line a fault: file, line, field, how to mend it."""


@dataclass(frozen=True)
class Schedule:
    """Reports, a layout, a saved report or dashboards, at the times of `cron` in the DISCOM's zone, to each of `send` (channel, target)."""

    name: str
    enabled: bool
    reports: tuple[str, ...]
    layout: str | None
    formats: tuple[str, ...]
    period: str
    only: str | None
    cron: str
    send: tuple[tuple[str, str], ...]
    builder: int | None = None
    """Id of a report that was saved in the report builder."""
    dashboards: tuple[str, ...] = ()
    """Names in addresses, as operations. They show the periods that they open with; `period` says which day has to be built before."""

    def due_before(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The latest time not after `now` (aware) at which it was due, UTC."""
        at: datetime = croniter(self.cron, now.astimezone(zone) + timedelta(seconds=1)).get_prev(datetime)
        return at.astimezone(UTC)

    def due_after(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The next time after `now` (aware), UTC."""
        at: datetime = croniter(self.cron, now.astimezone(zone)).get_next(datetime)
        return at.astimezone(UTC)

    def days(self, due_at: datetime, zone: ZoneInfo) -> tuple[date, date]:
        """The business days that it reports on when it is due at `due_at`."""
        return periods.NAMED[self.period](due_at.astimezone(zone).date())

    @property
    def what(self) -> dict[str, Any]:
        """What to write, as the outbox keeps it."""
        said: dict[str, Any] = {"reports": list(self.reports), "formats": list(self.formats), "only": self.only, "layout": self.layout}
        if self.builder is not None:
            said["builder"] = self.builder
        if self.dashboards:
            said["dashboards"] = list(self.dashboards)
        return said


@dataclass(frozen=True)
class Schedules:
    """The file of a DISCOM."""

    path: Path
    schedules: tuple[Schedule, ...]
    catch_up: timedelta = timedelta(hours=12)

    def named(self, name: str) -> Schedule:
        """Raises ReportError."""
        for s in self.schedules:
            if s.name == name:
                return s
        raise ReportError(f"{self.path} has no schedule {name!r}: there are {', '.join(repr(s.name) for s in self.schedules) or 'none'}")


def path_of(discom_code: str) -> Path | None:
    """The file of a DISCOM, None where it has none."""
    folder = Path(os.environ.get("METERHOUSE_REPORT_SCHEDULES") or FOLDER)
    return {p.stem: p for p in folder.glob("*.yml")}.get(discom_code)


def schedules_of(discom_code: str) -> Schedules | None:
    """The schedules of a DISCOM as its file has them now, None where it has no file. Raises ScheduleError."""
    path = path_of(discom_code)
    return load(path) if path else None


def load(path: Path) -> Schedules:
    """Read a file. Raises ScheduleError."""
    file = yaml_file.read(path, json.loads(SCHEMA.read_text(encoding="utf-8")), ScheduleError)
    file.refuse(_sense_faults(file.raw))
    raw = file.raw
    return Schedules(path, tuple(map(_schedule, raw["schedules"])), timedelta(hours=raw.get("catch_up_h", 12)))


def _sense_faults(raw: dict[str, Any]) -> Iterator[tuple[yaml_file.Where, str]]:
    """What the schema cannot say."""
    names: set[str] = set()
    for i, s in enumerate(raw["schedules"]):
        at: yaml_file.Where = ("schedules", i)
        if s["name"] in names:
            yield (*at, "name"), f"{s['name']!r} stands twice: what went out is kept by name, give each its own"
        names.add(s["name"])
        if len(s["cron"].split()) != 5 or not croniter.is_valid(s["cron"]):
            yield (
                (*at, "cron"),
                f'{s["cron"]!r} is no time: five fields as "30 7 * * *" (minute, hour, day of the month, month, day of the week)',
            )
        for report_id in s["reports"] if isinstance(s.get("reports"), list) else ():
            if report_id not in catalogue():
                yield (*at, "reports"), f"no report has the id {report_id}: see docs/reports.md"
        if "layout" in s:
            for name in ("formats", "only"):
                if name in s:
                    yield (*at, name), "a layout has a format and periods of its own: leave it out"
        if "dashboards" in s:
            for name in ("period", "only"):
                if name in s:
                    yield (*at, name), "a dashboard opens with a period of its own: leave it out"
        elif "period" not in s:
            yield at, f"'period' is missing. Allowed: {', '.join(periods.NAMED)}"
        for j, kind in enumerate(s.get("formats", ())):
            if "dashboards" in s and kind not in PICTURES:
                yield (*at, "formats", j), f"a dashboard comes as {' or '.join(PICTURES)}, not as {kind}"
            if "dashboards" not in s and kind == "png":
                yield (*at, "formats", j), "a dashboard alone comes as png"
        if "builder" in s and "only" in s:
            yield (*at, "only"), "a saved report says itself which rows it has: leave it out"
        for j, send in enumerate(s["send"]):
            if "folder" in send and not Path(send["folder"]).is_absolute():
                yield (*at, "send", j, "folder"), f"{send['folder']!r} depends on where we are started: write it from / on"


def _schedule(raw: dict[str, Any]) -> Schedule:
    layout = raw.get("layout")
    reports = layout_reports(layout) if layout else raw.get("reports", ())
    return Schedule(
        name=raw["name"],
        enabled=raw.get("enabled", True),
        reports=tuple(catalogue()) if reports == "all" else tuple(reports),
        layout=layout,
        formats=tuple(raw.get("formats", ("png",) if "dashboards" in raw else ("xlsx",))),
        period=raw.get("period", "yesterday"),
        only=raw.get("only"),
        cron=raw["cron"],
        send=tuple(_send(s) for s in raw["send"]),
        builder=raw.get("builder"),
        dashboards=tuple(raw.get("dashboards", ())),
    )


def _send(raw: dict[str, Any]) -> tuple[str, str]:
    ((channel, target),) = raw.items()
    return channel, ", ".join(target) if isinstance(target, list) else target
