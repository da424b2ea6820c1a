# SPDX-License-Identifier: MIT
"""A sending domain of a test's own."""

import functools
import json
import smtplib
import uuid

import mail
from sandbox import fresh, shared, wait_for
from sender import Sender


@functools.cache
def common_sender():
    """The server of those that need none of their own."""
    return Sender(shared(), f"acme/d{uuid.uuid4().hex[:8]}")


class Domain:
    """A sending domain of a test's own, and the server that sends from it."""

    def __init__(self, sandbox, *options, alone=False):
        tag = uuid.uuid4().hex[:8]
        self.sandbox = sandbox
        self.name = f"d{tag}.test"
        self.sender = Sender(sandbox, f"acme/d{tag}") if alone else common_sender()
        self.owner = self.sender.server
        self.record = sandbox.outrider("domain", "add", self.owner, self.name, *options)

    def __getattr__(self, verb):
        return lambda *options, **more: self.sandbox.outrider("domain", verb, self.owner, self.name,
                                                              *options, **more)

    def publish(self, *types, records=None):
        """Puts what the CLI shows into the DNS; all types, unless some are named."""
        for record in records or self.show()["dns"]:
            if not types or record["type"] in types:
                self.sandbox.control("dns", "add", record["name"], record["type"], record["value"])

    def unpublish(self, name, kind):
        self.sandbox.control("dns", "del", name, kind)

    def checked(self):
        """What a check says, whatever its exit status is."""
        result = self.sandbox.outrider_plain("--json", "domain", "check", self.owner, self.name,
                                             check=False)
        assert result.returncode in (0, 1), result.stderr
        report = json.loads(result.stdout)
        assert (result.returncode == 0) == (report["status"] == "ok"), report
        return report

    def items(self):
        return {finding["item"]: finding["status"] for finding in self.checked()["findings"]}

    def keys(self):
        return self.sandbox.outrider("key", "list", self.owner, self.name)["keys"]

    def submit(self, author=None, recipient=None):
        """As the directory is now."""
        self.sandbox.followed()
        recipient = recipient or fresh()
        author = author or f"app@{self.name}"
        with self.sender.client() as client:
            client.submit(mail.message(recipient, sender=author), recipient, sender=author)
        return recipient

    def refuses(self, author=None):
        try:
            self.submit(author)
        except smtplib.SMTPResponseException as refusal:
            return refusal.smtp_code
        return None

    def accepted(self, author=None):
        """Waits until the mail path knows that it may send; (octets, sidecar) of a message that arrived."""
        wait_for(lambda: not self.refuses(author), f"mail from {author or self.name} being taken")
        return self.sandbox.received(self.submit(author))

    def signers(self, author=None):
        content, _ = self.sandbox.received(self.submit(author))
        assert mail.verify_all(self.sandbox, content) == len(mail.signatures(content))
        return {(domain, algorithm) for domain, _, algorithm in mail.signatures(content)}

    def await_signer(self, name, author=None):
        wait_for(lambda: {d for d, _ in self.signers(author)} == {name}, f"signatures of {name}")
