"""docs/reports.md is what the reports' YAML says."""

from __future__ import annotations

import re

from api.reports import catalogue, docs


def test_the_page_is_that_of_the_yaml() -> None:
    assert docs.PATH.read_text(encoding="utf-8") == docs.page(), "docs/reports.md is not what the YAML says: run `make docs`"


def test_it_has_every_report_with_what_belongs_to_it() -> None:
    page = docs.page()
    for r in catalogue().values():
        section = page.split(f"### {r.name}\n")[1].split("\n### ")[0]
        assert r.relation in section
        assert all(f"`{c.name}`" in section for c in r.columns if c.name not in docs.IN_ALL), f"{r.id} lacks a column"
        assert (r.unfed is not None) == ("**Empty as yet**" in section), f"{r.id} must say why it is empty"


def test_links_lead_to_headings() -> None:
    page = docs.page()
    headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^### (.+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\(#([^)]+)\)", page)) == headings
