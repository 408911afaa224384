"""Instants and days as requests write them: RFC 3339, as the description says. A bare number is neither, though Pydantic counts seconds."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written(value: Any) -> Any:
    if isinstance(value, (int, float)) or (isinstance(value, str) and not _WRITTEN.match(value)):
        raise ValueError("write an instant as 2026-10-01T00:00:00Z")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, (int, float)) or (isinstance(value, str) and not _DAY.fullmatch(value)):
        raise ValueError("write a day as 2026-10-01")
    return value


AS_DAY = BeforeValidator(_day)
"""Stands last where a day has bounds: before them, they would be written into the schema by names that OpenAPI has not."""
Day = Annotated[date, AS_DAY]
Instant = Annotated[AwareDatetime, BeforeValidator(_written)]
