"""Import of master data: idempotent, all or nothing, and every fault said with file, line, column and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from warehouse import db
from warehouse.registry_import import RegistryImportError, import_registry

pytestmark = pytest.mark.integration

MASTER = {
    "discom": "code,name,timezone\nacme,Acme Vidyut,\n",
    "office": "code,name,level,parent_code\nS1,Section 1,section,D1\nD1,Division 1,division,\n",
    "substation": "code,name,office_code\nSS1,,D1\n",
    "feeder": "code,name,substation_code,office_code,voltage_kv\nF1,Feeder 1,SS1,D1,\nF2,Feeder 2,SS1,D1,33\n",
    "dt": "code,feeder_code,office_code,capacity_kva\nT1,F1,S1,100\n",
    "service_point": 'code,office_code,category,sanctioned_load_w,supply_phases\nP1,S1,"LT, domestic",2000,\nP2,S1,LT,3000,3\n',
    "consumer": "code,name,service_point_code,valid_from,valid_to\nC1,Asha,P1,2020-01-01,\n",
    "hes": "code,vendor\nh1,vendor_b\n",
    "meter": "serial,hes_code,make,firmware,category,interval_min,voltage_v,i_max_a,register_lsb_wh\n"
    "M1,h1,,,D1,30,230,60,\nM2,h1,Make,1.0,D2,15,240,100.5,10\n",
    "installation": "meter_serial,valid_from,valid_to,service_point_code,dt_code,feeder_code,mf\n"
    "M1,2020-01-01,2025-01-01,P1,,,\nM1,2025-01-01,,P2,,,1\nM2,2020-01-01,,,T1,,20.5\n",
    "consumer_index": "service_point_code,valid_from,valid_to,dt_code,feeder_code,state\n"
    "P1,2020-01-01,,T1,,\nP2,2020-01-01,,,F2,VERIFIED\n",
    "holiday": "day,name\n2026-10-02,Gandhi Jayanti\n",
    "revenue_month": "office_code,month,revenue_inr,subsidy_booked_inr,subsidy_received_inr,opening_debtors_inr,closing_debtors_inr\n"
    "D1,2026-09-01,100000.50,0,0,5,6\n",
}


@pytest.fixture
def owner(database: str) -> Iterator[psycopg.Connection]:
    with db.connect("meterhouse_owner") as conn:
        yield conn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in MASTER.items():
        write(tmp_path, name, text)
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def faults(conn: psycopg.Connection, folder: Path) -> list[str]:
    with pytest.raises(RegistryImportError) as caught:
        import_registry(conn, folder)
    assert "nothing was imported" in str(caught.value)
    return [str(f) for f in caught.value.faults]


def everything(conn: psycopg.Connection) -> dict[str, list[tuple]]:
    with conn.transaction():
        return {name: conn.execute(f"select * from registry.{name} order by 1, 2, 3").fetchall() for name in MASTER}


def test_a_folder_is_imported_and_a_second_time_changes_nothing(owner: psycopg.Connection, folder: Path) -> None:
    lines = {name: text.count("\n") - 1 for name, text in MASTER.items()}
    assert import_registry(owner, folder) == lines
    before = everything(owner)
    noted = owner.execute("select discom_id, written_by::text from ops.registry_change").fetchall()
    assert len(noted) == 1, "builds must know that master data changed"
    owner.commit()
    assert {name: len(rows) for name, rows in before.items()} == lines
    assert import_registry(owner, folder) == dict.fromkeys(MASTER, 0), "the second import must change nothing"
    assert everything(owner) == before
    assert owner.execute("select discom_id, written_by::text from ops.registry_change").fetchall() == noted

    parent = "select p.code from registry.office o join registry.office p on p.office_id = o.parent_id where o.code = 'S1'"
    assert owner.execute(parent).fetchall() == [("D1",)], "a parent may stand below its child in the file"
    assert owner.execute("select timezone from registry.discom").fetchone() == ("Asia/Kolkata",), "an empty cell takes the default"
    assert owner.execute("select category from registry.service_point where code = 'P1'").fetchone() == ("LT, domestic",)
    fed = """select m.serial, i.valid_from, i.valid_to, p.code, t.code, i.mf::float from registry.installation i
             join registry.meter m using (discom_id, meter_id) left join registry.service_point p using (discom_id, service_point_id)
             left join registry.dt t using (discom_id, dt_id) order by 1, 2"""
    assert owner.execute(fed).fetchall() == [
        ("M1", date(2020, 1, 1), date(2025, 1, 1), "P1", None, 1.0),
        ("M1", date(2025, 1, 1), None, "P2", None, 1.0),
        ("M2", date(2020, 1, 1), None, None, "T1", 20.5),
    ]


def test_a_change_updates_the_row_and_keeps_its_id(owner: psycopg.Connection, folder: Path) -> None:
    import_registry(owner, folder)
    before = owner.execute("select meter_id from registry.meter where serial = 'M1'").fetchone()
    owner.commit()
    write(folder, "meter", MASTER["meter"].replace("M1,h1,,,D1,30", "M1,h1,New,2.0,D1,15"))
    moved = MASTER["installation"].replace("M2,2020-01-01,,,T1,,20.5", "M2,2020-01-01,2026-06-01,,T1,,20.5\nM2,2026-06-01,,,,F1,40")
    write(folder, "installation", moved)
    changed = import_registry(owner, folder)
    assert {k: n for k, n in changed.items() if n} == {"meter": 1, "installation": 2}
    assert owner.execute("select meter_id, make, interval_min from registry.meter where serial = 'M1'").fetchone() == (*before, "New", 15)


def test_only_some_files_need_be_there_and_may_refer_to_what_was_imported(owner: psycopg.Connection, folder: Path) -> None:
    import_registry(owner, folder)
    for name in ("substation", "feeder", "dt", "service_point", "consumer", "consumer_index", "holiday", "revenue_month"):
        (folder / f"{name}.csv").unlink()
    assert set(import_registry(owner, folder)) == {"discom", "office", "hes", "meter", "installation"}


def test_two_tenants_may_use_the_same_codes(owner: psycopg.Connection, folder: Path) -> None:
    import_registry(owner, folder)
    write(folder, "discom", "code,name,timezone\nother,Other,Asia/Kolkata\n")
    assert import_registry(owner, folder)["meter"] == 2
    wrong = """select count(*) from registry.installation i join registry.meter m using (meter_id) where i.discom_id <> m.discom_id"""
    assert owner.execute(wrong).fetchone() == (0,)


def test_all_faults_are_said_at_once_and_nothing_is_written(owner: psycopg.Connection, folder: Path) -> None:
    (folder / "hes.csv").unlink()
    write(folder, "holiday", "day,nam\n2026-10-02,x\n")
    write(folder, "office", "code,name,level,parent_code\nD1,,division,\nD1,Two,village,NOWHERE\n")
    write(folder, "dt", "code,feeder_code,office_code,capacity_kva\nT1,F9,D1,100 kVA\n")
    write(folder, "meter", MASTER["meter"].replace("D1,30,", "D1,7,").replace("D2,15,240", "D2,40000,24x"))
    write(
        folder,
        "installation",
        "meter_serial,valid_from,valid_to,service_point_code,dt_code,feeder_code,mf\n"
        "M1,02-01-2020,,P1,,,\n\nM2,2020-01-01,2020-01-01,P1,T1,,0\n",
    )
    found = "\n".join(faults(owner, folder))
    for expected in (
        "hes.csv: is not in",
        "holiday.csv, line 1, column name: the column is missing",
        "holiday.csv, line 1, column nam: unknown column",
        "office.csv, line 2, column name: is empty",
        "office.csv, line 3, column level: 'village' is not one of discom, zone",
        "office.csv, line 3, column parent_code: 'NOWHERE' is unknown: add it to office.csv",
        "dt.csv, line 2, column feeder_code: 'F9' is unknown: add it to feeder.csv",
        "dt.csv, line 2, column capacity_kva: '100 kVA' is not a number",
        "meter.csv, line 2, column interval_min: '7' does not divide the day",
        "meter.csv, line 3, column interval_min: '40000' is not a whole number below 32768",
        "meter.csv, line 3, column voltage_v: '24x' is not a whole number",
        "meter.csv, line 2, column hes_code: 'h1' is unknown: add it to hes.csv (not in the folder)",
        "installation.csv, line 2, column valid_from: '02-01-2020' is not a date: write it as YYYY-MM-DD",
        "installation.csv, line 4, column valid_to: '2020-01-01' is not after valid_from",
        "installation.csv, line 4, column service_point_code: fill exactly one of",
        "installation.csv, line 4, column mf: '0' must be above 0",
    ):
        assert expected in found, f"not said: {expected}\n{found}"
    assert all(not rows for rows in everything(owner).values()), "nothing may be written where there is any fault"


def test_overlapping_periods_in_the_file(owner: psycopg.Connection, folder: Path) -> None:
    write(folder, "installation", MASTER["installation"].replace("2025-01-01,P1", "2025-01-02,P1"))
    assert faults(owner, folder) == [
        "installation.csv, line 3, column valid_from: 'M1' has a period from 2025-01-01 that overlaps that of line 2: "
        "end the earlier one with valid_to (that day itself no longer belongs to it)"
    ]


def test_a_period_that_overlaps_one_in_the_warehouse(owner: psycopg.Connection, folder: Path) -> None:
    import_registry(owner, folder)
    before = everything(owner)
    write(folder, "installation", MASTER["installation"].replace("M2,2020-01-01", "M2,2021-01-01"))
    [fault] = faults(owner, folder)
    assert fault.startswith(
        "installation.csv, line 4, column valid_from: the period overlaps one that is in the warehouse, from 2020-01-01"
    )
    assert everything(owner) == before


def test_a_row_twice(owner: psycopg.Connection, folder: Path) -> None:
    write(folder, "meter", MASTER["meter"] + "M1,h1,,,D1,30,230,60,\n")
    assert faults(owner, folder) == [
        "meter.csv, line 4, column serial: 'M1' stands in the file twice (same serial): remove one of the rows"
    ]


def test_files_that_are_no_tables(owner: psycopg.Connection, folder: Path) -> None:
    (folder / "meter.csv").write_bytes(b"serial,hes_code\nM\xe9,h1\n")
    write(folder, "hes", "")
    write(folder, "office", 'code,name,level,parent_code\nD1,"Division,division,\n')
    write(folder, "discom", "code,name,timezone\na,A,\nb,B,Mars/Base\n")
    found = "\n".join(faults(owner, folder))
    for expected in (
        "meter.csv, line 2: is not UTF-8: save the file as CSV UTF-8",
        "hes.csv: cannot be read as CSV",
        "office.csv: cannot be read as CSV",
        "discom.csv: has 2 rows: it must have one",
        "discom.csv, line 3, column timezone: 'Mars/Base' is no time zone",
    ):
        assert expected in found, f"not said: {expected}\n{found}"
    assert "is unknown" not in found, "codes of a file that cannot be read are not wrong for that"


def test_many_faults_of_one_kind_are_counted_not_listed(owner: psycopg.Connection, folder: Path) -> None:
    write(folder, "holiday", "day,name\n" + "".join(f"day {i},x\n" for i in range(50)))
    found = faults(owner, folder)
    assert len(found) == 21
    assert found[-1] == "holiday.csv, column day: 30 more rows with the same fault"


def test_check_meters_are_known_by_serial(owner: psycopg.Connection, folder: Path) -> None:
    head = "meter_serial,check_meter_serial,ratio,valid_from,valid_to\n"
    write(folder, "check_meter", head + "M1,M2,0.5,2020-01-01,\n")
    assert import_registry(owner, folder)["check_meter"] == 1
    pair = """select m.serial, c.serial, k.ratio::float8 from registry.check_meter k
              join registry.meter m using (discom_id, meter_id)
              join registry.meter c on c.discom_id = k.discom_id and c.meter_id = k.check_meter_id"""
    assert owner.execute(pair).fetchall() == [("M1", "M2", 0.5)]
    assert import_registry(owner, folder)["check_meter"] == 0
    write(folder, "check_meter", head + "M1,M1,0,2020-01-01,\nM2,M9,1,2020-01-01,\n")
    said = faults(owner, folder)
    for fault in (
        "check_meter.csv, line 2, column ratio: '0' must be above 0",
        "check_meter.csv, line 2, column check_meter_serial: 'M1' is the meter itself",
        "check_meter.csv, line 3, column check_meter_serial: 'M9' is unknown",
    ):
        assert any(s.startswith(fault) for s in said), (fault, said)


NETWORK = {
    "feeder": "code,name,substation_code,office_code,voltage_kv,town,supply,line_ohm,feeds_substation_code\n"
    "F1,Feeder 1,SS1,D1,,Rampur,urban,0.35,\nF2,Feeder 2,SS1,D1,33,,,,SS1\n",
    "dt": "code,feeder_code,office_code,capacity_kva,no_load_loss_w,load_loss_w,lt_line_ohm,latitude,longitude,commissioned_on\n"
    "T1,F1,S1,100,230,1700,0.05,28.61,77.2,2019-04-01\n",
    "assessed_supply": "dt_code,month,kind,category,consumers,connected_load_w,energy_wh\n"
    "T1,2026-10-01,street_light,public,1,4000,1440000\n",
    "feeder_transfer": "from_feeder_code,to_feeder_code,day,energy_wh\nF1,F2,2026-10-03,5000000000\n",
    "energy_purchase": "source,month,kind,voltage_kv,energy_wh,remarks\nNTPC,2026-10-01,long_term,220,53000000000000,\n",
    "open_access": "service_point_code,month,energy_wh\nP2,2026-10-01,1000000\n",
    "planned_outage": "feeder_code,starts_at,ends_at,kind,reason\nF1,2026-10-02T10:00:00+05:30,2026-10-02T12:00:00+05:30,planned,lines\n",
    "load_forecast": "feeder_code,starts_at,power_w\nF1,2026-10-02T00:00:00+05:30,900000\n",
    "rdss_target": "office_code,item,sanctioned\nD1,consumer,1000\n",
    "bill": "consumer_code,month,energy_wh,assessed,amount_inr,subsidy_inr\nC1,2026-10-01,120000,,740.50,60\n",
    "collection": "receipt,consumer_code,received_on,kind,amount_inr\nR1,C1,2026-11-02,,700\n",
}


def test_network_and_billing_feeds(owner: psycopg.Connection, folder: Path) -> None:
    for name, text in NETWORK.items():
        write(folder, name, text)
    import_registry(owner, folder)
    assert not any(import_registry(owner, folder).values()), "the second time changed something"
    incomer = "select f.code, s.code from registry.feeder f join registry.substation s on s.substation_id = f.feeds_substation_id"
    assert owner.execute(incomer).fetchall() == [("F2", "SS1")], "the incomer of the substation"
    transfer = """select a.code, b.code, t.energy_wh from registry.feeder_transfer t
                  join registry.feeder a on a.feeder_id = t.from_feeder_id join registry.feeder b on b.feeder_id = t.to_feeder_id"""
    assert owner.execute(transfer).fetchall() == [("F1", "F2", 5_000_000_000)], "more Wh than an int4 holds"
    assert owner.execute("select assessed, amount_inr - subsidy_inr from billing.bill").fetchall() == [(False, Decimal("680.50"))]
    assert owner.execute("select kind from billing.collection").fetchall() == [("payment",)]
    hours = "select extract(epoch from ends_at - starts_at) / 3600 from registry.planned_outage"
    assert owner.execute(hours).fetchone() == (2,)


@pytest.mark.parametrize("name", ["bill", "load_forecast"])
def test_what_no_day_is_built_from_makes_none_stale(owner: psycopg.Connection, folder: Path, name: str) -> None:
    import_registry(owner, folder)
    noted = owner.execute("select written_by::text from ops.registry_change").fetchall()
    write(folder, name, NETWORK[name])
    assert import_registry(owner, folder)[name] == 1
    assert owner.execute("select written_by::text from ops.registry_change").fetchall() == noted


def test_a_file_without_optional_columns_leaves_them_as_they_are(owner: psycopg.Connection, folder: Path) -> None:
    write(folder, "feeder", NETWORK["feeder"])
    import_registry(owner, folder)
    write(folder, "feeder", MASTER["feeder"].replace("Feeder 1", "Feeder One"))
    assert import_registry(owner, folder)["feeder"] == 1, "the name changed"
    found = owner.execute("select name, town, line_ohm from registry.feeder where code = 'F1'").fetchone()
    assert found == ("Feeder One", "Rampur", Decimal("0.35000")), "what the file does not speak of was lost"


@pytest.mark.parametrize(
    ("name", "row", "says"),
    [
        ("planned_outage", "F1,2026-10-02T10:00:00,2026-10-02T12:00:00+05:30,planned,", "is no instant: write it with its zone"),
        ("planned_outage", "F1,2026-10-02T12:00:00+05:30,2026-10-02T12:00:00+05:30,planned,", "is not after starts_at"),
        ("planned_outage", "F1,2026-10-02T10:00:00+05:30,2026-10-02T12:00:00+05:30,storm,", "is not one of planned, load_shedding"),
        ("bill", "C1,2026-10-02,1,,1,0", "must be the first of a month"),
        ("bill", "C1,2026-10-01,1,perhaps,1,0", "is neither true nor false"),
        ("bill", "C9,2026-10-01,1,,1,0", "is unknown: add it to consumer.csv"),
        ("feeder_transfer", "F1,F1,2026-10-03,1", "is the feeder itself"),
        ("assessed_supply", "T1,2026-10-01,other,public,1,,-5", "must not be below 0"),
        ("dt", "T1,F1,S1,100,230,1700,0.05,91,77.2,", "is not within ±90 degrees"),
    ],
)
def test_faults_of_network_and_billing_feeds(owner: psycopg.Connection, folder: Path, name: str, row: str, says: str) -> None:
    write(folder, name, NETWORK[name].splitlines()[0] + "\n" + row + "\n")
    assert any(says in f and f"{name}.csv, line 2" in f for f in faults(owner, folder)), f"{name}.csv does not say that {says}"
