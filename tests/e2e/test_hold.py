# SPDX-License-Identifier: MIT
"""What becomes of held mail, by postsuper or by ours: history learns it from Postfix's own log."""

import json
import re
import time
import unittest

import mail
from sandbox import fresh, shared, wait_for
from sender import Sender

DAY = 86400 * 1000000
SERVER = "acme/holds"
MANY = 300


class Holds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sender = Sender(cls.sandbox, SERVER, "--mode", "development")

    def held(self, **transaction):
        """A message that the milter holds: its recipient, and what history has of it."""
        recipient = fresh()
        self.sender.submit(recipient, **transaction)
        return recipient, self.sandbox.history(recipient, "Held")

    def hold(self, *words, done=True):
        """A hold command as JSON; done: it did all that it was asked for."""
        result = self.sandbox.outrider("hold", *words, check=False)
        self.assertEqual(result.returncode, 0 if done else 69, result.stderr)
        self.assertEqual(result.stderr, "")
        return json.loads(result.stdout)

    def fails(self, status, *words, says, prefix=()):
        """A hold command that does nothing and says why."""
        result = self.sandbox.execute(*prefix, self.sandbox.variables["OUTRIDER"], "-c",
                                      self.sandbox.outrider_conf, "hold", *words, check=False)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertRegex(result.stderr, says)
        self.assertEqual(result.stderr.count("\n"), 1)

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

    def test_release(self):
        """Its server is in development mode still."""
        recipient, entry = self.held()
        number = str(entry["id"])
        told = self.hold("release", number, number)
        self.assertEqual(told, {"released": 1, "absent": 0, "refused": 0, "not_asked": 0,
                                "interrupted": False, "not_done": []})
        after = self.sandbox.history(recipient, "Sent")
        self.sandbox.received(recipient)
        self.assertIsNotNone(after["released_at"])
        self.not_listed(recipient)
        told = self.hold("release", number, done=False)
        self.assertEqual(told["not_done"], [{"id": entry["id"], "queue_id": entry["queue_id"],
                                             "reason": "not on hold: Sent"}])

    def test_cancel(self):
        recipient, entry = self.held()
        other, _ = self.held()
        result = self.sandbox.outrider_plain("hold", "cancel", "--to", recipient)
        self.assertEqual(result.stdout, "cancelled 1 for good, absent 0, refused 0\n")
        self.sandbox.history(recipient, "HoldCancelled")
        self.not_listed(recipient)
        self.assertEqual(self.sandbox.inbox(recipient), [])
        self.assertNotIn(entry["queue_id"], [one["queue_id"] for one in self.sandbox.queue()])
        self.assertEqual(len(self.listed(other)), 1)
        told = self.hold("cancel", str(entry["id"]), done=False)
        self.assertEqual(told["not_done"][0]["reason"], "not on hold: HoldCancelled")

    def test_what_history_does_not_know_yet_is_absent(self):
        """The worker has not read the log of it."""
        recipient, entry = self.held()
        self.sandbox.stop("worker")
        self.addCleanup(self.sandbox.start, "worker")
        self.postsuper("-H", entry)
        for verb in ("release", "cancel"):
            self.assertEqual(self.hold(verb, str(entry["id"]))["absent"], 1)
        self.sandbox.received(recipient)

    def test_release_of_many(self):
        sender = Sender(self.sandbox, "acme/many", "--mode", "development")
        recipients = [fresh() for _ in range(MANY)]
        with sender.client() as client:
            for recipient in recipients:
                client.submit(mail.message(recipient), recipient)
        query = ("release", "--server", "acme/many", "--rule", "development")
        wait_for(lambda: len(self.all_of("acme/many")) == MANY, f"{MANY} messages on hold")
        self.fails(69, *query, says="more than 100 messages would be released: nothing is done without --yes")
        self.assertEqual(self.hold("release", "--server", "acme/many", "--rule", "limit")["released"], 0)
        self.assertEqual(len(self.all_of("acme/many")), MANY)
        told = self.hold(*query, "--yes")
        self.assertEqual((told["released"], told["absent"], told["not_done"]), (MANY, 0, []))
        wait_for(lambda: len(self.sent_of("acme/many")) == MANY, f"{MANY} messages sent")
        self.assertEqual(self.all_of("acme/many"), [])
        got = [entry["address"] for side in self.sandbox.envelopes("ok.test")
               for entry in side["recipients"]]
        self.assertEqual(sorted(address for address in got if address in set(recipients)), sorted(recipients))

    def all_of(self, server):
        return self.sandbox.outrider("hold", "list", server, "--limit", "1000")

    def sent_of(self, server):
        return self.sandbox.outrider("message", "list", server, "--status", "Sent", "--limit", "1000")

    def test_null_sender(self):
        """Its header shows whose it is: held, released, cancelled, and a list of both kinds."""
        recipient, entry = self.held(sender="")
        self.assertEqual(self.hold("release", str(entry["id"]))["released"], 1)
        self.sandbox.history(recipient, "Sent")
        content, record = self.sandbox.received(recipient)
        self.assertEqual(record["sender"], "")
        self.assertEqual(mail.verify_all(self.sandbox, content), 2)
        self.not_listed(recipient)
        ids = [str(self.held(sender=sender)[1]["id"]) for sender in ("", "app@acme.test")]
        self.assertEqual(self.hold("cancel", *ids), {"cancelled": 2, "absent": 0, "refused": 0, "not_asked": 0,
                                                     "interrupted": False, "not_done": []})

    def test_what_a_lost_key_sealed_is_refused(self):
        recipient, entry = self.held()
        path = self.hold_file(entry)
        with open(path, "r+b") as file:
            octets = file.read()
            for sealed in (entry["return_path"].encode(), entry["token"].encode() + b"-"):
                file.seek(octets.index(sealed))
                file.write(b"aaaa" + sealed[4:])
        told = self.hold("release", str(entry["id"]), done=False)
        self.assertEqual((told["released"], told["refused"]), (0, 1))
        self.assertEqual(told["not_done"], [{"id": entry["id"], "queue_id": entry["queue_id"],
                                             "reason": "refused: not a message of ours"}])
        result = self.sandbox.outrider_plain("hold", "cancel", str(entry["id"]), check=False)
        self.assertEqual(result.returncode, 69)
        self.assertIn("by hand: postsuper -d QUEUE-ID hold", result.stderr)
        self.postsuper("-d", entry)
        self.sandbox.history(recipient, "HoldCancelled")

    def hold_file(self, entry):
        directory = self.sandbox.execute("postconf", "-xh", "queue_directory").stdout.strip()
        return f"{directory}/hold/{entry['queue_id']}"

    def age(self, entry):
        """Makes it six days old, and more than maximal_queue_lifetime."""
        with open(self.hold_file(entry), "r+b") as file:
            octets = file.read()
            for begin in (rb"create_time=", rb"T.(?=\d{10} )"):
                file.seek(re.search(b"(?s)" + begin, octets).end())
                file.write(b"%d" % (time.time() - 6 * 86400))

    def test_held_for_longer_than_the_queue_lifetime(self):
        """The first attempt after the release fails for now, and a later one delivers; with a null sender too."""
        for sender in ("app@acme.test", ""):
            recipient = fresh("greylist.test")
            self.sender.submit(recipient, sender=sender)
            entry = self.sandbox.history(recipient, "Held")
            self.age(entry)
            self.assertEqual(self.hold("release", str(entry["id"]))["released"], 1)
            self.until_sent(recipient, entry)
            after = self.sandbox.history(recipient, "Sent")
            self.assertEqual(after["queue_id"], entry["queue_id"])
            self.assertEqual([one["status"] for one in sorted(after["deliveries"], key=lambda one: one["at"])][-2:],
                             ["SoftFail", "Sent"])
            self.assertEqual(len(self.sandbox.inbox(recipient)), 1)
            self.assertNotRegex(self.sandbox.mail_log_text(), entry["queue_id"] + ": .*status=expired")
            self.assertRegex(self.sandbox.mail_log_text(), entry["queue_id"] + ": .* delay=518[0-9]{3}")

    def until_sent(self, recipient, entry):
        def look():
            self.sandbox.execute("postqueue", "-i", entry["queue_id"], check=False)
            return self.sandbox.history(recipient)["status"] == "Sent"

        wait_for(look, f"{recipient} sent")

    def test_explain_takes_what_stands_in_the_header(self):
        recipient, entry = self.held(sender="")
        self.assertEqual(self.hold("release", str(entry["id"]))["released"], 1)
        content, _ = self.sandbox.received(recipient)
        value, = mail.values(content, "X-Outrider-MsgID")
        found = self.sandbox.outrider("explain", value)
        self.assertEqual([message["id"] for message in found["messages"]], [entry["id"]])
        other = value[:-32][::-1] + value[-32:]
        self.assertEqual(self.sandbox.outrider_plain("explain", other, check=False).returncode, 69)

    def test_nobody_answers(self):
        recipient, entry = self.held()
        self.sandbox.stop("queue")
        try:
            for words in (("release", str(entry["id"])), ("cancel", "--to", recipient)):
                self.fails(75, *words, says="outrider-queue did not answer: socket queue: ")
        finally:
            self.sandbox.start("queue")
        self.assertEqual(len(self.listed(recipient)), 1)
        self.assertEqual(self.sandbox.history(recipient)["status"], "Held")
        self.hold("cancel", str(entry["id"]))

    def test_who_may_not_ask(self):
        """One reaches the socket, one the database, and one both, but is hung up on."""
        recipient, entry = self.held()
        nobody = ("setpriv", "--reuid", "nobody", "--regid")
        only = r"did not answer \(it does to root, outrider-worker and outrider-apid only\): socket queue: .*"
        for groups, says in ((("nogroup", "--groups", "outrider"), "db_password_file: .*Permission denied"),
                             (("outrider-worker", "--clear-groups"), only + "Permission denied"),
                             (("outrider-worker", "--groups", "outrider"), only + "(closed|Broken|reset)")):
            self.fails(75, "release", str(entry["id"]), prefix=(*nobody, *groups), says=says)
        self.assertEqual(len(self.listed(recipient)), 1)
        self.hold("cancel", str(entry["id"]))


if __name__ == "__main__":
    unittest.main()
