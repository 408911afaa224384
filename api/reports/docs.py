"""docs/reports.md, made from the reports' YAML: `python -m api.reports.docs`. A test holds the file to what this makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from api.reports.catalogue import GROUPS, Column, Report, catalogue

PATH = Path(__file__).resolve().parents[2] / "docs" / "reports.md"
IN_ALL = ("discom_id", "zone", "circle", "division", "subdivision", "office", "data_as_of", "generated_at")
"""Columns that every report has and that mean the same in all."""

INTRODUCTION = """\
# Reports

<!-- Made by `make docs` from dbt_project/models/reports/*/rpt_*.yml: change it there. -->

{number} standard reports, each a view of schema `reports`. How they come out as files, by mail and in authorities' forms is said in
[report-exports.md](report-exports.md). Every report also has `discom_id`, the offices above the row (`zone`, `circle`, `division`,
`subdivision`, `office`: empty where a row has no place), `data_as_of` (latest receipt of the DISCOM's data) and `generated_at`. A report
has `day` (business day in the DISCOM's time zone), or `period` and `period_start` (day, week, month, quarter, financial_year from April
on), or neither: then it says how things stand now. Shares are made from sums, never averaged.
"""


def page() -> str:
    """The whole file."""
    return "\n".join([INTRODUCTION.format(number=len(catalogue())), *_overview(), *_sections()])


def _overview() -> Iterator[str]:
    for letter, group in GROUPS.items():
        links = [f"[{r.name}](#{_anchor(r)})" + (" (empty as yet)" if r.unfed else "") for r in _of_group(letter)]
        if links:
            yield f"- **{letter}. {group}**: {', '.join(links)}"
    yield ""


def _sections() -> Iterator[str]:
    for letter, group in GROUPS.items():
        reports = _of_group(letter)
        if reports:
            yield f"## {letter}. {group}\n"
        for r in reports:
            yield _section(r)


def _section(r: Report) -> str:
    """Facts and columns of a report."""
    lines = [
        f"### {r.name}\n",
        f"{_sentence(r.grain)} Key: {', '.join(f'`{k}`' for k in r.key if k != 'discom_id')}. View `{r.relation}`.\n",
        f"- Formula: {_inline(r.formula)}",
        f"- Requirement: {_inline(r.requirement)}",
    ]
    if r.unfed:
        lines.append(f"- **Empty as yet**: {_inline(r.unfed)}")
    lines += ["", "| column | unit | type | meaning |", "|---|---|---|---|"]
    lines += [_row(c) for c in r.columns if c.name not in IN_ALL]
    return "\n".join([*lines, ""])


def _row(c: Column) -> str:
    heading = c.heading.removesuffix(f" ({c.unit})")
    meaning = _inline(c.description) or heading
    return f"| `{c.name}` | {c.unit or ''} | {c.data_type} | {meaning} |"


def _of_group(letter: str) -> list[Report]:
    return [r for r in catalogue().values() if r.id[0] == letter]


def _inline(text: str) -> str:
    """A text that stands in a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _sentence(text: str) -> str:
    return _inline(f"{text[0].upper()}{text[1:]}.")


def _anchor(r: Report) -> str:
    """As GitHub makes it of a heading."""
    kept = "".join(c for c in r.name.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
