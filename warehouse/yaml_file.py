"""Reading of a YAML file that has a JSON schema: what is wrong is said with file, line, field and remedy. What it means is for others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml

Where = tuple[str | int, ...]


class Fault(NamedTuple):
    """What is wrong in which field, and how to mend it. No field: of the text as such."""

    line: int
    field: str
    message: str


class FileError(ValueError):
    """A file that is no good: one line a fault."""

    faults: tuple[Fault, ...] = ()


class _Loader(yaml.SafeLoader):
    """A date stays the text that it is: JSON, and so a JSON schema, knows no dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class YamlFile:
    """A file as read. `error` is the class of what is raised about it."""

    path: Path
    text: str
    raw: Any
    node: yaml.Node | None
    error: type[FileError]

    def refuse(self, faults: Iterable[tuple[Where, str]]) -> None:
        """Raise `error` with one line a fault, if there is any."""
        found = [Fault(self.line(at), ".".join(map(str, at)) or "file", message) for at, message in faults]
        if found:
            raise _error(self.error, self.path, *sorted(found, key=lambda f: f.line))

    def line(self, at: Where) -> int:
        """Line of a field, or of the nearest field above it."""
        line, node = 1, self.node
        for step in at:
            if isinstance(node, yaml.MappingNode):
                # What stands twice is meant where it stands last.
                found = next(((k, v) for k, v in reversed(node.value) if k.value == str(step)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line + 1, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line


def read(path: Path, schema: dict[str, Any], error: type[FileError]) -> YamlFile:
    """Read and check a file. Raises `error`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise error(f"{path}: cannot be read: {e}") from None
    return parse(text, path, schema, error)


def parse(text: str, path: Path, schema: dict[str, Any], error: type[FileError]) -> YamlFile:
    """Check a text that is, or may become, the file `path`. Raises `error`."""
    try:
        file = YamlFile(path, text, yaml.load(text, Loader=_Loader), yaml.compose(text, Loader=yaml.SafeLoader), error)  # noqa: S506
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        problem = getattr(e, "problem", None) or str(e)
        message = f"not YAML: {problem}. Quote texts with : # {{ }} [ ] or %"
        raise _error(error, path, Fault(mark.line + 1 if mark else 1, "", message)) from None
    except (ValueError, RecursionError) as e:  # 0x without digits, a text that YAML nests beyond reason
        raise _error(error, path, Fault(1, "", f"not YAML: {e}")) from None
    file.refuse([*_twice(file.node, ()), *_faults(file.raw, schema)])
    return file


def _error(error: type[FileError], path: Path, *faults: Fault) -> FileError:
    raised = error("\n".join(f"{path}:{f.line}: {f.field and f.field + ': '}{f.message}" for f in faults))
    raised.faults = faults
    return raised


def _twice(node: yaml.Node | None, at: Where) -> Iterator[tuple[Where, str]]:
    """Keys of which YAML would silently take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                yield (*at, key.value), "is there twice: keep one"
            seen.add(key.value)
            yield from _twice(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from _twice(value, (*at, i))


def _faults(raw: object, schema: dict[str, Any]) -> Iterator[tuple[Where, str]]:
    for e in sorted(jsonschema.Draft202012Validator(schema).iter_errors(raw), key=lambda e: [str(p) for p in e.absolute_path]):
        at = tuple(e.absolute_path)
        hint = e.schema.get("errorMessage", {}) if isinstance(e.schema, dict) else {}
        if e.validator in hint:
            yield at, hint[e.validator]
        elif e.validator == "additionalProperties" and isinstance(e.instance, dict):
            known = e.schema.get("properties", {})
            for extra in sorted(set(e.instance) - set(known), key=str):
                yield (*at, extra), f"unknown field. Known here: {', '.join(sorted(known))}"
        elif e.validator == "required":
            yield at, f"{e.message}: add it"
        elif e.validator == "enum":
            yield at, f"{e.instance!r} is not allowed. Allowed: {', '.join(map(str, e.validator_value))}"
        elif e.validator in ("oneOf", "anyOf"):
            ways = [" and ".join(s.get("required", ())) for s in e.validator_value]
            yield at, f"is none of what is understood here: give {', or '.join(w for w in ways if w)}"
        else:
            yield at, e.message
