"""Conventions that need no server: codes of errors, cursors, the committed description of the API."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.limits import Limits
from api.errors import Problem
from api.main import create_app
from api.openapi import TAGS, written
from api.paging import cursor, read_cursor
from api.problems import catalogue, markdown

ROOT = Path(__file__).resolve().parents[2]
RAISES = re.compile(r"(Problem|Error|Refusal|Fault)$")
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
"""What becomes a `code` is named in capitals, as an argument of an error, a refusal or a fault, or as `code=`."""


def codes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        arguments: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            arguments = [k.value for k in node.keywords if k.arg == "code"]
            if RAISES.search(name):
                arguments += node.args[:2]
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[1], ast.JoinedStr):
            arguments = node.elts[:1]  # code and detail, of which an error is made later
        for argument in arguments:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and CODE.fullmatch(argument.value):
                yield argument.value


def raised() -> dict[str, str]:
    folders = [ROOT / "api", ROOT / "vee" / "edits", ROOT / "vee" / "exceptions"]
    return {code: str(p.relative_to(ROOT)) for folder in folders for p in sorted(folder.rglob("*.py")) for code in codes(p)}


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    found = raised()
    assert len(found) > 60, "the search finds too little: see how errors are raised"
    missing = {code: where for code, where in found.items() if code not in catalogue()}
    assert missing == {}, "add these to api/problems.yml, then `make docs`"


def test_the_page_of_errors_is_as_the_catalogue_has_them() -> None:
    assert (ROOT / "docs" / "api-errors.md").read_text(encoding="utf-8") == markdown(), "run `make docs`"


def test_meanings_are_sentences_and_statuses_are_statuses() -> None:
    for code, (status, meaning) in catalogue().items():
        assert re.fullmatch(r"[45]\d\d( or [45]\d\d)*", status), f"{code}: {status}"
        assert meaning.endswith("."), f"{code}: {meaning}"
        assert "|" not in meaning, f"{code} would break the table"


# --- the committed description ---


def test_the_committed_description_is_that_of_the_program() -> None:
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    now = json.loads(written(create_app()))
    changed = {
        f"{method.upper()} {path}"
        for path in committed["paths"].keys() | now["paths"].keys()
        for method in committed["paths"].get(path, {}).keys() | now["paths"].get(path, {}).keys()
        if committed["paths"].get(path, {}).get(method) != now["paths"].get(path, {}).get(method)
    }
    assert changed == set(), "the API is not what docs/openapi.json says: where that is meant, run `make openapi` and `make client`"
    assert committed == now, "models or texts differ from docs/openapi.json: where that is meant, run `make openapi` and `make client`"


def test_operations_have_short_names_of_their_own_and_tags_a_description() -> None:
    schema = create_app().openapi()
    operations = [o for methods in schema["paths"].values() for o in methods.values()]
    names = Counter(o["operationId"] for o in operations)
    assert [n for n, times in names.items() if times > 1] == [], "two functions of one tag have the same name: rename one"
    assert [n for n in names if not re.fullmatch(r"[a-z][a-z0-9_]+", n)] == []
    without = {tag for o in operations for tag in o["tags"]} - set(TAGS)
    assert without == set(), "say in api.openapi.TAGS what these are"
    assert [n for n in schema["components"]["schemas"] if "__" in n] == [], "models whose names differ by their module alone"


def test_errors_are_described_as_they_are_sent() -> None:
    schema = create_app().openapi()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if status[0] in "45" and path.startswith("/api/"):
                    # RFC 6749 has its own errors, beside which ours are sent.
                    kinds = set(answer["content"]) - ({"application/json"} if path.startswith("/api/v1/auth/") else set())
                    assert kinds == {"application/problem+json"}, f"{method} {path} {status}"
            if method == "post" and path.startswith("/api/") and "security" in operation:
                headers = [p["name"].lower() for p in operation["parameters"] if p["in"] == "header"]
                assert headers.count("idempotency-key") == 1, f"{path} must say that it takes an Idempotency-Key"


# --- cursors ---

SENDABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(SENDABLE, st.integers(-(2**63) + 1, 2**63 - 1), st.dates())
def test_a_cursor_comes_back_as_it_was(text: str, number: int, day: date) -> None:
    stamp = datetime(2026, 10, 5, 13, 30, tzinfo=UTC)
    made = cursor(text, number, day, stamp)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", made), "a cursor goes into an address as it is"
    assert read_cursor(made, str, int, date, datetime) == (text, number, day, stamp)


MADE_UP = (
    *("", "x", "!!", "é", "W10", "bnVsbA", "W1tdLCJhIl0", "W3RydWUsImEiXQ", "WzEsIlx1ZDgwMCJd", "W" * 401),
    *(cursor(1), cursor("a", 2), cursor(1, "a", 2), cursor(2**63, "a"), cursor("1", "a"), cursor(1, "\x00")),
)


@pytest.mark.parametrize("made_up", MADE_UP)
def test_a_cursor_that_is_made_up_is_refused(made_up: str) -> None:
    with pytest.raises(Problem) as e:
        read_cursor(made_up, int, str)
    assert (e.value.status, e.value.code) == (422, "UNKNOWN_CURSOR")


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader_of_cursors(text: str) -> None:
    with pytest.raises(Problem) as e:
        read_cursor(text, date, str)
    assert e.value.code == "UNKNOWN_CURSOR"


def test_a_stamp_without_a_zone_is_no_cursor() -> None:
    with pytest.raises(Problem):
        read_cursor(cursor("2026-10-05T13:30:00"), datetime)


# --- how often ---


def test_a_bucket_fills_evenly_and_says_what_is_left() -> None:
    now = 0.0
    limits = Limits(lambda: now)
    taken = [asyncio.run(limits.taken("asha", 60)) for _ in range(60)]
    assert [t.left for t in taken] == list(range(59, -1, -1))
    assert all(t.passes for t in taken)
    refused = asyncio.run(limits.taken("asha", 60))
    assert (refused.passes, refused.wait_s, refused.full_in_s) == (False, 1.0, 60.0)
    assert asyncio.run(limits.taken("ravi", 60)).passes, "each caller has a bucket of its own"
    now = 1.0
    assert [asyncio.run(limits.taken("asha", 60)).passes for _ in range(2)] == [True, False]
    now = 1000.0
    assert asyncio.run(limits.taken("asha", 60)).left == 59, "a bucket holds a minute's worth and no more"


def test_redis_that_is_not_there_is_said_once_and_asked_again_later(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    limits = Limits(lambda: now, "redis://127.0.0.1:1/0")

    async def several() -> list[bool]:
        nonlocal now
        passes = []
        for _ in range(4):
            passes += [(await limits.taken("asha", 600)).passes for _ in range(3)]
            now += 60
        await limits.close()
        return passes

    assert asyncio.run(several()) == [True] * 12
    assert len([r for r in caplog.records if "Redis does not answer" in r.message]) == 1, "it must be said once"
