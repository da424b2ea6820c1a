# SPDX-License-Identifier: MIT
"""A mail server (Outrider's word) of a test's own: what other tests have left to be tried again is not its."""

import smtplib

import mail
from sandbox import wait_for


class Sender:
    """Adds it with a credential, and waits until the mail path knows both."""

    def __init__(self, sandbox, server, *options):
        self.sandbox = sandbox
        self.server = server
        sandbox.outrider("server", "add", server, *options)
        self._key = sandbox.outrider("credential", "add", server, "app")["key"]
        wait_for(self._knows, f"the credential of {server} on the mail path")

    def _knows(self):
        try:
            with self.client():
                return True
        except smtplib.SMTPAuthenticationError:
            return False

    def client(self):
        """A session that is logged in."""
        client = mail.Client(self.sandbox, login=False)
        client.login(self.server, self._key)
        return client

    def submit(self, recipient, **transaction):
        with self.client() as client:
            client.submit(mail.message(recipient), recipient, **transaction)

    def change(self, *options):
        """The mail path knows it then."""
        self.sandbox.outrider("server", "change", self.server, *options)
        self.sandbox.followed()
