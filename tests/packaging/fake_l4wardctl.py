#!/usr/bin/python3
"""Stands in for l4wardctl and the agent behind it, one copy a node, in that node's directory.

What was asked goes to ../calls. What makes it misbehave is a file of that name beside it:
  refuses-drain, busy (connections are left at the limit), disagrees, taken-out
A site file with the word "poison" is valid, and kills a pool once it is loaded.
"""
from __future__ import annotations

import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
DRAINED, LOADED = HERE / "drained", HERE / "loaded.yaml"


def has(name: str) -> bool:
    return (HERE / name).exists()


def status() -> int:
    dead = LOADED.exists() and "poison" in LOADED.read_text()
    out = DRAINED.exists() or has("taken-out")
    print(json.dumps({
        "node": {"ready": True, "phase": "running"},
        "alarms": [{"severity": "critical", "subject": "pool edge", "text": "no server is up"}]
        * dead + [{"severity": "warning", "subject": "server x", "text": "slow"}],
        "overrides": [{"subject": "node", "action": "drain"}] * out}))
    return int(dead)


def drain() -> int:
    if has("refuses-drain"):
        print(json.dumps({"error": {"code": "busy", "message": "not now"}}))
        return 1
    DRAINED.touch()
    print(json.dumps({"ended": "limit" if has("busy") else "empty"}))
    return int(has("busy"))


def reload() -> int:
    shutil.copy(HERE / "site.yaml", LOADED)
    return 0


def enable() -> int:
    DRAINED.unlink(missing_ok=True)
    return 0


def fleet() -> int:
    return int(has("disagrees"))


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--json"]
    with open(HERE.parent / "calls", "a") as calls:
        calls.write(" ".join([HERE.name, *words]) + "\n")
    return {"status": status, "drain": drain, "reload": reload, "enable": enable,
            "fleet": fleet}[words[0]]()


if __name__ == "__main__":
    sys.exit(main())
