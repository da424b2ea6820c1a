# SPDX-License-Identifier: MIT
"""One DNS question, as much of RFC 1035 as finding a domain's mail hosts takes."""

import os
import socket
import struct

SERVER = ("127.0.0.1", 53)
MX = 15


def mail_hosts(domain):
    """Host names by preference; the domain itself when it has no MX record (RFC 5321, 5.1)."""
    answers = query(domain, MX)
    return [name for _, name in sorted(answers)] or [domain]


def query(name, kind):
    ident = os.urandom(2)
    question = b"".join(bytes([len(label)]) + label for label in name.encode("idna").split(b".") if label)
    packet = ident + struct.pack(">5H", 0x0100, 1, 0, 0, 0) + question + b"\0" + struct.pack(">2H", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(5)
        link.sendto(packet, SERVER)
        answer = link.recv(4096)
    if answer[:2] != ident:
        raise OSError("DNS: an answer to another question")
    count = struct.unpack_from(">H", answer, 6)[0]
    at = read_name(answer, 12)[1] + 4
    found = []
    for _ in range(count):
        at = read_name(answer, at)[1]
        answer_kind, _, _, length = struct.unpack_from(">HHIH", answer, at)
        at += 10
        if answer_kind == MX:
            found.append((struct.unpack_from(">H", answer, at)[0], read_name(answer, at + 2)[0]))
        at += length
    return found


def read_name(packet, at):
    """The name at an offset and the offset behind it."""
    labels, end = [], None
    for _ in range(128):
        length = packet[at]
        if length & 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", packet, at)[0] & 0x3FFF
        elif length == 0:
            return ".".join(labels), end or at + 1
        else:
            labels.append(packet[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
    raise OSError("DNS: a name that does not end")
