"""Runs Ansible's modules in children of itself, in the system whose Python this is.

A Python that has to read and compile the parts that all modules have takes seconds where the
machine is emulated; here they are there already. Standard input is a socket: each request is one
byte with the descriptors of a module's standard input (its source), output and error; the answer
is its exit status. Started and asked by runner.Runner.
"""
import os
import socket
import sys
import traceback

import ansible.module_utils.basic       # noqa: F401
import apt                              # noqa: F401


def module(descriptors):
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    status = 0
    try:
        exec(compile(sys.stdin.buffer.read(), 'module', 'exec'), {'__name__': '__main__'})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main():
    requests = socket.socket(fileno=os.dup(0))
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, 1, 3)
        if not data:
            return
        child = os.fork()
        if child == 0:
            requests.close()
            module(descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, ended = os.waitpid(child, 0)
        requests.send(bytes([os.waitstatus_to_exitcode(ended) & 255]))


main()
