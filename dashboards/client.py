"""Superset's REST API: a session that logs in once, and what else of it is needed. Every call has a limit of time and of attempts."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from dashboards import server_control
from dashboards.server_control import SupersetError

TIMEOUT_S = 120
ATTEMPTS = 3
PAGE = 100


class Refused(SupersetError):
    """Superset answered with an error. `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """A logged-in session. Raises SupersetError where Superset cannot be reached, Refused where it says no."""

    def __init__(self, url: str, username: str, password: str, *, guest_token: str | None = None) -> None:
        self.url = url.rstrip("/")
        # Errors come as HTML to who does not ask for JSON.
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S, headers={"Accept": "application/json", "Referer": f"{self.url}/"})
        if guest_token:
            self._http.headers["X-GuestToken"] = guest_token
            return
        given = {"username": username, "password": password, "provider": "db", "refresh": False}
        token = self.call("POST", "/api/v1/security/login", json=given)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._http.headers["X-CSRFToken"] = self.call("GET", "/api/v1/security/csrf_token/")["result"]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def call(self, method: str, path: str, **given: Any) -> Any:
        """The answer's JSON. What only reads is asked again where the connection broke."""
        return self._answer(method, path, **given).json()

    def raw(self, method: str, path: str, **given: Any) -> bytes:
        """The answer as it is."""
        return self._answer(method, path, **given).content

    def _answer(self, method: str, path: str, **given: Any) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._http.request(method, path, **given)
                break
            except httpx.TransportError as e:
                if method != "GET" or attempt == ATTEMPTS:
                    raise SupersetError(f"Superset at {self.url} cannot be reached ({e}): `meterhouse superset up` starts it") from e
                time.sleep(0.5 * attempt)
        if answer.status_code >= 400:
            raise Refused(answer.status_code, f"{method} {path}: {answer.status_code} {answer.text[:1500]}")
        return answer

    def list(
        self, resource: str, *, filters: tuple[Mapping[str, Any], ...] = (), columns: tuple[str, ...] = ()
    ) -> Iterator[dict[str, Any]]:
        """All rows of a resource, page by page."""
        for page in range(10_000):
            asked: dict[str, Any] = {"page": page, "page_size": PAGE}
            if filters:
                asked["filters"] = list(filters)
            if columns:
                asked["columns"] = list(columns)
            result = self.call("GET", f"/api/v1/{resource}/", params={"q": json.dumps(asked)})["result"]
            yield from result
            if len(result) < PAGE:
                return

    def export(self) -> dict[str, str]:
        """Every asset of the server as its own files, by their path below the bundle's root."""
        with zipfile.ZipFile(io.BytesIO(self.raw("GET", "/api/v1/assets/export/"))) as bundle:
            return {name.split("/", 1)[1]: bundle.read(name).decode() for name in bundle.namelist()}

    def import_assets(self, files: Mapping[str, str], passwords: Mapping[str, str]) -> None:
        """Bring assets in, those of the same uuid in place of what was. `passwords` by the path of a database's file."""
        blob = io.BytesIO()
        with zipfile.ZipFile(blob, "w", zipfile.ZIP_DEFLATED) as bundle:
            bundle.writestr("bundle/metadata.yaml", "version: 1.0.0\ntype: assets\ntimestamp: '2026-01-01T00:00:00+00:00'\n")
            for path, text in files.items():
                bundle.writestr(f"bundle/{path}", text)
        try:
            self.call(
                "POST",
                "/api/v1/assets/import/",
                files={"bundle": ("bundle.zip", blob.getvalue(), "application/zip")},
                # Sparse: what these refer to and do not hold is on the server.
                data={"passwords": json.dumps(dict(passwords)), "sparse": "true"},
            )
        except Refused as e:
            hint = "; what it did not like stands in its log" if e.status == 500 else ""
            raise SupersetError(f"Superset did not take the assets: {e}{hint}") from e


def administrator() -> Client:
    """A session of the administrator of the Superset that `meterhouse superset up` started. Raises SupersetError."""
    return Client(server_control.status().url, server_control.ADMIN, server_control.secret("admin_password"))
