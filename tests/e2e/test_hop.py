# SPDX-License-Identifier: MIT
"""A submission to several recipients becomes one message each, and nobody learns of the others."""

import smtplib
import unittest

import mail
from sandbox import fresh, shared, wait_for

HOPS_WORDS = (b"X-Outrider-Claim", b"X-Outrider-Stage", b"outrider-split", b"10026")


def submit(client, recipients, content, sender=mail.SENDER, options=(), rcpt_options=()):
    """One transaction to many; returns the queue id."""
    replies = [client.mail(sender, options)]
    replies += [client.rcpt(recipient, rcpt_options) for recipient in recipients]
    replies.append(client.data(content))
    for reply in replies:
        if reply[0] >= 400:
            raise smtplib.SMTPResponseException(*reply)
    return replies[-1][1].split(b"queued as ")[1].split()[0].decode()


class Hop(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def send(self, recipients, content, **options):
        with mail.Client(self.sandbox) as client:
            return submit(client, recipients, content, **options)

    def test_forty_recipients(self):
        recipients = [fresh() for _ in range(40)]
        shown, hidden = recipients[:3], recipients[3]
        content = mail.message(", ".join(shown[:2]), headers=(f"Cc: Team <{shown[2]}>", f"Bcc: {hidden}"))
        self.send(recipients, content)
        rows = [self.sandbox.history(recipient, "Sent") for recipient in recipients]
        for unique in ("id", "token", "return_path", "queue_id"):
            self.assertEqual(len({row[unique] for row in rows}), 40, unique)
        self.assertEqual(len({row["submission_id"] for row in rows}), 1)
        for row in rows:
            octets, record = self.sandbox.received(row["rcpt_to"])
            self.assertEqual(record["sender"], row["return_path"])
            self.assertEqual(mail.without_added(octets).replace(f"Bcc: {hidden}\r\n".encode(), b""),
                             content.replace(f"Bcc: {hidden}\r\n".encode(), b""))
            self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
            for word in HOPS_WORDS + tuple(
                    other[key].encode() for other in rows if other is not row
                    for key in ("token", "return_path", "rcpt_to") if other["rcpt_to"] not in shown):
                self.assertNotIn(word, octets)
            self.assertEqual(len(mail.values(octets, "Received")), 1)
            self.assertIn(row["token"], mail.values(octets, "X-Outrider-MsgID")[0])

    def test_thousand_recipients(self):
        domain = "ok.test"
        recipients = [fresh(domain) for _ in range(1000)]
        self.send(recipients, mail.message("undisclosed:;"))
        mine = set(recipients)

        def sent():
            rows = [row for row in self.sandbox.outrider("message", "list", "--limit", "1000")
                    if row["rcpt_to"] in mine]
            return rows if len(rows) == 1000 and all(r["status"] == "Sent" for r in rows) else None

        rows = wait_for(sent, "1000 rows in state Sent", 180)
        self.assertEqual({row["rcpt_to"] for row in rows}, mine)
        got = [entry["address"] for record in self.sandbox.envelopes(domain)
               for entry in record["recipients"] if entry["address"] in mine]
        self.assertEqual(len(got), 1000)
        self.assertEqual(set(got), mine)

    def test_more_than_a_thousand_are_put_off(self):
        with mail.Client(self.sandbox) as client:
            client.mail(mail.SENDER)
            for _ in range(1000):
                self.assertEqual(client.rcpt(fresh())[0], 250)
            code, text = client.rcpt(fresh())
            self.assertEqual((code, text[:5]), (452, b"4.5.3"))
            client.rset()

    def test_each_recipient_has_an_end_of_its_own(self):
        good, bad, slow = fresh(), fresh("refuse.test"), fresh("greylist.test")
        self.send([good, bad, slow], mail.message(good))
        self.assertEqual(len(self.sandbox.history(good, "Sent")["deliveries"]), 1)
        self.assertEqual(self.sandbox.history(bad, "HardFail")["deliveries"][0]["code"], 550)
        self.assertEqual([d["status"] for d in self.sandbox.history(slow, "Sent")["deliveries"]],
                         ["SoftFail", "Sent"])

    def test_parameters_survive(self):
        recipients = [fresh(), fresh()]
        self.send(recipients, mail.message(recipients[0], body="J\u00f6\r\n".encode(), headers=(
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")),
                  options=("RET=HDRS", "ENVID=trial", "BODY=8BITMIME"), rcpt_options=("NOTIFY=FAILURE",))
        for recipient in recipients:
            octets, record = self.sandbox.received(recipient)
            self.assertTrue(octets.endswith("J\u00f6\r\n".encode()))
            self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
            said = " ".join(record["sender_parameters"] + record["recipients"][0]["parameters"])
            for parameter in ("RET=HDRS", "ENVID=trial", "BODY=8BITMIME", "NOTIFY=FAILURE"):
                self.assertIn(parameter, said)

    def test_explained_by_the_submissions_queue_id(self):
        recipients = [fresh(), fresh()]
        queue_id = self.send(recipients, mail.message(recipients[0]))
        for recipient in recipients:
            self.sandbox.history(recipient, "Sent")
        text = self.sandbox.outrider_plain("explain", queue_id).stdout
        for recipient in recipients:
            self.assertIn(recipient, text)

    def stuck_before_the_hop(self, recipients):
        """A submission that waits to be split: (queue id, its sealed sender, its octets with the claim)."""
        self.sandbox.execute("postconf", "-e", "defer_transports=outrider-split")
        self.sandbox.execute("postfix", "reload")
        self.addCleanup(self.sandbox.execute, "postfix", "reload")
        self.addCleanup(self.sandbox.execute, "postconf", "-X", "defer_transports")
        queue_id = self.send(recipients, mail.message(recipients[0]))

        def deferred():
            return [entry for entry in self.sandbox.queue()
                    if entry["queue_id"] == queue_id and entry["queue_name"] == "deferred"]

        sender = wait_for(deferred, f"{queue_id} deferred")[0]["sender"]
        content = self.sandbox.execute("postcat", "-qhb", queue_id).stdout
        return queue_id, sender, content.replace("\n", "\r\n").encode()

    def go_on(self):
        self.sandbox.execute("postconf", "-X", "defer_transports")
        self.sandbox.execute("postfix", "reload")
        self.sandbox.execute("postqueue", "-f")

    def test_link_of_the_hop_breaks_after_its_answer(self):
        """Postfix splits again: the same message twice, and history says so."""
        twice, once = fresh(), fresh()
        queue_id, sender, content = self.stuck_before_the_hop([twice, once])
        with smtplib.SMTP("127.0.0.1", 10026, timeout=30) as client:
            client.ehlo("outrider-split.invalid")
            submitted = submit(client, [twice], content, sender=sender)
        first = self.sandbox.history(twice, "Sent")
        self.assertEqual(first["queue_id"], submitted)
        self.go_on()
        single = self.sandbox.history(once, "Sent")
        copies = wait_for(lambda: len(self.sandbox.inbox(twice)) == 2 and self.sandbox.inbox(twice),
                          "two copies")
        self.assertEqual(len({mail.values(octets, "X-Outrider-MsgID")[0] for octets, _ in copies}), 1)
        self.assertEqual(len({record["sender"] for _, record in copies}), 1)
        row = wait_for(lambda: self.marked(twice), "the mark")
        self.assertEqual((row["id"], row["token"], row["store_path"]),
                         (first["id"], first["token"], first["store_path"]))
        self.assertEqual(len({d["queue_id"] for d in row["deliveries"] if d["status"] == "Sent"}), 2)
        self.assertFalse(single["duplicate"])
        text = self.sandbox.outrider_plain("explain", twice).stdout
        for delivery in row["deliveries"]:
            self.assertIn(delivery["queue_id"], text)

    def marked(self, recipient):
        row = self.sandbox.history(recipient, "Sent")
        sent = [d for d in row["deliveries"] if d["status"] == "Sent"]
        return row if row["duplicate"] and len(sent) == 2 else None

    def test_claim_for_another_message_is_refused(self):
        a, b = fresh(), fresh()
        queue_id, sender, content = self.stuck_before_the_hop([a, b])
        for stranger, text, path in ((fresh(), content, sender), (a, content + b"more\r\n", sender),
                                     (a, content, mail.SENDER)):
            with smtplib.SMTP("127.0.0.1", 10026, timeout=30) as client:
                client.ehlo("outrider-split.invalid")
                with self.assertRaises(smtplib.SMTPResponseException) as refusal:
                    submit(client, [stranger], text, sender=path)
                self.assertEqual(refusal.exception.smtp_code, 451)
        self.go_on()
        for recipient in (a, b):
            self.sandbox.history(recipient, "Sent")
            self.sandbox.received(recipient)

    def test_held_one_by_one(self):
        """A server in development mode: each message waits in the hold queue, and leaves when released."""
        self.sandbox.outrider("server", "add", "acme/bench", "--name", "Bench", "--mode", "development")
        key = self.sandbox.outrider("credential", "add", "acme/bench", "app")["key"]
        recipients = [fresh(), fresh()]
        wait_for(lambda: self.login(key), "the new credential on the mail path")
        with mail.Client(self.sandbox, login=False) as client:
            client.login("acme/bench", key)
            submit(client, recipients, mail.message(recipients[0]))
        held = [self.sandbox.history(recipient, "Held")["queue_id"] for recipient in recipients]
        self.assertEqual(self.sandbox.inbox(recipients[0]) + self.sandbox.inbox(recipients[1]), [])
        self.sandbox.execute("postsuper", *(word for queue_id in held for word in ("-H", queue_id)))
        self.sandbox.execute("postqueue", "-f")
        for recipient in recipients:
            self.sandbox.history(recipient, "Sent")

    def login(self, key):
        with mail.Client(self.sandbox, login=False) as client:
            try:
                return client.login("acme/bench", key)
            except smtplib.SMTPAuthenticationError:
                return None

    def test_listener_of_the_hop_takes_nothing_else(self):
        recipients = []
        with smtplib.SMTP("127.0.0.1", 10026, timeout=30) as client:
            client.ehlo("outrider-split.invalid")
            for sender in ("", mail.SENDER, "me@else.test"):
                recipients.append(fresh())
                client.mail(sender)
                client.rcpt(recipients[-1])
                code, text = client.data(mail.message(recipients[-1]))
                self.assertEqual((code, text[:5]), (451, b"4.7.1"))
        queued = {one["address"] for entry in self.sandbox.queue() for one in entry["recipients"]}
        self.assertEqual(queued & set(recipients), set())


if __name__ == "__main__":
    unittest.main()
