# SPDX-License-Identifier: MIT
"""A server with a track domain of a test's own, and the links that its mail has when it arrives."""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import uuid

import mail
from sandbox import fresh, wait_for
from sender import Sender

TRACK_HOST = "links.outrider.test"  # the sandbox's track_host
TOKEN = rb"https?://([a-z0-9.-]+)/([co])/([A-Za-z0-9_-]+)"
PIXEL = re.compile(rb"<img src=\"" + TOKEN + rb"\"[^>]*>")
LINK = re.compile(TOKEN)


class Link:
    """A token as lib/seal/link.h has it, opened and checked here by other means."""

    def __init__(self, sandbox, host, kind, token):
        octets = base64.urlsafe_b64decode(token + b"=" * (-len(token) % 4))
        body, mac = octets[:-12], octets[-12:]
        self.host = host.decode()
        self.id = int.from_bytes(body[2:9], "big")
        self.server = int.from_bytes(body[9:12], "big")
        self.ordinal = int.from_bytes(body[12:14], "big")
        self.url = body[14:].decode()
        assert (kind == b"o") == (body[1] == 1), (kind, body[1])
        key = ring(sandbox)[body[0] & 15]
        wanted = hmac.new(key, b"lk1" + bytes([len(host)]) + host + body, hashlib.sha256).digest()
        assert mac == wanted[:12], "the MAC is another one"


def ring(sandbox):
    """{number: key} of the key ring of links."""
    text = pathlib.Path(sandbox.directory, "etc", "keys", "link").read_text()
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {int(line[0]): bytes.fromhex(line[1]) for line in lines}


def links(sandbox, octets):
    return [Link(sandbox, *found) for found in LINK.findall(octets) if found[1] == b"c"]


def pixels(sandbox, octets):
    return [Link(sandbox, *found) for found in LINK.findall(octets) if found[1] == b"o"]


class Tracked:
    """The server, its sender and its track domains."""

    def __init__(self, sandbox, *options, server=None):
        self.sandbox = sandbox
        tag = uuid.uuid4().hex[:8]
        self.server = server or f"acme/t{tag}"
        self.sender = Sender(sandbox, self.server)
        self.host = self.add(*options)

    def add(self, *options, publish=True, wait=True):
        """One more track domain; the worker sees by itself that it is right."""
        host = f"l{uuid.uuid4().hex[:8]}.acme.test"
        if publish:
            self.sandbox.control("dns", "add", host, "CNAME", TRACK_HOST + ".")
        self.sandbox.outrider("track-domain", "add", self.server, host, *options)
        if wait:
            self.wait(host)
        return host

    def wait(self, host=None, active=True):
        """Until the mail path knows whether links are made for it."""
        host = host or self.host
        wait_for(lambda: self.known(host) == active, f"{host} {'' if active else 'not '}active on the mail path",
                 tell=lambda: self.show(host))

    def known(self, host):
        rows = self.sandbox.edge("SELECT active FROM track_domain WHERE host = ?", host)
        return bool(rows and rows[0][0])

    def show(self, host=None):
        return self.sandbox.outrider("track-domain", "show", self.server, host or self.host)

    def change(self, *options, host=None):
        self.sandbox.outrider("track-domain", "change", self.server, host or self.host, *options)

    def check(self, host=None):
        """(exit status, the record with its findings)."""
        result = self.sandbox.outrider_plain("--json", "track-domain", "check", self.server, host or self.host,
                                             check=False)
        return result.returncode, json.loads(result.stdout)

    def send(self, body, headers=(), recipient=None, **more):
        """What arrives of a message with that body; its signatures are verified."""
        recipient = recipient or fresh()
        content = mail.message(recipient, body, headers=headers, **more)
        with self.sender.client() as client:
            client.submit(content, recipient, options=["BODY=8BITMIME"])
        received, _ = self.sandbox.received(recipient)
        assert mail.verify_all(self.sandbox, received) == 2
        return recipient, content, received
