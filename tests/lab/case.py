"""The frame of the lab's tests: one network for each file, one line for each test.

    class Restart(LabCase):
        sizes = Sizes(nodes=2)
        def test_something(self) -> None:
            "What must be true, in a few words"

    if __name__ == "__main__":
        main()
"""
from __future__ import annotations

import sys
import time
import unittest

from agents import processes
from hosts import OUT
from network import Network
from nodes import Node
from plan import Sizes


class LabCase(unittest.TestCase):
    """Tests on a network. All classes of a file have the same one, so their sizes are the same."""
    sizes = Sizes()
    lab: Network
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        if hasattr(LabCase, "lab"):
            assert LabCase.lab.plan.sizes == cls.sizes
            return
        start = time.monotonic()
        LabCase.lab = Network(cls.sizes)
        unittest.addModuleCleanup(LabCase.lab.down)
        LabCase.lab.up()
        _say(f"--  network up  ({time.monotonic() - start:.1f} s)")

    @classmethod
    def tearDownClass(cls) -> None:
        left = {node.name: processes(node) for node in cls.lab.nodes}
        for name, found in left.items():
            assert not any(found.values()), f"left over after the tests of {name}: {found}"

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        done = super().run(result)
        if result and any(test is self for test, _ in result.errors + result.failures):
            for node in self.lab.nodes:
                _say(tail(node))
        return done


class _Result(unittest.TextTestResult):
    """One line for each test: whether it is well, what was shown, how long it took."""

    def startTest(self, test: unittest.TestCase) -> None:
        unittest.TestResult.startTest(self, test)
        self._start = time.monotonic()

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._line("ok", test)

    def addFailure(self, test: unittest.TestCase, err) -> None:
        unittest.TestResult.addFailure(self, test, err)
        self._line("FAILED", test)

    def addError(self, test: unittest.TestCase, err) -> None:
        unittest.TestResult.addError(self, test, err)
        self._line("FAILED", test)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err) -> None:
        unittest.TestResult.addSubTest(self, test, subtest, err)
        if err:
            self._line("FAILED", subtest)

    def _line(self, word: str, test: unittest.TestCase) -> None:
        title = test.shortDescription() or str(test)
        _say(f"{word}  {title}  ({time.monotonic() - getattr(self, '_start', 0):.1f} s)")


def main() -> None:
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout, resultclass=_Result))


def tail(node: Node, count: int = 25) -> str:
    path = OUT / f"{node.name}-l4ward.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join([f"      last lines of {path.name}:"]
                     + [f"      {line}" for line in lines[-count:]])


def _say(text: str) -> None:
    print(text, flush=True)
