# SPDX-License-Identifier: MIT
"""What a credential works by and for: clients' addresses, sender addresses, keys that are rotated; and when it was used."""

import base64
import concurrent.futures
import hmac
import os
import pathlib
import smtplib
import socket
import threading
import unittest

import mail
from sandbox import PATIENCE, fresh, shared, wait_for

HAS_V6 = os.path.exists("/proc/sys/net/ipv6")
SERVER, OTHER = "acme/ip", "other/ip"
AUTHORS = {SERVER: "app@acme.test", OTHER: "app@other.test"}
STRANGER = "203.0.111.9"
SOURCES = {  # name: (server, networks)
    "wide": (SERVER, "203.0.113.0/24,fd00:5::/32"),
    "narrow": (OTHER, "203.0.113.64/26,fd00:5:1::/48"),
    "one": (SERVER, "203.0.113.70"),
    "mapped": (OTHER, "::ffff:203.0.112.0/120"),
}
V4 = [  # client, credential
    ("203.0.113.0", "wide"), ("203.0.113.1", "wide"), ("203.0.113.63", "wide"), ("203.0.113.64", "narrow"),
    ("203.0.113.69", "narrow"), ("203.0.113.70", "one"), ("203.0.113.71", "narrow"), ("203.0.113.127", "narrow"),
    ("203.0.113.128", "wide"), ("203.0.113.254", "wide"), ("203.0.112.0", "mapped"), ("203.0.112.254", "mapped"),
    ("203.0.111.254", None), ("203.0.114.1", None), (STRANGER, None), ("127.0.0.1", None), ("192.0.2.1", None),
]
V6 = [
    ("fd00:5::1", "wide"), ("fd00:5:ffff::1", "wide"), ("fd00:5:1::1", "narrow"), ("fd00:5:1:ffff::1", "narrow"),
    ("fd00:5:2::1", "wide"), ("fd00:5:0:ffff:ffff:ffff:ffff:ffff", "wide"), ("fd00:5:2::", "wide"),
    ("fd00:5:1:ffff:ffff:ffff:ffff:ffff", "narrow"), ("fd00:5:ffff:ffff:ffff:ffff:ffff:ffff", "wide"),
    ("fd00:4:ffff:ffff:ffff:ffff:ffff:ffff", None), ("fd00:4:ffff::1", None), ("fd00:6::1", None), ("::1", None),
]


def setUpModule():
    """Addresses to come from, two tenants, and the credentials of SOURCES."""
    sandbox = shared()
    for network in (111, 112, 113, 114):  # on lo all of the network is local
        sandbox.execute("ip", "address", "replace", f"203.0.{network}.1/24", "dev", "lo")
    for client, _ in V6 if HAS_V6 else ():
        if client != "::1":
            sandbox.execute("ip", "address", "replace", f"{client}/128", "dev", "lo", "nodad")
    sandbox.outrider("organization", "add", "other")
    for server in (SERVER, OTHER):
        sandbox.outrider("server", "add", server)
    for record in sandbox.outrider("domain", "add", "other", "other.test")["dns"]:
        sandbox.control("dns", "add", record["name"], record["type"], record["value"])
    sandbox.outrider_plain("domain", "check", "other", "other.test", check=False)
    for name, (server, networks) in SOURCES.items():
        sandbox.outrider("credential", "add", server, name, "--type", "smtp-ip", "--network", networks)
    wait_for(lambda: reply_to_mail("203.0.112.1", OTHER)[0] == 250, "the addresses on the mail path")


def client_of(source, port=587, host=None):
    host = host or (shared().smtp_host if "." in source else "2001:db8::1")
    return mail.Client(shared(), port, login=False, host=host, source=source)


def reply_to_mail(source, server=SERVER):
    with client_of(source) as client:
        return client.mail(AUTHORS[server])


def send(client, recipient, author=AUTHORS[SERVER], sender=None):
    """One transaction that ends with the first refusal."""
    for step in (lambda: client.mail(author if sender is None else sender), lambda: client.rcpt(recipient),
                 lambda: client.data(mail.message(recipient, sender=author))):
        code, text = step()
        if code >= 400:
            client.rset()
            raise smtplib.SMTPResponseException(code, text)
    return recipient


class Case(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def refused(self, call, *arguments, **options):
        """(code, text) of the refusal."""
        with self.assertRaises(smtplib.SMTPResponseException) as caught:
            call(*arguments, **options)
        return caught.exception.smtp_code, caught.exception.smtp_error.decode()

    def credential(self, name, server=SERVER):
        return self.sandbox.outrider("credential", "show", server, name)

    def change(self, name, *options, server=SERVER):
        self.sandbox.outrider("credential", "change", server, name, *options)

    def add(self, name, *options, server=SERVER):
        record = self.sandbox.outrider("credential", "add", server, name, *options)
        self.addCleanup(self.sandbox.outrider, "credential", "delete", server, name)
        return record


class Addresses(Case):
    def test_longest_prefix_of_all_tenants(self):
        for source, name in V4 + (V6 if HAS_V6 else []):
            with self.subTest(source=source):
                server = SOURCES[name][0] if name else SERVER
                recipient = fresh()
                with client_of(source) as client:
                    if not name:
                        code, text = self.refused(send, client, recipient)
                        self.assertEqual((code, text), (530, "5.7.0 Authentication required"))
                        continue
                    foreign = AUTHORS[OTHER if server == SERVER else SERVER]
                    self.assertEqual(self.refused(send, client, fresh(), author=foreign)[0], 530)
                    send(client, recipient, author=AUTHORS[server])
                message = self.sandbox.history(recipient, "Sent")
                self.assertEqual(message["credential_id"], self.credential(name, server)["id"])
                content, _ = self.sandbox.received(recipient)
                self.assertEqual([domain for domain, _, _ in mail.signatures(content)],
                                 [AUTHORS[server].split("@")[1]] * 2)
                if server == SERVER:  # the other's keys are not in the DNS
                    self.assertEqual(mail.verify_all(self.sandbox, content), 2)

    def test_each_port_and_several_recipients(self):
        for port in (587, 465, 2525):
            recipients = [fresh() for _ in range(3)]
            with self.subTest(port=port), client_of("203.0.113.5", port) as client:
                self.assertEqual(client.mail(AUTHORS[SERVER])[0], 250)
                for recipient in recipients:
                    self.assertEqual(client.rcpt(recipient)[0], 250)
                self.assertEqual(client.data(mail.message(recipients[0]))[0], 250)
            for recipient in recipients:
                message = self.sandbox.history(recipient, "Sent")
                self.assertEqual(message["credential_id"], self.credential("wide")["id"])

    def test_authentication_goes_before(self):
        recipient = fresh()
        with client_of("203.0.113.70") as client:
            client.login(self.sandbox.smtp_user, self.sandbox.smtp_key)
            send(client, recipient)
        self.assertEqual(self.sandbox.history(recipient, "Sent")["credential_id"],
                         self.credential("app", "acme/main")["id"])

    def test_refused_authentication_changes_nothing(self):
        recipient = fresh()
        with client_of("203.0.113.5") as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login("acme/main", "x" * 24)
            send(client, recipient)
        self.assertEqual(self.sandbox.history(recipient, "Sent")["credential_id"], self.credential("wide")["id"])

    def test_mapped_address_behind_a_proxy(self):
        """Postfix itself makes an IPv4 address of ::ffff:a.b.c.d, whichever way it hears of it."""
        service = "127.0.0.1:2590/inet"
        options = self.sandbox.execute("postconf", "-P", "587/inet/*").stdout.splitlines()
        self.sandbox.execute("postconf", "-M", f"{service}=127.0.0.1:2590 inet n - y - - smtpd")
        self.addCleanup(self.reload)
        self.addCleanup(self.sandbox.execute, "postconf", "-MX", service)
        for option in options:
            name, value = option.removeprefix("587/inet/").split(" = ", 1) if " = " in option else \
                (option.removeprefix("587/inet/").rstrip(" ="), "")
            self.sandbox.execute("postconf", "-P", f"{service}/{name}={value}")
        self.sandbox.execute("postconf", "-P", f"{service}/smtpd_upstream_proxy_protocol=haproxy")
        self.reload()
        for source, wanted in (("::ffff:203.0.113.5", 250), ("::ffff:203.0.111.9", 530), ("fd00:5::9", 250)):
            with self.subTest(source=source):
                self.assertEqual(wait_for(lambda s=source: self.through_proxy(s), "the proxied listener"), wanted)

    def reload(self):
        self.sandbox.execute("postfix", "reload")

    def through_proxy(self, source):
        """The code of MAIL, or of RCPT after 250."""
        try:
            with socket.create_connection(("127.0.0.1", 2590), 20) as link, link.makefile("rwb") as lines:
                def say(line):
                    lines.write(line.encode() + b"\r\n")
                    lines.flush()
                    while True:
                        reply = lines.readline()
                        if reply[3:4] != b"-":
                            return int(reply[:3])
                say(f"PROXY TCP6 {source} ::1 4000 25")
                say("EHLO client.acme.test")
                code = say(f"MAIL FROM:<{AUTHORS[SERVER]}>")
                return say(f"RCPT TO:<{fresh()}>") if code == 250 else code
        except (OSError, ValueError):
            return None


class Strangers(Case):
    def test_no_listener_relays(self):
        for host, port in ((None, 25), (None, 587), (None, 465), ("127.0.0.1", 2525), (None, 2525)):
            with self.subTest(host=host, port=port), client_of(STRANGER, port, host) as client:
                recipient = fresh()
                code, _ = self.refused(send, client, recipient)
                self.assertEqual(code, 454 if port == 25 else 530)  # 25 is as it was before us
                # A client that does not mind being refused.
                client.mail(AUTHORS[SERVER])
                self.assertGreaterEqual(client.rcpt(recipient)[0], 400)
                self.assertIn(client.docmd("DATA")[0], (503, 554))
                self.assertEqual(self.sandbox.inbox(recipient), [])

    def test_shared_listener_knows_no_addresses(self):
        with client_of("203.0.113.5", 25) as client:
            code, text = self.refused(send, client, fresh())
        self.assertEqual(code, 454)
        self.assertIn("Relay access denied", text)

    def test_client_cannot_choose_its_address(self):
        self.sandbox.execute("postconf", "-e", "smtpd_authorized_xclient_hosts=203.0.111.0/24, 192.0.2.1",
                             "smtpd_authorized_xforward_hosts=203.0.111.0/24, 192.0.2.1")
        self.addCleanup(self.sandbox.execute, "postfix", "reload")
        self.addCleanup(self.sandbox.execute, "postconf", "-X", "smtpd_authorized_xclient_hosts",
                        "smtpd_authorized_xforward_hosts")
        self.sandbox.execute("postfix", "reload")
        with wait_for(self.offered_xforward, "the listener with the new settings") as client:
            self.assertFalse(client.has_extn("xclient"))
            for command in ("ADDR=203.0.113.5", "ADDR=203.0.113.5 LOGIN=acme/main/1",
                            "ADDR=IPV6:::ffff:203.0.113.5"):
                self.assertGreaterEqual(client.docmd("XCLIENT", command)[0], 500)
            self.assertEqual(client.docmd("XFORWARD", "ADDR=203.0.113.5 NAME=client.acme.test")[0], 250)
            self.assertEqual(self.refused(send, client, fresh())[0], 530)

    def offered_xforward(self):
        """A session that is; None: it is not."""
        client = client_of(STRANGER)
        if client.has_extn("xforward"):
            return client
        client.quit()
        return None

    def test_nobody_is_admitted_without_policyd(self):
        with client_of("203.0.113.5") as client:
            send(client, fresh())
            self.sandbox.stop("policyd")
            try:
                code, _ = self.refused(send, client, fresh())
            finally:
                self.sandbox.start("policyd")
            self.assertEqual(code, 451)
            recipient = wait_for(lambda: self.goes_on(client), "the session to go on")
            self.sandbox.history(recipient, "Sent")
        recipient = wait_for(self.goes, "policyd again", 2 * PATIENCE)
        self.sandbox.history(recipient, "Sent")

    def goes_on(self, client):
        try:
            return send(client, fresh())
        except smtplib.SMTPResponseException as refusal:
            self.assertEqual(refusal.smtp_code, 451)
            return None

    def goes(self):
        """In a session of its own: Postfix throttles a listener that found no SASL mechanisms."""
        try:
            with client_of("203.0.113.5") as client:
                return send(client, fresh())
        except (OSError, smtplib.SMTPException):
            return None


class NotSticky(Case):
    """One session, in which the credential changes. Each test has an address of its own."""

    def session(self, last, *options):
        self.address = f"203.0.113.{last}"
        self.add(f"host{last}", "--type", "smtp-ip", "--network", self.address, *options)
        wait_for(lambda: self.credential_of(self.address) == f"host{last}", "the address on the mail path")
        client = client_of(self.address)
        self.addCleanup(client.close)
        return client

    def credential_of(self, address):
        recipient = fresh()
        with client_of(address) as client:
            send(client, recipient)
        number = self.sandbox.history(recipient)["credential_id"]
        return next((row["name"] for row in self.sandbox.outrider("credential", "list", SERVER)
                     if row["id"] == number), None)

    def mail_code(self, client):
        code = client.mail(AUTHORS[SERVER])[0]
        client.rset()
        return code

    def test_disabled_while_connected(self):
        client = self.session(201)
        send(client, fresh())
        self.assertEqual(client.mail(AUTHORS[SERVER])[0], 250)
        self.change("host201", "--disable")
        wait_for(lambda: reply_to_mail(self.address) == (550, b"5.7.1 Credential is not valid any more"),
                 "the end of the credential")
        self.assertEqual(client.rcpt(fresh())[0], 554)
        client.rset()
        self.assertEqual(self.mail_code(client), 550)
        self.change("host201", "--enable")
        wait_for(lambda: self.mail_code(client) == 250, "the credential again")
        send(client, fresh())

    def test_disabled_before_the_end_of_the_message(self):
        client = self.session(202)
        client.mail(AUTHORS[SERVER])
        self.assertEqual(client.rcpt(fresh())[0], 250)
        self.change("host202", "--disable")
        wait_for(lambda: reply_to_mail(self.address)[0] == 550, "the end of the credential")
        self.assertEqual(client.data(mail.message("r@ok.test"))[0], 550)

    def test_deleted_leaves_the_address_to_the_shorter_prefix(self):
        client = self.session(203)
        self.sandbox.outrider("credential", "delete", SERVER, "host203")
        self.doCleanups_of_credential()
        wait_for(lambda: self.credential_of(self.address) == "wide", "the shorter prefix")
        recipient = fresh()
        send(client, recipient)
        self.assertEqual(self.sandbox.history(recipient)["credential_id"], self.credential("wide")["id"])

    def doCleanups_of_credential(self):
        self._cleanups = [one for one in self._cleanups if one[0] != self.sandbox.outrider]

    def test_expired(self):
        client = self.session(204)
        self.expire("host204", 8)
        wait_for(lambda: self.credential("host204")["expires_at"], "a time of expiry")
        wait_for(lambda: self.mail_code(client) == 550, "the expiry")

    def expire(self, name, seconds):
        """The CLI knows days only."""
        self.sandbox.sql(
            "START TRANSACTION; UPDATE revision_counter SET revision = revision + 1; UPDATE credential SET "
            f"expires_at = UNIX_TIMESTAMP() + {seconds}, revision = (SELECT revision FROM revision_counter) "
            f"WHERE name = '{name}'; COMMIT")

    def test_expired_before_the_end_of_the_message(self):
        client = self.session(207)
        client.mail(AUTHORS[SERVER])
        self.assertEqual(client.rcpt(fresh())[0], 250)
        self.expire("host207", -1)
        wait_for(lambda: reply_to_mail(self.address)[0] == 550, "the expiry")
        self.assertEqual(client.data(mail.message("r@ok.test"))[0], 550)
        self.assertEqual(self.mail_code(client), 550)

    def test_held(self):
        client = self.session(205, "--hold", "yes")
        recipient = fresh()
        send(client, recipient)
        message = self.sandbox.history(recipient, "Held")
        self.assertEqual(message["hold_rule"], "credential")

    def test_held_while_connected(self):
        client = self.session(208)
        for hold, status in (("yes", "Held"), ("no", "Sent")):
            self.change("host208", "--hold", hold)
            wait_for(lambda s=status: self.status_of(send(client, fresh())) == s, f"messages being {status}")

    def status_of(self, recipient):
        return wait_for(lambda: self.sandbox.history(recipient)["status"] in ("Held", "Sent"), recipient) and \
            self.sandbox.history(recipient)["status"]

    def test_deleted_leaves_a_stranger(self):
        """No other network has the address."""
        address = "203.0.111.209"
        self.add("lonely", "--type", "smtp-ip", "--network", address)
        wait_for(lambda: reply_to_mail(address)[0] == 250, "the address on the mail path")
        with client_of(address) as client, client_of(address) as other:
            send(client, fresh())
            other.mail(AUTHORS[SERVER])
            self.assertEqual(other.rcpt(fresh())[0], 250)
            self.sandbox.outrider("credential", "delete", SERVER, "lonely")
            self.doCleanups_of_credential()
            wait_for(lambda: reply_to_mail(address)[0] == 530, "the end of the credential")
            self.assertEqual(other.data(mail.message("r@ok.test")), (550, b"5.7.1 Credential is not valid any more"))
            for again in (client.rset, client.ehlo, lambda: client.docmd("HELO", "client.acme.test")):
                again()
                self.assertEqual(self.refused(send, client, fresh()), (530, "5.7.0 Authentication required"))

    def test_each_transaction_anew(self):
        """After STARTTLS, RSET, a refusal, and AUTH for another credential; whose the next connection is not."""
        client = smtplib.SMTP(self.sandbox.smtp_host, 587, "client.acme.test", source_address=("203.0.113.71", 0))
        self.addCleanup(client.close)
        client.ehlo()
        client.mail(AUTHORS[OTHER])
        client.starttls(context=mail.lenient_tls())
        client.ehlo()
        self.assertEqual(client.rcpt(fresh())[0], 503)
        self.sends_as(client, "narrow", OTHER)
        client.mail(AUTHORS[OTHER])
        client.rset()
        self.assertEqual(client.rcpt(fresh())[0], 503)
        self.assertEqual(self.refused(send, client, fresh(), author="a@nobody.test")[0], 530)
        self.sends_as(client, "narrow", OTHER)
        client.login(self.sandbox.smtp_user, self.sandbox.smtp_key)
        self.sends_as(client, "app", "acme/main")
        with client_of("203.0.113.71") as next_one:
            self.assertEqual(self.refused(send, next_one, fresh(), author="app@acme.test")[0], 530)
            self.sends_as(next_one, "narrow", OTHER)

    def sends_as(self, client, name, server):
        recipient = send(client, fresh(), author=AUTHORS.get(server, mail.SENDER))
        message = self.sandbox.history(recipient, "Sent")
        self.assertEqual(message["credential_id"], self.credential(name, server)["id"])

    def test_limit_of_the_credential(self):
        client = self.session(206)
        self.sandbox.outrider("limit", "set", f"{SERVER}/host206", "0/hour", "--action", "reject")

        def beyond():
            client.mail(AUTHORS[SERVER])
            code, text = client.rcpt(fresh())
            client.rset()
            return code == 554 and b"5.7.1" in text and b"outrider explain" in text
        wait_for(beyond, "the limit")


class Scope(Case):
    """Senders and networks of a credential with a key."""

    def login(self, key, source, **options):
        client = client_of(source, **options)
        try:
            client.login(SERVER, key)
        except smtplib.SMTPAuthenticationError:
            client.close()
            raise
        return client

    def try_login(self, key, source):
        try:
            with self.login(key, source):
                return True
        except smtplib.SMTPAuthenticationError as refusal:
            self.assertEqual(refusal.smtp_code, 535)
            return False

    def test_senders(self):
        key = self.add("picky", "--sender", "app@acme.test,@elsewhere.test")["key"]
        self.add("picky-host", "--type", "smtp-ip", "--network", "203.0.113.210", "--sender", "App@Acme.Test")
        wait_for(lambda: self.try_login(key, "203.0.113.11"), "the credential on the mail path")
        # 203.0.113.210 is "wide" until its own credential is there, and that one may send as anybody.
        wait_for(lambda: self.code(client_of("203.0.113.210"), "b@acme.test", "") == 530, "the sender limit")
        for source in ("203.0.113.11", "203.0.113.210"):
            def session(s=source):
                return self.login(key, s) if s == "203.0.113.11" else client_of(s)
            for author, sender, wanted in (
                    ("app@acme.test", None, 250), ("APP@ACME.TEST", None, 250), ("app@acme.test", "", 250),
                    ("app@acme.test", "b@acme.test", 530), ("b@acme.test", None, 530),
                    ("b@acme.test", "app@acme.test", 530), ("b@acme.test", "", 530),
                    ("app@acme.test", "app@acme.test.evil.test", 530)):
                with self.subTest(source=source, author=author, sender=sender):
                    self.assertEqual(self.code(session(), author, sender), wanted)
        self.assertEqual(self.code(self.login(key, "203.0.113.11"), "app@acme.test", "x@elsewhere.test"), 250)

    def code(self, client, author, sender):
        with client:
            try:
                send(client, fresh(), author=author, sender=sender)
                return 250
            except smtplib.SMTPResponseException as refusal:
                if refusal.smtp_code == 530:
                    self.assertIn(b"Sender address is not one of this credential", refusal.smtp_error)
                return refusal.smtp_code

    def test_networks(self):
        key = self.add("near", "--network", "203.0.113.0/28,fd00:5::/32")["key"]
        wait_for(lambda: self.try_login(key, "203.0.113.12"), "the credential on the mail path")
        sources = [("203.0.113.15", True), ("203.0.113.16", False), (STRANGER, False)]
        for source, wanted in sources + ([("fd00:5::1", True), ("fd00:6::1", False)] if HAS_V6 else []):
            with self.subTest(source=source):
                self.assertEqual(self.try_login(key, source), wanted)
        log = pathlib.Path(self.sandbox.log_dir, "policyd.log").read_text()
        self.assertIn('source=203.0.113.16 mechanism=PLAIN reason="not from this address"', log)

    def test_networks_change_under_a_session(self):
        key = self.add("moved", "--network", "203.0.113.0/24")["key"]
        wait_for(lambda: self.try_login(key, "203.0.113.13"), "the credential on the mail path")
        with self.login(key, "203.0.113.13") as client:
            send(client, fresh())
            self.change("moved", "--network", "203.0.112.0/24")

            def over():
                reply = client.mail(AUTHORS[SERVER])
                client.rset()
                return reply == (550, b"5.7.1 Credential may not be used from this address")
            wait_for(over, "the change of networks")


class Rotation(Case):
    def auth(self, key, source, mechanism="PLAIN"):
        """Whether the key is taken; anything but yes and 535 is a failure."""
        with client_of(source) as client:
            if mechanism == "PLAIN":
                code, _ = client.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0u\0{key}".encode()).decode())
            else:
                code, challenge = client.docmd("AUTH", "CRAM-MD5")
                self.assertEqual(code, 334)
                digest = hmac.new(key.encode(), base64.b64decode(challenge), "md5").hexdigest()
                code, _ = client.docmd(base64.b64encode(f"{SERVER} {digest}".encode()).decode())
        self.assertIn(code, (235, 535))
        return code == 235

    def rotate(self, name, *options):
        return self.sandbox.outrider("credential", "rotate", SERVER, name, *options)

    def test_under_load_nobody_is_refused(self):
        first = self.add("turning", "--cram-md5")["key"]
        wait_for(lambda: self.auth(first, "203.0.113.21"), "the credential on the mail path")
        keys, refusals, count, stop = [first], [], [0], threading.Event()
        rounds = [0] * 4

        def work(number):
            mechanism = ("PLAIN", "CRAM-MD5")[number % 2]
            while not stop.is_set():
                for key in keys[-2:]:
                    if not self.auth(key, f"203.0.113.{30 + number}", mechanism):
                        refusals.append((key, mechanism))
                    count[0] += 1
                rounds[number] += 1

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            workers = [pool.submit(work, number) for number in range(4)]
            try:
                for _ in range(2):
                    before = count[0]
                    record = self.rotate("turning", "--overlap", "1h")
                    self.assertIsNotNone(record["old_key_expires_at"])
                    wait_for(lambda key=record["key"]: self.auth(key, "203.0.113.22"), "the new key")
                    keys.append(record["key"])
                    wait_for(lambda n=before: count[0] > n + 40, "more sessions")
                    del keys[:-1]  # applications have the new key, and none has the other at hand
                    begun = rounds[:]
                    wait_for(lambda old=begun: all(now > then for now, then in zip(rounds, old)), "a round of each")
            finally:
                stop.set()
            for worker in workers:
                worker.result()
        self.assertEqual(refusals, [])
        self.assertGreater(count[0], 80)
        # The key before the last ended with the second rotation.
        self.assertFalse(self.auth(first, "203.0.113.23"))
        self.assertFalse(self.auth(first, "203.0.113.23", "CRAM-MD5"))

    def test_overlap_ends(self):
        first = self.add("short")["key"]
        wait_for(lambda: self.auth(first, "203.0.113.24"), "the credential on the mail path")
        second = self.rotate("short", "--overlap", "20s")["key"]
        self.assertTrue(self.auth(first, "203.0.113.24"))
        wait_for(lambda: self.auth(second, "203.0.113.25"), "the new key")
        wait_for(lambda: not self.auth(first, "203.0.113.26"), "the end of the old key")
        self.assertIsNone(self.credential("short")["old_key_expires_at"])
        third = self.rotate("short", "--overlap", "0")["key"]
        wait_for(lambda: self.auth(third, "203.0.113.27"), "the new key")
        self.assertFalse(self.auth(second, "203.0.113.28"))


class Usage(Case):
    def test_last_use_is_shown(self):
        key = self.add("used")["key"]
        self.add("used-host", "--type", "smtp-ip", "--network", "203.0.113.220")
        self.assertEqual(self.credential("used")["usage"], "Unused")
        wait_for(lambda: Rotation.auth(self, key, "203.0.113.29"), "the credential on the mail path")

        def stamped():
            with client_of("203.0.113.220") as client:
                send(client, fresh())
            return self.credential("used-host")["last_used_at"]
        wait_for(stamped, "the last use of the address", 180)
        wait_for(lambda: self.credential("used")["last_used_at"], "the last use of the key", 180)
        for name in ("used", "used-host"):
            self.assertEqual(self.credential(name)["usage"], "Active")
        table = self.sandbox.outrider_plain("credential", "list", SERVER).stdout
        self.assertRegex(table, r"(?m)^.*used-host.*Active$")


if __name__ == "__main__":
    unittest.main()
