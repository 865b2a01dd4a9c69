"""Ansible reaches a host by asking the test for it (runner.py), through the directory L4WARD_SHARE:
into the lab's machine without network, sshd and keys, and on this one without a Python that starts
anew for each task. Which system is meant: by `ansible_host`.
"""
from __future__ import annotations

import base64
import os
import pathlib
import shutil
import sys
import uuid

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import mailbox  # noqa: E402

DOCUMENTATION = """
name: lab
short_description: Asks a test to run commands
description: [Asks a test to run commands.]
author: [l4ward]
options: {}
"""


class Connection(ConnectionBase):
    transport = "lab"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._share = pathlib.Path(os.environ["L4WARD_SHARE"])
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None,
                     sudoable: bool = True) -> tuple[int, bytes, bytes]:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        said = self._ask(command=cmd, input=(in_data or b"").decode("latin-1"))
        return (said["status"], base64.b64decode(said["out"]), base64.b64decode(said["err"]))

    def put_file(self, in_path: str, out_path: str) -> None:
        super().put_file(in_path, out_path)
        carried = self._share / f"file-{uuid.uuid4()}"
        shutil.copyfile(in_path, carried)
        self._ask(put=str(carried), to=out_path)
        carried.unlink()

    def fetch_file(self, in_path: str, out_path: str) -> None:
        raise AnsibleConnectionFailure("no role here fetches files")

    def close(self) -> None:
        self._connected = False

    def _ask(self, **question: str) -> dict:
        asked = question | {"system": self._play_context.remote_addr}
        try:
            return mailbox.ask(self._share / "systems", asked)
        except mailbox.MailboxError as error:
            raise AnsibleConnectionFailure(str(error)) from None
