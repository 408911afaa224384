"""Which methods a path has: of all its routes, where the router knows of the first that fits."""

from __future__ import annotations

from fastapi import Request
from starlette.routing import Match, Route


def of_path(request: Request) -> set[str]:
    """Methods of every route that fits the path, whatever method was asked for."""
    fitting = (r for r in request.app.routes if isinstance(r, Route) and r.matches(request.scope)[0] != Match.NONE)
    return {method for route in fitting for method in route.methods or ()}


def of_literal_path(request: Request) -> set[str]:
    """As `of_path`, of routes that name this very path. Empty where it only fits a template, as /edits/7 does."""
    return {method for r in request.app.routes if isinstance(r, Route) and r.path == request.url.path for method in r.methods or ()}
