"""GET /problems and /problems/{code}: what each `code` of an error means, from problems.yml. Run, it writes docs/api-errors.md."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

import yaml
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.errors import PAGES, Problem

router = APIRouter(include_in_schema=False)

HEAD = """# Errors of the API

Every answer that is not a success is a problem (RFC 9457, `application/problem+json`): `code` is for programs and stays, `detail` is
for people and says what is wrong and how to mend it, `instance` is the id of the request. `type` is the address of the page of the code,
such as `/problems/NOT_PERMITTED`. Written by `make docs` from `api/problems.yml`.

| code | status | what it means |
|---|---|---|
"""


@cache
def catalogue() -> dict[str, tuple[str, str]]:
    """Statuses and meaning of each code. Raises ValueError where an entry has no meaning."""
    raw = yaml.safe_load(files("api").joinpath("problems.yml").read_text(encoding="utf-8"))
    found = {}
    for code, (status, meaning) in raw.items():
        if not str(meaning).strip():
            raise ValueError(f"problems.yml: {code} has no meaning")
        found[str(code)] = str(status), str(meaning)
    return dict(sorted(found.items()))


@router.get(PAGES)
def index() -> HTMLResponse:
    rows = "".join(f'<tr><td><a href="{PAGES[1:]}/{c}">{c}</a><td>{escape(s)}<td>{escape(m)}' for c, (s, m) in catalogue().items())
    return _page("Errors of the API", f"<table>{rows}</table>")


@router.get(PAGES + "/{code}")
def page(code: str) -> HTMLResponse:
    if code not in catalogue():
        raise Problem(404, "UNKNOWN_CODE", "No such code", "no error has this code: /problems lists them all")
    status, meaning = catalogue()[code]
    return _page(code, f"<p>Status {escape(status)}</p><p>{escape(meaning)}</p><p><a href='../problems'>All codes</a></p>")


def markdown() -> str:
    """docs/api-errors.md."""
    return HEAD + "".join(f"| `{code}` | {status} | {meaning} |\n" for code, (status, meaning) in catalogue().items())


def _page(title: str, body: str) -> HTMLResponse:
    return HTMLResponse(f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{body}</html>')


if __name__ == "__main__":
    Path("docs/api-errors.md").write_text(markdown(), encoding="utf-8")
