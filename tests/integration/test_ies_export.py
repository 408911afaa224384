"""Readings out of a real warehouse as India Energy Stack MeterData: they fit the standard's schema, and read back they are the same."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
from typer.testing import CliRunner

from cli.main import app
from ingestion import ies
from ingestion.landing import DiscomContext, land
from ingestion.readers import read
from ingestion.vendor import load_vendor
from orchestration import dbt
from vee.estimation.job import estimate
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

A, B = 1, 2
DAY, NEXT = date(2026, 10, 30), date(2026, 10, 31)
RECEIVED = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)

# DISCOM A has readings, B has the same meters and nothing else. Meter 1 lacks blocks 21 and 22 of its first day, which are estimated, and
# the last two, which nothing can be estimated from. Meter 2 has every channel, with a gap in the voltage. Meter 3 has blocks of 15 minutes.
REGISTRY = """
insert into registry.discom (discom_id, code, name) overriding system value values (%(d)s, %(code)s, %(code)s);
insert into registry.office (discom_id, office_id, code, name, level) overriding system value values (%(d)s, 1, 'D', 'D', 'discom');
insert into registry.substation (discom_id, substation_id, code, office_id) overriding system value values (%(d)s, 1, 'SS', 1);
insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id) overriding system value
  values (%(d)s, 1, 'F', 1, 1);
insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva) overriding system value
  values (%(d)s, 1, 'DT', 1, 1, 100);
insert into registry.hes (discom_id, hes_id, code, vendor) overriding system value values (%(d)s, 1, 'IES', 'ies_meterdata');
insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w) overriding system value
  select %(d)s, n, 'SP' || n, 1, 'domestic', 20000 from generate_series(1, 3) n;
insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
  select %(d)s, n, '2026-01-01', 1 from generate_series(1, 3) n;
insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min) overriding system value
  select %(d)s, n, 'M' || n, 1, 'D1', case n when 3 then 15 else 30 end from generate_series(1, 3) n;
insert into registry.installation (discom_id, meter_id, valid_from, service_point_id, mf)
  select %(d)s, n, '2026-01-01', n, case n when 3 then 40 else 1 end from generate_series(1, 3) n;
"""
RISING = """
create function pg_temp.a(first integer) returns integer[] language sql
  as 'select array_agg(first + n order by n) from generate_series(0, 47) n'"""
READINGS = """
insert into raw.batch (discom_id, batch_id, hes_id, source, content_sha256, received_at, values_received, values_accepted, values_rejected)
  overriding system value values (1, 1, 1, 'test', '', %(received)s, 1, 1, 0);
insert into raw.profile_fragment
  (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq,
   import_wh, export_wh, import_vah, export_vah, import_varh, voltage_dv, current_ma)
  select 1, day, 2, 0, 30, %(received)s, 1, 2,
         pg_temp.a(95), pg_temp.a(7), pg_temp.a(101), pg_temp.a(8), pg_temp.a(33),
         array_replace(pg_temp.a(2314), 2320, null), pg_temp.a(1234)
  from (values (%(day)s::date), (%(next)s)) d(day);
insert into raw.profile_fragment
  (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq, import_wh, export_wh) values
  (1, %(day)s, 1, 0, 30, %(received)s, 1, 1, array_fill(100, array[20]) || '{null,null}'::integer[] || array_fill(100, array[24]), null),
  (1, %(next)s, 1, 0, 30, %(received)s, 1, 1, array_fill(100, array[48]), null),
  (1, %(day)s, 3, 0, 15, %(received)s, 1, 3, array_fill(333, array[96]), array_fill(0, array[96])),
  (1, %(next)s, 3, 0, 15, %(received)s, 1, 3, array_fill(333, array[96]), array_fill(0, array[96]));
insert into raw.register_reading
  (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh, export_wh, md_import_w, md_import_at) values
  (1, %(day)s, 1, '2026-10-31 00:00+05:30', %(received)s, 1, 1, 74860905, 12, 8420, '2026-10-30 19:30+05:30'),
  (1, %(next)s, 1, '2026-11-01 00:00+05:30', %(received)s, 1, 1, 74865705, null, null, null),
  (1, %(day)s, 2, '2026-10-31 00:00:07+05:30', %(received)s, 1, 1, 5, 6, null, null);
insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq, detail) values
  (1, %(day)s, 1, '2026-10-30 14:02:11+05:30', 101, %(received)s, 1, 1, '{"eventName": "POWER_FAIL", "sequence": 7, "phase": "odd"}'),
  (1, %(day)s, 1, '2026-10-30 14:02:11+05:30', 101, %(received)s, 1, 2, '{"eventName": "POWER_FAIL", "sequence": 7, "column": "x"}'),
  (1, %(day)s, 1, '2026-10-30 14:12:11+05:30', 102, %(received)s, 1, 3, null),
  (1, %(day)s, 1, '2026-10-30 15:12:11+05:30', 0, %(received)s, 1, 4, null);
insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message, state)
  values (1, %(day)s, 1, 'V07', 'initial', 'fail', 'estimate', 'four blocks are missing', 'open');
"""


@pytest.fixture(scope="module")
def built(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a warehouse in which dbt has built the two days of DISCOM A."""
    with psycopg.connect(module_database) as conn:
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event", "vee.exception"):
            conn.execute("select ops.ensure_month(%s::regclass, %s, %s)", [table, DAY, date(2026, 11, 1)])
        cursor = psycopg.ClientCursor(conn)
        for discom_id, code in ((A, "A"), (B, "B")):
            cursor.execute(REGISTRY, {"d": discom_id, "code": code})
        conn.execute(RISING)
        cursor.execute(
            READINGS.replace(" a(", " pg_temp.a(").replace("(a(", "(pg_temp.a("), {"day": DAY, "next": NEXT, "received": RECEIVED}
        )
    dbt.run(["seed"])
    dbt.run(["run"], {"discom_id": 1, "from_day": DAY.isoformat(), "to_day": NEXT.isoformat()})
    # As if the day after had not come: then nothing tells of the last intervals.
    overlays = tmp_path_factory.mktemp("overlays")
    (overlays / "A.yml").write_text("discom: A\nestimation: {order: [linear], like_days_after: 0}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_OVERLAYS", str(overlays))
        estimate(A, "A", DAY, DAY)
    return module_database


@pytest.fixture
def api(built: str) -> Iterator[psycopg.Connection]:
    with db.connect("meterhouse_api", autocommit=True) as conn:
        yield conn


def exported(api: psycopg.Connection, **wanted: Any) -> tuple[bytes, ies.Counts]:
    out = io.BytesIO()
    counts = ies.export(api, A, DAY, NEXT, out, check=True, **wanted)
    return out.getvalue(), counts


def of_type(payload: bytes, kind: str) -> list[dict[str, Any]]:
    return [p for p in json.loads(payload) if p["profileType"] == kind]


def test_the_whole_payload_fits_the_schema(api: psycopg.Connection) -> None:
    payload, counts = exported(api)
    jsonschema.Draft202012Validator(json.loads(ies.SCHEMA.read_text())).validate(json.loads(payload))
    assert counts.profiles == len(json.loads(payload))
    assert [len(of_type(payload, k)) for k in ("INTERVAL", "DAILY", "EVENT")] == [6, 2, 1]
    assert counts.left_out == 3, "two registers read 7 s after midnight and an event without a code"


def test_our_copy_of_the_schema_is_the_published_one(real_data: Path) -> None:
    published = real_data / "india_energy_stack" / "MeterData-v0.6" / "schema.json"
    assert ies.SCHEMA.read_bytes() == published.read_bytes()
    assert (ies.SCHEMA.parent / "LICENSE").read_bytes() == (real_data / "india_energy_stack" / "LICENSE").read_bytes()


def test_descriptors_stand_before_their_first_use(api: psycopg.Connection) -> None:
    declared: dict[str, dict[str, Any]] = {}
    for p in json.loads(exported(api)[0]):
        if p["profileType"] == "DESCRIPTOR":
            declared |= {s["name"]: s for s in p["payloadDescriptorSets"]}
        elif "payloadDescriptorSetRef" in p:
            assert p["payloadDescriptorSetRef"] in declared
    assert len(declared) == 5, "three sets of channels, two of registers: each is declared once"
    first = declared["INTERVAL-1"]["payloadDescriptors"][0]
    assert first == {
        "readingType": "kWh imp block",
        "obis": "1.0.1.29.0.255",
        "unit": "kWh",
        "flowDirection": "IMPORT",
        "reportedMode": "USAGE",
    }


def test_values_status_and_method_of_an_estimated_day(api: psycopg.Connection) -> None:
    day = of_type(exported(api, serials=["M1"])[0], "INTERVAL")[0]
    assert day["intervalPeriod"] == {"start": "2026-10-30T00:00:00+05:30", "duration": "PT30M"}
    rows = {i["id"]: i for i in day["intervals"]}
    assert rows[0] == {"id": 0, "payloads": [0.1, "VALID"]}
    assert rows[20]["payloads"][1] == "ESTIMATED"
    assert rows[20]["overrides"] == [{"descriptorIndex": 0, "source": "MDM_COMPUTED", "changeMethod": "EST_LIN"}]
    assert sorted(set(range(48)) - set(rows)) == [46, 47], "what could not be estimated is not there"


def test_a_slot_that_lacks_a_channel_has_readings_of_its_own(api: psycopg.Connection) -> None:
    rows = {i["id"]: i for i in of_type(exported(api, serials=["M2"])[0], "INTERVAL")[0]["intervals"]}
    assert rows[0]["payloads"] == [0.095, 0.007, 0.101, 0.008, 0.033, 231.4, 1.234, "VALID"]
    kinds = [r["readingType"] for r in rows[6]["readings"]]
    assert "1.0.12.27.0.255" not in kinds
    assert len(kinds) == 6
    assert rows[6]["readings"][0] == {"readingType": "kWh imp block", "value": 0.101, "validationStatus": "VALID"}


def test_registers_and_events(api: psycopg.Connection) -> None:
    payload, _ = exported(api, serials=["M1"])
    first, second = of_type(payload, "DAILY")
    assert first["intervals"] == [{"id": 0, "payloads": [74860.905, 0.012, 8.42, "2026-10-30T19:30:00+05:30"]}]
    assert second["intervals"] == [{"id": 0, "payloads": [74865.705]}]
    assert of_type(payload, "EVENT")[0]["events"] == [
        {"timestamp": "2026-10-30T14:02:11+05:30", "eventId": 101, "eventName": "POWER_FAIL", "sequence": 7},
        {"timestamp": "2026-10-30T14:12:11+05:30", "eventId": 102},
    ]


def test_what_was_exported_lands_elsewhere_as_the_same(api: psycopg.Connection, built: str) -> None:
    payload, counts = exported(api)
    delivery = read(load_vendor("ies_meterdata"), "a.json", payload, RECEIVED)
    assert delivery.rejections == []
    assert delivery.values_read == counts.values + counts.events
    with db.connect(autocommit=True) as conn:
        result = land(conn, DiscomContext.load(conn, "B"), 1, delivery)
        assert result is not None
    with psycopg.connect(built) as conn:
        channels = ("import_wh", "export_wh", "import_vah", "export_vah", "import_varh", "voltage_dv", "current_ma")
        for c in channels:
            slots = """
                select day, meter_id, {start} + n - 1 as slot, v from {table} t, unnest({c}) with ordinality u(v, n)
                where discom_id = {d} and v is not null order by 1, 2, 3"""
            ours = conn.execute(slots.format(start="0", table="vee.final_day", c=c, d=1)).fetchall()
            theirs = conn.execute(slots.format(start="start_slot", table="raw.profile_fragment", c=c, d=2)).fetchall()
            assert ours == theirs, f"{c} changed on its way out and in"
            assert ours, c
        registers = (
            "select day, read_at, import_wh, export_wh, md_import_w, md_import_at from raw.register_reading "
            "where discom_id = {} and meter_id = 1 order by 1"
        )
        assert conn.execute(registers.format(1)).fetchall() == conn.execute(registers.format(2)).fetchall()
        events = "select distinct occurred_at, code from raw.event where discom_id = {} and code > 0 order by 1"
        assert conn.execute(events.format(1)).fetchall() == conn.execute(events.format(2)).fetchall()
        estimated = conn.execute(
            "select quality from raw.profile_fragment where discom_id = 2 and meter_id = 1 and day = %s", [DAY]
        ).fetchone()
        assert estimated is not None
        assert [k for k, q in enumerate(estimated[0]) if q == 6] == [20, 21]


@pytest.mark.parametrize(
    ("discom", "first", "last", "meters", "says"),
    [
        (9, DAY, NEXT, None, "no DISCOM with the id 9"),
        (A, NEXT, DAY, None, "before it begins"),
        (A, DAY, NEXT, ["M1", "M9"], "no meter M9"),
        (A, date(2020, 1, 1), date(2020, 1, 2), None, "nothing from 2020-01-01"),
    ],
)
def test_what_cannot_be_exported(
    api: psycopg.Connection, discom: int, first: date, last: date, meters: list[str] | None, says: str
) -> None:
    with pytest.raises(ies.ExportError, match=says):
        ies.export(api, discom, first, last, io.BytesIO(), serials=meters)


def test_the_command_writes_a_file_or_nothing(built: str, tmp_path: Path) -> None:
    run = CliRunner()
    out = tmp_path / "readings.json"
    said = run.invoke(
        app, ["hes", "export-ies", "-d", "A", "--from", "2026-10-30", "--to", "2026-10-31", "--meter", "M1", "--check", str(out)]
    )
    assert said.exit_code == 0, said.output
    assert {p["meterRefs"][0]["value"] for p in json.loads(out.read_bytes()) if "meterRefs" in p} == {"M1"}
    said = run.invoke(app, ["hes", "export-ies", "-d", "Z", "--from", "2026-10-30", "--to", "2026-10-31", str(tmp_path / "z.json")])
    assert said.exit_code != 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["readings.json"], "a failure leaves no half file"
