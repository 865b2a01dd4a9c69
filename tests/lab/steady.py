#!/usr/bin/python3
"""A client in the background: so many requests a second until told to stop, each failure noted.

Run as a program it is that client; class Steady starts and stops it, and reads what it wrote.
"""
from __future__ import annotations

import dataclasses
import json
import pathlib
import signal
import sys
import time
from collections.abc import Iterator

import flows
from hosts import OUT, Host, LabError, wait_for


@dataclasses.dataclass(frozen=True)
class Failure:
    at: float                   # seconds since the epoch
    target: str
    why: str
    port: int


@dataclasses.dataclass(frozen=True)
class SteadyReport:
    sent: int
    answered: int
    failed: int
    slowest: float              # seconds, of those that were answered
    failures: list[Failure]

    def __str__(self) -> str:
        text = (f"{self.sent} requests, {self.answered} answered, {self.failed} failed, "
                f"slowest {self.slowest * 1000:.0f} ms")
        return "\n".join([text] + [f"  {time.strftime('%T', time.localtime(f.at))} {f.target} "
                                   f"from port {f.port}: {f.why}" for f in self.failures[:20]])


class Steady:
    """The running background client. Use as a context manager, or call stop()."""
    _count = 0

    def __init__(self, client: Host, targets: list[tuple[str, int]], rate: float,
                 timeout: float):
        Steady._count += 1
        self._state = OUT / f"steady-{Steady._count}.json"
        arguments = [f"{address} {port}" for address, port in targets]
        self._process = client.spawn(f"steady-{Steady._count}", "/usr/bin/python3", __file__,
                                     str(self._state), str(rate), str(timeout), *arguments)
        wait_for(lambda: self._state.exists() and self.report().answered, 20,
                 f"the first answer of the steady client (log: {self._process.log})")

    def __enter__(self) -> Steady:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def report(self) -> SteadyReport:
        """How it goes so far, at most half a second old."""
        state = json.loads(self._state.read_text())
        return SteadyReport(**state | {"failures": [Failure(**f) for f in state["failures"]]})

    def stop(self) -> SteadyReport:
        if self._process.alive() and self._process.stop() != 0:
            raise LabError(f"{self._process} failed: {self._process.text().strip()}")
        return self.report()


class _Client:
    def __init__(self, state: str, rate: float, timeout: float, targets: list[tuple[str, int]]):
        self.state, self.targets = pathlib.Path(state), targets
        self.rate, self.timeout = rate, timeout
        self.sent = self.answered = 0
        self.slowest = 0.0
        self.failures: list[Failure] = []
        self.stopping = False

    def write(self) -> None:
        report = SteadyReport(self.sent, self.answered, len(self.failures), self.slowest,
                              self.failures)
        new = self.state.with_suffix(".new")
        new.write_text(json.dumps(dataclasses.asdict(report)))
        new.rename(self.state)          # a reader sees the old or the new one, nothing between

    def run(self) -> None:
        """Opens a request at each beat; an unanswered one does not hold up the others."""
        for flow, why in flows.drive(self.beats(), self.timeout, at_once=500, until_close=True):
            self.note(flow, why)
        self.write()

    def beats(self) -> Iterator[flows.Flow | None]:
        due = written = time.monotonic()
        while not self.stopping:
            now = time.monotonic()
            if now - written > 0.5:
                written = now
                self.write()
            if now < due:
                yield None
                continue
            due += 1 / self.rate
            yield self.open()

    def open(self) -> flows.Flow | None:
        target = self.targets[self.sent % len(self.targets)]
        self.sent += 1
        try:
            return flows.Flow(target)
        except OSError as error:
            self.failures.append(Failure(time.time(), target[0], flows.reason(error), 0))
            return None

    def note(self, flow: flows.Flow, why: str) -> None:
        why = why or flow.complaint()
        if why:
            self.failures.append(Failure(time.time(), flow.target[0], why, flow.port))
            flow.abort()
        else:
            self.answered += 1
            self.slowest = max(self.slowest, time.monotonic() - flow.opened)
            flow.socket.close()


def main() -> None:
    state, rate, timeout, *targets = sys.argv[1:]
    pairs = [(address, int(port)) for address, port in (t.split() for t in targets)]
    client = _Client(state, float(rate), float(timeout), pairs)

    def stop(*_: object) -> None:
        client.stopping = True

    signal.signal(signal.SIGTERM, stop)
    client.run()


if __name__ == "__main__":
    main()
