# SPDX-License-Identifier: MIT
"""What became of messages, over HTTP: API v1's reading calls, each row and each error of theirs."""

import base64
import collections
import concurrent.futures
import contextlib
import functools
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import threading
import time
import unittest
import urllib.parse
import uuid

import mail
from sandbox import fresh, shared, wait_for
from test_api_send import Api, message, raw
from tracked import Tracked, links, pixels

SEND, SEND_RAW = "/api/v1/send/message", "/api/v1/send/raw"
MESSAGE, DELIVERIES = "/api/v1/messages/message", "/api/v1/messages/deliveries"
EXPANSIONS = ("status", "details", "inspection", "plain_body", "html_body", "attachments", "headers", "raw_message",
              "activity_entries")
STORED = EXPANSIONS[3:8]
ENTRY = {"id", "status", "details", "output", "sent_with_ssl", "log_id", "time", "timestamp"}
DAY = 86400


@functools.cache
def other_key():
    return client_of_new_server(shared(), "live").key


def other():
    """A client of another server."""
    return Api(shared(), other_key())


def client_of_new_server(sandbox, mode):
    server = f"acme/r{uuid.uuid4().hex[:8]}"
    sandbox.outrider("server", "add", server, "--name", "Reader", "--mode", mode)
    return client_of(sandbox, server)


def client_of(sandbox, server):
    """A client with a credential of its own, once apid knows it."""
    api = Api(sandbox, sandbox.outrider("credential", "add", server, "api", "--type", "api")["key"])
    wait_for(lambda: api.ask(MESSAGE, {})[1]["status"] == "parameter-error", "the credential")
    return api


def patiently(ask, *arguments, **options):
    """What a call answers, its HTTP status first, once that is not 503: after a read that failed or took long, apid reads
    nothing for a second."""
    return wait_for(lambda: (answer := ask(*arguments, **options))[0] != 503 and answer, "an answer other than 503")


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.sandbox = shared()
        self.api = Api(self.sandbox)

    def ask(self, path, body=None, api=None, **options):
        """(HTTP status, status word, data)."""
        status, answer = (api or self.api).ask(path, body, **options)
        self.assertEqual(set(answer), {"status", "time", "flags", "data"})
        self.assertIsInstance(answer["time"], float)
        return status, answer["status"], answer["data"]

    def read(self, number, *expansions, path=MESSAGE, api=None):
        body = {"id": number, "_expansions": True if expansions == ("all",) else list(expansions)}
        status, word, data = patiently(self.ask, path, body, api)
        self.assertEqual((status, word), (200, "success"), data)
        return data

    def deliveries(self, number, api=None):
        rows = self.read(number, path=DELIVERIES, api=api)
        for row in rows:
            self.assertEqual(set(row), ENTRY)
            self.assertIsInstance(row["id"], int)
            self.assertIsInstance(row["timestamp"], float)
        self.assertEqual(sorted(rows, key=lambda row: row["timestamp"]), rows)
        self.assertEqual(len({row["id"] for row in rows}), len(rows))
        return rows

    def send(self, recipient, status="Sent", api=None, **parameters):
        """Its id, once history has it so."""
        answer = (api or self.api).ask(SEND, message(to=recipient, **parameters))[1]
        self.assertEqual(answer["status"], "success", answer)
        told = answer["data"]["messages"][recipient]
        self.assertEqual(self.sandbox.history(recipient, status)["id"], told["id"])
        return told["id"], told["token"], answer["data"]["message_id"]

    def send_raw(self, content, status="Sent"):
        recipient = fresh()
        answer = self.api.ask(SEND_RAW, raw([recipient], content))[1]
        self.assertEqual(answer["status"], "success", answer)
        return self.sandbox.history(recipient, status)["id"]


class Lookup(Case):
    def test_keys(self):
        for path in (MESSAGE, DELIVERIES):
            self.assertEqual(self.ask(path, {"id": 1}, Api(self.sandbox, "")), (200, "error", {
                "code": "AccessDenied", "message": "Must be authenticated as a server."}))
            self.assertEqual(self.ask(path, {"id": 1}, Api(self.sandbox, "wrong"))[2]["code"], "InvalidServerAPIKey")

    def test_missing_id(self):
        for path in (MESSAGE, DELIVERIES):
            for body in ({}, {"id": None}, {"id": ""}, {"id": " "}, {"id": False}, {"id": []}, {"id": {}}, {"_expansions": True}):
                self.assertEqual(self.ask(path, body), (200, "parameter-error", {
                    "message": "`id` parameter is required but is missing"}), body)

    def test_wrong_id(self):
        for path in (MESSAGE, DELIVERIES):
            for number in ({"token": "x"}, {"id": 1}, [1], True, 1.5, "x", "1 OR 1=1", "1.0", "-1", "1\0"):
                self.assertEqual(self.ask(path, {"id": number}), (200, "parameter-error", {
                    "message": "`id` must be a whole number"}), number)

    def test_unknown_id(self):
        for path in (MESSAGE, DELIVERIES):
            for number in (1, 0, -1, 2**53 - 1, 2**53, 2**63 - 1, "1", "007", "9" * 40):
                self.assertEqual(self.ask(path, {"id": number}), (200, "error", {
                    "code": "MessageNotFound", "message": "No message found matching provided ID", "id": number}))

    def test_malformed(self):
        for path in (MESSAGE, DELIVERIES):
            self.assertEqual(self.ask(path, b"{")[:2], (400, "parameter-error"))
            self.assertEqual(self.api.ask(path, {"id": 1}, method="DELETE")[0], 404)
            self.assertEqual(Api(self.sandbox).ask(path, b" " * 70000)[0], 413)

    def test_every_way_to_ask(self):
        number, token, _ = self.send(fresh())
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        wanted = (200, "success", {"id": number, "token": token})
        for given in (number, str(number), f" {number} "):
            self.assertEqual(self.ask(MESSAGE, {"id": given}), wanted)
        for method in ("GET", "POST", "PUT", "PATCH"):
            self.assertEqual(self.ask(MESSAGE, {"id": number}, method=method), wanted)
        params = urllib.parse.urlencode({"params": json.dumps({"id": number})})
        self.assertEqual(self.ask(MESSAGE, params.encode(), headers=form), wanted)
        self.assertEqual(self.ask(MESSAGE + "?" + params, None, method="GET", headers={"Content-Type": None}), wanted)
        self.assertEqual(self.ask(f"{MESSAGE}?id={number}", {}), wanted)

    def test_only_of_its_own_server(self):
        number, _, _ = self.send(fresh())
        for path in (MESSAGE, DELIVERIES):
            self.assertEqual(self.ask(path, {"id": number, "_expansions": True}, other())[2]["code"], "MessageNotFound")

    def test_what_is_not_shown_is_not_found(self):
        number, _, _ = self.send(fresh())
        for status in ("Accepting", "Aborted"):
            copy = number + (1 << 60 >> 1) % 2**40 + len(status)
            self.sandbox.sql(f"INSERT INTO message (id, server_id, status) SELECT {copy}, server_id, '{status}' FROM message "
                             f"WHERE id = {number}")
            for path in (MESSAGE, DELIVERIES):
                self.assertEqual(self.ask(path, {"id": copy})[2]["code"], "MessageNotFound")


class Expansions(Case):
    def test_which(self):
        number, token, _ = self.send(fresh())
        base = {"id": number, "token": token}
        for given in (None, False, "true", "status", 1, {}, {"status": True}, [], ["nothing", 7, None, "STATUS"]):
            self.assertEqual(self.ask(MESSAGE, {"id": number, "_expansions": given})[2], base, given)
        whole = self.read(number, "all")
        self.assertEqual(list(whole), ["id", "token", *EXPANSIONS])
        for name in EXPANSIONS:
            self.assertEqual(self.read(number, name), {**base, name: whole[name]})
        self.assertEqual(list(self.read(number, "headers", "status", "status")), ["id", "token", "status", "headers"])

    def test_status_and_details(self):
        recipient, begun = fresh(), time.time()
        number, _, message_id = self.send(recipient, subject="Gr\u00fc\u00dfe <&>", tag="invoice")
        data = self.read(number, "status", "details", "inspection")
        row = self.sandbox.history(recipient)
        self.assertEqual(data["status"], {"status": "Sent", "held": False, "hold_expiry": None,
                                          "last_delivery_attempt": row["deliveries"][0]["at"] / 1e6})
        self.assertIsInstance(data["status"]["last_delivery_attempt"], float)
        stamp = data["details"].pop("timestamp")
        self.assertEqual(stamp, row["accepted_at"] / 1e6)
        self.assertTrue(begun - 5 < stamp < time.time() + 5)
        self.assertEqual(data["details"], {
            "rcpt_to": recipient, "mail_from": mail.SENDER, "subject": "Gr\u00fc\u00dfe <&>", "message_id": message_id,
            "direction": "outgoing", "size": str(row["size"]), "bounce": False, "bounce_for_id": 0, "tag": "invoice",
            "received_with_ssl": True})
        self.assertEqual(data["inspection"], {"inspected": False, "spam": False, "spam_score": 0.0, "threat": False,
                                              "threat_details": None})

    def test_what_is_not_there_is_null(self):
        recipient = fresh()
        number, _, _ = self.send(recipient, subject="", bounce=True)
        details = self.read(number, "details")["details"]
        self.assertEqual((details["mail_from"], details["subject"], details["bounce"], details["tag"]), (None, None, True, None))

    def test_over_smtp(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient)
        number = self.sandbox.history(recipient, "Sent")["id"]
        self.assertIs(self.read(number, "details")["details"]["received_with_ssl"], True)
        self.sandbox.sql(f"UPDATE submission SET client_tls = NULL WHERE id = {number}")  # as of a client that has none
        self.assertIs(self.read(number, "details")["details"]["received_with_ssl"], None)

    def test_bytes(self):
        recipient, binary = fresh(), os.urandom(100003)
        number, _, _ = self.send(recipient, plain_body="Sch\u00f6n\n.\n<&>\n", html_body="<p>Sch\u00f6n</p>\n",
                                 headers={"X-Twice": "k\u00f6ln"},
                                 attachments=[{"name": "Gr\u00f6\u00dfe.bin", "data": base64.b64encode(binary).decode()},
                                              {"name": "a.txt", "content_type": "text/plain", "data": "YQ0KYgo="}])
        data = self.read(number, "all")
        self.assertEqual((data["plain_body"], data["html_body"]), ("Sch\u00f6n\n.\n<&>\n", "<p>Sch\u00f6n</p>\n"))
        for told, name, kind, octets in zip(data["attachments"], ("Gr\u00f6\u00dfe.bin", "a.txt"),
                                            ("application/octet-stream", "text/plain"), (binary, b"a\r\nb\n"), strict=True):
            self.assertEqual(told, {"filename": name, "content_type": kind, "size": len(octets),
                                    "hash": hashlib.sha1(octets).hexdigest(), "data": self.lines(octets)})
        arrived, _ = self.sandbox.received(recipient)
        stored = base64.b64decode(data["raw_message"])
        self.assertEqual(data["raw_message"], self.lines(stored))
        self.assertEqual(mail.without_added(stored), mail.without_added(arrived))
        self.assertEqual(len(data["headers"]["dkim-signature"]), 2)
        self.assertEqual(data["headers"]["to"], [recipient])
        self.assertEqual(data["headers"]["x-twice"], ["k\u00f6ln"])
        self.assertEqual(list(data["headers"]), list(dict.fromkeys(mail.field_name(f) for f in mail.split(stored)[0])))

    def lines(self, octets):
        """As Ruby's encode64 has it: lines of 60 characters, each with its end."""
        text = base64.b64encode(octets).decode()
        return "".join(text[at:at + 60] + "\n" for at in range(0, len(text), 60))

    def test_bodies_in_every_charset(self):
        for kind, octets, wanted in (
                ("text/plain; charset=iso-8859-1", b"gr\xfc\xdf", ("gr\u00fc\u00df", None)),
                ("text/html; charset=windows-1258", b"\x80", (None, "\u20ac")),
                ("text/plain; charset=koi8-r", b"\xd0\xd2", ("\u043f\u0440", None)),
                ("text/plain; charset=x-nobody", b"a\xff", ("a\ufffd", None)),
                ("application/pdf", b"%PDF", (None, None))):
            content = mail.message("x@ok.test", base64.encodebytes(octets).replace(b"\n", b"\r\n"), headers=(
                "MIME-Version: 1.0", f"Content-Type: {kind}", "Content-Transfer-Encoding: base64"))
            data = self.read(self.send_raw(content), "plain_body", "html_body", "attachments")
            self.assertEqual((data["plain_body"], data["html_body"], data["attachments"]), (*wanted, []), kind)

    def test_an_enclosed_message_is_a_file(self):
        inner = b"Subject: inner\r\nX:  kept \r\n\r\nbody\r\n"
        body = (b"--m\r\n\r\nouter\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n" + inner +
                b"\r\n--m\r\nContent-Type: image/png\r\n\r\nno name\r\n--m--\r\n")
        data = self.read(self.send_raw(mail.message("x@ok.test", body, headers=(
            "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=m"))), "plain_body", "attachments")
        self.assertEqual(data["plain_body"], "outer")
        file, = data["attachments"]
        self.assertRegex(file["filename"], r"\A\d+\.eml\Z")
        self.assertEqual((file["content_type"], base64.b64decode(file["data"])), ("message/rfc822", inner))

    def test_stored_message_gone(self):
        recipient = fresh()
        number, _, _ = self.send(recipient)
        path = self.sandbox.history(recipient)["store_path"]
        pathlib.Path(self.sandbox.directory, "spool", "store", path).unlink()
        data = self.read(number, "all")
        for name in STORED:
            self.assertIsNone(data[name], name)
        self.assertEqual(data["status"]["status"], "Sent")
        self.assertEqual(data["activity_entries"], {"loads": [], "clicks": []})

    def test_stored_message_damaged(self):
        recipient = fresh()
        number, _, _ = self.send(recipient)
        path = pathlib.Path(self.sandbox.directory, "spool", "store", self.sandbox.history(recipient)["store_path"])
        path.write_bytes(path.read_bytes()[:-10])
        self.assertEqual(self.ask(MESSAGE, {"id": number, "_expansions": ["raw_message"]})[:2], (503, "error"))
        self.assertEqual(self.read(number, "status")["status"]["status"], "Sent")

    def test_large(self):
        binary = os.urandom(9 * 1024 * 1024)
        number, _, _ = self.send(fresh(), attachments=[{"name": "x", "data": base64.b64encode(binary).decode()}])
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(self.read, number, "attachments", "raw_message", api=Api(self.sandbox)) for _ in range(3)]
            self.assertEqual(self.read(number, "status")["status"]["status"], "Sent")
        for answer in answers:
            self.assertEqual(base64.b64decode(answer.result()["attachments"][0]["data"]), binary)

    def test_who_reads_much_leaves_others_their_turn(self):
        name = {"name": "x", "data": base64.b64encode(os.urandom(2 * 1024 * 1024)).decode()}
        greedy, _, _ = self.send(fresh(), attachments=[name])
        number, _, _ = self.send(fresh(), api=other(), attachments=[name])
        ended, statuses = threading.Event(), collections.Counter()

        def read_on(api):
            while not ended.is_set():
                statuses[api.ask(MESSAGE, {"id": greedy, "_expansions": ["raw_message"]})[0]] += 1

        with concurrent.futures.ThreadPoolExecutor(24) as pool, contextlib.ExitStack() as stack:
            stack.callback(ended.set)
            readers = [pool.submit(read_on, Api(self.sandbox)) for _ in range(24)]
            wait_for(lambda: statuses[200] and statuses[503], "more to be asked than its share", tell=lambda: statuses)
            for _ in range(10):
                self.assertEqual(self.ask(MESSAGE, {"id": number, "_expansions": ["status"]}, other())[:2], (200, "success"))
            wait_for(lambda: other().ask(MESSAGE, {"id": number, "_expansions": ["attachments"]})[0] == 200, "its turn")
        for reader in readers:
            reader.result()
        self.assertEqual(set(statuses), {200, 503})


class Activity(Case):
    def test_loads_and_clicks(self):
        tracked = Tracked(self.sandbox)
        api = client_of(self.sandbox, tracked.server)
        recipient, url = fresh(), "https://shop.test/a?b=1&c=2"
        number, _, _ = self.send(recipient, api=api, html_body=f'<body><a href="{url.replace("&", "&amp;")}">x</a></body>')
        octets, _ = self.sandbox.received(recipient)
        body = mail.split(octets)[1]
        self.assertEqual([link.url for link in links(self.sandbox, body)], [url])
        self.assertEqual(len(pixels(self.sandbox, body)), 1)
        tokens = re.findall(rb"/([co])/([A-Za-z0-9_-]+)", body)
        browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
        for kind, token in tokens:
            for agent in (browser, "Barracuda Sentinel"):
                link = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
                link.request("GET", f"/{kind.decode()}/{token.decode()}", headers={
                    "Host": tracked.host, "User-Agent": agent, "X-Forwarded-For": "203.0.113.9"})
                self.assertIn(link.getresponse().status, (200, 307))
                time.sleep(1.1)  # within a second one client is one visit

        def look():
            told = self.read(number, "activity_entries", api=api)["activity_entries"]
            return told if len(told["loads"]) + len(told["clicks"]) == 4 else None

        told = wait_for(look, "four visits")
        self.assertEqual(set(told), {"loads", "clicks"})
        for entry in told["loads"]:
            self.assertEqual(set(entry), {"ip_address", "user_agent", "timestamp", "machine"})
        for entry in told["clicks"]:
            self.assertEqual(set(entry), {"url", "ip_address", "user_agent", "timestamp", "machine"})
            self.assertEqual(entry["url"], url)
        for entry in told["loads"] + told["clicks"]:
            self.assertRegex(entry["timestamp"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
        self.assertEqual({entry["user_agent"] for entry in told["loads"]}, {browser, "Barracuda Sentinel"})
        self.assertTrue(all(entry["machine"] for entry in told["loads"] if entry["user_agent"] != browser))


class Deliveries(Case):
    def test_sent(self):
        recipient = fresh()
        number, _, _ = self.send(recipient)
        row, = self.deliveries(number)
        known = self.sandbox.history(recipient)["deliveries"][0]
        self.assertEqual((row["status"], row["output"], row["sent_with_ssl"], row["log_id"], row["timestamp"]),
                         ("Sent", known["text"], False, known["queue_id"], known["at"] / 1e6))
        self.assertIsInstance(row["time"], float)
        self.assertIn(recipient, row["details"])
        self.assertIn(known["source_ip"], row["details"])

    def test_with_tls(self):
        number, _, _ = self.send(fresh("tls.test"))
        self.assertIs(self.deliveries(number)[0]["sent_with_ssl"], True)

    def test_refused(self):
        for domain, status, word in (("refuse.test", "HardFail", "for good"), ("defer.test", "SoftFail", "for now")):
            recipient = fresh(domain)
            number, _, _ = self.send(recipient, status)
            row = self.deliveries(number)[0]
            self.assertEqual(row["status"], status)
            self.assertRegex(row["output"], r"\b[45]5\d\b")
            self.assertIn(word, row["details"])
            self.assertRegex(row["details"], r"\d:25 \(")
            self.assertEqual(self.read(number, "status")["status"]["status"], status)

    def test_nobody_reached(self):
        number, _, _ = self.send(fresh("down.test"), "SoftFail")
        row = self.deliveries(number)[0]
        self.assertEqual((row["status"], row["sent_with_ssl"]), ("SoftFail", False))
        self.assertIn("down.test", row["details"])

    def test_several_attempts_oldest_first(self):
        recipient = fresh("greylist.test")
        number, _, _ = self.send(recipient, "Sent")
        rows = self.deliveries(number)
        self.assertEqual([row["status"] for row in rows][0], "SoftFail")
        self.assertEqual(rows[-1]["status"], "Sent")
        self.assertEqual(self.read(number, "status")["status"]["last_delivery_attempt"], rows[-1]["timestamp"])


class Held(Case):
    @classmethod
    def setUpClass(cls):
        cls.key = client_of_new_server(shared(), "development").key

    def setUp(self):
        super().setUp()
        self.development = Api(self.sandbox, self.key)

    def test_held_and_released(self):
        recipient = fresh()
        number, _, _ = self.send(recipient, "Held", self.development)
        row = self.sandbox.history(recipient)
        status = self.read(number, "status", api=self.development)["status"]
        self.assertEqual(status, {"status": "Held", "held": True, "hold_expiry": row["hold_expires"] / 1e6,
                                  "last_delivery_attempt": row["hold_at"] / 1e6})
        self.assertAlmostEqual(status["hold_expiry"] - status["last_delivery_attempt"], 7 * DAY, delta=60)
        entry, = self.deliveries(number, self.development)
        self.assertEqual((entry["status"], entry["details"], entry["output"], entry["timestamp"]),
                         ("Held", "server is in development mode", None, row["hold_at"] / 1e6))
        self.sandbox.outrider("hold", "release", str(number))
        self.sandbox.history(recipient, "Sent")
        self.assertEqual([row["status"] for row in self.deliveries(number, self.development)], ["Held", "Sent"])
        status = self.read(number, "status", api=self.development)["status"]
        self.assertEqual((status["status"], status["held"], status["hold_expiry"]), ("Sent", False, None))

    def test_cancelled(self):
        recipient = fresh()
        number, _, _ = self.send(recipient, "Held", self.development)
        self.sandbox.outrider("hold", "cancel", str(number))
        self.sandbox.history(recipient, "HoldCancelled")
        rows = self.deliveries(number, self.development)
        self.assertEqual([row["status"] for row in rows], ["Held", "HoldCancelled"])
        status = self.read(number, "status", api=self.development)["status"]
        self.assertEqual(status, {"status": "HoldCancelled", "held": False, "hold_expiry": None,
                                  "last_delivery_attempt": rows[-1]["timestamp"]})


class Outages(Case):
    """What sends does not know the database."""

    def setUp(self):
        super().setUp()
        self.number, self.token, _ = self.send(fresh())

    def unavailable(self, path=MESSAGE):
        """It is, and says so; seconds that this took."""
        begun = time.monotonic()
        link = http.client.HTTPConnection("127.0.0.1", 5000, timeout=60)
        link.request("POST", path, json.dumps({"id": self.number}), {
            "Content-Type": "application/json", "X-Server-API-Key": self.api.key})
        answer = link.getresponse()
        waited = time.monotonic() - begun
        data = json.loads(answer.read())
        self.assertEqual((answer.status, data["status"], data["data"]), (503, "error", {
            "code": "TemporarilyUnavailable", "message": "The message could not be read now; try again later"}))
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        return waited

    def works_again(self):
        wait_for(lambda: self.api.ask(MESSAGE, {"id": self.number})[1]["status"] == "success", "the message, read again")

    def sends(self):
        """A message arrives; seconds until it was taken."""
        recipient, begun = fresh(), time.monotonic()
        self.assertEqual(self.api.ask(SEND, message(to=recipient))[1]["status"], "success")
        waited = time.monotonic() - begun
        self.sandbox.received(recipient)
        return waited

    def test_database_away(self):
        self.sandbox.stop("mariadb")
        try:
            for path in (MESSAGE, DELIVERIES, MESSAGE):
                self.unavailable(path)
            self.sends()
            self.assertEqual(self.api.ask("/ready", method="GET")[0], 200)
            self.sandbox.stop("apid")
            self.sandbox.start("apid")  # and it lives without
            self.api = Api(self.sandbox)
            self.sends()
            self.unavailable()
        finally:
            self.sandbox.start("mariadb")
        self.works_again()

    def test_database_that_does_not_answer(self):
        """However many ask, no send waits."""
        pid = int(pathlib.Path(self.sandbox.directory, "run", "mariadb.pid").read_text())
        self.works_again()
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for(self.no_send_waits, "sends that take less than half of what reads wait")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.works_again()

    def no_send_waits(self):
        """Whether each of three beside many reads is done in half of the time that the slowest of these is given."""
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            reads = [pool.submit(self.unavailable) for _ in range(40)]
            sends = [self.sends() for _ in range(3)]
        return max(sends) < max([read.result() for read in reads]) / 2

    def test_rights(self):
        """The account reads six tables and writes nothing; the program reads stored messages."""
        grants = "\n".join(grant for grant, in self.sandbox.sql("SHOW GRANTS FOR outrider_read@localhost"))
        self.assertEqual(len(re.findall("GRANT SELECT ON", grants)), 6)
        self.assertEqual(len(re.findall("GRANT", grants)), 7)  # USAGE, too
        self.assertEqual(len([row for row in self.sandbox.outrider("db", "grants") if "outrider_read" in row]), 6)
