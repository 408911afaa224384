"""The warehouse that the API is measured on: small, and what the API answers of it is what its views say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from cli.bench.api import SAMPLE, compare, endpoints_of, load, section
from cli.bench.api_world import ApiWorld, make
from cli.bench.database import as_owner
from cli.bench.push import serving
from cli.bench.stages import BenchError

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

CONSUMERS, DAYS = 600, 4


@pytest.fixture(scope="module")
def made(built_module_database: str) -> ApiWorld:
    return make(CONSUMERS, DAYS, 1, lambda _: None)


@pytest.fixture(scope="module")
def key(made: ApiWorld) -> str:
    key, key_id, secret = new_key()
    with as_owner() as conn:
        insert_key(conn, made.discom_id, key_id, secret, None, "bench", [], 10**7, role="analyst")
    return key


@pytest.fixture(scope="module")
def client(key: str) -> Iterator[TestClient]:
    with TestClient(create_app(), headers={HEADER: key}) as client:
        yield client


def test_every_meter_has_every_day(made: ApiWorld) -> None:
    with as_owner() as conn:
        found = conn.execute(
            "select count(*), count(distinct meter_id) from vee.final_day where discom_id = %s", [made.discom_id]
        ).fetchone()
        kinds = conn.execute(
            """select count(*) filter (where weakest_quality = 0) > 0, count(*) filter (where weakest_quality = 2) > 0,
                      count(*) filter (where weakest_quality = 5) > 0, count(*) filter (where weakest_quality = 6) > 0,
                      (select count(*) from vee.assembled_day) > 0
               from vee.final_day where discom_id = %s""",
            [made.discom_id],
        ).fetchone()
    assert found == (made.world.meters * DAYS, made.world.meters)
    assert kinds is not None
    assert (kinds[0], *kinds[2:]) == (True, True, True, True), "measured, doubted, estimated and scattered days"


def test_balances_are_those_of_the_meters_below(made: ApiWorld) -> None:
    with as_owner() as conn:
        wrong = conn.execute(
            """select count(*) from energy.dt_day d
               join (select c.dt_id, f.day, sum(f.import_day_wh) as wh from vee.final_day f
                     join registry.consumer_index c on c.discom_id = f.discom_id and c.service_point_id = f.meter_id
                     where f.discom_id = %(d)s and f.place = 'consumer' and f.meter_id not in (select meter_id from vee.edit)
                     group by c.dt_id, f.day) s on s.dt_id = d.dt_id and s.day = d.day
               where d.discom_id = %(d)s and d.consumer_import_wh <> s.wh
                 and d.dt_id not in (select c.dt_id from vee.edit e join registry.consumer_index c on c.discom_id = e.discom_id
                                                                                               and c.service_point_id = e.meter_id)""",
            {"d": made.discom_id},
        ).fetchone()
    assert wrong == (0,), "a DT supplied other than its consumers took"


def test_answers_are_compared_before_any_time_is_taken(client: TestClient, made: ApiWorld) -> None:
    said = list(compare(client, made, 1))
    assert said[0].startswith(f"{SAMPLE * DAYS} meter-days of {SAMPLE} meters")
    with pytest.raises(BenchError, match="the API says other than the warehouse"):
        list(compare(_Other(client), made, 1))  # type: ignore[arg-type]


class _Other:
    """A client whose answers are a Wh off."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def get(self, path: str, params: dict[str, str]) -> object:
        answer = self._client.get(path, params=params)
        rows = answer.json()["rows"]
        for r in rows:
            r["import_kwh"] = (r.get("import_kwh") or 0) + 0.001

        class Answer:
            status_code = 200

            @staticmethod
            def json() -> dict[str, object]:
                return {"rows": rows}

        return Answer()


def test_clients_of_another_process_ask_every_get_and_none_is_refused(made: ApiWorld, key: str) -> None:
    with serving() as port:
        measured = load(f"http://127.0.0.1:{port}", made, key, clients=10, seconds=10, think=0.05)
    found = {e.name: e for e in endpoints_of(measured)}
    assert measured["said"] == {}, "requests of the load failed"
    assert found.keys() >= {"meters/{serial}", "meters/{serial}/explain", "vee/exceptions of a day", "energy/dt, 30 days", "all"}
    assert found["all"].requests == sum(e.requests for name, e in found.items() if name != "all") > 100


def test_the_section_says_how_it_was_measured() -> None:
    times = {"p50_s": 0.01, "p95_s": 0.02, "p99_s": 0.2, "max_s": 0.3}
    doc = {
        "measured_at": "now",
        "machine": "a machine",
        "consumers": 1000,
        "meters": 1021,
        "days": 90,
        "clients": 100,
        "think_s": 1.0,
        "seconds": 60.0,
        "workers": 2,
        "cores_busy": 1.5,
        "cores_stolen": 0.1,
        "load_average": 2.0,
        "compared": ["this with that"],
        "endpoints": [{"name": "meters", "requests": 600, "errors": 0, **times}],
    }
    text = section(doc)
    assert "1 s of pause on average" in text
    assert "| meters | 10.0 | 10 | 20 | 200 | 300 | 0 | no |" in text, "a p99 of 200 ms does not hold the bar"
    assert "no pause" in section({**doc, "think_s": 0})
