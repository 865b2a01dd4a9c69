#!/usr/bin/python3
"""Every site file of examples/ as it is, each in a network of its own with the addresses it says.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_examples.py [Examples.test_gue …]
"""
from __future__ import annotations

import pathlib
import sys
import threading
import unittest
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from agents import Log
from case import main, tail
from certificates import self_signed
from example_network import CERTIFICATE, ExampleNetwork
from example_sites import Front
from hosts import wait_for
from nodes import REPOSITORY
from speakers import Speakers

# That of BGP waits on purpose, so it comes first.
PATHS = {path.stem.replace("-", "_"): path
         for path in sorted((REPOSITORY / "examples").glob("*.yaml"),
                            key=lambda path: (path.stem != "bgp", path.stem))}
AT_ONCE = 3
# An ExaBGP needs a core for ten seconds where the machine is emulated, and l4ward's patience ends.
STARTS = threading.Semaphore(2)
ROUTES = 90                     # ExaBGP's start takes its time where the machine is emulated
SOON = 60


class Trial:
    """One example: up, traffic to every server, one server gone, and what is its own."""

    def __init__(self, path: pathlib.Path, speakers: Speakers):
        self.net = ExampleNetwork(path, speakers)
        self.site = self.net.site

    def run(self) -> None:
        try:
            self.prepare()
            self.net.up()
            log = Log(self.net.node)
            with STARTS:
                self.net.node.start_agent()
                log.wait("bgp.relay_connected" if self.site.neighbors else "agent.ready", ROUTES)
            log.wait("agent.ready", ROUTES)
            self.routes_arrive()
            for server in self.site.servers:
                self.wait_in(server)
            for front in self.site.fronts():
                self.all_answer(front)
            own = getattr(self, self.site.name.replace("-", "_"), None)
            if own:
                own()
            for pool in self.site.pools:
                self.one_goes(pool)
        finally:
            self.net.down()

    def prepare(self) -> None:
        """Files that the example says are the operator's to make."""
        for neighbor in self.site.neighbors:
            if "password_file" in neighbor:
                write(neighbor["password_file"], "s3cret", 0o600)
        if self.site.name == "checks":
            script = "/usr/local/lib/l4ward/check-queue"
            write(script, "#!/bin/sh\n[ $1 = --limit ]\n", 0o755)
            pathlib.Path(CERTIFICATE).parent.mkdir(parents=True, exist_ok=True)
            self_signed(CERTIFICATE, CERTIFICATE + ".key", 90, "www.example.org",
                        "cart.example.org")
        extfile = self.site.values.get("control", {}).get("gdnsd_extfile")
        if extfile:
            pathlib.Path(extfile).parent.mkdir(parents=True, exist_ok=True)

    def routes_arrive(self) -> None:
        wanted = [self.site.prefixes_for(neighbor) for neighbor in self.site.neighbors]
        if wanted:
            self.wait(lambda: self.net.gateway.told() == wanted, f"routes {wanted}", ROUTES)

    def all_answer(self, front: Front) -> None:
        if self.site.spoken_at(front.port) == "grpc":
            return                              # its check, over TLS, says enough
        answers = self.net.ask(front)
        assert answers.keys() == front.servers, f"{front}: {answers}"

    def one_goes(self, pool: str) -> None:
        """The pool's first server is silent: its connections, and only they, go elsewhere."""
        first, *others = self.site.pools[pool]
        fronts = [front for front in self.site.fronts() if front.pool == pool]
        if not others or not fronts:
            return
        self.net.speakers.silence(self.net.hosts[first])
        self.wait_out(first)
        for front in fronts:
            answers = self.net.ask(front)
            assert answers.keys() == set(others), f"{front} without {first}: {answers}"

    def wait_out(self, server: str) -> None:
        self.wait(lambda: self.weights(server) == {0}, f"{server} to be out")

    def wait_in(self, server: str) -> None:
        self.wait(lambda: 0 not in self.weights(server), f"{server} to be in")

    def wait(self, condition: Callable[[], object], what: str, deadline: float = SOON) -> None:
        """Without haste: others are under way in the same process."""
        wait_for(condition, deadline, f"{what} in {self.site.name}", every=0.5)

    def weights(self, server: str) -> set[int]:
        seen = self.net.node.weights()
        return {weight for address in self.site.servers[server].addresses
                for weight in seen.get(address, set())}

    # --- what only one example has ---

    def drains(self, server: str) -> None:
        """Its health page says 503: no new connections, and it is not called down."""
        log = Log(self.net.node)
        voice = self.net.voices[server]
        voice.status = 503
        log.wait("server.drain", SOON)
        self.wait_out(server)
        assert not log.lines("server.down"), log.text()
        voice.status = 200
        self.wait_in(server)

    def envoy(self) -> None:
        self.drains("envoy-2")

    def traefik(self) -> None:
        self.drains("traefik-2")

    def gdnsd(self) -> None:
        vip, = self.site.vips()
        file = pathlib.Path(self.site.values["control"]["gdnsd_extfile"])
        self.wait(lambda: self.net.http_status(vip, f"/vip/{vip}") == 200, f"/vip/{vip} to say 200")
        self.wait(lambda: f"{vip} => UP" in file.read_text(), f"UP in {file}")

    def cloud(self) -> None:
        """/readyz follows what the node can serve, and says 503 before the agent ends."""
        address, _, _ = self.site.values["control"]["http"].rpartition(":")

        def wait_status(status: int) -> None:
            self.wait(lambda: self.net.http_status(address, "/readyz") == status,
                      f"/readyz to say {status}")

        wait_status(200)
        for voice in self.net.voices.values():
            voice.status = 503
        wait_status(503)
        for voice in self.net.voices.values():
            voice.status = 200
        wait_status(200)
        for name in self.site.servers:
            self.wait_in(name)


def write(path: str, text: str, mode: int) -> None:
    file = pathlib.Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


class Examples(unittest.TestCase):
    """All of them are under way at the same time; each test waits for its own."""
    trials: dict[str, tuple[Trial, Future]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        wanted = {word.rpartition("test_")[2] for word in sys.argv[1:]} & PATHS.keys()
        speakers = Speakers()
        pool = ThreadPoolExecutor(AT_ONCE)
        trials = {name: Trial(path, speakers) for name, path in PATHS.items()
                  if name in (wanted or PATHS)}
        cls.trials = {name: (trial, pool.submit(trial.run)) for name, trial in trials.items()}
        cls.addClassCleanup(speakers.close)
        cls.addClassCleanup(pool.shutdown)


def test_of(name: str, path: pathlib.Path) -> Callable[[Examples], None]:
    def test(self: Examples) -> None:
        trial, future = self.trials[name]
        try:
            future.result()
        except Exception:
            print(tail(trial.net.node), flush=True)
            raise

    test.__doc__ = f"examples/{path.name}"
    return test


for each, where in PATHS.items():
    setattr(Examples, f"test_{each}", test_of(each, where))


if __name__ == "__main__":
    main()
