"""Hosts of the lab: network namespaces, and programs that run in them.

Everything here runs inside the lab's virtual machine (tests/lab/vm), as root.
"""
from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

OUT = pathlib.Path(os.environ.get("L4WARD_LAB_OUT", "/out/lab"))   # logs and written files
RUN = pathlib.Path("/run/lab")                                      # control sockets
STATE = pathlib.Path("/var/lib/lab")                                # what survives l4ward
CLONE_NEWNET = 0x40000000

T = TypeVar("T")
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """A step of the lab failed; the text says which, and where the log is."""


def wait_for(condition: Callable[[], T], deadline: float, what: str, every: float = 0.1) -> T:
    """Returns the first true value of condition(); LabError after `deadline` seconds.

    The error quotes the last (false) value, so let the condition return something telling.
    """
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"waited {deadline:g} s in vain for {what} (last seen: {value!r})")
        time.sleep(every)


def stays(condition: Callable[[], object], seconds: float, what: str, every: float = 0.2) -> None:
    """LabError as soon as condition() is false within the next `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            raise LabError(f"{what} did not stay true for {seconds:g} s")
        time.sleep(every)


class Process:
    """A program that was started on a host; its output goes to a log file."""

    def __init__(self, host: Host, name: str, command: list[str], env: Mapping[str, str] | None):
        self.host, self.name, self.command = host, name, command
        self.log = OUT / f"{host.name}-{name}.log"
        with host.inside(), open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=dict(os.environ) | dict(env or {}), start_new_session=True)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def alive(self) -> bool:
        return self.popen.poll() is None

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        if self.alive():
            self.popen.send_signal(number)

    def wait(self, deadline: float) -> int:
        """Returns the exit status (negative: the signal that ended it)."""
        try:
            return self.popen.wait(deadline)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self} did not end within {deadline:g} s; log: {self.log}") from None

    def stop(self, deadline: float = 10) -> int:
        """SIGTERM, and LabError if that is not enough."""
        self.signal(signal.SIGTERM)
        return self.wait(deadline)

    def kill(self) -> int:
        """SIGKILL, as a crash."""
        self.signal(signal.SIGKILL)
        return self.wait(10)

    def __str__(self) -> str:
        return f"{self.name} on {self.host.name}"


class Host:
    """A network namespace. `inside()` moves the calling thread into it for a while: sockets
    opened, sysctls written and programs started there belong to the host."""

    def __init__(self, name: str):
        self.name = name
        self.processes: list[Process] = []
        self._fd: int | None = None

    def creation(self) -> str:
        """The line for `ip -batch` that makes the namespace."""
        return f"netns add {self.name}"

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        if self._fd is None:
            self._fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self._fd)
            try:
                yield
            finally:
                _setns(before)
        finally:
            os.close(before)

    def run(self, *command: str, input: str | None = None, check: bool = True) -> str:
        """Runs a program to its end and returns its standard output."""
        with self.inside():
            done = subprocess.run(command, input=input, text=True, capture_output=True, check=False)
        if check and done.returncode != 0:
            raise LabError(f"{self.name}: {' '.join(command)}: "
                           f"{done.stderr.strip() or done.returncode}")
        return done.stdout

    def ip(self, lines: Iterable[str], *options: str) -> None:
        """Runs lines of `ip` commands (without the word ip) in one process.

        Options go before them all: "-6" where a line itself does not tell the family.
        """
        self.run("ip", *options, "-batch", "-", input="\n".join(lines) + "\n")

    def sysctl(self, values: Mapping[str, object]) -> None:
        with self.inside():
            for key, value in values.items():
                pathlib.Path("/proc/sys", key.replace(".", "/")).write_text(str(value))

    def spawn(self, name: str, *command: str, env: Mapping[str, str] | None = None) -> Process:
        """Starts a program; the lab ends it at the latest in Network.down()."""
        process = Process(self, name, list(command), env)
        self.processes.append(process)
        return process

    def end_all(self) -> None:
        running = [p for p in self.processes if p.alive()]
        for process in running:
            process.signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(5)
            except LabError:
                process.kill()
        self.processes.clear()

    def __str__(self) -> str:
        return self.name


def _setns(fd: int) -> None:
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def prepare_directories() -> None:
    for directory in (OUT, RUN):
        directory.mkdir(parents=True, exist_ok=True)


def modprobe(*modules: str) -> None:
    subprocess.run(["modprobe", "-a", *modules], check=True)
