"""The day in Polars, written to win: list expressions on whole meter-days, a row a slot only for the few that are torn or estimated.

Two threads take ranges of meters, each from reading to writing. connectorx reads, and binary COPY from numpy writes: ADBC takes three
times as long for either. Each thread loads a table of its own in one transaction, so that the server need not log the rows (wal_level =
minimal).
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

os.environ["POLARS_MAX_THREADS"] = "2"
import connectorx  # noqa: F401  # polars would import it while the clock runs
import numpy as np
import polars as pl
import psycopg
from psycopg.sql import SQL, Identifier

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.bench.peers import common
from tests.bench.peers.common import CHANNELS, TABLES, Day

NAME = "polars"
NUMPY = {"smallint": ">i2", "integer": ">i4", "bigint": ">i8"}
OID = {"smallint": 21, "integer": 23}
LIST = pl.List(pl.Int32)

Fetch = Callable[..., pl.DataFrame]
"""Reads one of the queries of `common`, with its values."""

Store = Callable[[pl.DataFrame], object]
"""Keeps rows of final_day."""


class Given(NamedTuple):
    """What is read once: the meters' stamps in the future, and the days that may serve as like days."""

    day: Day
    future: pl.DataFrame
    candidates: list[date]


class Result(NamedTuple):
    """What came of a range of meters. `flows`: one row a meter with its place and what it counted, for the balances."""

    final_day: pl.DataFrame
    exceptions: pl.DataFrame
    flows: pl.DataFrame


# --- one range of meters ---


def build(given: Given, low: int, high: int, fetch: Fetch) -> Result:
    """The days of the meters low..high."""
    place, fragment, register = (fetch(query, low=low, high=high) for query in ("place", "fragment", "register"))
    frame = with_registers(assemble(place, fragment, given.day.timezone), register).join(given.future, on="meter_id", how="left")
    frame = with_zero_days(frame, fetch).with_columns(age_days=(pl.col("received_on") - given.day.day).dt.total_days())
    initial = judge(frame, "initial")
    to_estimate = initial.filter(pl.col("action") == "estimate").group_by("meter_id").agg(spike=(pl.col("rule") == "V17").any())
    doubted = initial.filter(pl.col("action").is_in(["hold", "flag"])).select("meter_id").unique()
    estimated = estimate(given, frame.join(to_estimate, on="meter_id"), doubted, fetch) if len(to_estimate) else None
    if estimated is None:
        return _result(place, measured_days(frame, initial), initial)
    rest = frame.join(estimated, on="meter_id", how="anti")
    again = estimated.join(frame.drop(*(set(estimated.columns) - {"meter_id"}), strict=False), on="meter_id")
    exceptions = pl.concat([initial, judge(with_figures(again), "estimate")])
    final = pl.concat([measured_days(rest, initial), estimated.select(*TABLES["final_day"])])
    return _result(place, final, exceptions)


def _result(place: pl.DataFrame, final: pl.DataFrame, exceptions: pl.DataFrame) -> Result:
    flows = final.select("meter_id", "import_day_wh", "export_day_wh", "missing_slots", "estimated_wh", "weakest_quality")
    return Result(final, exceptions, place.join(flows, on="meter_id"))


def assemble(place: pl.DataFrame, fragment: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """One row a meter of `place`, its channels as lists of the day's slots, with the figures of its import."""
    fragment = fragment.join(place.select("meter_id", "slots"), on="meter_id")
    entire = ~pl.col("meter_id").is_duplicated() & (pl.col("start_slot") == 0) & (pl.col("import_wh").list.len() == pl.col("slots"))
    fragment = fragment.with_columns(entire=entire.fill_null(False))
    channels = [*CHANNELS, "quality"]
    whole = fragment.filter("entire").select("meter_id", *channels, conflict_slots=pl.lit(0, pl.UInt32))
    scattered = fragment.filter(~pl.col("entire"))
    if len(scattered):
        whole = pl.concat([whole, _merge(place, scattered, channels)])
    arrival = fragment.group_by("meter_id").agg(pl.col("received_at").max())
    arrival = arrival.select("meter_id", received_on=pl.col("received_at").dt.convert_time_zone(timezone).dt.date())
    frame = place.join(whole, on="meter_id", how="left").join(arrival, on="meter_id", how="left")
    if frame["import_wh"].null_count():
        empty = pl.lit(None, pl.Int32).repeat_by("slots")
        frame = frame.with_columns(pl.coalesce("import_wh", empty))
    return with_figures(frame)


def _merge(place: pl.DataFrame, scattered: pl.DataFrame, channels: list[str]) -> pl.DataFrame:
    """Fragments put together slot by slot: of several values the latest received stands."""
    base = place.join(scattered.select("meter_id").unique(), on="meter_id").select("meter_id", "slots")
    grid = base.select("meter_id", slot=pl.int_ranges("slots")).explode("slot")
    merged = base.select("meter_id")
    for c in channels:
        value = (
            scattered.filter(pl.col(c).list.len() > 0)
            .select("meter_id", "received_at", "seq", pl.col(c).alias("v"), slot=pl.col("start_slot") + pl.int_ranges(pl.col(c).list.len()))
            .explode("v", "slot")
            .drop_nulls("v")
            .sort("received_at", "seq", "v")
            .group_by("meter_id", "slot")
            .agg(pl.col("v").last(), values=pl.col("v").n_unique())
        )
        packed = (
            grid.join(value, on=["meter_id", "slot"], how="left", maintain_order="left")
            .group_by("meter_id", maintain_order=True)
            .agg(pl.col("v").alias(c), there=pl.col("v").is_not_null().any(), conflict_slots=(pl.col("values") > 1).sum())
            .with_columns(pl.when("there").then(c))
        )
        kept = ["meter_id", c, *(["conflict_slots"] if c == "import_wh" else [])]
        merged = merged.join(packed.select(kept), on="meter_id")
    return merged.select("meter_id", *channels, pl.col("conflict_slots").cast(pl.UInt32))


def with_figures(frame: pl.DataFrame) -> pl.DataFrame:
    """What the rules judge of the import."""
    w = pl.col("import_wh").list
    return frame.with_columns(
        missing_slots=w.agg(pl.element().null_count()).cast(pl.Int64),
        min_wh=w.min(),
        max_wh=w.max(),
        sum_wh=w.eval(pl.element().cast(pl.Int64)).list.sum(),
    )


def with_registers(frame: pl.DataFrame, register: pl.DataFrame) -> pl.DataFrame:
    """Adds the registers' advances. The latest received reading of a midnight stands."""
    if register.select("meter_id", "closes").is_duplicated().any():
        by = ["received_at", "seq", "import_wh"]
        register = register.sort(by, nulls_last=True).unique(["meter_id", "closes"], keep="last")
    opening, closing = (register.filter(pl.col("closes") == c).select("meter_id", *CHANNELS) for c in (False, True))
    advance = closing.join(opening, on="meter_id", suffix="_before")
    advance = advance.select("meter_id", *((pl.col(c) - pl.col(f"{c}_before")).alias(f"{c}_advance") for c in CHANNELS))
    return frame.join(advance, on="meter_id", how="left")


def with_zero_days(frame: pl.DataFrame, fetch: Fetch) -> pl.DataFrame:
    """Adds the run of zero days; only meters that read zero all day look back."""
    zero = frame.filter((pl.col("missing_slots") == 0) & (pl.col("min_wh") == 0) & (pl.col("max_wh") == 0))
    if zero.is_empty():
        return frame.with_columns(zero_days=pl.lit(0, pl.Int32))
    return frame.join(fetch("zero_run", meters=zero["meter_id"].to_list()), on="meter_id", how="left")


def judge(frame: pl.DataFrame, stage: str) -> pl.DataFrame:
    """The exceptions of the initial suite, or of the suite that judges estimates."""
    initial = stage == "initial"
    hold, repair = ("hold", "hold" if not initial else "estimate")
    found: list[pl.DataFrame] = []

    def fails(rule: str, severity: str, action: str, value: pl.Expr, rows: pl.DataFrame) -> None:
        texts = {"rule": rule, "stage": stage, "severity": severity, "action": action}
        literals = {k: pl.lit(v) for k, v in texts.items()}
        found.append(rows.select("meter_id", **literals, value=value.cast(pl.Float64)))

    if initial:
        ahead = pl.col("stamps") > 0
        fails("V05", "fatal", "note", pl.col("stamps"), frame.filter(ahead))
        old = (pl.col("age_days") > common.MAX_AGE_DAYS) & ahead.not_().fill_null(True)
        fails("V05", "warn", "note", pl.col("age_days"), frame.filter(old))
        fails("V06", "warn", "note", pl.col("conflict_slots"), frame.filter(pl.col("conflict_slots") > 0))
        below = frame.filter(pl.col("min_wh") < 0)
        fails("V11", "fail", repair, pl.col("import_wh").list.eval((pl.element() < 0).cast(pl.Int32)).list.sum(), below)
        limit = pl.col("category").replace_strict(common.ZERO_DAYS, default=common.ZERO_DAYS_OTHERS, return_dtype=pl.Int32)
        fails("V13", "warn", "flag", pl.col("zero_days"), frame.filter(pl.col("zero_days") >= limit))
    fails("V07", "fail", repair, pl.col("missing_slots"), frame.filter(pl.col("missing_slots") > 0))
    above = frame.filter(pl.col("max_wh") > pl.col("limit_wh"))
    slots_above = above.explode("import_wh").group_by("meter_id").agg(value=(pl.col("import_wh") > pl.col("limit_wh")).sum())
    fails("V16", "fail", repair, pl.col("value"), slots_above)
    peaks = frame.filter(
        (pl.col("place") == "consumer") & (pl.col("max_wh") * 60 >= common.SPIKE_FLOOR_W * pl.col("interval_min").cast(pl.Int64))
    )
    third = pl.col("import_wh").list.sort(descending=True, nulls_last=True).list.get(2, null_on_oob=True)
    peaks = peaks.select("meter_id", "max_wh", third=third)
    peaks = peaks.select("meter_id", pct=(pl.col("max_wh") - pl.col("third")).cast(pl.Float64) / pl.max_horizontal("third", 1) * 100)
    fails("V17", "fail", repair, pl.col("pct"), peaks.filter(pl.col("pct") > common.SPIKE_PCT))
    fails("V19", "fail", hold, sum_diff_pct(), frame.filter((pl.col("missing_slots") == 0) & (sum_diff_pct() > common.SUM_PCT)))
    return pl.concat(found)


def sum_diff_pct() -> pl.Expr:
    """What one register step does not explain of sum - advance, % of the advance. Holds for complete days."""
    off = (pl.col("sum_wh") - pl.col("import_wh_advance")).abs()
    beyond = pl.when(off > pl.col("register_lsb_wh")).then(off - pl.col("register_lsb_wh")).when(off.is_not_null()).then(0)
    return beyond.cast(pl.Float64) / pl.max_horizontal(pl.col("import_wh_advance").abs(), 1) * 100


def measured_days(frame: pl.DataFrame, exceptions: pl.DataFrame) -> pl.DataFrame:
    """The rows of final_day for days that were not estimated."""
    doubts = exceptions.filter(pl.col("action").is_in(["hold", "flag", "estimate"]))["meter_id"].unique()
    frame = frame.with_columns(base=pl.when(pl.col("meter_id").is_in(doubts.implode())).then(5).otherwise(0).cast(pl.Int16))
    if frame["quality"].null_count() < len(frame):
        stated = (
            frame.filter(pl.col("quality").is_not_null()).select("meter_id", "base", "quality", "import_wh").explode("quality", "import_wh")
        )
        grade = pl.when(pl.col("import_wh").is_null()).then(9).otherwise(pl.max_horizontal("quality", "base")).cast(pl.Int16)
        stated = stated.group_by("meter_id", maintain_order=True).agg(quality=grade)
        frame = frame.drop("quality").join(stated, on="meter_id", how="left")
    return frame.select(
        "meter_id",
        *CHANNELS,
        pl.col("quality").cast(pl.List(pl.Int16)),
        day_quality="base",
        import_day_wh=pl.when(pl.col("missing_slots") < pl.col("slots")).then("sum_wh"),
        export_day_wh=_total("export_wh"),
        import_day_vah=_total("import_vah"),
        estimated_slots=pl.lit(0, pl.Int32),
        missing_slots=pl.col("missing_slots").cast(pl.Int32),
        estimated_wh=pl.lit(0, pl.Int64),
        weakest_quality=pl.coalesce(pl.col("quality").list.max().cast(pl.Int16), "base"),
    )


def _total(channel: str) -> pl.Expr:
    """Sum of a list; null where it has no value."""
    c = pl.col(channel).list
    return pl.when(c.max().is_not_null()).then(c.eval(pl.element().cast(pl.Int64)).list.sum())


# --- estimation ---


def estimate(given: Given, target: pl.DataFrame, doubted: pl.DataFrame, fetch: Fetch) -> pl.DataFrame | None:
    """The rows of final_day for the days that fail, estimated slot by slot: linear, like days, flat, then scaled to the register."""
    like = pl.DataFrame(schema={"meter_id": pl.Int32} | dict.fromkeys(CHANNELS, LIST))
    if given.candidates:
        like = fetch("like_days", meters=target["meter_id"].to_list(), slots=target["slots"].to_list(), candidates=given.candidates)
    target = target.with_columns(
        refuted=pl.col("spike")
        & (pl.col("missing_slots") == 0)
        & ((pl.col("sum_wh") > pl.col("import_wh_advance")) & (sum_diff_pct() > common.SUM_PCT)).fill_null(False)
    )
    slots = _slots(target, like)
    bad = _scaled(_estimates(slots, like))
    done = _packed(slots, bad)
    imports, exports, apparent = (done.filter(pl.col("channel") == n) for n in range(len(CHANNELS)))
    quality = _qualities(target, imports, doubted)
    rows = (
        imports.join(quality, on="meter_id")
        .join(exports, on="meter_id", how="left", suffix="_x")
        .join(apparent, on="meter_id", how="left", suffix="_a")
        .filter(pl.any_horizontal(pl.col("estimated", "missing", "estimated_x", "estimated_a").fill_null(0) > 0))
    )
    final = rows.select(
        "meter_id",
        import_wh="vals",
        export_wh="vals_x",
        import_vah="vals_a",
        quality="quality",
        day_quality=pl.lit(0, pl.Int16),
        import_day_wh="total",
        export_day_wh="total_x",
        import_day_vah="total_a",
        estimated_slots=pl.col("estimated").cast(pl.Int32),
        missing_slots=pl.col("missing").cast(pl.Int32),
        estimated_wh="energy",
        weakest_quality=pl.col("quality").list.max(),
    )
    return final if len(final) else None


def _slots(target: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """One row a slot and channel, segment by segment in order: `good` is a value that stands, and each slot knows its nearest good ones."""
    parts = []
    known = like.group_by("meter_id").agg(pl.col(c).is_not_null().any().alias(f"{c}_liked") for c in CHANNELS)
    target = target.join(known, on="meter_id", how="left")
    for n, c in enumerate(CHANNELS):
        there = pl.col(c).is_not_null() | pl.col(f"{c}_advance").is_not_null() | pl.col(f"{c}_liked").fill_null(False)
        parts.append(
            target.filter(there).select(
                *("meter_id", "slots", "interval_min", "limit_wh", "register_lsb_wh", "refuted", "max_wh"),
                channel=pl.lit(n, pl.Int8),
                advance=f"{c}_advance",
                v=pl.coalesce(c, pl.lit(None, pl.Int32).repeat_by("slots")),
                slot=pl.int_ranges("slots"),
            )
        )
    frame = (
        pl.concat(parts).with_row_index("segment").explode("v", "slot").with_columns(i=pl.int_range(pl.len()), v=pl.col("v").cast(pl.Int64))
    )
    beyond = (pl.col("channel") == 0) & (
        (pl.col("v") > pl.col("limit_wh")).fill_null(False) | (pl.col("refuted") & (pl.col("v") == pl.col("max_wh"))).fill_null(False)
    )
    frame = frame.with_columns(good=pl.when((pl.col("v") >= 0) & ~beyond).then("v"))
    first = pl.col("i") - pl.col("slot")
    marked = pl.when(pl.col("good").is_not_null()).then("i")
    frame = frame.with_columns(
        left=marked.forward_fill(),
        right=marked.backward_fill(),
        left_good=pl.col("good").forward_fill(),
        right_good=pl.col("good").backward_fill(),
    )
    return frame.with_columns(
        left=pl.when(pl.col("left") >= first).then("left"),
        right=pl.when(pl.col("right") < first + pl.col("slots")).then("right"),
        first=first,
    )


def _estimates(slots: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """The bad slots with a first estimate `raw` (null: share the register's energy) and what is known of their segment."""
    goods = slots.group_by("segment").agg(good_wh=pl.col("good").sum())
    usual = pl.concat(
        like.filter(pl.col(c).is_not_null())
        .select("meter_id", v=c, slot=pl.int_ranges(pl.col(c).list.len()))
        .explode("v", "slot")
        .filter(pl.col("v") >= 0)
        .group_by("meter_id", "slot")
        .agg(_rounded(pl.col("v").cast(pl.Int64).sum(), pl.len().cast(pl.Int64)).alias("usual"))
        .with_columns(channel=pl.lit(n, pl.Int8))
        for n, c in enumerate(CHANNELS)
    )
    bad = slots.filter(pl.col("good").is_null()).join(goods, on="segment").join(usual, on=["meter_id", "channel", "slot"], how="left")
    before = pl.coalesce("left", pl.col("first") - 1)
    gap = pl.coalesce("right", pl.col("first") + pl.col("slots")) - before - 1
    linear = (gap * pl.col("interval_min") <= common.MAX_LINEAR_MIN) & pl.col("left").is_not_null() & pl.col("right").is_not_null()
    between = _rounded(pl.col("left_good") * (gap + 1) + (pl.col("right_good") - pl.col("left_good")) * (pl.col("i") - before), gap + 1)
    return bad.with_columns(raw=pl.when(linear).then(between).otherwise("usual"), target=pl.col("advance") - pl.col("good_wh"))


def _rounded(over: pl.Expr, under: pl.Expr) -> pl.Expr:
    """over / under to the nearest whole number, halves up; neither is negative."""
    return (2 * over + under) // (2 * under)


def _scaled(bad: pl.DataFrame) -> pl.DataFrame:
    """EM9: the bad slots get what the register says is in them, to the Wh, unless the register cannot be right."""
    most = pl.coalesce(pl.col("limit_wh") * pl.len().over("segment"), pl.lit(common.LARGEST))
    believable = (pl.col("target") >= -pl.col("register_lsb_wh")) & (pl.col("target") <= most)
    mean = _rounded(pl.col("raw").sum(), pl.col("raw").count().cast(pl.Int64)).over("segment")
    bad = bad.with_columns(
        fit=pl.when(believable).then(pl.max_horizontal("target", 0)),
        weight=pl.coalesce("raw", pl.when(pl.col("raw").count().over("segment") > 0).then(mean).otherwise(1)),
        bad_slots=pl.len().over("segment").cast(pl.Int64),
    ).with_columns(weights=pl.col("weight").sum().over("segment"))
    by_weight = pl.col("weights") > 0
    weights = pl.max_horizontal("weights", 1)
    bad = bad.with_columns(
        share=pl.when(by_weight).then(pl.col("weight") * pl.col("fit") // weights).otherwise(pl.col("fit") // pl.col("bad_slots")),
        remainder=pl.when(by_weight).then(pl.col("weight") * pl.col("fit") % weights).otherwise(0),
    ).sort("segment", "remainder", "slot", descending=[False, True, False])
    left_over = pl.col("fit") - pl.col("share").sum().over("segment")
    one_more = (pl.int_range(pl.len()).over("segment") < left_over).cast(pl.Int64)
    return bad.select("i", estimate=pl.coalesce(pl.col("share") + one_more, "raw"))


def _packed(slots: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """Slots back to lists, one row a meter and channel."""
    whole = slots.select("segment", "meter_id", "channel", "good", "i").join(bad, on="i", how="left", maintain_order="left")
    whole = whole.with_columns(vals=pl.coalesce("good", "estimate"))
    code = pl.when(pl.col("vals").is_null()).then(9).when(pl.col("good").is_null()).then(6).otherwise(0).cast(pl.Int16)
    return whole.group_by("segment", maintain_order=True).agg(
        pl.col("meter_id", "channel").first(),
        pl.col("vals").cast(pl.Int32),
        code.alias("codes"),
        total=pl.when(pl.col("vals").count() > 0).then(pl.col("vals").sum()),
        estimated=pl.col("estimate").count(),
        missing=pl.col("vals").null_count(),
        energy=pl.col("estimate").sum(),
    )


def _qualities(target: pl.DataFrame, imports: pl.DataFrame, doubted: pl.DataFrame) -> pl.DataFrame:
    """Quality of each slot: what was measured keeps the source's, and is questionable on a day that is doubted or keeps a spike."""
    doubt = pl.col("meter_id").is_in(doubted["meter_id"].implode()) | (pl.col("spike") & ~pl.col("refuted"))
    stated = target.select(
        "meter_id",
        doubt=pl.when(doubt).then(5).otherwise(0).cast(pl.Int16),
        stated=pl.coalesce("quality", pl.lit(None, pl.Int16).repeat_by("slots")),
    )
    each = imports.select("meter_id", "codes").join(stated, on="meter_id").explode("codes", "stated")
    grade = pl.when(pl.col("codes") == 0).then(pl.max_horizontal("doubt", "stated")).otherwise("codes")
    return each.group_by("meter_id", maintain_order=True).agg(quality=grade)


# --- balances ---


def balances(flows: pl.DataFrame, dt: pl.DataFrame, feeder: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """dt_day and feeder_day, in Wh that flowed: the multiplying factor is applied, to the whole Wh of each meter."""

    def flowed(c: str) -> pl.Expr:
        ten_thousandths = pl.col(c) * pl.col("mf_e4")
        return (ten_thousandths.sign() * ((ten_thousandths.abs() + 5000) // 10000)).alias(c.replace("_day", ""))

    placed = flows.select(
        *("place", "dt_id", "feeder_id", "consumer_dt_id", "ht_feeder_id", "missing_slots", "weakest_quality"),
        flowed("import_day_wh"),
        flowed("export_day_wh").fill_null(0),
        flowed("estimated_wh"),
    )
    complete = pl.col("missing_slots") == 0
    consumers = pl.col("place") == "consumer"

    def head(key: str) -> pl.DataFrame:
        of_place = placed.filter(pl.col("place") == key.removesuffix("_id"))
        known = complete.all()
        return of_place.group_by(key).agg(
            head_import=pl.when(known & (pl.col("import_wh").count() > 0)).then(pl.col("import_wh").sum()),
            head_export=pl.when(known).then(pl.col("export_wh").sum()),
            head_estimated=pl.col("estimated_wh").sum(),
            head_quality=pl.col("weakest_quality").max(),
        )

    def served(key: str, as_key: str) -> pl.DataFrame:
        return (
            placed.filter(consumers & pl.col(key).is_not_null())
            .group_by(pl.col(key).alias(as_key))
            .agg(
                consumers=pl.len().cast(pl.Int32),
                consumers_complete=complete.sum().cast(pl.Int32),
                consumer_import_wh=pl.col("import_wh").sum(),
                consumer_export_wh=pl.col("export_wh").sum(),
                estimated=pl.col("estimated_wh").sum(),
                worst=pl.col("weakest_quality").max(),
            )
        )

    zeros = ("consumers", "consumers_complete", "consumer_import_wh", "consumer_export_wh", "estimated", "head_estimated")
    d = dt.join(head("dt_id"), on="dt_id", how="left").join(served("consumer_dt_id", "dt_id"), on="dt_id", how="left")
    d = d.with_columns(pl.col(zeros).fill_null(0), dt_import_wh="head_import", dt_export_wh="head_export")
    d = d.with_columns(
        unmetered_wh=pl.lit(0, pl.Int64),
        input_wh=pl.col("dt_import_wh") + pl.col("consumer_export_wh"),
        output_wh=pl.col("consumer_import_wh") + pl.col("dt_export_wh"),
        estimated_wh=pl.col("estimated") + pl.col("head_estimated"),
        weakest_quality=pl.max_horizontal(pl.col("head_quality").fill_null(9), "worst").cast(pl.Int16),
    ).with_columns(loss_wh=pl.col("input_wh") - pl.col("output_wh"))
    went_in = pl.col("consumer_import_wh") + pl.col("dt_import_wh").fill_null(0)
    d = d.with_columns(
        loss_pct=_pct(pl.col("loss_wh"), pl.col("input_wh")),
        coverage_consumers_pct=_pct(pl.col("consumers_complete"), pl.col("consumers")),
        estimated_share_pct=_pct(pl.col("estimated_wh"), went_in),
    ).select(*TABLES["dt_day"])

    below = d.group_by("feeder_id").agg(
        dts=pl.len().cast(pl.Int32),
        dts_metered=pl.col("dt_import_wh").count().cast(pl.Int32),
        dt_wh=(pl.col("dt_import_wh") - pl.col("dt_export_wh")).sum(),
        below_import=pl.col("consumer_import_wh").sum(),
        below_export=pl.col("consumer_export_wh").sum(),
        below_consumers=pl.col("consumers").sum(),
        below_complete=pl.col("consumers_complete").sum(),
        below_estimated=pl.col("estimated_wh").sum(),
        below_quality=pl.col("weakest_quality").max(),
    )
    f = feeder.join(head("feeder_id"), on="feeder_id", how="left").join(below, on="feeder_id", how="left")
    f = f.join(served("ht_feeder_id", "feeder_id"), on="feeder_id", how="left")
    more = ("dts", "dts_metered", "dt_wh", "below_import", "below_export", "below_consumers", "below_complete", "below_estimated")
    f = f.with_columns(pl.col(*zeros, *more).fill_null(0)).with_columns(
        input_wh=pl.col("head_import") - pl.col("head_export"),
        ht_wh=pl.col("consumer_import_wh") - pl.col("consumer_export_wh"),
        billed_wh=pl.col("below_import") + pl.col("consumer_import_wh"),
        rooftop_export_wh=pl.col("below_export") + pl.col("consumer_export_wh"),
        consumers=pl.col("consumers") + pl.col("below_consumers"),
        consumers_complete=pl.col("consumers_complete") + pl.col("below_complete"),
        estimated_wh=pl.col("head_estimated") + pl.col("below_estimated") + pl.col("estimated"),
        weakest_quality=pl.max_horizontal(pl.col("head_quality").fill_null(9), "below_quality", "worst").cast(pl.Int16),
    )
    f = f.with_columns(
        loss_ht_wh=pl.col("input_wh") - pl.col("dt_wh") - pl.col("ht_wh"),
        loss_wh=pl.col("input_wh") + pl.col("rooftop_export_wh") - pl.col("billed_wh"),
    )
    f = f.with_columns(
        loss_ht_pct=_pct(pl.col("loss_ht_wh"), pl.col("input_wh")),
        loss_pct=_pct(pl.col("loss_wh"), pl.col("input_wh") + pl.col("rooftop_export_wh")),
    )
    return d, f.select(*TABLES["feeder_day"])


def _pct(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole != 0).then(100.0 * part / whole)


# --- reading and writing ---


def run(url: str, discom_id: int, day: date) -> float:
    """Build the day into schema peer_polars. Seconds from the first read to the last commit."""
    task, schema = Day.of(url, discom_id, day), f"peer_{NAME}"

    def fetch(query: str, **values: Any) -> pl.DataFrame:
        return pl.read_database_uri(task.sql(query, **values), task.url, engine="connectorx")

    @contextmanager
    def part(thread: int) -> Iterator[Store]:
        table = Identifier(schema, f"final_day_{thread}")
        with common.connect(url) as conn:
            conn.execute(SQL("create table {} (like {})").format(table, Identifier(schema, "final_day")))
            yield lambda frame: write(conn, schema, f"final_day_{thread}", frame, TABLES["final_day"])
            conn.execute(SQL("alter table {} add primary key (meter_id)").format(table))

    with common.connect(url) as conn:
        common.make_schema(conn, schema)
        started = time.perf_counter()
        rest = build_all(task, fetch, part)
        for thread in range(common.THREADS):
            conn.execute(
                SQL("alter table {} inherit {}").format(Identifier(schema, f"final_day_{thread}"), Identifier(schema, "final_day"))
            )
        for table, frame in rest.items():
            write(conn, schema, table, frame, TABLES[table])
        conn.commit()
        return time.perf_counter() - started


def run_parquet(task: Day, source: Path, target: Path) -> float:
    """Build the day from the files of `parquet.export` into files <table>*.parquet. Seconds from the first read to the last write."""

    def fetch(query: str, low: int | None = None, high: int | None = None, meters: list[int] | None = None, **_: Any) -> pl.DataFrame:
        rows = pl.scan_parquet(source / f"{query}.parquet")
        if low is not None:
            rows = rows.filter(pl.col("meter_id").is_between(low, high))
        if meters is not None:
            rows = rows.filter(pl.col("meter_id").is_in(meters))
        return rows.collect()

    @contextmanager
    def part(thread: int) -> Iterator[Store]:
        number = count()
        yield lambda frame: frame.write_parquet(target / f"final_day_{thread}_{next(number)}.parquet")

    started = time.perf_counter()
    for table, frame in build_all(task, fetch, part).items():
        frame.write_parquet(target / f"{table}.parquet")
    return time.perf_counter() - started


def build_all(task: Day, fetch: Fetch, part: Callable[[int], AbstractContextManager[Store]]) -> dict[str, pl.DataFrame]:
    """The day of all meters, two ranges at a time. final_day goes to what `part` opens for a thread; the other tables are the answer."""
    candidates = fetch("candidates", like_days_before=task.like_type_days(fetch("holiday")["day"]))["day"].to_list()
    given = Given(task, fetch("future"), candidates)
    todo = iter(task.ranges(*fetch("span").row(0)))

    def work(thread: int) -> list[Result]:
        results = []
        with part(thread) as store:
            for low, high in todo:
                result = build(given, low, high, fetch)
                store(result.final_day)
                results.append(result._replace(final_day=pl.DataFrame()))
        return results

    with ThreadPoolExecutor(common.THREADS) as pool:
        results = [r for done in pool.map(work, range(common.THREADS)) for r in done]
    dt_day, feeder_day = balances(pl.concat([r.flows for r in results]), fetch("dt"), fetch("feeder"))
    return {"exception": pl.concat([r.exceptions for r in results]), "dt_day": dt_day, "feeder_day": feeder_day}


def write(conn: psycopg.Connection, schema: str, table: str, frame: pl.DataFrame, columns: dict[str, str]) -> None:
    """COPY the frame into the table: binary for whole meter-days, which are records of one length, CSV for the rest."""
    target = SQL("copy {} ({}) from stdin").format(Identifier(schema, table), SQL(", ").join(map(Identifier, columns)))
    if table.startswith("final_day"):
        slots = pl.col("import_wh").list.len()
        whole = pl.all_horizontal((pl.col(c).list.len() == slots) & (pl.col(c).list.agg(pl.element().null_count()) == 0) for c in CHANNELS)
        layouts = frame.with_columns(length=pl.when(whole).then(slots), stated=whole & pl.col("quality").is_not_null()).partition_by(
            "length", "stated", as_dict=True
        )
        frame = pl.concat([frame.clear(), *(part.select(frame.columns) for (length, _), part in layouts.items() if length is None)])
        layouts = {shape: part for shape, part in layouts.items() if shape[0] is not None}
        with conn.cursor() as cur, cur.copy(target + SQL(" (format binary)")) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for same in layouts.values():
                octets = memoryview(_records(same, columns)).cast("B")
                for at in range(0, len(octets), 1 << 20):
                    copy.write(octets[at : at + (1 << 20)])
            copy.write(b"\xff\xff")
    flat = frame.select(_array_literal(c) if kind.endswith("[]") else pl.col(c) for c, kind in columns.items())
    text = io.BytesIO()
    flat.write_csv(text, include_header=False)
    with conn.cursor() as cur, cur.copy(target + SQL(" (format csv)")) as copy:
        copy.write(text.getbuffer())


def _array_literal(column: str) -> pl.Expr:
    items = pl.col(column).list.eval(pl.element().cast(pl.String).fill_null("NULL")).list.join(",")
    return pl.when(pl.col(column).is_not_null()).then("{" + items + "}").alias(column)


def _records(frame: pl.DataFrame, columns: dict[str, str]) -> np.ndarray:
    """Binary COPY of rows of which no value is null but whole arrays, and arrays are of one length."""
    fields: list[tuple[Any, ...]] = [("fields", ">i2")]
    values: dict[str, Any] = {"fields": len(columns)}
    for c, kind in columns.items():
        item = NUMPY[kind.removesuffix("[]")]
        width = int(item[-1])
        fields.append((f"{c} octets", ">i4"))
        if not kind.endswith("[]"):
            fields.append((c, item))
            values |= {f"{c} octets": width, c: frame[c].to_numpy()}
        elif frame[c].null_count():
            values[f"{c} octets"] = -1
        else:
            n = len(frame[c][0])
            fields += [(f"{c} head", ">i4", (5,)), (c, [("octets", ">i4"), ("item", item)], (n,))]
            values |= {f"{c} octets": 20 + n * (4 + width), f"{c} head": (1, 0, OID[kind.removesuffix("[]")], n, 1)}
            values[c] = frame[c].explode().to_numpy().reshape(-1, n)
    records = np.empty(len(frame), np.dtype(fields))
    for name, value in values.items():
        if name in columns and columns[name].endswith("[]"):
            records[name]["octets"], records[name]["item"] = int(NUMPY[columns[name][:-2]][-1]), value
        else:
            records[name] = value
    return records


if __name__ == "__main__":
    common.main(NAME, run, run_parquet)
