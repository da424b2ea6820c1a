# SPDX-License-Identifier: MIT
"""Mail over HTTP: API v1's send calls, each parameter and each error of theirs."""

import base64
import concurrent.futures
import contextlib
import email
import email.policy
import http.client
import json
import pathlib
import random
import re
import smtplib
import sqlite3
import threading
import time
import unittest
import urllib.parse
import uuid

import mail
from sandbox import fresh, shared, wait_for

MESSAGE, RAW = "/api/v1/send/message", "/api/v1/send/raw"
PORT = 5000


class Api:
    """A client on a connection of its own."""

    def __init__(self, sandbox, key=None):
        self.key = sandbox.api_key if key is None else key
        self.link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)

    def ask(self, path, body=None, method="POST", headers=()):
        """(HTTP status, the answer's JSON, or its text when it is none)."""
        sent = {"Content-Type": "application/json"}
        if self.key != "":
            sent["X-Server-API-Key"] = self.key
        sent.update(headers)
        octets = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        self.link.request(method, path, octets, {k: v for k, v in sent.items() if v is not None})
        answer = self.link.getresponse()
        text = answer.read().decode()
        if not answer.headers.get("Content-Type", "").startswith("application/json"):
            return answer.status, text
        for octet in "<>&":
            assert octet not in text, text
        return answer.status, json.loads(text)


def message(**parameters):
    """Good parameters of send/message, but for those given; None leaves one out."""
    whole = {"to": [fresh()], "from": mail.SENDER, "subject": f"trial {uuid.uuid4().hex[:8]}", "plain_body": "Hello.\n"}
    whole.update(parameters)
    return {name: value for name, value in whole.items() if value is not None}


def raw(recipients, content=None, **parameters):
    content = mail.message("x@ok.test") if content is None else content
    return {"rcpt_to": recipients, "mail_from": mail.SENDER, "data": base64.b64encode(content).decode(), **parameters}


def killed(sandbox, service):
    """It ends at once, and runs again when this returns."""
    sandbox.control("kill", service)
    wait_for(lambda: sandbox.control("start", service, check=False).returncode == 0, f"{service} to run again")


class Case(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        self.api = Api(self.sandbox)

    def ask(self, path, body=None, **options):
        status, answer = self.api.ask(path, body, **options)
        self.assertEqual(set(answer), {"status", "time", "flags", "data"})
        self.assertIsInstance(answer["time"], float)
        self.assertEqual(answer["flags"], {})
        return status, answer["status"], answer["data"]

    def send(self, path, body, **options):
        """A success's data."""
        status, word, data = self.ask(path, body, **options)
        self.assertEqual((status, word), (200, "success"), data)
        self.assertEqual(set(data), {"message_id", "messages"})
        return data

    def sent_as(self, ids):
        """Each address has a message, the one of that id, and it was sent."""
        def others():
            found = self.sandbox.ids(ids, "Sent")
            return {address: (number, found.get(address)) for address, number in ids.items() if found.get(address) != [number]}

        wait_for(lambda: not others(), "all of them as Sent", tell=others)

    def refused(self, path, body, code, **options):
        status, word, data = self.ask(path, body, **options)
        self.assertEqual((status, word, data.get("code")), (200, "error", code))
        return data

    def wrong_parameter(self, path, body, name, status=200, **options):
        got, word, data = self.ask(path, body, **options)
        self.assertEqual((got, word), (status, "parameter-error"), data)
        self.assertIn(name, data["message"])
        return data

    def arrived(self, recipient):
        octets, record = self.sandbox.received(recipient)
        return octets, email.message_from_bytes(octets, policy=email.policy.default), record

    def under_kills(self, load, stop, threads, victims, counted):
        """Runs load in so many threads until stop is set; kills each victim once 20 more are counted. A load's failure counts."""
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            loads = [pool.submit(load) for _ in range(threads)]
            try:
                for victim in victims:
                    before = len(counted)
                    wait_for(lambda: len(counted) > before + 20, "20 more under load")  # pylint: disable=cell-var-from-loop
                    killed(self.sandbox, victim)
            finally:
                stop.set()
        for each in loads:
            each.result()

    def got(self, recipients):
        """Each of them as often as it has a copy."""
        return [entry["address"] for record in self.sandbox.envelopes("ok.test")
                for entry in record["recipients"] if entry["address"] in recipients]


class Keys(Case):
    def test_no_key(self):
        for api in (Api(self.sandbox, ""), Api(self.sandbox, "  ")):
            status, answer = api.ask(MESSAGE, message())
            self.assertEqual((status, answer["status"], answer["data"]), (200, "error", {
                "code": "AccessDenied", "message": "Must be authenticated as a server."}))

    def test_no_key_and_a_large_body(self):
        for body in (b"x" * 1000000, iter([b"x" * 100000] * 10)):  # the latter in chunks
            status, answer = Api(self.sandbox, "").ask(MESSAGE, body)
            self.assertEqual((status, answer["data"]["code"]), (200, "AccessDenied"))

    def test_wrong_key(self):
        for key in ("wrong", self.sandbox.smtp_key, self.sandbox.api_key[:-1], self.sandbox.api_key + "x", "a<b>&"):
            status, answer = Api(self.sandbox, key).ask(MESSAGE, message())
            self.assertEqual((status, answer["status"], answer["data"]), (200, "error", {
                "code": "InvalidServerAPIKey", "token": key,
                "message": "The API token provided in X-Server-API-Key was not valid."}))

    def test_api_key_is_no_smtp_password(self):
        with mail.Client(self.sandbox, login=False) as client, self.assertRaises(smtplib.SMTPAuthenticationError):
            client.login(self.sandbox.smtp_user, self.sandbox.api_key)

    def test_suspended_server(self):
        self.sandbox.outrider("server", "add", "acme/tired", "--name", "Tired", "--mode", "live")
        key = self.sandbox.outrider("credential", "add", "acme/tired", "api", "--type", "api")["key"]
        api = Api(self.sandbox, key)

        def code():
            return api.ask(MESSAGE, {})[1]["data"].get("code")

        wait_for(lambda: code() == "NoRecipients", "the new credential")
        self.sandbox.outrider("server", "change", "acme/tired", "--suspend", "unpaid")
        wait_for(lambda: code() == "ServerSuspended", "the suspension")
        self.assertEqual(api.ask(MESSAGE, message())[1]["data"], {"code": "ServerSuspended"})

    def test_many_wrong_keys_wait(self):
        answers = []

        def ask():
            answers.append(Api(self.sandbox, "wrong").ask(MESSAGE, {})[0])

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        self.send(MESSAGE, message())  # not by somebody else's failures
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 12)
        self.assertTrue(set(answers) <= {200, 429}, answers)
        self.assertIn(429, answers)


class Envelope(Case):
    def test_methods_and_paths(self):
        for method in ("GET", "POST", "PUT", "PATCH"):
            self.refused(MESSAGE, {}, "NoRecipients", method=method)
            self.wrong_parameter(RAW, {}, "rcpt_to", method=method)
        for method, path in (("DELETE", MESSAGE), ("HEAD", MESSAGE), ("POST", "/api/v1/send"), ("POST", MESSAGE + "/x"),
                             ("POST", "/api/v2/send/message"), ("GET", "/"), ("POST", "/health")):
            self.assertEqual(self.api.ask(path, {}, method=method)[0], 404, (method, path))

    def test_watching(self):
        self.assertEqual(Api(self.sandbox, "").ask("/health", method="GET"), (200, "ok\n"))
        self.assertEqual(Api(self.sandbox, "").ask("/ready", method="GET"), (200, "ready\n"))
        self.send(MESSAGE, message())
        status, text = Api(self.sandbox, "").ask("/metrics", method="GET")
        self.assertEqual(status, 200)
        self.assertGreater(int(re.search(r"^outrider_apid_submissions_total (\d+)$", text, re.M).group(1)), 0)

    def test_where_parameters_come_from(self):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for what in ({"body": message()},
                     {"body": json.dumps(message()).encode(), "headers": {"Content-Type": "application/json; charset=utf-8"}},
                     {"body": urllib.parse.urlencode({"params": json.dumps(message())}).encode(), "headers": form}):
            self.send(MESSAGE, **what)
        self.send(MESSAGE + "?" + urllib.parse.urlencode({"params": json.dumps(message())}), None, method="GET",
                  headers={"Content-Type": None})
        self.send(MESSAGE + "?" + urllib.parse.urlencode({"to": fresh()}), message(to=None))
        for what in ({"body": urllib.parse.urlencode(message(to=fresh())).encode(), "headers": form},
                     {"body": json.dumps(message()).encode(), "headers": {"Content-Type": "text/plain"}}):
            self.refused(MESSAGE, code="NoRecipients", **what)

    def test_malformed(self):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in (b"{", b"[]", b"7", b"{'a':1}", b'{"to":"a","to":"b"}', b'{"a":"\xff"}', b'{"a":' * 40 + b"1" + b"}" * 40):
            self.wrong_parameter(MESSAGE, body, "", status=400)
        self.wrong_parameter(MESSAGE, b"params=%7B", "", status=400, headers=form)
        self.wrong_parameter(MESSAGE, b"params=%", "", status=400, headers=form)

    def test_too_large(self):
        api = Api(self.sandbox)
        api.link.putrequest("POST", MESSAGE)
        api.link.putheader("X-Server-API-Key", api.key)
        api.link.putheader("Content-Length", str(70 * 1024 * 1024))
        api.link.endheaders()
        answer = api.link.getresponse()
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (413, "application/json; charset=utf-8"))
        self.assertEqual(json.loads(answer.read())["data"], {
            "code": "MessageTooLarge", "message": "The request is larger than may be"})


class Message(Case):
    def test_errors_in_order(self):
        many = [fresh() for _ in range(51)]
        stranger = "x@stranger.test"
        nothing = [{"name": "a", "data": " "}, {"data": "aGk="}]
        steps = (
            ("NoRecipients", "There are no recipients defined to receive this message", {"to": []}),
            ("TooManyToAddresses", "The maximum number of To addresses has been reached (maximum 50)", {"to": many}),
            ("TooManyCCAddresses", "The maximum number of CC addresses has been reached (maximum 50)", {"to": fresh(), "cc": many}),
            ("TooManyBCCAddresses", "The maximum number of BCC addresses has been reached (maximum 50)", {"cc": None, "bcc": many}),
            ("NoContent", "There is no content defined for this e-mail", {"bcc": None}),
            ("FromAddressMissing", "The From address is missing and is required", {"html_body": "<p>hi"}),
            ("UnauthenticatedFromAddress", "The From address is not authorised to send mail from this server", {"from": stranger}),
            ("AttachmentMissingData", "An attachment is missing data", {"from": mail.SENDER}),
            ("AttachmentMissingName", "An attachment is missing a name", {"attachments": nothing[1:]}),
        )
        parameters = {"attachments": nothing}
        for code, text, change in steps:
            parameters.update(change)
            self.assertEqual(self.refused(MESSAGE, parameters, code), {"code": code, "message": text})
        parameters["attachments"] = None
        self.send(MESSAGE, parameters)

    def test_wrong_parameters(self):
        for name, value in (("to", {"a": 1}), ("to", "nobody"), ("to", ["a b@ok.test"]), ("cc", ["a@ok.test\r\nBcc: b@ok.test"]),
                            ("bcc", 7), ("from", []), ("subject", {}), ("subject", "a\0b"), ("plain_body", []),
                            ("tag", "t" * 256), ("reply_to", "x"), ("sender", "x"), ("attachments", "x"),
                            ("headers", {"a b": "x"}), ("headers", {"a:b": "x"}), ("headers", {"": "x"}),
                            ("to", ["=?UTF-8?Q??=@ok.test"]), ("cc", ["=?UTF-8?Q?a <a@ok.test>", "b?= <b@ok.test>"])):
            self.wrong_parameter(MESSAGE, message(**{name: value}), f"`{name}`")

    def test_everything(self):
        to, cc, bcc = fresh(), fresh(), fresh()
        data = self.send(MESSAGE, message(
            to=[f"J\u00f6rg \u00dc <{to}>"], cc=f'"Doe, Jane" <{cc}>', bcc=[bcc], sender="robot@acme.test",
            subject="Gr\u00fc\u00dfe \u65e5\u672c\u8a9e " * 8, reply_to="a@acme.test, B <b@acme.test>", tag="invoice",
            plain_body="Sch\u00f6n\n.\nFrom me\n" + "x" * 2000, html_body="<p>Sch\u00f6n</p>",
            headers={"X_Campaign": "k\u00f6ln", "X-Number": 7, "References": "<a@b>", "List-Unsubscribe": "<https://x.test/>",
                     "Message-ID": "<evil@x>", "Bcc": "evil@ok.test", "Content-Type": "x/y", "From": "evil@x.test"},
            attachments=[{"name": "Gr\u00f6\u00dfe \u65e5.txt", "content_type": "text/plain", "data": base64.b64encode(b"a\nb\r").decode()},
                         {"name": "b.bin", "data": base64.b64encode(bytes(range(256))).decode()}, "not an object"]))
        self.assertEqual(set(data["messages"]), {to, cc, bcc})
        for recipient in (to, cc, bcc):
            row = self.sandbox.history(recipient, "Sent")
            self.assertEqual({"id": row["id"], "token": row["token"]}, data["messages"][recipient])
            self.assertEqual((row["tag"], row["header_message_id"]), ("invoice", f"<{data['message_id']}>"))
            octets, parsed, record = self.arrived(recipient)
            self.assertEqual(record["sender"], row["return_path"])
            self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
        self.assertRegex(data["message_id"], r"^[0-9a-f-]{36}@rp\.outrider\.test$")
        self.assertNotIn(b"invoice", octets)
        self.assertNotIn(b"evil", octets)
        self.assertEqual(str(parsed["To"]), f"J\u00f6rg \u00dc <{to}>")
        self.assertEqual(str(parsed["Cc"]), f'"Doe, Jane" <{cc}>')
        self.assertIsNone(parsed["Bcc"])
        self.assertEqual(str(parsed["Subject"]), ("Gr\u00fc\u00dfe \u65e5\u672c\u8a9e " * 8).strip())
        self.assertEqual(str(parsed["Reply-To"]), "a@acme.test, B <b@acme.test>")
        self.assertEqual((str(parsed["From"]), str(parsed["Sender"])), (mail.SENDER, "robot@acme.test"))
        self.assertEqual((str(parsed["X-Campaign"]), str(parsed["X-Number"])), ("k\u00f6ln", "7"))
        self.assertEqual(str(parsed["List-Unsubscribe"]), "<https://x.test/>")
        self.assertIn("from api ([127.0.0.1]) by mail.outrider.test with HTTP", " ".join(parsed.get_all("Received")))
        self.assertEqual(parsed.get_content_type(), "multipart/mixed")
        self.assertEqual(parsed.get_body(("plain",)).get_content().replace("\r\n", "\n"), "Sch\u00f6n\n.\nFrom me\n" + "x" * 2000 + "\n")
        self.assertEqual(parsed.get_body(("html",)).get_content().strip(), "<p>Sch\u00f6n</p>")
        text, binary = parsed.iter_attachments()
        self.assertEqual((text.get_filename(), text.get_payload(decode=True)), ("Gr\u00f6\u00dfe \u65e5.txt", b"a\nb\r"))
        self.assertEqual((binary.get_filename(), binary.get_content_type(), binary.get_payload(decode=True)),
                         ("b.bin", "application/octet-stream", bytes(range(256))))
        names = [mail.field_name(field) for field in mail.split(octets)[0]]
        wanted = ["date", "from", "sender", "reply-to", "to", "cc", "message-id", "references", "subject", "mime-version",
                  "content-type", "x-campaign", "x-number", "list-unsubscribe"]
        self.assertEqual([name for name in names if name in wanted], wanted)

    def test_one_body_is_one_part(self):
        for name, kind in (("plain_body", "text/plain"), ("html_body", "text/html")):
            recipient = fresh()
            self.send(MESSAGE, message(to=recipient, **{"plain_body": None, name: "x"}))
            self.assertEqual(self.arrived(recipient)[1].get_content_type(), kind)

    def test_answer_names_addresses_as_they_were_written(self):
        local = fresh().split("@")[0]
        data = self.send(MESSAGE, message(to=[f"{local.upper()}@OK.test"], cc=[f"X <{local.upper()}@ok.TEST>"]))
        self.assertEqual(set(data["messages"]), {f"{local.upper()}@OK.test", f"{local.upper()}@ok.TEST"})
        self.assertEqual(len({entry["id"] for entry in data["messages"].values()}), 1)

    def test_bounce_has_the_null_sender(self):
        for bounce in (True, "false", 0):
            recipient = fresh()
            self.send(MESSAGE, message(to=recipient, bounce=bounce))
            self.assertEqual(self.arrived(recipient)[2]["sender"], "")
        recipient = fresh()
        self.send(MESSAGE, message(to=recipient, bounce=False))
        self.assertNotEqual(self.arrived(recipient)[2]["sender"], "")

    def test_from_of_others(self):
        for sender in ("x@stranger.test", "a@acme.test, b@acme.test", "nobody", "a@acme.test\r\nBcc: x@ok.test",
                       "x@stranger.test <a@acme.test>", "a@acme.test <x@stranger.test>"):
            self.refused(MESSAGE, message(**{"from": sender}), "UnauthenticatedFromAddress")

    def test_one_hundred_and_fifty(self):
        lists = {name: [fresh() for _ in range(50)] for name in ("to", "cc", "bcc")}
        data = self.send(MESSAGE, message(**lists))
        mine = {address for addresses in lists.values() for address in addresses}
        self.assertEqual(set(data["messages"]), mine)
        self.assertEqual(len({entry["id"] for entry in data["messages"].values()}), 150)
        for address in (lists["to"][0], lists["bcc"][49]):
            self.assertEqual(self.sandbox.history(address, "Sent")["id"], data["messages"][address]["id"])


class Raw(Case):
    def test_as_it_was_given(self):
        a, b = fresh(), fresh()
        content = mail.message(a, "J\u00f6\r\n.dot\r\n\r\n".encode(), headers=(
            "X-Odd:  spaces  kept ", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit"))
        data = self.send(RAW, raw([a, b, a], content))
        self.assertEqual(set(data["messages"]), {a, b})
        for recipient in (a, b):
            octets, _, record = self.arrived(recipient)
            self.assertEqual(mail.without_added(octets), content)
            self.assertEqual(mail.values(octets, "Message-ID"), [f"<{data['message_id']}>"])
            row = self.sandbox.history(recipient, "Sent")
            self.assertEqual({"id": row["id"], "token": row["token"]}, data["messages"][recipient])
            self.assertEqual(record["sender"], row["return_path"])

    def test_parameters(self):
        content = mail.message("x@ok.test")
        missing = "parameter is required but is missing"
        for body, text in (({}, f"`rcpt_to` {missing}"), ({"rcpt_to": "a@ok.test"}, f"`rcpt_to` {missing}"),
                           ({"rcpt_to": []}, f"`mail_from` {missing}"),
                           ({"rcpt_to": [], "mail_from": ""}, f"`mail_from` {missing}"),
                           ({"rcpt_to": [], "mail_from": mail.SENDER}, f"`data` {missing}"),
                           (raw([], b""), f"`data` {missing}"), (raw(["x"], content), "`rcpt_to`"),
                           (raw([7], content), "`rcpt_to`"), (raw([fresh()], b"From: a\0\r\n\r\n"), "`data`"),
                           (raw([fresh()], b"no field\r\n\r\n"), "`data`"),
                           (raw([fresh() for _ in range(1001)], content), "`rcpt_to`")):
            self.wrong_parameter(RAW, body, text)

    def test_as_many_addresses_as_a_record_holds(self):
        long = [f"{'x' * 60}.{n}@{'y' * 60}.ok.test" for n in range(1000)]
        data = self.wrong_parameter(RAW, raw(long), "`rcpt_to`")
        self.assertIn("122880 octets", data["message"])
        self.wrong_parameter(RAW, raw([f"{'x' * 400}@ok.test"]), "`rcpt_to`")
        self.wrong_parameter(MESSAGE, message(to=f"{'x' * 400}@ok.test"), "`to`")
        self.refused(MESSAGE, message(**{"from": f"{'x' * 400}@acme.test"}), "UnauthenticatedFromAddress")

    def test_nobody(self):
        self.assertEqual(self.send(RAW, raw([])), {"message_id": None, "messages": {}})

    def test_no_message_id(self):
        recipient = fresh()
        content = f"From: {mail.SENDER}\r\nSubject: x\r\n\r\nhi\r\n".encode()
        self.assertIsNone(self.send(RAW, raw([recipient], content))["message_id"])
        self.assertTrue(self.arrived(recipient)[1]["Message-ID"])

    def test_from_of_others(self):
        for content in (b"Subject: x\r\n\r\n", b"From: x@stranger.test\r\n\r\n", b"From: a@acme.test, b@acme.test\r\n\r\n",
                        b"From: a@acme.test\r\nFrom: a@acme.test\r\n\r\n", b"\r\nFrom: a@acme.test\r\n"):
            self.refused(RAW, raw([fresh()], content), "UnauthenticatedFromAddress")

    def test_null_sender_and_tag(self):
        recipient = fresh()
        self.send(RAW, raw([recipient], mail.message(recipient, headers=("X-Postal-Tag: t7",)), bounce=True))
        self.assertEqual(self.arrived(recipient)[2]["sender"], "")
        self.assertEqual(self.sandbox.history(recipient, "Sent")["tag"], "t7")

    def test_forged_claim_and_fields(self):
        recipient = fresh()
        self.send(RAW, raw([recipient], mail.message(recipient, headers=(
            "X-Outrider-Claim: v1.0.e30.AA", "X-Outrider-Stage: split", "X-Outrider-MsgID: forged"))))
        octets = self.arrived(recipient)[0]
        for word in (b"Claim", b"Stage", b"forged"):
            self.assertNotIn(word, octets)

    def test_looping_and_large(self):
        many = mail.message("x@ok.test", headers=("Received: x",) * 51)
        self.refused(RAW, raw([fresh()], many), "TooManyReceived")
        wide = mail.message("x@ok.test", headers=[f"X-{i}: y" for i in range(1001)])
        self.refused(RAW, raw([fresh()], wide), "MessageTooLarge")

    def test_large(self):
        recipient = fresh()
        content = mail.message(recipient, (b"x" * 76 + b"\r\n") * 100000)
        self.send(RAW, raw([recipient], content))
        self.assertEqual(mail.without_added(self.arrived(recipient)[0]), content)

    def test_recipient_that_postfix_reads_otherwise(self):
        data = self.refused(RAW, raw(["b%ok.test@mail.outrider.test"]), "MessageRefused")
        self.assertIn("5.1.3", data["message"])


class Held(Case):
    def test_suppressed_and_held(self):
        """What DISPATCH decides, it decides for these messages as for any other."""
        good, bad = fresh(), fresh()
        self.sandbox.outrider("suppression", "add", "acme/main", bad, "--reason", "trial")
        wait_for(lambda: self.sandbox.suppressed(bad), "the suppression in the replica")
        data = self.send(MESSAGE, message(to=[good, bad]))
        self.assertEqual(self.sandbox.history(bad, "Held")["id"], data["messages"][bad]["id"])
        self.assertEqual(self.sandbox.history(good, "Sent")["id"], data["messages"][good]["id"])

    def test_limits(self):
        self.sandbox.outrider("server", "add", "acme/slow", "--name", "Slow", "--mode", "live")
        self.sandbox.outrider("limit", "set", "acme/slow", "1/day", "--action", "reject")
        self.api = Api(self.sandbox, self.sandbox.outrider("credential", "add", "acme/slow", "api", "--type", "api")["key"])
        wait_for(lambda: self.api.ask(MESSAGE, {})[1]["data"]["code"] == "NoRecipients", "the new credential")
        # Sooner or later policyd has the limit: then the answer is a success still, and history tells of the refusal.
        wait_for(lambda: self.end_of_one() == "HardFail", "a message beyond the limit")

    def end_of_one(self):
        recipient = fresh()
        self.send(MESSAGE, message(to=recipient))
        row = wait_for(lambda: self.final(recipient), "an end")
        return row["status"]

    def final(self, recipient):
        rows = self.sandbox.outrider("message", "list", "--limit", "1000")
        found = [row for row in rows if row["rcpt_to"] == recipient and row["status"] in ("Sent", "HardFail")]
        return found[0] if found else None


class AtOnce(Case):
    """One recipient leaves in one pass; where DISPATCH cannot be done at once, the answer is the same and the hop tries again."""

    def submission(self, recipient, status="Sent"):
        row = self.sandbox.history(recipient, status)
        return row, self.sandbox.outrider("explain", str(row["id"]))["messages"][0]["submission"]

    def limited(self, name, limit):
        self.sandbox.outrider("server", "add", f"acme/{name}", "--name", name, "--mode", "live")
        self.sandbox.outrider("limit", "set", f"acme/{name}", limit, "--action", "defer")
        self.api = Api(self.sandbox, self.sandbox.outrider("credential", "add", f"acme/{name}", "api", "--type", "api")["key"])
        wait_for(lambda: self.api.ask(MESSAGE, {})[1]["data"]["code"] == "NoRecipients", "the new credential")

    def test_one_recipient(self):
        for sender in (False, True):
            recipient = fresh()
            data = self.send(MESSAGE, message(to=recipient, bounce=sender))
            row, submission = self.submission(recipient)
            self.assertEqual((row["id"], row["queue_id"]), (data["messages"][recipient]["id"], submission["queue_id"]))
            self.assertFalse(submission["hop"])
            self.assertEqual((submission["client_ip"], submission["recipients"]), ("127.0.0.1", 1))
            octets = self.arrived(recipient)[0]
            self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
            self.assertEqual(len(mail.values(octets, "Received")), 2)
            self.assertEqual(mail.values(octets, "X-Outrider-Claim"), [])

    def test_several_recipients(self):
        recipients = [fresh(), fresh()]
        self.send(MESSAGE, message(to=recipients))
        for recipient in recipients:
            self.assertTrue(self.submission(recipient)[1]["hop"])

    def test_put_off_by_a_limit(self):
        self.limited("patient", "1/day")
        late = wait_for(self.one_too_many, "a message beyond the limit")
        self.assertTrue(self.submission(late, "SoftFail")[1]["hop"])
        self.sandbox.outrider("limit", "set", "acme/patient", "1000/day")
        wait_for(lambda: self.sandbox.execute("postqueue", "-f") and self.sandbox.inbox(late), "the message, once there is room")
        self.sandbox.history(late, "Sent")
        self.assertEqual(len(self.sandbox.inbox(late)), 1)

    def one_too_many(self):
        recipient = fresh()
        self.send(MESSAGE, message(to=recipient))
        row = wait_for(lambda: [row for row in self.sandbox.outrider("message", "list", "--to", recipient)
                                if row["status"] in ("Sent", "SoftFail")], "an end for now")[0]
        return recipient if row["status"] == "SoftFail" else None

    def test_without_policyd(self):
        """Its limits cannot be asked: the message waits."""
        self.limited("asking", "1000/day")
        recipient = fresh()
        self.sandbox.stop("policyd")
        try:
            self.send(MESSAGE, message(to=recipient))
        finally:
            self.sandbox.start("policyd")
        wait_for(lambda: self.sandbox.execute("postqueue", "-f") and self.sandbox.inbox(recipient), "the message")
        self.sandbox.history(recipient, "Sent")


class Repeated(Case):
    def test_same_request(self):
        recipient = fresh()
        body, key = message(to=recipient), {"Idempotency-Key": uuid.uuid4().hex}
        first = self.send(MESSAGE, body, headers=key)
        self.sandbox.history(recipient, "Sent")
        self.sandbox.stop("apid")
        self.sandbox.start("apid")
        self.api = Api(self.sandbox)
        self.assertEqual(self.send(MESSAGE, body, headers=key), first)
        other = fresh()
        self.send(MESSAGE, message(to=other))
        self.sandbox.history(other, "Sent")
        self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_other_request(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        self.send(MESSAGE, message(), headers=key)
        status, word, data = self.ask(MESSAGE, message(), headers=key)
        self.assertEqual((status, word, data["code"]), (422, "error", "IdempotencyKeyReused"))

    def test_whatever_has_changed_since(self):
        """What was taken is answered as it was, though it would be refused now."""
        recipient = fresh()
        body, key = message(to=recipient), {"Idempotency-Key": uuid.uuid4().hex}
        self.api = Api(self.sandbox, self.sandbox.outrider("credential", "add", "acme/main", "turned", "--type", "api")["key"])
        self.addCleanup(self.sandbox.outrider, "credential", "delete", "acme/main", "turned")
        self.sandbox.followed()
        first = self.send(MESSAGE, body, headers=key)
        self.sandbox.outrider("credential", "change", "acme/main", "turned", "--sender", "other@acme.test")
        self.sandbox.followed()
        self.refused(MESSAGE, message(), "UnauthenticatedFromAddress")
        self.assertEqual(self.send(MESSAGE, body, headers=key), first)
        self.sandbox.history(recipient, "Sent")
        self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_nobody_is_not_remembered(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        self.send(RAW, raw([]), headers=key)
        self.send(RAW, raw([fresh()]), headers=key)

    def test_errors_are_not_remembered(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        self.refused(MESSAGE, message(**{"from": "x@stranger.test"}), "UnauthenticatedFromAddress", headers=key)
        self.send(MESSAGE, message(), headers=key)

    def test_at_the_same_moment(self):
        recipient, answers = fresh(), []
        body, key = message(to=recipient), {"Idempotency-Key": uuid.uuid4().hex}

        def ask():
            status, answer = Api(self.sandbox).ask(MESSAGE, body, headers=key)
            answers.append((status, json.dumps(answer["data"], sort_keys=True)))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue({status for status, _ in answers} <= {200, 409}, answers)
        self.assertEqual(len({data for status, data in answers if status == 200}), 1)
        self.sandbox.history(recipient, "Sent")
        self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_bad_keys(self):
        for key in ("", "x" * 256, "a\tb"):
            self.wrong_parameter(MESSAGE, message(), "Idempotency-Key", status=400, headers={"Idempotency-Key": key})
        self.assertEqual(self.api.ask(MESSAGE, message(), headers={"Idempotency-Key": "a\x7f"}), (400, "Bad Request\n"))


class Interrupted(Case):
    """A request with a key, of which apid did not live to see the end."""

    def setUp(self):
        super().setUp()
        self.recipient, self.others = fresh(), fresh()
        self.key = {"Idempotency-Key": uuid.uuid4().hex}
        self.body = message(to=[self.recipient])

    def forget(self, change):
        """As if apid had been killed before it kept the answer; change: of what it had begun."""
        self.sandbox.stop("apid")
        path = pathlib.Path(self.sandbox.directory, "spool", "apid", "remembered.db")
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            changed = db.execute(f"UPDATE request SET {change} WHERE name = ?", [self.key["Idempotency-Key"]]).rowcount
        self.assertEqual(changed, 1)
        self.sandbox.start("apid")
        self.api = Api(self.sandbox)

    def interrupted(self, code=409, name="IdempotencyKeyInUse"):
        self.api = Api(self.sandbox)
        self.api.link.request("POST", MESSAGE, json.dumps(self.body), {
            "Content-Type": "application/json", "X-Server-API-Key": self.api.key, **self.key})
        answer = self.api.link.getresponse()
        data = json.loads(answer.read())["data"]
        self.assertEqual((answer.status, data["code"]), (code, name), data)
        self.assertGreater(int(answer.headers["Retry-After"]), 0)

    def test_taken(self):
        """One recipient, or several that are split at the hop."""
        for recipients in ([fresh()], [fresh(), fresh()]):
            self.key, self.body = {"Idempotency-Key": uuid.uuid4().hex}, message(to=recipients)
            first = self.send(MESSAGE, self.body, headers=self.key)
            for recipient in recipients:
                self.sandbox.history(recipient, "Sent")
            self.forget("answer = NULL")
            self.assertEqual(self.send(MESSAGE, self.body, headers=self.key), first)
            self.forget("answer = answer")  # it is kept now
            self.assertEqual(self.send(MESSAGE, self.body, headers=self.key), first)
            later = fresh()
            self.send(MESSAGE, message(to=later))
            self.sandbox.history(later, "Sent")
            for recipient in recipients:
                self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_not_told_of(self):
        """Nothing says that it was taken, nor that it never will be."""
        self.send(MESSAGE, self.body, headers=self.key)
        self.sandbox.history(self.recipient, "Sent")
        self.forget("answer = NULL, base = base + (1 << 40)")
        for _ in range(3):
            self.interrupted()
        status, _, data = self.ask(MESSAGE, message(), headers=self.key)
        self.assertEqual((status, data["code"]), (422, "IdempotencyKeyReused"))
        self.send(MESSAGE, message(to=self.others))
        self.sandbox.history(self.others, "Sent")
        self.assertEqual(len(self.sandbox.inbox(self.recipient)), 1)

    def test_of_another_server(self):
        """What history has of another server's message says nothing."""
        elsewhere = self.sandbox.history(next(iter(self.send(MESSAGE, message(to=self.others))["messages"])), "Sent")
        self.sandbox.outrider("server", "add", "acme/elsewhere", "--name", "Elsewhere", "--mode", "live")
        key = self.sandbox.outrider("credential", "add", "acme/elsewhere", "api", "--type", "api")["key"]
        self.api = Api(self.sandbox, key)
        wait_for(lambda: self.api.ask(MESSAGE, {})[1]["data"]["code"] == "NoRecipients", "the new credential")
        self.send(MESSAGE, self.body, headers=self.key)
        self.sandbox.history(self.recipient, "Sent")
        self.forget(f"answer = NULL, base = {elsewhere['id']}")
        status, answer = Api(self.sandbox, key).ask(MESSAGE, self.body, headers=self.key)
        self.assertEqual((status, answer["data"]["code"]), (409, "IdempotencyKeyInUse"))

    def test_database_away(self):
        self.send(MESSAGE, self.body, headers=self.key)
        self.sandbox.history(self.recipient, "Sent")
        self.forget("answer = NULL")
        self.sandbox.stop("mariadb")
        try:
            self.interrupted(503, "TemporarilyUnavailable")
            self.send(MESSAGE, message(to=self.others))
            self.arrived(self.others)
            self.interrupted(503, "TemporarilyUnavailable")
        finally:
            self.sandbox.start("mariadb")
        wait_for(lambda: Api(self.sandbox).ask(MESSAGE, self.body, headers=self.key)[0] == 200, "the answer of then")
        self.assertEqual(len(self.sandbox.inbox(self.recipient)), 1)

    def test_killed_under_load(self):
        """Whoever got no answer asks again until there is one; each recipient gets it once, with the ids of the answer.
        What Postfix has nothing of is answered after three minutes."""
        requests, stop = [], threading.Event()

        def ask(request):
            try:
                status, answer = Api(self.sandbox).ask(MESSAGE, request["body"], headers=request["key"])
            except (OSError, http.client.HTTPException):
                return False
            self.assertIn(status, (200, 409, 503), answer)
            if status == 200:
                request["answers"].append(answer["data"])
            return status == 200

        def load():
            while not stop.is_set():
                request = {"body": message(to=[fresh() for _ in range(random.randint(1, 3))]), "answers": [],
                           "key": {"Idempotency-Key": uuid.uuid4().hex}}
                requests.append(request)
                if not ask(request):
                    time.sleep(0.02)

        self.under_kills(load, stop, 6, ("apid", "apid", "milter", "apid", "apid"), requests)
        cut = [request for request in requests if not request["answers"]]
        self.assertGreater(len(cut), 0)
        wait_for(lambda: all([request["answers"] or ask(request) for request in cut]), "answers", patience=240)
        for request in requests:
            ask(request)
            self.assertEqual(request["answers"], request["answers"][:1] * len(request["answers"]))
        self.sent_as({address: entry["id"] for request in requests
                      for address, entry in request["answers"][0]["messages"].items()})
        sent = {address for request in requests for address in request["body"]["to"]}
        self.assertEqual(sorted(self.got(sent)), sorted(sent))


class Outages(Case):
    def restart(self, *services):
        self.sandbox.start(*services)

    def test_without_database_and_worker(self):
        recipient = fresh()
        self.sandbox.stop("worker", "mariadb")
        try:
            data = self.send(MESSAGE, message(to=recipient))
            self.arrived(recipient)
        finally:
            self.restart("mariadb", "worker")
        self.assertEqual(self.sandbox.history(recipient, "Sent")["id"], data["messages"][recipient]["id"])

    def test_without_milter(self):
        recipient = fresh()
        body, key = message(to=recipient), {"Idempotency-Key": uuid.uuid4().hex}
        self.sandbox.stop("milter")
        try:
            status, word, data = self.ask(MESSAGE, body, headers=key)
            self.assertEqual((status, word, data["code"]), (503, "error", "TemporarilyUnavailable"))
        finally:
            self.restart("milter")
        self.send(MESSAGE, body, headers=key)
        self.sandbox.history(recipient, "Sent")
        self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_killed_under_load(self):
        """What was answered is delivered once, however often apid and milter are killed; by one pass, and over the hop."""
        answered, sent, stop = {}, set(), threading.Event()
        lock = threading.Lock()

        def load():
            while not stop.is_set():
                body = message(to=[fresh() for _ in range(random.randint(1, 2))])
                with lock:
                    sent.update(body["to"])
                try:
                    status, answer = Api(self.sandbox).ask(MESSAGE, body)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)
                    continue
                if status == 200:
                    self.assertEqual(answer["status"], "success", answer)
                    with lock:
                        answered.update(answer["data"]["messages"])

        self.under_kills(load, stop, 4, ("apid", "milter") * 3, answered)
        self.assertGreater(len(answered), 100)
        self.sent_as({address: entry["id"] for address, entry in answered.items()})
        got = self.got(sent)
        self.assertEqual(len(got), len(set(got)), "somebody got it twice")
        self.assertLessEqual(set(answered), set(got))


class Privacy(Case):
    def test_nobody_learns_of_the_client(self):
        self.sandbox.outrider("server", "add", "acme/discreet", "--name", "Discreet", "--mode", "live", "--privacy", "yes")
        key = self.sandbox.outrider("credential", "add", "acme/discreet", "api", "--type", "api")["key"]
        self.api, recipient = Api(self.sandbox, key), fresh()
        wait_for(lambda: self.api.ask(MESSAGE, {})[1]["data"]["code"] == "NoRecipients", "the new credential")
        self.send(MESSAGE, message(to=recipient))
        octets = self.arrived(recipient)[0]
        for word in (b"127.0.0.1", b"outrider-inject"):
            self.assertNotIn(word, octets)
        row = self.sandbox.history(recipient, "Sent")
        story = self.sandbox.outrider("explain", str(row["id"]))
        submission = story["messages"][0]["submission"]
        self.assertEqual((submission["client_ip"], submission["hop"]), ("127.0.0.1", True))
