"""Connections that stay open and are used all the time, while something else goes on."""
from __future__ import annotations

import threading

from flows import Answers, Held
from network import Network
from plan import FAMILIES


class Used:
    """Use as a context manager. Each connection asks again every second or so."""

    def __init__(self, lab: Network, count: int, first_port: int):
        each = count // len(FAMILIES)
        self._held: list[Held] = [lab.hold(family, range(first_port, first_port + each))
                                  for family in FAMILIES]
        self.rounds = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._use, daemon=True)

    def __enter__(self) -> Used:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _use(self) -> None:
        while not self._end.wait(1):
            for held in self._held:
                held.ask(timeout=10)
            self.rounds += 1

    def last(self) -> list[Answers]:
        """Asks once more; those that ever failed are among the failed. After the end only."""
        return [held.ask(timeout=10) for held in self._held]

    def close(self) -> None:
        for held in self._held:
            held.close()
