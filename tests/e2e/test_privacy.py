# SPDX-License-Identifier: MIT
"""Servers in privacy mode: nobody learns from a message where it was handed in."""

import pathlib
import unittest

import mail
from sandbox import fresh, shared
from sender import Sender


class Privacy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sender = Sender(shared(), "acme/private", "--privacy", "yes")

    def send(self, recipients, headers=()):
        with self.sender.client() as client:
            client.ehlo("secret-laptop.test")
            client.sendmail(mail.SENDER, recipients, mail.message(recipients[0], headers=headers))
        return [shared().received(recipient)[0] for recipient in recipients]

    def check(self, octets):
        for word in (b"secret-laptop", b"127.0.0.", b"192.0.2.1]", b"outrider-split", b"ESMTPSA id 0"):
            self.assertNotIn(word, octets)
        received = mail.values(octets, "Received")
        self.assertEqual(len(received), 1)
        self.assertRegex(received[0].strip(), r"^by mail\.outrider\.test \(Postfix\) with ESMTPS?A id \w+")
        self.assertEqual(mail.verify_all(shared(), octets), 2)

    def test_one_recipient(self):
        self.check(self.send([fresh()])[0])

    def test_several_recipients(self):
        for octets in self.send([fresh() for _ in range(3)]):
            self.check(octets)

    def test_what_the_client_brought_stays(self):
        octets = self.send([fresh()], headers=("Received: from app by queue; Thu, 1 Jan 2026 00:00:00 +0000",))[0]
        received = mail.values(octets, "Received")
        self.assertEqual(len(received), 2)
        self.assertIn("from app by queue", received[1])

    def test_history_names_the_client_still(self):
        recipient = fresh()
        self.send([recipient])
        story = shared().outrider("explain", str(shared().history(recipient, "Sent")["id"]))
        self.assertEqual(story["messages"][0]["submission"]["client_helo"], "secret-laptop.test")


class FeedbackId(unittest.TestCase):
    """An installation with a sender id names tag, server and organization to providers."""

    @classmethod
    def setUpClass(cls):
        cls.conf = pathlib.Path(shared().outrider_conf)
        cls.before = cls.conf.read_text()
        cls.conf.write_text(cls.before + "feedback_id = sender1\n")
        shared().control("restart", "milter")

    @classmethod
    def tearDownClass(cls):
        cls.conf.write_text(cls.before)
        shared().control("restart", "milter")

    def sent(self, *headers):
        recipient = fresh()
        mail.send(shared(), recipient, mail.message(recipient, headers=headers))
        octets = shared().received(recipient)[0]
        self.assertEqual(mail.verify_all(shared(), octets), 2)
        return mail.values(octets, "Feedback-ID")

    def test_added_and_signed(self):
        self.assertEqual(self.sent("X-Outrider-Tag: spring sale"), ["spring_sale:main:acme:sender1"])
        self.assertEqual(self.sent(), ["none:main:acme:sender1"])

    def test_own_one_stays(self):
        self.assertEqual(self.sent("Feedback-ID: a:b:c:d"), ["a:b:c:d"])
