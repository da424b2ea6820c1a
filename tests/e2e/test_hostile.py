# SPDX-License-Identifier: MIT
"""Absurd input by SMTP, CLI and configuration: one clear line, nothing half-written."""

import base64
import pathlib
import smtplib
import socket
import subprocess
import tempfile
import unittest

import mail
from sandbox import fresh, shared

LONG = "x" * 10_000


class Smtp(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def outcome(self, content, recipient=None, **transaction):
        """250 and the message arrives, or a refusal that says why."""
        recipient = recipient or fresh()
        try:
            with mail.Client(self.sandbox) as client:
                client.submit(content, recipient, **transaction)
        except smtplib.SMTPResponseException as refusal:
            self.assertGreaterEqual(refusal.smtp_code, 400)
            self.assertRegex(refusal.smtp_error, rb"^[45]\.\d\.\d+ ")
            self.assertEqual(self.sandbox.inbox(recipient), [])
            return refusal.smtp_code
        received, _ = self.sandbox.received(recipient)
        self.assertGreaterEqual(mail.verify_all(self.sandbox, received), 1)
        self.sandbox.history(recipient, "Sent")
        return 250

    def test_ten_thousand_headers(self):
        recipient = fresh()
        self.outcome(mail.message(recipient, headers=[f"X-N{i}: v" for i in range(10_000)]), recipient)

    def test_header_of_100_kilobytes(self):
        recipient = fresh()
        self.outcome(mail.message(recipient, headers=["X-Long: " + "word " * 20_000]), recipient)

    def test_unbroken_header_of_10_kilobytes(self):
        recipient = fresh()
        self.outcome(mail.message(recipient, headers=[f"X-Long: {LONG}"]), recipient)

    def test_nul_and_control_octets(self):
        recipient = fresh()
        self.outcome(mail.message(recipient, b"a\0b\x01\x7f\xff\r\n"), recipient)

    def test_binary_subject(self):
        recipient = fresh()
        content = mail.message(recipient).replace(b"Subject: ", b"Subject: \xff\xfe\x80 ")
        self.assertEqual(self.outcome(content, recipient), 250)

    def test_subject_of_10_kilobytes(self):
        recipient = fresh()
        content = mail.message(recipient).replace(b"Subject: ", b"Subject: " + b"word " * 2000)
        self.assertEqual(self.outcome(content, recipient), 250)

    def test_white_space_that_verifiers_disagree_on(self):
        recipient = fresh()
        content = mail.message(recipient).replace(b"Subject: ", b"Subject: \x0ba\x0c b\x0b")
        self.assertEqual(self.outcome(content, recipient), 250)

    def test_field_name_with_a_semicolon(self):
        recipient = fresh()
        self.assertEqual(self.outcome(mail.message(recipient, headers=["X;h=from: x"]), recipient), 250)

    def test_broken_signature_of_another(self):
        recipient = fresh()
        with mail.Client(self.sandbox) as client:
            client.submit(mail.message(recipient, headers=["DKIM-Signature: v=1; a="]), recipient)
        received, _ = self.sandbox.received(recipient)
        self.assertEqual(mail.values(received, "dkim-signature")[2:], ["v=1; a="])
        self.assertGreaterEqual(mail.verify_all(self.sandbox, received.replace(b"DKIM-Signature: v=1; a=\r\n", b"")), 1)

    def test_no_from_at_all(self):
        recipient = fresh()
        self.assertEqual(self.outcome(f"To: {recipient}\r\n\r\nx\r\n".encode(), recipient), 530)

    def test_from_of_10_kilobytes(self):
        recipient = fresh()
        self.assertEqual(self.outcome(mail.message(recipient, sender=LONG + "@acme.test"), recipient) // 100, 5)

    def test_deep_mime(self):
        recipient = fresh()
        body = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1)
                        for i in range(500)) + b"x" * 3000 + b"\r\n"
        self.outcome(mail.message(recipient, body, headers=[
            "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b0"]), recipient)

    def test_overlong_names_in_auth(self):
        with mail.Client(self.sandbox, login=False) as client:
            with self.assertRaises(smtplib.SMTPException):
                client.login(LONG[:900], LONG[:500])
        with mail.Client(self.sandbox) as client:
            self.assertEqual(client.noop()[0], 250)


class Wire(unittest.TestCase):
    """Octets that no mail client would send, on a submission port in clear text from loopback."""

    def setUp(self):
        self.sandbox = shared()

    def talk(self, octets, quit_after=True):
        """Sends octets in one go; returns every reply line until the server closes."""
        with socket.create_connection(("127.0.0.1", 2525), timeout=60) as link:
            link.sendall(octets + (b"QUIT\r\n" if quit_after else b""))
            replies = b""
            try:
                while chunk := link.recv(65536):
                    replies += chunk
            except ConnectionResetError:
                pass
        return replies.decode("latin-1").splitlines()

    def login(self):
        token = base64.b64encode(b"\0x\0" + self.sandbox.smtp_key.encode())
        return b"EHLO client.acme.test\r\nAUTH PLAIN " + token + b"\r\n"

    def still_works(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient)
        self.sandbox.received(recipient)

    def test_overlong_command_lines(self):
        for line in (b"MAIL FROM:<" + b"a" * 100_000 + b"@acme.test>", b"EHLO " + b"h" * 100_000,
                     b"AUTH PLAIN " + b"QUFB" * 25_000, b"\xff" * 100_000):
            with self.subTest(line=line[:12]):
                replies = self.talk(b"EHLO client.acme.test\r\n" + line + b"\r\n")
                self.assertRegex(replies[0], "^220 ")
                self.assertNotIn("235", [reply[:3] for reply in replies])
        self.still_works()

    def test_nul_octets_in_commands(self):
        recipient = fresh()
        self.talk(self.login() + b"MAIL FROM:<a\0b@acme.test>\r\nRCPT TO:<" + recipient.encode() +
                  b"\0>\r\nDATA\r\n")
        self.assertEqual(self.sandbox.inbox(recipient), [])
        self.still_works()

    def test_nul_octets_in_the_credential(self):
        token = base64.b64encode(b"\0\0\0" + self.sandbox.smtp_key.encode() + b"\0")
        replies = self.talk(b"EHLO client.acme.test\r\nAUTH PLAIN " + token + b"\r\n")
        self.assertNotIn("235", [reply[:3] for reply in replies])
        self.still_works()

    def test_whole_session_in_one_packet(self):
        """Pipelining beyond what RFC 2920 allows: refused, or one message with one recipient."""
        recipient = fresh()
        content = mail.message(recipient, b"one\r\n")
        self.talk(self.login() + b"MAIL FROM:<app@acme.test>\r\nRCPT TO:<" + recipient.encode() +
                  b">\r\nDATA\r\n" + content + b".\r\n")
        self.still_works()
        self.assertLessEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_bare_line_feed_smuggles_nothing(self):
        """A lone LF before the dot must not end the message for us and go on as a second one."""
        first, second = fresh(), fresh()
        smuggled = (b"\n.\nMAIL FROM:<app@acme.test>\r\nRCPT TO:<" + second.encode() +
                    b">\r\nDATA\r\nFrom: app@acme.test\r\n\r\nsmuggled\r\n.\r\n")
        with mail.Client(self.sandbox) as client:
            client.mail(mail.SENDER)
            client.rcpt(first)
            client.putcmd("data")
            self.assertEqual(client.getreply()[0], 354)
            client.send(mail.message(first, b"x\r\n") + smuggled)
            code, _ = client.getreply()
        self.still_works()
        self.assertEqual(self.sandbox.inbox(second), [])
        if code == 250:
            self.sandbox.received(first)

    def test_ten_thousand_unknown_commands(self):
        replies = self.talk(b"".join(b"X%d\r\n" % n for n in range(10_000)))
        self.assertRegex(replies[-1], "^(4|5|2)[0-9][0-9] ")
        self.still_works()


class CommandLine(unittest.TestCase):
    """Exit 64 or 65 and one line that names the field."""

    CASES = (
        ("organization", "add", LONG), ("organization", "add", "Üml"), ("organization", "add", "a b"),
        ("organization", "add", ""), ("organization", "add", "new"), ("organization", "add", "a\nb"),
        ("server", "add", "acme"), ("server", "add", f"acme/{LONG}"), ("server", "add", "acme/x", "--mode", "loud"),
        ("domain", "add", "acme/main", LONG), ("domain", "add", "acme/main", "a..b"),
        ("domain", "add", "acme/main", "x" * 64 + ".test"), ("domain", "add", "acme/main", "-.test"),
        ("credential", "add", "acme/main", LONG), ("credential", "add", "acme/main", "n", "--expires", "soon"),
        ("credential", "add", "acme/main", "c\x07"), ("pool", "add", LONG),
        ("address", "add", "main", "--ipv4", "1.2.3", "--helo", "h.test"),
        ("address", "add", "main", "--ipv4", "192.0.2.99", "--helo", LONG),
        ("address", "add", "main", "--ipv4", "192.0.2.99", "--helo", "h.test", "--weight", "101"),
        ("address", "add", "main", "--ipv4", "192.0.2.99", "--helo", "h.test", "--ipv6", "::g"),
        ("message", "show", "-1"), ("message", "show", LONG), ("message", "list", "--limit", "many"),
        ("explain", LONG), ("nonsense",), ("server", "nonsense"), ("server", "add"),
        ("server", "add", "acme/x", "--nonsense"),
    )

    def test_each_is_one_clear_line(self):
        sandbox = shared()
        before = self.everything(sandbox)
        for arguments in self.CASES:
            with self.subTest(arguments=[a[:40] for a in arguments]):
                result = sandbox.outrider_plain(*arguments, check=False)
                self.assertIn(result.returncode, (64, 65, 69))
                self.assertEqual(result.stdout, "")
                self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
                self.assertLess(len(result.stderr), 1000)
        self.assertEqual(self.everything(sandbox), before)

    def everything(self, sandbox):
        return [sandbox.outrider(kind, "list") for kind in ("organization", "server", "domain", "pool", "address")]

    def test_invalid_utf8_argument(self):
        sandbox = shared()
        result = subprocess.run([sandbox.variables["OUTRIDER"], "-c",
                                 sandbox.outrider_conf, "organization", "add", b"a\xff\xfe"],
                                capture_output=True, check=False)
        self.assertIn(result.returncode, (64, 65))


class Configuration(unittest.TestCase):
    """Unknown key or bad value: every program refuses to start, with the line."""

    CASES = (
        b"nonsense = 1\n", b"node_id = 0\n", b"node_id = 256\n", b"node_id = one\n", b"node_id\n",
        b"node_id = 1\nnode_id = 2\n", b"return_path_domain = a..b\n", b"spool_dir = relative\n",
        b"hostname = " + b"x" * 5000 + b"\n", b"log_level = loud\n", b"auth_failure_delay = 1 fortnight\n",
        b"hostname = a\0b\n", b"hostname = \xff\xfe\n",
    )

    def test_each_names_file_and_line(self):
        sandbox = shared()
        good = pathlib.Path(sandbox.outrider_conf).read_bytes()
        folder = pathlib.Path(sandbox.variables["OUTRIDER"]).parent.parent / "sbin"
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory, "outrider.conf")
            for case in self.CASES:
                key = case.split(b"=")[0].strip().splitlines()[0]
                kept = b"".join(l for l in good.splitlines(True) if not l.startswith(key))
                file.write_bytes(kept + case)
                for program in ("outrider-policyd", "outrider-milter", "outrider-worker"):
                    with self.subTest(case=case[:30], program=program):
                        result = subprocess.run([folder / program, "-c", file, "--check"], timeout=30,
                                                capture_output=True, text=True, check=False)
                        self.assertEqual(result.returncode, 78)
                        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
                        self.assertRegex(result.stderr, r"outrider\.conf:\d+: ")


if __name__ == "__main__":
    unittest.main()
