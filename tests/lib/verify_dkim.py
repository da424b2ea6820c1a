#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Verifies every DKIM signature of a message by dkimpy, which shares no code with libopendkim.

usage: verify_dkim.py FILE NAME=TXT...
Prints `pass' or `fail' per signature, top down; NAME is selector._domainkey.domain.
"""

import sys

import dkim


def main(file, *records):
    keys = dict(record.split("=", 1) for record in records)
    with open(file, "rb") as handle:
        content = handle.read()

    def lookup(name, timeout=5):
        return keys[name.decode().rstrip(".")].encode()

    head = content.partition(b"\r\n\r\n")[0].lower()
    for index in range((b"\r\n" + head).count(b"\r\ndkim-signature:")):
        try:
            good = dkim.DKIM(content).verify(index, dnsfunc=lookup)
        except dkim.DKIMException as why:
            print(why, file=sys.stderr)
            good = False
        print("pass" if good else "fail")


main(*sys.argv[1:])
