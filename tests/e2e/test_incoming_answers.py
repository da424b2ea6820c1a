# SPDX-License-Identifier: MIT
"""HTTP endpoints of every kind, asked through Postfix: what history, the queue and the sender are told; and names that lead
where nobody may be asked."""

import pathlib
import re
import sys
import unittest
import uuid

from certificate import Certificates
from incoming import common_incoming, deliver
from sandbox import SOURCE, fresh, shared, wait_for

sys.path.insert(0, str(SOURCE / "tests" / "transport"))
import endpoint_world  # noqa: E402  pylint: disable=wrong-import-position

BROKEN = "4.4.2 .*the connection broke, or what came is no answer"
# By path: the status in history, and what the attempt's line says.
ANSWERS = {
    "201": ("Sent", "2.0.0 .*201 from endpoint [0-9]+ .*: thank you for it"),
    "204": ("Sent", "2.0.0 .*204 from endpoint"),
    "interim": ("Sent", "2.0.0 .*201 from endpoint"),
    "half": ("Sent", "2.0.0 .*200 from endpoint .*: half"),
    "endless": ("Sent", "2.0.0 .*200 from endpoint .*: more and more"),
    "slow": ("Sent", "2.0.0 .*200 from endpoint .*: xxx"),
    "302": ("HardFail", "5.3.0 .*answered 302"),
    "400": ("HardFail", "5.3.0 .*answered 400"),
    "401": ("HardFail", "5.3.0 .*answered 401"),
    "413": ("HardFail", "5.3.4 .*answered 413"),
    "422": ("HardFail", "5.3.0 .*answered 422"),
    "408": ("SoftFail", "4.4.2 .*answered 408"),
    "429": ("SoftFail", "4.3.2 .*answered 429"),
    "500": ("SoftFail", "4.3.0 .*answered 500"),
    "reset": ("SoftFail", BROKEN),
    "empty": ("SoftFail", BROKEN),
    "head-only": ("SoftFail", BROKEN),
    "fields": ("SoftFail", BROKEN),
    "garbage": ("SoftFail", BROKEN),
    "drip": ("SoftFail", "4.4.2 .*no answer in time"),
}


def setUpModule():
    shared().control("incoming", "on")


def tearDownModule():
    shared().control("incoming", "off")


class Host(endpoint_world.Host):
    """Asks to be left alone once, and takes what comes then."""

    asked_once = False

    def _busy(self, link, _request):
        if self.asked_once:
            self._answer(link, 201)
        else:
            self.asked_once = True
            self._answer(link, 429, ["Retry-After: 2"])


def said(attempt):
    """What history has of an attempt."""
    return f"{attempt['dsn']} {attempt['text']}"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.incoming = common_incoming()
        cls.addClassCleanup(cls.incoming.close)

    def host(self, context=None, **place):
        host = Host(context, **place)
        self.addCleanup(host.close)
        return host

    def name(self, **records):
        """A new host name with records such as A="127.0.0.1 127.0.0.2"."""
        name = f"crm{uuid.uuid4().hex[:8]}.test"
        for kind, values in records.items():
            for value in values.split():
                self.sandbox.control("dns", "add", name, kind, value)
        return name

    def routes_to(self, *urls):
        routes = [self.incoming.add_route("--mode", "endpoint", "--endpoint", self.incoming.endpoint("--url", url))
                  for url in urls]
        self.incoming.await_routes(*routes)
        return routes

    def notifications(self, sender):
        return [octets for octets, side in self.sandbox.inbox(sender) if not side["sender"]]

    def waits(self, route, reason):
        row = self.sandbox.history(route, "SoftFail")
        self.assertRegex(said(row["deliveries"][-1]), reason)
        self.is_queued(route)

    def is_queued(self, route, is_there=True):
        wait_for(lambda: (route in str(self.sandbox.queue())) == is_there, f"{route} is queued: {is_there}")

    def again(self):
        self.sandbox.execute("postqueue", "-f")


class Answers(Case):
    def test_answers(self):
        host = self.host()
        routes = self.routes_to(*(f"http://127.0.0.1:{host.port}/{path}" for path in ANSWERS))
        sent = {path: (route, fresh()) for path, route in zip(ANSWERS, routes)}
        for route, sender in sent.values():
            deliver(self.sandbox, route, sender=sender)
        for path, (status, line) in ANSWERS.items():
            with self.subTest(path):
                self.answered(*sent[path], status, line)
        for path in ("201", "half", "endless", "slow", "302", "400", "413"):
            self.assertEqual(len(self.of(host, path)), 1, path)

    def of(self, host, path, count=1):
        """The requests for a path, once there are so many."""

        def look():
            found = [request for request in host.requests if request.path == f"/{path}"]
            return found if len(found) >= count else self.again()

        return wait_for(look, f"{count} requests for {path}")

    def answered(self, route, sender, status, line):
        row = self.sandbox.history(route, status)
        self.assertRegex(said(row["deliveries"][0]), line)
        self.is_queued(route, status == "SoftFail")
        if status != "HardFail":
            self.assertEqual(self.notifications(sender), [])
            return
        notification, = wait_for(lambda: self.notifications(sender), f"a notification for {sender}")
        self.assertIn(route.encode(), notification)
        report = notification.partition(b"Content-Type: message/rfc822")[0]
        for word in (b"thank", b"http://", b"127.0.0.1"):
            self.assertNotIn(word, report)

    def test_left_alone_for_a_while(self):
        """Other endpoints of the same host are asked meanwhile, and the message comes once the time is over."""
        host = self.host()
        patient, impatient = self.routes_to(*(f"http://127.0.0.1:{host.port}/{path}" for path in ("429", "busy")))
        for route in (patient, impatient):
            deliver(self.sandbox, route)
        asked = [request.field("x-outrider-delivery") for request in self.of(host, "busy", 2)]
        row = self.sandbox.history(impatient, "Sent")
        self.assertIn("answered 429", " ".join(said(attempt) for attempt in row["deliveries"]))
        self.assertEqual(asked, [str(row["id"])] * 2)

        def left_alone():
            self.again()
            row = self.sandbox.history(patient)
            return [attempt for attempt in row["deliveries"] if "wants to be left alone" in attempt["text"]]

        wait_for(left_alone, "another attempt that does not ask")
        self.is_queued(patient)
        self.assertEqual(len(self.of(host, "429")), 1)

    def test_certificates(self):
        certificates = Certificates(self.sandbox)
        self.addCleanup(certificates.close)
        cases = {"good": {}, "another name": {"name": "other.test"}, "over": {"days": -1},
                 "of nobody we know": {"known": False}}
        names = [self.name(A="127.0.0.1") for _ in cases]
        hosts = [self.host(certificates.context(**{"name": name, **arguments}))
                 for name, arguments in zip(names, cases.values())]
        routes = self.routes_to(*(f"https://{name}:{host.port}/201" for name, host in zip(names, hosts)))
        for route in routes:
            deliver(self.sandbox, route)
        for case, name, host, route in zip(cases, names, hosts, routes):
            with self.subTest(case):
                if case == "good":
                    self.sandbox.history(route, "Sent")
                    continue
                self.waits(route, "4.7.5 .*no TLS that can be trusted")
                self.assertEqual(host.requests, [])
                host.tls = certificates.context(name)
                wait_for(lambda: self.again() or host.requests, "another attempt")  # pylint: disable=cell-var-from-loop
                self.sandbox.history(route, "Sent")


class Rebinding(Case):
    """Names that lead to where nobody may be asked, whatever they led to when the endpoint was made."""

    OUTSIDE, INSIDE, PORT = "192.175.48.77", "10.0.0.1", 8099  # on loopback here, the public one too
    REFUSED = "4.4.4 .*the host's address is none of the public Internet"
    NAMES = {
        "private": {"A": INSIDE},
        "loopback": {"A": "127.0.0.1"},
        "loopback, IPv6": {"AAAA": "::1"},
        "this host": {"A": "0.0.0.0"},
        "a cloud's secrets": {"A": "169.254.169.254"},
        "private, mapped": {"AAAA": f"::ffff:{INSIDE}"},
        "loopback, mapped": {"AAAA": "::ffff:127.0.0.1"},
        "private, by NAT64": {"AAAA": "64:ff9b::a00:1"},
        "all of them": {"A": f"{INSIDE} 127.0.0.1", "AAAA": f"::1 ::ffff:{INSIDE}"},
        "another name of localhost": {"CNAME": "localhost."},
    }

    def setUp(self):
        self.on_loopback(self.OUTSIDE, self.INSIDE, "169.254.169.254")
        self.allow_nothing()
        self.inside = [self.host(address=address, port=self.PORT)
                       for address in (self.INSIDE, "169.254.169.254", "127.0.0.1", "::1")]

    def on_loopback(self, *addresses):
        for address in addresses:
            self.sandbox.execute("ip", "address", "replace", f"{address}/32", "dev", "lo")
            self.addCleanup(self.sandbox.execute, "ip", "address", "del", f"{address}/32", "dev", "lo")

    def allow_nothing(self):
        """For loopback is in the sandbox's http_allow, which outrider-piped reads when it starts."""
        path = pathlib.Path(self.sandbox.outrider_conf)
        text = path.read_text()

        def configure(content):
            path.write_text(content)
            self.sandbox.control("restart", "piped")

        self.addCleanup(configure, text)
        configure(re.sub("(?m)^http_allow = .*\n", "", text))

    def outside(self):
        return self.host(address=self.OUTSIDE, port=self.PORT)

    def routes(self, *names):
        return self.routes_to(*(f"http://{name}:{self.PORT}/201" for name in names))

    def nobody_was_asked(self):
        self.assertEqual([host.connections for host in self.inside], [0] * len(self.inside))

    def test_names(self):
        names = [self.name(**records) for records in self.NAMES.values()]
        routes = self.routes("localhost", *names)
        for route in routes:
            deliver(self.sandbox, route)
        for case, route in zip(("localhost", *self.NAMES), routes):
            with self.subTest(case):
                self.waits(route, self.REFUSED)
        self.nobody_was_asked()

    def test_second_answer(self):
        """The name is a public one's when the endpoint is made and for the first message, and an inner one's for the second."""
        outside = self.outside()
        name = self.name(A=self.OUTSIDE)
        route, = self.routes(name)
        deliver(self.sandbox, route)
        self.sandbox.history(route, "Sent")
        tagged = route.replace("@", "+tag@")
        self.lead(name, self.INSIDE)
        deliver(self.sandbox, tagged)
        self.waits(tagged, self.REFUSED)
        self.nobody_was_asked()
        self.lead(name, self.OUTSIDE)
        wait_for(lambda: self.again() or len(outside.requests) > 1, "another attempt")
        self.sandbox.history(tagged, "Sent")
        self.nobody_was_asked()

    def lead(self, name, address):
        self.sandbox.control("dns", "del", name, "A")
        self.sandbox.control("dns", "add", name, "A", address)

    def test_one_of_several_addresses(self):
        """While nobody answers at the public one, the others are not asked instead."""
        name = self.name(A=f"{self.OUTSIDE} {self.INSIDE} 127.0.0.1", AAAA="::1")
        route, = self.routes(name)
        deliver(self.sandbox, route)
        self.waits(route, "4.4.1 .*no connection to the host")
        outside = self.outside()
        wait_for(lambda: self.again() or outside.requests, "another attempt")
        self.sandbox.history(route, "Sent")
        self.nobody_was_asked()


if __name__ == "__main__":
    unittest.main()
