"""l4ward on a node, as tests handle it: its log, its processes, restarts and reloads."""
from __future__ import annotations

import os
import pathlib
import signal
import threading

from hosts import OUT, LabError, wait_for
from nodes import Node

# ExaBGP needs ten seconds to start where the machine is emulated.
START = 60


class Log:
    """What l4ward on that node has logged since now; `restarts`: also of the ones after it."""

    def __init__(self, node: Node, restarts: bool = False):
        self.restarts = restarts
        self.node, self.path = node, OUT / f"{node.name}-l4ward.log"
        self._from = self.path.stat().st_size if self.path.exists() else 0

    def text(self) -> str:
        return self.path.read_bytes()[self._from:].decode(errors="replace")

    def lines(self, event: str) -> list[str]:
        """The lines about that event, such as agent.ready."""
        return [line for line in self.text().splitlines() if f" {event}" in f"{line} "]

    def wait(self, event: str, deadline: float = START) -> str:
        """The first line about that event. LabError at once if l4ward ended without."""
        def seen() -> list[str]:
            ended = not (self.node.agent and self.node.agent.alive())
            lines = self.lines(event)
            if ended and not lines and not self.restarts:
                raise LabError(f"l4ward on {self.node.name} ended before it logged {event}")
            return lines

        return wait_for(seen, deadline, f"{event} in {self.path}")[0]


def processes(node: Node) -> dict[str, list[int]]:
    """What runs for that node: process numbers of "l4ward", "exabgp" and "relay"."""
    found: dict[str, list[int]] = {"l4ward": [], "exabgp": [], "relay": []}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue                        # it ended just now
        if not any(str(node.run_dir) in word for word in words):
            continue
        for name in (os.path.basename(word) for word in words[:2]):
            kind = "relay" if name == "l4ward-exabgp" else name
            if kind in found:
                found[kind].append(int(folder.name))
                break
    return {kind: sorted(numbers) for kind, numbers in found.items()}


def running(node: Node) -> bool:
    return all(len(numbers) == 1 for numbers in processes(node).values())


def kill(node: Node, *kinds: str) -> None:
    """SIGKILL for these ("l4ward", "exabgp", "relay"), all found before the first dies."""
    victims, agent = processes(node), node.agent       # a supervisor may soon have a new one
    numbers = [number for kind in kinds for number in victims[kind]]
    if len(numbers) != len(kinds):
        raise LabError(f"{node.name} should run one each of {', '.join(kinds)}: {victims}")
    for number in numbers:
        os.kill(number, signal.SIGKILL)
    if "l4ward" in kinds and agent:
        agent.wait(10)


def start(node: Node, site: dict | None = None, deadline: float = START) -> Log:
    """Starts l4ward and waits until it is ready; without a site, with the file that is there."""
    log = Log(node)
    node.start_agent(site)
    log.wait("agent.ready", deadline)
    return log


def reload(node: Node, site: dict | None = None, outcome: str = "reload.done") -> Log:
    """Writes that site, if one is given, and sends SIGHUP; waits until the log says the outcome."""
    log = Log(node)
    if site is not None:
        node.write_site(site)
    assert node.agent
    node.agent.signal(signal.SIGHUP)
    log.wait(outcome)
    return log


def terminate(node: Node) -> None:
    """SIGTERM; LabError unless l4ward ends well and takes ExaBGP and the relay with it."""
    assert node.agent
    status = node.agent.stop(30)
    if status != 0:
        raise LabError(f"{node.agent} ended with status {status}; log: {node.agent.log}")
    wait_for(lambda: not any(processes(node).values()), 1,
             f"l4ward, ExaBGP and relay of {node.name} to be gone")


class Supervisor:
    """Starts l4ward again when it has ended, as systemd does."""

    def __init__(self, node: Node):
        self.node = node
        self.starts = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.1):
            if self.node.agent and not self.node.agent.alive():
                self.node.start_agent()
                self.starts += 1
