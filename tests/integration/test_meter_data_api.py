"""Meter data over the API: it says what the final layer says, at any resolution, and to nobody more than is theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.rows import dict_row

from api.main import create_app
from api.meters.data_schemas import Consumption, EpisodePage, Meter, MeterPage, Profile
from tests.integration import meter_data_world as world
from tests.integration.edits_world import tenant
from tests.integration.meter_data_world import CODE, DAYS, EDITED, EDITED_METER, FIRST, LAST, MOVED_ON, World
from warehouse.codes import method_flag

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

IST = ZoneInfo("Asia/Kolkata")
ALL = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
ZONES = ("Asia/Kolkata", "UTC", "Asia/Kathmandu", "America/New_York")
EXACT = {"from": "2026-10-05T00:00:00+05:30", "to": "2026-10-10T00:00:00+05:30"}


@pytest.fixture(scope="module")
def made(built_module_database: str) -> World:
    return world.make()


@pytest.fixture(scope="module")
def client(made: World) -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.fixture
def get(client: TestClient, made: World) -> Any:
    def get(path: str, who: str = "analyst", status: int = 200, **query: Any) -> Any:
        answer = client.get(f"/api/v1/meters{path}", params=query, headers=made.headers[who])
        assert answer.status_code == status, f"{path} {query} as {who}: {answer.text[:500]}"
        return answer.json()

    return get


def rows(get: Any, meter: int | str, **query: Any) -> list[dict[str, Any]]:
    serial = f"{CODE}-{meter}" if isinstance(meter, int) else meter
    answer = get(f"/{serial}/consumption", **{**ALL, **query})
    Consumption.model_validate(answer)
    return list(answer["rows"])


def view(made: World, query: str, *values: Any) -> list[dict[str, Any]]:
    with tenant(made.ids[CODE]) as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()  # type: ignore[arg-type]


# --- it says what the final layer says ---


@pytest.mark.parametrize("meter", range(1, 10))
def test_intervals_are_those_of_the_final_layer(get: Any, made: World, meter: int) -> None:
    told = [
        (
            datetime.fromisoformat(r["start"]),
            datetime.fromisoformat(r["end"]),
            r["import_kwh"],
            r["export_kwh"],
            r["kvah"],
            r["quality"],
            r["methods"],
        )
        for r in rows(get, meter, resolution="interval")
    ]
    wanted = [
        (
            r["starts_at"],
            r["ends_at"],
            *(None if r[c] is None else float(r[c]) for c in ("import_kwh", "export_kwh", "import_kvah")),
            r["quality"],
            [method_flag(r["method"])] if r["method"] else [],
        )
        for r in view(made, "select * from vee.interval_reading where meter_id = %s order by starts_at", meter)
    ]
    assert len(wanted) == 48 * len(DAYS), "the world has a row an interval of each meter"
    assert told == wanted


def test_the_world_has_days_of_every_kind(made: World) -> None:
    kinds = view(made, "select distinct quality, method is not null as estimated from vee.interval_reading")
    letters = {k["quality"] for k in kinds}
    assert {"A", "E", "M2", "Q"} <= letters, f"only {letters}: the comparison with the view says nothing of the others"
    assert any(k["estimated"] for k in kinds)


@pytest.mark.parametrize("layer", ["raw", "estimated", "final"])
@pytest.mark.parametrize("resolution", ["day", "month"])
def test_days_of_figures_are_those_of_their_intervals(get: Any, resolution: str, layer: str) -> None:
    for meter in range(1, 11):
        of_figures = rows(get, meter, resolution=resolution, layer=layer)
        of_values = rows(get, meter, resolution=resolution, layer=layer, **EXACT)
        assert of_figures == of_values, f"meter {meter}: figures of days differ from what their arrays say"


def test_days_are_those_of_the_final_layer(get: Any, made: World) -> None:
    for meter in (1, 2, 4, 5, 7):
        for told, wanted in zip(
            rows(get, meter), view(made, "select * from vee.final_day where meter_id = %s order by day", meter), strict=True
        ):
            mf = 2 if meter == 2 else 1
            assert told["start"] == datetime.combine(wanted["day"], datetime.min.time(), IST).isoformat()
            for ours, theirs in (("import_kwh", "import_day_wh"), ("export_kwh", "export_day_wh"), ("kvah", "import_day_vah")):
                value = wanted[theirs]
                assert told[ours] == (None if value is None else value * mf / 1000), f"meter {meter}, {wanted['day']}: {ours}"
            share = round(100 * wanted["estimated_wh"] / wanted["import_day_wh"], 2)
            assert told["estimated_pct"] == share
            assert told["coverage_pct"] == round(100 * (48 - wanted["missing_slots"]) / 48, 2)


@pytest.mark.parametrize("zone", ZONES)
def test_hours_days_and_months_add_up_to_their_intervals(get: Any, zone: str) -> None:
    for meter in (1, 3, 4, 10):
        sums: dict[str, dict[str, Decimal]] = {}
        for resolution in ("interval", "hour", "day", "month"):
            total: dict[str, Decimal] = defaultdict(Decimal)
            for r in rows(get, meter, resolution=resolution, timezone=zone, **{"from": "2026-10-04", "to": "2026-10-10"}):
                for c in ("import_kwh", "export_kwh", "kvah"):
                    total[c] += Decimal(str(r[c] or 0))
            sums[resolution] = dict(total)
        assert sums["interval"] == sums["hour"] == sums["day"] == sums["month"], f"meter {meter} in {zone}"


def test_a_row_takes_the_weakest_quality_and_the_highest_demand(get: Any) -> None:
    intervals = rows(get, world.GAP_METER, resolution="interval", layer="raw")
    (day,) = [r for r in rows(get, world.GAP_METER, layer="raw") if r["start"].startswith(DAYS[1].isoformat())]
    of_day = [r for r in intervals if r["start"].startswith(DAYS[1].isoformat())]
    assert day["quality"] == "M", "four of its intervals are missing"
    assert day["coverage_pct"] == round(100 * 44 / 48, 2)
    assert day["max_demand_kw"] == max(r["max_demand_kw"] for r in of_day if r["max_demand_kw"] is not None)
    assert [r["import_kwh"] for r in of_day[20:24]] == [None] * 4
    assert {r["quality"] for r in of_day} == {"M", "R"}


def test_layers_differ_by_what_was_done_to_the_values(get: Any) -> None:
    day = {"from": EDITED["approved"].isoformat(), "to": EDITED["approved"].isoformat(), "resolution": "interval"}
    raw, estimated, final = (rows(get, EDITED_METER, layer=layer, **day) for layer in ("raw", "estimated", "final"))
    assert [r["import_kwh"] for r in final[10:13]] == [0.5, 0.501, 0.502]
    assert [r["quality"] for r in final[9:14]] == [estimated[9]["quality"], "M2", "M2", "M2", estimated[13]["quality"]]
    assert [r["import_kwh"] for r in raw] == [r["import_kwh"] for r in estimated]
    assert raw[10]["import_kwh"] != 0.5
    gap = {"from": DAYS[1].isoformat(), "to": DAYS[1].isoformat(), "resolution": "interval"}
    filled = rows(get, world.GAP_METER, layer="estimated", **gap)[20:24]
    assert all(r["quality"] == "E" and r["methods"] and r["estimated_pct"] == 100 for r in filled), filled


def test_an_edit_counts_when_it_is_approved(get: Any, made: World) -> None:
    waiting = {"from": EDITED["waiting"].isoformat(), "to": EDITED["waiting"].isoformat()}
    before = rows(get, EDITED_METER, **waiting)[0]["import_kwh"]
    assert before == sum(v or 0 for v in world.values(EDITED_METER, EDITED["waiting"])) / 1000


def test_a_factor_with_a_fraction_rounds_each_interval(get: Any) -> None:
    interval = rows(get, world.HALF_METER, resolution="interval")[0]["import_kwh"]
    wh = world.values(world.HALF_METER, FIRST)[0]
    assert wh is not None
    assert interval == float((Decimal(wh) * Decimal("1.5")).quantize(Decimal(1), rounding="ROUND_HALF_UP")) / 1000


def test_channels_that_are_not_asked_for_are_left_out(get: Any) -> None:
    for resolution in ("interval", "day"):
        told = rows(get, 1, resolution=resolution, channels=["kvah", "power_factor"])[0]
        assert set(told) == {"start", "end", "kvah", "power_factor", "quality", "estimated_pct", "methods", "coverage_pct"}


def test_instants_cut_the_rows(get: Any) -> None:
    query = {"from": "2026-10-05T10:00:00+05:30", "to": "2026-10-06T01:00:00+05:30"}
    first, second = rows(get, 1, **query)
    assert (first["start"], first["end"]) == ("2026-10-05T10:00:00+05:30", "2026-10-06T00:00:00+05:30")
    assert (second["start"], second["end"]) == ("2026-10-06T00:00:00+05:30", "2026-10-06T01:00:00+05:30")
    assert second["coverage_pct"] == 100.0
    assert second["import_kwh"] == sum(v or 0 for v in world.values(1, DAYS[1])[:2]) / 1000


def test_days_that_were_not_built_have_no_row_and_a_month_says_its_coverage(get: Any) -> None:
    (month,) = rows(get, 1, resolution="month", **{"from": "2026-10-01", "to": "2026-10-31"})
    assert month["start"] == "2026-10-01T00:00:00+05:30"
    assert month["end"] == "2026-11-01T00:00:00+05:30"
    assert month["coverage_pct"] == round(100 * len(DAYS) / 31, 2)
    assert len(rows(get, 1, **{"from": "2026-10-01", "to": "2026-10-31"})) == len(DAYS)


def test_updated_since_gives_the_days_that_were_built_since(get: Any, made: World) -> None:
    ((built, latest),) = [
        (r["first"], r["last"]) for r in view(made, "select min(built_at) as first, max(built_at) as last from ops.day_build")
    ]
    assert len(rows(get, 2, updated_since=built.isoformat())) == len(DAYS)
    after = (latest + timedelta(microseconds=1)).isoformat()
    assert rows(get, 2, updated_since=after) == []
    edited = [r["start"][:10] for r in rows(get, EDITED_METER, updated_since=after)]
    assert edited == [EDITED["approved"].isoformat(), EDITED["vah"].isoformat()], "edits were approved after the build"


# --- master data and search ---


def test_a_meter_says_where_it_hung(get: Any) -> None:
    told = get(f"/{CODE}-6")
    Meter.model_validate(told)
    assert [(i["at"], i["office"], i["dt"], i["feeder"], i["valid_from"], i["valid_to"]) for i in told["installations"]] == [
        ("P9", "north", "TN", "F", MOVED_ON.isoformat(), None),
        ("P6", "south", "TS", "F", "2026-01-01", MOVED_ON.isoformat()),
    ]
    assert get(f"/{CODE}-2")["installations"][0]["mf"] == 2.0


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
        ({"prefix": f"{CODE}-1"}, {1, 10}),
        ({"prefix": "nothing"}, set()),
        ({"dt": "TN"}, {1, 2, 3, 6, 7}),
        ({"service_point": "P9"}, {6}),
        ({"service_point": "P6"}, set()),
        ({"office": "south"}, {4, 5, 8, 10}),
        ({"office": "root"}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
        ({"office": "nowhere"}, set()),
        ({"office": "root", "dt": "TN", "prefix": f"{CODE}-6"}, {6}),
    ],
)
def test_search_finds_meters_by_where_they_hang_today(get: Any, query: dict[str, str], wanted: set[int]) -> None:
    told = get("", **query)
    MeterPage.model_validate(told)
    assert {m["serial"] for m in told["items"]} == {f"{CODE}-{n}" for n in wanted}


def test_pages_follow_each_other_without_loss(get: Any) -> None:
    seen, after = [], None
    while True:
        page = get("", size=3, **({"after": after} if after else {}))
        seen += [m["serial"] for m in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == sorted(f"{CODE}-{n}" for n in range(1, 11))


def test_a_cursor_of_another_discom_shows_nothing_of_it(get: Any) -> None:
    foreign = get("", who="stranger", size=2)["next"]
    assert foreign == f"{world.OTHER}-10"
    assert get("", after="acme-8")["items"][0]["serial"] == f"{CODE}-9"
    assert get("", after=foreign)["items"] == [], "all serials of this DISCOM lie before it"


# --- events and the typical day ---


def test_events_are_those_of_the_view(get: Any, made: World) -> None:
    for meter in (1, 5, 6, 7):
        told = get(f"/{CODE}-{meter}/events", **ALL, size=500)
        EpisodePage.model_validate(told)
        wanted = view(
            made,
            """select event, family, log, severity, code, source, occurred_at, ended_at, duration_s, state from vee.event_episode
               where meter_id = %s order by occurred_at, event""",
            meter,
        )
        assert wanted, f"the world has events of meter {meter}"
        ours = [{**e, **{k: e[k] and datetime.fromisoformat(e[k]) for k in ("occurred_at", "ended_at")}} for e in told["items"]]
        assert ours == wanted, f"meter {meter}"


def test_events_are_filtered_and_paged(get: Any) -> None:
    everything = get(f"/{CODE}-1/events", **ALL, size=500)["items"]
    power = get(f"/{CODE}-1/events", **ALL, family="power_failure", size=500)["items"]
    assert power == [e for e in everything if e["family"] == "power_failure"]
    assert 0 < len(power) < len(everything)
    seen, after = [], None
    while True:
        page = get(f"/{CODE}-1/events", **ALL, size=2, **({"after": after} if after else {}))
        seen += page["items"]
        after = page["next"]
        if after is None:
            break
    assert seen == everything
    assert get(f"/{CODE}-1/events", **ALL, size=1, after="nonsense", status=422)["code"] == "UNKNOWN_CURSOR"


def test_a_typical_day_is_of_complete_days(get: Any) -> None:
    told = get(f"/{CODE}-5/profile", **ALL)
    Profile.model_validate(told)
    assert told["days"] == len(DAYS)
    values = [world.values(5, d) for d in DAYS]
    for slot in (0, 17, 47):
        of = [v[slot] or 0 for v in values]
        assert told["slots"][slot]["mean_kwh"] == round(sum(of) / len(of) / 1000, 3)
        assert told["slots"][slot]["min_kwh"] == min(of) / 1000
        assert told["slots"][slot]["max_kwh"] == max(of) / 1000
    assert told["slots"][37]["start"] == "18:30"
    assert get(f"/{CODE}-5/profile", **ALL, day_type="sunday")["days"] == 0, "5 to 9 October 2026 are workdays"
    assert get(f"/{CODE}-5/profile", **{"from": "2026-09-01", "to": "2026-09-30"})["slots"] == [], "nothing was built there"


def test_explain_is_that_of_vee(client: TestClient, get: Any, made: World) -> None:
    told = get(f"/{CODE}-4/explain", day=DAYS[1].isoformat())
    assert told == client.get(f"/api/v1/vee/explain/{CODE}-4/{DAYS[1]}", headers=made.headers["analyst"]).json()
    assert get(f"/{CODE}-4/explain", day=DAYS[1].isoformat(), who="billing", status=403)["code"] == "NOT_PERMITTED"


# --- who sees what ---


def test_a_consumer_sees_the_time_in_which_the_meter_hung_at_its_service_point(get: Any) -> None:
    whole = rows(get, 6)
    before, after = rows(get, 6, who="P6"), rows(get, 6, who="P9")
    moved = datetime.combine(MOVED_ON, datetime.min.time(), IST).isoformat()
    assert before == [r for r in whole if r["start"] < moved]
    assert after == [r for r in whole if r["start"] >= moved]
    assert len(before) == 2
    assert len(after) == 3
    for who, hung in (("P6", ["P6"]), ("P9", ["P9"])):
        assert [i["at"] for i in get(f"/{CODE}-6", who=who)["installations"]] == hung
        assert {r["start"][:10] for r in rows(get, 6, who=who, resolution="interval")} == {
            r["start"][:10] for r in (before if who == "P6" else after)
        }
    events = {e["occurred_at"][:10] for e in get(f"/{CODE}-6/events", **ALL, who="P9")["items"]}
    assert events
    assert min(events) >= MOVED_ON.isoformat(), "what happened before at another consumer's is not theirs"
    assert get(f"/{CODE}-6/profile", **ALL, who="P6")["days"] == 2


def test_a_consumer_sees_no_other_meter(get: Any) -> None:
    assert [m["serial"] for m in get("", who="P9")["items"]] == [f"{CODE}-6"]
    for path in ("", "/consumption", "/events", "/profile"):
        told = get(f"/{CODE}-1{path}", who="P9", status=404, **(ALL if path else {}))
        assert told["code"] == "UNKNOWN_METER"


def test_an_office_sees_its_own_meters(get: Any) -> None:
    assert {m["serial"] for m in get("", who="south")["items"]} == {f"{CODE}-{n}" for n in (4, 5, 6, 8, 10)}
    assert {m["serial"] for m in get("", who="south", office="root")["items"]} == {f"{CODE}-{n}" for n in (4, 5, 8, 10)}
    assert rows(get, 4, who="south") == rows(get, 4)
    assert len(rows(get, 6, who="south")) == 2, "it hung there for two of the days"
    for path in ("", "/consumption", "/events", "/profile"):
        assert get(f"/{CODE}-1{path}", who="south", status=404, **(ALL if path else {}))["code"] == "UNKNOWN_METER"


def test_another_discom_sees_nothing(get: Any) -> None:
    for path in ("", "/consumption", "/events", "/profile", "/explain"):
        query = {"day": FIRST.isoformat()} if path == "/explain" else ALL if path else {}
        assert get(f"/{CODE}-1{path}", who="stranger", status=404, **query)["status"] == 404
    assert all(m["serial"].startswith(world.OTHER) for m in get("", who="stranger")["items"])


# --- bad requests ---


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "2026-10-09", "to": "2026-10-05"}, "WRONG_RANGE"),
        ({"from": "2026-10-05T00:00:00Z", "to": "2026-10-05T00:00:00Z"}, "WRONG_RANGE"),
        ({"from": "2026-01-01", "to": "2026-10-05", "resolution": "interval"}, "RANGE_TOO_LONG"),
        ({"from": "2020-01-01", "to": "2026-10-05", "resolution": "month"}, "RANGE_TOO_LONG"),
        ({"timezone": "Mars/Olympus"}, "UNKNOWN_TIMEZONE"),
        ({"timezone": "../../etc/passwd"}, "UNKNOWN_TIMEZONE"),
        ({"from": "yesterday"}, "INVALID_REQUEST"),
        ({"from": "2026-10-05T00:00:00"}, "INVALID_REQUEST"),
        ({"from": "0001-01-01"}, "INVALID_REQUEST"),
        ({"to": "9999-12-31T23:59:59Z"}, "INVALID_REQUEST"),
        ({"resolution": "week"}, "INVALID_REQUEST"),
        ({"channels": ["voltage"]}, "INVALID_REQUEST"),
        ({"updated_since": "2026-10-05T00:00:00"}, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_answered_is_refused(get: Any, query: dict[str, Any], code: str) -> None:
    assert get(f"/{CODE}-1/consumption", status=422, **{**ALL, **query})["code"] == code


@pytest.mark.parametrize("serial", ["nothing", "' or 1=1 --", "%"])
def test_an_unknown_meter_is_404(get: Any, serial: str) -> None:
    for path in ("", "/consumption", "/events", "/profile"):
        assert get(f"/{serial}{path}", status=404, **(ALL if path else {}))["code"] == "UNKNOWN_METER"


def test_before_anything_was_built_there_is_no_data(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("insert into registry.discom (code, name) values ('new', 'new')")
        header = world._key(conn, 1, "analyst", None)
        conn.commit()
    with TestClient(create_app()) as client:
        answer = client.get("/api/v1/meters/M1/consumption", params=ALL, headers=header)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOTHING_BUILT")
        assert client.get("/api/v1/meters", headers=header).json() == {"items": [], "next": None}


def test_stamps_in_the_zone_of_the_discom_and_of_who_asks(get: Any) -> None:
    answer = get(f"/{CODE}-1/consumption", **ALL, resolution="interval", timezone="UTC")
    assert answer["timezone"] == "UTC"
    starts = [datetime.fromisoformat(r["start"]) for r in answer["rows"]]
    assert starts[0] == datetime(2026, 10, 5, tzinfo=UTC)
    assert all(b - a == timedelta(minutes=30) for a, b in pairwise(starts))
