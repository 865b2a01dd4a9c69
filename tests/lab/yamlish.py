"""Writes plain values (dict, list, str, int, bool) as YAML that is pleasant to read."""
from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*")


def to_yaml(value: dict, indent: int = 0) -> str:
    lines = []
    space = " " * indent
    for key, item in value.items():
        if isinstance(item, dict) and item and indent < 6:
            lines.append(f"{space}{key}:\n{to_yaml(item, indent + 2)}")
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            lines.append(f"{space}{key}:\n")
            lines += [f"{space}  - {_flow(entry)}\n" for entry in item]
        else:
            lines.append(f"{space}{key}: {_flow(item)}\n")
    return "".join(lines)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return json.dumps(value)        # quotes strings with colons; numbers, true, false, null
