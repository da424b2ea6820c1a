# SPDX-License-Identifier: MIT
"""What goes on hold and off it by itself: suspension, its end, and holds that are too old."""

import unittest

from sandbox import PATIENCE, fresh, shared, wait_for
from sender import Sender

SERVER = "acme/keeper"


class Keeper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sender = Sender(cls.sandbox, SERVER)

    def row(self, recipient):
        rows = self.sandbox.outrider("message", "list", "--to", recipient)
        return self.sandbox.outrider("message", "show", str(rows[0]["id"])) if rows else None

    def until(self, recipient, what, is_so, patience=PATIENCE):
        """The message once something is so of it."""

        def look():
            message = self.row(recipient)
            return message if message and is_so(message) else None

        return wait_for(look, f"{recipient}: {what}", patience, lambda: self.row(recipient))

    def test_queued_mail_of_a_suspended_server_waits(self):
        """With the null sender, too."""
        recipients = {sender: fresh("defer.test") for sender in ("app@acme.test", "")}
        for sender, recipient in recipients.items():
            self.sender.submit(recipient, sender=sender)
            self.until(recipient, "SoftFail", lambda message: message["status"] == "SoftFail")
        self.sender.change("--suspend", "unpaid")
        held = {}
        for recipient in recipients.values():
            held[recipient] = self.until(recipient, "on hold", lambda message: message["on_hold"])
            self.assertEqual((held[recipient]["hold_rule"], held[recipient]["hold_reason"]),
                             ("suspended", "server is suspended"))
            self.assertEqual(self.queues(recipient), ["hold"])
        self.sender.change("--resume")
        for recipient in recipients.values():
            after = self.until(recipient, "released", lambda message: not message["on_hold"])
            self.assertGreaterEqual(after["released_at"], held[recipient]["hold_seen_at"])
            wait_for(lambda: self.queues(recipient) == ["deferred"], f"{recipient} to wait as before")

    def queues(self, recipient):
        return [entry["queue_name"] for entry in self.sandbox.queue()
                if recipient in (one["address"] for one in entry["recipients"])]

    def test_hold_that_is_too_old_is_cancelled(self):
        self.sender.change("--mode", "development")
        self.addCleanup(self.sender.change, "--mode", "live")
        recipient = wait_for(self.held, "development mode on the mail path")
        message = self.row(recipient)
        self.sandbox.sql(f"UPDATE message SET hold_expires = 1 WHERE id = {message['id']}")
        # A worker that has just been started looks at the clock for a minute first.
        after = self.until(recipient, "HoldCancelled", lambda one: one["status"] == "HoldCancelled", 2 * PATIENCE)
        self.assertFalse(after["on_hold"])
        self.assertEqual(self.sandbox.inbox(recipient), [])
        self.assertNotIn(message["queue_id"], [entry["queue_id"] for entry in self.sandbox.queue()])

    def held(self):
        recipient = fresh()
        self.sender.submit(recipient)
        self.until(recipient, "an end", lambda message: message["status"] in ("Sent", "Held"))
        return recipient if self.row(recipient)["status"] == "Held" else None


if __name__ == "__main__":
    unittest.main()
