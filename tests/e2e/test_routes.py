# SPDX-License-Identifier: MIT
"""Which mail is taken in: at RCPT, by routes, forward addresses and return paths; and nothing of anybody else's."""

import json
import pathlib
import smtplib
import socket
import unittest
import uuid

from domain import Domain
from sandbox import PATIENCE, fresh, rewrite, shared, wait_for

FOREIGN = "192.0.2.13"  # an address of the host's that is not in mynetworks
HOP = r"relay=127.0.0.1[127.0.0.1]:10026"


class Session(smtplib.SMTP):
    """Somebody on port 25."""

    def __init__(self, sandbox, source=FOREIGN, sender="stranger@elsewhere.test", size=None):
        super().__init__(sandbox.smtp_host, 25, local_hostname="mx.elsewhere.test", timeout=PATIENCE,
                         source_address=(source, 0))
        self.ehlo()
        self.mail(sender, [f"size={size}"] if size else [])

    def answer(self, recipient):
        """The reply to one RCPT, whose address goes out octet by octet."""
        self.send(b"RCPT TO:<" + recipient.encode() + b">\r\n")
        code, text = self.getreply()
        return code, text.decode(errors="replace")


def rcpt(sandbox, recipient, **options):
    """(code, text) that a stranger is told about one recipient."""
    with Session(sandbox, **options) as session:
        answer = session.answer(recipient)
        session.rset()
        return answer


class Routed:
    """A domain of a test's own whose mail is taken in."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.domain = Domain(sandbox, alone=True)
        self.server = self.domain.owner
        self.name = self.domain.name

    def add(self, address, *options):
        return self.sandbox.outrider("route", "add", self.server, f"{address}@{self.name}", *options)

    def known(self):
        """Has Postfix read the tables that name the domain; where systemd is, a path unit does."""
        table = pathlib.Path(self.sandbox.postfix_conf, "outrider", "our-domains.regexp")
        wait_for(lambda: self.name.replace(".", r"\.") in table.read_text(), f"{self.name} in {table}")
        self.sandbox.execute("postfix", "reload")

    def taken(self, address):
        """Waits until it is."""
        wait_for(lambda: rcpt(self.sandbox, address)[0] == 250, f"{address} is taken in", PATIENCE,
                 lambda: rcpt(self.sandbox, address))


class Incoming(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sandbox.control("incoming", "on")
        cls.addClassCleanup(cls.sandbox.control, "incoming", "off")
        cls.routed = Routed(cls.sandbox)
        cls.info = cls.routed.add("info", "--mode", "accept")
        cls.routed.add("closed", "--mode", "reject")
        cls.routed.known()
        cls.routed.taken(f"info@{cls.routed.name}")

    def answer(self, recipient, **options):
        return rcpt(self.sandbox, recipient, **options)

    def assert_unknown(self, recipient):
        code, text = self.answer(recipient)
        self.assertEqual(code, 550, text)
        self.assertIn("5.1.1", text)
        self.assertIn("User unknown in relay recipient table", text)

    def test_route_in_any_case_and_with_tags(self):
        name = self.routed.name
        for local in ("info", "INFO", "Info+Tag", "info+a+b", '"info"'):
            for domain in (name, name.upper()):
                with self.subTest(f"{local}@{domain}"):
                    code, text = self.answer(f"{local}@{domain}")
                    self.assertEqual(code, 250, text)

    def test_unknown_and_rejected(self):
        for local in ("nobody", "closed", "closed+tag", "infos", "in.fo", "info-", "__returnpath__", "*"):
            with self.subTest(local):
                self.assert_unknown(f"{local}@{self.routed.name}")

    def test_wildcard_and_what_goes_before_it(self):
        other = Routed(self.sandbox)
        other.add("*", "--mode", "accept")
        other.add("closed", "--mode", "reject")
        other.known()
        other.taken(f"anything@{other.name}")
        self.assertEqual(self.answer(f'"any thing"@{other.name}')[0], 250)
        self.assert_unknown(f"closed@{other.name}")
        self.assert_unknown(f"Closed+tag@{other.name}")

    def test_new_route_of_a_known_domain_needs_no_reload(self):
        log = pathlib.Path(self.sandbox.mail_log)
        before = log.read_text(errors="replace").count("reload")
        self.routed.add("later", "--mode", "hold")
        self.routed.taken(f"later@{self.routed.name}")
        self.sandbox.outrider("route", "delete", self.routed.server, f"later@{self.routed.name}")
        wait_for(lambda: self.answer(f"later@{self.routed.name}")[0] == 550, "it is unknown again")
        self.assertEqual(log.read_text(errors="replace").count("reload"), before)

    def test_forward_address(self):
        token = self.info["token"]
        self.assertEqual(self.info["forward_address"], f"{token}@in.outrider.test")
        for address in (f"{token}@in.outrider.test", f"{token.upper()}+x@IN.outrider.test"):
            with self.subTest(address):
                self.assertEqual(self.answer(address)[0], 250)
        self.assert_unknown("aaaaaaaa@in.outrider.test")
        self.assert_unknown(f"x{token}@in.outrider.test")
        self.assert_unknown("postmaster@in.outrider.test")

    def test_suspended_server_is_later(self):
        stopped = Routed(self.sandbox)
        route = stopped.add("info", "--mode", "accept")
        stopped.known()
        stopped.taken(f"info@{stopped.name}")
        self.sandbox.outrider("server", "change", stopped.server, "--suspend", "unpaid")
        for address in (f"info@{stopped.name}", route["forward_address"]):
            wait_for(lambda: self.answer(address)[0] == 451, f"{address} is put off")
        self.sandbox.outrider("server", "change", stopped.server, "--resume")
        stopped.taken(f"info@{stopped.name}")

    def test_return_path_by_its_seal(self):
        recipient = fresh()
        self.routed.domain.sender.submit(recipient, sender=f"app@{self.routed.name}")
        sealed = self.sandbox.received(recipient)[1]["sender"]
        wait_for(lambda: self.answer(sealed)[0] == 250, f"{sealed} is taken in", PATIENCE,
                 lambda: self.answer(sealed))
        self.assertEqual(self.answer(sealed.upper())[0], 250)
        local, host = sealed.split("@")
        swapped = ("b" if local[5] == "a" else "a").join((local[:5], local[6:]))
        for address in (f"{swapped}@{host}", f"{local}9@{host}", f"bounce@{host}", f"postmaster@{host}"):
            with self.subTest(address):
                self.assert_unknown(address)

    def test_other_mail_is_not_ours(self):
        # 454 as smtpd_relay_restrictions of this Postfix has it
        for recipient in (f"x@sub.{self.routed.name}", f"info@x{self.routed.name}", fresh(), "x@rp2.outrider.test",
                          "abcdefghijklmnopqrstuvwxyz23456-7@psrp.stranger.test"):
            with self.subTest(recipient):
                code, text = self.answer(recipient)
                self.assertEqual(code, 454, text)
                self.assertIn("Relay access denied", text)
        for recipient in ("desk@office.test", fresh("ok.test"), fresh("partner.test"), f"x@sub.{self.routed.name}",
                          "abcdefghijklmnopqrstuvwxyz23456-7@psrp.stranger.test"):
            with self.subTest(f"from mynetworks: {recipient}"):
                with smtplib.SMTP("127.0.0.1", 25, "old.office.test", PATIENCE) as client:
                    client.ehlo()
                    client.mail("old@office.test")
                    code, text = client.rcpt(recipient)
                    self.assertEqual(code, 250, text)

    def test_what_is_taken_goes_to_the_hop(self):
        recipient = f"info+{uuid.uuid4().hex[:8]}@{self.routed.name}"
        with Session(self.sandbox) as session:
            self.assertEqual(session.answer(recipient)[0], 250)
            code, text = session.data(b"Subject: in\r\n\r\nHello.\r\n")
            self.assertEqual(code, 250)
        queue_id = text.decode().rsplit(" ", 1)[1]

        def logged():
            return [line for line in self.sandbox.mail_log_text().splitlines()
                    if f" {queue_id}: to=<{recipient}>" in line]

        line = wait_for(logged, f"delivery of {queue_id}")[0]
        self.assertIn(HOP, line)
        self.sandbox.execute("postsuper", "-d", queue_id, check=False)

    def test_policyd_away_delays_only_what_is_ours(self):
        self.sandbox.control("kill", "policyd")
        try:
            for recipient in (f"info@{self.routed.name}", f"nobody@{self.routed.name}", self.info["forward_address"]):
                with self.subTest(recipient):
                    self.assertEqual(self.answer(recipient)[0] // 100, 4)
            self.assertEqual(self.answer("desk@office.test")[0], 250)
            self.assertEqual(self.answer(fresh())[0], 454)
            with smtplib.SMTP("127.0.0.1", 25, "old.office.test", PATIENCE) as client:
                client.ehlo()
                client.mail("old@office.test")
                self.assertEqual(client.rcpt(fresh("partner.test"))[0], 250)
        finally:
            self.sandbox.start("policyd")
            # each smtpd remembers what it could not resolve, until it has served 100 clients or none for 100 s
            self.sandbox.execute("postfix", "reload")
        self.routed.taken(f"info@{self.routed.name}")
        wait_for(lambda: self.answer(f"nobody@{self.routed.name}")[0] == 550, "nobody is refused again")

    def test_database_and_worker_away(self):
        self.sandbox.stop("worker", "mariadb")
        try:
            self.assertEqual(self.answer(f"info@{self.routed.name}")[0], 250)
            self.assert_unknown(f"nobody@{self.routed.name}")
        finally:
            self.sandbox.start("mariadb", "worker")

    def test_check_finds_nothing(self):
        result = self.sandbox.outrider_plain("--json", "postfix", "check", check=False)
        conflicts = [finding for finding in json.loads(result.stdout) if finding["level"] == "conflict"]
        self.assertEqual(conflicts, [])

    def test_no_address_trick_relays(self):
        """Each to a domain of ours, to one that is not, and through both; to strangers all are refused or stay with us."""
        ours = self.routed.name
        accepted = []
        tried = 0
        for trick in tricks("victim", "elsewhere.test", ours):
            try:
                with Session(self.sandbox) as session:
                    code, _ = session.answer(trick)
            except (smtplib.SMTPException, OSError):
                continue  # it hung up
            tried += 1
            if code // 100 == 2:
                accepted.append(trick)
        self.assertGreaterEqual(tried, 200)
        self.assertEqual(accepted, [])


def tricks(user, domain, ours):
    """Addresses by which relays have been fooled."""
    hosts = (ours, f"[{socket.gethostbyname('localhost')}]", "[192.0.2.1]", "mail.outrider.test", "in.outrider.test",
             "rp.outrider.test", f"psrp.{ours}", "")
    targets = (domain, domain.upper(), f"{domain}.", f"{domain}..", f".{domain}", "xn--elsewhere-0za.test",
               "\u00eblsewhere.test", "[198.51.100.99]", "[IPv6:2001:db8::99]", "198.51.100.99")
    found = []
    for target in targets:
        found += [f"{user}@{target}", f'"{user}"@{target}', f'"{user} x"@{target}', f"{user}+info@{target}",
                  f"info@{ours}@{target}", f'"info@{ours}"@{target}', f"{ours}!info@{target}",
                  f"info%{ours}@{target}", f"@{ours}:{user}@{target}", f"@{ours},@{target}:{user}@{target}"]
        for host in hosts:
            at = f"@{host}" if host else ""
            found += [f"{user}%{target}{at}", f"{target}!{user}{at}", f'"{user}@{target}"{at}',
                      f"{user}@{target}{at}", f"@{host}:{user}@{target}" if host else f"@:{user}@{target}"]
    found += [f"info@{ours}\x00@{domain}", f"info\x00@{ours}", f"info@{ours} {user}@{domain}", f"info@{ours},{user}@{domain}",
              f"<info@{ours}>{user}@{domain}", f"info@{ours}>{user}@{domain}", f"{user}@{domain}(@{ours})",
              f"{user}@{domain}#@{ours}", f"info:{user}@{domain}", f"{user}\\@{domain}@{ours}", f"*@{domain}", "@", "", "<>",
              f"@{ours}", f"{user}@{domain}\t@{ours}", f"{'a' * 400}@{ours}", f"{user}@{'a.' * 130}test"]
    return found


class Early(unittest.TestCase):
    """What is told before a message is sent."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.conf = pathlib.Path(cls.sandbox.outrider_conf)
        cls.text = cls.conf.read_text()
        cls.addClassCleanup(cls.configure, "")
        cls.sandbox.control("incoming", "on")
        cls.addClassCleanup(cls.sandbox.control, "incoming", "off")
        cls.configure("message_size_max = 1M\nincoming_rate = 8\nincoming_rate_except = 192.0.2.1\n")
        cls.routed = Routed(cls.sandbox)
        cls.routed.add("info", "--mode", "accept")
        cls.routed.known()
        cls.info = f"info@{cls.routed.name}"
        wait_for(lambda: rcpt(cls.sandbox, cls.info, source="192.0.2.1")[0] == 250, f"{cls.info} is taken in")

    @classmethod
    def configure(cls, more):
        cls.conf.write_text(cls.text + more)
        cls.sandbox.control("restart", "policyd")

    def test_size(self):
        for size, wanted in ((None, 250), (1 << 20, 250), ((1 << 20) + 1, 552)):
            with self.subTest(size):
                code, text = rcpt(self.sandbox, self.info, source="192.0.2.12", size=size)
                self.assertEqual(code, wanted, text)
        self.assertIn("5.3.4", text)
        self.assertIn("at most 1048576 octets", text)

    def test_size_of_what_is_not_ours(self):
        self.assertEqual(rcpt(self.sandbox, "desk@office.test", source="192.0.2.12", size=(1 << 20) + 1)[0], 250)

    def test_rate_of_a_source(self):
        """Each recipient of ours counts, known or not, in one session or several; only those."""
        with Session(self.sandbox) as session:
            for n in range(7):
                self.assertEqual(session.answer(f"nobody{n}@{self.routed.name}")[0], 550)
        self.assertEqual(rcpt(self.sandbox, self.info)[0], 250)
        for recipient in (self.info, f"nobody@{self.routed.name}"):
            code, text = rcpt(self.sandbox, recipient)
            self.assertEqual(code, 450, text)
            self.assertIn("4.7.1", text)
            self.assertIn(f"More than 8 recipients a minute from {FOREIGN}", text)
        self.assertEqual(rcpt(self.sandbox, "desk@office.test")[0], 250)
        self.assertEqual(rcpt(self.sandbox, fresh())[0], 454)
        self.assertEqual(rcpt(self.sandbox, self.info, source="192.0.2.11")[0], 250)

    def test_rate_of_an_exception(self):
        for _ in range(12):
            self.assertEqual(rcpt(self.sandbox, self.info, source="192.0.2.1")[0], 250)

    def test_policyd_away(self):
        """Then nothing is looked at early; what is not ours goes on."""
        self.sandbox.control("kill", "policyd")
        try:
            self.assertEqual(rcpt(self.sandbox, "desk@office.test", size=(1 << 20) + 1)[0], 250)
        finally:
            self.sandbox.start("policyd")


class Neighbour(unittest.TestCase):
    """A relay that takes mail in for domains of its own already."""

    def setUp(self):
        self.sandbox = shared()
        self.directory = pathlib.Path(self.sandbox.postfix_conf)
        self.addCleanup(self.sandbox.execute, "postfix", "reload")
        for name in ("main.cf", "master.cf"):
            path = self.directory / name
            self.addCleanup(rewrite, path, path.read_text())
        self.set(virtual_mailbox_domains="")  # that of return paths, which are now ours

    def set(self, **settings):
        self.sandbox.execute("postconf", "-e", *(f"{name}={value}" for name, value in settings.items()))

    def attach(self):
        """As an admin does it by what the CLI prints."""
        lines = self.sandbox.outrider_plain("postfix", "lines", "--incoming", "--main").stdout.splitlines()
        self.sandbox.execute("postconf", "-e", *(line for line in lines if not line.startswith("#")))
        with open(self.directory / "master.cf", "a", encoding="ascii") as master:
            master.write(self.sandbox.outrider_plain("postfix", "lines", "--incoming", "--master").stdout)
        self.sandbox.execute("postfix", "reload")

    def codes(self, recipients):
        return [rcpt(self.sandbox, recipient)[0] for recipient in recipients]

    def compare(self, recipients, **settings):
        """What strangers are told is the same before and after."""
        self.set(**settings)
        self.sandbox.execute("postfix", "reload")
        before = self.codes(recipients)
        self.attach()
        routed = Routed(self.sandbox)
        routed.add("info", "--mode", "accept")
        routed.known()
        routed.taken(f"info@{routed.name}")
        self.assertEqual(rcpt(self.sandbox, f"nobody@{routed.name}")[0], 550)
        self.assertEqual(self.codes(recipients), before)
        return before

    def test_any_recipient_of_its_domains(self):
        """An empty relay_recipient_maps takes them all."""
        before = self.compare(["a@ok.test", "b@OK.test", "c@sub.ok.test", "a@partner.test", "a@bulk1.test"],
                              relay_domains="ok.test, partner.test", relay_recipient_maps="")
        self.assertEqual(before[0], 250)
        self.assertEqual(before[4], 454)
        self.assertNotIn("conflict", self.found())

    def test_listed_recipients(self):
        before = self.compare(["a@ok.test", "b@ok.test"], relay_domains="ok.test",
                              relay_recipient_maps="inline:{ { a@ok.test = OK } }")
        self.assertEqual(before, [250, 550])

    def test_transports_of_its_own(self):
        self.compare(["a@ok.test"], relay_domains="ok.test",
                     transport_maps="inline:{ { ok.test = smtp:[mx.smarthost.test] } }")
        for setting in ("transport_maps", "relay_domains"):
            value = self.sandbox.execute("postconf", "-h", setting).stdout
            self.assertIn("ok.test", value)
            self.assertIn("/outrider/", value)

    def found(self):
        return self.sandbox.outrider_plain("postfix", "check", check=False).stdout

    def test_check_names_what_is_missing(self):
        self.set(relay_domains="ok.test")
        self.attach()
        self.assertNotIn("conflict", self.found())
        value = self.sandbox.execute("postconf", "-h", "relay_recipient_maps").stdout.strip()
        for settings, words in (
                ({"relay_recipient_maps": value.rsplit(", ", 1)[0]}, "relay_recipient_maps has our table only"),
                ({"relay_recipient_maps": ""}, "relay_recipient_maps has no table for incoming mail"),
                ({"transport_maps": ""}, "transport_maps has no table for incoming mail"),
                ({"smtpd_reject_unlisted_recipient": "no"}, "comes back as a bounce"),
                ({"mydestination": "localhost, rp.outrider.test"}, "mydestination has rp.outrider.test")):
            with self.subTest(words):
                kept = {name: self.sandbox.execute("postconf", "-h", name).stdout.strip() for name in settings}
                self.set(**settings)
                self.assertIn(words, self.found())
                self.set(**kept)


class Endpoints(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        self.server = f"acme/e{uuid.uuid4().hex[:8]}"
        self.sandbox.outrider("server", "add", self.server)

    def add(self, *options):
        return self.sandbox.outrider("endpoint", "add", self.server, f"e{uuid.uuid4().hex[:8]}", *options)

    def check(self, name):
        result = self.sandbox.outrider_plain("--json", "endpoint", "check", self.server, name, check=False)
        return result.returncode, json.loads(result.stdout)

    def test_host_is_looked_up_and_asked(self):
        endpoint = self.add("--smtp", "mx.ok.test")
        self.assertTrue(endpoint["resolved"].startswith("198.51.100."))
        code, found = self.check(endpoint["name"])
        self.assertEqual(code, 0, found)
        self.assertTrue(found["greeting"].startswith("220"))
        self.assertEqual(found["resolved"], endpoint["resolved"])

    def test_host_that_is_not_there_is_tried_again(self):
        name = f"h{uuid.uuid4().hex[:8]}.test"
        endpoint = self.add("--smtp", name)
        self.assertIsNone(endpoint["resolved"])
        code, found = self.check(endpoint["name"])
        self.assertEqual(code, 1)
        self.assertTrue(found["wrong"])
        self.sandbox.control("dns", "add", name, "A", "198.51.100.77")
        self.addCleanup(self.sandbox.control, "dns", "del", name, "A")
        self.assertEqual(self.check(endpoint["name"])[1]["resolved"], "198.51.100.77")

    def test_address_that_is_not_allowed(self):
        for place in ("10.1.2.3", "169.254.169.254", "192.0.2.1"):
            with self.subTest(place):
                endpoint = self.add("--smtp", place)
                self.assertIsNone(endpoint["resolved"])
                self.assertIn("smtp_endpoint_allow", self.check(endpoint["name"])[1]["wrong"])


if __name__ == "__main__":
    unittest.main()
