#!/usr/bin/python3
"""The units in packaging/systemd: systemd understands them, and they are confined."""
from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import unittest

UNITS = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "systemd"
MOST = 2.0                  # exposure, as `systemd-analyze security` counts it


def analyze(*arguments: str) -> str:
    done = subprocess.run(("systemd-analyze", *arguments), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Units(unittest.TestCase):
    def each(self) -> list[pathlib.Path]:
        units = sorted(UNITS.glob("*.service"))
        self.assertEqual([unit.name for unit in units],
                         ["l4ward-exabgp.service", "l4ward.service"])
        return units

    def test_systemd_understands_them(self) -> None:
        # That the programs and manual pages are not installed here is no mistake.
        absent = re.compile(r"is not executable: No such file|Command 'man ")
        said = [line for line in analyze("verify", *map(str, self.each())).splitlines()
                if "l4ward" in line and not absent.search(line)]
        self.assertEqual(said, [])

    def test_they_are_confined(self) -> None:
        for unit in self.each():
            with self.subTest(unit.name):
                report = analyze("security", "--offline=true", "--no-pager", str(unit))
                found = re.search(r"exposure level for \S+: ([0-9.]+)", report)
                assert found, report
                self.assertLessEqual(float(found[1]), MOST, report)

    def test_they_run_as_one_user_that_is_not_root(self) -> None:
        for unit in self.each():
            with self.subTest(unit.name):
                self.assertIn("User=l4ward\n", unit.read_text())


if __name__ == "__main__":
    unittest.main()
