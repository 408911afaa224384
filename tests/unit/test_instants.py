"""Days and instants of requests: written out, and no numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.instants import Day, Instant


def test_a_day_is_written_out() -> None:
    assert TypeAdapter(Day).validate_python("2026-10-01") == date(2026, 10, 1)
    assert TypeAdapter(Day).validate_python(date(2026, 10, 1)) == date(2026, 10, 1)


@pytest.mark.parametrize(
    "value", [0, 0.0, "0", "0.0", "-1", "1790812800", "2026-10-01T00:00:00", "2026-10-01Z", "20261001", "2026-13-01", ""]
)
def test_what_is_no_day(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(value)


@pytest.mark.parametrize("value", [0, 0.0, "0", "1790812800", "2026-10-01", "2026-10-01T00:00:00"])
def test_what_is_no_instant(value: Any) -> None:
    """Also a stamp without an offset."""
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python(value)
