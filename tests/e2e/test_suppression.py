# SPDX-License-Identifier: MIT
"""Suppressed recipients: held or refused, by scope, for a time; and put on the list and off again by deliveries."""

import datetime
import json
import pathlib
import re
import unittest
import uuid

import mail
from sandbox import fresh, rewrite, shared, wait_for
from sender import Sender

SERVER = "acme/suppressions"
REPLICA = "edge-suppression.5.db"


class Suppressions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sender = Sender(cls.sandbox, SERVER)

    def suppress(self, address, scope=SERVER, *options):
        """Until the end of the test; the mail path knows it when this returns."""
        record = self.sandbox.outrider("suppression", "add", scope, address, *options)
        self.addCleanup(self.lift, scope, record["address"])
        wait_for(lambda: self.sandbox.suppressed(record["address"]), f"{address} in the replica")
        return record

    def lift(self, scope, address):
        self.sandbox.outrider("suppression", "remove", scope, address, check=False)
        wait_for(lambda: not self.sandbox.suppressed(address), f"{address} gone from the replica")

    def refusing(self):
        """The server refuses until the end of the test."""
        self.sender.change("--suppression", "refuse")
        self.addCleanup(self.sender.change, "--suppression", "hold")

    def answer(self, client, recipients):
        """(replies to RCPT, reply to the message or None)."""
        client.mail(mail.SENDER)
        replies = [client.rcpt(recipient) for recipient in recipients]
        if any(code == 250 for code, _ in replies):
            return replies, client.data(mail.message(recipients[0]))
        client.rset()
        return replies, None

    def refused(self, recipient):
        """The text it is refused with, once it is."""
        def look():
            with self.sender.client() as client:
                client.mail(mail.SENDER)
                code, text = client.rcpt(recipient)
                client.rset()
            return text.decode() if code == 550 else None
        return wait_for(look, f"{recipient} to be refused")

    def held(self, recipient):
        self.sender.submit(recipient)
        entry = self.sandbox.history(recipient, "Held")
        self.assertEqual(entry["hold_rule"], "suppressed")
        return entry

    def sent(self, recipient):
        self.sender.submit(recipient)
        return self.sandbox.history(recipient, "Sent")

    def explained(self, number):
        result = self.sandbox.outrider_plain("explain", number, check=False)
        return result.stdout if result.returncode == 0 else None

    def test_held_and_released_by_hand(self):
        recipient = fresh()
        self.suppress(recipient, SERVER, "--reason", "asked for it")
        entry = self.held(recipient)
        self.assertRegex(entry["hold_reason"], rf"^{recipient} is suppressed for server {SERVER}: asked for it "
                         r"\(manual, since \d{4}-\d\d-\d\d\)$")
        self.assertIn(f"suppressed now for {SERVER}: asked for it", self.explained(str(entry["id"])))
        self.assertEqual(self.sandbox.inbox(recipient), [])
        self.assertEqual(self.sandbox.outrider("hold", "release", "--rule", "suppressed", "--to", recipient)["released"], 1)
        self.sandbox.history(recipient, "Sent")
        self.sandbox.received(recipient)
        # By hand is no success that would remove what a person put there.
        self.assertEqual(len(self.sandbox.outrider("suppression", "show", recipient)), 1)

    def test_removal_does_not_release(self):
        recipient = fresh()
        self.suppress(recipient)
        entry = self.held(recipient)
        self.lift(SERVER, recipient)
        later = fresh()
        self.sent(later)  # more than one round of what looks for mail to release
        self.assertEqual(self.sandbox.history(recipient)["status"], "Held")
        self.sandbox.outrider("hold", "cancel", str(entry["id"]))

    def test_in_any_case_and_by_domain(self):
        recipient = fresh("bulk7.test")
        self.suppress("@BULK7.test")
        self.held(recipient)
        odd = fresh().split("@")[0]
        self.sender.submit(f"{odd.upper()}@Bulk7.TEST")
        wait_for(lambda: self.on_hold(f"{odd}@bulk7.test"), "another of that domain on hold")
        self.sent(fresh("bulk8.test"))

    def test_however_the_local_part_is_written(self):
        tag = fresh().split("@")[0]
        domain = "bulk6.test"
        self.suppress(f'"{tag}"@ok.test')
        self.suppress(f'"{tag} b"@ok.test')
        self.suppress(f"@{domain}")
        # As the client gives it, and as history names it.
        written = {f'"{tag}"@ok.test': f"{tag}@ok.test", f'"{tag[0]}\\{tag[1:]}"@ok.test': f"{tag}@ok.test",
                   f"{tag}@OK.test.": f"{tag}@ok.test", f'"{tag}\\ b"@ok.test': f'"{tag} b"@ok.test',
                   f"{tag}{'x' * 400}@{domain}": f"{tag}{'x' * 400}@{domain}"}  # longer than an entry can be
        for verdict in ("hold", "refuse"):
            self.sender.change("--suppression", verdict)
            self.addCleanup(self.sender.change, "--suppression", "hold")
            self.assertIn("suppressed", self.verdict_on(f"{tag}@ok.test", verdict))
            for recipient, address in written.items():
                with self.subTest(verdict=verdict, recipient=recipient[:60]):
                    self.assertIn("is suppressed for server", self.verdict_on(recipient, verdict))
                    self.assertEqual(self.sandbox.inbox(address), [])

    def verdict_on(self, recipient, wanted):
        """The words of it, once the mail path answers as wanted."""
        def look():
            with self.sender.client() as client:
                client.mail(mail.SENDER)
                code, text = client.docmd("RCPT", f"TO:<{recipient}>")
                if code != 250:
                    client.rset()
                    return text.decode() if wanted == "refuse" else None
                code, text = client.data(mail.message("x@ok.test"))
            if wanted != "hold" or code != 250:
                return None
            queue_id = text.decode().split()[-1]
            return wait_for(lambda: self.explained(queue_id), f"{queue_id} explained")
        return wait_for(look, f"{recipient[:60]}: {wanted}")

    def test_scopes(self):
        for scope, words in (("installation", "for the installation"), ("acme", "for organization acme")):
            recipient = fresh()
            self.suppress(recipient, scope)
            self.assertIn(words, self.held(recipient)["hold_reason"])
        other = fresh()
        self.suppress(other, "acme/main")
        self.sent(other)

    def test_it_ends_by_itself(self):
        recipient = fresh()
        self.refusing()
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=20)
        self.suppress(recipient, SERVER, "--expires", end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.refused(recipient)

        def passes():
            with self.sender.client() as client:
                client.mail(mail.SENDER)
                code, _ = client.rcpt(recipient)
                client.rset()
            return code == 250
        wait_for(passes, f"{recipient} to be taken again")

    def test_refused_with_reason_and_id(self):
        recipient, other = fresh(), fresh()
        self.refusing()
        self.suppress(recipient, SERVER, "--reason", "gone for 100% and d\u00e9finitif")
        text = self.refused(recipient)
        told = re.search(r"5\.7\.1 .*is suppressed for server acme/suppressions: gone for 100. and d..?finitif .manual, "
                         r"since .*; outrider explain (\d+)$", text)
        self.assertTrue(told, text)
        story = wait_for(lambda: self.explained(told.group(1)), "the refusal in history")
        self.assertIn("rule suppressed", story)
        self.assertIn("d\u00e9finitif", story)
        with self.sender.client() as client:
            replies, end = self.answer(client, [recipient, other])
        self.assertEqual([code for code, _ in replies] + [end[0]], [550, 250, 250])
        self.sandbox.history(other, "Sent")
        self.assertEqual(self.sandbox.outrider("message", "list", "--to", recipient), [])

    def test_suppressed_after_rcpt(self):
        """Found at the end of the message: one recipient is refused there, of several it is HardFail behind the hop."""
        self.refusing()
        probe = fresh()
        self.suppress(probe)
        self.refused(probe)  # the mail path knows that it refuses
        alone, first, second = fresh(), fresh(), fresh()
        with self.sender.client() as one, self.sender.client() as several:
            one.mail(mail.SENDER)
            self.assertEqual(one.rcpt(alone)[0], 250)
            several.mail(mail.SENDER)
            self.assertEqual([several.rcpt(to)[0] for to in (first, second)], [250, 250])
            self.suppress(alone)
            self.suppress(second)
            code, text = one.data(mail.message(alone))
            self.assertEqual(several.data(mail.message(first))[0], 250)
        self.assertEqual(code, 550)
        self.assertRegex(text.decode(), r"5\.7\.1 .*suppressed.*outrider explain \d+$")
        self.sandbox.history(first, "Sent")
        self.assertIn("is suppressed for server", self.sandbox.history(second, "HardFail")["status_reason"])

    def test_replies_fit_a_line(self):
        """The longest address and reason: at RCPT and at the end of the message a line is no longer than RFC 5321 has it."""
        self.refusing()
        domain = ".".join(["d" * 50] * 3 + ["ok.test"])
        early, late = (f"{uuid.uuid4().hex * 2}@{domain}" for _ in range(2))
        self.suppress(early, SERVER, "--reason", "r" * 255)
        with self.sender.client() as client:
            client.mail(mail.SENDER)
            self.assertEqual(client.rcpt(late)[0], 250)
            self.suppress(late, SERVER, "--reason", "r" * 255)
            replies = [self.refused(early), client.data(mail.message(late))[1].decode()]
        for text in replies:
            self.assertLessEqual(len(f"550 {text}\r\n"), 512)
            self.assertRegex(text, r"^5\.7\.1 .*\(manual, since [0-9-]+\); outrider explain \d+$")
        told = re.search(r"\d+$", replies[1]).group()
        self.assertIn("r" * 100, wait_for(lambda: self.explained(told), "the refusal in history"))

    def test_several_recipients_of_one_message(self):
        good, bad = fresh(), fresh()
        self.suppress(bad)
        with self.sender.client() as client:
            self.assertEqual(self.answer(client, [good, bad])[1][0], 250)
        self.sandbox.history(good, "Sent")
        self.assertEqual(self.sandbox.history(bad, "Held")["hold_rule"], "suppressed")

    def test_shadow_mode_lets_pass_and_says_so(self):
        for option, word in (("hold", "hold"), ("refuse", "refuse")):
            recipient = fresh()
            self.suppress(recipient)
            self.sender.change("--shadow", "yes", "--suppression", option)
            self.addCleanup(self.sender.change, "--shadow", "no", "--suppression", "hold")
            wait_for(lambda: self.server_is("shadow = 1 AND suppression = ?", option), "shadow mode")
            message = self.sent(recipient)
            self.assertRegex(json.loads(message["skipped"])[0], rf"^shadow mode: {word}: {recipient} is suppressed for")

    def server_is(self, condition, *values):
        return self.sandbox.edge(f"SELECT 1 FROM server WHERE permalink = 'suppressions' AND {condition}", *values)

    def test_a_suppressed_recipient_charges_no_limit(self):
        recipient = fresh()
        self.suppress(recipient)
        self.sandbox.outrider("limit", "set", SERVER, "1000/day")
        self.addCleanup(self.sandbox.outrider, "limit", "delete", SERVER)
        wait_for(lambda: self.sandbox.outrider("limit", "show", SERVER)[0]["count"] is not None, "the limit")
        self.held(recipient)
        self.assertEqual(self.sandbox.outrider("limit", "show", SERVER)[0]["count"], 0)

    def refuse_twice(self, recipient):
        """HardFail of two messages; their ids."""
        ids = set()
        for number in (1, 2):
            self.sender.submit(recipient)
            rows = wait_for(lambda n=number: self.failed(recipient, n), f"refusal {number} of {recipient}")
            ids |= {row["id"] for row in rows}
        return ids

    def failed(self, recipient, number):
        rows = self.sandbox.outrider("message", "list", "--to", recipient)
        return rows if len([row for row in rows if row["status"] == "HardFail"]) == number else None

    def test_two_refusals_suppress_and_success_lifts(self):
        recipient = fresh("mends.test")
        self.sender.submit(recipient)
        wait_for(lambda: self.failed(recipient, 1), "the first refusal")
        self.assertEqual(self.sandbox.outrider("suppression", "list", SERVER, "--address", recipient), [])
        self.sender.submit(recipient)
        wait_for(lambda: self.failed(recipient, 2), "the second refusal")
        row, = self.sandbox.outrider("suppression", "show", recipient)
        self.addCleanup(self.lift, SERVER, recipient)
        self.assertEqual((row["scope"], row["source"]), (SERVER, "hard_fail"))
        self.assertIn("550 5.1.1 No such user here", row["evidence"])
        self.assertEqual(row["expires_at"] - row["created_at"], 30 * 86400)
        newest = self.sandbox.outrider("message", "list", "--to", recipient)[0]
        self.assertEqual(row["message_id"], newest["id"])
        self.assertIn(f"by message {newest['id']}: ", self.explained(str(newest["id"])))
        wait_for(lambda: self.sandbox.suppressed(recipient), "the suppression in the replica")
        self.sender.submit(recipient)
        entry = wait_for(lambda: self.on_hold(recipient), "the third message on hold")
        self.assertIn("hard_fail", entry["hold_reason"])
        self.sandbox.outrider("hold", "release", str(entry["id"]))
        wait_for(lambda: not self.sandbox.outrider("suppression", "list", SERVER, "--address", recipient),
                 "the suppression lifted")
        self.sandbox.received(recipient)
        wait_for(lambda: not self.sandbox.suppressed(recipient), "the suppression gone from the replica")

    def on_hold(self, recipient):
        rows = self.sandbox.outrider("hold", "list", "--to", recipient)
        return rows[0] if rows else None

    def test_what_is_not_about_the_address_suppresses_nobody(self):
        for domain in ("spam.test", "full.test"):  # 5.7.1, 5.2.2
            recipient = fresh(domain)
            self.refuse_twice(recipient)
            self.assertEqual(self.sandbox.outrider("suppression", "list", "--address", recipient), [])
        later = fresh("defer.test")  # 451
        for number in (1, 2):
            self.sender.submit(later)
            wait_for(lambda n=number: len([row for row in self.sandbox.outrider("message", "list", "--to", later)
                                           if row["status"] == "SoftFail"]) == n, f"attempt {number}")
        self.assertEqual(self.sandbox.outrider("suppression", "list", "--address", later), [])

    def short_lifetime(self):
        """Postfix gives up what is older than a second at its next attempt, until the end of the test."""
        main = pathlib.Path(self.sandbox.postfix_conf, "main.cf")
        before = main.read_text()
        def restore():
            rewrite(main, before)
            self.sandbox.execute("postfix", "reload")
        self.addCleanup(restore)
        self.sandbox.execute("postconf", "-e", "maximal_queue_lifetime=1s", "bounce_queue_lifetime=1s")
        self.sandbox.execute("postfix", "reload")

    def put_off_twice(self, recipient):
        """Two messages that are in the queue; their rows."""
        for _ in range(2):
            self.sender.submit(recipient)
        return wait_for(lambda: self.in_status(recipient, "SoftFail", 2), f"two messages to {recipient} put off")

    def in_status(self, recipient, status, number):
        rows = self.sandbox.outrider("message", "list", "--to", recipient)
        return rows if [row["status"] for row in rows] == [status] * number else None

    def given_up(self, recipient):
        def look():
            for row in self.sandbox.outrider("message", "list", "--to", recipient):
                if row["queue_id"]:
                    self.sandbox.execute("postqueue", "-i", row["queue_id"], check=False)
            return self.in_status(recipient, "HardFail", 2)
        return wait_for(look, f"both messages to {recipient} given up")

    def suppressions(self, recipient):
        return self.sandbox.outrider("suppression", "list", SERVER, "--address", recipient)

    def test_given_up_as_unknown_suppresses(self):
        recipient, busy, forced = fresh("absent.test"), fresh("defer.test"), fresh("absent.test")
        for address in (recipient, busy, forced):
            self.put_off_twice(address)
        for row in self.sandbox.outrider("message", "list", "--to", forced):
            self.sandbox.execute("postsuper", "-e", row["queue_id"])
            self.sandbox.execute("postqueue", "-i", row["queue_id"], check=False)
        wait_for(lambda: self.in_status(forced, "HardFail", 2), "both expired by an admin")
        self.short_lifetime()
        self.given_up(busy)
        rows = self.given_up(recipient)
        row, = wait_for(lambda: self.suppressions(recipient), f"{recipient} on the list")
        self.addCleanup(self.lift, SERVER, recipient)
        self.assertEqual(row["source"], "soft_fail")
        self.assertIn(row["message_id"], [message["id"] for message in rows])
        self.assertIn("450 4.1.1 No such user here, for now", row["evidence"])
        self.assertIn("until Postfix gave the message up", row["reason"])
        # Neither what was said of something else, nor what an admin had expire.
        self.assertEqual(self.suppressions(busy) + self.suppressions(forced), [])
        wait_for(lambda: self.sandbox.suppressed(recipient), "the suppression in the replica")
        self.sender.submit(recipient)
        entry = wait_for(lambda: self.on_hold(recipient), "the third message on hold")
        self.assertIn("soft_fail", entry["hold_reason"])
        self.sandbox.outrider("hold", "cancel", str(entry["id"]))

    def test_imported_while_mail_flows(self):
        names = [fresh("bulk9.test") for _ in range(6000)]
        file = pathlib.Path(self.sandbox.directory, "list.csv")
        file.write_text("address,reason\r\n" + "".join(f"{name},\"left, long ago\"\r\n" for name in names))
        self.addCleanup(self.sandbox.outrider, "suppression", "clear", SERVER, "--source", "import", "--yes")
        self.assertEqual(self.sandbox.outrider("suppression", "import", SERVER, str(file)),
                         {"imported": 6000, "rejected": 0})
        self.sent(fresh())
        wait_for(lambda: self.sandbox.suppressed(names[-1]), "the last of the list in the replica")
        self.assertIn("left, long ago (import", self.held(names[0])["hold_reason"])
        exported = self.sandbox.outrider_plain("suppression", "export", SERVER).stdout
        self.assertLessEqual({f"{name},\"left, long ago\"," for name in names}, set(exported.split("\n")))

    def test_without_the_replica_nothing_is_sent(self):
        """Put off, never sent to whom it should not be sent."""
        recipient = fresh()
        files = [pathlib.Path(self.sandbox.directory, "edge", REPLICA + end) for end in ("", "-wal", "-shm")]
        away = pathlib.Path(self.sandbox.directory, "away")
        away.mkdir(exist_ok=True)
        self.sandbox.stop("worker")
        for file in files:
            file.rename(away / file.name)
        try:
            with self.sender.client() as client:
                code = wait_for(lambda: self.put_off(client, recipient), "mail to be put off")
            self.assertEqual(code, 451)
        finally:
            for file in files:
                (away / file.name).rename(file)
            self.sandbox.start("worker")
        wait_for(lambda: self.takes(recipient), "mail to be taken again")

    def put_off(self, client, recipient):
        _, end = self.answer(client, [recipient])
        return end[0] if end and end[0] >= 400 else None

    def takes(self, recipient):
        with self.sender.client() as client:
            _, end = self.answer(client, [recipient])
        return end and end[0] == 250


if __name__ == "__main__":
    unittest.main()
