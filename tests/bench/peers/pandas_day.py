"""The day in pandas, as a good data engineer writes it: a row per meter and interval, vectorised group-bys, merges and transforms.

ADBC reads and writes; ranges of meters keep the frames small. Values are float64, which holds every whole Wh of a day exactly; NaN is
missing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import adbc_driver_postgresql.dbapi as adbc
import numpy as np
import pandas as pd
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.bench.peers import common
from tests.bench.peers.common import CHANNELS, TABLES, Day

NAME = "pandas"
VALUES = [*CHANNELS, "quality"]
ARROW = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "text": pa.string(),
    "integer[]": pa.list_(pa.int32()),
    "smallint[]": pa.list_(pa.int16()),
}

Fetch = Callable[..., pd.DataFrame]
"""Reads one of the queries of `common`, with its values."""


class Result(NamedTuple):
    """What came of a range of meters. `final_day` is ready to write; `flows` has a row a meter with its place, for the balances."""

    final_day: pa.Table
    exceptions: pd.DataFrame
    flows: pd.DataFrame


# --- one range of meters ---


def build(day: Day, future: pd.DataFrame, candidates: list[date], low: int, high: int, fetch: Fetch) -> Result:
    """The days of the meters low..high."""
    place, fragment, register = (fetch(query, low=low, high=high) for query in ("place", "fragment", "register"))
    place = place.sort_values("meter_id", ignore_index=True)
    fragment = fragment.merge(place[["meter_id", "slots"]], on="meter_id")
    slots, conflicts = assemble(place, fragment)
    meters = place.set_index("meter_id").join(figures(slots)).join(advances(register)).join(conflicts).join(future.set_index("meter_id"))
    received = fragment.groupby("meter_id")["received_at"].max().dt.tz_convert(day.timezone).dt.tz_localize(None).dt.normalize()
    meters["age_days"] = (received - pd.Timestamp(day.day)).dt.days
    zero = meters.index[(meters["missing_slots"] == 0) & (meters["min_wh"] == 0) & (meters["max_wh"] == 0)]
    meters["zero_days"] = fetch("zero_run", meters=zero.tolist()).set_index("meter_id")["zero_days"] if len(zero) else 0
    exceptions = judge(meters, slots, "initial")

    doubts = exceptions[exceptions["action"].isin(["hold", "flag", "estimate"])]
    slots["base"] = np.where(slots["meter_id"].isin(doubts["meter_id"]), 5, 0)
    slots["code"] = np.where(slots["import_wh"].isna(), 9, np.fmax(slots["quality"], slots["base"]))
    slots["estimated"] = False
    failing = exceptions[exceptions["action"] == "estimate"]
    if len(failing):
        target = meters.loc[failing["meter_id"].unique()]
        target = target.assign(
            spike=target.index.isin(failing.loc[failing["rule"] == "V17", "meter_id"]),
            doubted=target.index.isin(exceptions.loc[exceptions["action"].isin(["hold", "flag"]), "meter_id"]),
        )
        refuted = (
            (target["sum_wh"] > target["import_wh_advance"]) & (sum_diff_pct(target) > common.SUM_PCT) & (target["missing_slots"] == 0)
        )
        target["refuted"] = target["spike"] & refuted
        slots, done = estimate(target, slots, like_slots(fetch, target, candidates))
        again = figures(slots[slots["meter_id"].isin(done)])
        exceptions = pd.concat([exceptions, judge(target.drop(columns=list(again)).join(again, how="inner"), slots, "estimate")])
    return finish(place, slots, exceptions)


def assemble(place: pd.DataFrame, fragment: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """A row a meter and slot with the latest received value of each channel, and each meter's slots that came with different values."""
    length = np.max([fragment[c].str.len().fillna(0) for c in VALUES], axis=0).astype(int)
    first = np.repeat(np.cumsum(length) - length, length)
    rows = fragment.loc[fragment.index.repeat(length), ["meter_id", "received_at", "seq", "start_slot", "slots"]].reset_index(drop=True)
    rows["slot"] = rows["start_slot"] + np.arange(len(rows)) - first
    for c in VALUES:
        absent = fragment[c].isna()
        if absent.all():
            rows[c] = np.nan
        else:
            rows[c] = np.concatenate(
                [np.full(n, np.nan) if gone else v for v, gone, n in zip(fragment[c], absent, length, strict=True)]
            ).astype(float)
    rows = rows[rows["slot"] < rows["slots"]]
    key = ["meter_id", "slot"]
    again = rows.duplicated(key, keep=False)
    latest, torn = rows.loc[~again, key + VALUES], rows[again]
    if len(torn):
        # The last value of a group that is not null.
        merged = pd.concat([torn.sort_values(["received_at", "seq", c]).groupby(key)[c].last() for c in VALUES], axis=1)
        latest = pd.concat([latest, merged.reset_index()])
    conflicts = (torn.groupby(key)["import_wh"].nunique() > 1).groupby("meter_id").sum().rename("conflict_slots")
    grid = place.loc[place.index.repeat(place["slots"]), ["meter_id", "slots"]].reset_index(drop=True)
    grid["slot"] = grid.groupby("meter_id").cumcount()
    return grid.merge(latest, on=key, how="left"), conflicts


def figures(slots: pd.DataFrame) -> pd.DataFrame:
    """What the rules judge of the import, by meter."""
    of_meter = slots.groupby("meter_id")["import_wh"]
    found = of_meter.agg(present="count", sum_wh="sum", min_wh="min", max_wh="max")
    found["missing_slots"] = of_meter.size() - found.pop("present")
    highest = slots[["meter_id", "import_wh"]].dropna().sort_values("import_wh", ascending=False)
    third = highest[highest.groupby("meter_id").cumcount() == 2].set_index("meter_id")["import_wh"]
    found["third_wh"] = third
    return found


def advances(register: pd.DataFrame) -> pd.DataFrame:
    """What each register moved over the day, by meter. The latest received reading of a midnight stands."""
    last = (
        register.sort_values(["received_at", "seq", "import_wh"]).drop_duplicates(["meter_id", "closes"], keep="last").set_index("meter_id")
    )
    opening, closing = (last.loc[last["closes"] == c, list(CHANNELS)] for c in (False, True))
    return (closing - opening).dropna(how="all").add_suffix("_advance")


def sum_diff_pct(meters: pd.DataFrame) -> pd.Series:
    """What one register step does not explain of sum - advance, % of the advance."""
    off = (meters["sum_wh"] - meters["import_wh_advance"]).abs()
    return (off - np.minimum(off, meters["register_lsb_wh"])) / meters["import_wh_advance"].abs().clip(lower=1) * 100


def judge(meters: pd.DataFrame, slots: pd.DataFrame, stage: str) -> pd.DataFrame:
    """The exceptions of the initial suite, or of the suite that judges estimates."""
    repair = "estimate" if stage == "initial" else "hold"
    found = []

    def fails(rule: str, severity: str, action: str, value: pd.Series, which: pd.Series) -> None:
        hit = value[which.reindex(value.index, fill_value=False)]
        texts = {"rule": rule, "stage": stage, "severity": severity, "action": action}
        found.append(pd.DataFrame({"meter_id": hit.index, **texts, "value": hit.to_numpy(float)}))

    if stage == "initial":
        ahead = meters["stamps"] > 0
        fails("V05", "fatal", "note", meters["stamps"], ahead)
        fails("V05", "warn", "note", meters["age_days"], (meters["age_days"] > common.MAX_AGE_DAYS) & ~ahead)
        fails("V06", "warn", "note", meters["conflict_slots"], meters["conflict_slots"] > 0)
        negative = slots[slots["import_wh"] < 0].groupby("meter_id").size()
        fails("V11", "fail", repair, negative, negative > 0)
        limit = meters["category"].map(lambda c: common.ZERO_DAYS.get(c, common.ZERO_DAYS_OTHERS)).astype(float)
        fails("V13", "warn", "flag", meters["zero_days"], meters["zero_days"] >= limit)
    fails("V07", "fail", repair, meters["missing_slots"], meters["missing_slots"] > 0)
    above = meters.index[meters["max_wh"] > meters["limit_wh"]]
    beyond = slots[slots["meter_id"].isin(above)]
    over = beyond[beyond["import_wh"] > beyond["meter_id"].map(meters["limit_wh"])].groupby("meter_id").size()
    fails("V16", "fail", repair, over, over > 0)
    spike = (meters["max_wh"] - meters["third_wh"]) / meters["third_wh"].clip(lower=1) * 100
    peak = (meters["place"] == "consumer") & (meters["max_wh"] * 60 >= common.SPIKE_FLOOR_W * meters["interval_min"])
    fails("V17", "fail", repair, spike, peak & (spike > common.SPIKE_PCT))
    off = sum_diff_pct(meters)
    fails("V19", "fail", "hold", off, (meters["missing_slots"] == 0) & (off > common.SUM_PCT))
    return pd.concat(found, ignore_index=True)


def finish(place: pd.DataFrame, slots: pd.DataFrame, exceptions: pd.DataFrame) -> Result:
    """Slots back to one row a meter, as Arrow lists."""
    slots["estimated_wh"] = slots["import_wh"].where(slots["estimated"])
    of_meter = slots.groupby("meter_id")
    final = pd.DataFrame(
        {
            "day_quality": of_meter["base"].first(),
            **{c: of_meter[c].sum(min_count=1) for c in CHANNELS},
            "estimated_slots": of_meter["estimated_wh"].count(),
            "missing_slots": of_meter.size() - of_meter["import_wh"].count(),
            "estimated_wh": of_meter["estimated_wh"].sum(),
            "weakest_quality": of_meter["code"].max(),
            "graded": of_meter["graded"].first() if "graded" in slots else False,
        }
    )
    stated = (of_meter["quality"].count() > 0) | final["graded"] | (final["missing_slots"] > 0)
    offsets = np.append(0, np.cumsum(of_meter.size()))
    columns: dict[str, Any] = {"meter_id": final.index}
    for c in CHANNELS:
        columns[c] = _lists(slots[c], offsets, final[c].notna() if c != "import_wh" else None, "integer[]")
    columns["quality"] = _lists(slots["code"], offsets, stated, "smallint[]")
    columns |= {"import_day_wh": final["import_wh"], "export_day_wh": final["export_wh"], "import_day_vah": final["import_vah"]}
    columns |= {c: final[c] for c in ("day_quality", "estimated_slots", "missing_slots", "estimated_wh", "weakest_quality")}
    flows = place.merge(
        final.rename(columns={"import_wh": "import_day_wh", "export_wh": "export_day_wh"}), left_on="meter_id", right_index=True
    )
    return Result(_table(columns, TABLES["final_day"]), exceptions, flows)


def _lists(values: pd.Series, offsets: np.ndarray, there: pd.Series | None, kind: str) -> pa.Array:
    items = pa.array(values.to_numpy(), from_pandas=True).cast(ARROW[kind].value_type)
    mask = None if there is None else pa.array(~there.to_numpy(bool))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items, mask=mask)


def _table(columns: dict[str, Any] | pd.DataFrame, kinds: dict[str, str]) -> pa.Table:
    arrays = {c: columns[c] for c in kinds}
    made = {c: v if isinstance(v, pa.Array) else pa.array(v, from_pandas=True).cast(ARROW[kinds[c]]) for c, v in arrays.items()}
    return pa.table(made)


# --- estimation ---


def like_slots(fetch: Fetch, target: pd.DataFrame, candidates: list[date]) -> pd.DataFrame:
    """Mean of the latest good days of the same type, by meter, channel and slot."""
    empty = pd.DataFrame({"meter_id": [], "channel": [], "slot": [], "usual": []}).astype({"meter_id": int, "slot": int, "channel": "str"})
    if not candidates:
        return empty
    days = fetch("like_days", meters=target.index.tolist(), slots=target["slots"].tolist(), candidates=candidates)
    long = days.melt("meter_id", list(CHANNELS), var_name="channel", value_name="v").dropna(subset="v").reset_index(drop=True).explode("v")
    if long.empty:
        return empty
    long["slot"] = long.groupby(level=0).cumcount()
    long["v"] = long["v"].astype(float)
    usual = long[long["v"] >= 0].groupby(["meter_id", "channel", "slot"])["v"].agg(["sum", "count"])
    known = long.groupby(["meter_id", "channel", "slot"]).size().index
    return np.floor((2 * usual["sum"] + usual["count"]) / (2 * usual["count"])).reindex(known).rename("usual").reset_index()


def estimate(target: pd.DataFrame, slots: pd.DataFrame, usual: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The slots, those of failing days repaired (linear, like days, flat, scaled to the register), and the meters that were estimated."""
    of_target = slots["meter_id"].isin(target.index)
    repair = slots.loc[of_target, ["meter_id", "slot", *CHANNELS]].melt(
        ["meter_id", "slot"], list(CHANNELS), var_name="channel", value_name="v"
    )
    advance = (
        target[[f"{c}_advance" for c in CHANNELS]].set_axis(list(CHANNELS), axis=1).rename_axis(columns="channel").stack().rename("advance")
    )
    repair = repair.merge(advance.reset_index(), on=["meter_id", "channel"], how="left").merge(
        usual, on=["meter_id", "channel", "slot"], how="left"
    )
    segment = ["meter_id", "channel"]
    liked = pd.MultiIndex.from_frame(usual[segment].drop_duplicates())
    known = repair.groupby(segment)["v"].transform("count").gt(0) | repair["advance"].notna()
    known |= pd.MultiIndex.from_frame(repair[segment]).isin(liked)
    # The import is always estimated, a channel that the meter does not have never.
    repair = repair[known | (repair["channel"] == "import_wh")]
    about = target[["slots", "interval_min", "limit_wh", "register_lsb_wh", "max_wh", "refuted"]]
    repair = repair.merge(about, left_on="meter_id", right_index=True).sort_values([*segment, "slot"], ignore_index=True)
    beyond = (repair["v"] > repair["limit_wh"]) | repair["refuted"] & (repair["v"] == repair["max_wh"])
    repair["good"] = repair["v"].where((repair["v"] >= 0) & ~(beyond & (repair["channel"] == "import_wh")))
    of_segment = repair.groupby(segment)
    marked = repair["slot"].where(repair["good"].notna()).groupby([repair[c] for c in segment])
    repair = repair.assign(before=marked.ffill(), after=marked.bfill(), left=of_segment["good"].ffill(), right=of_segment["good"].bfill())
    repair["good_wh"] = of_segment["good"].transform("sum")

    bad = repair[repair["good"].isna()].copy()
    gap = bad["after"].fillna(bad["slots"]) - bad["before"].fillna(-1)
    position = bad["slot"] - bad["before"].fillna(-1)
    between = np.floor((2 * (bad["left"] * gap + (bad["right"] - bad["left"]) * position) + gap) / (2 * gap))
    linear = ((gap - 1) * bad["interval_min"] <= common.MAX_LINEAR_MIN) & bad["before"].notna() & bad["after"].notna()
    bad["raw"] = between.where(linear, bad["usual"])
    bad["estimate"] = _scaled(bad, segment)
    repair["estimate"] = bad["estimate"]
    repair["value"] = repair["good"].fillna(repair["estimate"])

    wide = repair.pivot(index=["meter_id", "slot"], columns="channel", values=["value", "good"])
    changed = bad.loc[bad["estimate"].notna() | (bad["channel"] == "import_wh"), "meter_id"].unique()
    wide = wide[wide.index.get_level_values("meter_id").isin(changed)]
    rows = slots.index[slots["meter_id"].isin(changed)]
    # Both are in the order of meter and slot.
    for c in CHANNELS:
        if c in wide["value"]:
            slots.loc[rows, c] = wide["value"][c].to_numpy()
    measured = wide["good"]["import_wh"].notna().to_numpy()
    of_rows = slots.loc[rows, "meter_id"]
    doubt = target["doubted"] | target["spike"] & ~target["refuted"]
    stated = np.fmax(slots.loc[rows, "quality"], np.where(of_rows.map(doubt), 5, 0))
    slots.loc[rows, "estimated"] = ~measured & slots.loc[rows, "import_wh"].notna()
    slots.loc[rows, "code"] = np.where(slots.loc[rows, "import_wh"].isna(), 9, np.where(measured, stated, 6))
    slots.loc[rows, "base"] = 0
    slots["graded"] = slots["meter_id"].isin(changed)
    return slots, changed


def _scaled(bad: pd.DataFrame, segment: list[str]) -> pd.Series:
    """EM9: the bad slots get what the register says is in them, to the Wh, unless the register cannot be right."""
    bad = bad[[*segment, "slot", "raw", "advance", "good_wh", "limit_wh", "register_lsb_wh"]].copy()
    of_segment = bad.groupby(segment)
    energy = bad["advance"] - bad["good_wh"]
    count, raws = of_segment["slot"].transform("size"), of_segment["raw"].transform("count")
    most = (bad["limit_wh"] * count).fillna(common.LARGEST)
    bad["fit"] = energy.clip(lower=0).where((energy >= -bad["register_lsb_wh"]) & (energy <= most))
    mean = np.floor((2 * of_segment["raw"].transform("sum") + raws) / (2 * raws)).where(raws > 0, 1)
    bad["weight"] = bad["raw"].fillna(mean)
    told = bad[bad["fit"].notna()].copy()
    weights = told.groupby(segment)["weight"].transform("sum").astype("int64")
    weight, fit = told["weight"].astype("int64"), told["fit"].astype("int64")
    by_weight = weights > 0
    told["share"] = (weight * fit // weights.clip(lower=1)).where(by_weight, fit // count[told.index])
    told["remainder"] = (weight * fit % weights.clip(lower=1)).where(by_weight, 0)
    told = told.sort_values([*segment, "remainder", "slot"], ascending=[True, True, False, True])
    in_order = told.groupby(segment)
    left_over = told["fit"] - in_order["share"].transform("sum")
    told["estimate"] = told["share"] + (in_order.cumcount() < left_over)
    return told["estimate"].reindex(bad.index).fillna(bad["raw"])


# --- balances ---


def balances(flows: pd.DataFrame, dt: pd.DataFrame, feeder: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """dt_day and feeder_day, in Wh that flowed: the multiplying factor is applied, to the whole Wh of each meter."""
    flows = flows.copy()
    for c, by_meter in (("import_wh", "import_day_wh"), ("export_wh", "export_day_wh"), ("estimated", "estimated_wh")):
        exact = flows[by_meter] * flows["mf_e4"]
        flows[c] = np.sign(exact) * ((exact.abs() + 5000) // 10000)
    flows["export_wh"] = flows["export_wh"].fillna(0)
    flows["complete"] = flows["missing_slots"] == 0

    def head(key: str) -> pd.DataFrame:
        of_place = flows[flows["place"] == key.removesuffix("_id")].groupby(key)
        found = of_place.agg(
            export_wh=("export_wh", "sum"), complete=("complete", "all"), estimated=("estimated", "sum"), quality=("weakest_quality", "max")
        )
        found["import_wh"] = of_place["import_wh"].sum(min_count=1)
        found[["import_wh", "export_wh"]] = found[["import_wh", "export_wh"]].where(found["complete"], np.nan, axis=0)
        return found.drop(columns="complete").add_prefix("head_")

    def served(key: str) -> pd.DataFrame:
        return (
            flows[(flows["place"] == "consumer") & flows[key].notna()]
            .groupby(key)
            .agg(
                consumers=("place", "size"),
                consumers_complete=("complete", "sum"),
                consumer_import_wh=("import_wh", "sum"),
                consumer_export_wh=("export_wh", "sum"),
                consumer_estimated=("estimated", "sum"),
                consumer_quality=("weakest_quality", "max"),
            )
        )

    zeros = dict.fromkeys(
        ("consumers", "consumers_complete", "consumer_import_wh", "consumer_export_wh", "consumer_estimated", "head_estimated"), 0
    )
    d = dt.merge(head("dt_id"), left_on="dt_id", right_index=True, how="left").merge(
        served("consumer_dt_id"), left_on="dt_id", right_index=True, how="left"
    )
    d = d.fillna(zeros | {"head_quality": 9}).assign(
        dt_import_wh=lambda d: d["head_import_wh"], dt_export_wh=lambda d: d["head_export_wh"], unmetered_wh=0
    )
    d["input_wh"] = d["dt_import_wh"] + d["consumer_export_wh"]
    d["output_wh"] = d["consumer_import_wh"] + d["dt_export_wh"]
    d["loss_wh"] = d["input_wh"] - d["output_wh"]
    d["loss_pct"] = _pct(d["loss_wh"], d["input_wh"])
    d["coverage_consumers_pct"] = _pct(d["consumers_complete"], d["consumers"])
    d["estimated_wh"] = d["consumer_estimated"] + d["head_estimated"]
    d["estimated_share_pct"] = _pct(d["estimated_wh"], d["consumer_import_wh"] + d["dt_import_wh"].fillna(0))
    d["weakest_quality"] = d[["head_quality", "consumer_quality"]].max(axis=1)

    below = d.assign(net=d["dt_import_wh"] - d["dt_export_wh"]).groupby("feeder_id")
    below = below.agg(
        dts=("dt_id", "size"),
        dts_metered=("dt_import_wh", "count"),
        dt_wh=("net", "sum"),
        below_import=("consumer_import_wh", "sum"),
        below_export=("consumer_export_wh", "sum"),
        below_consumers=("consumers", "sum"),
        below_complete=("consumers_complete", "sum"),
        below_estimated=("estimated_wh", "sum"),
        below_quality=("weakest_quality", "max"),
    )
    f = feeder
    for part in (head("feeder_id"), below, served("ht_feeder_id")):
        f = f.merge(part, left_on="feeder_id", right_index=True, how="left")
    f = f.fillna(zeros | dict.fromkeys(below.columns.drop("below_quality"), 0) | {"head_quality": 9})
    f["input_wh"] = f["head_import_wh"] - f["head_export_wh"]
    f["ht_wh"] = f["consumer_import_wh"] - f["consumer_export_wh"]
    f["billed_wh"] = f["below_import"] + f["consumer_import_wh"]
    f["rooftop_export_wh"] = f["below_export"] + f["consumer_export_wh"]
    f["loss_ht_wh"] = f["input_wh"] - f["dt_wh"] - f["ht_wh"]
    f["loss_ht_pct"] = _pct(f["loss_ht_wh"], f["input_wh"])
    f["loss_wh"] = f["input_wh"] + f["rooftop_export_wh"] - f["billed_wh"]
    f["loss_pct"] = _pct(f["loss_wh"], f["input_wh"] + f["rooftop_export_wh"])
    f["consumers"] += f["below_consumers"]
    f["consumers_complete"] += f["below_complete"]
    f["estimated_wh"] = f["head_estimated"] + f["below_estimated"] + f["consumer_estimated"]
    f["weakest_quality"] = f[["head_quality", "below_quality", "consumer_quality"]].max(axis=1)
    return d, f


def _pct(part: pd.Series, whole: pd.Series) -> pd.Series:
    return 100.0 * part / whole.where(whole != 0)


# --- from PostgreSQL to PostgreSQL ---


def run(url: str, discom_id: int, day: date) -> float:
    """Build the day into schema peer_pandas. Seconds from the first read to the last commit."""
    task, schema = Day.of(url, discom_id, day), f"peer_{NAME}"
    with common.connect(url) as conn:
        common.make_schema(conn, schema)
    with adbc.connect(task.url) as conn:

        def fetch(query: str, **values: Any) -> pd.DataFrame:
            return pd.read_sql(task.sql(query, **values), conn)

        def write(table: str, rows: pa.Table) -> None:
            with conn.cursor() as cur:
                cur.adbc_ingest(table, rows, mode="append", db_schema_name=schema)

        started = time.perf_counter()
        future = fetch("future")
        off = pd.to_datetime(fetch("holiday")["day"]).dt.date
        candidates = pd.to_datetime(fetch("candidates", like_days_before=task.like_type_days(off))["day"]).dt.date.tolist()
        results = []
        for low, high in task.ranges(*map(int, fetch("span").iloc[0])):
            result = build(task, future, candidates, low, high, fetch)
            write("final_day", result.final_day)
            results.append(result._replace(final_day=None))
        with conn.cursor() as cur:
            cur.execute(f"alter table {schema}.final_day add primary key (meter_id)")
        dt_day, feeder_day = balances(pd.concat([r.flows for r in results]), fetch("dt"), fetch("feeder"))
        rest = {"exception": pd.concat([r.exceptions for r in results]), "dt_day": dt_day, "feeder_day": feeder_day}
        for table, frame in rest.items():
            write(table, _table(frame, TABLES[table]))
        conn.commit()
        return time.perf_counter() - started


if __name__ == "__main__":
    common.main(NAME, run)
