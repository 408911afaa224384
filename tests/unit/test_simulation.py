"""The simulation as a whole: what it sends is read back here from the files, by code of its own, and held against the truth beside them."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import json
import subprocess
import sys
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from simulation import Manifest, SimulationConfig, generate
from simulation.bad_files import UNKNOWN_METER, write_bad_files
from simulation.hpl import render
from simulation.physics import build_world

STAMP = "%d-%m-%Y %H:%M:%S"
SMALL = SimulationConfig(tenants=1, dts=4, feeders=2, consumers=60, days=3)

Key = tuple[str, date]


@cache
def moment(text: str) -> datetime:
    return datetime.strptime(text, STAMP)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


@dataclass
class Received:
    """All that one tenant's head-end systems sent, as a reader finds it. Slots are numbered by the stamp's end."""

    interval_min: int
    blocks: dict[Key, dict[int, list[tuple[datetime, tuple[float, ...]]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    future: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    registers: dict[Key, tuple[int, ...]] = field(default_factory=dict)
    events: list[tuple[str, datetime, int]] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def block(self, vendor: str, serial: str, end: datetime, received: datetime, values: tuple[float, ...]) -> None:
        self.values[vendor] += len(values)
        if end > received:
            self.future[serial, received.date() - timedelta(days=1)] += 1
            return
        start = end - timedelta(minutes=self.interval_min)
        slot = (start.hour * 60 + start.minute) // self.interval_min
        self.blocks[serial, start.date()][slot].append((received, values))

    def register(self, vendor: str, serial: str, at: datetime, values: tuple[int, ...]) -> None:
        assert at.time() == datetime.min.time(), f"{serial}: a daily register is stamped {at}, not at midnight"
        self.values[vendor] += len(values)
        self.registers[serial, at.date() - timedelta(days=1)] = values

    def day(self, key: Key, channel: int = 0) -> dict[int, int]:
        """Slot -> value; of several versions the one received last."""
        return {slot: int(max(v, key=lambda x: x[0])[1][channel]) for slot, v in self.blocks[key].items()}


def wh(kwh: str) -> int:
    return round(float(kwh) * 1000)


def file_stamp(path: Path) -> datetime:
    return datetime.strptime("_".join(path.name.split(".")[0].split("_")[-2:]), "%Y%m%d_%H%M%S")


def read_vendor_b(folder: Path, into: Received) -> None:
    for path in sorted(folder.iterdir()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for serial, stamp, *cells in csv.reader(data.decode().splitlines()[1:]):
            at = moment(stamp)
            if path.name.startswith("blockload"):
                values = (*map(wh, cells[:3]), float(cells[3]))
                into.block("vendor_b", serial, at, file_stamp(path), values)
            elif path.name.startswith("dailyload"):
                into.register("vendor_b", serial, at, tuple(map(wh, cells)))
            else:
                into.values["vendor_b"] += 1
                into.events.append((serial, at, int(cells[0])))


def read_vendor_c(folder: Path, into: Received) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as z:
                data = z.read(z.namelist()[0])
        else:
            data = path.read_bytes()
        for unit in ElementTree.fromstring(data):
            serial = unit.findtext("D1/G1", "")
            (g2,) = unit.iterfind("D1/G2")
            read = moment(g2.attrib["VALUE"])
            assert read < file_stamp(path), f"{path.name}: {serial} is read after its file was written"
            for d3 in unit.iterfind("D3/D3-00"):
                numbers = {b.attrib["PARAMCODE"]: wh(b.attrib["VALUE"]) for b in d3}
                registers = tuple(numbers[f"P7-{c}-18-0-0"] for c in (1, 2, 3))
                into.register("vendor_c", serial, moment(d3.attrib["DATETIME"]), registers)
            for profile in unit.iterfind("D4/DAYPROFILE"):
                day = datetime.strptime(profile.attrib["DATE"], "%d-%m-%Y")
                for ip in profile:
                    p = {x.attrib["PARAMCODE"]: x.attrib["VALUE"] for x in ip}
                    energy = tuple(wh(p[f"P7-{c}-5-1-0"]) for c in (1, 2, 3))
                    end = day + timedelta(minutes=int(ip.attrib["INTERVAL"]) * into.interval_min)
                    into.block("vendor_c", serial, end, file_stamp(path), (*energy, float(p["P1-2-1-1-0"])))
            for event in unit.iterfind("D5/EVENT"):
                into.values["vendor_c"] += 1
                into.events.append((serial, moment(event.attrib["DATETIME"]), int(event.attrib["CODE"])))


def decode(text: str) -> int | datetime | None:
    """A-XDR by hand, apart from the code that wrote it."""
    raw = base64.b64decode(text)
    if raw[0] == 0x09:
        assert raw[1] == 12, f"a clock has 12 octets, not {raw[1]}"
        assert raw[11:13] == bytes.fromhex("014a"), "the deviation of IST is sent as +330"
        at = datetime(raw[2] * 256 + raw[3], raw[4], raw[5], raw[7], raw[8], raw[9])
        assert raw[6] == at.isoweekday(), f"weekday {raw[6]} is wrong for {at}"
        return at
    width, signed = {0x06: (4, False), 0x12: (2, False), 0x05: (4, True), 0x15: (8, False)}[raw[0]]
    assert len(raw) == 1 + width, f"tag {raw[0]:02x} has {len(raw) - 1} octets"
    return int.from_bytes(raw[1:], "big", signed=signed)


def read_hpl(folder: Path, into: Received) -> None:
    for profile in ("block", "daily", "event"):
        previous = ""
        for text in (folder / f"{profile}.jsonl").read_text(encoding="utf-8").splitlines():
            item = render(json.loads(text), profile)
            assert item["receivedAt"] >= previous, "the store is not sorted by receivedAt"
            previous = item["receivedAt"]
            received = datetime.fromisoformat(item["receivedAt"]).replace(tzinfo=None)
            for entry in item["entries"]:
                by_obis = {r["formattedRegisterObisCode"]: r for r in entry["registerValues"]}
                at = decode(by_obis.pop("0.0.1.0.0.255")["registerValue"])
                assert isinstance(at, datetime)
                numbers = {o: decode(r["registerValue"]) * 10 ** r["scalar"] for o, r in by_obis.items()}
                serial = item["meterSerial"]
                if profile == "block":
                    energy = [numbers.pop(f"1.0.{c}.29.0.255") for c in (1, 2, 9)]
                    into.block("hpl", serial, at, received, (*energy, *numbers.values()))
                elif profile == "daily":
                    into.register("hpl", serial, at, tuple(numbers[f"1.0.{c}.8.0.255"] for c in (1, 2, 9)))
                else:
                    into.values["hpl"] += 1
                    into.events.append((serial, at, numbers["0.0.96.11.2.255"]))


def read_all(tenant: Path, interval_min: int) -> Received:
    got = Received(interval_min)
    read_vendor_b(tenant / "vendor_b", got)
    read_vendor_c(tenant / "vendor_c", got)
    read_hpl(tenant / "hpl", got)
    return got


def findings(tenant: Path, config: SimulationConfig, got: Received) -> set[tuple[str, date, str]]:
    """(serial, day, rule) that the validation rules find on what was received; thresholds from the registry files."""
    points = {r["code"]: r for r in rows(tenant / "registry" / "service_point.csv")}
    dts = {r["code"]: r for r in rows(tenant / "registry" / "dt.csv")}
    place = {r["meter_serial"]: r for r in rows(tenant / "registry" / "installation.csv")}
    h, slots = config.interval_min / 60, 1440 // config.interval_min
    found = {(serial, day, "V05") for serial, day in got.future}
    for meter in rows(tenant / "registry" / "meter.csv"):
        serial, where = meter["serial"], place[meter["serial"]]
        phases, physical, zero_days_allowed = 3, 0.0, 2
        if where["service_point_code"]:
            point = points[where["service_point_code"]]
            phases, physical = int(point["supply_phases"]), 2 * float(point["sanctioned_load_w"])
            zero_days_allowed = 6 if point["category"] == "domestic" else 2
        elif where["dt_code"]:
            physical = 2 * float(dts[where["dt_code"]]["capacity_kva"]) * 1000 / float(where["mf"])
        limit = 1.1 * max(physical, float(meter["i_max_a"]) * float(meter["voltage_v"]) * phases) * h
        zero_days = 0
        for d in range(config.days):
            day = config.start + timedelta(days=d)
            key = (serial, day)
            values = got.day(key)
            ordered = sorted(values.values())
            broken = set()
            if any(len({v for _, v in versions}) > 1 for versions in got.blocks[key].values()):
                broken.add("V06")
            if len(values) < slots:
                broken.add("V07")
            if any(v < 0 for v in ordered):
                broken.add("V11")
            zero_days = zero_days + 1 if len(values) == slots and not any(ordered) else 0
            if zero_days > zero_days_allowed and where["service_point_code"]:
                broken.add("V13")
            if any(v > limit for v in ordered):
                broken.add("V16")
            if len(ordered) >= 3 and ordered[-1] >= 500 * h and ordered[-1] - ordered[-3] > 1.8 * ordered[-3]:
                broken.add("V17")
            before, after = got.registers.get((serial, day - timedelta(days=1))), got.registers.get(key)
            if before and after and after[0] < before[0]:
                broken.add("V12")
            if before and after and len(values) == slots:
                advance = after[0] - before[0]
                if abs(sum(ordered) - advance) > int(meter["register_lsb_wh"]) + 0.01 * abs(advance):
                    broken.add("V19")
            found |= {(serial, day, rule) for rule in broken}
    return found


@pytest.fixture(scope="module")
def default_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest, Received]:
    out = tmp_path_factory.mktemp("default")
    manifest = generate(SimulationConfig(tenants=1), out)
    return out / "D01", manifest, read_all(out / "D01", 30)


def test_the_manifest_counts_every_value_that_is_in_the_files(default_run: tuple[Path, Manifest, Received]) -> None:
    tenant, manifest, got = default_run
    counts = manifest.tenant("D01")
    assert {v: counts.values_sent(v) for v in counts.values} == dict(got.values)
    for vendor, files in counts.files.items():
        assert len(list((tenant / vendor).iterdir())) == files, f"files of {vendor}"
    assert sum(counts.meters.values()) == len(rows(tenant / "registry" / "meter.csv")) == 614
    with pytest.raises(KeyError, match="D01"):
        manifest.tenant("D99")


def test_every_defect_is_found_by_its_rule_and_nothing_else_is(default_run: tuple[Path, Manifest, Received]) -> None:
    tenant, _, got = default_run
    defects = rows(tenant / "truth" / "defect.csv")
    expected = {(r["meter_serial"], date.fromisoformat(r["day"]), r["rule"]) for r in defects if r["rule"]}
    side_effects = {"over_limit": ("V17", "V19"), "spike": ("V19",), "negative": ("V19",)}
    allowed = {(r["meter_serial"], date.fromisoformat(r["day"]), rule) for r in defects for rule in side_effects.get(r["defect"], ())}
    found = findings(tenant, SimulationConfig(), got)
    assert not expected - found, "defects that their rule does not find"
    assert not found - expected - allowed, "findings that no defect explains"


def test_every_kind_of_defect_occurs_and_none_shares_a_meter_day(default_run: tuple[Path, Manifest, Received]) -> None:
    tenant, manifest, _ = default_run
    kinds = manifest.tenant("D01").defects
    assert len(kinds) == 15
    assert min(kinds.values()) >= 3, f"too few of a kind: {kinds}"
    kind_of: dict[tuple[str, str], str] = {}
    for r in rows(tenant / "truth" / "defect.csv"):
        assert kind_of.setdefault((r["meter_serial"], r["day"]), r["defect"]) == r["defect"], f"two defects: {r}"
    intervals = {(r["meter_serial"], r["day"]) for r in rows(tenant / "truth" / "interval.csv")}
    assert intervals == set(kind_of), "interval.csv has the truth of the meter-days with a defect, and of no other"


def test_true_intervals_differ_from_what_was_received_only_where_a_defect_says_so(
    default_run: tuple[Path, Manifest, Received],
) -> None:
    tenant, _, got = default_run
    truth = {
        (r["meter_serial"], date.fromisoformat(r["day"])): [int(r[f"v{i + 1}"]) for i in range(48)]
        for r in rows(tenant / "truth" / "interval.csv")
        if r["channel"] == "import_wh"
    }
    for r in rows(tenant / "truth" / "defect.csv"):
        key = (r["meter_serial"], date.fromisoformat(r["day"]))
        received = got.day(key)
        wrong = {i for i, v in enumerate(truth[key]) if received.get(i) != v}
        stated = set(map(int, r["slots"].split())) if r["defect"] != "conflicting_duplicate" else set()
        if r["defect"] != "zero_days":
            assert wrong == stated, f"{r['defect']} of {key}"
        else:
            assert wrong <= stated, f"{r['defect']} of {key}"
            assert wrong, f"{r['defect']} of {key}: no energy flowed"


@pytest.mark.parametrize(
    "config",
    [
        SimulationConfig(tenants=1, clean=True),
        SimulationConfig(tenants=1, clean=True, seed=2, consumers=200, start=date(2027, 2, 26), days=4),
        SimulationConfig(tenants=1, clean=True, seed=3, consumers=200, interval_min=15, days=3),
    ],
    ids=["default", "over-a-month-end", "15-minutes"],
)
def test_a_clean_run_breaks_no_rule_and_its_files_hold_what_the_meters_counted(config: SimulationConfig, tmp_path: Path) -> None:
    generate(config, tmp_path)
    tenant = tmp_path / "D01"
    got = read_all(tenant, config.interval_min)
    assert findings(tenant, config, got) == set(), "a clean run must raise nothing"
    assert rows(tenant / "truth" / "defect.csv") == []

    world = build_world(config, 1)
    for m, serial in enumerate(world.meters.serial):
        for d in range(config.days):
            key = (serial, config.day(d))
            for c, name in enumerate(("import_wh", "export_wh", "import_vah")):
                day = got.day(key, c)
                assert [day[i] for i in range(config.slots)] == world.meters.channels[name][m, d].tolist(), (key, name)
    consumers = set(world.meters.serial[: config.consumers])
    volts = [versions[0][1][3] for (s, _), day in got.blocks.items() if s in consumers for versions in day.values()]
    assert len(volts) == config.consumers * config.days * config.slots
    assert all(v == 0 or 225 <= v <= 240 for v in volts), f"voltages from {min(volts)} to {max(volts)}"


def test_registers_agree_with_the_true_intervals_to_their_last_digit() -> None:
    meters = build_world(SMALL, 1).meters
    for r, name in enumerate(("import_wh", "export_wh", "import_vah")):
        advance = np.diff(meters.registers[:, :, r], axis=1)
        assert (advance == meters.channels[name].sum(axis=2)).all(), f"register and intervals of {name} differ"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_energy_is_conserved_at_every_dt_and_feeder(seed: int) -> None:
    config = SimulationConfig(tenants=1, seed=seed)
    world = build_world(config, 1)
    grid, flows, meters = world.grid, world.flows, world.meters
    net = np.zeros_like(flows.dt_input)
    np.add.at(net, grid.true_dt, flows.consumer_import - flows.consumer_export + flows.theft)
    assert (flows.dt_input == net + flows.dt_technical).all(), "true DT input is not the sum of its parts"
    n = config.consumers
    metered = (meters.channels["import_wh"] - meters.channels["export_wh"])[n:] * meters.mf[n:, None, None]
    true = np.concatenate([flows.dt_input, flows.feeder_input])
    one_way = (true >= 0).all(axis=(1, 2))
    gap = np.abs((metered - true).sum(axis=2))[one_way]
    assert (gap < meters.mf[n:][one_way, None]).all(), "metered and true input differ by a whole count"


def test_dt_truth_balances_within_one_count_and_feeder_truth_sums_the_dts(
    default_run: tuple[Path, Manifest, Received],
) -> None:
    tenant, _, got = default_run
    place = rows(tenant / "registry" / "installation.csv")
    mf = {r["dt_code"] or r["feeder_code"]: int(r["mf"]) for r in place if not r["service_point_code"]}
    serial = {r["dt_code"]: r["meter_serial"] for r in place if r["dt_code"]}
    feeder_of = {r["code"]: r["feeder_code"] for r in rows(tenant / "registry" / "dt.csv")}
    defective = {(r["meter_serial"], r["day"]) for r in rows(tenant / "truth" / "defect.csv")}
    by_feeder: dict[tuple[str, str], int] = defaultdict(int)
    for r in rows(tenant / "truth" / "dt_day.csv"):
        parts = int(r["consumers_wh"]) - int(r["export_wh"]) + int(r["technical_wh"]) + int(r["theft_wh"])
        assert abs(int(r["input_wh"]) - parts) < 2 * mf[r["dt_code"]], f"balance of {r}"
        by_feeder[feeder_of[r["dt_code"]], r["day"]] += int(r["input_wh"])
        key = (serial[r["dt_code"]], date.fromisoformat(r["day"]))
        if (key[0], r["day"]) not in defective:
            net = sum(got.day(key).values()) - sum(got.day(key, 1).values())
            assert net * mf[r["dt_code"]] == int(r["input_wh"]), f"the meter of {r['dt_code']} and the truth differ"
    for r in rows(tenant / "truth" / "feeder_day.csv"):
        dts = sum(mf[d] for d, f in feeder_of.items() if f == r["feeder_code"])
        assert int(r["dt_wh"]) == by_feeder[r["feeder_code"], r["day"]]
        gap = abs(int(r["input_wh"]) - int(r["dt_wh"]) - int(r["technical_wh"]))
        assert gap < 2 * (mf[r["feeder_code"]] + dts), f"balance of {r}"


def test_wrong_tags_move_energy_between_dts_and_nowhere_else(default_run: tuple[Path, Manifest, Received]) -> None:
    tenant, _, _ = default_run
    wrong = rows(tenant / "truth" / "consumer_index.csv")
    index = {r["service_point_code"]: r["dt_code"] for r in rows(tenant / "registry" / "consumer_index.csv")}
    assert 0.01 * 600 <= len(wrong) <= 0.02 * 600
    for r in wrong:
        assert r["tagged_dt"] != r["true_dt"]
        assert index[r["service_point_code"]] == r["tagged_dt"], "the registry must hold the wrong tag"
    moved: dict[str, int] = defaultdict(int)
    for r in rows(tenant / "truth" / "dt_day.csv"):
        moved[r["day"]] += int(r["misindexed_wh"])
    assert set(moved.values()) == {0}, "what one DT gains by wrong tags another loses"


def test_outages_are_zero_blocks_between_the_two_power_events(default_run: tuple[Path, Manifest, Received]) -> None:
    _, _, got = default_run
    failures = [(s, at) for s, at, code in got.events if code == 101]
    restored = {(s, at.date()): at for s, at, code in got.events if code == 102}
    grid = build_world(SimulationConfig(tenants=1), 1).grid
    dark = sum(1 + int((grid.true_dt == o.dt).sum()) for o in grid.outages)
    assert len(failures) == len(restored) == dark > 20, "every meter of a DT without supply says so once"
    for serial, at in failures:
        end = restored[serial, at.date()]
        assert timedelta(minutes=30) <= end - at <= timedelta(hours=4, minutes=2)
        volts = got.day((serial, at.date()), 3)
        dead = [i for i, v in volts.items() if v == 0]
        first, last = (at + timedelta(minutes=1)), (end - timedelta(minutes=1))
        inside = range((first.hour * 60 + first.minute) // 30, (last.hour * 60 + last.minute) // 30 + 1)
        assert set(dead) == set(inside) & set(volts), f"{serial}: blocks without voltage and events differ"


def test_revenue_is_plausible_and_its_debtors_follow_from_it(default_run: tuple[Path, Manifest, Received]) -> None:
    tenant, _, _ = default_run
    found = rows(tenant / "registry" / "revenue_month.csv")
    assert {r["office_code"] for r in found} == {"D01-SD1", "D01-SD2"}
    for r in found:
        v = {k: float(x) for k, x in r.items() if k.endswith("_inr")}
        collected = v["opening_debtors_inr"] + v["revenue_inr"] - v["subsidy_booked_inr"] - v["closing_debtors_inr"]
        efficiency = (collected + v["subsidy_received_inr"]) / v["revenue_inr"]
        assert 0.9 <= efficiency <= 1, f"collection efficiency of {r['office_code']} is {efficiency:.3f}"


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    generate(SMALL, tmp_path / "a")
    generate(SMALL, tmp_path / "b")
    generate(SimulationConfig(tenants=1, dts=4, consumers=60, days=3, seed=2), tmp_path / "c")
    assert tree_hash(tmp_path / "a") == tree_hash(tmp_path / "b")
    assert tree_hash(tmp_path / "a") != tree_hash(tmp_path / "c")


def test_defects_leave_the_physics_alone(tmp_path: Path) -> None:
    generate(SMALL, tmp_path / "a")
    generate(SimulationConfig(tenants=1, dts=4, consumers=60, days=3, clean=True), tmp_path / "b")
    for name in ("registry/meter.csv", "truth/dt_day.csv", "truth/feeder_day.csv"):
        assert (tmp_path / "a/D01" / name).read_bytes() == (tmp_path / "b/D01" / name).read_bytes(), name


def test_two_tenants_are_two_worlds(tmp_path: Path) -> None:
    generate(SimulationConfig(tenants=2, dts=2, consumers=20, days=1), tmp_path)
    first, second = (rows(tmp_path / code / "registry" / "meter.csv") for code in ("D01", "D02"))
    assert not {r["serial"] for r in first} & {r["serial"] for r in second}, "a meter belongs to one DISCOM"


@pytest.mark.parametrize(
    "config",
    [
        SimulationConfig(tenants=1, feeders=1, dts=1, consumers=1, days=1),
        SimulationConfig(tenants=1, feeders=1, dts=1, consumers=30, days=2, defect_share=0.2, prosumer_share=1),
        SimulationConfig(tenants=1, feeders=3, dts=3, consumers=300, days=1),
    ],
    ids=["one-consumer", "all-solar-one-dt", "a-dt-a-feeder"],
)
def test_odd_sizes_generate(config: SimulationConfig, tmp_path: Path) -> None:
    manifest = generate(config, tmp_path)
    assert manifest.tenants[0].values_sent("hpl") > 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"interval_min": 20}, "15 or 30"),
        ({"dts": 1, "feeders": 2}, "at least one feeder"),
        ({"consumers": 10_000}, "raise dts"),
        ({"days": 0}, "at least 1"),
        ({"defect_share": 0.9}, "defect_share"),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_the_reason(settings: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SimulationConfig(**settings)  # type: ignore[arg-type]


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "left-over").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        generate(SMALL, tmp_path)


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    shares: list[float] = []
    generate(SMALL, tmp_path, lambda _, share: shares.append(share))
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)


def test_bad_files_have_the_one_fault_and_the_counts_that_they_state(default_run: tuple[Path, Manifest, Received], tmp_path: Path) -> None:
    bad = {b.case: b for b in write_bad_files(tmp_path, default_run[0])}
    known = {r["serial"] for r in rows(default_run[0] / "registry" / "meter.csv")}
    assert set(bad) == {
        *("wrong_header", "truncated", "not_utf8", "unknown_meter", "future_stamp", "off_grid"),
        *("negative", "not_a_number", "unknown_obis"),
    }
    assert len({b.path for b in bad.values()}) == len(bad)
    with pytest.raises(EOFError):
        gzip.decompress(bad["truncated"].path.read_bytes())
    with pytest.raises(UnicodeDecodeError):
        bad["not_utf8"].path.read_text(encoding="utf-8")
    for case in ("unknown_meter", "future_stamp", "off_grid", "negative", "not_a_number"):
        b = bad[case]
        good = wrong = 0
        for r in rows(b.path):
            at = moment(r["BLOCK_END_TIME"])
            usable = r["METER_NO"] in known and at <= file_stamp(b.path) and at.minute % 30 == 0
            for value in list(r.values())[2:]:
                is_number = value.replace(".", "").removeprefix("-").isdigit()
                good, wrong = good + (usable and is_number), wrong + (not (usable and is_number))
        assert (good, wrong) == (b.good_values, b.bad_values), case
    assert UNKNOWN_METER in bad["unknown_meter"].path.read_text()
    with pytest.raises(FileNotFoundError, match="no block file"):
        write_bad_files(tmp_path, tmp_path)


def test_the_command_line_generates_and_explains_itself(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "simulation", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    small = ("--tenants", "1", "--dts", "2", "--consumers", "20", "--days", "1")
    done = run("generate", "--out", str(tmp_path / "sim"), *small)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("D01: 24 meters")
    again = run("generate", "--out", str(tmp_path / "sim"), *small)
    assert again.returncode == 2
    assert "not empty" in again.stderr
    assert "example:" in run("generate", "--help").stdout
