"""What an integrator does first: show a key, read a list page by page, ask again cheaply, see an error. Run: see README.md."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))

from meterhouse_client import AuthenticatedClient
from meterhouse_client.api.cases import cases_list_cases
from meterhouse_client.api.commands import commands_get
from meterhouse_client.models import Case, ExceptionsPage, ProblemDetails


def connect(url: str, key: str) -> AuthenticatedClient:
    """A client that shows a key. One that shows an access token: AuthenticatedClient(url, token)."""
    return AuthenticatedClient(url, key, prefix="", auth_header_name="X-API-Key", timeout=httpx.Timeout(30))


def cases(client: AuthenticatedClient, size: int = 100) -> list[Case]:
    """All cases that wait, the most urgent first."""
    found: list[Case] = []
    after: int | None = None
    while True:
        page = cases_list_cases.sync(client=client, size=size, **({} if after is None else {"after": after}))
        if not isinstance(page, ExceptionsPage):
            raise RuntimeError(f"{page.code}: {page.detail}" if isinstance(page, ProblemDetails) else "no answer")
        found += page.items
        if page.next_ is None:
            return found
        after = page.next_


def unchanged(client: AuthenticatedClient, path: str) -> bool:
    """Whether a second look at a list costs no more than a line."""
    http = client.get_httpx_client()
    tag = http.get(path).headers["ETag"]
    return http.get(path, headers={"If-None-Match": tag}).status_code == httpx.codes.NOT_MODIFIED


def main() -> None:
    with connect(os.environ.get("METERHOUSE_URL", "http://127.0.0.1:8000"), os.environ["METERHOUSE_KEY"]) as client:
        waiting = cases(client)
        print(f"{len(waiting)} cases wait; {sum(c.overdue for c in waiting)} are overdue")
        print("asked again with its ETag: unchanged" if unchanged(client, "/api/v1/commands") else "it changed meanwhile")
        problem = commands_get.sync(999_999_999, client=client)
        if isinstance(problem, ProblemDetails):
            print(f"an error: {problem.code}, {problem.detail} (request {problem.instance})")


if __name__ == "__main__":
    main()
