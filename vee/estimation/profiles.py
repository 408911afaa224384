"""Class profiles (EM7): how the import of a category lies in the day, learnt from the DISCOM's own good days."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby

import numpy as np
import psycopg

from vee.estimation import repository

SAMPLE = 300
"""Meters of each category that are read."""

MIN_METER_DAYS = 20
"""A profile of fewer good days is none."""


def learn(conn: psycopg.Connection, discom_id: int, last: date, days: int) -> int:
    """Learn the profiles of a DISCOM from the `days` days that end with `last`, in the place of those that were there; how many there
    are."""
    first = last - timedelta(days - 1)
    built = repository.built_days(conn, discom_id, first, last)
    holidays = repository.holidays(conn, discom_id)
    types = {d.toordinal(): repository.day_type(d, holidays) for d in built}
    rows: list[tuple[object, ...]] = []
    if built:
        sample = repository.sample_of_classes(conn, discom_id, built[-1], SAMPLE)
        for (category, interval, slots), members in groupby(sample, key=lambda r: r[:3]):
            of = list(members)
            meters = np.array([m[3] for m in of])
            load = np.array([np.nan if m[4] is None else m[4] for m in of])
            repository.remember_meters(conn, meters)
            doubted = repository.unusable(conn, discom_id, built[0], built[-1])
            bad = set(zip(doubted["meter_id"].tolist(), repository.ordinals(doubted["day"]).tolist(), strict=True))
            found = repository.days_of(conn, discom_id, meters, built, slots, interval, ["import_wh"])
            ordinals = repository.ordinals(found["day"])
            whole = (found["import_wh"]["value"] >= 0).all(axis=1)
            good = whole & np.array([(int(meters[n]), int(o)) not in bad for n, o in zip(found["nr"], ordinals, strict=True)], bool)
            of_type = np.array([types[int(o)] for o in ordinals])
            for kind in (0, 6, 7):
                chosen = good & (of_type == kind)
                values = found["import_wh"]["value"][chosen].astype(float)
                if chosen.sum() < MIN_METER_DAYS or values.sum() == 0:
                    continue
                kw = load[found["nr"][chosen]]
                known = kw > 0
                per_kw = float(values[known].sum() / kw[known].sum()) if known.any() else None
                share = values.sum(axis=0) / values.sum()
                rows.append((category, interval, kind, share.tolist(), per_kw, int(chosen.sum()), built[-1]))
    repository.replace_profiles(conn, discom_id, rows)
    return len(rows)


def refresh(conn: psycopg.Connection, discom_id: int, before: date, days: int, max_age_days: int) -> None:
    """Learn anew from the days before `before` where profiles were learnt at all and are older than `max_age_days`."""
    row = conn.execute("select min(learnt_to) from vee.class_profile where discom_id = %s", [discom_id]).fetchone()
    if row and row[0] and row[0] < before - timedelta(max_age_days + 1):
        learn(conn, discom_id, before - timedelta(1), days)
