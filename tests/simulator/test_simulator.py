#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The simulator must itself be right: what it keeps is what tests compare with."""

import asyncio
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import behaviours  # noqa: E402  (found beside this file)
import reports  # noqa: E402
from inbox import Inbox  # noqa: E402
from smtp import Session  # noqa: E402

PATH = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"


class Simulated(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.inbox = Inbox(self.directory.name)

    async def talk(self, behaviour, sent):
        """Everything that the server answers to octets sent at once."""
        host = behaviours.Host("d.test", "mx.d.test", "127.0.0.1", behaviour)

        async def run(reader, writer):
            await Session(host, reader, writer, lambda _, *what: self.inbox.keep(*what), None).run()

        server = await asyncio.start_server(run, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(sent)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        server.close()
        return answer.decode().split("\r\n")[:-1]

    def kept(self, name="d.test/000001.eml"):
        return pathlib.Path(self.directory.name, name).read_bytes()

    async def test_data_keeps_every_octet(self):
        for sent, kept in [
            (b".\r\n", b""),
            (b"\r\n.\r\n", b"\r\n"),
            (b"a: b\r\n\r\nc\r\n.\r\n", b"a: b\r\n\r\nc\r\n"),
            (b"..\r\n...\r\n.a\r\n.\r\n", b".\r\n..\r\na\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"\xff\x00 \t\r\n.\r\n", b"\xff\x00 \t\r\n"),
            (b"x" * 300000 + b"\r\n.\r\n", b"x" * 300000 + b"\r\n"),
        ]:
            with self.subTest(sent=sent[:20]):
                await self.asyncSetUp()
                answers = await self.talk(behaviours.Behaviour(), b"EHLO c\r\n" + PATH + sent)
                self.assertEqual(answers[-1], "250 2.0.0 Ok: kept as d.test/000001.eml")
                self.assertEqual(self.kept(), kept)

    async def test_data_cut_short_keeps_nothing(self):
        for sent in (b"", b"a: b\r\n", b"a\n.\n", b"a\r\n.", b"a\r\n.\n"):
            with self.subTest(sent=sent):
                await self.talk(behaviours.Behaviour(), b"EHLO c\r\n" + PATH + sent)
                self.assertEqual(list(pathlib.Path(self.directory.name).iterdir()), [])

    async def test_envelope_has_parameters(self):
        await self.talk(behaviours.Behaviour(), b'EHLO c.test\r\nMAIL FROM:<"a>b"@c.test> SIZE=9 BODY=8BITMIME\r\n'
                        b"RCPT TO:<c@D.test> NOTIFY=NEVER\r\nDATA\r\n.\r\n")
        envelope = json.loads(self.kept("d.test/000001.json"))
        self.assertEqual((envelope["sender"], envelope["sender_parameters"], envelope["helo"]),
                         ('"a>b"@c.test', ["SIZE=9", "BODY=8BITMIME"], "c.test"))
        self.assertEqual(envelope["recipients"], [{"address": "c@D.test", "parameters": ["NOTIFY=NEVER"]}])
        self.assertIsNone(envelope["tls"])

    async def test_refusals(self):
        for line, code in [
            (b"MAIL FROM:<a@b>", "503"), (b"RCPT TO:<a@b>", "503"), (b"DATA", "503"),
            (b"EHLO c\r\nMAIL FROM:a@b", "501"), (b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a>", "501"),
            (b"EHLO c\r\nSTARTTLS", "502"), (b"FROB", "502"),
        ]:
            with self.subTest(line=line):
                self.assertEqual((await self.talk(behaviours.Behaviour(), line + b"\r\n"))[-1][:3], code)

    async def test_greylist_by_peer_and_recipient(self):
        greylist = behaviours.Greylist()
        send = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<%s@d.test>\r\n"
        codes = [(await self.talk(greylist, send % name))[-1][:3] for name in (b"a", b"a", b"b", b"A", b"b")]
        self.assertEqual(codes, ["451", "250", "451", "250", "250"])

    async def test_busy_by_turns(self):
        busy = behaviours.Busy()
        send = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@d.test>\r\n"
        codes = [(await self.talk(busy, send))[-1][:3] for _ in range(5)]
        self.assertEqual(codes, ["452", "250", "421", "250", "452"])

    def test_numbers_go_on(self):
        envelope = {"recipients": [{"address": "a@d.test"}]}
        self.inbox.keep(b"", envelope)
        self.assertEqual(Inbox(self.directory.name).keep(b"", envelope), "d.test/000002.eml")

    def test_domain_stays_below_the_inbox(self):
        for domain in ("../x", "a/b", ".", "..", ""):
            envelope = {"recipients": [{"address": f"a@{domain}"}]}
            self.assertTrue(self.inbox.keep(b"", envelope).startswith("other/"))

    def test_reports_name_the_message(self):
        host = behaviours.HOSTS[0]
        envelope = {"sender": "rp@x.test", "peer": "192.0.2.11", "recipients": [{"address": "a@ok.test"}]}
        content = b"Message-ID: <1@x>\r\n\r\nbody\r\n"
        dsn, arf = reports.dsn(host, envelope, content), reports.arf(host, envelope, content)
        self.assertIn(b"Final-Recipient: rfc822; a@ok.test\r\nAction: failed\r\nStatus: 5.1.1\r\n", dsn)
        self.assertIn(b"Message-ID: <1@x>", dsn)
        self.assertNotIn(b"body\r\n", dsn)
        self.assertIn(b"Feedback-Type: abuse\r\n", arf)
        self.assertIn(content, arf)


if __name__ == "__main__":
    unittest.main()
