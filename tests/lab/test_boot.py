#!/usr/bin/python3
"""The booted system's own test: it is up, and has what the package's tests are run with.

    tests/lab/vm --systemd -- /usr/bin/python3 tests/lab/test_boot.py
"""
from __future__ import annotations

import os
import pathlib
import subprocess
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def told(*command: str) -> str:
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return (done.stdout + done.stderr).strip()


class Boot(unittest.TestCase):
    def test_systemd_runs_it(self) -> None:
        self.assertEqual(pathlib.Path("/proc/1/comm").read_text().strip(), "systemd")
        self.assertEqual(told("systemctl", "is-system-running", "--wait"), "running",
                         told("systemctl", "--failed", "--no-pager"))

    def test_no_daemon_is_enabled(self) -> None:
        for daemon in ("haproxy", "bird", "exabgp"):
            with self.subTest(daemon):
                self.assertEqual(told("systemctl", "is-enabled", daemon), "disabled")

    def test_a_service_can_be_started(self) -> None:
        unit = pathlib.Path("/etc/systemd/system/sample.service")
        unit.write_text("[Service]\nType=oneshot\nRemainAfterExit=yes\nDynamicUser=yes\n"
                        "ExecStart=/bin/true\n")
        told("systemctl", "daemon-reload")
        self.assertEqual(told("systemctl", "start", "sample"), "")
        self.assertEqual(told("systemctl", "is-active", "sample"), "active")

    def test_the_kernel_has_ipvs(self) -> None:
        self.assertEqual(told("modprobe", "-a", "ip_vs", "ip_vs_mh"), "")
        self.assertTrue(os.path.exists("/proc/net/ip_vs"))

    def test_sources_are_there_and_nothing_else_of_the_host(self) -> None:
        self.assertEqual(os.getcwd(), str(REPOSITORY))
        with self.assertRaises(OSError):
            (REPOSITORY / "written").touch()
        self.assertTrue(os.path.exists("/run/lab-host/usr/bin/qemu-system-x86_64"))
        self.assertFalse(os.path.exists("/usr/bin/qemu-system-x86_64"))

    def test_what_is_written_stays_in_memory(self) -> None:
        pathlib.Path("/etc/sample").write_text("x")
        self.assertIn("overlay", told("findmnt", "-n", "-o", "FSTYPE", "/"))


if __name__ == "__main__":
    unittest.main()
