# SPDX-License-Identifier: MIT
"""`outrider send': as the API, from the command line."""

import email
import email.policy
import os
import pathlib
import tempfile
import unittest

import mail
from sandbox import fresh, shared, wait_for

SERVER = "acme/main"


class Send(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def words(self, *options, **given):
        """Good options, but for those given; None leaves one out."""
        whole = {"from": mail.SENDER, "to": fresh(), "subject": "trial", "text": self.file("text", "Hello.\n")}
        whole.update({name.replace("_", "-").strip("-"): value for name, value in given.items()})
        words = [word for name, value in whole.items() if value is not None for word in (f"--{name}", value)]
        return ["send", SERVER, *words, *options]

    def send(self, *options, **given):
        data = self.sandbox.outrider(*self.words(*options, **given))
        self.assertEqual(set(data), {"message_id", "messages", "queue_id"})
        return data

    def refused(self, status, says, *options, server=SERVER, **given):
        words = self.words(*options, **given)
        words[1] = server
        result = self.sandbox.outrider_plain(*words, check=False)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(says, result.stderr)

    def arrived(self, recipient):
        octets, record = self.sandbox.received(recipient)
        return octets, email.message_from_bytes(octets, policy=email.policy.default), record

    def test_everything(self):
        to, cc, bcc = fresh(), fresh(), fresh()
        data = self.send(
            "--header", "X-Campaign: k\u00f6ln", "--header", "List-Unsubscribe:<https://x.test/>", "--to", f"B <{cc}>",
            "--attach", self.file("a b.txt", "a\nb\r") + ":text/plain", "--attach", self.file("b.bin", bytes(range(256))),
            to=f"J\u00f6rg <{to}>", bcc=bcc, sender="robot@acme.test", reply_to="a@acme.test", tag="invoice",
            subject="Gr\u00fc\u00dfe", html=self.file("html", "<p>Sch\u00f6n</p>"))
        self.assertEqual(set(data["messages"]), {to, cc, bcc})
        for recipient in (to, cc, bcc):
            row = self.sandbox.history(recipient, "Sent")
            self.assertEqual({"id": row["id"], "token": row["token"]}, data["messages"][recipient])
            self.assertEqual((row["tag"], row["header_message_id"]), ("invoice", f"<{data['message_id']}>"))
            octets, parsed, _ = self.arrived(recipient)
            self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
        self.assertEqual((str(parsed["Subject"]), str(parsed["X-Campaign"])), ("Gr\u00fc\u00dfe", "k\u00f6ln"))
        self.assertEqual(str(parsed["To"]), f"J\u00f6rg <{to}>, B <{cc}>")
        self.assertIsNone(parsed["Bcc"])
        self.assertEqual(str(parsed["List-Unsubscribe"]), "<https://x.test/>")
        self.assertIn("by mail.outrider.test (outrider send)", " ".join(parsed.get_all("Received")))
        text, binary = parsed.iter_attachments()
        self.assertEqual((text.get_filename(), text.get_content_type(), text.get_payload(decode=True)),
                         ("a b.txt", "text/plain", b"a\nb\r"))
        self.assertEqual((binary.get_content_type(), binary.get_payload(decode=True)),
                         ("application/octet-stream", bytes(range(256))))

    def test_one_is_told_for_people(self):
        recipient = fresh()
        text = self.sandbox.outrider_plain(*self.words(to=recipient)).stdout
        row = self.sandbox.history(recipient, "Sent")
        for word in (str(row["id"]), row["token"], row["queue_id"], recipient):
            self.assertIn(word, text)
        story = self.sandbox.outrider("explain", str(row["id"]))["messages"][0]
        self.assertEqual((story["submission"]["queue_id"], story["submission"]["hop"]), (row["queue_id"], False))

    def test_from_standard_input(self):
        recipient = fresh()
        words = [self.sandbox.variables["OUTRIDER"], "-c", self.sandbox.outrider_conf, *self.words(to=recipient, text="-")]
        self.sandbox.execute("sh", "-c", 'printf "piped\\n" | "$@"', "sh", *words)
        self.assertEqual(self.arrived(recipient)[1].get_content(), "piped\r\n")

    def test_null_sender(self):
        recipient = fresh()
        self.send("--bounce", to=recipient)
        self.assertEqual(self.arrived(recipient)[2]["sender"], "")

    def test_raw(self):
        recipients = [fresh(), fresh()]
        content = mail.message(recipients[0], b".dot\r\n\r\n")
        data = self.send("--raw", self.file("raw", content.replace(b"\r\n", b"\n")), to=", ".join(recipients), subject=None, text=None)
        self.assertEqual(set(data["messages"]), set(recipients))
        for recipient in recipients:
            self.assertEqual(mail.without_added(self.arrived(recipient)[0]), content)

    def test_refusals(self):
        for status, says, options, given in (
                (65, "NoRecipients: There are no recipients", (), {"to": None}),
                (65, "`to` has something in it that is no address: nobody", (), {"to": "nobody"}),
                (65, "`to` has something", (), {"to": "x" * 400 + "@ok.test"}),
                (65, "TooManyToAddresses", (), {"to": ",".join(fresh() for _ in range(51))}),
                (65, "NoContent", (), {"text": None}),
                (65, "FromAddressMissing", (), {"from": None}),
                (69, "UnauthenticatedFromAddress: The From address is not", (), {"from": "x@stranger.test"}),
                (69, "UnauthenticatedFromAddress", (), {"from": "a@acme.test, b@acme.test"}),
                (65, "AttachmentMissingData", ("--attach", self.file("empty", "")), {}),
                (69, "UnauthenticatedFromAddress", ("--attach", self.file("empty", "")), {"from": "x@stranger.test"}),
                (65, "header: must be NAME:VALUE", ("--header", "x"), {}),
                (65, "header: must be NAME:VALUE", ("--header", "a b: x"), {}),
                (65, "header: Outrider writes", ("--header", "content-type: text/html"), {}),
                (65, "header: Outrider writes", ("--header", "To: x@ok.test"), {}),
                (65, "`reply_to`", (), {"reply-to": "nobody"}),
                (65, "text: is not text in UTF-8", (), {"text": self.file("latin", b"J\xf6")}),
                (65, "text: is not text in UTF-8", (), {"text": self.file("nul", b"a\0b")}),
                (69, "open /nonexistent", (), {"text": "/nonexistent"}),
                (65, "tag: may have 255", (), {"tag": "t" * 256}),
                (65, "html: standard input", (), {"text": "-", "html": "-"}),
                (65, "subject: a whole message", ("--raw", self.file("raw", mail.message("x@ok.test"))), {"text": None}),
                (65, "raw: is no message: line 1", ("--raw", self.file("odd", "no field\n\n")), {"text": None, "subject": None}),
                (65, "from: is no address", ("--raw", self.file("raw", mail.message("x@ok.test"))),
                 {"text": None, "subject": None, "from": None}),
                (69, "MessageRefused: 553 5.1.3", ("--raw", self.file("raw", mail.message("x@ok.test"))),
                 {"text": None, "subject": None, "to": "b%ok.test@mail.outrider.test"}),
                (65, "raw: The header of the message has more than 1000 fields",
                 ("--raw", self.file("wide", mail.message("x@ok.test", headers=[f"X-{i}: y" for i in range(1001)]))),
                 {"text": None, "subject": None}),
                (65, "TooManyReceived", ("--raw", self.file("loop", mail.message("x@ok.test", headers=("Received: x",) * 51))),
                 {"text": None, "subject": None}),
                (69, "credential acme/main nobody does not exist", ("--credential", "nobody"), {}),
                (64, "given twice", ("--subject", "again"), {})):
            with self.subTest(says=says):
                self.refused(status, says, *options, **given)
        self.refused(69, "does not exist", server="acme/none")
        large = self.file("large", "")
        os.truncate(large, 100 * 1024 * 1024 + 1)
        self.refused(65, "text: " + large + " is too large", text=large)

    def server(self, name, *options):
        """A server of its own with two credentials of type api."""
        self.sandbox.outrider("server", "add", f"acme/{name}", "--name", name, "--mode", "live")
        for credential in ("one", "two"):
            self.sandbox.outrider("credential", "add", f"acme/{name}", credential, "--type", "api", *options)
        return f"acme/{name}"

    def by(self, server, *options, check=True, **given):
        words = self.words(*options, **given)
        words[1] = server
        return self.sandbox.outrider(*words, check=check)

    def ready(self, server, credential):
        """Once the replica has it, the refusal is about the letter."""
        wait_for(lambda: "NoRecipients" in self.by(server, "--credential", credential, check=False, to=None).stderr,
                 "the new credential in the replica")

    def test_credential_that_is_named(self):
        server, recipient = self.server("named"), fresh()
        self.ready(server, "two")
        self.refused(65, "has 2 of type api; say --credential", server=server)
        self.by(server, "--credential", "two", to=recipient)
        self.assertEqual(self.sandbox.history(recipient, "Sent")["credential"], "two")

    def test_credential_that_is_disabled_or_suspended(self):
        server = self.server("ended")
        self.ready(server, "one")

        def says(word):
            return word in self.by(server, "--credential", "one", check=False).stderr

        self.sandbox.outrider("credential", "change", server, "one", "--disable")
        wait_for(lambda: says("InvalidServerAPIKey: The credential is disabled"), "the change in the replica")
        self.sandbox.outrider("credential", "change", server, "one", "--enable")
        self.sandbox.outrider("server", "change", server, "--suspend", "unpaid")
        wait_for(lambda: says("ServerSuspended"), "the suspension in the replica")
        result = self.by(server, "--credential", "one", check=False)
        self.assertEqual(result.returncode, 69, result.stderr)

    def test_credential_that_is_held(self):
        server, recipient = self.server("held", "--hold", "yes"), fresh()
        self.ready(server, "one")
        data = self.by(server, "--credential", "one", to=recipient)
        self.assertEqual(self.sandbox.history(recipient, "Held")["id"], data["messages"][recipient]["id"])

    def test_limit(self):
        server = self.server("limited")
        self.sandbox.outrider("limit", "set", server, "1/day", "--action", "reject")
        self.ready(server, "one")

        def end_of_one():
            recipient = fresh()
            self.by(server, "--credential", "one", to=recipient)
            rows = wait_for(lambda: [row for row in self.sandbox.outrider("message", "list", "--to", recipient)
                                     if row["status"] in ("Sent", "HardFail")], "an end")
            return rows[0] if rows[0]["status"] == "HardFail" else None

        row = wait_for(end_of_one, "a message beyond the limit")
        story = self.sandbox.outrider("explain", str(row["id"]))["messages"][0]
        self.assertEqual((story["submission"]["queue_id"], story["submission"]["hop"]), (row["queue_id"], False))
        self.assertIn(f"Limit of 1 message per day for server {server} is reached", story["status_reason"])

    def test_without_milter(self):
        recipient = fresh()
        self.sandbox.stop("milter")
        try:
            self.refused(75, "4", to=recipient)
        finally:
            self.sandbox.start("milter")
        self.send(to=recipient)
        self.sandbox.history(recipient, "Sent")
        self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_not_root(self):
        recipient = fresh()
        words = [self.sandbox.variables["OUTRIDER"], "-c", self.sandbox.outrider_conf, *self.words(to=recipient)]
        result = self.sandbox.execute("setpriv", "--reuid=nobody", "--clear-groups", *words, check=False)
        self.assertEqual((result.returncode, result.stdout), (75, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Aoutrider: open \S+/etc/keys/\w+: Permission denied\n\Z")
        self.assertEqual(self.sandbox.outrider("message", "list", "--to", recipient), [])


if __name__ == "__main__":
    unittest.main()
