"""A real Superset beside a simulated warehouse of two DISCOMs.

Assets come in once, charts answer with the warehouse's figures, tenants stay apart.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from psycopg import sql
from psycopg.conninfo import make_conninfo

from api.auth import HEADER, new_key
from api.main import create_app
from api.reports.schedules import queue
from api.reports.schedules.config import schedules_of
from api.reports.schedules.deliver import deliver_due
from audit.job import audit_month
from dashboards import screenshots, server_control
from dashboards.catalogue import datasets
from dashboards.client import Client, Refused, administrator
from dashboards.generate import Assets, asset_id, boards, designs, read
from dashboards.people import add
from dashboards.server_control import Status
from dashboards.sync import of_tenant, slug, sync
from dashboards.tenants import Tenant, ensure_login, password, tenants
from dashboards.warm import warm
from orchestration import steps, warming
from simulation import SimulationConfig
from tests.brokers import free_port, redis_server
from tests.identity import USERS, NanoIdp, nanoidp, slapd
from tests.integration.simulated import land_all, register, simulate
from tests.mailbox import mail_server
from warehouse import db


def _installed() -> bool:
    try:
        return bool(server_control.python())
    except server_control.SupersetError:
        return False


pytestmark = [
    pytest.mark.integration,
    pytest.mark.heavy,
    pytest.mark.skipif(not _installed(), reason="Superset has no environment here: make superset-install"),
]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 3)
TODAY = date(2026, 11, 1)
PASSWORD = "a person of the test"


@dataclass(frozen=True)
class Site:
    """What stands: a Superset with the assets of two DISCOMs, and a person of each."""

    admin: Client
    mine: Tenant
    other: Tenant
    assets: Assets
    person: Client
    """Of `mine`."""
    stranger: Client
    """Of `other`."""

    def ids(self, resource: str, tenant: Tenant, kind: str) -> dict[str, int]:
        """Number of each asset of a tenant by its neutral path."""
        there = {row["uuid"]: row["id"] for row in self.admin.list(resource)}
        wanted = of_tenant(self.assets, tenant, TODAY)
        return {p: there[c["uuid"]] for p, c in wanted.items() if p.startswith(f"{kind}/") and c["uuid"] in there}

    def dataset(self, tenant: Tenant, key: str) -> int:
        return self.ids("dataset", tenant, "datasets")[f"datasets/{tenant.code}/warehouse/{datasets()[key].table}.yaml"]

    def database(self, tenant: Tenant) -> int:
        return next(d["id"] for d in self.admin.list("database") if d["database_name"] == f"Meterhouse {tenant.code}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("METERHOUSE_HOME", str(folder))
        patch.delenv("METERHOUSE_SUPERSET_SECRETS", raising=False)
        yield folder


@pytest.fixture(scope="module")
def warehouse(home: Path, built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    config = SimulationConfig(tenants=2, feeders=1, dts=2, consumers=30, start=FIRST, days=(LAST - FIRST).days + 1, seed=5, audit=True)
    for world in simulate(tmp_path_factory.mktemp("world"), config):
        discom_id = register(world)
        land_all(world)
        steps.build(world.code, discom_id, FIRST, LAST)
        audit_month(discom_id, world.code, FIRST)


@pytest.fixture(scope="module")
def site(warehouse: None) -> Iterator[Site]:
    state = server_control.up(free_port())
    try:
        mine, other = tenants()
        assets = read()
        admin = Client(state.url, server_control.ADMIN, server_control.secret("admin_password"))
        first = sync(admin, [mine], today=TODAY)
        assert len(first.created) >= len(assets), f"the first sync brought in {len(first.created)} of {len(assets)} assets"
        assert not first.removed, f"an empty server had something: {first.removed}"
        sync(admin, [other], today=TODAY, assets=few(assets))
        for tenant in (mine, other):
            add(admin, tenant, f"person-{tenant.code}", PASSWORD, f"{tenant.code}@localhost.localdomain", "A", "Person")
        yield Site(
            admin,
            mine,
            other,
            assets,
            Client(state.url, f"person-{mine.code}", PASSWORD),
            Client(state.url, f"person-{other.code}", PASSWORD),
        )
    finally:
        server_control.down()


def few(assets: Assets) -> Assets:
    """What the second DISCOM needs for a comparison: one dashboard with what is on it, and D01."""
    kept = {p: c for p, c in assets.items() if p.startswith(("databases/", "charts/operations/")) or p == "dashboards/operations.yaml"}
    used = {c.get("dataset_uuid") for c in kept.values()} | {asset_id("dataset", key) for key in ("D01", "office_path")}
    return kept | {p: c for p, c in assets.items() if p.startswith("datasets/") and c["uuid"] in used}


def test_a_second_sync_finds_nothing_to_do(site: Site) -> None:
    change = sync(site.admin, [site.mine], today=TODAY, dry_run=True)
    assert not change, (
        f"the second sync would do something: {change.created[:5]} {change.details} {change.changed[:5]} {change.removed[:5]}"
    )


def test_a_change_by_hand_is_seen_and_what_the_files_have_no_more_goes(site: Site) -> None:
    path = f"charts/{site.mine.code}/executive/input_energy.yaml"
    number = site.ids("chart", site.mine, "charts")[path]
    site.admin.call("PUT", f"/api/v1/chart/{number}", json={"slice_name": "Renamed by hand"})
    without = {p: c for p, c in site.assets.items() if not p.endswith("rpt_a02_silent_meters.yaml") or p.startswith("datasets/")}
    change = sync(site.admin, [site.mine], today=TODAY, assets=without)
    assert change.details == {path: ["slice_name"]}, f"not the one field that was changed: {change.details}"
    assert change.removed == [f"charts/{datasets()['A02'].title}"], f"not the one chart that the files have no more: {change.removed}"
    again = sync(site.admin, [site.mine], today=TODAY)
    assert again.created == [f"charts/{site.mine.code}/reports/rpt_a02_silent_meters.yaml"], f"it came not back: {again.created}"
    assert not again.changed, f"something else was changed: {again.changed}"


def test_every_chart_answers(site: Site) -> None:
    numbers = site.ids("chart", site.mine, "charts")
    assert len(numbers) == sum(p.startswith("charts/") for p in site.assets), "charts are missing on the server"

    def ask(item: tuple[str, int]) -> str | None:
        try:
            (result,) = site.person.call("GET", f"/api/v1/chart/{item[1]}/data/")["result"]
        except Refused as e:
            return f"{item[0]}: {e}"
        return f"{item[0]}: {result['error']}" if result["error"] else None

    with ThreadPoolExecutor(4) as threads:
        wrong = [w for w in threads.map(ask, numbers.items()) if w]
    assert not wrong, f"{len(wrong)} charts do not answer: {wrong[:5]}"


@pytest.mark.parametrize("board", boards())
def test_headline_figures_are_the_warehouses(site: Site, board: str) -> None:
    numbers = site.ids("chart", site.mine, "charts")
    with db.connect("meterhouse_dbt") as conn:
        for key, design, data in designs(board, boards()[board]):
            if design["viz"] != "number":
                continue
            number = numbers[f"charts/{site.mine.code}/{board}/{key}.yaml"]
            (result,) = site.person.call("GET", f"/api/v1/chart/{number}/data/")["result"]
            (shown,) = result["data"][0].values()
            period = {"week": LAST - timedelta(days=6), "month": LAST.replace(day=1)}[design.get("window", boards()[board]["window"])]
            conditions = [f"discom_id = {site.mine.discom_id}", *([f"({design['where']})"] if "where" in design else [])]
            if data.time:
                conditions.append(f"{data.time} >= '{period}' and {data.time} <= '{LAST}'")
            row = conn.execute(
                f"select {data.metric(design['metric']).sql} from {data.schema}.{data.table} where {' and '.join(conditions)}"
            ).fetchone()
            assert row is not None
            told = f"{board}: {design['title']} shows {shown}, the warehouse has {row[0]}"
            assert (shown is None) == (row[0] is None), told
            if shown is not None:
                assert float(shown) == pytest.approx(float(row[0]), rel=1e-9), told


def rows_of(client: Client, dataset: int, form: dict[str, Any] | None = None) -> set[Any]:
    asked = {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [{"columns": ["discom_id"], "metrics": [], "filters": [], "row_limit": 100}],
        "result_format": "json",
        "result_type": "full",
    }
    (result,) = client.call("POST", "/api/v1/chart/data", json=asked | ({"form_data": form} if form else {}))["result"]
    return {r["discom_id"] for r in result["data"]}


def refused(client: Client, method: str, path: str, **given: Any) -> None:
    with pytest.raises(Refused) as told:
        client.call(method, path, **given)
    assert told.value.status in {401, 403, 404}, f"{method} {path} failed for another reason: {told.value}"


def test_each_sees_its_own_by_charts_samples_and_csv_and_nothing_of_the_other(site: Site) -> None:
    for person, own, others in ((site.person, site.mine, site.other), (site.stranger, site.other, site.mine)):
        mine, theirs = site.dataset(own, "D01"), site.dataset(others, "D01")
        assert rows_of(person, mine) == {own.discom_id}, f"{own.code} does not see its rows, or others"
        asked = {
            "datasource": {"id": mine, "type": "table"},
            "queries": [{"columns": ["discom_id"], "metrics": [], "row_limit": 100}],
            "result_format": "csv",
            "result_type": "full",
        }
        samples = asked | {"result_format": "json", "result_type": "samples"}
        (shown,) = person.call("POST", "/api/v1/chart/data", json=samples)["result"]
        assert {r["discom_id"] for r in shown["data"]} == {own.discom_id}, f"samples of {own.code} hold other rows"
        text = person.raw("POST", "/api/v1/chart/data", json=asked).decode("utf-8-sig").splitlines()
        assert text[1:] == [str(own.discom_id)], f"the CSV of {own.code} holds {text[1:]}"
        elsewhere = {"datasource": {"id": theirs, "type": "table"}}
        for what in (asked, asked | {"result_format": "json"}, samples):
            refused(person, "POST", "/api/v1/chart/data", json=what | elsewhere)
        refused(person, "GET", f"/api/v1/dataset/{theirs}")
    chart = site.ids("chart", site.mine, "charts")[f"charts/{site.mine.code}/operations/communicated.yaml"]
    refused(site.stranger, "GET", f"/api/v1/chart/{chart}/data/")


def in_sql_lab(client: Client, database: int, statement: str) -> list[dict[str, Any]]:
    asked = {"database_id": database, "sql": statement, "runAsync": False, "schema": "reports", "client_id": None, "queryLimit": 100}
    return list(client.call("POST", "/api/v1/sqllab/execute/", json={k: v for k, v in asked.items() if v is not None})["data"])


def test_sql_lab_sees_one_tenant_whatever_is_set(site: Site) -> None:
    own = site.database(site.mine)
    assert [r["discom_id"] for r in in_sql_lab(site.person, own, "select discom_id from registry.discom")] == [site.mine.discom_id]
    for attempt in (
        f"set app.discom_id = '{site.other.discom_id}'; select discom_id from registry.discom",
        f"select discom_id from registry.discom where set_config('app.discom_id', '{site.other.discom_id}', false) is not null",
        "set role meterhouse_dbt; select discom_id from registry.discom",
        "set session authorization meterhouse_superset_" + str(site.other.discom_id) + "; select discom_id from registry.discom",
    ):
        try:
            rows = in_sql_lab(site.person, own, attempt)
        except Refused:
            continue
        assert {r["discom_id"] for r in rows} <= {site.mine.discom_id}, f"{attempt!r} shows another tenant: {rows}"
    with pytest.raises(Refused, match="was not found"):
        in_sql_lab(site.person, site.database(site.other), "select 1")


def test_a_guest_sees_the_dashboard_of_its_token_alone(site: Site, home: Path) -> None:
    token_of: dict[str, str] = {}
    with TestClient(create_app()) as api:
        asked = {"dashboard": "operations"}
        assert api.post("/api/v1/embed/guest-token", json=asked).status_code == 401
        for tenant in (site.mine, site.other):
            key = make_key(tenant, "analyst")
            answer = api.post("/api/v1/embed/guest-token", json=asked, headers={HEADER: key})
            assert answer.status_code == 200, answer.text
            assert answer.json()["superset_url"] == site.admin.url
            token_of[tenant.code] = answer.json()["token"]
        unknown = api.post("/api/v1/embed/guest-token", json={"dashboard": "nothing"}, headers={HEADER: make_key(site.mine, "analyst")})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "NO_SUCH_DASHBOARD")
        not_allowed = api.post("/api/v1/embed/guest-token", json=asked, headers={HEADER: make_key(site.mine, "field_engineer")})
        assert not_allowed.status_code == 403, "who may not read reports is given a dashboard"
        part = api.post("/api/v1/embed/guest-token", json=asked, headers={HEADER: make_key(site.mine, "analyst", of_an_office=True)})
        assert (part.status_code, part.json()["code"]) == (403, "NOT_PERMITTED_HERE"), "who sees an office is shown the whole DISCOM"
    for own, others in ((site.mine, site.other), (site.other, site.mine)):
        with Client(site.admin.url, "", "", guest_token=token_of[own.code]) as guest:
            dashboard = site.ids("dashboard", own, "dashboards")[f"dashboards/{own.code}/operations.yaml"]
            chart = site.ids("chart", own, "charts")[f"charts/{own.code}/operations/communicated.yaml"]
            form = {"slice_id": chart, "dashboardId": dashboard}
            saved = json.loads(site.admin.call("GET", f"/api/v1/chart/{chart}")["result"]["query_context"])
            (result,) = guest.call("POST", "/api/v1/chart/data", json=saved | {"form_data": saved["form_data"] | form})["result"]
            (expected,) = site.admin.call("GET", f"/api/v1/chart/{chart}/data/")["result"]
            assert result["data"] == expected["data"], f"the guest of {own.code} is shown another figure"
            # A guest may not ask for other columns than its dashboard's; where Superset lets it, it sees its DISCOM alone.
            try:
                seen = rows_of(guest, site.dataset(own, "A01"), form)
            except Refused:
                seen = set()
            assert seen <= {own.discom_id}, f"a guest of {own.code} sees rows of {seen}"
            refused(guest, "GET", f"/api/v1/dashboard/{slug(others, 'operations')}")
            theirs = site.dataset(others, "A01")
            with pytest.raises(Refused) as told:
                rows_of(guest, theirs, form)
            assert told.value.status in {401, 403, 404}, f"a guest of {own.code} asked for data of {others.code}: {told.value}"


def make_key(tenant: Tenant, role: str, *, of_an_office: bool = False) -> str:
    key, key_id, secret_sha256 = new_key()
    with db.connect("meterhouse_owner") as conn:
        office = conn.execute("select min(office_id) from registry.office where discom_id = %s", [tenant.discom_id]).fetchone()
        assert office is not None
        conn.execute(
            "insert into ops.api_key (discom_id, key_id, secret_sha256, role, office_id, name) values (%s, %s, %s, %s, %s, 'test')",
            [tenant.discom_id, key_id, secret_sha256, role, office[0] if of_an_office else None],
        )
    return key


def test_the_database_log_in_is_bound_to_its_tenant(warehouse: None, built_module_database: str) -> None:
    mine, other = tenants()
    ensure_login(mine)
    with psycopg.connect(make_conninfo(built_module_database, user=mine.login, password=password(mine)), autocommit=True) as conn:
        seen = sql.SQL("select distinct discom_id from reports.rpt_d01_dt_energy_audit")
        assert conn.execute(seen).fetchall() == [(mine.discom_id,)], "the log-in does not see its own"
        conn.execute(sql.SQL("set app.discom_id = {}").format(sql.Literal(str(other.discom_id))))
        assert conn.execute(seen).fetchall() == [], "a setting of the session chooses the tenant"
        conn.execute("reset app.discom_id")
        assert conn.execute(seen).fetchall() == [(mine.discom_id,)], "reset takes the log-in's own tenant away"
        for role in ("meterhouse_dbt", "meterhouse_api", "meterhouse_owner", other.login):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        conn.execute("set default_transaction_read_only = off")
        for statement in (
            "delete from registry.meter",
            "insert into ops.embedded_dashboard select * from ops.embedded_dashboard",
            "select secret_sha256 from ops.api_key",
            "select * from ops.account",
            "select * from ops.session",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)


# --- with a provider of identities and Redis, as an installation of several processes has it ---


@pytest.fixture(scope="module")
def joined(site: Site, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Status, NanoIdp]]:
    """The same Superset, started anew: people come from an OpenID Connect provider, answers are kept in Redis."""
    folder = tmp_path_factory.mktemp("provider")
    port = free_port()
    with (
        nanoidp(folder / "idp", [f"http://127.0.0.1:{port}/oauth-authorized/sso"]) as idp,
        redis_server(redis_port := free_port()),
        pytest.MonkeyPatch.context() as patch,
    ):
        roles = {"vee-operators": ["Meterhouse analyst", site.mine.role]}
        given = {"issuer": idp.url, "client_id": "meterhouse", "client_secret": "client-secret", "roles": roles}
        (folder / "oidc.json").write_text(json.dumps(given))
        patch.setenv("METERHOUSE_SUPERSET_OIDC", str(folder / "oidc.json"))
        patch.setenv("METERHOUSE_SUPERSET_REDIS_URL", f"redis://127.0.0.1:{redis_port}/0")
        server_control.down()
        yield server_control.up(port), idp


@contextmanager
def come_in(state: Status, idp: NanoIdp, login: str) -> Iterator[httpx.Client]:
    """A browser that logged in by the provider."""
    with httpx.Client(base_url=state.url, timeout=60) as browser:
        away = browser.get("/login/sso")
        assert away.status_code == 302, f"nobody is sent to the provider: {away.status_code} {away.text[:300]}"
        back = idp.log_in(away.headers["location"], login)
        assert back.status_code == 302, f"the provider does not send the browser back: {back.status_code} {back.text[:300]}"
        browser.get(back.headers["location"])
        yield browser


def test_people_of_the_provider_come_in_with_the_roles_of_their_groups(site: Site, joined: tuple[Status, NanoIdp]) -> None:
    state, idp = joined
    with come_in(state, idp, "asha") as asha:
        me = asha.get("/api/v1/me/roles/").json()["result"]
        # Public is Superset's role of everybody; here it may do nothing.
        assert (me["username"], set(me["roles"]) - {"Public"}) == ("asha", {"Meterhouse analyst", site.mine.role})
        page = asha.get(f"/superset/dashboard/{slug(site.mine, 'operations')}/")
        assert page.status_code == 200, "she is shown no dashboard"
        titles = {d["dashboard_title"] for d in asha.get("/api/v1/dashboard/").json()["result"]}
        assert titles == {b["title"] for b in boards().values()}, "she is not shown the dashboards of her DISCOM"
        with administrator() as admin:
            numbers = replace(site, admin=admin).ids("chart", site.other, "charts")
        others = numbers[f"charts/{site.other.code}/operations/communicated.yaml"]
        assert asha.get(f"/api/v1/chart/{others}/data/").status_code in {403, 404}, "she is shown a chart of another DISCOM"
    with come_in(state, idp, "nobody") as stranger:
        answer = stranger.get("/api/v1/dashboard/")
        assert answer.status_code in {401, 403} or answer.json()["result"] == [], f"no group of theirs is known: {answer.text[:300]}"


def test_what_was_asked_once_comes_from_the_cache(site: Site, joined: tuple[Status, NanoIdp]) -> None:
    with administrator() as admin:
        first = list(warm(admin, site.mine, today=TODAY))
        assert [a for a in first if a.error] == []
        # Charts that ask the same share an answer.
        assert sum(a.cached for a in first) < len(first) / 4, "an empty cache had answers"
        again = list(warm(admin, site.mine, today=TODAY))
        assert [f"{a.board}: {a.chart}" for a in again if not a.cached] == [], "asked twice, and read from the warehouse twice"
        anew = list(warm(admin, site.mine, anew=True, today=TODAY))
        assert not any(a.cached for a in anew), "what is to be asked anew came from the cache"
        assert warming.why_not() is None
        config = {"ops": {"ask_for_charts": {"config": {"discom": site.other.code}}}}
        done = warming.warm_dashboards.execute_in_process(run_config=config, raise_on_error=False)
        assert not done.success, "charts of this DISCOM are missing in Superset, and the job does not say so"
        filled = list(warm(admin, site.other, assets=few(site.assets)))
        assert len(filled) > 10
        assert [f"{a.board}: {a.chart}" for a in filled if not a.cached] == [], "the job filled no cache"


SCHEDULES = """\
version: 1
schedules:
  - name: morning
    dashboards: [operations]
    formats: [png, pdf]
    cron: "0 8 * * *"
    send: [{email: desk@acme.example}]
  - name: nobody's
    dashboards: [operation]
    cron: "0 8 * * *"
    send: [{email: desk@acme.example}]
"""


def test_dashboards_go_out_by_mail(site: Site, joined: tuple[Status, NanoIdp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is no form to log in by."""
    (tmp_path / f"{site.mine.code}.yml").write_text(SCHEDULES)
    monkeypatch.setenv("METERHOUSE_REPORT_SCHEDULES", str(tmp_path))
    with mail_server() as box, db.connect() as conn:
        tenant, found = queue.tenant(conn, site.mine.code), schedules_of(site.mine.code)
        assert found
        for name in ("morning", "nobody's"):
            queue.note(conn, tenant, found.named(name), datetime(2026, 10, 4, 2, 30, tzinfo=UTC))
        waiting = queue.due(conn)
        done = deliver_due(conn, [delivery for _, delivery, _ in waiting], pictures=screenshots.write)
        assert (done.sent, done.retried) == (1, 1), done.troubles
        assert "no dashboard is called operation: there are assets, billing," in done.troubles[0]
    ((to, mail),) = box.got
    assert to == ["desk@acme.example"]
    attached = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    stem = f"operations_{site.mine.code}_2026-10-03"
    assert set(attached) == {f"{stem}.png", f"{stem}.pdf"}, f"it went out at 8 of the 4th, with what is built to the 3rd: {set(attached)}"
    with Image.open(io.BytesIO(attached[f"{stem}.png"])) as picture:
        width, height = picture.size
        assert width == 1600
        assert height > 800, "the picture ends before the dashboard does"
        colours = picture.convert("RGB").getcolors(1 << 24)
    assert colours
    assert len(colours) > 500, "a picture of so few colours has no charts on it"
    assert attached[f"{stem}.pdf"].startswith(b"%PDF-")


# --- with a directory in the provider's place ---


@pytest.fixture(scope="module")
def listed(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Status]:
    """The same Superset, started anew: people come from LDAP."""
    if not list(server_control.python().parent.parent.glob("lib/python*/site-packages/ldap/__init__.py")):
        pytest.skip("Superset has no python-ldap here: make superset-ldap")
    folder = tmp_path_factory.mktemp("directory")
    with slapd(folder / "slapd") as directory, pytest.MonkeyPatch.context() as patch:
        given = {
            # libldap takes the name of the machine for "localhost", and that is not in the certificate.
            "AUTH_LDAP_SERVER": directory.ldaps.replace("localhost", "127.0.0.1"),
            "AUTH_LDAP_TLS_CACERTFILE": str(directory.ca_file),
            "AUTH_LDAP_TLS_DEMAND": True,
            "AUTH_LDAP_SEARCH": "ou=people,dc=example,dc=org",
            "AUTH_LDAP_BIND_USER": "cn=reader,dc=example,dc=org",
            "AUTH_LDAP_BIND_PASSWORD": "reader-secret",
            "roles": {"cn=vee-operators,ou=groups,dc=example,dc=org": ["Meterhouse analyst", site.mine.role]},
        }
        (folder / "ldap.json").write_text(json.dumps(given))
        patch.setenv("METERHOUSE_SUPERSET_LDAP", str(folder / "ldap.json"))
        patch.delenv("METERHOUSE_SUPERSET_OIDC", raising=False)
        server_control.down()
        # As a container starts it.
        command = [sys.executable, "-m", "cli.main", "superset", "up", "--foreground", "--no-sync", "--host", "localhost"]
        process = subprocess.Popen([*command, "--port", str(free_port())])
        try:
            deadline = time.monotonic() + server_control.READY_S
            while not server_control.answers():
                assert process.poll() is None, "Superset did not start, or its command did not stay"
                assert time.monotonic() < deadline, "Superset does not answer"
                time.sleep(0.5)
            yield server_control.status()
        finally:
            process.terminate()
            process.wait(60)
        assert not server_control.status().running, "the command ended, and its Superset did not"


def bind(state: Status, login: str, password: str) -> httpx.Client | None:
    """A session of somebody of the directory, None where the password is not theirs."""
    browser = httpx.Client(base_url=state.url, timeout=60, headers={"Accept": "application/json"})
    given = {"username": login, "password": password, "provider": "ldap", "refresh": False}
    answer = browser.post("/api/v1/security/login", json=given)
    if answer.status_code in {400, 401}:  # 400: an empty password is no password
        return None
    assert answer.status_code == 200, answer.text[:300]
    browser.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return browser


def test_people_of_a_directory_come_in_with_the_roles_of_their_groups(site: Site, listed: Status) -> None:
    page = httpx.get(f"{listed.url}/login/", timeout=60)
    assert page.status_code == 200, "there is no page to log in on"
    ravi = bind(listed, "ravi", USERS["ravi"]["password"])
    assert ravi, "his password is not taken"
    me = ravi.get("/api/v1/me/roles/").json()["result"]
    assert (me["username"], set(me["roles"]) - {"Public"}) == ("ravi", {"Meterhouse analyst", site.mine.role})
    titles = {d["dashboard_title"] for d in ravi.get("/api/v1/dashboard/").json()["result"]}
    assert titles == {b["title"] for b in boards().values()}, "he is not shown the dashboards of her DISCOM"
    assert bind(listed, "ravi", "guessed") is None
    assert bind(listed, "ravi", "") is None, "an empty password is an anonymous bind, which every directory takes"
    stranger = bind(listed, "nobody", USERS["nobody"]["password"])
    if stranger:
        answer = stranger.get("/api/v1/dashboard/")
        assert answer.status_code in {401, 403} or answer.json()["result"] == [], f"no group of theirs is known: {answer.text[:300]}"
    with administrator() as admin:  # who is no person of the directory
        assert admin.call("GET", "/api/v1/me/")["result"]["username"] == server_control.ADMIN, (
            "the administrator is no person of the directory"
        )
