"""l4wardctl as people meet it: on terminals, in pipes, with ^C, and completed by bash."""

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = ""
PATIENCE = 30.0
KEEPALIVED = """virtual_server 198.51.100.1 80 {
    delay_loop 6
    lvs_sched rr
    lvs_method DR
    protocol TCP
    real_server 192.0.2.101 80 {
        inhibit_on_failure
        TCP_CHECK {
            connect_timeout 3
        }
    }
}
"""


class Agent:
    """The made-up one, on a socket of its own."""

    def __init__(self, state: str) -> None:
        self.dir = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.dir.name, "control.sock")
        self.state = state
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [os.path.join(BIN, "ctl_sample_agent"), self.socket, self.state],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def stop(self) -> None:
        self.process.communicate(timeout=PATIENCE)
        os.unlink(self.socket)

    def close(self) -> None:
        self.stop()
        self.dir.cleanup()


class Screen:
    """l4wardctl on a terminal of 100 x 30."""

    def __init__(self, arguments: list[str], **environment: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", **environment)
            os.execv(os.path.join(BIN, "l4wardctl"), ["l4wardctl", *arguments])
        self.resize(30, 100)
        self.data = ""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, text: str, begin: int = 0) -> int:
        """Where `text` ends in what was written from `begin` on."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.data[begin:]:
            if not self.read_more(deadline):
                raise AssertionError(f"{text!r} never came in {self.data[begin:]!r}")
        return self.data.index(text, begin) + len(text)

    def read_more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))
        try:
            more = os.read(self.fd, 65536) if ready else b""
        except OSError:  # EIO: the program has ended
            more = b""
        self.data += more.decode(errors="replace")
        return bool(more)

    def settings(self) -> list:
        return termios.tcgetattr(self.fd)

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def wait(self) -> int:
        deadline = time.monotonic() + PATIENCE
        while self.read_more(deadline):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


class ProgramTest(unittest.TestCase):
    def setUp(self) -> None:
        self.agent = Agent("well")
        self.at = ["--socket", self.agent.socket]

    def tearDown(self) -> None:
        self.agent.close()

    def run_ctl(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([os.path.join(BIN, "l4wardctl"), *self.at, *arguments],
                              capture_output=True, text=True, timeout=PATIENCE)

    def test_pipes_get_no_colour_and_whole_lines(self) -> None:
        done = self.run_ctl("status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("\033", done.stdout)
        self.assertIn("\033[", self.run_ctl("status", "--color", "always").stdout)

    def test_json(self) -> None:
        for command in ("status", "services", "servers", "checks", "bgp", "vips", "events",
                        "overrides", "digest", "config", "version", "reload", "resync"):
            done = self.run_ctl(command, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            json.loads(done.stdout)

    def test_terminals_get_colour_unless_their_user_wants_none(self) -> None:
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            screen = Screen([*self.at, "status"], **environment)
            self.assertEqual(screen.wait(), 0)
            self.assertEqual("\033[" in screen.data, coloured)

    def test_watch_leaves_the_terminal_as_it_was(self) -> None:
        for how in ("q", "\003", "TERM"):
            screen = Screen([*self.at, "watch"])
            end = screen.read_until("all is well")
            raw = screen.settings()
            self.assertFalse(raw[3] & termios.ECHO)
            screen.read_until("all is well", end)  # it is drawn again
            if how == "TERM":
                os.kill(screen.pid, signal.SIGTERM)
            else:
                screen.type(how)
            begin = screen.read_until("\033[?25h\033[?1049l")
            self.assertEqual(screen.wait(), 0)
            self.assertEqual(screen.data[begin:], "")
            self.assertTrue(screen.data.startswith("\033[?1049h\033[?25l"))

    def test_watch_says_when_the_agent_is_gone_and_goes_on(self) -> None:
        screen = Screen([*self.at, "watch"])
        end = screen.read_until("all is well")
        self.agent.stop()
        end = screen.read_until("NO ANSWER for", end)
        end = screen.read_until("What was known before", end)
        self.agent.start()
        end = screen.read_until("q ends", end)
        deadline = time.monotonic() + PATIENCE
        while "NO ANSWER" in screen.data[screen.data.rindex("\033[H"):]:
            self.assertLess(time.monotonic(), deadline)
            screen.read_more(deadline)
        screen.type("q")
        self.assertEqual(screen.wait(), 0)

    def test_watch_follows_the_terminal_s_size(self) -> None:
        screen = Screen([*self.at, "watch"])
        end = screen.read_until("q ends")
        screen.resize(6, 100)
        end = screen.read_until("lines 1 to 5 of", end)
        screen.type("j")
        end = screen.read_until("lines 2 to 6 of", end)
        screen.type("q")
        self.assertEqual(screen.wait(), 0)

    def test_drain_wait_ends_when_it_is_empty(self) -> None:
        screen = Screen([*self.at, "drain", "server", "lb7-1", "--wait"])
        screen.read_until("connections left")
        self.assertEqual(screen.wait(), 0)
        self.assertIn("server lb7-1 is empty after", screen.data)

    def test_interrupted_the_drain_stays(self) -> None:
        screen = Screen([*self.at, "drain", "server", "lb7-1", "--wait"])
        screen.read_until("connections left")
        screen.type("\003")
        self.assertEqual(screen.wait(), 1)
        self.assertIn("stays draining", screen.data)
        self.assertIn("l4wardctl enable server lb7-1", screen.data)

    def test_following_ends_with_the_user(self) -> None:
        screen = Screen([*self.at, "events", "--follow"])
        screen.read_until("ipvs.operation_failed")
        screen.read_until("bgp.session_up")
        screen.type("\003")
        self.assertEqual(screen.wait(), 0)

    def test_import_needs_no_agent(self) -> None:
        config = os.path.join(self.agent.dir.name, "keepalived.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(KEEPALIVED)
        self.at = ["--socket", "/nonexistent"]
        done = self.run_ctl("import", config)
        self.assertEqual((done.returncode, done.stdout.count("192.0.2.101")), (0, 2), done.stderr)
        self.assertIn("0 lost, 0 changed, ", done.stderr)
        both = json.loads(self.run_ctl("import", config, "--json").stdout)
        self.assertEqual(both["site"], done.stdout)
        self.assertEqual({line["level"] for line in both["report"]}, {"note"})

    def test_import_says_by_its_status_what_became_of_the_file(self) -> None:
        for text, status in ((KEEPALIVED, 0), (KEEPALIVED.replace("TCP_CHECK", "BFD_CHECK"), 1),
                             (KEEPALIVED + "}", 2), (KEEPALIVED + "@other vrrp_instance x\n", 0)):
            done = subprocess.run([os.path.join(BIN, "l4wardctl"), "import", "-", "--config-id",
                                   "lb4-1"], input=text, capture_output=True, text=True,
                                  timeout=PATIENCE)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(done.stdout == "", status == 2)
        self.assertEqual(self.run_ctl("import", "/nonexistent").returncode, 2)

    def test_an_imports_report_fits_the_terminal(self) -> None:
        config = os.path.join(self.agent.dir.name, "keepalived.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(KEEPALIVED)
        screen = Screen(["import", config])
        self.assertEqual(screen.wait(), 0)
        report = screen.data[screen.data.index("NOTES"):]
        self.assertLessEqual(max(map(len, report.splitlines())), 100)

    def test_completion(self) -> None:
        done = subprocess.run(
            ["bash", os.path.join(HERE, "completion_test.sh"), BIN, self.agent.socket],
            capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    options, rest = parser.parse_known_args()
    BIN = options.bin
    unittest.main(argv=[sys.argv[0], *rest])
