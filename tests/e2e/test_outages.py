# SPDX-License-Identifier: MIT
"""Mail flows while the database or the worker is away, and history catches up exactly."""

import collections
import os
import unittest

import mail
from sandbox import PATIENCE, fresh, shared, wait_for

MESSAGES = 500
DOMAINS = [f"bulk{n}.test" for n in range(1, 21)]
PROGRAMS = ("postfix", "milter", "policyd")


class Outage(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def submit_all(self):
        recipients = [fresh(DOMAINS[n % len(DOMAINS)]) for n in range(MESSAGES)]
        with mail.Client(self.sandbox) as client:
            for recipient in recipients:
                client.submit(mail.message(recipient), recipient)
        return recipients

    def all_received(self, recipients):
        """Every recipient has exactly one message in the inbox."""
        wanted = set(recipients)

        def counts():
            found = collections.Counter()
            for domain in DOMAINS:
                for record in self.sandbox.envelopes(domain):
                    found.update(e["address"] for e in record["recipients"] if e["address"] in wanted)
            return found

        wait_for(lambda: len(counts()) == MESSAGES, f"{MESSAGES} messages in the inbox", 3 * PATIENCE,
                 lambda: len(counts()))
        self.assertEqual(set(counts().values()), {1})

    def rows(self, recipients):
        wanted = set(recipients)
        found, before = [], None
        while True:
            page = self.sandbox.outrider("message", "list", "acme/main", "--limit", "1000",
                                         *(["--before", str(before)] if before else []))
            found += [row for row in page if row["rcpt_to"] in wanted]
            if len(page) < 1000:
                return found
            before = page[-1]["id"]

    def all_recorded(self, recipients):
        """History has exactly one row per message, Sent, with exactly one delivery."""

        def complete():
            rows = self.rows(recipients)
            return rows if sum(row["status"] == "Sent" for row in rows) == MESSAGES else None

        rows = wait_for(complete, f"{MESSAGES} Sent in history", 3 * PATIENCE,
                        lambda: collections.Counter(r["status"] for r in self.rows(recipients)))
        self.assertEqual(len(rows), MESSAGES)
        self.assertEqual({row["rcpt_to"] for row in rows}, set(recipients))
        for row in rows[:: MESSAGES // 20]:
            self.assertEqual(len(self.sandbox.outrider("message", "show", str(row["id"]))["deliveries"]), 1)
        self.assertEqual(self.delivery_count(rows), MESSAGES)

    def delivery_count(self, rows):
        ids = ",".join(str(row["id"]) for row in rows)
        return int(self.sandbox.sql(f"SELECT COUNT(*) FROM delivery WHERE message_id IN ({ids})")[0][0])

    def none_on_its_way(self):
        """Whether the one that was, when Postfix is killed, is delivered nobody could tell."""
        sizes = []

        def look():
            sizes.append(os.path.getsize(self.sandbox.mail_log))
            return len(sizes) > 10 and len(set(sizes[-10:])) == 1

        wait_for(look, "Postfix to come to rest")

    def test_mariadb_stopped(self):
        self.sandbox.stop("mariadb")
        try:
            recipients = self.submit_all()
            self.all_received(recipients)
        finally:
            self.sandbox.start("mariadb")
        self.all_recorded(recipients)

    def test_worker_stopped(self):
        self.sandbox.stop("worker")
        try:
            recipients = self.submit_all()
            self.all_received(recipients)
        finally:
            self.sandbox.start("worker")
        self.all_recorded(recipients)

    def test_both_stopped_and_the_node_rebooted(self):
        self.sandbox.stop("worker", "mariadb")
        try:
            recipients = self.submit_all()
            with self.sandbox.queue_manager_stopped():
                self.none_on_its_way()
                for program in PROGRAMS:
                    self.sandbox.control("kill", program)
            self.sandbox.start("policyd", "milter", "postfix")
            self.all_received(recipients)
        finally:
            self.sandbox.start("policyd", "milter", "postfix", "mariadb", "worker")
        self.all_recorded(recipients)


if __name__ == "__main__":
    unittest.main()
