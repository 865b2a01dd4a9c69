"""What the lab's machine runs once it has its root file system: the command, and what is around it.

guest-init leaves the job's directory at /run/lab-job and starts its file `run` as process 1.
"""
from __future__ import annotations

import os
import pathlib
import shlex
import sys
from collections.abc import Iterable, Sequence

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# For a booted system, and no word on the console: each byte there costs an exit.
BOOT_OPTIONS = ("l4ward.systemd systemd.unit=multi-user.target systemd.show_status=error "
                "systemd.log_target=journal")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PORTS = """\
port() { for d in /sys/class/virtio-ports/*; do
    [ "$(cat $d/name)" = $1 ] && echo /dev/${d##*/}; done; }"""
# There is no name server in there, and waiting for one costs ExaBGP's start half a minute.
_NAMES = """\
hostname lab
rm -f /etc/resolv.conf
: >/etc/resolv.conf
printf '127.0.0.1 localhost lab\\n::1 localhost\\n' >/etc/hosts"""
_UNIT = """\
[Unit]
Description=The command of tests/lab/vm
[Service]
ExecStart=/bin/sh /run/lab-job/command
LimitNOFILE=1024:524288
TasksMax=infinity"""


def environment() -> dict[str, str]:
    """What the command sees: little, so that it runs the same for everybody."""
    kept = {k: v for k, v in os.environ.items() if k.startswith("L4WARD_") or k == "NO_COLOR"}
    if sys.stdout.isatty():
        kept["L4WARD_LAB_TTY"] = "1"        # in the machine it is a serial port
    return kept | {
        "PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8",
        "TERM": os.environ.get("TERM", "dumb"),
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "L4WARD_LAB": "1"}


def on_this_system(command: Sequence[str], bring: Iterable[str], cache: pathlib.Path,
                   modules: pathlib.Path, share: str | None = None) -> dict[str, str]:
    """The job's files where the root file system is this machine's; `bring`: guest paths."""
    # A memory file system over /tmp would hide what we were asked to work on.
    tmp = "" if _below("/tmp", os.getcwd(), str(cache)) else "mount -t tmpfs -o mode=1777 tmp /tmp"
    # Not cached: the other side writes there, too.
    shared = f"mkdir -p {shlex.quote(share)}\nmount -t 9p -o trans=virtio,version=9p2000.L," \
        f"msize=65536 share {shlex.quote(share)}" if share else ""
    return {"run": f"""\
export PATH={_PATH}
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 out /out
ln -sfn /proc/self/fd /dev/fd
{tmp}
{shared}
mount --bind {shlex.quote(str(modules))} /usr/lib/modules
{_NAMES}
ip link set lo up
{_command(command, bring)}
"""}


def on_a_booted_one(command: Sequence[str], bring: Iterable[str],
                    modules: pathlib.Path) -> dict[str, str]:
    """The job's files where it is a system of its own with systemd, and this machine's is at
    /run/lab-host. The source tree and what was built are at their own paths as well."""
    binds = "\n".join(f"mkdir -p {path}\nmount --bind /run/lab-host{path} {path}"
                      for path in map(shlex.quote, _seen_inside()))
    return {"run": f"""\
export PATH={_PATH}
mount --bind /run/lab-host{shlex.quote(str(modules))} /usr/lib/modules
{binds}
{_NAMES}
units=/run/systemd/system
mkdir -p /out $units/multi-user.target.wants
cat >$units/lab.service <<'UNIT'
{_UNIT}
UNIT
ln -s ../lab.service $units/multi-user.target.wants/
exec /lib/systemd/systemd
""", "command": _command(command, bring)}


def _command(command: Sequence[str], bring: Iterable[str]) -> str:
    exports = "\n".join(f"export {k}={shlex.quote(v)}" for k, v in environment().items())
    copies = "\n".join(f"cp -aL {shlex.quote(path)} /run/lab-job/bring{i} 2>/dev/null"
                       for i, path in enumerate(bring))
    return f"""\
{_PORTS}
{exports}
cd {shlex.quote(os.getcwd())}
setsid {shlex.join(command)} </dev/null >$(port stdout) 2>$(port stderr)
status=$?
{copies}
echo $status >$(port status)
while :; do sleep 60; done
"""


def _seen_inside() -> list[str]:
    """Directories of this machine that a booted guest has at the same path, none below another."""
    wanted = {str(REPOSITORY), os.getcwd(), os.environ.get("L4WARD_BIN", "")}
    chosen: list[str] = []
    for path in sorted(path for path in wanted if os.path.isabs(path) and os.path.isdir(path)):
        if path != "/" and not any(_below(above, path) for above in chosen):
            chosen.append(path)
    return chosen


def _below(directory: str, *paths: str) -> bool:
    return any(os.path.commonpath([directory, p]) == directory for p in paths)
