# SPDX-License-Identifier: MIT
"""API v1 with every parameter as every kind of thing that it is not: a clear answer each, and all of a request is sent or nothing."""

import base64
import collections
import email
import email.policy
import json
import re
import unittest
import urllib.parse
import uuid

import mail
from sandbox import SOURCE, fresh, shared, wait_for
from test_api_send import MESSAGE, RAW, Api, message

KB = 1000
TEXTS = ("from", "sender", "subject", "tag", "reply_to", "plain_body", "html_body")
LISTS = ("to", "cc", "bcc")
FILE = ("name", "content_type", "data")
OF_MESSAGE = (*LISTS, *TEXTS, "bounce", "headers", "attachments")
OF_RAW = ("rcpt_to", "mail_from", "data", "bounce")
DATA = base64.b64encode(b"hello").decode()
SCRIPTS = ("\u00e9t\u00e9.txt", "\u65e5\u672c\u8a9e.pdf", "\u0440\u0443\u0441.doc", "\u05e9\u05dc\u05d5\u05dd.x", "\u0645\u0631.x", "\U0001f4e7.eml",
           "a b.txt", "quote\".txt", "back\\slash", "semi;colon", "per%cent", "../../etc/passwd", "e\u0301", "x" * 255, "\u65e5" * 85)
EVIL = ("\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "\r\n\r\nX-Evil: 1", "\r\n X-Evil: 1", "\u2028X-Evil: 1", "\u0085X-Evil: 1",
        "\x0bX-Evil: 1", "\r\nBcc: victim@ok.test\r\nX-Evil: 1", "?=\r\nX-Evil: 1", '"\r\nX-Evil: 1', ">\r\nX-Evil: 1", ")\r\nX-Evil: 1",
        "\r\n.\r\nMAIL FROM:<x@acme.test>\r\nX-Evil: 1", "\0\r\nX-Evil: 1")


def nested(depth):
    return [nested(depth - 1)] if depth else 1


VALUES = (None, True, False, 0, -1, 7, 1.5, 1e300, 10 ** 400, "", " ", "\t\r\n", "x", "x@ok.test", "@", "<>", "a@b@c", "\0", "a\0b", "\r\n",
          "\u2028", "\ufeff", "\ufffe", "\x7f", "\u202e", "e\u0301", "\U0001f4e7@ok.test", "a@ok.test\uff1e", "a@\uff3b127.0.0.1\uff3d",
          "," * 1000, "(" * 100, "\"", "\\", "=?utf-8?q?x?=", "x" * 100 * KB, "x y " * 25 * KB, "\u65e5" * 33 * KB, "a@ok.test," * 10 * KB,
          [], [None], [[]], [{}], [""], [7], [True], ["x", None], [["x@ok.test"]], {}, {"a": 1}, {"": ""}, {"name": {}}, nested(25))


class Case(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        self.api = Api(self.sandbox)
        self.sent, self.refused = {}, collections.Counter()

    def ask(self, path, body, marker, **options):
        """One request whose recipient `marker' nobody else writes to. Its answer is clear: what it is, and why."""
        status, answer = self.api.ask(path, body, **options)
        self.assertIsInstance(answer, dict, (status, answer))
        word, data = answer["status"], answer["data"]
        self.assertIn((status, word), ((200, "success"), (200, "error"), (200, "parameter-error"), (400, "parameter-error")), answer)
        if word == "success":
            self.assertIn(marker, data["messages"])
            self.sent[marker] = data["messages"][marker]["id"]
        else:
            self.assertTrue(data.get("message"), answer)
            self.assertLess(len(data["message"]), 1000)
            self.refused[marker] += 1
        return word, data

    def arrived(self):
        """Waits for all that was sent: each came once under the id that was told, and nothing came of what was refused."""
        rows = wait_for(self.all_in_history, "all that was sent", tell=lambda: len(self.sent.keys() - self.history().keys()))
        for marker, number in self.sent.items():
            self.assertEqual(rows[marker], [number])
        wait_for(lambda: self.sent.keys() <= self.inbox().keys(), "the mail", tell=lambda: self.sent.keys() - self.inbox().keys())
        inbox = self.inbox()
        for marker in self.refused:
            self.assertNotIn(marker, rows)
            self.assertNotIn(marker, inbox)
        for marker in self.sent:
            self.assertEqual(len(inbox[marker]), 1, marker)
        return {marker: inbox[marker][0] for marker in self.sent}

    def all_in_history(self):
        rows = self.history()
        return rows if self.sent.keys() <= rows.keys() else None

    def history(self):
        rows = collections.defaultdict(list)
        for number, address in self.sandbox.sql("SELECT id, rcpt_to FROM message"):
            rows[address].append(int(number))
        return rows

    def inbox(self):
        found = collections.defaultdict(list)
        for octets, record in self.sandbox.inbox(domain="ok.test"):
            for entry in record["recipients"]:
                found[entry["address"]].append(octets)
        return found


class Types(Case):
    def test_the_parameters_are_all(self):
        """This module knows each that the sources read."""
        for call, known in (("message", {*OF_MESSAGE, *FILE}), ("raw", set(OF_RAW))):
            text = (SOURCE / "api" / f"v1_{call}.c").read_text()
            read = re.findall(r'\((?:parameters|entry), "(\w+)"', text) + re.findall(r'\{"(\w+)", \w+, &message->', text)
            self.assertEqual(set(read), known)

    def test_every_value_for_every_parameter_of_a_message(self):
        for name in OF_MESSAGE:
            for value in VALUES:
                marker = fresh()
                with self.subTest(name, value=repr(value)[:40]):
                    self.ask(MESSAGE, {**message(to=None), "bcc" if name != "bcc" else "cc": marker, name: value}, marker)
        self.assertGreater(len(self.sent), 100)
        self.assertGreater(len(self.refused), 100)
        self.arrived()

    def test_every_value_in_a_list_a_header_and_a_file(self):
        for value in VALUES:
            for name in LISTS:
                marker = fresh()
                with self.subTest(name, value=repr(value)[:40]):
                    self.ask(MESSAGE, message(**{"to": None, name: [marker, value]}), marker)
            for headers in ({"X-Trial": value}, {str(value): "x"}):
                marker = fresh()
                with self.subTest("headers", value=repr(value)[:40]):
                    self.ask(MESSAGE, message(to=marker, headers=headers), marker)
            for name in FILE:
                marker = fresh()
                with self.subTest("attachments", name=name, value=repr(value)[:40]):
                    self.ask(MESSAGE, message(to=marker, attachments=[{"name": "a", "data": DATA, name: value}]), marker)
        self.arrived()

    def test_every_value_for_every_parameter_of_raw(self):
        for name in OF_RAW:
            for value in VALUES:
                marker = fresh()
                good = {"rcpt_to": [marker], "mail_from": mail.SENDER,
                        "data": base64.b64encode(mail.message(marker)).decode()}
                with self.subTest(name, value=repr(value)[:40]):
                    self.ask(RAW, {**good, name: [marker, value] if name == "rcpt_to" else value}, marker)
        self.arrived()

    def test_parameters_that_there_are_not(self):
        marker = fresh()
        self.ask(MESSAGE, message(to=marker, **{f"x{number}": value for number, value in enumerate(VALUES)}), marker)
        self.assertIn(marker, self.sent)
        self.arrived()


class Injection(Case):
    """No text of a parameter becomes a header field, another recipient or a command."""

    def test_every_text(self):
        victims = len(self.sandbox.inbox("victim@ok.test"))
        for evil in EVIL:
            for name, parameters in self.places(evil).items():
                marker = fresh()
                with self.subTest(name, evil=evil):
                    self.ask(MESSAGE, {**message(to=None), "bcc": marker, **parameters}, marker)
            for name, parameters in (("rcpt_to", lambda marker: {"rcpt_to": [marker, f"a{evil}@ok.test"]}),
                                     ("rcpt_to's domain", lambda marker: {"rcpt_to": [marker, f"a@ok.test{evil}"]}),
                                     ("mail_from", lambda marker: {"mail_from": f"app@acme.test{evil}"})):
                marker = fresh()
                good = {"rcpt_to": [marker], "mail_from": mail.SENDER, "data": base64.b64encode(mail.message(marker)).decode()}
                with self.subTest(name, evil=evil):
                    self.ask(RAW, {**good, **parameters(marker)}, marker)
        for octets in self.arrived().values():
            self.assertNotRegex(octets, rb"(?mi)(^|\r)x-evil")
            self.assertGreaterEqual(mail.verify_all(self.sandbox, octets), 1)
        self.assertEqual(len(self.sandbox.inbox("victim@ok.test")), victims)

    def places(self, evil):
        address = f"a{uuid.uuid4().hex[:6]}@ok.test"
        return {
            "subject": {"subject": f"Hello{evil}"}, "tag": {"tag": f"t{evil}"}, "from": {"from": f"A{evil} <{mail.SENDER}>"},
            "from's address": {"from": f"{mail.SENDER}{evil}"}, "sender": {"sender": f"S{evil} <{mail.SENDER}>"},
            "reply_to": {"reply_to": f"R{evil} <{address}>"}, "to": {"to": f"T{evil} <{address}>"},
            "to in quotes": {"to": f'"T{evil}" <{address}>'}, "to's domain": {"to": address + evil},
            "a comment": {"cc": f"{address} (C{evil})"}, "a header": {"headers": {"X-Trial": f"x{evil}"}},
            "a header's name": {"headers": {f"X-Trial{evil}": "x"}}, "a custom To": {"headers": {"To": f"T{evil} <{address}>"}},
            "a reference": {"headers": {"References": f"<a@b>{evil}"}},
            "a file's name": {"attachments": [{"name": f"f{evil}", "data": DATA}]},
            "a file's type": {"attachments": [{"name": "f", "content_type": f"text/plain{evil}", "data": DATA}]},
            "a type's parameter": {"attachments": [{"name": "f", "content_type": f"text/plain; charset=x{evil}", "data": DATA}]},
        }


class Much(Case):
    def test_twenty_files_in_many_scripts(self):
        marker = fresh()
        names = [*SCRIPTS, *(f"{number}.bin" for number in range(20 - len(SCRIPTS)))]
        files = [{"name": name, "content_type": "application/octet-stream", "data": base64.b64encode(name.encode() * 100).decode()}
                 for name in names]
        subject = "".join(SCRIPTS[:6]) * 20
        self.ask(MESSAGE, message(to=marker, subject=subject, attachments=files), marker)
        parsed = email.message_from_bytes(self.arrived()[marker], policy=email.policy.default)
        self.assertEqual(str(parsed["Subject"]), subject)
        found = [(part.get_filename(), part.get_payload(decode=True)) for part in parsed.iter_attachments()]
        self.assertEqual([content for _, content in found], [name.encode() * 100 for name in names])
        self.assertEqual([name for name, _ in found], names)

    def test_fifty_of_each(self):
        lists = {name: [f"\u00dc {number} <{fresh()}>" for number in range(50)] for name in LISTS}
        marker = fresh()
        lists["bcc"][-1] = marker
        self.ask(MESSAGE, message(**lists), marker)
        self.assertIn(marker, self.sent)
        self.arrived()

    def test_what_is_no_base64(self):
        for data in ("!!!!", "aGk", "a", "====", "aGk=aGk=", "aG\nk=", " aGk= ", "aGk=\0", "data:text/plain;base64,aGk=", "-_-_", "\u00e9", "%20"):
            marker = fresh()
            with self.subTest(data):
                self.ask(MESSAGE, message(to=marker, attachments=[{"name": "a", "data": data}]), marker)
                word, _ = self.ask(RAW, {"rcpt_to": [fresh()], "mail_from": mail.SENDER, "data": data}, fresh())
                self.assertNotEqual(word, "success")
        self.arrived()


class Carriage(Case):
    """How parameters come in."""

    def test_bodies_that_are_no_json(self):
        good = json.dumps(message())
        for name, body, headers in (
                ("UTF-16", good.encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
                ("a byte order mark", b"\xef\xbb\xbf" + good.encode(), {}),
                ("Latin-1", good.replace("Hello", "h\u00e9llo").encode("latin-1"), {}),
                ("gzip", b"\x1f\x8b\x08\0" + bytes(50), {"Content-Encoding": "gzip"}),
                ("half", good[:-1].encode(), {}), ("twice", (good + good).encode(), {}), ("a comma more", good.encode()[:-1] + b",}", {}),
                ("a comment", b"/* */" + good.encode(), {}), ("a NUL behind", good.encode() + b"\0", {}),
                ("NaN", b'{"a":NaN}', {}),
                ("33 levels", b'{"a":' * 33 + b"1" + b"}" * 33, {}), ("a million levels", b"[" * 1_000_000, {}),
                ("a name twice", b'{"to":"a@ok.test","to":"b@ok.test"}', {}),
                ("a name twice in headers", b'{"headers":{"X-A":"1","X-A":"2"}}', {}),
                ("a name twice in a file", b'{"attachments":[{"name":"a","name":"b"}]}', {}),
                ("100,000 names", json.dumps({f"n{number}": 1 for number in range(100_000)}).encode(), {}),
                ("an array", b"[]", {}), ("a text", b'"x"', {}), ("nothing but blanks", b"   ", {})):
            with self.subTest(name):
                word, _ = self.ask(MESSAGE, body, fresh(), headers=headers)
                self.assertNotEqual(word, "success")

    def test_bodies_that_are(self):
        for name, made, options in (
                ("in chunks", lambda body: (body[at:at + 7] for at in range(0, len(body), 7)), {}),
                ("a lone surrogate", lambda body: body.replace(b"Hello", b"\\ud800"), {}),
                ("another case", lambda body: body, {"Content-Type": "APPLICATION/JSON"}),
                ("a charset", lambda body: body, {"Content-Type": "application/json;charset=UTF-8"}),
                ("blanks around", lambda body: b" \r\n\t" + body + b"\r\n ", {}),
                ("a form", lambda body: urllib.parse.urlencode({"params": body}).encode(), {"Content-Type": "application/x-www-form-urlencoded"})):
            marker = fresh()
            with self.subTest(name):
                self.ask(MESSAGE, made(json.dumps(message(to=marker)).encode()), marker, headers=options)
                self.assertIn(marker, self.sent)
        self.arrived()

    def test_no_content_type(self):
        for value in (None, "", "text/plain", "application/xml", "multipart/form-data; boundary=x"):
            marker = fresh()
            with self.subTest(value):
                word, data = self.ask(MESSAGE, json.dumps(message(to=marker)).encode(), marker, headers={"Content-Type": value})
                self.assertEqual((word, data["code"]), ("error", "NoRecipients"))
