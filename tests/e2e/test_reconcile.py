# SPDX-License-Identifier: MIT
"""What the log does not tell: messages that never came into the queue, left it unseen, or wait for the hop."""

import os
import pathlib
import re
import sys
import unittest

import mail
from sandbox import SOURCE, fresh, shared, wait_for

sys.path.insert(0, str(SOURCE / "tests" / "milters"))
import milter_link  # noqa: E402

SHORT = "reconcile_interval = 1s\nreconcile_age = 3s\n"


class Reconcile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.conf = pathlib.Path(cls.sandbox.outrider_conf)
        cls.before = cls.conf.read_text()
        cls.conf.write_text(cls.before + SHORT)
        cls.sandbox.control("restart", "worker")

    @classmethod
    def tearDownClass(cls):
        cls.conf.write_text(cls.before)
        cls.sandbox.control("restart", "worker")

    # What the tests look at

    def worker_log(self):
        return pathlib.Path(self.sandbox.log_dir, "worker.log").read_text(errors="replace")

    def listed(self, recipient, status=None):
        return self.sandbox.outrider("message", "list", "--to", recipient,
                                     *(["--status", status] if status else []))

    def has_status(self, recipient, status):
        return wait_for(lambda: self.listed(recipient, status), f"{recipient} as {status}",
                        tell=lambda: self.listed(recipient))[0]

    def postsuper(self, option, queue_id):
        self.sandbox.execute("postsuper", "-c", self.sandbox.postfix_conf, option, queue_id)

    def requeue(self, queue_id):
        """Gives a message a new queue id; pickup(8) by itself would look for it once a minute."""

        def picked_up():
            self.sandbox.execute("postkick", "-c", self.sandbox.postfix_conf, "public", "pickup", "W",
                                 check=False)
            return f"orig_id={queue_id}" in self.sandbox.mail_log_text()

        self.postsuper("-r", queue_id)
        wait_for(picked_up, "the new queue id")

    # What the tests do

    def submit(self, recipients):
        """One submission to several recipients; its queue id."""
        with mail.Client(self.sandbox) as client:
            client.mail(mail.SENDER)
            for recipient in recipients:
                self.assertEqual(client.rcpt(recipient)[0], 250)
            code, text = client.data(mail.message(recipients[0]))
        self.assertEqual(code, 250)
        return re.search(rb"queued as (\S+)", text).group(1).decode()

    def test_what_postfix_never_queued_is_aborted_and_not_listed(self):
        recipient = fresh()
        credential = self.sandbox.outrider("credential", "show", "acme/main", "app")
        path = pathlib.Path(self.sandbox.queue_dir, "outrider", "milter")
        with milter_link.Link(str(path)) as link:
            link.open()
            self.assertEqual(link.mail(f"acme/main/{credential['id']}", f"<{mail.SENDER}>"), "c")
            self.assertEqual(link.rcpt(f"<{recipient}>"), "c")
            link.head((b"From", mail.SENDER.encode()), (b"To", recipient.encode()))
            link.body(b"Never queued.\r\n")
            self.assertIn(link.end("4zNEVERQUEUED")[0], ("c", "a"))
        row = self.has_status(recipient, "Aborted")
        self.assertEqual(row["queue_id"], "4zNEVERQUEUED")
        self.assertEqual(self.listed(recipient), [])
        self.assertEqual(self.sandbox.inbox(recipient), [])

    def test_what_left_the_queue_unseen_is_unknown_with_an_alarm(self):
        recipient = fresh("down.test")
        _, queue_id = mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "SoftFail")
        log = pathlib.Path(self.sandbox.mail_log)
        self.sandbox.stop("worker")
        read = log.stat().st_size
        self.postsuper("-d", queue_id)
        wait_for(lambda: f"{queue_id}: removed" in self.sandbox.mail_log_text(), "the removal")
        os.truncate(log, read)
        self.sandbox.start("worker")
        self.assertEqual(self.has_status(recipient, "Unknown")["id"], entry["id"])
        wait_for(lambda: re.search(rf"without an outcome.* count=\d+ ids=.*\b{entry['id']}\b",
                                   self.worker_log()), "the alarm")

    def test_what_waits_in_the_queue_stays_as_it_is(self):
        recipient, marker = fresh("down.test"), fresh("down.test")
        mail.send(self.sandbox, recipient)
        self.sandbox.history(recipient, "SoftFail")
        _, queue_id = mail.send(self.sandbox, marker)
        self.sandbox.history(marker, "SoftFail")
        self.postsuper("-d", queue_id)
        self.has_status(marker, "Unknown")  # looked at the queue twice since
        self.assertEqual(self.listed(recipient)[0]["status"], "SoftFail")

    def test_a_requeued_message_has_two_queue_ids_and_is_no_duplicate(self):
        recipient = fresh("greylist.test")
        with self.sandbox.queue_manager_stopped():
            _, queue_id = mail.send(self.sandbox, recipient)
            self.requeue(queue_id)
        entry = self.sandbox.history(recipient, "Sent")
        copies = self.sandbox.sql(f"SELECT queue_id, parent FROM message_copy WHERE message_id = {entry['id']}")
        self.assertEqual([parent for _, parent in copies], [queue_id])
        self.assertNotEqual(copies[0][0], queue_id)
        self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_a_first_pass_that_is_stuck_is_sent_later(self):
        recipients = [fresh(), fresh()]
        with self.sandbox.queue_manager_stopped():
            self.submit(recipients)
            self.sandbox.stop("milter")
        try:
            for recipient in recipients:
                entry = self.sandbox.history(recipient, "SoftFail")
                self.assertIn("451", entry["deliveries"][0]["text"])
        finally:
            self.sandbox.start("milter")
        for recipient in recipients:
            entry = self.sandbox.history(recipient, "Sent")
            self.assertEqual(entry["deliveries"][-1]["status"], "Sent")
            self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_a_first_pass_that_is_requeued_goes_to_the_hop_again(self):
        recipients = [fresh(), fresh()]
        with self.sandbox.queue_manager_stopped():
            queue_id = self.submit(recipients)
            self.sandbox.stop("milter")
        try:
            for recipient in recipients:
                self.sandbox.history(recipient, "SoftFail")
            self.requeue(queue_id)
        finally:
            self.sandbox.start("milter")
        for recipient in recipients:
            entry = self.sandbox.history(recipient, "Sent")
            content, _ = self.sandbox.received(recipient)
            value, = mail.values(content, "X-Outrider-MsgID")
            self.assertEqual(value.split("-")[0], entry["token"])
            self.assertEqual(mail.verify_all(self.sandbox, content), 2)
            self.assertNotIn(b"X-Outrider-Claim", content)

    def test_a_first_pass_that_expires_ends_its_messages(self):
        recipients = [fresh(), fresh(), fresh()]
        with self.sandbox.queue_manager_stopped():
            queue_id = self.submit(recipients)
            self.sandbox.stop("milter")
        try:
            for recipient in recipients:
                self.sandbox.history(recipient, "SoftFail")
            self.postsuper("-e", queue_id)
            self.sandbox.execute("postqueue", "-c", self.sandbox.postfix_conf, "-i", queue_id)
            for recipient in recipients:
                entry = self.sandbox.history(recipient, "HardFail")
                self.assertIn("expired", entry["deliveries"][-1]["text"])
        finally:
            self.sandbox.start("milter")
        self.assertEqual([self.sandbox.inbox(recipient) for recipient in recipients], [[], [], []])


if __name__ == "__main__":
    unittest.main()
