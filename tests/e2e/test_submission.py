# SPDX-License-Identifier: MIT
"""A message goes in by SMTP AUTH and leaves signed, from the right address, with a sealed sender."""

import base64
import collections
import hmac
import pathlib
import re
import smtplib
import unittest

import mail
from sandbox import fresh, run, shared, wait_for
from sender import Sender

SEALED = re.compile(r"^[a-z2-7]{31}-[0-9]+@rp\.outrider\.test$")
POOL = {
    "192.0.2.11": ("out11.outrider.test", 100),
    "192.0.2.12": ("out12.outrider.test", 100),
    "192.0.2.13": ("out13.outrider.test", 50),
}


class Mechanisms(unittest.TestCase):
    """swaks with each mechanism on each port; what arrives is signed and sealed."""

    def try_one(self, port, mechanism):
        sandbox = shared()
        recipient = fresh()
        user = "acme/main" if mechanism == "CRAM-MD5" else "any name"
        transport = {587: ["--tls"], 465: ["--tls-on-connect"], 2525: []}[port]
        host = "127.0.0.1" if port == 2525 else sandbox.smtp_host
        run(["swaks", "--server", host, "--port", str(port), *transport, "--auth", mechanism,
             "--auth-user", user, "--auth-password", sandbox.smtp_key, "--from", mail.SENDER,
             "--to", recipient, "--h-Subject", f"{mechanism} on {port}"])
        content, record = sandbox.received(recipient)
        self.assertEqual(mail.verify_all(sandbox, content), 2)
        self.assertEqual([(d, a) for d, _, a in mail.signatures(content)],
                         [("acme.test", "rsa-sha256"), ("acme.test", "ed25519-sha256")])
        self.assertRegex(record["sender"], SEALED)
        helo, _ = POOL[record["peer"]]
        self.assertEqual(record["helo"], helo)
        entry = sandbox.history(recipient, "Sent")
        self.assertEqual(entry["return_path"], record["sender"])
        self.assertEqual(len(entry["deliveries"]), 1)
        self.assertEqual(entry["deliveries"][0]["source_ip"], record["peer"])
        self.assertEqual(entry["deliveries"][0]["helo"], helo)

    def test_cram_md5_that_a_credential_has_not(self):
        """A client that begins with it, as smtplib does, goes on to the next mechanism: no guess, and no delay."""
        sender = Sender(shared(), "acme/plain")
        log = pathlib.Path(shared().log_dir, "policyd.log")
        before = log.stat().st_size
        for _ in range(5):
            with sender.client() as client:
                self.assertIn("CRAM-MD5", client.esmtp_features["auth"])
        told = log.read_bytes()[before:].decode()
        self.assertEqual(told.count("authentication passed over"), 5, told)
        self.assertNotIn("authentication refused", told)


class Spf(unittest.TestCase):
    def test_peer_stands_in_spf_of_the_return_path_domain(self):
        sandbox = shared()
        recipient = fresh()
        mail.send(sandbox, recipient)
        peer = sandbox.received(recipient)[1]["peer"]
        spf = sandbox.text_record("rp.outrider.test").decode().split()
        self.assertEqual((spf[0], spf[-1]), ("v=spf1", "-all"))
        self.assertIn(f"ip6:{peer}" if ":" in peer else f"ip4:{peer}", spf)


def add_mechanism_cases():
    for port in (587, 465, 2525):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            def case(self, port=port, mechanism=mechanism):
                self.try_one(port, mechanism)
            setattr(Mechanisms, f"test_{mechanism.lower().replace('-', '_')}_on_{port}", case)


add_mechanism_cases()


class Refusals(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def test_wrong_key_is_535(self):
        with mail.Client(self.sandbox, login=False) as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                client.login("acme/main", "x" * 24)
        self.assertEqual(caught.exception.smtp_code, 535)

    def test_wrong_key_by_cram_md5_is_535(self):
        with mail.Client(self.sandbox, login=False) as client:
            code, _ = cram_md5(client, "acme/main", "x" * 24)
        self.assertEqual(code, 535)

    def refused(self, content, recipient, **transaction):
        with mail.Client(self.sandbox) as client:
            with self.assertRaises(smtplib.SMTPResponseException) as caught:
                client.submit(content, recipient, **transaction)
        return caught.exception.smtp_code, caught.exception.smtp_error.decode()

    def test_foreign_from_is_530(self):
        for sender in ("someone@else.test", "app@sub.acme.test", "acme.test", "app@acme.test.else.test",
                       "A <app@acme.test>, B <b@else.test>", "app@acme.test, b@acme.test"):
            with self.subTest(sender=sender):
                recipient = fresh()
                code, text = self.refused(mail.message(recipient, sender=sender), recipient)
                self.assertEqual(code, 530)
                self.assertRegex(text, r"^5\.7\.\d+ .*From/Sender name is not valid")
                self.assertEqual(self.sandbox.inbox(recipient), [])

    def test_two_from_fields_are_530(self):
        recipient = fresh()
        content = mail.message(recipient, headers=["From: other@acme.test"])
        code, text = self.refused(content, recipient)
        self.assertEqual((code, text[:6]), (530, "5.7.1 "))

    def test_foreign_envelope_sender_is_allowed(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient, sender="bounces@else.test")
        _, record = self.sandbox.received(recipient)
        self.assertRegex(record["sender"], SEALED)

    def test_no_relay_without_credential(self):
        for port in (587, 465, 2525):
            with self.subTest(port=port), mail.Client(self.sandbox, port, login=False) as client:
                recipient = fresh()
                with self.assertRaises(smtplib.SMTPResponseException) as caught:
                    client.submit(mail.message(recipient), recipient)
                self.assertGreaterEqual(caught.exception.smtp_code, 500)

    def test_auth_in_clear_only_on_loopback(self):
        for port in (587, 2525):
            with smtplib.SMTP(self.sandbox.smtp_host, port, timeout=30) as client:
                client.ehlo()
                self.assertFalse(client.has_extn("auth"), port)
                code, _ = client.docmd("AUTH", "PLAIN AGEAYg==")
                self.assertGreaterEqual(code, 500)
        with smtplib.SMTP("127.0.0.1", 2525, timeout=30) as client:
            client.ehlo()
            self.assertTrue(client.has_extn("auth"))

    def test_loop_is_refused(self):
        recipient = fresh()
        received = ["Received: from a.test by b.test; Sat, 21 Nov 2026 08:00:00 +0000"] * 60
        code, text = self.refused(mail.message(recipient, headers=received), recipient)
        # Postfix's hopcount_limit (5.4.0) and our received_max (5.4.6) are the same number.
        self.assertEqual(code, 554)
        self.assertRegex(text, r"^5\.4\.[06] ")


def cram_md5(client, user, key):
    """AUTH CRAM-MD5 by hand: smtplib would try the next mechanism after a refusal."""
    code, challenge = client.docmd("AUTH", "CRAM-MD5")
    assert code == 334
    digest = hmac.new(key.encode(), base64.b64decode(challenge), "md5").hexdigest()
    return client.docmd(base64.b64encode(f"{user} {digest}".encode()).decode())


class Lanes(unittest.TestCase):
    def test_hundred_messages_follow_the_weights(self):
        sandbox = shared()
        recipients = [fresh("bulk1.test") for _ in range(100)]
        with mail.Client(sandbox) as client:
            for recipient in recipients:
                client.submit(mail.message(recipient), recipient)
        found = [sandbox.received(recipient)[1] for recipient in recipients]
        count = collections.Counter(record["peer"] for record in found)
        self.assertEqual(set(count), set(POOL))
        total = sum(weight for _, weight in POOL.values())
        chi_square = sum((count[ip] - 100 * weight / total) ** 2 / (100 * weight / total)
                         for ip, (_, weight) in POOL.items())
        self.assertLess(chi_square, 27.63)  # chance exceeds it once in a million, with two degrees of freedom
        for record in found:
            self.assertEqual(record["helo"], POOL[record["peer"]][0])


class States(unittest.TestCase):
    """Suspension, holds and the null sender."""

    def setUp(self):
        self.sandbox = shared()

    def edge_shows(self, look):
        """The replica follows within a second or so; look is retried until it is true."""
        return wait_for(look, "the replica's change")

    def attempt(self, author=mail.SENDER):
        recipient = fresh()
        try:
            mail.send(self.sandbox, recipient, mail.message(recipient, sender=author))
            return recipient, 250
        except smtplib.SMTPResponseException as refusal:
            return recipient, refusal.smtp_code

    def test_suspended_server_is_refused(self):
        self.sandbox.outrider("server", "change", "acme/main", "--suspend", "unpaid")
        try:
            self.edge_shows(lambda: self.attempt()[1] // 100 == 5)
            with mail.Client(self.sandbox) as client:
                code, text = client.mail(mail.SENDER)
            self.assertEqual((code, text), (550, b"5.7.1 Mail server has been suspended"))
        finally:
            self.sandbox.outrider("server", "change", "acme/main", "--resume")
        self.edge_shows(lambda: self.attempt()[1] == 250)

    def held(self, change, restore):
        self.sandbox.outrider(*change)
        try:
            self.edge_shows(lambda: self.is_held(self.attempt()[0]))
        finally:
            self.sandbox.outrider(*restore)
        self.edge_shows(lambda: not self.is_held(self.attempt()[0]))

    def is_held(self, recipient):
        status = wait_for(lambda: self.status_of(recipient), f"{recipient} Held or Sent")
        return status == "Held"

    def status_of(self, recipient):
        rows = self.sandbox.outrider("message", "list", "--to", recipient)
        return rows[0]["status"] if rows and rows[0]["status"] in ("Held", "Sent") else None

    def test_development_mode_holds(self):
        self.held(("server", "change", "acme/main", "--mode", "development"),
                  ("server", "change", "acme/main", "--mode", "live"))

    def test_held_credential_holds(self):
        self.held(("credential", "change", "acme/main", "app", "--hold", "yes"),
                  ("credential", "change", "acme/main", "app", "--hold", "no"))

    def test_author_without_keys_is_signed_for_by_the_installation(self):
        author = "guest@elsewhere.test"
        self.sandbox.outrider("domain", "add", "acme/main", "any.test", "--use-for-any", "yes")
        try:
            recipient = self.edge_shows(lambda: self.accepted(author))
            content, _ = self.sandbox.received(recipient)
            self.assertEqual({d for d, _, _ in mail.signatures(content)}, {"rp.outrider.test"})
            self.assertGreaterEqual(mail.verify_all(self.sandbox, content), 1)
        finally:
            self.sandbox.outrider("domain", "delete", "acme/main", "any.test")
        self.edge_shows(lambda: self.attempt(author)[1] == 530)

    def accepted(self, author):
        recipient, code = self.attempt(author)
        return recipient if code == 250 else None

    def test_null_sender_stays_null_and_leaves_by_its_lane(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient, sender="")
        content, record = self.sandbox.received(recipient)
        self.assertEqual(record["sender"], "")
        self.assertIn(record["peer"], POOL)
        self.assertEqual(record["helo"], POOL[record["peer"]][0])
        self.assertEqual(mail.values(content, "X-Outrider-Lane"), [])
        self.assertEqual(mail.verify_all(self.sandbox, content), 2)
        self.sandbox.history(recipient, "Sent")


if __name__ == "__main__":
    unittest.main()
