"""Brings a Superset in line with the files: assets of each DISCOM, its role, its row-level security.

Done twice, the second finds nothing to do.

Each DISCOM has a copy of every asset on a database connection of its own, whose log-in sees its rows alone (tenants.py).
That, and not a rule in Superset, is what keeps tenants apart; the rules in Superset stand above it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid5

from dashboards.catalogue import CERTIFIED_BY, load_text
from dashboards.client import Client, Refused
from dashboards.generate import NAMESPACE, WINDOWS, Assets, dump, read
from dashboards.tenants import Tenant, ensure_login, note_embedded, password, uri

STALE_DAYS = 3
"""Data that ends so long ago is no day-to-day business: periods then end with it, and not with today."""
KINDS = ("databases", "datasets", "charts", "dashboards")
REMOVED_IN_ORDER = ("dashboards", "charts", "datasets", "databases")
RESOURCES = {"databases": "database", "datasets": "dataset", "charts": "chart", "dashboards": "dashboard"}
NAMES = {"databases": "database_name", "datasets": "table_name", "charts": "slice_name", "dashboards": "dashboard_title"}
ANALYST = "Meterhouse analyst"
"""Role of who looks, explores and asks in SQL; what of, says the DISCOM's role."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Change:
    """What a sync did, or would do: names by kind."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    details: dict[str, list[str]] = field(default_factory=dict)
    """Of what changed: the fields that differ."""

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.removed)


def of_tenant(assets: Assets, tenant: Tenant, today: date | None = None) -> Assets:
    """The assets as they are for one DISCOM: uuids and addresses of its own, periods that have data."""
    known = {found for content in assets.values() for found in _UUID.findall(dump(content))}
    own = {u: str(uuid5(NAMESPACE, f"{tenant.code}:{u}")) for u in known}
    windows = _windows(tenant.last_day, today or date.today())

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: turned(v) for k, v in value.items()}
        if isinstance(value, list):
            return [turned(v) for v in value]
        return own.get(value, windows.get(value, value)) if isinstance(value, str) else value

    made: Assets = {}
    for path, content in assets.items():
        kind, _, rest = path.partition("/")
        mine = turned(content)
        if kind == "databases":
            mine |= {"database_name": f"Meterhouse {tenant.code}", "sqlalchemy_uri": uri(tenant)}
        elif kind == "datasets":
            pass
        elif kind == "charts":
            asked = turned(json.loads(mine["query_context"]))
            mine["query_context"] = json.dumps(asked, sort_keys=True)
        elif kind == "dashboards":
            mine["slug"] = slug(tenant, mine["slug"])
        made[f"{kind}/{tenant.code}/{rest}"] = mine
    return made


def slug(tenant: Tenant, board: str) -> str:
    """A dashboard's name in addresses: /superset/dashboard/d01-operations/."""
    return f"{tenant.code.lower()}-{board}"


def _windows(last: date | None, today: date) -> dict[str, str]:
    if last is None or last >= today - timedelta(days=STALE_DAYS):
        return {}
    after = last + timedelta(days=1)
    return {
        WINDOWS["week"]: f"{last - timedelta(days=6)} : {after}",
        WINDOWS["month"]: f"{last.replace(day=1)} : {after}",
    }


def sync(
    client: Client,
    tenants: Iterable[Tenant],
    *,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda _: None,
    assets: Assets | None = None,
    today: date | None = None,
) -> Change:
    """Bring `client`'s Superset in line for these DISCOMs; with `dry_run` only say what would be done."""
    change = Change()
    everyone = list(tenants)
    neutral = read() if assets is None else assets
    wanted: Assets = {}
    for tenant in everyone:
        wanted |= of_tenant(neutral, tenant, today)
    say("reading what is there")
    there = _by_uuid({path: load_text(text) for path, text in client.export().items() if path != "metadata.yaml"})
    ours = {content["uuid"]: path for path, content in wanted.items()}
    fields = {uuid: _differences(there[uuid][1], wanted[path]) for uuid, path in ours.items() if uuid in there}
    for uuid, path in ours.items():
        if uuid not in there:
            change.created.append(path)
        elif fields[uuid]:
            change.changed.append(path)
            change.details[path] = fields[uuid]
    if not dry_run:
        for tenant in everyone:
            ensure_login(tenant)
            files = {path: dump(content) for path, content in wanted.items() if path.split("/")[1] == tenant.code}
            todo = [p for p in (*change.created, *change.changed) if p in files]
            if todo:
                say(f"{tenant.code}: bringing in {len(todo)} of {len(files)} assets")
                client.import_assets({p: files[p] for p in todo}, {p: password(tenant) for p in todo if p.startswith("databases/")})
    gone = _gone(client, ours, {t.code for t in everyone})
    for kind in REMOVED_IN_ORDER:
        for identity, name in gone.get(kind, []):
            change.removed.append(f"{kind}/{name}")
            if not dry_run:
                client.call("DELETE", f"/api/v1/{RESOURCES[kind]}/{identity}")
    access = _Access(client, dry_run)
    access.analyst()
    for tenant in everyone:
        access.tenant(
            tenant,
            {content["uuid"] for path, content in wanted.items() if path.startswith(f"datasets/{tenant.code}/")},
            {content["uuid"] for path, content in wanted.items() if path.startswith(f"databases/{tenant.code}/")},
        )
        if not dry_run:
            _embed(client, tenant, {c["slug"]: c["uuid"] for p, c in wanted.items() if p.startswith(f"dashboards/{tenant.code}/")}, change)
    change.created += access.created
    change.changed += access.changed
    return change


def _by_uuid(assets: Assets) -> dict[str, tuple[str, dict[str, Any]]]:
    return {content["uuid"]: (path, content) for path, content in assets.items() if isinstance(content, dict) and "uuid" in content}


# What Superset numbers or adds by itself, and so cannot be the same as in a file.
_ITS_OWN = {
    "id",
    "chartId",
    "datasource",
    "dashboards",
    "slice_id",
    "force",
    "chartsInScope",
    "tabsInScope",
    "datasetId",
    "dashboardId",
    "url_params",
}


def _plain(value: Any) -> Any:
    """What of an asset is ours to say, in one form: without numbers of the server's own and empty fields."""
    if isinstance(value, dict):
        return {k: p for k, v in value.items() if k not in _ITS_OWN and (p := _plain(v)) not in (None, {}, [], "")}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, date) else value


def _differences(there: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Fields of `wanted` that are not so on the server."""
    a, b = _comparable(there), _comparable(wanted)
    return [key for key in b if a.get(key) != b[key]]


def _comparable(asset: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = dict(asset)
    if isinstance(plain.get("query_context"), str):
        plain["query_context"] = json.loads(plain["query_context"])
    if isinstance(plain.get("extra"), str):
        plain["extra"] = json.loads(plain["extra"] or "{}")
    if metadata := plain.get("metadata"):
        filters = metadata.get("native_filter_configuration", [])
        kept = [{**f, "scope": {**f.get("scope", {}), "excluded": len(f.get("scope", {}).get("excluded", []))}} for f in filters]
        # The front end writes what it derives from the charts into these when somebody opens the dashboard to edit it.
        plain["metadata"] = {k: v for k, v in metadata.items() if k not in {"chart_configuration", "global_chart_configuration"}} | {
            "native_filter_configuration": [
                {**f, "targets": [{k: v for k, v in t.items() if k != "datasetUuid"} for t in f.get("targets", [])]} for f in kept
            ]
        }
    if "columns" in plain:
        plain["columns"] = {c["column_name"]: c for c in plain["columns"]}
        plain["metrics"] = {m["metric_name"]: m for m in plain.get("metrics", [])}
    return dict(_plain(plain))


def _gone(client: Client, ours: Mapping[str, str], codes: set[str]) -> dict[str, list[tuple[int, str]]]:
    """What an earlier sync brought in and the files have no more. What a person made is left alone: it stands not under our mark."""
    found: dict[str, list[tuple[int, str]]] = {}
    managed = {d["id"] for d in client.list("database") if d["database_name"].removeprefix("Meterhouse ") in codes}
    datasets = [d for d in client.list("dataset") if d["database"]["id"] in managed]
    of_managed = {d["id"] for d in datasets}

    def lost(row: Mapping[str, Any]) -> bool:
        return row["uuid"] not in ours and bool(_UUID.fullmatch(row["uuid"]))

    for row in client.list("chart", columns=("id", "uuid", "slice_name", "certified_by", "datasource_id")):
        if lost(row) and row["certified_by"] == CERTIFIED_BY and row["datasource_id"] in of_managed:
            found.setdefault("charts", []).append((row["id"], row["slice_name"]))
    slugs = tuple(f"{code.lower()}-" for code in codes)
    for row in client.list("dashboard", columns=("id", "uuid", "dashboard_title", "certified_by", "slug")):
        if lost(row) and row["certified_by"] == CERTIFIED_BY and (row["slug"] or "").startswith(slugs):
            found.setdefault("dashboards", []).append((row["id"], row["dashboard_title"]))
    found["datasets"] = [(row["id"], row["table_name"]) for row in datasets if lost(row)]
    return found


def _embed(client: Client, tenant: Tenant, dashboards: Mapping[str, str], change: Change) -> None:
    """Let each dashboard be shown in other pages, to who has a token for it; from which origins, says the server's content policy."""
    ids = {}
    for row in client.list("dashboard", columns=("id", "uuid", "slug")):
        if dashboards.get(row["slug"]) == row["uuid"]:
            try:
                said = client.call("GET", f"/api/v1/dashboard/{row['id']}/embedded")
            except Refused as e:
                if e.status != 404:
                    raise
                said = client.call("POST", f"/api/v1/dashboard/{row['id']}/embedded", json={"allowed_domains": []})
            ids[row["slug"].removeprefix(slug(tenant, ""))] = said["result"]["uuid"]
    if note_embedded(tenant, ids):
        change.changed.append(f"embedded/{tenant.code}")


class _Access:
    """Roles and row-level security, brought in line one by one: Superset has no bundle for them."""

    def __init__(self, client: Client, dry_run: bool) -> None:
        self._client, self._dry_run = client, dry_run
        self.created: list[str] = []
        self.changed: list[str] = []
        self._roles = {r["name"]: r["id"] for r in client.list("security/roles")}

    def analyst(self) -> None:
        """Gamma's rights and SQL Lab's, without any data."""
        wanted = self._permissions("Gamma") | self._permissions("sql_lab")
        self._role(ANALYST, wanted)

    def tenant(self, tenant: Tenant, datasets: set[str], databases: set[str]) -> None:
        """The role that opens one DISCOM's database, and the rule that its rows alone are read, over every dataset."""
        there = [d for d in self._client.list("database") if str(d["uuid"]) in databases]
        if not there:
            return
        views = {f"[{d['database_name']}].(id:{d['id']})" for d in there}
        wanted = {
            p["id"]
            for p in self._client.list("security/permissions-resources")
            if p["permission"]["name"] == "database_access" and p["view_menu"]["name"] in views
        }
        role = self._role(tenant.role, wanted)
        tables = sorted(d["id"] for d in self._client.list("dataset") if d["uuid"] in datasets)
        self._rule(tenant, tables, role)

    def _permissions(self, role: str) -> set[int]:
        return {p["id"] for p in self._client.call("GET", f"/api/v1/security/roles/{self._roles[role]}/permissions/")["result"]}

    def _role(self, name: str, permissions: set[int]) -> int | None:
        if name not in self._roles:
            self.created.append(f"roles/{name}")
            if self._dry_run:
                return None
            self._roles[name] = self._client.call("POST", "/api/v1/security/roles/", json={"name": name})["id"]
            has: set[int] = set()
        else:
            has = self._permissions(name)
            if has != permissions:
                self.changed.append(f"roles/{name}")
        if has != permissions and not self._dry_run:
            given = {"permission_view_menu_ids": sorted(permissions)}
            self._client.call("POST", f"/api/v1/security/roles/{self._roles[name]}/permissions", json=given)
        return self._roles[name]

    def _rule(self, tenant: Tenant, tables: list[int], role: int | None) -> None:
        name = f"Rows of {tenant.code}"
        wanted = {
            "name": name,
            "description": "Beside the database's own row-level security",
            "filter_type": "Regular",
            "tables": tables,
            "roles": [role],
            "group_key": "tenant",
            "clause": f"discom_id = {tenant.discom_id}",
        }
        there = next((r for r in self._client.list("rowlevelsecurity") if r["name"] == name), None)
        if there is None:
            self.created.append(f"rowlevelsecurity/{name}")
            if not self._dry_run:
                self._client.call("POST", "/api/v1/rowlevelsecurity/", json=wanted)
            return
        same = (
            sorted(t["id"] for t in there["tables"]) == tables
            and [r["id"] for r in there["roles"]] == [role]
            and there["clause"] == wanted["clause"]
            and there["filter_type"] == wanted["filter_type"]
        )
        if not same:
            self.changed.append(f"rowlevelsecurity/{name}")
            if not self._dry_run:
                self._client.call("PUT", f"/api/v1/rowlevelsecurity/{there['id']}", json=wanted)
