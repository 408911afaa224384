"""Requests made from /openapi.json: of every operation one that fits its schema, and the places in it where text goes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

METHODS = ("get", "put", "post", "patch", "delete")
TEXTS = {"date": "2026-10-05", "date-time": "2026-10-05T00:00:00Z", "uuid": "00000000-0000-4000-8000-000000000000", "time": "00:00:00"}
ALTERNATIVES = 7
"""How many kinds of a body are looked at: an action, an operation or a command is one of several."""


@dataclass
class Shape:
    """A request. `texts` are the places of strings: ("path", name), ("query", name), ("header", name) or ("body", key, key, …)."""

    operation: str
    method: str
    path: str
    parameters: dict[str, dict[str, Any]] = field(default_factory=lambda: {"path": {}, "query": {}, "header": {}})
    body: Any = None
    media_type: str | None = None
    texts: list[tuple[Any, ...]] = field(default_factory=list)

    def put(self, place: tuple[Any, ...], value: Any) -> Shape:
        """The same with another value in one place."""
        other = copy.deepcopy(self)
        if place[0] != "body":
            other.parameters[place[0]][place[1]] = value
            return other
        if len(place) == 1:
            other.body = value
            return other
        inner = other.body
        for key in place[1:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        return other

    @property
    def url(self) -> str:
        path = self.path
        for name, value in self.parameters["path"].items():
            path = path.replace(f"{{{name}}}", quote(str(value).encode("utf-8", "surrogatepass"), safe=""))
        query = "&".join(f"{n}={quote(str(v).encode('utf-8', 'surrogatepass'), safe='')}" for n, v in self.parameters["query"].items())
        return f"{path}?{query}" if query else path


def shapes(openapi: dict[str, Any]) -> Iterator[Shape]:
    """Of every operation one a kind of body that it takes."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                seen: set[tuple[Any, ...]] = set()
                for choice in range(ALTERNATIVES):
                    shape = _shape(openapi, path, method, operation, choice)
                    new = set(shape.texts) - seen
                    if choice == 0 or new:
                        seen |= new
                        shape.texts = [t for t in shape.texts if t in new]
                        yield shape


def _shape(openapi: dict[str, Any], path: str, method: str, operation: dict[str, Any], choice: int) -> Shape:
    shape = Shape(f"{method.upper()} {path}", method.upper(), path)
    for p in operation.get("parameters", []):
        schema = _resolved(openapi, p["schema"], choice)
        shape.parameters[p["in"]][p["name"]] = _example(openapi, schema, choice)
        if _takes_text(schema) or p["in"] == "path":
            shape.texts.append((p["in"], p["name"]))
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        shape.media_type = next(iter(content))
        schema = _resolved(openapi, content[shape.media_type].get("schema", {}), choice)
        shape.body = _example(openapi, schema, choice)
        shape.texts += [("body", *place) for place in _texts(openapi, schema, choice)]
    return shape


def _resolved(openapi: dict[str, Any], schema: dict[str, Any], choice: int) -> dict[str, Any]:
    while True:
        if "$ref" in schema:
            found: Any = openapi
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        elif alternatives := [s for s in schema.get("anyOf", schema.get("oneOf", [])) if s.get("type") != "null"]:
            schema = alternatives[choice % len(alternatives)]
        else:
            return schema


def _takes_text(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "string" and "const" not in schema


def _example(openapi: dict[str, Any], schema: dict[str, Any], choice: int, depth: int = 0) -> Any:
    schema = _resolved(openapi, schema, choice)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            inner = schema.get("properties", {}).items() if depth < 6 else ()
            return {name: _example(openapi, s, choice, depth + 1) for name, s in inner}
        case "array":
            return [_example(openapi, schema.get("items", {}), choice, depth + 1)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "string":
            return TEXTS.get(schema.get("format", ""), "abcdefgh"[: max(schema.get("minLength", 8), 1)])
    return None


def _texts(openapi: dict[str, Any], schema: dict[str, Any], choice: int, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    schema = _resolved(openapi, schema, choice)
    if _takes_text(schema):
        yield place
    elif schema.get("type") == "object" and len(place) < 6:
        for name, inner in schema.get("properties", {}).items():
            yield from _texts(openapi, inner, choice, (*place, name))
    elif schema.get("type") == "array":
        yield from _texts(openapi, schema.get("items", {}), choice, (*place, 0))
