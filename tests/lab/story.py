"""Tells a story with a clock: chapters, and in each what was expected and what was seen.

    story = Story()
    with story.chapter("lb7-2's health check fails"):
        story.expect("no other flow moves", "0 of 533", moved == 0)
"""
from __future__ import annotations

import contextlib
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator

from hosts import OUT, LabError, wait_for
from nodes import Node

WIDTH = 96
_SEEN_AT = 55           # the column of what was seen
_LOG_LINES = 8
_CODES = {"bold": "1", "dim": "2", "ok": "32", "FAILED": "1;31"}


def has_colour() -> bool:
    """In the machine the output is never a terminal; tests/lab/vm says whether its own is."""
    if os.environ.get("NO_COLOR"):
        return False
    return sys.stdout.isatty() or os.environ.get("L4WARD_LAB_TTY") == "1"


class Story:
    def __init__(self, nodes: list[Node]):
        self.start = time.monotonic()
        self.nodes = nodes
        self.held = self.failed = self.chapters = 0
        self._colour = has_colour()

    def clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.start), 60)
        return f"{minutes:02d}:{seconds:02d}"

    def paint(self, style: str, text: str) -> str:
        return f"\033[{_CODES[style]}m{text}\033[0m" if self._colour else text

    def say(self, text: str = "", style: str = "") -> None:
        print(self.paint(style, text) if style else text, flush=True)

    def note(self, text: str) -> None:
        for line in textwrap.wrap(text, WIDTH - 7):
            self.say(f"       {line}", "dim")

    @contextlib.contextmanager
    def chapter(self, title: str, *concerned: Node) -> Iterator[None]:
        """What goes wrong in it is told, with the logs of these nodes; the story goes on."""
        self.chapters += 1
        self.say()
        self.say(f"{self.clock()}  {self.chapters}. {title}", "bold")
        before = self.failed
        try:
            yield
        except (LabError, OSError) as error:
            self.expect("the step can be carried out", str(error), False)
        if self.failed > before:
            for node in concerned or self.nodes:
                self._show_log(node)

    def expect(self, expected: str, seen: str, ok: object) -> None:
        word = "ok" if ok else "FAILED"
        self.held += bool(ok)
        self.failed += not ok
        head = f"{word:<6} {expected}"
        lines = textwrap.wrap(seen, WIDTH - _SEEN_AT) or [""]
        if len(head) < _SEEN_AT:
            head = f"{head:<{_SEEN_AT}}{lines.pop(0)}"
        # Painted last: the codes have no width.
        self.say(head.replace(word, self.paint(word, word), 1).rstrip())
        for line in lines:
            self.say(" " * _SEEN_AT + line)

    def wait(self, expected: str, condition: Callable[[], object], seen: Callable[[], str],
             deadline: float = 60) -> None:
        """Expects it to become true; LabError, which ends the chapter, if it does not."""
        start = time.monotonic()
        try:
            wait_for(condition, deadline, expected, every=0.3)
        except LabError as error:
            raise LabError(f"{error}; {seen()}") from None
        self.expect(expected, f"{seen()}, {time.monotonic() - start:.1f} s", True)

    def _show_log(self, node: Node) -> None:
        path = OUT / f"{node.name}-l4ward.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        self.say(f"       last lines of {path}:", "dim")
        for line in lines[-_LOG_LINES:]:
            self.say(f"       | {line}", "dim")

    def end(self, totals: str) -> int:
        """The closing line; returns the exit status."""
        took = int(time.monotonic() - self.start)
        self.say()
        number = self.held + self.failed
        verdict = f"All {number} expectations held" if not self.failed else \
            f"{self.failed} of {number} expectations FAILED"
        self.say(f"{self.clock()}  {verdict}; {totals}; {took // 60} min {took % 60} s.", "bold")
        if self.failed:
            self.say(f"All logs: tests/lab/vm --bring {OUT}=/tmp/lab -- /usr/bin/python3 "
                     "tests/lab/demo.py")
        return 1 if self.failed else 0
