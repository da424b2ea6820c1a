# SPDX-License-Identifier: MIT
"""An existing relay on the same Postfix is not disturbed; submission comes back by itself."""

import pathlib
import smtplib
import unittest
import uuid

import mail
from sandbox import PATIENCE, answers, fresh, shared, wait_for


class Relay(unittest.TestCase):
    """Port 25, from mynetworks, no credential."""

    def setUp(self):
        self.sandbox = shared()

    def relay(self, recipient, content, sender="old@office.test"):
        with smtplib.SMTP("127.0.0.1", 25, local_hostname="old.office.test", timeout=30) as client:
            client.ehlo()
            client.mail(sender)
            code, text = client.rcpt(recipient)
            self.assertEqual(code, 250, text)
            self.assertEqual(client.data(content)[0], 250)

    def below_received(self, content):
        fields, body = mail.split(content)
        return b"".join(f for f in fields if mail.field_name(f) != "received") + b"\r\n" + body

    def to_smart_host(self):
        recipient = fresh("partner.test")
        content = mail.message(recipient, b"left alone \r\n.\r\n", sender="old@office.test",
                               headers=["X-Outrider-Tag: not ours", "DKIM-Signature: v=1; kept"])
        self.relay(recipient, content)
        received, record = self.sandbox.received(recipient)
        self.assertEqual(self.below_received(received), content)
        self.assertEqual(record["sender"], "old@office.test")
        self.assertEqual(len(mail.values(received, "Received")), 1)

    def to_local_user(self):
        mark = uuid.uuid4().hex
        content = mail.message("desk@office.test", mark.encode() + b"\r\n", sender="old@office.test")
        self.relay("desk@office.test", content)

        def delivered():
            for file in pathlib.Path(self.sandbox.mail_dir, "desk", "new").glob("*"):
                octets = file.read_bytes().replace(b"\n", b"\r\n")
                if mark.encode() in octets:
                    return octets
            return None

        octets = wait_for(delivered, "mail for a local user")
        fields, body = mail.split(octets)
        kept = [f for f in fields if mail.field_name(f) not in
                ("received", "return-path", "delivered-to", "x-original-to")]
        self.assertEqual(b"".join(kept) + b"\r\n" + body, content)

    def test_with_everything_running(self):
        self.to_smart_host()
        self.to_local_user()

    def test_with_policyd_stopped(self):
        self.sandbox.stop("policyd")
        try:
            self.to_smart_host()
            self.to_local_user()
        finally:
            self.sandbox.start("policyd")

    def test_with_every_program_of_ours_stopped(self):
        self.sandbox.stop("policyd", "milter", "worker", "mariadb")
        try:
            self.to_smart_host()
            self.to_local_user()
        finally:
            self.sandbox.start("policyd", "milter", "mariadb", "worker")


class ComesBack(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def submits(self):
        recipient = fresh()
        try:
            mail.send(self.sandbox, recipient)
        except (smtplib.SMTPException, OSError):
            return False
        self.sandbox.received(recipient)
        return True

    def test_submission_after_policyd_restarts(self):
        self.assertTrue(self.submits())
        with mail.Client(self.sandbox, login=False) as waiting:  # an smtpd that greeted before
            self.sandbox.stop("policyd")
            with self.assertRaises(smtplib.SMTPException):
                waiting.login(self.sandbox.smtp_user, self.sandbox.smtp_key)
            self.sandbox.start("policyd")
            waiting.login(self.sandbox.smtp_user, self.sandbox.smtp_key)
        # New processes: Postfix throttles a service whose smtpd cannot start for up to 60 s.
        wait_for(lambda: answers(self.sandbox.smtp_host, 587), "submission greets", 2 * PATIENCE)
        self.assertTrue(wait_for(self.submits, "submission works", 2 * PATIENCE))

    def test_milter_stopped_is_451_and_comes_back(self):
        self.sandbox.stop("milter")
        try:
            with self.assertRaises(smtplib.SMTPResponseException) as caught:
                mail.send(self.sandbox, fresh())
            self.assertEqual(caught.exception.smtp_code // 100, 4)
        finally:
            self.sandbox.start("milter")
        self.assertTrue(wait_for(self.submits, "submission works"))

    def test_without_replicas_nothing_is_taken(self):
        """A first start before the worker has reached the database: 4xx, never relayed, never unsigned."""
        self.sandbox.stop("worker", "milter", "policyd")
        for file in pathlib.Path(self.sandbox.edge_dir).glob("edge*"):
            file.unlink()
        self.sandbox.start("policyd", "milter")
        recipient = fresh()
        try:
            wait_for(lambda: answers(self.sandbox.smtp_host, 587), "submission greets", 2 * PATIENCE)
            with self.assertRaises(smtplib.SMTPResponseException) as caught:
                mail.send(self.sandbox, recipient)
            self.assertEqual(caught.exception.smtp_code // 100, 4)
        finally:
            self.sandbox.start("worker")
        self.assertTrue(wait_for(self.submits, "submission works", 2 * PATIENCE))
        self.assertEqual(self.sandbox.inbox(recipient), [])

    def test_killed_programs_lose_nothing(self):
        """kill -9 under load: every message answered with 250 is delivered and final."""
        answered = []
        for victim in ("milter", "policyd", "worker", "mariadb", "milter", "worker"):
            sent = 0
            while sent < 30:
                recipient = fresh("bulk2.test")
                if sent == 15:
                    self.sandbox.control("kill", victim)
                    self.sandbox.start(victim)
                try:
                    mail.send(self.sandbox, recipient)
                    answered.append(recipient)
                except (smtplib.SMTPException, OSError):
                    pass
                sent += 1
        self.assertGreater(len(answered), 90)

        def missing():
            return set(answered) - self.sandbox.ids(answered, "Sent").keys()

        wait_for(lambda: not missing(), "all of them as Sent", tell=missing)
        ids = [number for numbers in self.sandbox.ids(answered).values() for number in numbers]
        self.assertEqual(len(ids), len(answered))
        delivered = [int(row[0]) for row in self.sandbox.sql(
            f"SELECT message_id FROM delivery WHERE message_id IN ({','.join(map(str, ids))})")]
        self.assertEqual(sorted(delivered), sorted(ids))
        for recipient in answered:
            self.sandbox.received(recipient)


if __name__ == "__main__":
    unittest.main()
