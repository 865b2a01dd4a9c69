"""Questions and answers through a directory that two machines share (tests/lab/vm --share).

The lab's machine is slow where it is emulated, and Ansible is large: so Ansible runs on this side,
asks the machine to run a command, and is itself asked by the test to run a playbook.
"""
from __future__ import annotations

import itertools
import json
import os
import pathlib
import threading
import time
from collections.abc import Callable

EVERY = 0.02
_numbers = itertools.count()


class MailboxError(Exception):
    pass


def ask(box: pathlib.Path, question: dict, timeout: float = 460) -> dict:
    """Waits for the answer of whoever serves that box. MailboxError: none, or it went wrong."""
    name = f"{os.uname().nodename}-{os.getpid()}-{threading.get_ident()}-{next(_numbers)}"
    answer = box / f"{name}.answer"
    _put(box / f"{name}.question", question)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if answer.exists():
            said = json.loads(answer.read_text())
            answer.unlink()
            if "error" in said:
                raise MailboxError(said["error"])
            return said
        time.sleep(EVERY)
    raise MailboxError(f"no answer within {timeout:g} s to {str(question)[:200]}")


class Server:
    """Answers each question in a thread of its own, until the end of the `with` block."""

    def __init__(self, box: pathlib.Path, answer: Callable[[dict], dict]):
        self.box, self.answer = box, answer
        box.mkdir(parents=True, exist_ok=True)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._end.wait(EVERY):
            for name in os.listdir(self.box):
                if name.endswith(".question"):
                    path = self.box / name
                    question = json.loads(path.read_text())
                    path.unlink()
                    threading.Thread(target=self._answer, args=(path, question),
                                     daemon=True).start()

    def _answer(self, path: pathlib.Path, question: dict) -> None:
        try:
            said = self.answer(question)
        except Exception as error:      # whoever asked is told, and not left waiting
            said = {"error": repr(error)}
        _put(path.with_suffix(".answer"), said)


def _put(path: pathlib.Path, content: dict) -> None:
    """Readers see all of it or nothing."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(content))
    new.rename(path)
