# SPDX-License-Identifier: MIT
"""API v1 as clients of Postal speak it: a real one, unchanged, and each way in which the others put their requests on the wire.

The ways are those of the libraries that doc/postal-compatibility.md names; the octets are what their HTTP libraries send.
"""

import base64
import collections
import email
import email.policy
import http.client
import json
import socket
import unittest
import urllib.parse

import django
from anymail.exceptions import AnymailRequestsAPIError
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

import mail
from sandbox import fresh, shared
from test_api_read import DELIVERIES, client_of_new_server, patiently
from test_api_read import MESSAGE as READ
from test_api_send import MESSAGE, PORT, RAW, Api, message, raw

if not settings.configured:
    settings.configure(INSTALLED_APPS=["anymail"], USE_TZ=True)
    django.setup()

Way = collections.namedtuple("Way", "name head body pieces", defaults=(1,))
JSON = "Content-Type: application/json\r\n"
END = "Content-Length: {length}\r\n\r\n"
GO = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def plain(parameters):
    return json.dumps(parameters).encode()


def form(parameters):
    return urllib.parse.urlencode({"params": json.dumps(parameters)}).encode()


def nothing(_parameters):
    return b""


def chunks(parameters):
    octets = plain(parameters)
    cut = [octets[at:at + 50] for at in range(0, len(octets), 50)]
    return b"".join(b"%X\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*cut, b""))


WAYS = (
    Way("Ruby's Net::HTTP: a form, head and body apart",
        "POST {path} HTTP/1.1\r\nAccept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\r\nAccept: */*\r\nUser-Agent: Ruby, Moonrope\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nX-Server-Api-Key: {key}\r\nConnection: close\r\nHost: api.test\r\n" + END,
        form, 2),
    Way("a form with its charset", "POST {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n" + END, form),
    Way("PHP's curl: names in small letters, slashes escaped",
        "POST {path} HTTP/1.1\r\nHost: api.test\r\nAccept: */*\r\nx-server-api-key: {key}\r\ncontent-type: application/json\r\n" + END,
        lambda parameters: plain(parameters).replace(b"/", b"\\/")),
    Way("PHP's curl: it waits for leave to send the body",
        "POST {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + "Expect: 100-continue\r\n" + END, plain),
    Way("names in capitals, no blank behind the colon",
        "POST {path} HTTP/1.1\r\nHOST:api.test\r\nX-SERVER-API-KEY:{key}\r\nCONTENT-TYPE:application/json\r\nCONTENT-LENGTH:{length}\r\n\r\n",
        plain),
    Way("Node's https: chunked", "POST {path} HTTP/1.1\r\n" + JSON + "X-Server-API-Key: {key}\r\nHost: api.test\r\n"
        "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", chunks, 7),
    Way(".NET: chunked, with a charset", "POST {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n"
        "Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n", chunks),
    Way(".NET: indented", "POST {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n"
        "Accept: application/json, text/json, text/x-json, text/javascript\r\n" + JSON + END,
        lambda parameters: json.dumps(parameters, indent=2).replace("\n", "\r\n").encode()),
    Way("Go: a line end behind the object, HTML escaped, UTF-8 as it is",
        "POST {path} HTTP/1.1\r\nHost: api.test\r\nUser-Agent: gopostal/0.1.0\r\n" + JSON + "X-Server-Api-Key: {key}\r\n"
        "Accept-Encoding: gzip\r\n" + END, lambda parameters: json.dumps(parameters, ensure_ascii=False).translate(GO).encode() + b"\n"),
    Way("Java: it would rather speak HTTP/2", "POST {path} HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: api.test\r\n"
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\nAccept: application/json\r\n"
        "Content-Type: application/json;charset=UTF-8\r\nx-server-api-key: {key}\r\n" + END, plain),
    Way("HTTP/1.0, no host", "POST {path} HTTP/1.0\r\nX-Server-API-Key: {key}\r\n" + JSON + END, plain),
    Way("through a proxy: the whole URL", "POST http://api.test{path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + END,
        plain),
    Way("GET with `params` in the query", "GET {path}?{query} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n\r\n", nothing),
    Way("GET with a body", "GET {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + END, plain),
    Way("PUT", "PUT {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + END, plain),
    Way("PATCH", "PATCH {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + END, plain),
    Way("a base URL with a slash at its end", "POST /{path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + END, plain),
    Way("a slash at the end", "POST {path}/ HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + END, plain),
    Way("octet by octet", "POST {path} HTTP/1.1\r\nHost: api.test\r\nX-Server-API-Key: {key}\r\n" + JSON + END, plain, 1000),
)

# What some libraries add or write in their own way; a message's parameters and what they become.
SHAPES = {
    "Go: all there is, empty": {"cc": None, "bcc": None, "sender": "", "tag": "", "reply_to": "", "html_body": "", "attachments": None,
                                "headers": None, "bounce": False},
    "PHP, Node, Java: empty lists": {"cc": [], "bcc": [], "attachments": [], "headers": None},
    "PHP: no headers are an empty list": {"headers": []},
    "Symfony, .NET: headers as a list": {"headers": [{"key": "X-A", "value": "1"}]},
    "Java: another name": {"Headers": [{"key": "X-A", "value": "1"}], "bounce": False},
    "WordPress: names of its own": {"sess": "", "time": 1, "hash": "x"},
    "one address instead of a list": {"cc": "", "bcc": "  "},
    "numbers as text": {"subject": 7, "plain_body": 7, "headers": {"X-A": 7}},
}


class Wire(unittest.TestCase):
    """Requests as octets."""

    def setUp(self):
        self.sandbox = shared()

    def exchange(self, way, path, parameters):
        """(HTTP status, head, octets) of an answer."""
        body = way.body(parameters)
        head = way.head.format(path=path, key=self.sandbox.api_key, length=len(body),
                               query=urllib.parse.urlencode({"params": json.dumps(parameters)})).encode()
        with socket.create_connection(("127.0.0.1", PORT), 60) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if b"Expect:" in head:
                link.sendall(head)
                leave = b"HTTP/1.1 100 Continue\r\n\r\n"
                self.assertEqual(link.recv(len(leave), socket.MSG_WAITALL), leave)
                link.sendall(body)
            else:
                whole, size = head + body, max(1, -(-len(head + body) // way.pieces))
                for at in range(0, len(whole), size):
                    link.sendall(whole[at:at + size])
            answer = http.client.HTTPResponse(link)
            answer.begin()
            return answer.status, answer.headers, answer.read()

    def ask(self, way, path, parameters):
        """The data of a success; its envelope and head are as every client wants them."""
        status, head, text = (patiently(self.exchange, way, path, parameters) if path in (READ, DELIVERIES) else
                              self.exchange(way, path, parameters))
        self.assertEqual((status, head["Content-Type"]), (200, "application/json; charset=utf-8"), text)
        self.assertEqual(head["Content-Length"], str(len(text)))
        self.assertIsNone(head["Content-Encoding"])
        envelope = json.loads(text)
        self.assertEqual(list(envelope), ["status", "time", "flags", "data"])
        self.assertEqual((envelope["status"], envelope["flags"]), ("success", {}), envelope)
        self.assertIsInstance(envelope["time"], float)
        return envelope["data"]

    def test_every_way(self):
        for way in WAYS:
            with self.subTest(way.name):
                recipient = fresh()
                data = self.ask(way, MESSAGE, message(to=[recipient], subject="J\u00f6rg <&> 1/2 +%"))
                self.assertEqual(list(data["messages"]), [recipient])
                told = data["messages"][recipient]
                octets, _ = self.sandbox.received(recipient)
                self.assertEqual(email.message_from_bytes(octets, policy=email.policy.default)["Subject"], "J\u00f6rg <&> 1/2 +%")
                copy = fresh()
                self.assertEqual(list(self.ask(way, RAW, raw([copy]))["messages"]), [copy])
                self.sandbox.history(recipient, "Sent")
                self.assertEqual(self.ask(way, READ, {"id": told["id"]}), told)
                self.assertEqual(self.ask(way, READ, {"id": str(told["id"]), "_expansions": ["plain_body"]}),
                                 {**told, "plain_body": "Hello.\n"})
                self.assertEqual([row["status"] for row in self.ask(way, DELIVERIES, {"id": told["id"]})], ["Sent"])

    def test_every_shape(self):
        for name, parameters in SHAPES.items():
            with self.subTest(name):
                recipient = fresh()
                answer = Api(self.sandbox).ask(MESSAGE, {**message(to=[recipient]), **parameters})[1]
                self.assertEqual(answer["status"], "success", answer)
                self.assertEqual(list(answer["data"]["messages"]), [recipient])
                self.sandbox.received(recipient)

    def test_base64_in_lines(self):
        """Ruby writes lines of 60 characters, others of 76 with CRLF."""
        octets = bytes(range(256)) * 3
        whole = base64.b64encode(octets).decode()
        for size, end in ((60, "\n"), (76, "\r\n")):
            text = "".join(whole[at:at + size] + end for at in range(0, len(whole), size))
            recipient = fresh()
            answer = Api(self.sandbox).ask(MESSAGE, message(to=recipient, attachments=[{"name": "b", "data": text}]))[1]
            self.assertEqual(answer["status"], "success", answer)
            arrived = email.message_from_bytes(self.sandbox.received(recipient)[0], policy=email.policy.default)
            self.assertEqual([part.get_payload(decode=True) for part in arrived.iter_attachments()], [octets])

    def test_raw_with_names_and_mixed_line_ends(self):
        """WordPress plug-ins write the head by hand, and names where an envelope has none."""
        recipient = fresh()
        text = (f"Date: Thu, 26 Nov 2026 10:00:00 +0000\nFrom: App <{mail.SENDER}>\nTo: J <{recipient}>\nSubject: S\nMessage-ID: <a@b>\n"
                'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="m"\r\n\n--m\nContent-Type: text/plain\n\nhi\n--m--')
        body = raw([f"J <{recipient}>"], text.encode(), mail_from=f"App <{mail.SENDER}>")
        answer = Api(self.sandbox).ask(RAW, body)[1]
        self.assertEqual((answer["status"], list(answer["data"]["messages"])), ("success", [f"J <{recipient}>"]), answer)
        arrived = email.message_from_bytes(self.sandbox.received(recipient)[0], policy=email.policy.default)
        self.assertEqual(arrived.get_body().get_content().strip(), "hi")
        self.assertEqual(self.sandbox.history(recipient, "Sent")["mail_from"], mail.SENDER)

    def test_several_on_one_connection(self):
        link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        link.connect()
        first = link.sock
        for body in (message(), {}, message(**{"from": "x@stranger.test"}), message()):
            link.request("POST", MESSAGE, json.dumps(body), {"X-Server-API-Key": self.sandbox.api_key, "Content-Type": "application/json"})
            self.assertEqual(link.getresponse().read()[:10], b'{"status":')
            self.assertIs(link.sock, first)
        link.close()


class Types(unittest.TestCase):
    """Libraries with types read an answer only if each value has the one that it has with Postal."""

    maybe_text, maybe_float = (str, type(None)), (float, type(None))
    MESSAGE = {"id": int, "token": str, "status": dict, "details": dict, "inspection": dict, "plain_body": maybe_text,
               "html_body": maybe_text, "attachments": list, "headers": dict, "raw_message": str, "activity_entries": dict}
    STATUS = {"status": str, "last_delivery_attempt": maybe_float, "held": bool, "hold_expiry": maybe_float}
    DETAILS = {"rcpt_to": str, "mail_from": str, "subject": str, "message_id": str, "timestamp": float, "direction": str, "size": str,
               "bounce": bool, "bounce_for_id": int, "tag": maybe_text, "received_with_ssl": bool}
    INSPECTION = {"inspected": bool, "spam": bool, "spam_score": float, "threat": bool, "threat_details": type(None)}
    FILE = {"filename": str, "content_type": str, "data": str, "size": int, "hash": str}
    DELIVERY = {"id": int, "status": str, "details": str, "output": maybe_text, "sent_with_ssl": bool, "log_id": maybe_text,
                "time": maybe_float, "timestamp": float}

    def fits(self, value, types):
        self.assertEqual(list(value), list(types))
        for name, kind in types.items():
            self.assertTrue(isinstance(value[name], kind) and (kind is bool or not isinstance(value[name], bool)), (name, value[name]))

    def told(self, api, recipient, status):
        """What is told of a message to a recipient, with all expansions, and its deliveries."""
        file = {"name": "a.txt", "data": "aGk="}
        sent = api.ask(MESSAGE, message(to=recipient, html_body="<p>", attachments=[file]))[1]
        number = sent["data"]["messages"][recipient]["id"]
        shared().history(recipient, status)
        return [patiently(api.ask, path, {"id": number, "_expansions": True})[1]["data"] for path in (READ, DELIVERIES)]

    def test_of_all_that_is_told(self):
        sandbox = shared()
        held = client_of_new_server(sandbox, "development")
        for api, recipient, status in ((Api(sandbox), fresh(), "Sent"), (Api(sandbox), fresh("down.test"), "SoftFail"),
                                       (held, fresh(), "Held")):
            with self.subTest(status):
                data, deliveries = self.told(api, recipient, status)
                self.fits(data, self.MESSAGE)
                self.fits(data["status"], self.STATUS)
                self.fits(data["details"], self.DETAILS)
                self.fits(data["inspection"], self.INSPECTION)
                self.fits(data["attachments"][0], self.FILE)
                for values in data["headers"].values():
                    self.assertTrue(values and all(isinstance(value, str) for value in values))
                for name in ("received", "date", "from", "to", "message-id", "subject", "mime-version", "content-type",
                             "content-transfer-encoding"):
                    self.assertIn(name, data["headers"])
                self.assertEqual(data["activity_entries"], {"loads": [], "clicks": []})
                self.assertTrue(deliveries)
                for row in deliveries:
                    self.fits({name: row[name] for name in self.DELIVERY}, self.DELIVERY)
                    self.assertEqual(set(row), set(self.DELIVERY))
                    self.assertLess(row["id"], 2**53)


class Anymail(unittest.TestCase):
    """Django's library for mail over such APIs."""

    def setUp(self):
        self.sandbox = shared()

    def connect(self, url=f"http://127.0.0.1:{PORT}", key=None):
        return get_connection("anymail.backends.postal.EmailBackend", api_url=url, api_key=key or self.sandbox.api_key)

    def letter(self, *recipients, connection=None, **parameters):
        return EmailMultiAlternatives(**{"subject": "Gr\u00fc\u00dfe", "body": "Sch\u00f6n\n", "from_email": f"App <{mail.SENDER}>",
                                         "to": recipients or [fresh()], "connection": connection or self.connect(), **parameters})

    def test_everything(self):
        to, other, cc, bcc = (fresh() for _ in range(4))
        letter = self.letter(f'"Doe, J\u00f6rg" <{to}>', other, cc=[f"C <{cc}>"], bcc=[bcc], reply_to=["Desk <desk@acme.test>"],
                             headers={"X-Campaign": "k\u00f6ln", "X-Number": 7})
        letter.attach_alternative("<p>Sch\u00f6n</p>", "text/html")
        letter.attach("gr\u00f6\u00dfe.txt", "text\n", "text/plain")
        letter.attach("b.bin", bytes(range(256)), "application/octet-stream")
        letter.tags, letter.envelope_sender, letter.esp_extra = ["invoice"], "robot@acme.test", {"bounce": False}
        self.assertEqual(letter.send(), 1)
        status = letter.anymail_status
        self.assertEqual((status.status, set(status.recipients)), ({"queued"}, {to, other, cc, bcc}))
        for recipient, told in status.recipients.items():
            row = self.sandbox.history(recipient, "Sent")
            self.assertEqual((row["id"], row["tag"]), (told.message_id, "invoice"))
            octets, _ = self.sandbox.received(recipient)
            self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
        arrived = email.message_from_bytes(octets, policy=email.policy.default)
        self.assertEqual([address.addr_spec for address in arrived["To"].addresses], [to, other])
        self.assertEqual(arrived["To"].addresses[0].display_name, "Doe, J\u00f6rg")
        for name, wanted in (("Cc", f"C <{cc}>"), ("Bcc", None), ("From", f"App <{mail.SENDER}>"), ("Sender", "robot@acme.test"),
                             ("Subject", "Gr\u00fc\u00dfe"), ("Reply-To", "Desk <desk@acme.test>"), ("X-Campaign", "k\u00f6ln"),
                             ("X-Number", "7")):
            self.assertEqual(arrived[name] and str(arrived[name]), wanted, name)
        self.assertEqual(arrived.get_body(("plain",)).get_content().strip(), "Sch\u00f6n")
        self.assertEqual(arrived.get_body(("html",)).get_content().strip(), "<p>Sch\u00f6n</p>")
        self.assertEqual([(part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) for part in arrived.iter_attachments()],
                         [("gr\u00f6\u00dfe.txt", "text/plain", b"text\n"), ("b.bin", "application/octet-stream", bytes(range(256)))])

    def test_many_on_one_connection(self):
        letters = [self.letter() for _ in range(5)]
        self.assertEqual(self.connect().send_messages(letters), 5)
        for letter in letters:
            self.sandbox.history(letter.to[0], "Sent")

    def test_url_with_slashes(self):
        for end in ("/", "//"):
            letter = self.letter(connection=self.connect(f"http://127.0.0.1:{PORT}{end}"))
            self.assertEqual(letter.send(), 1)
            self.sandbox.received(letter.to[0])

    def test_errors(self):
        for code, parameters in (("UnauthenticatedFromAddress", {"from_email": "x@stranger.test"}),
                                 ("NoContent", {"body": ""}),
                                 ("TooManyToAddresses", {"to": [fresh() for _ in range(51)]}),
                                 ("AttachmentMissingName", {"attachments": [(None, b"x", "image/png")]}),
                                 ("InvalidServerAPIKey", {"connection": self.connect(key="wrong")})):
            with self.subTest(code), self.assertRaises(AnymailRequestsAPIError) as caught:
                self.letter(**parameters).send()
            self.assertEqual(caught.exception.response.json()["data"]["code"], code)

    def test_wrong_parameter(self):
        with self.assertRaises(AnymailRequestsAPIError) as caught:
            self.letter(headers={"X A": "x"}).send()
        self.assertIn("`headers`", caught.exception.response.json()["data"]["message"])
