"""The package that was built, and the one for trying an upgrade."""
from __future__ import annotations

import pathlib
import subprocess

BUILT = pathlib.Path(__file__).resolve().parents[2] / "build/deb"
OLD, NEXT = "l4ward_old.deb", "l4ward_next.deb"


def provide(directory: pathlib.Path) -> None:
    """Puts both there."""
    for name, built in ((OLD, BUILT), (NEXT, BUILT / "next")):
        found = sorted(built.glob("l4ward_*.deb"))
        if not found:
            raise SystemExit(f"{built} has no package; run: make deb && scripts/deb --version 99.0")
        (directory / name).symlink_to(found[-1])


def version(package: pathlib.Path) -> str:
    return subprocess.run(["dpkg-deb", "--field", package, "Version"], check=True, text=True,
                          capture_output=True).stdout.strip()
