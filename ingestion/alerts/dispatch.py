"""Sends what stands in the outbox (ops.alert_delivery), at least once, and keeps outages up to date: `meterhouse alerts run`.

Several dispatchers may run: each takes deliveries that no other has. A delivery is taken for a while by moving its next attempt, is sent
without a transaction open, and is marked afterwards: killed in between, it is sent again with the same delivery key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ingestion.alerts.channels import SendError, send_email, send_mqtt, send_webhook
from ingestion.alerts.outages import group_outages

SENDERS: dict[str, Callable[[str, dict[str, Any]], None]] = {"webhook": send_webhook, "email": send_email, "mqtt": send_mqtt}

TAKEN_FOR = timedelta(seconds=120)
"""How long a delivery is another's to send: longer than all timeouts of a channel together."""
MAX_ATTEMPTS = 8
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(hours=1)
AT_ONCE, WORKERS = 100, 8

log = logging.getLogger(__name__)


@dataclass
class Dispatched:
    """What a pass did."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    outages: int = 0
    """Outages that are new or changed."""

    @property
    def idle(self) -> bool:
        return not (self.sent or self.retried or self.failed or self.outages)

    def add(self, other: Dispatched) -> None:
        self.sent += other.sent
        self.retried += other.retried
        self.failed += other.failed
        self.outages += other.outages


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 10 s, 20 s, 40 s … up to an hour."""
    return min(FIRST_RETRY * 2 ** (attempts - 1), LONGEST_RETRY)


def run(
    conn: psycopg.Connection, *, once: bool = False, pause_s: float = 1.0, listener: Callable[[Dispatched], None] = lambda _: None
) -> Dispatched:
    """Send what is due and group outages, for ever or until nothing is due. `conn` acts as meterhouse_loader and has no transaction open.

    Raises psycopg.Error where the database is gone, AlertRuleError where a DISCOM's rules cannot be read.
    """
    total = Dispatched()
    while True:
        done = send_due(conn)
        done.outages = group_outages(conn)
        total.add(done)
        listener(done)
        if done.idle:
            if once:
                return total
            time.sleep(pause_s)


def send_due(conn: psycopg.Connection) -> Dispatched:
    """Send deliveries that are due, at most AT_ONCE."""
    due = _take(conn)
    result = Dispatched()
    if not due:
        return result
    orders = [d for d in due if d["channel"] == "work_order"]
    for delivery in orders:
        _request_work(conn, delivery)
        result.sent += 1
    others = [d for d in due if d["channel"] != "work_order"]
    if others:
        with ThreadPoolExecutor(min(WORKERS, len(others)), "alerts") as pool:
            # Marked one by one as they end, so that a kill repeats few.
            for delivery, error in pool.map(_send, others):
                _mark(conn, delivery, error, result)
    return result


_TAKE = """
with due as (
    select discom_id, delivery_id from ops.alert_delivery
    where state = 'pending' and next_attempt_at <= now()
    order by next_attempt_at limit %(at_once)s for update skip locked
),
taken as (
    update ops.alert_delivery d set attempts = d.attempts + 1, next_attempt_at = now() + %(taken_for)s
    from due where d.discom_id = due.discom_id and d.delivery_id = due.delivery_id
    returning d.*
)
select t.discom_id, t.delivery_id, t.alert_id, t.channel, t.target, t.attempts, c.code as discom, m.meter_id, m.serial as meter,
       a.rule, a.severity, a.event, a.code, a.value, a.occurred_at, a.received_at, a.raised_at, a.repeats
from taken t
join ops.alert a using (discom_id, alert_id)
join registry.meter m using (discom_id, meter_id)
join registry.discom c using (discom_id)
order by t.delivery_id
"""


def _take(conn: psycopg.Connection) -> list[dict[str, Any]]:
    with conn.transaction(), conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(_TAKE, {"at_once": AT_ONCE, "taken_for": TAKEN_FOR}).fetchall()


def message_of(delivery: dict[str, Any]) -> dict[str, Any]:
    """What a receiver gets. Stamps are ISO 8601 in UTC. It holds no personal data: a meter's serial is the key to it."""
    told = ("discom", "meter", "rule", "severity", "event", "code", "value", "occurred_at", "received_at", "raised_at", "repeats")
    message = {name: delivery[name] for name in told}
    message |= {k: v.isoformat() for k, v in message.items() if isinstance(v, datetime)}
    key = f"{delivery['discom']}-{delivery['delivery_id']}"
    return {"delivery_key": key, "alert_id": delivery["alert_id"], **message}


def _send(delivery: dict[str, Any]) -> tuple[dict[str, Any], SendError | None]:
    try:
        SENDERS[delivery["channel"]](delivery["target"], message_of(delivery))
    except SendError as e:
        return delivery, e
    except Exception as e:
        log.exception("delivery %s by %s", delivery["delivery_id"], delivery["channel"])
        return delivery, SendError(f"{type(e).__name__}: {e}")
    return delivery, None


def _mark(conn: psycopg.Connection, delivery: dict[str, Any], error: SendError | None, result: Dispatched) -> None:
    key = [delivery["discom_id"], delivery["delivery_id"]]
    if error is None:
        change = "state = 'sent', sent_at = clock_timestamp(), last_error = null"
        result.sent += 1
        values: list[Any] = key
    elif error.permanent or delivery["attempts"] >= MAX_ATTEMPTS:
        change = "state = 'failed', last_error = %s"
        result.failed += 1
        values = [str(error), *key]
    else:
        change = "next_attempt_at = now() + %s, last_error = %s"
        result.retried += 1
        values = [backoff(delivery["attempts"]), str(error), *key]
    # Another dispatcher may have taken it over, had we been slow: what is sent stays sent.
    with conn.transaction():
        sql = f"update ops.alert_delivery set {change} where discom_id = %s and delivery_id = %s and state = 'pending'"  # noqa: S608
        conn.execute(sql, values)


def _request_work(conn: psycopg.Connection, delivery: dict[str, Any]) -> None:
    """Exactly once: the request and the mark are one transaction."""
    with conn.transaction():
        conn.execute(
            """insert into ops.work_order_request (discom_id, alert_id, kind, meter_id) values (%s, %s, %s, %s)
               on conflict (discom_id, alert_id, kind) do nothing""",
            [delivery["discom_id"], delivery["alert_id"], delivery["target"], delivery["meter_id"]],
        )
        conn.execute(
            "update ops.alert_delivery set state = 'sent', sent_at = clock_timestamp() where discom_id = %s and delivery_id = %s",
            [delivery["discom_id"], delivery["delivery_id"]],
        )


def latest_alerts(conn: psycopg.Connection, discom_id: int, limit: int, severity: str | None = None) -> list[tuple[Any, ...]]:
    """Of the latest alerts raised_at, severity, serial, event, rule, occurred_at, repeats, backfill and, in one text, their deliveries."""
    return conn.execute(
        """select a.raised_at, a.severity, m.serial, a.event, a.rule, a.occurred_at, a.repeats, a.backfill,
                  (select string_agg(d.channel || ' ' || d.state, ', ' order by d.delivery_id) from ops.alert_delivery d
                   where d.discom_id = a.discom_id and d.alert_id = a.alert_id)
           from ops.alert a join registry.meter m using (discom_id, meter_id)
           where a.discom_id = %(discom)s and (%(severity)s::text is null or a.severity = %(severity)s)
           order by a.raised_at desc, a.alert_id desc limit %(limit)s""",
        {"discom": discom_id, "severity": severity, "limit": limit},
    ).fetchall()
