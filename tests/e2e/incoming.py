# SPDX-License-Identifier: MIT
"""Routes of a test's own, and mail that comes in for them from elsewhere."""

import functools
import pathlib
import smtplib
import uuid

import mail
from domain import Domain
from sandbox import shared, wait_for

FOREIGN = "198.51.100.20"  # some host of the world; it may not relay


@functools.cache
def common_incoming():
    """For tests that need no server of their own: it takes Postfix a while to know a new domain."""
    return Incoming(shared())


class Incoming:
    """A server with a domain of its own, whose routes are added as a test needs them."""

    def __init__(self, sandbox, *options):
        self.sandbox = sandbox
        self.domain = Domain(sandbox, *options, alone=True)
        self.server = self.domain.owner
        self.has_routes = False
        self.endpoints = []

    def endpoint(self, *options):
        """A new endpoint's name."""
        name = f"e{uuid.uuid4().hex[:8]}"
        self.sandbox.outrider("endpoint", "add", self.server, name, *options)
        self.endpoints.append(name)
        return name

    def close(self):
        """Nothing is left to be tried again, in other tests' time: without its endpoint mail goes back."""
        while self.endpoints:
            self.sandbox.outrider("endpoint", "delete", self.server, self.endpoints.pop(), "--force")

        def done():
            self.sandbox.execute("postqueue", "-f")
            return not [entry for entry in self.sandbox.queue() if entry["queue_name"] != "hold" and
                        self.domain.name in str(entry["recipients"])]

        wait_for(done, f"no mail for {self.domain.name} in the queue")

    def route(self, *options, name=None):
        """A new route's address, once Postfix takes mail for it (a refused one: once it is there)."""
        address = self.add_route(*options, name=name)
        if "reject" not in options:
            self.await_routes(address)
        return address

    def add_route(self, *options, name=None):
        """A new route's address; of several, all can be waited for together."""
        name = name or f"r{uuid.uuid4().hex[:8]}"
        address = f"{name}@{self.domain.name}"
        self.sandbox.outrider("route", "add", self.server, address, *options)
        return address

    def await_routes(self, *addresses):
        if not self.has_routes:
            self.known()
        for address in addresses:
            wait_for(lambda: reply(self.sandbox, address)[0] == 250, f"{address} is taken")  # pylint: disable=cell-var-from-loop
        self.has_routes = True

    def known(self):
        """Has Postfix read the tables that name the domain; where systemd is, a path unit does."""
        table = pathlib.Path(self.sandbox.postfix_conf, "outrider", "our-domains.regexp")
        wait_for(lambda: self.domain.name.replace(".", r"\.") in table.read_text(), f"{self.domain.name} in {table}")
        self.sandbox.execute("postfix", "reload")

    def change(self, address, *options):
        self.sandbox.outrider("route", "change", self.server, address, *options)


def reply(sandbox, recipient, sender="someone@else.test", source=FOREIGN):
    """What port 25 says to that recipient."""
    with session(sandbox, source) as client:
        client.mail(sender)
        return client.rcpt(recipient)


def session(sandbox, source=FOREIGN, host=None):
    client = smtplib.SMTP(host or sandbox.smtp_host, 25, local_hostname="mx.else.test", timeout=60,
                          source_address=(source, 0))
    client.ehlo()
    return client


def deliver(sandbox, recipients, content=None, sender="someone@ok.test", headers=()):
    """One transaction from elsewhere; returns the message's octets."""
    recipients = [recipients] if isinstance(recipients, str) else recipients
    content = content or mail.message(recipients[0], sender="someone@ok.test", headers=headers)
    with session(sandbox) as client:
        refused = client.sendmail(sender, recipients, content)
    assert not refused, refused
    return content
