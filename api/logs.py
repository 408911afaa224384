"""Lines of the log as JSON: one object a line, with the id of the request that they belong to, and nothing personal."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from api.errors import CURRENT_REQUEST


class JsonLines(logging.Formatter):
    """`at` (UTC), `level`, `logger`, `message`, `request_id` where there is one, and the fields given as extra={"fields": {…}}.

    Of an exception its kind and where it was: its text may quote the row or the value that it was about.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := CURRENT_REQUEST.get():
            line["request_id"] = request_id
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            line["error"] = type(error).__qualname__
            line["stack"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        return json.dumps(line, default=str, ensure_ascii=False)


def config(level: str = "INFO") -> dict[str, Any]:
    """For logging.config.dictConfig, and for uvicorn, whose own access log (it has query strings in it) stays off."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
        "root": {"handlers": ["out"], "level": "WARNING"},
        "loggers": {"api": {"level": level}, "uvicorn": {"level": "WARNING"}, "uvicorn.access": {"level": "CRITICAL", "propagate": False}},
    }
