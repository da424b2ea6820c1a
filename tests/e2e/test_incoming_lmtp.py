# SPDX-License-Identifier: MIT
"""Mail that comes in for a mail store: by LMTP, over TCP and a UNIX socket, to a real Dovecot."""

import unittest
import uuid

import mail
from dovecot import Dovecot
from incoming import common_incoming, deliver
from sandbox import fresh, shared, wait_for

OF_THE_STORE = ("return-path", "delivered-to")  # what it puts on top


def setUpModule():
    shared().control("incoming", "on")


def tearDownModule():
    shared().control("incoming", "off")


def as_sent(octets):
    """The message without what was put on top of it on its way."""
    fields, body = mail.split(octets)
    kept = [field for field in fields if mail.field_name(field) not in OF_THE_STORE]
    return mail.without_added(b"".join(kept) + b"\r\n" + body)


class Store(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.store = Dovecot(cls.sandbox)
        cls.addClassCleanup(cls.store.close)
        cls.incoming = common_incoming()
        cls.addClassCleanup(cls.incoming.close)
        cls.tcp = cls.incoming.endpoint("--lmtp", f"127.0.0.1:{cls.store.port}")
        cls.unix = cls.incoming.endpoint("--lmtp", str(cls.store.socket))

    def route(self, endpoint=None, known=True, extra=""):
        """A new route; its address is a user's, if the store knows it."""
        route = self.incoming.route("--mode", "endpoint", "--endpoint", endpoint or self.tcp)
        if known:
            self.store.add(route, extra)
        return route

    def arrived(self, route, count=1):
        return wait_for(lambda: self.store.kept(route)[count - 1:], f"mail of {route} in the store",
                        tell=self.store.log)[0]

    def again(self):
        self.sandbox.execute("postqueue", "-f")

    def notification(self, sender):
        return wait_for(lambda: [octets for octets, side in self.sandbox.inbox(sender) if not side["sender"]],
                        f"a notification for {sender}")[0]

    def test_each_way_keeps_octets_sender_and_recipient(self):
        for name, endpoint, place in (("TCP", self.tcp, f"127.0.0.1[127.0.0.1]:{self.store.port}"),
                                      ("UNIX", self.unix, f"[{self.store.socket}]")):
            with self.subTest(name):
                route = self.route(endpoint)
                tagged = route.replace("@", "+tag@")
                content = deliver(self.sandbox, tagged)
                row = self.sandbox.history(tagged, "Sent")
                octets = self.arrived(route)
                self.assertEqual(as_sent(octets), content)
                self.assertEqual(mail.values(octets, "Return-Path"), ["<someone@ok.test>"])
                self.assertEqual(mail.values(octets, "Delivered-To"), [tagged])
                self.assertTrue(mail.values(octets, "X-Outrider-MsgID")[0].startswith(row["token"] + "-"))
                attempt, = row["deliveries"]
                self.assertIn(place, str(attempt))
                self.assertIn("Saved", attempt["text"])

    def test_null_sender(self):
        route = self.route()
        deliver(self.sandbox, route, sender="")
        self.assertEqual(mail.values(self.arrived(route), "Return-Path"), ["<>"])
        self.sandbox.history(route, "Sent")

    def test_user_that_the_store_does_not_know(self):
        for name, endpoint in (("TCP", self.tcp), ("UNIX", self.unix)):
            with self.subTest(name):
                route = self.route(endpoint, known=False)
                sender = fresh()
                deliver(self.sandbox, route, sender=sender)
                notification = self.notification(sender)
                self.assertIn(b"Status: 5.1.1", notification)
                self.assertIn(route.encode(), notification)
                row = self.sandbox.history(route, "HardFail")
                self.assertIn("550 5.1.1", row["deliveries"][0]["text"])
                deliver(self.sandbox, route)  # two refusals would suppress a recipient of ours
                wait_for(lambda: len(self.refused(route)) == 2, "the second refusal")  # pylint: disable=cell-var-from-loop
        suppressed = self.sandbox.outrider("suppression", "list", self.incoming.server)
        self.assertEqual(suppressed, [])

    def refused(self, route):
        return self.sandbox.outrider("message", "list", "--to", route, "--status", "HardFail")

    def test_user_over_quota(self):
        route = self.route(extra="userdb_quota_rule=*:bytes=100")
        sender = fresh()
        deliver(self.sandbox, route, sender=sender)
        self.assertIn(b"Status: 5.2.2", self.notification(sender))
        self.sandbox.history(route, "HardFail")
        self.assertEqual(self.store.kept(route), [])

    def test_store_in_trouble_with_a_mailbox(self):
        """A temporary failure of one user holds up nobody else."""
        route, other = self.route(), self.route()
        home = self.store.base / "home" / route
        home.write_text("no directory")
        deliver(self.sandbox, [route, other])
        self.arrived(other)
        row = self.sandbox.history(route, "SoftFail")
        self.assertRegex(row["deliveries"][0]["text"], " said: 4[0-9]{2} ")
        home.unlink()
        wait_for(lambda: self.again() or self.store.kept(route), "another attempt")
        self.sandbox.history(route, "Sent")
        self.assertEqual(len(self.store.kept(route)), 1)

    def test_store_away(self):
        """Mail waits, and each message is there once when the store is back."""
        routes = [self.route(self.tcp), self.route(self.unix)]
        self.store.stop()
        try:
            for route in routes:
                deliver(self.sandbox, route)
                row = self.sandbox.history(route, "SoftFail")
                self.assertIn("Connection refused", row["deliveries"][0]["text"])
            wait_for(lambda: len([entry for entry in self.sandbox.queue() if any(route in str(entry) for route in routes)]) == 2,
                     "both to wait")
        finally:
            self.store.start()
        for route in routes:
            wait_for(lambda: self.again() or self.store.kept(route), "another attempt")  # pylint: disable=cell-var-from-loop
            self.sandbox.history(route, "Sent")
            self.assertEqual(len(self.store.kept(route)), 1)

    def test_name_that_leads_elsewhere_meanwhile(self):
        """Mail goes to the address that was judged, whatever the name's owner makes of it."""
        name = f"store{uuid.uuid4().hex[:8]}.test"
        self.sandbox.control("dns", "add", name, "A", "127.0.0.1")
        route = self.route(self.incoming.endpoint("--lmtp", f"{name}:{self.store.port}"))
        self.sandbox.control("dns", "del", name, "A")
        self.sandbox.control("dns", "add", name, "A", "127.0.0.2")
        deliver(self.sandbox, route)
        self.arrived(route)
        self.sandbox.history(route, "Sent")

    def test_name_without_an_address_that_may_be_asked(self):
        name = f"store{uuid.uuid4().hex[:8]}.test"
        self.sandbox.control("dns", "add", name, "A", "192.0.2.1")  # in no smtp_endpoint_allow
        endpoint = self.incoming.endpoint("--lmtp", f"{name}:{self.store.port}")
        route = self.route(endpoint)
        deliver(self.sandbox, route)
        wait_for(lambda: f"{route}" in str(self.sandbox.queue()), "it waits")
        self.assertEqual(self.store.kept(route), [])
        self.incoming.sandbox.outrider("endpoint", "change", self.incoming.server, endpoint, "--lmtp",
                                       f"127.0.0.1:{self.store.port}")
        wait_for(lambda: self.again() or self.store.kept(route), "another attempt")
        self.sandbox.history(route, "Sent")


if __name__ == "__main__":
    unittest.main()
