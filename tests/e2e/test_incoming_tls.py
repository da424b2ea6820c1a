# SPDX-License-Identifier: MIT
"""Mail that comes in for another mail host: how much TLS each endpoint wants, and what its host gets to see."""

import unittest
import uuid

import mail
from certificate import Certificates
from incoming import common_incoming, deliver
from mail_host import MailHost
from sandbox import shared, wait_for

MAIL = ("MAIL", "RCPT", "DATA")


def setUpModule():
    shared().control("incoming", "on")


def tearDownModule():
    shared().control("incoming", "off")


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.incoming = common_incoming()
        cls.addClassCleanup(cls.incoming.close)
        cls.certificates = Certificates(cls.sandbox)
        cls.addClassCleanup(cls.certificates.close)

    def host(self, context=None, **options):
        host = MailHost(context, **options)
        self.addCleanup(host.close)
        return host

    def name(self):
        """A new host name, which leads to loopback."""
        name = f"mx{uuid.uuid4().hex[:8]}.test"
        self.sandbox.control("dns", "add", name, "A", "127.0.0.1")
        return name

    def route(self, host, level, name="127.0.0.1"):
        endpoint = self.incoming.endpoint("--smtp", f"{name}:{host.port}", "--tls", level)
        return self.incoming.route("--mode", "endpoint", "--endpoint", endpoint)

    def delivered(self, host, route, protected, content=None):
        """It is there once; history says whether TLS protected it."""
        row = self.sandbox.history(route, "Sent")
        (octets, tls), = host.of(route)
        self.assertEqual(tls, protected)
        self.assertEqual(row["deliveries"][-1]["tls"] is not None, protected, row["deliveries"])
        if content:
            self.assertEqual(mail.without_added(octets), content)

    def waits(self, host, route, reason):
        """History says why, and the host has been told of no mail at all."""
        row = self.sandbox.history(route, "SoftFail")
        self.assertIn(reason, row["deliveries"][-1]["text"])
        # A list of the queue may miss what goes from one to another meanwhile.
        wait_for(lambda: route in str(self.sandbox.queue()), f"mail for {route} in the queue")
        said = host.in_clear + host.under_tls
        self.assertEqual([line for line in said if line.split(" ")[0] in MAIL], [])
        self.assertEqual(host.messages, [])

    def mended(self, host, route, **changes):
        """It goes out as soon as the host is as it should be."""
        for key, value in changes.items():
            setattr(host, key, value)
        wait_for(lambda: self.sandbox.execute("postqueue", "-f") and host.of(route), "another attempt")
        self.delivered(host, route, protected=True)
        self.assertEqual([line for line in host.in_clear if line.split(" ")[0] in MAIL], [])

    def test_none_never_asks_for_it(self):
        host = self.host(self.certificates.context("localhost"))
        route = self.route(host, "none")
        self.delivered(host, route, False, deliver(self.sandbox, route))
        self.assertNotIn("STARTTLS", host.in_clear)

    def test_may_takes_what_there_is(self):
        for case, context, broken, protected in (
                ("not offered", None, False, False),
                ("of nobody we know", self.certificates.context("other.test", known=False), False, True),
                ("over", self.certificates.context("localhost", days=-1), False, True),
                ("broken", self.certificates.context("localhost"), True, False)):
            with self.subTest(case):
                host = self.host(context, broken=broken)
                route = self.route(host, "may")
                deliver(self.sandbox, route)
                # What could not be protected is tried in clear by the next attempt.
                wait_for(lambda: host.of(route) or self.sandbox.execute("postqueue", "-f") and None,  # pylint: disable=cell-var-from-loop
                         "delivery")
                self.delivered(host, route, protected)

    def test_encrypt_takes_any_certificate(self):
        host = self.host(self.certificates.context("other.test", known=False))
        route = self.route(host, "encrypt")
        self.delivered(host, route, True, deliver(self.sandbox, route))

    def test_encrypt_waits_without_it(self):
        host = self.host()
        route = self.route(host, "encrypt")
        deliver(self.sandbox, route)
        self.waits(host, route, "TLS is required, but was not offered")
        self.mended(host, route, context=self.certificates.context("localhost"))

    def test_encrypt_waits_for_what_is_broken(self):
        host = self.host(self.certificates.context("localhost"), broken=True)
        route = self.route(host, "encrypt")
        deliver(self.sandbox, route)
        self.waits(host, route, "Cannot start TLS")
        self.mended(host, route, broken=False)

    def test_verify_delivers_to_whom_it_knows(self):
        name = self.name()
        host = self.host(self.certificates.context(name))
        route = self.route(host, "verify", name)
        self.delivered(host, route, True, deliver(self.sandbox, route))

    def test_verify_waits_for_anybody_else(self):
        for case, arguments in (("another name", {"name": "other.test"}), ("the domain's name", {"name": "test"}),
                                ("an unknown authority", {"known": False}), ("one that is over", {"days": -1})):
            with self.subTest(case):
                name = self.name()
                host = self.host(self.certificates.context(**{"name": name, **arguments}))
                route = self.route(host, "verify", name)
                deliver(self.sandbox, route)
                self.waits(host, route, "Server certificate not")
                self.mended(host, route, context=self.certificates.context(name))

    def test_verify_waits_without_it(self):
        name = self.name()
        host = self.host()
        route = self.route(host, "verify", name)
        deliver(self.sandbox, route)
        self.waits(host, route, "TLS is required, but was not offered")
        self.mended(host, route, context=self.certificates.context(name))

    def test_name_that_may_not_be_asked(self):
        """Neither by its address nor, verified, by its name: nobody connects to it."""
        host = self.host(self.certificates.context("localhost"))
        for level in ("may", "verify"):
            with self.subTest(level):
                name = f"mx{uuid.uuid4().hex[:8]}.test"
                self.sandbox.control("dns", "add", name, "A", "192.0.2.1")  # in no smtp_endpoint_allow
                endpoint = self.incoming.endpoint("--smtp", f"{name}:{host.port}", "--tls", level)
                route = self.incoming.route("--mode", "endpoint", "--endpoint", endpoint)
                deliver(self.sandbox, route)
                told = wait_for(lambda: [entry for entry in self.sandbox.queue()
                                         if route in str(entry) and "no address now" in str(entry)],  # pylint: disable=cell-var-from-loop
                                "it waits", tell=self.sandbox.queue)
                self.assertEqual(len(told), 1)
                self.assertEqual(self.sandbox.outrider("message", "list", "--to", route), [])


if __name__ == "__main__":
    unittest.main()
