# SPDX-License-Identifier: MIT
"""API v1 as its clients know it, octet by octet and fate by fate: what the tests of its calls alone do not look at."""

import base64
import email
import email.policy
import functools
import re
import time
import urllib.parse

import incoming
import mail
from sandbox import fresh, shared, wait_for
from test_api_read import Case, client_of, client_of_new_server, patiently
from test_api_send import MESSAGE, RAW, Api, message, raw

READ, DELIVERIES = "/api/v1/messages/message", "/api/v1/messages/deliveries"
UMLAUTS = "\u00e4" * 250
# What each is in a message that was sent with it as (subject, plain_body, From's name).
TEXTS = ("\u00e4" * 20, UMLAUTS[:200], "\U0001f600" * 60, "\u65e5\u672c\u8a9e " * 12 + "x", "word \u00fc " * 30 + "x", "=?utf-8?q?as_it_is?=")
# (as an application writes a name, as a reader shows it)
NAMES = (("Acme, Inc.", "Acme, Inc."), ("Jo: Sales", "Jo: Sales"), ("M\u00fcller, \"M\" [x]", "M\u00fcller, \"M\" [x]"),
         ("J. R. Doe", "J. R. Doe"), ("=?utf-8?B?w6TDpA==?= =?utf-8?B?w6Q=?=", "\u00e4\u00e4\u00e4"), ("back\\slash", "back\\slash"))
# (custom headers, {field of the message: its values})
HEADERS = (({"To": "everybody:;"}, {"To": ["everybody:;"]}), ({"Cc": "c@x.test", "Subject": "s", "Sender": "s@x.test", "Reply-To": "r@x.test"},
                                                           {"Cc": ["c@x.test"], "Subject": None, "Sender": None, "Reply-To": None}),
           ({"in_reply_to": "<a@b>", "x_a_b": 1.5, "X-True": True, "X-False": False, "X-Null": None, "X-Empty": ""},
            {"In-Reply-To": ["<a@b>"], "x-a-b": ["1.5"], "X-True": ["true"], "X-False": ["false"], "X-Null": None, "X-Empty": [""]}),
           ({"Date": "Mon, 02 Mar 2020 10:00:00 +0100", "Message-ID": "<x@y>", "X-A": "1", "x-a": "2"},
            {"Date": ["Mon, 02 Mar 2020 10:00:00 +0100"], "X-A": ["1", "2"]}),
           ({"Content_Type": "x/y", "Received": "x", "Return-Path": "x", "MIME-Version": "2", "Bcc": "b@x.test"},
            {"Content-Type": ["text/plain; charset=UTF-8"], "Return-Path": None, "MIME-Version": ["1.0"], "Bcc": None}))
BASE64 = (("aGVsbG8=", b"hello"), ("aGVsbG8", b"hello"), ("aGVsbA", b"hell"), ("aGV\r\nsbG 8=\n", b"hello"), ("aGV*sbG8", b"hello"))
BOUNCES = ((True, True), (0, True), ("", True), ("false", True), ([], True), ({}, True), (False, False), (None, False))
MULTIPART = (b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\ngr\xfc\xdf\r\n--b\r\nContent-Type: text/plain; name=n.txt\r\n\r\nnot the body\r\n"
             b"--b\r\nContent-Type: x/y;\r\n name=\"=?utf-8?B?w6TDpA==?=\r\n =?utf-8?B?w6Q=?=.bin\"\r\n\r\nz\r\n--b--\r\n")


def setUpModule():
    shared().control("incoming", "on")


def tearDownModule():
    shared().control("incoming", "off")


class Envelope(Case):
    def octets(self, path, body=None, key=None, **headers):
        """An answer as it came."""
        def once():
            api = Api(self.sandbox, key)
            api.link.request("POST", path, body or b"{}", {"X-Server-API-Key": api.key, "Content-Type": "application/json", **headers})
            answer = api.link.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()

        status, kind, text = patiently(once)
        self.assertEqual((status, kind), (200, "application/json; charset=utf-8"))
        return text

    def test_octets(self):
        missing = r'\{"status":"parameter-error","time":\d+\.\d{1,3},"flags":\{\},"data":\{"message":"`id` parameter is required but is missing"\}\}'
        self.assertRegex(self.octets(READ), rf"\A{missing}\Z")
        self.assertRegex(self.octets(READ, b'{"id":7}'), r'"data":\{"code":"MessageNotFound","message":"[^"]+","id":7\}\}\Z')
        self.assertTrue(self.octets(READ, key="<b>&'/\"").endswith('"token":"\\u003cb\\u003e\\u0026\'/\\""}}'))
        number, _, _ = self.send(fresh(), subject="<&> \u00fc")
        text = self.octets(READ, b'{"id":%d,"_expansions":true}' % number)
        for part in ('"subject":"\\u003c\\u0026\\u003e \u00fc"', '"spam_score":0.0,', '"bounce_for_id":0,', f'"data":{{"id":{number},"token":"'):
            self.assertIn(part, text)
        self.assertRegex(text, r'"details":\{"rcpt_to":"[^"]+","mail_from":"[^"]+","subject":"[^"]+","message_id":"[^"<]+","timestamp":\d+\.\d+,'
                         r'"direction":"outgoing","size":"\d+","bounce":false,"bounce_for_id":0,"tag":null,"received_with_ssl":true\}')
        self.assertRegex(self.octets(DELIVERIES, b'{"id":%d}' % number), r'"data":\[\{"id":\d+,"status":"Sent","details":"[^"]+","output":"[^"]+",'
                         r'"sent_with_ssl":false,"log_id":"\w+","time":\d+\.\d+,"timestamp":\d+\.\d+\}\]\}\Z')

    def test_keys_are_not_the_same_in_another_case(self):
        self.assertEqual(self.ask(READ, {"id": 1}, Api(self.sandbox, self.api.key.swapcase()))[2]["code"], "InvalidServerAPIKey")

    def test_query_goes_before_the_body(self):
        recipient = fresh()
        _, _, data = self.ask(f"{MESSAGE}?{urllib.parse.urlencode({'to': recipient})}", message())
        self.assertEqual(list(data["messages"]), [recipient])
        self.assertEqual(self.ask(f"{MESSAGE}?to=", message())[2]["code"], "NoRecipients")
        self.assertEqual(self.ask(f"{MESSAGE}?to[]=a@ok.test", {})[2]["code"], "NoRecipients")

    def test_slashes(self):
        for path in ("/api/v1/messages/message/", "//api/v1/messages/message", "/api//v1///messages/message//"):
            self.assertEqual(self.ask(path, {"id": 1})[2]["code"], "MessageNotFound", path)
        for path in ("/api/v1/messages/message.json", "/api/v1/messages/mess%61ge", "/api/v1/messages/message/x"):
            self.assertEqual(self.api.ask(path, {"id": 1})[0], 404, path)


class Letters(Case):
    """What is written, arrives and is told again."""

    def sent(self, path=MESSAGE, **parameters):
        """(what arrived, what is told of it)."""
        recipient = fresh()
        body = message(to=recipient, **parameters) if path == MESSAGE else raw([recipient], **parameters)
        _, word, data = self.ask(path, body)
        self.assertEqual(word, "success", data)
        octets, record = self.sandbox.received(recipient)
        self.sandbox.history(recipient, "Sent")
        self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
        return octets, record, self.read(data["messages"][recipient]["id"], "all")

    def test_texts(self):
        for text in TEXTS:
            octets, _, told = self.sent(subject=text, plain_body=f"{text}\n", html_body=f"<p>{text}</p>\n")
            self.assertLessEqual(max(len(line) for line in octets.split(b"\r\n")), 998)
            wanted = "as it is" if text.startswith("=?") else text
            self.assertEqual((told["details"]["subject"], told["headers"]["subject"]), (wanted[:200], [wanted]))
            self.assertEqual((told["plain_body"], told["html_body"]), (f"{text}\n", f"<p>{text}</p>\n"))
        self.assertEqual(self.sent(subject=UMLAUTS)[2]["details"]["subject"], UMLAUTS[:200])

    def test_names(self):
        for written, shown in NAMES:
            octets, record, told = self.sent(**{"from": f"{written} <{mail.SENDER}>", "reply_to": f"{written} <r@x.test>",
                                                "cc": [f"{written} <{fresh()}>"]})
            parsed = email.message_from_bytes(octets, policy=email.policy.default)
            for field in ("From", "Cc", "Reply-To"):
                self.assertEqual([address.display_name for address in parsed[field].addresses], [shown], field)
            self.assertEqual(told["details"]["mail_from"], mail.SENDER)
            self.assertTrue(record["sender"].endswith("@rp.outrider.test"))
        self.sent(**{"from": f"{mail.SENDER} <{mail.SENDER}>"})
        for bad in ("x@strange.test <app@acme.test>", "x@strange.test, Acme, Inc. <app@acme.test>", "A <b@x.test> <app@acme.test>", "Acme: <app@acme.test>, b@acme.test"):
            self.assertEqual(self.ask(MESSAGE, message(**{"from": bad}))[2]["code"], "UnauthenticatedFromAddress", bad)
            self.assertEqual(self.ask(MESSAGE, message(to=[f"{bad}, Acme, Inc. <c@x.test>"]))[1], "parameter-error", bad)

    def test_headers(self):
        for headers, wanted in HEADERS:
            parameters = {"subject": None, "to": None, "bcc": fresh()} if "To" in headers or "Cc" in headers else {"to": fresh()}
            _, word, data = self.ask(MESSAGE, message(**{**parameters, "headers": headers}))
            self.assertEqual(word, "success", data)
            parsed = email.message_from_bytes(self.sandbox.received(parameters.get("bcc") or parameters["to"])[0])
            self.assertEqual({name: parsed.get_all(name) for name in wanted}, wanted)
            self.assertEqual(parsed.get_all("Message-ID"), [f"<{data['message_id']}>"])
        for value in (["a", "b"], {"a": 1}):
            self.assertEqual(self.ask(MESSAGE, message(headers={"X-List": value}))[2]["message"], "`headers`: `X-List` must be a string")
        self.assertEqual(self.ask(MESSAGE, message(attachments=[7, {"name": []}]))[2]["message"], "`attachments`, entry 2: `name` must be a string")

    def test_base64(self):
        for text, octets in BASE64:
            told = self.sent(attachments=[{"name": "a", "data": text}])[2]
            self.assertEqual(base64.b64decode(told["attachments"][0]["data"]), octets, text)
        for octets in (b"hello", b"hello w", b"hello wo"):
            content = mail.message("x@ok.test", octets)
            arrived = self.sent(RAW, content=content, data=base64.b64encode(content).decode().rstrip("="))[0]
            self.assertEqual(mail.without_added(arrived), content + b"\r\n")

    def test_bounce(self):
        for value, null in BOUNCES:
            _, record, told = self.sent(bounce=value)
            self.assertEqual((record["sender"] == "", told["details"]["bounce"], told["details"]["mail_from"] is None), (null,) * 3, value)


class Fates(Case):
    def entries(self, recipient, status, api=None, path=MESSAGE):
        """What is told of a message to a recipient: (status, deliveries)."""
        _, _, data = self.ask(path, message(to=recipient), api)
        number = data["messages"][recipient]["id"]
        wait_for(lambda: self.status(number, api) == status, f"{recipient} {status}", tell=lambda: self.status(number, api))

        def agreed():
            whole, rows = self.read(number, "status", "details", api=api), self.deliveries(number, api)
            return (whole, rows) if whole["status"]["last_delivery_attempt"] == rows[-1]["timestamp"] else None

        whole, rows = wait_for(agreed, "its last attempt as the last of its deliveries", tell=lambda: self.deliveries(number, api))
        self.assertEqual((whole["status"]["held"], whole["status"]["hold_expiry"] is None), (status == "Held", status != "Held"))
        row = self.sandbox.outrider("message", "show", str(number))
        self.assertEqual((row["status"], row["rcpt_to"], row["token"]), (status, whole["details"]["rcpt_to"], whole["token"]))
        return number, rows

    def status(self, number, api):
        data = self.ask(READ, {"id": number, "_expansions": ["status"]}, api)[2]
        return data["status"]["status"] if "status" in data else None

    def takes_returns(self):
        """Whether Postfix takes what comes back to a return path; if not, it reads its tables again."""
        if incoming.reply(self.sandbox, self.return_path, sender="")[0] == 250:
            return True
        self.sandbox.execute("postfix", "reload")
        time.sleep(1)
        return False

    def test_bounced(self):
        recipient = fresh()
        self.send(recipient)
        self.return_path = self.sandbox.history(recipient)["return_path"]
        wait_for(self.takes_returns, "return paths on port 25")
        number, _ = self.entries(fresh("latebounce.test"), "Bounced")
        wait_for(lambda: [row["status"] for row in self.deliveries(number)] == ["Sent", "Bounced"], "both in history",
                 tell=lambda: self.deliveries(number))
        rows = self.deliveries(number)
        self.assertEqual((rows[1]["details"], rows[1]["output"], rows[1]["log_id"]), ("bounced: 550 5.1.1 No such user here", None, None))
        story = self.sandbox.outrider_plain("explain", str(number)).stdout
        self.assertRegex(story, r"it came back\n +notification bounced: 550 5\.1\.1 No such user here")
        self.assertRegex(story, r"by credential api .* from 127\.0\.0\.1 over HTTP\n")

    def test_nobody_there(self):
        for domain, status in (("nomx.test", "HardFail"), ("nowhere.invalid", "HardFail"), ("down.test", "SoftFail")):
            rows = self.entries(fresh(domain), status)[1]
            self.assertTrue(len(rows) == 1 or status == "SoftFail", rows)  # what is put off is tried again
            row = rows[0]
            self.assertEqual((row["details"], row["sent_with_ssl"]), (f"No mail server for {domain} could be reached", False))

    def test_limits(self):
        """Each says in words what is the matter, not that some host refused."""
        for action, status, field in (("hold", "Held", "details"), ("reject", "HardFail", "details"), ("defer", "SoftFail", "output")):
            api, server = client_and_server(self.sandbox)
            self.sandbox.outrider("limit", "set", server, "0/hour", "--action", action)
            told = self.sandbox.outrider("limit", "show", server)
            self.assertEqual([(limit["subject"], limit["max"], limit["period"], limit["action"]) for limit in told],
                             [(server, 0, "hour", action)])
            row = wait_for(functools.partial(self.beyond, api, status), f"the limit that says {action}")
            self.assertIn(f"Limit of 0 messages per hour for server {server} is reached", row[field])
            if action == "defer":
                self.assertRegex(row["details"], r"^Message to \S+ waits on this host$")

    def beyond(self, api, status):
        """The first entry of a message that the limit was known for; None: it was sent."""
        recipient = fresh()
        _, _, data = self.ask(MESSAGE, message(to=recipient), api)
        number = data["messages"][recipient]["id"]
        end = wait_for(lambda: (now := self.status(number, api)) in ("Sent", status) and now, "an end for now")
        return self.deliveries(number, api)[0] if end == status else None

    def test_refused_as_suppressed(self):
        api, server = client_and_server(self.sandbox, "--suppression", "refuse")
        recipient = fresh()
        self.sandbox.outrider("suppression", "add", server, recipient, "--reason", "asked for <it>")
        row = wait_for(lambda: self.suppressed(api, recipient), "a refusal")
        self.assertRegex(row["details"], rf"^550 5\.7\.1 {recipient} is suppressed for server {server}: asked for <it> \(manual, since [0-9-]+\)$")

    def suppressed(self, api, recipient):
        _, _, data = self.ask(MESSAGE, message(to=recipient), api)
        number = data["messages"][recipient]["id"]
        ends = ("Sent", "Held", "HardFail")  # as long as the mail path does not know both
        end = wait_for(lambda: (now := self.status(number, api)) in ends and now, "an end")
        return self.deliveries(number, api)[0] if end == "HardFail" else None


def client_and_server(sandbox, *options):
    api = client_of_new_server(sandbox, "live")
    server = max(sandbox.outrider("server", "list", "acme"), key=lambda row: row["id"])
    name = f"acme/{server['permalink']}"
    if options:
        sandbox.outrider("server", "change", name, *options)
    return api, name


class Incoming(Case):
    """Mail that came in is read as any other is."""

    @classmethod
    def setUpClass(cls):
        cls.world = incoming.Incoming(shared())
        cls.addClassCleanup(cls.world.close)
        cls.key = client_of(shared(), cls.world.server).key
        url = cls.world.endpoint("--url", "http://127.0.0.1:9/nobody-listens")
        address = cls.world.endpoint("--address", "forwarded@ok.test")
        # By status: (the route's address, what is said of it).
        cls.routes = {
            "Processed": (cls.world.add_route("--mode", "accept"), "Message to {} was kept"),
            "Held": (cls.world.add_route("--mode", "hold"), "its route holds what comes"),
            "HardFail": (cls.world.add_route("--mode", "bounce"), "Message to {} was sent back"),
            "SoftFail": (cls.world.add_route("--mode", "endpoint", "--endpoint", url), "Message to {} was refused for now by its HTTP endpoint"),
            "Sent": (cls.world.add_route("--mode", "endpoint", "--endpoint", address), "Message to forwarded@ok.test was taken by "),
        }
        cls.world.await_routes(*(route for route, _ in cls.routes.values()))

    def test_every_fate(self):
        for status, (route, words) in self.routes.items():
            address = route.replace("@", "+tag@")
            content = mail.message(address, MULTIPART, sender="Jo <jo@ok.test>", headers=(
                "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "X-Multi: a", "X-Multi: =?utf-8?q?=C3=BC?="))
            incoming.deliver(self.sandbox, address, content, sender="bounces+1@ok.test")
            row = self.sandbox.history(address, status)
            api = Api(self.sandbox, self.key)
            data = self.read(row["id"], "all", api=api)
            self.assertEqual((data["token"], data["status"]["status"], data["status"]["held"]), (row["token"], status, status == "Held"))
            details = data["details"]
            self.assertRegex(details.pop("subject"), "^trial ")
            self.assertEqual((details.pop("timestamp"), details.pop("size")), (row["accepted_at"] / 1e6, str(row["size"])))
            self.assertEqual(details, {"rcpt_to": address, "mail_from": "bounces+1@ok.test", "message_id": row["header_message_id"].strip("<>"),
                                       "direction": "incoming", "bounce": False, "bounce_for_id": 0, "tag": None, "received_with_ssl": None})
            self.assertEqual((data["plain_body"], data["html_body"]), ("gr\u00fc\u00df", None))
            self.assertEqual([file["filename"] for file in data["attachments"]], ["n.txt", "\u00e4\u00e4\u00e4.bin"])
            self.assertEqual(data["headers"]["x-multi"], ["a", "\u00fc"])
            self.assertTrue(base64.b64decode(data["raw_message"]).endswith(content))
            entry = self.deliveries(row["id"], api)[0]
            self.assertEqual(entry["status"], status)
            self.assertTrue(entry["details"].startswith(words.format(address)), entry)
            self.assertIs(entry["sent_with_ssl"], False)
            self.assertFalse(re.search("could be reached", entry["details"]))
