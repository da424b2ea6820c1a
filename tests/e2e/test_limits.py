# SPDX-License-Identifier: MIT
"""Limits: looked at for each recipient, charged by message, and what happens beyond them."""

import concurrent.futures
import json
import re
import socket
import time
import unittest

import mail
from sandbox import fresh, shared, wait_for
from sender import Sender

SERVER = "acme/limits"
MANY = 60
A_SECOND = 10


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sender = Sender(cls.sandbox, SERVER)

    def limit(self, subject, rate, action):
        """Sets a limit for this test; returns its id once policyd knows it."""
        record = self.sandbox.outrider("limit", "set", subject, rate, "--action", action)
        self.addCleanup(self.lift, subject, record["id"])
        wait_for(lambda: self.count(subject) is not None, f"policyd to know the limit of {subject}")
        return record["id"]

    def lift(self, subject, number):
        """The next test begins when it is gone."""
        self.sandbox.outrider("limit", "delete", subject)
        wait_for(lambda: self.ask(f"count {number}") == "none", f"policyd to forget the limit of {subject}")

    def ask(self, line):
        with socket.socket(socket.AF_UNIX) as link, link.makefile("rw") as lines:
            link.connect(f"{self.sandbox.directory}/postfix/queue/outrider/limit")
            lines.write(line + "\n")
            lines.flush()
            return lines.readline().strip()

    def count(self, subject):
        """What is counted now; None: policyd does not know the limit yet."""
        return self.sandbox.outrider("limit", "show", subject)[0]["count"]

    def answer(self, client, recipients, content=None, sender=mail.SENDER):
        """(codes and texts of RCPT, code and text of the message) of one transaction."""
        client.mail(sender)
        replies = [client.rcpt(recipient) for recipient in recipients]
        if any(code == 250 for code, _ in replies):
            return replies, client.data(content or mail.message(recipients[0]))
        client.rset()
        return replies, None

    def send(self, client, recipient, sender=mail.SENDER):
        """The last reply to a message."""
        replies, end = self.answer(client, [recipient], sender=sender)
        return end or replies[0]

    def test_reject_tells_the_limit_and_its_unit(self):
        number = self.limit(SERVER, "3/day", "reject")
        with self.sender.client() as client:
            for _ in range(3):
                self.assertEqual(self.send(client, fresh())[0], 250)
            replies, _ = self.answer(client, [fresh()])
        code, text = replies[0]
        self.assertEqual(code, 554)
        told = re.search(rb"Limit of 3 messages per day for server acme/limits is reached \(limit (\d+)\); "
                         rb"outrider explain (\d+)$", text)
        self.assertTrue(told, text)
        self.assertEqual(int(told.group(1)), number)
        reason = wait_for(lambda: self.explained(told.group(2).decode()), "the refusal in history")
        self.assertIn("3 counted, room in", reason)
        self.assertEqual(self.count(SERVER), 3)
        self.sandbox.outrider("limit", "reset", SERVER)
        self.assertEqual(self.count(SERVER), 0)
        with self.sender.client() as client:
            self.assertEqual(self.send(client, fresh())[0], 250)

    def test_defer_of_a_recipient_domain(self):
        self.limit("@bulk3.test", "1/hour", "defer")
        with self.sender.client() as client:
            self.assertEqual(self.send(client, fresh("bulk3.test"))[0], 250)
            replies, _ = self.answer(client, [fresh("bulk3.test")])
            self.assertEqual(replies[0][0], 450)
            self.assertIn(b"4.7.1", replies[0][1])
            self.assertIn(b"Limit of 1 message per hour for recipients at bulk3.test", replies[0][1])
            self.assertEqual(self.send(client, fresh("bulk4.test"))[0], 250)

    def test_hold_waits_in_the_hold_queue(self):
        self.limit(f"{SERVER}/app", "2/day", "hold")
        recipients = [fresh() for _ in range(5)]
        with self.sender.client() as client:
            for recipient in recipients:
                self.assertEqual(self.send(client, recipient)[0], 250)
        for recipient in recipients[:2]:
            self.sandbox.history(recipient, "Sent")
        for recipient in recipients[2:]:
            message = self.sandbox.history(recipient, "Held")
            self.assertEqual(message["hold_rule"], "limit")
            self.assertRegex(message["hold_reason"], r"^Limit of 2 messages per day for this credential is "
                             r"reached \(limit \d+\): 2 counted, room in \d+ s$")
        held = [entry for entry in self.sandbox.queue() if entry["queue_name"] == "hold"]
        waiting = {entry["recipients"][0]["address"] for entry in held}
        self.assertLessEqual(set(recipients[2:]), waiting)
        self.assertEqual(self.count(f"{SERVER}/app"), 2)
        # Or it would go on, charged to the next test, when this limit is gone.
        ids = [str(self.sandbox.history(recipient, "Held")["id"]) for recipient in recipients[2:]]
        self.assertEqual(self.sandbox.outrider("hold", "cancel", *ids)["cancelled"], 3)

    def test_held_mail_goes_on_when_there_is_room(self):
        """Oldest first, and never more than allowed; every other one with the null sender."""
        self.limit(f"{SERVER}/app", f"{A_SECOND}/second", "hold")
        recipients = [fresh(f"bulk{number % 20 + 1}.test") for number in range(MANY)]
        with self.sender.client() as client:
            for number, recipient in enumerate(recipients):
                self.assertEqual(self.send(client, recipient, mail.SENDER if number % 2 else "")[0], 250)
        messages = [self.sandbox.history(recipient, "Sent") for recipient in recipients]
        for recipient in recipients:
            self.assertEqual(len(self.sandbox.inbox(recipient)), 1)
        held = sorted((message for message in messages if message["hold_at"]), key=lambda one: one["id"])
        self.assertGreater(len(held), A_SECOND)
        self.assertEqual({message["hold_rule"] for message in held}, {"limit"})
        released = [message["released_at"] for message in held]
        self.assertEqual(released, sorted(released))

    def test_many_recipients_are_charged_one_by_one(self):
        self.limit(SERVER, "3/day", "reject")
        recipients = [fresh() for _ in range(5)]
        with self.sender.client() as client:
            replies, end = self.answer(client, recipients)
        self.assertEqual([code for code, _ in replies] + [end[0]], [250] * 6)
        messages = [wait_for(lambda r=recipient: self.ended(r), f"the end of {recipient}")
                    for recipient in recipients]
        self.assertEqual(sorted(message["status"] for message in messages), ["HardFail"] * 2 + ["Sent"] * 3)
        for message in messages:
            if message["status"] == "HardFail":
                self.assertIn("Limit of 3 messages per day for server acme/limits is reached",
                              message["status_reason"])
        self.assertEqual(self.count(SERVER), 3)

    def ended(self, recipient):
        rows = self.sandbox.outrider("message", "list", "--to", recipient)
        return rows[0] if rows and rows[0]["status"] in ("Sent", "HardFail") else None

    def test_refused_after_the_message_is_explained(self):
        """Two sessions find room at RCPT; one of them is refused at its end, with an id to ask for."""
        self.limit(SERVER, "1/day", "reject")
        recipients = [fresh(), fresh()]
        with self.sender.client() as first, self.sender.client() as second:
            for client, recipient in zip((first, second), recipients):
                client.mail(mail.SENDER)
                self.assertEqual(client.rcpt(recipient)[0], 250)
            self.assertEqual(first.data(mail.message(recipients[0]))[0], 250)
            code, text = second.data(mail.message(recipients[1]))
        self.assertEqual(code, 550)
        self.assertIn(b"5.7.1 Limit of 1 message per day for server acme/limits is reached", text)
        number = re.search(rb"outrider explain (\d+)$", text).group(1).decode()
        told = wait_for(lambda: self.explained(number), "the refusal in history")
        self.assertIn("limit", told)
        self.assertIn("1 counted, room in", told)

    def explained(self, number):
        result = self.sandbox.outrider_plain("explain", number, check=False)
        return result.stdout if result.returncode == 0 else None

    def test_shadow_mode_lets_pass_and_says_so(self):
        self.limit(SERVER, "0/day", "reject")
        self.sender.change("--shadow", "yes", "--mode", "development")
        self.addCleanup(self.sender.change, "--shadow", "no", "--mode", "live")
        with self.sender.client() as client:
            recipient = wait_for(lambda: self.passed(client), "shadow mode")
        message = self.sandbox.history(recipient, "Sent")
        held, limited = json.loads(message["skipped"])
        self.assertEqual(held, "shadow mode: hold: server is in development mode")
        self.assertRegex(limited, "^shadow mode: reject: Limit of 0 messages per day for server acme/limits is "
                         "reached .*: 0 counted$")
        self.assertEqual(self.count(SERVER), 0)

    def passed(self, client):
        recipient = fresh()
        replies, end = self.answer(client, [recipient])
        if not end or end[0] != 250:
            return None
        rows = wait_for(lambda: self.sandbox.outrider("message", "list", "--to", recipient), recipient)
        return recipient if rows[0]["status"] != "Held" else None

    def test_client_that_retries_loses_nothing(self):
        """Beyond the limit it is told 4xx, tries again, and never is there more than allowed."""
        self.limit(SERVER, f"{A_SECOND}/second", "defer")
        recipients = [fresh(f"bulk{number % 20 + 1}.test") for number in range(MANY)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            deferred = sum(pool.map(self.insist, (recipients[at::4] for at in range(4))))
        self.assertGreater(deferred, 0)
        accepted = []
        for recipient in recipients:
            message = self.sandbox.history(recipient, "Sent")
            self.assertEqual(len(self.sandbox.inbox(recipient)), 1)
            accepted.append(message["accepted_at"])
        accepted.sort()
        # The time in history is a little earlier than the charge: of each client's message at most one is counted later.
        for first, last in zip(accepted, accepted[A_SECOND + 4:]):
            self.assertGreaterEqual(last - first, 900000)

    def insist(self, recipients):
        deferred = 0
        with self.sender.client() as client:
            for recipient in recipients:
                while (reply := self.send(client, recipient))[0] != 250:
                    self.assertIn(reply[0], (450, 451), reply)
                    deferred += 1
                    time.sleep(0.05)
        return deferred

    def test_policyd_killed_keeps_its_counters(self):
        self.limit(SERVER, "100/day", "reject")
        with self.sender.client() as client:
            for _ in range(10):
                self.assertEqual(self.send(client, fresh())[0], 250)
        self.sandbox.control("kill", "policyd")
        self.sandbox.start("policyd")
        wait_for(lambda: self.count(SERVER) == 10, "the counter of before",
                 tell=lambda: self.count(SERVER))

    def test_other_nodes_count_too(self):
        """As if another node had told what it counted; a reset is one for all."""
        number = self.limit(SERVER, "5/day", "reject")
        with self.sender.client() as client:
            self.assertEqual(self.send(client, fresh())[0], 250)
            shown = self.ask(f"share 9 {number} day 0 0 4\ncount {number}")
            self.assertRegex(shown, r"^count 5 \d+ 1=1 9=4$")
            self.assertEqual(self.answer(client, [fresh()])[0][0][0], 554)
            record = self.sandbox.outrider("limit", "show", SERVER)[0]
            self.assertEqual((record["count"], record["nodes"]), (5, {"1": 1, "9": 4}))
            table = self.sandbox.outrider_plain("limit", "show", SERVER).stdout
            self.assertRegex(table, r"ACTION +COUNT +NODES +ROOM_IN")
            self.assertRegex(table, r" 5 +1: 1, 9: 4 ")
            self.sandbox.outrider("limit", "reset", SERVER)
            record = self.sandbox.outrider("limit", "show", SERVER)[0]
            self.assertEqual((record["count"], record["nodes"]), (0, None))
            self.assertEqual(self.send(client, fresh())[0], 250)

    def test_milter_killed_charges_nobody_twice(self):
        """What it had charged and Postfix did not get goes back; the hop's retry is charged once."""
        self.limit(SERVER, "1000/day", "reject")
        recipients = [fresh(f"bulk{number % 20 + 1}.test") for number in range(MANY)]
        with self.sender.client() as client:
            self.assertEqual(self.answer(client, recipients)[1][0], 250)
        for _ in range(3):
            self.sandbox.control("kill", "milter")
            self.sandbox.start("milter")
            self.sandbox.execute("postqueue", "-f")
        wait_for(lambda: self.all_sent(recipients), "all to be sent",
                 tell=lambda: self.sandbox.queue())
        self.assertEqual(self.count(SERVER), MANY)

    def all_sent(self, recipients):
        self.sandbox.execute("postqueue", "-f")
        return all(self.ended(recipient) for recipient in recipients)


if __name__ == "__main__":
    unittest.main()
