"""Golden scenarios: tests/scenarios/given_<case>/when/*.csv is what lands and is done, then/*.csv what must come of it.

Days and values are written short: `2026-10-01..2026-10-07` is a row for each of these days, `10x200 2x- 18x(200 220)` the slots of a day
(`-` = no value), `100000+9600` a number that grows by so much each day. What is of `step` 2 lands or is done when the days of step 1 were
built. Stamps are India's time. What a meter is by default stands in METER; a case's meters share a DT of its own, and are installed from
the first to the last day that the case speaks of, unless when/meters.csv says otherwise.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg
import pytest

from ingestion.canonical import Delivery, MeterEvents, MeterValues, Nameplates, ProfileReadings, RegisterReadings, Rejection, StatusWords
from ingestion.landing import DiscomContext, land
from vee.edits import freezing
from vee.edits.errors import EditError
from vee.edits.service import Asked, Change, Decision, Editor, Operation, OperationKind, decide, make
from vee.estimation import profiles
from warehouse import db
from warehouse.codes import EditReason, Quality, Reason
from warehouse.tables import ALL_CHANNELS, REGISTERS

INDIA = ZoneInfo("Asia/Kolkata")
FOLDER = Path(__file__).parent / "scenarios"
METER = {
    "interval_min": "30",
    "category": "domestic",
    "meter_category": "D1",
    "phases": "1",
    "sanctioned_load_w": "5000",
    "voltage_v": "240",
    "i_max_a": "30",
    "register_lsb_wh": "1",
    "mf": "1",
}
ACCEPTED = "initial: {V16: {acceptance: 0}, V19: {acceptance: 0}}\n"
"""Of a few meters, a failing day says nothing about a batch."""
HOLIDAY = date(2026, 10, 2)
OWN_DISCOM = ("overlay.yml", "freezes.csv")
"""What concerns a DISCOM as a whole."""

Row = dict[str, str]


@dataclass
class Case:
    """One scenario. `discom` is the DISCOM that it plays in: one with rules or frozen days of its own has one of its own."""

    folder: Path
    discom: str
    meters: dict[str, Row] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.folder.name.removeprefix("given_")

    def serial(self, short: str) -> str:
        return f"{self.name}/{short}"

    def when(self, what: str) -> list[Row]:
        path = self.folder / "when" / f"{what}.csv"
        return rows_of(path) if path.exists() else []

    def then(self, what: str) -> list[Row]:
        return rows_of(self.folder / "then" / f"{what}.csv")

    @property
    def outcomes(self) -> list[str]:
        return sorted(p.stem for p in (self.folder / "then").glob("*.csv"))

    @property
    def days(self) -> tuple[date, date]:
        """First and last day that readings or registers speak of."""
        found = [d for what in ("readings", "registers") for r in self.when(what) for d in days(r["days"])]
        opening = {d for r in self.when("registers") for d in days(r["days"])} - {d for r in self.when("readings") for d in days(r["days"])}
        own = [d for d in found if d not in opening] or found
        return min(own), max(found)


def rows_of(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    for n, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{path}:{n}: has another number of fields than the header")
    return rows


def days(text: str) -> list[date]:
    first, _, last = text.partition("..")
    begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return [begin + timedelta(days=n) for n in range((end - begin).days + 1)]


def tokens(text: str) -> list[str]:
    """One token a slot. Raises ValueError."""
    out: list[str] = []
    for times, group, single in re.findall(r"(?:(\d+)x)?(?:\(([^)]*)\)|(\S+))", text):
        if not group and re.search(r"[x()]", single):
            raise ValueError(f"{single!r} is no value: write 48x200, 24x(200 220), 200 or -")
        out += (group.split() or [single]) * int(times or 1)
    return out


def slots(text: str) -> list[int | None]:
    """The values of a day. Raises ValueError."""
    return [None if t == "-" else int(t) for t in tokens(text)]


def short(values: list[Any] | None) -> str:
    """As a row of then/ writes a day's values."""
    if values is None:
        return ""
    runs = [(len(list(g)), v) for v, g in groupby(values)]
    return " ".join(f"{n}x{'-' if v is None else v}" if n > 1 else str("-" if v is None else v) for n, v in runs)


def growing(text: str, nth: int) -> int | None:
    if not text:
        return None
    base, _, by = text.partition("+")
    return int(base) + nth * int(by or 0)


def cases() -> list[Case]:
    """Every scenario that is built by the main job. Those of events alone are the matter of test_event_episodes."""
    found = [Case(p, "golden") for p in sorted(FOLDER.glob("given_*"))]
    for case in found:
        if any((case.folder / "when" / own).exists() for own in OWN_DISCOM):
            case.discom = case.name.replace("_", "-")
    return [c for c in found if c.outcomes != ["episodes"]]


def register(code: str, of_discom: list[Case], overlays: Path) -> None:
    """Master data of a DISCOM and its cases, and its overlay."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values (%s, %s)", [code, code])
        discom = conn.execute("select discom_id from registry.discom where code = %s", [code]).fetchone()[0]  # type: ignore[index]
        conn.execute("insert into registry.office (discom_id, code, name, level) values (%s, 'O', 'Office', 'discom')", [discom])
        conn.execute("insert into registry.hes (discom_id, code, vendor) values (%s, 'HES', 'v')", [discom])
        conn.execute("insert into registry.holiday values (%s, %s, 'Gandhi Jayanti')", [discom, HOLIDAY])
        office = conn.execute("select office_id from registry.office where discom_id = %s", [discom]).fetchone()[0]  # type: ignore[index]
        conn.execute("insert into registry.substation (discom_id, code, office_id) values (%s, 'S', %s)", [discom, office])
        conn.execute(
            """insert into registry.feeder (discom_id, code, substation_id, office_id)
               select discom_id, 'F', substation_id, office_id from registry.substation where discom_id = %s""",
            [discom],
        )
        (overlays / f"{code}.yml").write_text(f"discom: {code}\n{ACCEPTED}", encoding="utf-8")
        for case in of_discom:
            _register_case(conn, discom, case)
            _register_inputs(conn, discom, case)
            overlay = case.folder / "when" / "overlay.yml"
            if overlay.exists():
                shutil.copy(overlay, overlays / f"{code}.yml")


def _register_case(conn: psycopg.Connection, discom: int, case: Case) -> None:
    told = {r["serial"]: r for r in case.when("meters")}
    named = [r["serial"] for what in ("readings", "registers", "events", "values", "nameplate", "rejected") for r in case.when(what)]
    first, last = case.days
    for name in dict.fromkeys([*told, *named]):
        row = {**METER, **{k: v for k, v in told.get(name, {}).items() if v}}
        case.meters[name] = row
        dt = f"{case.name}/{row.get('dt', 'DT')}"
        conn.execute(
            """insert into registry.dt (discom_id, code, feeder_id, office_id, capacity_kva)
               select discom_id, %s, feeder_id, office_id, 100 from registry.feeder where discom_id = %s
               on conflict (discom_id, code) do nothing""",
            [dt, discom],
        )
        further = {c: row[c] for c in ("register_digits",) if c in row}
        columns = {
            "discom_id": discom,
            "serial": case.serial(name),
            "category": row["meter_category"],
            **{c: row[c] for c in ("interval_min", "voltage_v", "i_max_a", "register_lsb_wh")},
            **further,
        }
        conn.execute(
            f"insert into registry.meter (hes_id, {', '.join(columns)}) select hes_id, {', '.join(['%s'] * len(columns))} "
            "from registry.hes where discom_id = %s",
            [*columns.values(), discom],
        )
        point = {
            "discom_id": discom,
            "code": case.serial(name),
            "category": row["category"],
            "sanctioned_load_w": row["sanctioned_load_w"],
            "supply_phases": row["phases"],
            **({"tariff": row["tariff"]} if "tariff" in row else {}),
        }
        conn.execute(
            f"insert into registry.service_point (office_id, {', '.join(point)}) select office_id, {', '.join(['%s'] * len(point))} "
            "from registry.office where discom_id = %s",
            [*point.values(), discom],
        )
        place = {"discom": discom, "serial": case.serial(name), "dt": dt}
        if row.get("installed_from", "") != "never":
            conn.execute(
                """insert into registry.installation (discom_id, meter_id, valid_from, valid_to, service_point_id, mf)
                   select m.discom_id, m.meter_id, %(from)s, %(to)s, p.service_point_id, %(mf)s
                   from registry.meter m join registry.service_point p on p.discom_id = m.discom_id and p.code = m.serial
                   where m.discom_id = %(discom)s and m.serial = %(serial)s""",
                place
                | {
                    "from": row.get("installed_from") or first,
                    "to": row.get("installed_to") or last + timedelta(days=1),
                    "mf": row["mf"],
                },
            )
        # An HT consumer hangs on a feeder.
        conn.execute(
            """insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id, feeder_id)
               select p.discom_id, p.service_point_id, '2020-01-01', case when %(ht)s then null else d.dt_id end,
                      case when %(ht)s then d.feeder_id end
               from registry.service_point p join registry.dt d on d.discom_id = p.discom_id and d.code = %(dt)s
               where p.discom_id = %(discom)s and p.code = %(serial)s""",
            place | {"ht": row["category"] == "ht"},
        )
        if row.get("consumer_to"):
            conn.execute(
                """insert into registry.consumer (discom_id, code, service_point_id, valid_from, valid_to)
                   select discom_id, code, service_point_id, '2020-01-01', %(to)s from registry.service_point
                   where discom_id = %(discom)s and code = %(serial)s""",
                place | {"to": row["consumer_to"]},
            )


def _register_inputs(conn: psycopg.Connection, discom: int, case: Case) -> None:
    """What methods of estimation need beside readings: check meters, temperatures (every hour of a day alike)."""
    for row in case.when("check_meters"):
        conn.execute(
            """insert into registry.check_meter (discom_id, meter_id, check_meter_id, ratio, valid_from)
               select m.discom_id, m.meter_id, c.meter_id, %s, '2020-01-01'
               from registry.meter m join registry.meter c on c.discom_id = m.discom_id and c.serial = %s
               where m.discom_id = %s and m.serial = %s""",
            [row["ratio"], case.serial(row["check_meter"]), discom, case.serial(row["serial"])],
        )
    for row in case.when("temperature"):
        for day in days(row["days"]):
            conn.execute(
                """insert into registry.temperature (discom_id, station, at, milli_c)
                   select %s, 'O', at, %s from generate_series(%s::timestamptz, %s::timestamptz, interval '1 hour') at""",
                [
                    discom,
                    round(1000 * float(row["celsius"])),
                    datetime.combine(day, time(0), INDIA),
                    datetime.combine(day, time(23), INDIA),
                ],
            )


def steps(of_discom: list[Case]) -> list[int]:
    kinds = ("readings", "registers", "events", "values", "nameplate", "rejected", "edits", "freezes", "profiles")
    return sorted({int(r.get("step") or 1) for c in of_discom for kind in kinds for r in c.when(kind)})


def land_step(code: str, of_discom: list[Case], step: int) -> None:
    """What the cases have for this step, landed in one delivery for each time of receipt."""
    with db.connect() as conn:
        context = DiscomContext.load(conn, code)
        by_receipt: dict[datetime, Delivery] = {}

        def delivery(received: datetime) -> Delivery:
            key = hashlib.sha256(f"{code} {step} {received}".encode()).digest()
            return by_receipt.setdefault(received, Delivery(f"golden step {step}", key, received))

        for case in of_discom:
            _readings(case, step, delivery)
            _registers(case, step, delivery)
            _events(case, step, delivery)
            _values(case, step, delivery)
            _nameplates(case, step, delivery)
            _rejected(case, step, delivery)
        for received in sorted(by_receipt):
            land(conn, context, context.hes_id("HES"), by_receipt[received])


def _wanted(case: Case, what: str, step: int) -> Iterator[Row]:
    for row in case.when(what):
        if int(row.get("step") or 1) == step:
            yield row


def _received(row: Row, day: date) -> datetime:
    told = row.get("received")
    if told:
        return datetime.fromisoformat(told).replace(tzinfo=INDIA)
    return datetime.combine(day + timedelta(days=1), time(2), INDIA)


def _utc(at: list[datetime]) -> pd.Series:
    return pd.Series(pd.to_datetime(at, utc=True)).dt.as_unit("us")


def _readings(case: Case, step: int, delivery: Any) -> None:
    for row in _wanted(case, "readings", step):
        minutes = int(case.meters[row["serial"]]["interval_min"])
        channels = {c: slots(row[c]) for c in ALL_CHANNELS if row.get(c)}
        count = max(len(v) for v in channels.values())
        for day in days(row["days"]):
            midnight = datetime.combine(day, time(), INDIA)
            received = _received(row, day)
            frame = pd.DataFrame(
                {
                    "serial": case.serial(row["serial"]),
                    "start": _utc([midnight + timedelta(minutes=minutes * n) for n in range(count)]),
                    "received_at": _utc([received] * count),
                    "locator": "golden",
                    **{c: pd.array(v, dtype="Int64") for c, v in channels.items()},
                }
            )
            delivery(received).profiles.append(ProfileReadings(frame.dropna(subset=[*channels], how="all"), minutes))


def _registers(case: Case, step: int, delivery: Any) -> None:
    for row in _wanted(case, "registers", step):
        for nth, day in enumerate(days(row["days"])):
            received = _received(row, day)
            values = {c: pd.array([growing(row[c], nth)], dtype="Int64") for c in REGISTERS if row.get(c)}
            frame = pd.DataFrame(
                {
                    "serial": [case.serial(row["serial"])],
                    "read_at": _utc([datetime.combine(day + timedelta(days=1), time(), INDIA)]),
                    "day": pd.to_datetime([day]),
                    "received_at": _utc([received]),
                    "locator": "golden",
                    **values,
                }
            )
            if row.get("md_import_at"):
                frame["md_import_at"] = _utc([datetime.fromisoformat(row["md_import_at"]).replace(tzinfo=INDIA)])
            delivery(received).registers.append(RegisterReadings(frame))


def _events(case: Case, step: int, delivery: Any) -> None:
    for row in _wanted(case, "events", step):
        at = datetime.fromisoformat(row["occurred_at"]).replace(tzinfo=INDIA)
        received = _received(row, at.date())
        frame = pd.DataFrame(
            {"serial": [case.serial(row["serial"])], "occurred_at": _utc([at]), "received_at": _utc([received]), "locator": "golden"}
        )
        if row["code"]:
            delivery(received).events.append(MeterEvents(frame.assign(code=[int(row["code"])], detail=None)))
        else:
            word = sum(1 << (127 - int(b)) for b in row["status_bits"].replace("-", "").split()).to_bytes(16, "big")
            delivery(received).status_words.append(StatusWords(frame.assign(word=[word])))


def _values(case: Case, step: int, delivery: Any) -> None:
    for row in _wanted(case, "values", step):
        at = datetime.fromisoformat(row["read_at"]).replace(tzinfo=INDIA)
        day = (at - timedelta(seconds=1)).date() if row["profile"] != "instant" else at.date()
        received = _received(row, day)
        frame = pd.DataFrame(
            {
                "serial": [case.serial(row["serial"])],
                "read_at": _utc([at]),
                "day": pd.to_datetime([day]),
                "received_at": _utc([received]),
                "locator": "golden",
                "quantity": row["quantity"],
                "zone": int(row.get("zone") or 0),
                "value": pd.array([int(row["value"])], dtype="Int64"),
                "at": pd.Series([pd.NaT]).dt.tz_localize("UTC").dt.as_unit("us"),
            }
        )
        delivery(received).values.append(MeterValues(frame, row["profile"]))


def _nameplates(case: Case, step: int, delivery: Any) -> None:
    for row in _wanted(case, "nameplate", step):
        at = datetime.fromisoformat(row["read_at"]).replace(tzinfo=INDIA)
        received = _received(row, at.date())
        frame = pd.DataFrame(
            {
                "serial": [case.serial(row["serial"])],
                "read_at": _utc([at]),
                "received_at": _utc([received]),
                "locator": "golden",
                "attribute": row["attribute"],
                "text": row["value"].replace("SELF", case.serial(row["serial"])),
            }
        )
        delivery(received).nameplates.append(Nameplates(frame))


def _rejected(case: Case, step: int, delivery: Any) -> None:
    for row in _wanted(case, "rejected", step):
        at = datetime.fromisoformat(row["stamp"]).replace(tzinfo=INDIA)
        received = _received(row, at.date())
        delivery(received).rejections.append(
            Rejection(Reason(row["reason"]), "golden", "-", values=int(row.get("values") or 1), serial=case.serial(row["serial"]), stamp=at)
        )


def do_step(conn: psycopg.Connection, of_discom: list[Case], step: int) -> None:
    """What people do in this step. An edit that must be refused names the code under `refused`."""
    code = of_discom[0].discom
    row = conn.execute("select discom_id from registry.discom where code = %s", [code]).fetchone()
    assert row is not None
    for case in of_discom:
        for told in _wanted(case, "edits", step):
            _edit(conn, row[0], case, told)
        for told in _wanted(case, "profiles", step):
            with conn.transaction():
                conn.execute("set local role meterhouse_dbt")
                profiles.learn(conn, row[0], date.fromisoformat(told["to"]), 28)
        for told in _wanted(case, "freezes", step):
            editor = Editor(row[0], case.discom, "billing")
            with conn.transaction():
                freezing.freeze(conn, editor, date.fromisoformat(told["first"]), date.fromisoformat(told["last"]), "billed")


def _edit(conn: psycopg.Connection, discom_id: int, case: Case, told: Row) -> None:
    kind, value = OperationKind(told["operation"]), told["value"]
    serial, day = case.serial(told["serial"]), date.fromisoformat(told["day"])
    made = "select max(edit_id) from vee.edit join registry.meter using (discom_id, meter_id) where serial = %s and day = %s"
    operation = Operation(
        kind,
        int(told["first"]),
        int(told["last"]),
        values=tuple(v for v in slots(value) if v is not None) if kind is OperationKind.SET else (),
        factor=Fraction(value) if kind is OperationKind.SCALE else None,
        total_wh=int(value) if kind is OperationKind.SCALE_TO else None,
        from_day=date.fromisoformat(value) if kind is OperationKind.COPY else None,
        edit_id=conn.execute(made, [serial, day]).fetchone()[0] if kind is OperationKind.REVERT else None,  # type: ignore[index]
    )
    asked = Asked([Change(serial, day, "import_wh", (operation,))], EditReason(told["reason"]))
    with pytest.raises(EditError) if told.get("refused") else nullcontext() as refusal:
        with conn.transaction():
            edits, _ = make(conn, Editor(discom_id, case.discom, told["editor"]), asked)
        if told.get("decision"):
            with conn.transaction():
                decide(conn, Editor(discom_id, case.discom, told["by"]), [e["id"] for e in edits], Decision(told["decision"]))
    if refusal:
        assert refusal.value.code == told["refused"], f"{case.folder.name}: {refusal.value}"


def letters(quality: list[int] | None, day_quality: int, count: int) -> list[str]:
    return [Quality(q).letter for q in (quality or [day_quality] * count)]
