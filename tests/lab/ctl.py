"""l4wardctl on a node, the control socket below it, and what the node answers over HTTP."""
from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import json
import os
import pty
import select
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator

import jsonschema
from hosts import LabError, Process
from nodes import REPOSITORY, Node, program

HTTP_PORT = 9119


@dataclasses.dataclass(frozen=True)
class Done:
    """A command that ended."""
    words: tuple[str, ...]
    status: int
    out: str
    err: str

    def __str__(self) -> str:
        ending = "" if self.status == 0 else f"[exit status {self.status}]\n"
        return f"$ l4wardctl {shlex.join(self.words)}\n{self.out}{self.err}{ending}"


class Ctl:
    def __init__(self, node: Node):
        self.node = node
        self.socket = node.run_dir / "control.sock"

    def command(self, *words: str) -> list[str]:
        return [str(program("l4wardctl")), "--socket", str(self.socket), *words]

    def run(self, *words: str, status: int | None = 0) -> Done:
        """LabError unless it ends with that exit status; None: any will do."""
        with self.node.inside():
            done = subprocess.run(self.command(*words), text=True, capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=60, check=False)
        result = Done(words, done.returncode, done.stdout, done.stderr)
        if status is not None and result.status != status:
            raise LabError(f"{self.node}: expected exit status {status}\n{result}")
        return result

    def json(self, *words: str, status: int | None = 0):
        return json.loads(self.run(*words, "--json", status=status).out)

    def spawn(self, name: str, *words: str) -> Process:
        return self.node.spawn(name, *self.command(*words))

    def on_terminal(self, *words: str, seconds: float, keys: str) -> Done:
        """Runs it on a terminal of 24 lines, and types the keys after some seconds."""
        ours, theirs = pty.openpty()
        with self.node.inside():
            popen = subprocess.Popen(self.command(*words), stdin=theirs, stdout=theirs,
                                     stderr=theirs, env=dict(os.environ) | {"TERM": "xterm"})
        os.close(theirs)
        shown, typed, start = b"", False, time.monotonic()
        while time.monotonic() < start + seconds + 10:
            if not typed and time.monotonic() > start + seconds:
                os.write(ours, keys.encode())
                typed = True
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:             # the program has ended
                    break
        os.close(ours)
        return Done(words, popen.wait(5), shown.decode(errors="replace"), "")

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(20)
            plain.connect(str(self.socket))
            with plain.makefile("rwb") as stream:
                yield Session(stream)


class Session:
    """Many requests on one connection to the control socket."""

    def __init__(self, stream):
        self._stream = stream

    def ask(self, command: str, **fields) -> dict:
        line = json.dumps({"version": 1, "command": command} | fields)
        self._stream.write(line.encode() + b"\n")
        self._stream.flush()
        reply = json.loads(self._stream.readline())
        if not reply.get("ok"):
            raise LabError(f"{line}: {reply}")
        return reply["result"]


@functools.cache
def schema() -> dict:
    return json.loads((REPOSITORY / "docs/status.schema.json").read_text())


def validate(value: object, part: str = "") -> None:
    """As docs/status.schema.json says, the whole or what it says of one key."""
    wanted = schema()
    if part:
        shared = {key: wanted[key] for key in ("$schema", "$defs", "definitions") if key in wanted}
        wanted = shared | {"allOf": [wanted["properties"][part]]}
    jsonschema.validate(value, wanted)


def http_get(node: Node, path: str, address: str = "127.0.0.1") -> tuple[int, str]:
    """From the node itself: the status, and the body."""
    with node.inside():
        connection = http.client.HTTPConnection(address, HTTP_PORT, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
