"""Which methods a path has: of all its operations, where the router knows of the first that fits."""

from __future__ import annotations

import re

from fastapi import Request


def of_path(request: Request) -> set[str]:
    """Methods of the path, whatever method was asked for. Empty where there is no such path."""
    return of_literal_path(request) or {
        method
        for path, methods in request.app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), request.url.path)
        for method in _names(methods)
    }


def of_literal_path(request: Request) -> set[str]:
    """As `of_path`, of operations that name this very path. Empty where it only fits a template, as /edits/7 does."""
    return _names(request.app.openapi()["paths"].get(request.url.path, {}))


def _names(methods: dict[str, object]) -> set[str]:
    return {m.upper() for m in methods if m in ("get", "put", "post", "patch", "delete", "head", "options", "trace")}
