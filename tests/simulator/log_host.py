# SPDX-License-Identifier: MIT
"""A syslog daemon that keeps all it gets in one file: log_host.py SOCKET FILE

Lines are as a syslog daemon writes them, with the sandbox's host name; priorities are left out.
"""

import os
import pathlib
import re
import socket
import sys

HOST = "mail"
STAMP = 15  # octets of `Nov 21 08:00:00'
RECORD_MAX = 65536


def line(datagram):
    """The line for a datagram of syslog(3): `<PRI>Nov 21 08:00:00 program[pid]: text'."""
    text = re.sub(rb"^<\d{1,3}>", b"", datagram.rstrip(b"\0\n")).replace(b"\n", b" ")
    return text[:STAMP] + b" " + HOST.encode() + text[STAMP:] + b"\n"


def main(path, file):
    pathlib.Path(path).unlink(missing_ok=True)
    log = os.open(file, os.O_WRONLY | os.O_APPEND)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        link.bind(path)
        os.chmod(path, 0o666)
        while True:
            os.write(log, line(link.recv(RECORD_MAX)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
