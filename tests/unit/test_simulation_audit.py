"""An audited world: what its files say fits together, as the physics in docs/hes-formats.md has it. Read here by code of its own."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import pytest

from simulation import SimulationConfig, generate

CONFIG = SimulationConfig(tenants=1, feeders=2, dts=6, consumers=120, days=6, seed=4, audit=True)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("audited")
    generate(CONFIG, out)
    return out / "D01"


def total(items: list[dict[str, str]], key: str, value: str) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for r in items:
        sums[r[key]] += float(r[value])
    return sums


def blocks(tenant: Path, serial: str) -> list[dict[str, float]]:
    """The slots of an hpl meter by OBIS, scaled."""
    found = []
    for text in (tenant / "hpl" / "block.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(text)
        if item["meterSerial"] == serial:
            for _, *raw in item["entries"]:
                found.append({c[0]: v * 10.0 ** c[2] for c, v in zip(item["columns"], raw, strict=True)})
    return found


def meter_at(tenant: Path, column: str, code: str) -> dict[str, str]:
    return next(r for r in rows(tenant / "registry" / "installation.csv") if r[column] == code)


def test_the_same_seed_writes_the_same_world(tmp_path: Path, tenant: Path) -> None:
    generate(CONFIG, tmp_path)
    for path in sorted(tenant.rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "D01" / path.relative_to(tenant)).read_bytes(), f"{path.name} differs"


def test_a_dt_takes_in_what_goes_out_of_it(tenant: Path) -> None:
    """Input = consumers - export + theft + unmetered + technical, but for the remainder that the meter behind its factor carries."""
    parts = {(r["dt_code"], r["day"]): r for r in rows(tenant / "truth" / "technical.csv")}
    for r in rows(tenant / "truth" / "dt_day.csv"):
        other = parts[r["dt_code"], r["day"]]
        out = sum(int(r[c]) for c in ("consumers_wh", "technical_wh", "theft_wh")) - int(r["export_wh"]) + int(other["unmetered_wh"])
        mf = float(meter_at(tenant, "dt_code", r["dt_code"])["mf"])
        assert abs(int(r["input_wh"]) - out) <= 2 * mf, f"{r['dt_code']} on {r['day']} does not close"
        technical = sum(int(other[c]) for c in ("no_load_wh", "load_wh", "line_wh"))
        assert technical == pytest.approx(int(r["technical_wh"]), abs=30), "the parts are not the whole"


def test_a_substation_takes_in_what_its_feeders_do(tenant: Path) -> None:
    fed = [f for f in rows(tenant / "registry" / "feeder.csv") if f["feeds_substation_code"]]
    assert [f["feeds_substation_code"] for f in fed] == ["SS1"]
    place = meter_at(tenant, "feeder_code", fed[0]["code"])
    incomer = sum(b["1.0.1.29.0.255"] for b in blocks(tenant, place["meter_serial"])) * float(place["mf"])
    feeders = sum(int(r["input_wh"]) for r in rows(tenant / "truth" / "feeder_day.csv"))
    assert incomer == pytest.approx(1.002 * feeders, rel=0.002), "the incomer is not its feeders and the loss of the bus"


def test_a_feeder_takes_in_dts_ht_consumers_and_what_it_passes_on(tenant: Path) -> None:
    extra = {(r["feeder_code"], r["day"]): r for r in rows(tenant / "truth" / "feeder_extra.csv")}
    moved = 0
    for r in rows(tenant / "truth" / "feeder_day.csv"):
        other = extra[r["feeder_code"], r["day"]]
        out = int(r["dt_wh"]) + int(r["technical_wh"]) + int(other["ht_wh"]) + int(other["transfer_wh"])
        mf = float(meter_at(tenant, "feeder_code", r["feeder_code"])["mf"])
        assert int(r["input_wh"]) == pytest.approx(out, abs=2 * mf + 6 * 320), f"{r['feeder_code']} on {r['day']}"
        moved += abs(int(other["transfer_wh"]))
    (transfer,) = rows(tenant / "registry" / "feeder_transfer.csv")
    assert moved == 2 * int(transfer["energy_wh"]), "what one feeder passes on the other receives"


def test_nameplate_and_readings_give_the_technical_loss(tenant: Path) -> None:
    """P0 + (S / Sr)² Pk + 3 I² R, with the kVA of the DT's meter."""
    real = total(rows(tenant / "truth" / "dt_day.csv"), "dt_code", "technical_wh")
    for dt in rows(tenant / "registry" / "dt.csv"):
        place = meter_at(tenant, "dt_code", dt["code"])
        loss = 0.0
        for b in blocks(tenant, place["meter_serial"]):
            va = (b["1.0.9.29.0.255"] + b["1.0.2.29.0.255"]) * float(place["mf"]) * 2
            amps = va / (3 * 240)
            there = b["1.0.32.27.0.255"] > 0
            at_load = (va / 1000 / float(dt["capacity_kva"])) ** 2 * float(dt["load_loss_w"]) + 3 * amps**2 * float(dt["lt_line_ohm"])
            loss += 0.5 * (float(dt["no_load_loss_w"]) * there + at_load)
        assert loss == pytest.approx(real[dt["code"]], rel=0.12), f"{dt['code']}: the nameplate does not explain the loss"


def test_bills_and_receipts_are_the_revenue_of_the_offices(tenant: Path) -> None:
    registry = tenant / "registry"
    revenue = {r["office_code"]: r for r in rows(registry / "revenue_month.csv")}
    point = {r["code"]: r["service_point_code"] for r in rows(registry / "consumer.csv")}
    office = {r["code"]: r["office_code"] for r in rows(registry / "service_point.csv")}
    billed: dict[str, float] = defaultdict(float)
    for r in rows(registry / "bill.csv"):
        billed[office[point[r["consumer_code"]]]] += float(r["amount_inr"])
    paid: dict[tuple[str, bool], float] = defaultdict(float)
    for r in rows(registry / "collection.csv"):
        paid[office[point[r["consumer_code"]]], r["kind"] == "subsidy"] += float(r["amount_inr"])
    for name, r in revenue.items():
        assert billed[name] == pytest.approx(float(r["revenue_inr"]), abs=0.005)
        assert paid[name, True] == pytest.approx(float(r["subsidy_received_inr"]), abs=0.005)
        collected = (
            float(r["opening_debtors_inr"]) + float(r["revenue_inr"]) - float(r["subsidy_booked_inr"]) - float(r["closing_debtors_inr"])
        )
        assert paid[name, False] == pytest.approx(collected, abs=0.005)


def test_consumers_live_near_their_true_dt(tenant: Path) -> None:
    registry = tenant / "registry"
    tag = {r["service_point_code"]: r["dt_code"] for r in rows(registry / "consumer_index.csv")}
    wrong = {r["service_point_code"]: r["true_dt"] for r in rows(tenant / "truth" / "consumer_index.csv")}
    dts = {r["code"]: (float(r["latitude"]), float(r["longitude"])) for r in rows(registry / "dt.csv")}
    near = known = 0
    for r in rows(registry / "service_point.csv"):
        if r["latitude"] and r["code"] in tag:
            at = float(r["latitude"]), float(r["longitude"])
            closest = min(dts, key=lambda d: (dts[d][0] - at[0]) ** 2 + (dts[d][1] - at[1]) ** 2)
            known += 1
            near += closest == wrong.get(r["code"], tag[r["code"]])
    assert wrong, "no tag is wrong"
    assert known >= 0.8 * CONFIG.consumers
    assert near >= 0.93 * known, "places do not tell the true DT"


def test_thieves_leave_traces(tenant: Path) -> None:
    thieves = rows(tenant / "truth" / "theft.csv")
    assert len(thieves) >= 3
    serial = {r["service_point_code"]: r["meter_serial"] for r in rows(tenant / "registry" / "installation.csv")}
    text = "".join(p.read_text(encoding="utf-8") for p in (tenant / "vendor_b").glob("event_*.csv"))
    text += (tenant / "hpl" / "event.jsonl").read_text(encoding="utf-8")
    for r in thieves:
        meter = serial[r["service_point_code"]]
        if r["manner"] == "bypass":
            slots = blocks(tenant, meter)
            phase, back = (sum(b[f"1.0.{c}.27.0.255"] for b in slots) for c in (11, 91))
            assert back > 1.1 * phase, f"{meter}: nothing flows past its phase"
        elif r["manner"] == "magnet" and not meter.startswith("VC"):
            assert meter in text, f"{meter}: no event of its magnet"


def test_planned_outages_are_outages(tenant: Path) -> None:
    planned = rows(tenant / "registry" / "planned_outage.csv")
    assert {r["kind"] for r in planned} == {"planned", "load_shedding"}
    outages = {(r["meter_serial"], r["day"]) for r in rows(tenant / "truth" / "outage.csv")}
    for r in planned:
        head = meter_at(tenant, "feeder_code", r["feeder_code"])["meter_serial"]
        assert (head, r["starts_at"][:10]) in outages, f"{r['feeder_code']} had supply"
