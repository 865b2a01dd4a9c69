"""Runs what Ansible asks for (connection/lab.py): a module, a command, or to take a file."""
from __future__ import annotations

import base64
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence

_WARM_PYTHON = pathlib.Path(__file__).with_name("warm_python.py")


class Runner:
    """On this machine, or in a system: `enter` is what comes before a command to run it there, and
    `root` where its files are seen from here."""

    def __init__(self, log: pathlib.Path, enter: Sequence[str] = (), root: str = ""):
        self.enter, self.root = list(enter), root
        self._asked = threading.Lock()
        self._modules, theirs = socket.socketpair()
        with theirs, open(log, "wb") as output:
            self._python = subprocess.Popen(
                [*self.enter, "/usr/bin/python3", "-c", _WARM_PYTHON.read_text()],
                stdin=theirs, stdout=output, stderr=output)

    def close(self) -> None:
        self._modules.close()           # it ends itself then
        self._python.wait()

    def answer(self, question: dict) -> dict:
        if "put" in question:
            shutil.copyfile(question["put"], self.root + question["to"])
            return {}
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, \
                tempfile.TemporaryFile() as err:
            given.write(question["input"].encode("latin-1"))
            given.seek(0)
            if question["input"]:
                status = self._module([given.fileno(), out.fileno(), err.fileno()])
            else:
                status = subprocess.run([*self.enter, "/bin/sh", "-c", question["command"]],
                                        stdin=given, stdout=out, stderr=err,
                                        check=False).returncode
            out.seek(0)
            err.seek(0)
            return {"status": status, "out": base64.b64encode(out.read()).decode(),
                    "err": base64.b64encode(err.read()).decode()}

    def _module(self, descriptors: list[int]) -> int:
        with self._asked:
            socket.send_fds(self._modules, [b"m"], descriptors)
            return self._modules.recv(1)[0]
