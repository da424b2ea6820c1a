# SPDX-License-Identifier: MIT
"""Disks that fill up: what is refused leaves nothing behind, what was accepted is delivered and recorded
once, and all goes on by itself when there is space again."""

import os
import pathlib
import smtplib
import threading
import time
import unittest

import backlog
import mail
from incoming import deliver
from sandbox import PATIENCE, fresh, shared, wait_for
from small_disk import PROGRAMS, SmallDisk

MB = 1 << 20
SPOOL_FREE = 64 * MB
ROOMY = 700 * MB  # journals are preallocated
REVISION = "(SELECT revision FROM revision_counter)"
MARGIN = 8 * MB  # below the sandbox's spool_min_free, which is 16M
CLIENTS = 4
ROUNDS = 3
MESSAGES = 30000  # far more than what is left takes
STATUSES = (None, "Accepting", "Aborted")  # None: those that are listed unasked


def submit(sandbox, recipient, body=b"Hello.\r\n"):
    """(code, enhanced code) of one submission in a session of its own."""
    try:
        with mail.Client(sandbox) as client:
            client.submit(mail.message(recipient, body), recipient)
        return 250, "2.0.0"
    except smtplib.SMTPResponseException as refusal:
        return refusal.smtp_code, refusal.smtp_error.decode(errors="replace").split()[0]


class DiskFull(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        # What other tests left; one look may miss what just moves from one part of the queue to another.
        self.queued = set().union(*(self.queue_ids() for _ in range(3)))

    def queue_ids(self):
        return {entry["queue_id"] for entry in self.sandbox.queue()}

    def small_disk(self, directory, size, *programs):
        disk = SmallDisk(self.sandbox, directory, size, programs or PROGRAMS)
        self.addCleanup(disk.close)
        return disk

    def without_min_free(self):
        """Nothing is refused beforehand: the disk itself says when it is full."""
        path = pathlib.Path(self.sandbox.outrider_conf)
        text = path.read_text()

        def put_back():
            path.write_text(text)
            self.sandbox.control("restart", "milter")

        self.addCleanup(put_back)
        path.write_text(text.replace("spool_min_free = 16M", "spool_min_free = 0"))

    def stored(self):
        """Ids of the stored messages; anything else in the store is a failure."""
        files = [path for path in pathlib.Path(self.sandbox.store_dir).rglob("*") if path.is_file()]
        self.assertEqual([path for path in files if path.suffix != ".zst"], [])
        return {int(path.stem) for path in files}

    def status(self):
        """(exit status, what it shows)."""
        result = self.sandbox.outrider("status", check=False)
        return result.returncode, result.stdout

    def await_answer(self, wanted):
        """Submits until the answer is as wanted; the outcomes on the way."""
        outcomes = []

        def look():
            recipient = fresh()
            outcomes.append((recipient, submit(self.sandbox, recipient)))
            return outcomes[-1][1] == wanted

        wait_for(look, f"{wanted} to a submission", tell=lambda: outcomes[-1][1])
        return outcomes

    def settle(self, outcomes, stored_before):
        """Accepted: delivered once and recorded once. Refused: nothing of it anywhere."""
        accepted = [recipient for recipient, answer in outcomes if answer[0] == 250]
        refused = [recipient for recipient, answer in outcomes if answer[0] != 250]
        self.assertEqual({answer for _, answer in outcomes} - {(250, "2.0.0"), (451, "4.3.1")}, set())
        ids = set()
        for recipient in accepted:
            message = self.sandbox.history(recipient, "Sent")
            self.assertEqual(len(message["deliveries"]), 1, recipient)
            self.sandbox.received(recipient)
            ids.add(message["id"])
        for recipient in refused:
            self.assertEqual(self.sandbox.inbox(recipient), [])
            for status in STATUSES:
                words = ["--status", status] if status else []
                self.assertEqual(self.sandbox.outrider("message", "list", "--to", recipient, *words), [])
        self.assertEqual(self.stored() - stored_before, ids)
        wait_for(lambda: not self.queue_ids() - self.queued, "the queue to be as before", tell=lambda: self.queue_ids() - self.queued)

    def worker_log(self):
        return pathlib.Path(self.sandbox.log_dir, "worker.log").read_bytes()

    def await_failure(self, words, since):
        """The worker says so once more, after so many octets of its log."""
        wait_for(lambda: words.encode() in self.worker_log()[since:], f"the worker to say: {words}")

    def test_below_spool_min_free(self):
        """The space comes and goes under load."""
        disk = self.small_disk(self.sandbox.spool_dir, SPOOL_FREE)
        before, outcomes, over = self.stored(), [], threading.Event()

        def load():
            while not over.is_set():
                recipient = fresh()
                outcomes.append((recipient, submit(self.sandbox, recipient)))

        clients = [threading.Thread(target=load) for _ in range(CLIENTS)]
        outcomes += self.await_answer((250, "2.0.0"))
        for client in clients:
            client.start()
        try:
            for _ in range(ROUNDS):
                disk.fill(leave=MARGIN)
                outcomes += self.await_answer((451, "4.3.1"))
                code, text = self.status()
                self.assertEqual(code, 1)
                self.assertIn("new mail is answered 451", text)
                disk.free()
                outcomes += self.await_answer((250, "2.0.0"))
        finally:
            over.set()
            for client in clients:
                client.join()
        self.assertNotIn("new mail is answered 451", self.status()[1])
        self.settle(outcomes, before)

    def test_spool_full_to_the_octet(self):
        """What is on its way to slow hosts is recorded when there is space again; the worker waits."""
        self.without_min_free()
        disk = self.small_disk(self.sandbox.spool_dir, SPOOL_FREE)
        before = self.stored()
        outcomes = [(recipient, submit(self.sandbox, recipient))
                    for recipient in (fresh("slow.test") for _ in range(5))]
        disk.fill()
        outcomes += self.await_answer((451, "4.3.1"))
        for recipient, _ in outcomes[:5]:
            self.sandbox.received(recipient)
        disk.fill()
        outcomes += [(recipient, submit(self.sandbox, recipient)) for recipient in (fresh(), fresh())]
        disk.free()
        outcomes += self.await_answer((250, "2.0.0"))
        self.settle(outcomes, before)

    def test_message_larger_than_what_is_left(self):
        """Space ends while it is being stored."""
        self.without_min_free()
        disk = self.small_disk(self.sandbox.spool_dir, SPOOL_FREE)
        before = self.stored()
        body = mail.base64_lines(os.urandom(4 * MB))
        disk.fill(leave=2 * MB)
        recipient, small = fresh(), fresh()
        outcomes = [(recipient, submit(self.sandbox, recipient, body)), (small, submit(self.sandbox, small))]
        self.assertEqual([answer for _, answer in outcomes], [(451, "4.3.1"), (250, "2.0.0")])
        disk.free()
        recipient = fresh()
        outcomes.append((recipient, submit(self.sandbox, recipient, body)))
        self.assertEqual(outcomes[-1][1], (250, "2.0.0"))
        self.settle(outcomes, before)

    def test_replicas_full(self):
        """They stay as they were, `outrider status' says so, and they follow when there is space."""
        disk = self.small_disk(self.sandbox.edge_dir, MB)
        disk.fill()
        self.addCleanup(self.directory, f"INSERT INTO tombstone (revision, table_name, id) SELECT {REVISION}, "
                        "'organization', id FROM organization WHERE permalink LIKE 'filler-%'; "
                        "DELETE FROM organization WHERE permalink LIKE 'filler-%'")
        since = len(self.worker_log())
        self.directory("INSERT INTO organization (permalink, name, created_at, revision) SELECT "
                       f"CONCAT('filler-', seq), REPEAT('x', 60), 0, {REVISION} FROM seq_1_to_20000")
        self.await_failure("edge stays as it is", since)
        # Not for the moment in which the failed transaction is rolled back.
        edge = wait_for(self.readable_replica, "a readable replica")
        self.assertGreater(edge["behind_revisions"], 0)
        self.assertIn("is behind the directory", self.status()[1])
        disk.grow(64 * MB)
        wait_for(lambda: "is behind the directory" not in self.status()[1], "the replica to follow",
                 tell=self.status)

    def readable_replica(self):
        edge = backlog.status(self.sandbox)["edge"]["edge.5.db"]
        return edge if edge["readable"] else None

    def directory(self, change):
        """A change of the directory that takes one revision."""
        self.sandbox.sql(f"START TRANSACTION; UPDATE revision_counter SET revision = revision + 1; {change}; COMMIT")

    def test_journal_full_behind_the_look(self):
        """The message is stored and its event finds no space: 451, and the stored file goes."""
        self.without_min_free()
        directory = pathlib.Path(self.sandbox.spool_dir, "journal", "milter")
        disk = self.small_disk(directory, 4 * MB, "milter", "worker")
        before = self.stored()
        disk.fill()
        outcomes = self.await_answer((451, "4.3.1"))
        outcomes += [(recipient, submit(self.sandbox, recipient)) for recipient in (fresh(), fresh())]
        self.assertEqual(outcomes[-1][1], (451, "4.3.1"))
        disk.free()
        outcomes += self.await_answer((250, "2.0.0"))
        self.settle(outcomes, before)

    def test_journal_has_room_and_worker_db_has_not(self):
        """What is journaled and cannot be booked is not journaled again and again."""
        disk = self.small_disk(self.sandbox.spool_dir, ROOMY)
        before = self.stored()
        outcomes = [(recipient, submit(self.sandbox, recipient))
                    for recipient in (fresh("slow.test") for _ in range(10))]
        since = len(self.worker_log())
        disk.fill()
        deliver(self.sandbox, "desk@office.test")  # it is nobody's of ours: something that the log tells
        self.await_failure("mail log cannot be followed", since)
        time.sleep(5)
        self.assertLess(backlog.status(self.sandbox)["journal"]["worker"]["kept_records"], 150)
        disk.free()
        self.settle(outcomes, before)

    def test_worker_starts_on_a_full_disk(self):
        """It may give up and is started again, as an init system does, until there is space; nothing is
        lost or doubled."""
        disk = self.small_disk(self.sandbox.spool_dir, SPOOL_FREE)
        before = self.stored()
        self.sandbox.stop("worker")
        outcomes = [(recipient, submit(self.sandbox, recipient)) for recipient in (fresh(), fresh())]
        for recipient, _ in outcomes:
            self.sandbox.received(recipient)
        disk.fill()
        for _ in range(3):
            self.sandbox.control("start", "worker", check=False)
        disk.free()
        self.sandbox.start("worker")
        self.settle(outcomes, before)

    def test_database_full(self):
        """Mail flows; history is complete when there is space again. A server that gave up is started
        as an init system would."""
        data = pathlib.Path(self.sandbox.db_socket).parent / "data"
        before, owner = backlog.nothing_waits(self.sandbox), backlog.credential(self.sandbox)
        disk = self.small_disk(data, 100 * MB, "mariadb")
        disk.fill(leave=4 * MB)
        backlog.append(self.sandbox, MESSAGES, owner)
        disk.fill()
        recipients = [fresh(f"bulk{number % 20 + 1}.test") for number in range(100)]
        with mail.Client(self.sandbox) as client:
            for recipient in recipients:
                client.submit(mail.message(recipient), recipient)
        for recipient in recipients:
            self.sandbox.received(recipient)
        self.await_failure("journal not applied", len(self.worker_log()))
        self.assertNotEqual(backlog.left(self.sandbox), 0)  # None: the database does not even tell
        disk.free()
        self.sandbox.start("mariadb")
        wait_for(lambda: backlog.left(self.sandbox) == 0, "history to be complete", 5 * PATIENCE,
                 lambda: backlog.left(self.sandbox))
        for recipient in recipients:
            self.assertEqual(len(self.sandbox.history(recipient, "Sent")["deliveries"]), 1)
        sent = MESSAGES + len(recipients)
        self.assertEqual(backlog.counts(self.sandbox),
                         backlog.Counts(before.messages + sent, before.deliveries + sent, before.rejected))


if __name__ == "__main__":
    unittest.main()
