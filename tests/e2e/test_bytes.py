# SPDX-License-Identifier: MIT
"""What the simulator receives is what was sent, but for the documented changes on top."""

import os
import unittest

import mail
from sandbox import fresh, shared


class Bytes(unittest.TestCase):
    """Each body arrives octet for octet, and both signatures verify."""

    def setUp(self):
        self.sandbox = shared()

    def same(self, body, headers=(), options=()):
        recipient = fresh()
        content, _ = mail.send(self.sandbox, recipient, mail.message(recipient, body, headers=headers),
                               options=options)
        received, _ = self.sandbox.received(recipient)
        self.assertEqual(mail.without_added(received), content)
        self.assertEqual(mail.verify_all(self.sandbox, received), 2)

    def test_eight_bit_text(self):
        self.same("Grüße aus Köln, с приветом\r\n".encode(),
                  ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
                   "Content-Transfer-Encoding: 8bit"], ["BODY=8BITMIME"])

    def test_eight_bit_text_undeclared(self):
        self.same("Grüße\r\n".encode("latin-1"))

    def test_base64_attachment(self):
        part = mail.base64_lines(os.urandom(50_000))
        self.same(b"--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--b\r\n"
                  b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                  part + b"--b--\r\n",
                  ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"'])

    def test_empty_body(self):
        self.same(b"")

    def test_line_of_998_octets(self):
        self.same(b"x" * 998 + b"\r\n" + b"y" * 998 + b"\r\n")

    def test_dots(self):
        self.same(b".\r\n..\r\n.x\r\n...\r\nend\r\n")

    def test_trailing_spaces_and_blank_lines(self):
        self.same(b"a  \r\n\t\r\nb \t \r\n\r\n\r\n")

    def test_from_line(self):
        self.same(b"From here\r\n>From there\r\n")

    def test_folded_headers(self):
        self.same(b"x\r\n", ["X-Folded: one\r\n\ttwo\r\n   three  ", "X-Empty:", "X-Tight:no space"])

    def test_ten_megabytes(self):
        line = bytes(33 + i % 90 for i in range(76)) + b"\r\n"
        self.same(line * (10 * 1024 * 1024 // len(line)))

    def test_line_of_5000_octets_is_reencoded(self):
        """RFC 5321 allows 998 octets; the line travels as quoted-printable and decodes to the same."""
        body = b"short = line\r\n" + b"word " * 1000 + b"\r\nend\r\n"
        recipient = fresh()
        mail.send(self.sandbox, recipient, mail.message(recipient, body))
        received, _ = self.sandbox.received(recipient)
        self.assertEqual(mail.values(received, "Content-Transfer-Encoding"), ["quoted-printable"])
        self.assertEqual(mail.decode_quoted_printable(mail.split(received)[1]), body)
        self.assertLessEqual(max(map(len, received.split(b"\r\n"))), 998)
        self.assertEqual(mail.verify_all(self.sandbox, received), 2)

    def test_long_header_line_is_folded(self):
        references = " ".join(f"<{i:030d}@acme.test>" for i in range(60))
        recipient = fresh()
        mail.send(self.sandbox, recipient,
                  mail.message(recipient, headers=[f"References: {references}"]))
        received, _ = self.sandbox.received(recipient)
        self.assertEqual(mail.values(received, "References")[0].split(), references.split())
        self.assertLessEqual(max(map(len, received.split(b"\r\n"))), 998)
        self.assertEqual(mail.verify_all(self.sandbox, received), 2)

    def test_missing_date_and_message_id_are_added(self):
        recipient = fresh()
        content = (f"From: {mail.SENDER}\r\nTo: {recipient}\r\nSubject: bare\r\n\r\nx\r\n").encode()
        mail.send(self.sandbox, recipient, content)
        received, _ = self.sandbox.received(recipient)
        self.assertEqual(len(mail.values(received, "Date")), 1)
        self.assertRegex(mail.values(received, "Message-ID")[0], r"^<\S+@\S+>$")
        self.assertEqual(mail.verify_all(self.sandbox, received), 2)

    def test_stored_message_is_what_left(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient, mail.message(recipient, b"kept\r\n" * 100))
        received, _ = self.sandbox.received(recipient)
        entry = self.sandbox.history(recipient, "Sent")
        stored = self.sandbox.outrider_plain("message", "raw", str(entry["id"])).stdout
        self.assertEqual(self.below_received(received), self.below_received(stored.encode()))

    def below_received(self, content):
        fields, body = mail.split(content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        return [f for f in fields if mail.field_name(f) != "received"], body

    def test_tag_reaches_history(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient,
                  mail.message(recipient, headers=["X-Postal-Tag: first", "X-Postal-Tag: invoice"]))
        self.assertEqual(self.sandbox.history(recipient, "Sent")["tag"], "invoice")

    def test_own_headers_of_strangers_are_removed(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient, mail.message(
            recipient, headers=["X-Outrider-Lane: 99", "X-Outrider-Claim: v1.0.x.y",
                                "x-outrider-msgid : forged", "X-Outrider-Stage: split"]))
        received, _ = self.sandbox.received(recipient)
        for name in ("X-Outrider-Lane", "X-Outrider-Claim", "X-Outrider-Stage"):
            self.assertEqual(mail.values(received, name), [])
        self.assertEqual(len(mail.values(received, "X-Outrider-MsgID")), 1)
        self.assertNotIn("forged", mail.values(received, "X-Outrider-MsgID")[0])


if __name__ == "__main__":
    unittest.main()
