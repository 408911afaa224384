"""Reading of a YAML file that has a JSON schema: what is wrong is said with file, line, field and remedy. What it means is for others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """A file as read. `error` is the class of what is raised about it, a ValueError."""

    path: Path
    raw: Any
    node: yaml.Node | None
    error: type[ValueError]

    def refuse(self, faults: Iterable[tuple[Where, str]]) -> None:
        """Raise `error` with one line a fault, if there is any."""
        lines = [f"{self.path}:{self.line(at)}: {'.'.join(map(str, at)) or 'file'}: {message}" for at, message in faults]
        if lines:
            raise self.error("\n".join(lines))

    def line(self, at: Where) -> int:
        """Line of a field, or of the nearest field above it."""
        line, node = 1, self.node
        for step in at:
            if isinstance(node, yaml.MappingNode):
                found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line + 1, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line


def read(path: Path, schema: dict[str, Any], error: type[ValueError]) -> YamlFile:
    """Read and check a file. Raises `error`."""
    try:
        text = path.read_text(encoding="utf-8")
        file = YamlFile(path, yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader), error)
    except (OSError, UnicodeDecodeError) as e:
        raise error(f"{path}: cannot be read: {e}") from None
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise error(f"{where}: not YAML: {getattr(e, 'problem', e)}. Quote texts with : # {{ }} [ ] or %") from None
    file.refuse(_faults(file.raw, schema))
    return file


def _faults(raw: object, schema: dict[str, Any]) -> Iterator[tuple[Where, str]]:
    for e in sorted(jsonschema.Draft202012Validator(schema).iter_errors(raw), key=lambda e: [str(p) for p in e.absolute_path]):
        at = tuple(e.absolute_path)
        if e.validator == "additionalProperties" and isinstance(e.instance, dict):
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
