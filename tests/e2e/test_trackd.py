# SPDX-License-Identifier: MIT
"""Tracked links and pixels over real HTTP and TLS: what is answered, to whom, and what is recorded."""

import base64
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

import mail
from backlog import status
from sandbox import run, shared, wait_for
from small_disk import SmallDisk
from tracked import LINK, Tracked

PLAIN, TLS, PROXY = 8080, 8443, 8081
HOST, OTHER, OFF = "t.trackd.test", "t.other.test", "t.off.test"
SERVER, STRANGER = 7001, 7002  # ids of no server: a link needs none
URL = "https://ok.test/shop?item=1&size=2"
MB = 1024 * 1024
NOT_FOUND = b"Not Found\n"
CLICK, OPEN = 18, 19
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SAFE_SECONDS = 1  # what was answered so long before a kill must be in the journal; it is posted for 50 ms at most
_next_id = iter(range(1, 1 << 30))


def seal(count=1, url=URL, host=HOST, server=SERVER):
    """Tokens as the milter would make them, each of a message of its own; url None: of pixels."""
    program = pathlib.Path(os.environ["OUTRIDER_BUILD"], "tests", "api", "seal_link")
    ring = pathlib.Path(shared().directory, "etc", "keys", "link")
    first = [next(_next_id) for _ in range(count)][0]
    return run([program, ring, host, server, first, count, *([url] if url else [])]).stdout.split()


def click(**options):
    return "/c/" + seal(**options)[0]


def pixel(**options):
    return "/o/" + seal(url=None, **options)[0]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.fields = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()


@contextlib.contextmanager
def link(port=PLAIN, source=None, name=HOST):
    source = (source, 0) if source else None
    if port == TLS:
        opened = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, source_address=source,
                                             context=mail.lenient_tls())
        opened.sock = mail.lenient_tls().wrap_socket(
            socket.create_connection(("127.0.0.1", port), 30, source), server_hostname=name)
    else:
        opened = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=source)
    try:
        yield opened
    finally:
        opened.close()


def ask(path, host=HOST, method="GET", fields=(), over=None, **options):
    """One request, on a connection of its own, or over one that is open."""
    with contextlib.ExitStack() as stack:
        opened = over or stack.enter_context(link(**options))
        opened.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host is not None:
            opened.putheader("Host", host)
        for name, value in fields:
            opened.putheader(name, value)
        opened.endheaders()
        return Answer(opened.getresponse())


def raw(octets, port=PLAIN, last=False):
    """What comes back for octets, until the other side closes or has answered; last: no more will come."""
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(octets)
            if last:
                sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            return sock.recv(65536)
    return b""


def events():
    """(type, record) of all that is in trackd's journal and was not applied and removed."""
    found = []
    for segment in sorted(pathlib.Path(shared().spool_dir, "journal", "trackd").glob("*.seg")):
        octets, at = segment.read_bytes(), 0
        while at + 8 <= len(octets):
            length = struct.unpack_from("<I", octets, at)[0]
            if length == 0 or at + 8 + length > len(octets):
                break
            kind = struct.unpack_from("<H", octets, at + 24)[0]
            found.append((kind, json.loads(octets[at + 26:at + 8 + length])))
            at += 8 + length
    return found


def recorded(agent):
    """The one event of a user agent that no other request has."""
    return wait_for(lambda: [event for event in events() if event[1].get("ua") == agent], f"an event of {agent}")[0]


def counters():
    return status(shared())["trackd"]


def own(host, server, active=True):
    shared().sql(
        "BEGIN; UPDATE revision_counter SET revision = revision + 1; INSERT INTO track_domain (server_id, host, https, "
        "clicks, opens, text_links, excluded, forced, disabled_at, created_at, revision) SELECT "
        f"{server}, '{host}', 1, 1, 1, 0, '', 1, {'NULL' if active else 1}, 1, revision FROM revision_counter; COMMIT;")


def set_up():
    """The track domains that all tests here share."""
    known = [host for host, in shared().sql("SELECT host FROM track_domain")]
    for host, server, active in ((HOST, SERVER, True), (OTHER, STRANGER, True), (OFF, SERVER, False)):
        if host not in known:
            own(host, server, active)
    shared().followed()
    foreign = click(host=OTHER)
    wait_for(lambda: ask(foreign, host=OTHER).status == 404, "the track domains in the replica")


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        set_up()

    def test_a_link_leads_to_its_url(self):
        for port in (PLAIN, TLS):
            answer = ask(click(), port=port)
            self.assertEqual((answer.status, answer.fields["location"]), (307, URL))
            self.assertEqual(answer.fields["cache-control"], "no-store")
            self.assertNotIn("server", answer.fields)

    def test_urls_are_written_as_a_field_may_have_them(self):
        for url, wanted in (("http://ok.test/a b", "http://ok.test/a%20b"),
                            ("http://ok.test/é?€", "http://ok.test/%C3%A9?%E2%82%AC"),
                            ("http://ok.test/%0d%0aX:%20y", "http://ok.test/%0d%0aX:%20y"),
                            ("HTTP://ok.test/'\"<>{}|\\^`", "HTTP://ok.test/'\"<>{}|\\^`"),
                            ("http://ok.test/" + "€" * 661, "http://ok.test/" + "%E2%82%AC" * 661)):
            self.assertEqual(ask(click(url=url)).fields["location"], wanted)

    def test_a_pixel(self):
        answer = ask(pixel())
        self.assertEqual((answer.status, answer.fields["content-type"]), (200, "image/gif"))
        self.assertTrue(answer.body.startswith(b"GIF89a\x01\x00\x01\x00"))
        self.assertLess(len(answer.body), 50)
        self.assertIn("no-store", answer.fields["cache-control"])

    def test_head_and_what_is_behind_a_question_mark(self):
        for path, wanted in ((click(), 307), (pixel(), 200), ("/", 200), ("/nothing", 404)):
            answer = ask(path, method="HEAD")
            self.assertEqual((answer.status, answer.body), (wanted, b""))
            self.assertEqual(ask(path + "?utm=x&fbclid=/c/y").status, wanted)

    def test_hello(self):
        for host in (HOST, "127.0.0.1:8080", "stranger.test", ""):
            answer = ask("/", host=host)
            self.assertEqual((answer.status, answer.body), (200, b"Hello."))

    def test_the_host_in_any_way_that_it_is_written(self):
        path = click()
        for host in (HOST, HOST.upper(), HOST + ":8080", HOST + ".", HOST + ".:8080"):
            self.assertEqual(ask(path, host=host).status, 307, host)
        self.assertEqual(ask(f"http://{HOST}{path}", host="stranger.test").status, 307)
        self.assertEqual(ask(path, fields=[("X-Postal-Track-Host", "1")]).status, 307)

    def test_all_else_is_the_same_404(self):
        token = seal()[0]
        for path, host in (("/nothing", HOST), ("/c/", HOST), ("/o/", HOST), ("/c", HOST), ("/c/x", HOST), ("/C/" + token, HOST),
                           ("/o/" + token, HOST), (pixel().replace("/o/", "/c/"), HOST), ("/x/" + token, HOST),
                           ("/c/" + token + "/", HOST), ("/c/" + token + "=", HOST), ("//c/" + token, HOST),
                           ("/./c/" + token, HOST), ("/%63/" + token, HOST), ("/c/%00" + token, HOST),
                           ("/c/" + token, OTHER), ("/c/" + token, OFF), ("/c/" + token, "stranger.test"),
                           ("/c/" + token, ""), ("/c/" + token, "127.0.0.1"), ("/c/" + "A" * 3000, HOST),
                           (click(host=OTHER), OTHER), (pixel(host=OTHER), OTHER), ("/robots.txt", HOST)):
            answer = ask(path, host=host)
            self.assertEqual((answer.status, answer.body), (404, NOT_FOUND), (path, host))
            self.assertEqual(set(answer.fields), {"date", "content-type", "content-length"})
        answer = ask("/?/c/" + token)
        self.assertEqual((answer.status, answer.body), (200, b"Hello."))

    def test_a_token_changed_at_any_place(self):
        token = seal()[0]
        with link() as opened:
            for place in range(len(token)):
                for step in (1, 7, 32):
                    changed = ALPHABET[(ALPHABET.index(token[place]) + step) % 64]
                    answer = ask(f"/c/{token[:place]}{changed}{token[place + 1:]}", over=opened)
                    self.assertEqual((answer.status, answer.body), (404, NOT_FOUND), place)
            for length in range(1, len(token)):
                self.assertEqual(ask("/c/" + token[:length], over=opened).status, 404)
            self.assertEqual(ask("/c/" + token, over=opened).status, 307)

    def test_other_methods(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"):
            answer = ask(click(), method=method)
            self.assertEqual((answer.status, answer.fields["allow"]), (405, "GET, HEAD"))
        with link() as opened:  # a small body is read, and the connection goes on
            opened.request("POST", "/", body=b"x" * 1000, headers={"Host": HOST})
            self.assertEqual(Answer(opened.getresponse()).status, 405)
            self.assertEqual(ask("/", over=opened).status, 200)

    def test_what_is_too_large_or_no_request(self):
        host = b"Host: " + HOST.encode() + b"\r\n"
        for octets, wanted in ((b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\n" + host + b"\r\n", (b"431", b"414")),
                               (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 17000 + b"\r\n\r\n", (b"431",)),
                               (b"GET / HTTP/1.1\r\n" + host + b"X: y\r\n" * 20000 + b"\r\n", (b"431", b"413")),
                               (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 99999999\r\n\r\n", (b"413",)),
                               (b"GET / HTTP/1.1\r\n" + host + host + b"\r\n", (b"400",)),
                               (b"GET / HTTP/1.1\r\n\r\n", (b"400",))):
            self.assertIn(raw(octets)[9:12], wanted, octets[:40])
        for octets in (b"\x16\x03\x01\x00\x05hello", b"\0" * 100, b"nonsense\r\n\r\n"):
            self.assertNotIn(b" 200 ", raw(octets, last=True))
        self.assertEqual(raw(b"GET / HTTP/1.1\r\n" + host + b"\r\n", TLS), b"")
        self.assertEqual(ask("/").status, 200)


class Owners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        set_up()

    def test_a_track_domain_that_is_off_answers(self):
        self.assertEqual(ask(click(host=OFF), host=OFF).status, 307)
        self.assertEqual(ask(click(host=OFF, server=STRANGER), host=OFF).status, 404)

    def test_a_host_that_is_nobodys_any_more(self):
        host = f"t{uuid.uuid4().hex[:8]}.gone.test"
        path = click(host=host)
        self.assertEqual(ask(path, host=host).status, 307)
        own(host, STRANGER)
        wait_for(lambda: ask(path, host=host).status == 404, "the host to be another server's")

    def test_nothing_else_needs_to_run(self):
        paths = [click(), pixel()]
        shared().stop("worker", "mariadb", "postfix", "milter", "policyd")
        edge = pathlib.Path(shared().edge_dir, "edge.5.db")
        aside = edge.with_name("aside")
        try:
            self.assertEqual([ask(path).status for path in paths], [307, 200])
            self.assertEqual(ask(click(host=OTHER), host=OTHER).status, 404)
            edge.rename(aside)  # no replica either
            shared().control("restart", "trackd")
            self.assertEqual([ask(path).status for path in paths], [307, 200])
            self.assertEqual(ask(paths[0], host=OTHER).status, 404)
        finally:
            if aside.exists():
                aside.rename(edge)
            shared().start("mariadb", "policyd", "milter", "worker", "postfix")
        wait_for(lambda: ask(click(host=OTHER), host=OTHER).status == 404, "the replica to be read again")


class Records(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        set_up()

    def test_a_click(self):
        before = time.time()
        path = click(url="https://ok.test/é")
        ask(path, fields=[("User-Agent", "trial-click")], source="127.0.0.9")
        kind, event = recorded("trial-click")
        self.assertEqual(kind, CLICK)
        self.assertEqual({key: event[key] for key in ("v", "node", "id", "server", "ordinal", "url", "host", "ip", "method")},
                         {"v": 1, "node": 1, "id": int.from_bytes(base64.urlsafe_b64decode(path[3:15])[2:9], "big"),
                          "server": SERVER, "ordinal": 1, "url": "https://ok.test/é",
                          "host": HOST, "ip": "127.0.0.9", "method": "GET"})
        self.assertLessEqual(before, event["at"] / 1e6)

    def test_an_open_by_head(self):
        ask(pixel(), method="HEAD", fields=[("User-Agent", "trial-open")])
        kind, event = recorded("trial-open")
        self.assertEqual((kind, event["method"]), (OPEN, "HEAD"))
        self.assertNotIn("url", event)

    def test_agents_are_cut_to_valid_text(self):
        for sent, wanted in (("a-" + "é" * 400, "a-" + "é" * 255), ("b-" + "x" * 8000, "b-" + "x" * 510)):
            ask(click(), fields=[("User-Agent", sent.encode())])
            self.assertEqual(recorded(wanted)[1]["ua"], wanted)
        ask(click(), fields=[("User-Agent", b"c-\xff\xfe")])
        self.assertEqual(recorded("c-\ufffd\ufffd")[0], CLICK)

    def test_nothing_that_was_not_found(self):
        before = status(shared())["journal"]["trackd"]["committed_total"]
        for path in ("/c/x", "/o/x", click(host=OTHER), "/"):
            ask(path, host=OTHER)
        ask(click(), method="POST")
        ask(click(), fields=[("User-Agent", "trial-last")])
        recorded("trial-last")
        wait_for(lambda: status(shared())["journal"]["trackd"]["committed_total"] == before + 1, "the one event")

    def test_only_a_proxy_says_who_asks(self):
        for number, (source, sent, wanted) in enumerate((
                ("127.0.0.9", "203.0.113.9", "127.0.0.9"), ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
                ("127.0.0.1", "10.0.0.1, 203.0.113.9, 127.0.0.1", "203.0.113.9"), ("127.0.0.1", "nonsense", "127.0.0.1"),
                ("127.0.0.1", "2001:DB8::9", "2001:db8::9"))):
            ask(click(), source=source, fields=[("User-Agent", f"trial-proxy{number}"), ("X-Forwarded-For", sent),
                                                ("Forwarded", "for=192.0.2.66")])
            self.assertEqual(recorded(f"trial-proxy{number}")[1]["ip"], wanted)

    def test_counters(self):
        before = counters()
        for path in (click(), click(), pixel(), "/", "/nothing"):
            ask(path)
        after = counters()
        self.assertEqual({name: after[name + "_total"] - before[name + "_total"]
                          for name in ("clicks", "opens", "other", "not_found", "lost")},
                         {"clicks": 2, "opens": 1, "other": 1, "not_found": 1, "lost": 0})
        self.assertTrue(after["running"])
        shared().stop("trackd")
        self.assertIn("trackd: outrider-trackd does not run: tracked links are not answered", status(shared())["attention"])
        shared().start("trackd")


class TheWholeWay(unittest.TestCase):
    """A message is sent, its links are followed where its host leads, and history knows."""

    def test_a_mailed_link_and_pixel(self):
        page = Tracked(shared())
        recipient, _, received = page.send(
            b'<html><body><a href="https://ok.test/a?b=c">x</a></body></html>\r\n',
            headers=("Content-Type: text/html; charset=utf-8", "MIME-Version: 1.0"))
        found = {kind: token.decode() for _, kind, token in LINK.findall(received)}
        self.assertEqual(set(found), {b"c", b"o"})
        agent = [("User-Agent", "Mozilla/5.0 whole-way")]
        answer = ask("/c/" + found[b"c"], host=page.host, port=TLS, name=page.host, fields=agent)
        self.assertEqual((answer.status, answer.fields["location"]), (307, "https://ok.test/a?b=c"))
        self.assertEqual(ask("/o/" + found[b"o"], host=page.host, fields=agent).status, 200)
        self.assertEqual(ask("/c/" + found[b"c"], host=HOST).status, 404)
        number = str(shared().history(recipient, "Sent")["id"])
        visits = wait_for(lambda: len(rows := shared().outrider("message", "show", number)["visits"]) == 2 and rows,
                          "click and open in history", tell=lambda: shared().outrider("message", "show", number))
        self.assertEqual({visit["agent"] for visit in visits}, {"Mozilla/5.0 whole-way"})
        page.change("--disable")
        page.wait(active=False)
        self.assertEqual(ask("/c/" + found[b"c"], host=page.host).status, 307)


class Trouble(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        set_up()

    def test_a_full_disk_loses_the_record_and_not_the_link(self):
        disk = SmallDisk(shared(), shared().spool_dir, 8 * MB)
        try:
            disk.fill(leave=4 * MB)  # what was preallocated and is copied as holes may have left more

            def lost():
                self.assertEqual(ask(click()).status, 307)
                return counters()["lost_total"]

            before = wait_for(lost, "the disk to be short")
            for _ in range(5):
                self.assertEqual(ask(click()).status, 307)
            self.assertEqual(counters()["lost_total"], before + 5)
            wait_for(lambda: any("clicks and opens were answered but not recorded" in line
                                 for line in status(shared())["attention"]), "the loss to be told")
            disk.grow(256 * MB)

            def kept():
                lost = counters()["lost_total"]
                ask(click(), fields=[("User-Agent", "trial-again")])
                return counters()["lost_total"] == lost

            wait_for(kept, "clicks to be recorded again")
            recorded("trial-again")
            log = pathlib.Path(shared().log_dir, "trackd.log")
            wait_for(lambda: kept() and "clicks and opens are recorded again" in log.read_text(), "the end of it to be told")
            self.assertIn("clicks and opens are answered but not recorded", log.read_text())
        finally:
            disk.close()

    def test_a_journal_that_cannot_be_opened_is_tried_again(self):
        folder = pathlib.Path(shared().spool_dir, "journal", "trackd")
        owner = folder.stat()
        shared().stop("trackd")
        os.chown(folder, 0, 0)
        os.chmod(folder, 0o700)
        try:
            shared().start("trackd")
            self.assertEqual(ask(click()).status, 307)
            self.assertEqual(counters()["lost_total"], 1)
        finally:
            os.chown(folder, owner.st_uid, owner.st_gid)
            os.chmod(folder, owner.st_mode & 0o7777)

        def kept():
            ask(click(), fields=[("User-Agent", "trial-reopened")])
            return [event for event in events() if event[1].get("ua") == "trial-reopened"]

        wait_for(kept, "the journal to be opened")

    def test_killed_under_load(self):
        """What was answered, but for the last moment, is recorded; and the next one takes over at once."""
        self.addCleanup(shared().start, "worker")
        shared().stop("worker")  # it removes segments that it has applied
        tokens = [f"/c/{token}" for token in seal(4000)]
        done, lock, stop = {}, threading.Lock(), threading.Event()

        def load(start):
            for number in itertools.count(start, 4):
                if stop.is_set():
                    return
                asked = time.monotonic()
                try:
                    answer = ask(tokens[number % len(tokens)], fields=[("User-Agent", f"load-{number}")])
                except (OSError, http.client.HTTPException):
                    time.sleep(0.05)
                    continue
                if answer.status == 307:
                    with lock:
                        done[number] = (asked, time.monotonic())

        threads = [threading.Thread(target=load, args=(start,)) for start in range(4)]
        kills = []
        for thread in threads:
            thread.start()
        for _ in range(2):
            time.sleep(2 * SAFE_SECONDS)
            begin = time.monotonic()
            shared().control("kill", "trackd")
            kills.append((begin, time.monotonic()))
            shared().start("trackd")
            before = len(done)
            wait_for(lambda: len(done) > before + 100, "more clicks")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertGreater(len(done), 500)

        def missing():
            found = {event[1].get("ua") for event in events()}
            return [(asked, answered) for number, (asked, answered) in done.items() if f"load-{number}" not in found and not any(
                asked <= end and answered > begin - SAFE_SECONDS for begin, end in kills)]

        wait_for(lambda: not missing(), "every click that was answered in time", tell=missing)

    def test_a_thousand_slow_clients(self):
        """They send an octet now and then; others are served meanwhile."""
        slow, stop = [], threading.Event()
        for number in range(1000):
            sock = socket.create_connection(("127.0.0.1", PLAIN), 30, (f"127.0.1.{1 + number % 200}", 0))
            sock.sendall(b"GET / HTTP/1.1\r\nX: ")
            slow.append(sock)

        def drip():
            while not stop.wait(0.5):
                for sock in slow:
                    with contextlib.suppress(OSError):
                        sock.send(b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            wait_for(lambda: counters()["connections"] >= 1000, "the slow ones to be connected")
            cut = counters()["cut_total"]
            for _ in range(200):
                self.assertEqual(ask(click()).status if _ == 0 else ask("/").status, 307 if _ == 0 else 200)
            wait_for(lambda: counters()["cut_total"] - cut >= 1000, "the slow ones to be cut")
            wait_for(lambda: counters()["connections"] < 10, "their connections to be gone")
        finally:
            stop.set()
            thread.join()
            for sock in slow:
                sock.close()

    def test_one_address_has_its_share(self):
        held, before = [], counters()["turned_away_total"]

        def turned_away():
            """More than 256 at a time: those that waited for too long make room again."""
            while held:
                held.pop().close()
            held.extend(socket.create_connection(("127.0.0.1", PLAIN), 30, ("127.0.2.1", 0)) for _ in range(300))
            time.sleep(1.5)  # counters are written each second
            return counters()["turned_away_total"] > before

        try:
            wait_for(turned_away, "what is beyond 256 to be turned away")
            self.assertEqual(ask("/", source="127.0.2.2").status, 200)
        finally:
            for sock in held:
                sock.close()


class Reload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        set_up()
        cls.ring = pathlib.Path(shared().directory, "etc", "keys", "link")
        cls.tls = pathlib.Path(shared().directory, "etc", "tls-track")
        cls.pid = pathlib.Path(shared().directory, "run", "trackd.pid")

    def hang_up(self):
        log = pathlib.Path(shared().log_dir, "trackd.log")
        before = log.stat().st_size
        os.kill(int(self.pid.read_text()), 1)
        wait_for(lambda: b"certificates are " in log.read_bytes()[before:], "certificates to be looked at again")
        return log.read_bytes()[before:].decode()

    def certificate(self, folder, *names):
        place = self.tls / folder
        place.mkdir(mode=0o750, exist_ok=True)
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={folder}", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
             "-keyout", place / "privkey.pem", "-out", place / "fullchain.pem"])
        for path in (place, *place.iterdir()):
            shutil.chown(path, group="outrider-trackd")
        (place / "privkey.pem").chmod(0o640)

    def shown(self, name):
        """The certificate that is shown for a name."""
        with link(TLS, name=name) as opened:
            return opened.sock.getpeercert(True)

    def trusts(self, name):
        context = ssl.create_default_context(cafile=self.tls / "one" / "fullchain.pem")
        with socket.create_connection(("127.0.0.1", TLS), 30) as sock:
            with context.wrap_socket(sock, server_hostname=name):
                return True

    def test_certificates_come_and_go_under_open_connections(self):
        default = self.shown("nobody.test")
        self.addCleanup(self.hang_up)
        self.addCleanup(shutil.rmtree, self.tls / "one")
        with link(TLS) as opened:
            self.assertEqual(ask("/", over=opened).status, 200)
            self.certificate("one", HOST, "*.wild.test")
            self.hang_up()
            self.assertEqual(ask("/", over=opened).status, 200)  # the connection is the same
        self.assertTrue(self.trusts(HOST))
        self.assertTrue(self.trusts("a.wild.test"))
        self.assertEqual(self.shown("nobody.test"), default)
        one = self.shown(HOST)
        (self.tls / "one" / "fullchain.pem").write_text("nonsense")
        self.assertIn("the one before it stays", self.hang_up())
        self.assertEqual(self.shown(HOST), one)
        self.assertEqual(ask(click(), port=TLS).status, 307)

    def test_a_new_key_of_the_ring(self):
        before, elder = self.ring.read_text(), click()
        self.addCleanup(self.hang_up)
        self.addCleanup(self.ring.write_text, before)
        line = before.strip().splitlines()[-1].split()
        self.ring.write_text(before.replace(" seal", " verify") + f"9 {'ab' * 32} {line[2]} seal\n")
        younger = click()
        self.assertEqual([ask(elder).status, ask(younger).status], [307, 404])
        self.hang_up()
        self.assertEqual([ask(elder).status, ask(younger).status], [307, 307])
        good = self.ring.read_text()
        self.ring.write_text("nonsense\n")
        self.assertIn("key ring and replica stay as they are", self.hang_up())
        self.assertEqual([ask(elder).status, ask(younger).status], [307, 307])
        self.ring.write_text(good)


class BehindNginx(unittest.TestCase):
    """A real proxy, set up as the manual page says."""

    @classmethod
    def setUpClass(cls):
        set_up()
        cls.dir = tempfile.TemporaryDirectory(prefix="outrider-nginx-")
        conf = pathlib.Path(cls.dir.name, "nginx.conf")
        conf.write_text(f"""
            daemon off; user root; pid {cls.dir.name}/pid; error_log {cls.dir.name}/error.log;
            events {{ }}
            http {{
                access_log off; client_body_temp_path {cls.dir.name}/body; proxy_temp_path {cls.dir.name}/proxy;
                fastcgi_temp_path {cls.dir.name}/f; uwsgi_temp_path {cls.dir.name}/u; scgi_temp_path {cls.dir.name}/s;
                upstream trackd {{ server 127.0.0.1:{PLAIN}; keepalive 8; }}
                server {{
                    listen 127.0.0.1:{PROXY};
                    location / {{
                        proxy_pass http://trackd; proxy_http_version 1.1; proxy_set_header Connection "";
                        proxy_set_header Host $host; proxy_set_header X-Postal-Track-Host 1;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    }}
                }}
            }}""")
        cls.nginx = subprocess.Popen(["nginx", "-p", cls.dir.name, "-c", conf], stdin=subprocess.DEVNULL)
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", PROXY)) == 0, "nginx to listen")

    @classmethod
    def tearDownClass(cls):
        cls.nginx.terminate()
        cls.nginx.wait(30)
        cls.dir.cleanup()

    def test_links_and_pixels(self):
        url = "https://ok.test/a b?é"
        answer = ask(click(url=url), port=PROXY)
        self.assertEqual((answer.status, answer.fields["location"]), (307, "https://ok.test/a%20b?%C3%A9"))
        self.assertEqual(ask(pixel(), port=PROXY).body[:6], b"GIF89a")
        self.assertEqual(ask(click(), host=OTHER, port=PROXY).status, 404)
        self.assertEqual(ask(click(), method="POST", port=PROXY).status, 405)

    def test_the_client_is_the_one_that_nginx_saw(self):
        for agent, fields in (("nginx-plain", []), ("nginx-forged", [("X-Forwarded-For", "203.0.113.66"),
                                                                     ("Forwarded", "for=203.0.113.67")])):
            ask(click(), port=PROXY, source="127.0.3.1", fields=[("User-Agent", agent), *fields])
            self.assertEqual(recorded(agent)[1]["ip"], "127.0.3.1")

    def test_many_at_once_over_few_connections(self):
        paths = [f"/c/{token}" for token in seal(300)]
        found = []

        def load(mine):
            with link(PROXY) as opened:
                found.extend(ask(path, over=opened).status for path in mine)

        threads = [threading.Thread(target=load, args=(paths[start::6],)) for start in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [307] * len(paths))
