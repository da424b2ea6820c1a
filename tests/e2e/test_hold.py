# SPDX-License-Identifier: MIT
"""What becomes of held mail: history learns it from Postfix's own log."""

import smtplib
import unittest

import mail
from sandbox import fresh, shared, wait_for

DAY = 86400 * 1000000
SERVER = "acme/holds"


class Holds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sandbox.outrider("server", "add", SERVER, "--mode", "development")
        cls.key = cls.sandbox.outrider("credential", "add", SERVER, "app")["key"]
        wait_for(cls.login, "the new credential on the mail path")

    @classmethod
    def login(cls):
        with mail.Client(cls.sandbox, login=False) as client:
            try:
                return client.login(SERVER, cls.key)
            except smtplib.SMTPAuthenticationError:
                return None

    def held(self):
        """A message that the milter holds: its recipient, and what history has of it."""
        recipient = fresh()
        with mail.Client(self.sandbox, login=False) as client:
            client.login(SERVER, self.key)
            client.submit(mail.message(recipient), recipient)
        return recipient, self.sandbox.history(recipient, "Held")

    def listed(self, recipient):
        return self.sandbox.outrider("hold", "list", "--to", recipient)

    def not_listed(self, recipient):
        wait_for(lambda: not self.listed(recipient), f"{recipient} not on hold any more")

    def postsuper(self, option, entry):
        self.sandbox.execute("postsuper", option, entry["queue_id"])

    def test_held_mail_is_listed_released_and_sent(self):
        recipient, entry = self.held()
        row, = self.listed(recipient)
        self.assertEqual((row["id"], row["queue_id"], row["status"], row["hold_rule"]),
                         (entry["id"], entry["queue_id"], "Held", "development"))
        self.assertEqual(row["node"], entry["id"] & 255)
        self.assertEqual(entry["hold_expires"] - entry["hold_at"], 7 * DAY)
        self.assertIn(row["id"], [one["id"] for one in self.sandbox.outrider("hold", "list", SERVER)])
        self.assertEqual(self.sandbox.inbox(recipient), [])
        self.postsuper("-H", entry)
        after = self.sandbox.history(recipient, "Sent")
        self.sandbox.received(recipient)
        self.assertGreaterEqual(after["released_at"], after["hold_seen_at"])
        self.assertFalse(after["on_hold"])
        self.not_listed(recipient)
        text = self.sandbox.outrider_plain("explain", recipient).stdout
        for part in ("rule development", "on hold in Postfix's queue", "released from hold"):
            self.assertIn(part, text)

    def test_deleted_while_held_is_cancelled(self):
        recipient, entry = self.held()
        self.postsuper("-d", entry)
        after = self.sandbox.history(recipient, "HoldCancelled")
        self.assertIsNotNone(after["removed_at"])
        self.not_listed(recipient)
        self.assertIn("hold cancelled: deleted",
                      self.sandbox.outrider_plain("explain", recipient).stdout)
        self.assertEqual(self.sandbox.inbox(recipient), [])

    def test_requeued_is_released(self):
        recipient, entry = self.held()
        self.postsuper("-r", entry)
        self.sandbox.execute("postkick", "public", "pickup", "W")
        after = self.sandbox.history(recipient, "Sent")
        self.assertNotEqual(after["queue_id"], entry["queue_id"])
        self.assertIsNotNone(after["released_at"])

    def test_an_admin_holds_what_waits_for_its_next_attempt(self):
        recipient = fresh("defer.test")
        mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "SoftFail")
        self.postsuper("-h", entry)
        row, = wait_for(lambda: self.listed(recipient), f"{recipient} on hold")
        self.assertEqual((row["status"], row["hold_rule"]), ("SoftFail", None))
        self.postsuper("-H", entry)
        self.not_listed(recipient)
        self.postsuper("-d", self.sandbox.history(recipient, "SoftFail"))


if __name__ == "__main__":
    unittest.main()
