"""What the clients of `meterhouse bench-api` do: a file for locust, which is another process and knows nothing of the warehouse.

The mix is that of an installation with people and systems: most ask for one meter. Answers are read in full; anything but 200 is an error.
"""

from __future__ import annotations

import json
import os
import time
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from locust import FastHttpUser, events, task
from locust.env import Environment

SETUP: dict[str, Any] = json.loads(Path(os.environ["METERHOUSE_BENCH_SETUP"]).read_text())
"""first, days, consumers, dts, feeders, key, header, seed, think_s, warm_up_s, out."""
FIRST, DAYS = date.fromisoformat(SETUP["first"]), int(SETUP["days"])
Latencies = dict[str, list[float]]
seconds: Latencies = {}
faults: dict[str, int] = {}
said: dict[str, str] = {}
began = time.monotonic()
chance = Random(SETUP["seed"])  # noqa: S311


@events.request.add_listener
def note(name: str, response_time: float, exception: BaseException | None, **_: Any) -> None:
    """A request that was sent after the warm-up."""
    if time.monotonic() - response_time / 1000 - began < SETUP["warm_up_s"]:
        return
    seconds.setdefault(name, []).append(response_time / 1000)
    if exception is not None:
        faults[name] = faults.get(name, 0) + 1
        said[name] = f"{type(exception).__name__}: {exception}"[:300]


@events.quitting.add_listener
def write(environment: Environment, **_: Any) -> None:
    measured_s = time.monotonic() - began - SETUP["warm_up_s"]
    Path(SETUP["out"]).write_text(json.dumps({"measured_s": measured_s, "seconds": seconds, "faults": faults, "said": said}))
    environment.process_exit_code = 0


def a_serial() -> str:
    return f"B{chance.randint(1, SETUP['consumers']):07d}"


def some_days(length: int) -> dict[str, str]:
    """A range of `length` days, or of all where there are fewer."""
    length = min(length, DAYS)
    first = FIRST + timedelta(days=chance.randint(0, DAYS - length))
    return {"from": first.isoformat(), "to": (first + timedelta(days=length - 1)).isoformat()}


class Client(FastHttpUser):
    """One of the clients: asks, reads the answer, thinks, and asks again."""

    connection_timeout = network_timeout = 30.0

    def wait_time(self) -> float:
        think_s = float(SETUP["think_s"])
        return chance.uniform(0.5 * think_s, 1.5 * think_s)

    def ask(self, name: str, path: str, **query: Any) -> None:
        url = f"/api/v1{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        with self.client.get(url, name=name, headers={SETUP["header"]: SETUP["key"]}, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code}: {(answer.text or '')[:200]}")

    @task(15)
    def meter(self) -> None:
        self.ask("meters/{serial}", f"/meters/{a_serial()}")

    @task(5)
    def search_by_serial(self) -> None:
        self.ask("meters?prefix", "/meters", prefix=a_serial()[:6], size=50)

    @task(3)
    def search_by_dt(self) -> None:
        self.ask("meters?dt", "/meters", dt=f"DT {chance.randint(1, SETUP['dts'])}")

    @task(2)
    def search_by_office(self) -> None:
        self.ask("meters?office", "/meters", office=chance.choice(["bench", f"section {chance.randint(1, SETUP['feeders'])}"]), size=50)

    @task(22)
    def days(self) -> None:
        self.ask("consumption, 30 days by day", f"/meters/{a_serial()}/consumption", **some_days(30))

    @task(12)
    def intervals_of_a_day(self) -> None:
        self.ask("consumption, a day by interval", f"/meters/{a_serial()}/consumption", **some_days(1), resolution="interval")

    @task(6)
    def intervals_of_a_week(self) -> None:
        self.ask("consumption, 7 days by interval", f"/meters/{a_serial()}/consumption", **some_days(7), resolution="interval")

    @task(2)
    def intervals_of_a_month(self) -> None:
        self.ask("consumption, 31 days by interval", f"/meters/{a_serial()}/consumption", **some_days(31), resolution="interval")

    @task(4)
    def hours(self) -> None:
        self.ask("consumption, 7 days by hour", f"/meters/{a_serial()}/consumption", **some_days(7), resolution="hour")

    @task(8)
    def months(self) -> None:
        self.ask("consumption, 90 days by month", f"/meters/{a_serial()}/consumption", **some_days(90), resolution="month")

    @task(3)
    def days_elsewhere(self) -> None:
        self.ask("consumption, 30 days by day, UTC", f"/meters/{a_serial()}/consumption", **some_days(30), timezone="UTC")

    @task(5)
    def events(self) -> None:
        self.ask("meters/{serial}/events, 30 days", f"/meters/{a_serial()}/events", **some_days(30))

    @task(5)
    def profile(self) -> None:
        self.ask("meters/{serial}/profile, 30 days", f"/meters/{a_serial()}/profile", **some_days(30))

    @task(4)
    def explain(self) -> None:
        self.ask("meters/{serial}/explain", f"/meters/{a_serial()}/explain", day=some_days(1)["from"])

    @task(2)
    def explain_interval(self) -> None:
        self.ask("vee/explain/{serial}/{day}/{slot}", f"/vee/explain/{a_serial()}/{some_days(1)['from']}/{chance.randint(0, 47)}")

    @task(2)
    def exceptions_of_a_day(self) -> None:
        day = some_days(1)["from"]
        self.ask("vee/exceptions of a day", "/vee/exceptions", first=day, last=day)

    @task(2)
    def exceptions_of_a_meter(self) -> None:
        span = some_days(30)
        self.ask("vee/exceptions of a meter", "/vee/exceptions", first=span["from"], last=span["to"], meter=a_serial())

    @task(5)
    def dt(self) -> None:
        self.ask("energy/dt, 30 days", f"/energy/dt/DT {chance.randint(1, SETUP['dts'])}", **some_days(30))

    @task(2)
    def dt_intervals(self) -> None:
        self.ask("energy/dt, a day by interval", f"/energy/dt/DT {chance.randint(1, SETUP['dts'])}", **some_days(1), resolution="interval")

    @task(3)
    def feeder(self) -> None:
        self.ask("energy/feeder, 30 days", f"/energy/feeder/feeder {chance.randint(1, SETUP['feeders'])}", **some_days(30))

    @task(2)
    def feeder_intervals(self) -> None:
        feeder = f"feeder {chance.randint(1, SETUP['feeders'])}"
        self.ask("energy/feeder, a day by interval", f"/energy/feeder/{feeder}", **some_days(1), resolution="interval")

    @task(2)
    def office(self) -> None:
        self.ask("energy/office, all, 30 days", "/energy/office/bench", **some_days(30))

    @task(2)
    def dts_of_feeder(self) -> None:
        self.ask("energy/feeder/dts, 30 days", f"/energy/feeder/feeder {chance.randint(1, SETUP['feeders'])}/dts", **some_days(30))

    @task(1)
    def feeders_of_office(self) -> None:
        self.ask("energy/office/feeders, all, 30 days", "/energy/office/bench/feeders", **some_days(30))

    @task(1)
    def dts_of_office(self) -> None:
        self.ask("energy/office/dts, all, 7 days", "/energy/office/bench/dts", **some_days(7))
