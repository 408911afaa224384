"""Instants as requests write them: RFC 3339, as the description says. A bare number, which Pydantic takes for seconds, is none."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written(value: Any) -> Any:
    if isinstance(value, (int, float)) or (isinstance(value, str) and not _WRITTEN.match(value)):
        raise ValueError("write an instant as 2026-10-01T00:00:00Z")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]
