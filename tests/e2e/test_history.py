# SPDX-License-Identifier: MIT
"""History tells what became of a message: states, attempts, the remote's words, TLS."""

import smtplib
import unittest

import mail
from sandbox import fresh, shared, wait_for


class Outcomes(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def test_refused_recipient_ends_hard_fail_with_the_words(self):
        recipient = fresh("refuse.test")
        mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "HardFail")
        self.assertEqual([d["status"] for d in entry["deliveries"]], ["HardFail"])
        self.assertEqual(entry["deliveries"][0]["code"], 550)
        self.assertEqual(entry["deliveries"][0]["dsn"], "5.1.1")
        self.assertIn("5.1.1", entry["deliveries"][0]["text"])

    def test_greylisted_is_soft_fail_then_sent_from_the_same_address(self):
        recipient = fresh("greylist.test")
        mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "Sent")
        attempts = sorted(entry["deliveries"], key=lambda d: d["at"])
        self.assertEqual([d["status"] for d in attempts], ["SoftFail", "Sent"])
        self.assertEqual(len({d["source_ip"] for d in attempts}), 1)
        self.assertEqual(self.sandbox.received(recipient)[1]["peer"], attempts[0]["source_ip"])

    def test_tls_is_shown(self):
        recipient = fresh("tls.test")
        mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "Sent")
        _, record = self.sandbox.received(recipient)
        self.assertIsNotNone(record["tls"])
        self.assertIn(record["tls"]["version"], entry["deliveries"][0]["tls"])

    def test_no_tls_is_shown_as_none(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient)
        self.assertIsNone(self.sandbox.history(recipient, "Sent")["deliveries"][0]["tls"])

    def test_message_knows_its_submission(self):
        recipient = fresh()
        content, queue_id = mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "Sent")
        self.assertEqual(entry["queue_id"], queue_id)
        self.assertEqual(entry["mail_from"], mail.SENDER)
        self.assertEqual(entry["subject"], mail.values(content, "Subject")[0])

    def test_explain_by_id_queue_id_and_address(self):
        recipient = fresh()
        _, queue_id = mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "Sent")
        for key in (str(entry["id"]), queue_id, recipient):
            text = self.sandbox.outrider_plain("explain", key).stdout
            for part in (recipient, queue_id, "acme/main", "app", "acme.test",
                         entry["deliveries"][0]["source_ip"], entry["deliveries"][0]["helo"],
                         entry["deliveries"][0]["text"][:20]):
                self.assertIn(part, text)

    def test_a_replayed_return_path_changes_nothing(self):
        """Every recipient knows the return path; sending with it proves nothing."""
        recipient, other = fresh(), fresh("refuse.test")
        mail.send(self.sandbox, recipient)
        before = self.sandbox.history(recipient, "Sent")
        with smtplib.SMTP("127.0.0.1", 25, timeout=30) as client:
            client.ehlo()
            client.sendmail(before["return_path"], [other], mail.message(other))
        wait_for(lambda: f"to=<{other}>" in self.sandbox.mail_log_text(), "the replay's delivery")
        marker = fresh()
        mail.send(self.sandbox, marker)
        self.sandbox.history(marker, "Sent")  # the log was read beyond the replay
        after = self.sandbox.history(recipient)
        self.assertEqual((after["status"], after["deliveries"]), ("Sent", before["deliveries"]))

    def test_refused_submission_is_recorded(self):
        recipient = fresh()
        with mail.Client(self.sandbox) as client:
            client.mail(mail.SENDER)
            client.rcpt(recipient)
            self.assertEqual(client.data(mail.message(recipient, sender="x@else.test"))[0], 530)

        def seen():
            return recipient in self.sandbox.outrider_plain("explain", recipient, check=False).stdout

        wait_for(seen, "the refusal in explain")
        self.assertIn("530", self.sandbox.outrider_plain("explain", recipient).stdout)


if __name__ == "__main__":
    unittest.main()
