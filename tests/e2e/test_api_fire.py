# SPDX-License-Identifier: MIT
"""outrider-apid under attack: connections, heads and bodies as no client should make them, while another client's mail goes on."""

import collections
import contextlib
import http.client
import os
import pathlib
import re
import resource
import shutil
import socket
import ssl
import threading
import time
import unittest
import uuid

import mail
from sandbox import SCRIPT, fresh, run, shared, wait_for
from test_api_send import MESSAGE, PORT, RAW, Api, message

TLS = 5443
MB = 1024 * 1024
IDLE = 10_000
BODY_MAX = 4 * MB
FILES_KEPT = 128  # beside the connections, as the manual page says
PER_ADDRESS = 200
HELLO = bytes.fromhex("16030102000100 01fc0303".replace(" ", "")) + bytes(506)
HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) ")
CLOSED = 0  # a closed connection is an answer, too


class Daemon:
    """apid with options of a test's own."""

    def __init__(self, **options):
        self.sandbox = shared()
        self.conf = pathlib.Path(self.sandbox.outrider_conf)
        self.before = self.conf.read_text()
        kept = [line for line in self.before.splitlines() if line.partition(" ")[0] not in options]
        self.conf.write_text("\n".join([*kept, *(f"{name} = {value}" for name, value in options.items())]) + "\n")
        self.restart()

    def restart(self, files=None):
        """It is to raise its limit of open files itself, as far as the hard limit lets it."""
        limit = (1024, files or resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        run([SCRIPT, "restart", "--dir", self.sandbox.directory, "apid"],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))

    def end(self):
        self.conf.write_text(self.before)
        self.sandbox.control("restart", "apid")

    def process(self, *path):
        pid = int(pathlib.Path(self.sandbox.directory, "run", "apid.pid").read_text())
        return pathlib.Path("/proc", str(pid), *path)

    def files(self):
        return len(os.listdir(self.process("fd")))

    def resident(self):
        """Octets."""
        return int(re.search(r"VmRSS:\s+(\d+)", self.process("status").read_text()).group(1)) * 1024

    def metrics(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return Api(self.sandbox, "").ask("/metrics", method="GET")[1]
        return None

    def counter(self, name):
        """It may be turned away itself."""
        text = wait_for(self.metrics, "the metrics")
        return int(re.search(rf"^outrider_apid_{name}_total (\d+)$", text, re.M).group(1))

    def log(self):
        return pathlib.Path(self.sandbox.log_dir, "apid.log").read_text()


class Bystander(threading.Thread):
    """Another client, a connection for each message; turned away it tries again."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sandbox = shared()
        self.answered, self.wrong = [], []
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            recipient = fresh()
            try:
                status, answer = Api(self.sandbox).ask(MESSAGE, message(to=recipient))
            except (OSError, http.client.HTTPException):
                continue
            if (status, answer["status"]) == (200, "success"):
                self.answered.append((recipient, answer["data"]["messages"][recipient]["id"]))
            else:
                self.wrong.append((status, answer))

    def goes_on(self, more=10):
        """Waits for so many further answers."""
        wanted = len(self.answered) + more
        wait_for(lambda: len(self.answered) >= wanted, f"{more} more of the bystander's messages", tell=lambda: self.wrong[-3:])


class Case(unittest.TestCase):
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limit)
        tls = pathlib.Path(cls.sandbox.directory, "etc", "tls-api")
        if not tls.exists():
            shutil.copytree(pathlib.Path(cls.sandbox.directory, "etc", "tls-track"), tls)
            for path in (tls, *tls.rglob("*")):
                shutil.chown(path, group="outrider-apid")
        cls.daemon = Daemon(apid_listen=f"http://0.0.0.0:{PORT}, https://0.0.0.0:{TLS}", apid_tls_dir=tls,
                            apid_body_max="4M", **cls.options)
        cls.addClassCleanup(cls.daemon.end)

    def setUp(self):
        self.held = []
        self.files, self.resident, self.pid = self.daemon.files(), self.daemon.resident(), self.daemon.process().name
        self.bystander = Bystander()
        self.bystander.start()
        self.addCleanup(self.let_go)

    def let_go(self):
        self.bystander.ended.set()
        self.bystander.join()
        while self.held:
            self.held.pop().close()

    def connect(self, number=0, port=PORT):
        """From one of many addresses."""
        source = f"127.{10 + number // PER_ADDRESS // 200}.{number // PER_ADDRESS % 200}.9"
        self.held.append(socket.create_connection(("127.0.0.1", port), 30, (source, 0)))
        return self.held[-1]

    def comes_back(self, room=32 * MB):
        """Nothing stays of an attack, and all that the bystander was told is true."""
        self.let_go()
        self.assertEqual(self.bystander.wrong, [])
        wait_for(lambda: self.daemon.files() <= self.files + 24, "its files to be closed", tell=self.daemon.files)
        wait_for(lambda: self.daemon.resident() <= self.resident + room, "its memory to be given back",
                 tell=lambda: (self.resident, self.daemon.resident()))
        self.assertEqual(self.daemon.process().name, self.pid, "it is another process")
        for recipient, number in self.bystander.answered[-3:]:
            self.assertEqual(self.sandbox.history(recipient, "Sent")["id"], number)
        answered = {recipient for recipient, _ in self.bystander.answered}
        wait_for(lambda: answered <= set(self.arrived()), "all of the bystander's mail", tell=lambda: answered - set(self.arrived()))
        arrived = self.arrived()
        for recipient in answered:
            self.assertEqual(arrived[recipient], 1, recipient)

    def arrived(self):
        """How many copies each recipient has."""
        return collections.Counter(entry["address"] for record in self.sandbox.envelopes("ok.test") for entry in record["recipients"])


def converse(octets, port=PORT, last=False, wrap=False, count=1000):
    """What comes back until the server closes, or so many answers are there: statuses, whether it closed, and the octets."""
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        link = mail.lenient_tls().wrap_socket(sock) if wrap else sock
        link.settimeout(30)
        got, closed = b"", False
        with contextlib.suppress(OSError):
            link.sendall(octets)
            if last and not wrap:
                link.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while len(ANSWER.findall(got)) < count and (piece := link.recv(65536)):
                    got += piece
            closed = True
    return [int(word) for word in ANSWER.findall(got)], closed, got


def post(*fields, body=b"", line=b"POST /api/v1/send/message HTTP/1.1"):
    """A head with a good key, and what follows it."""
    head = [line, b"Host: a", b"X-Server-API-Key: " + shared().api_key.encode(), b"Content-Type: application/json", *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


class Shapes(Case):
    """Each is answered as said, once, and then its connection is closed: what follows in it is nobody's request."""

    def each(self, cases, **options):
        for name, octets, *wanted in cases:
            with self.subTest(name):
                statuses, closed, got = converse(octets + HEALTH, last=CLOSED in wanted, **options)
                self.assertTrue(closed)
                self.assertIn(statuses[0] if statuses else CLOSED, wanted, got[:300])
                self.assertNotIn(b"\r\n\r\nok\n", got, "the rest was taken for a request")
        self.bystander.goes_on()

    def test_smuggling(self):
        two, coding = b"Content-Length: 2", b"Transfer-Encoding: chunked"
        body = chunked(b"{}") + b"0\r\n\r\n"
        self.each((
            ("length and coding", post(two, coding, body=body), 400),
            ("coding and length", post(coding, two, body=body), 400),
            ("two lengths", post(two, b"Content-Length: 3", body=b"{}"), 400),
            ("the same length twice", post(two, two, body=b"{}"), 400),
            ("a list of lengths", post(b"Content-Length: 2, 2", body=b"{}"), 400),
            ("a length with a sign", post(b"Content-Length: +2", body=b"{}"), 400),
            ("a negative length", post(b"Content-Length: -2", body=b"{}"), 400),
            ("a hexadecimal length", post(b"Content-Length: 0x2", body=b"{}"), 400),
            ("an empty length", post(b"Content-Length:", body=b"{}"), 400),
            ("a length beyond all numbers", post(b"Content-Length: 99999999999999999999999", body=b"{}"), 400, 413),
            ("two codings", post(coding, coding, body=body), 400),
            ("a coding that is none", post(b"Transfer-Encoding: xchunked", two, body=b"{}"), 400, 501),
            ("codings in a row", post(b"Transfer-Encoding: gzip, chunked", body=body), 400, 501),
            ("chunked twice", post(b"Transfer-Encoding: chunked, chunked", body=body), 400, 501),
            ("identity", post(b"Transfer-Encoding: identity", two, body=b"{}"), 400, 501),
            ("an empty coding", post(b"Transfer-Encoding:", two, body=b"{}"), 400, 501),
            ("a vertical tab before the coding", post(b"Transfer-Encoding: \x0bchunked", two, body=b"{}"), 400),
            ("a blank behind the coding's name", post(b"Transfer-Encoding : chunked", two, body=body), 400),
            ("a tab behind the length's name", post(b"Content-Length\t: 2", body=b"{}"), 400),
            ("a coding on a line of its own", post(b"Transfer-Encoding:", b" chunked", body=body), 400),
            ("a length on a line of its own", post(b"Content-Length:", b" 2", body=b"{}"), 400),
            ("a coding that continues a field", post(b"X-A: b", b" Transfer-Encoding: chunked", two, body=b"{}"), 400),
            ("a field that goes on", post(b"X-A: b", b"\tc", two, body=b"{}"), 400),
            ("a first field that continues the line", post(two, body=b"{}", line=b"POST / HTTP/1.1\r\n X: y"), 400),
            ("a bare CR", post(b"X-A: b\rTransfer-Encoding: chunked", two, body=b"{}"), 400),
            ("a bare LF", post(b"X-A: b\nTransfer-Encoding: chunked", two, body=b"{}"), 400),
            ("only bare LFs", post(two).replace(b"\r\n", b"\n") + b"{}", 400),
            ("a NUL in a value", post(b"X-A: b\0c", two, body=b"{}"), 400),
            ("a NUL in a name", post(b"Transfer-Encoding\0: chunked", two, body=b"{}"), 400),
            ("a field without name", post(b": x", two, body=b"{}"), 400),
            ("a line without colon", post(b"nonsense", two, body=b"{}"), 400),
            ("two keys", post(b"X-Server-API-Key: a", b"x-server-api-key: b", two, body=b"{}"), 400),
            ("two keys of a repeat", post(b"Idempotency-Key: a", b"Idempotency-Key: a", two, body=b"{}"), 400),
            ("two tokens", post(b"Authorization: Bearer a", b"Authorization: Bearer b", two, body=b"{}"), 400),
            ("two hosts", post(b"Host: b", two, body=b"{}"), 400),
            ("chunks of HTTP/1.0", post(coding, body=body, line=b"POST /api/v1/send/message HTTP/1.0"), 400),
            ("a chunk of negative size", post(coding, body=b"-2\r\n{}\r\n0\r\n\r\n"), 400),
            ("a chunk's size with 0x", post(coding, body=b"0x2\r\n{}\r\n0\r\n\r\n"), 400),
            ("a chunk beyond all numbers", post(coding, body=b"ffffffffffffffff1\r\n{}\r\n0\r\n\r\n"), 400, 413),
            ("a chunk that is longer than it says", post(coding, body=b"2\r\n{}xx0\r\n\r\n"), 400),
        ))

    def test_what_is_no_request(self):
        self.each((
            ("HTTP/0.9", b"GET /health\r\n", 400, CLOSED),
            ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 400, 505),
            ("TLS", HELLO, 400, CLOSED),
            ("no version", b"GET /health HTTP\r\n\r\n", 400, CLOSED),
            ("version 3", b"GET /health HTTP/3.0\r\nHost: a\r\n\r\n", 400, 505),
            ("a blank in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, CLOSED),
            ("tabs between", b"GET\t/health\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, CLOSED),
            ("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("a URL of another scheme", b"GET gopher://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("NULs", bytes(4096), 400, CLOSED),
            ("no host", b"GET /health HTTP/1.1\r\n\r\n", 400),
        ))

    def test_too_much(self):
        self.each((
            ("a URL of 64 KB", b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, 431),
            ("a method of 64 KB", b"A" * 65536 + b" / HTTP/1.1\r\nHost: a\r\n\r\n", 414, 431),
            ("100,000 fields", post(*[b"X-Line: y"] * 100_000), 431),
            ("a field of 64 KB", post(b"X: " + b"y" * 65536), 431),
            ("empty lines without end", b"\r\n" * 50_000 + b"x", 400, 414, 431),
            ("1 GB", post(b"Content-Length: 1073741824"), 413),
            ("1 GB that asks before", post(b"Content-Length: 1073741824", b"Expect: 100-continue"), 413),
            ("more than the limit", post(b"Content-Length: %d" % (BODY_MAX + 1), body=bytes(BODY_MAX + 1)), 413),
            ("10,000 trailers", post(b"Transfer-Encoding: chunked", body=b"0\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"), 413, 431),
        ))

    def test_over_tls(self):
        self.each((("length and coding", post(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=b"{}"), 400),
                   ("a field that goes on", post(b"X-A: b", b" c"), 400),
                   ("a URL of 64 KB", b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, 431)), port=TLS, wrap=True)
        self.assertEqual(converse(HEALTH, TLS, wrap=True, count=1)[0], [200])
        for octets in (HEALTH, bytes(100), HELLO[:5], b"\x80\x2e\x01\x00\x02" + bytes(41)):
            self.assertEqual(converse(octets, TLS, last=True)[0], [])
        self.bystander.goes_on()

    def test_chunks_without_end(self):
        sent = 0
        with socket.create_connection(("127.0.0.1", PORT), 30) as sock, contextlib.suppress(ConnectionError):
            sock.sendall(post(b"Transfer-Encoding: chunked"))
            while sent < 20 * BODY_MAX:
                sock.sendall(chunked(b"x" * 65536))
                sent += 65536
        self.assertLess(sent, 20 * BODY_MAX)
        self.bystander.goes_on()
        self.comes_back()

    def test_what_is_odd_and_good(self):
        two = b"Content-Length: 2"
        for name, octets, wanted in (
                ("Expect", post(two, b"Expect: 100-continue", body=b"{}"), [100, 200]),
                ("HTTP/1.0", b"GET /health HTTP/1.0\r\n\r\n", [200]),
                ("a hundred in a row", HEALTH * 100, [200] * 100),
                ("bodies in a row", post(two, body=b"{}") * 20, [200] * 20),
                ("chunks and a trailer", post(b"Transfer-Encoding: chunked", body=chunked(b"{", b"}") + b"0\r\nX-Server-API-Key: x\r\n\r\n"),
                 [200]),
                ("an upgrade that nobody wants", HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), [200]),
                ("a body that nobody wants", HEALTH.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello"), [200]),
                ("the head that is as large as may be", post(two, b"X: " + b"y" * 16000, body=b"{}"), [200])):
            with self.subTest(name):
                statuses, _, got = converse(octets, count=len(wanted))
                self.assertEqual(statuses, wanted, got[:300])
                # A client that says it is done may get no answer any more, but none that is wrong.
                self.assertIn(converse(octets, last=True, count=len(wanted))[0], [wanted[:length] for length in range(len(wanted) + 1)])


class Connections(Case):
    """Room for more than ten thousand."""

    options = {"apid_connections": 14_000}

    def test_its_limit_of_files(self):
        text = self.daemon.process("limits").read_text()
        self.assertEqual(re.search(r"Max open files +(\d+) ", text).group(1), str(14_000 + FILES_KEPT))

    def test_fewer_files_than_connections(self):
        self.addCleanup(self.daemon.restart)
        self.daemon.restart(files=1024)
        self.pid = self.daemon.process().name
        self.assertIn(f"open files are limited files=1024 wanted={14_000 + FILES_KEPT}", self.daemon.log())
        for number in range(1000):
            self.connect(number)
        wait_for(lambda: self.daemon.counter("turned_away") > 0, "those beyond to be turned away")
        self.bystander.goes_on()
        self.comes_back()

    def test_ten_thousand_that_say_nothing_more(self):
        count = min(IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1000)
        for number in range(count):
            self.connect(number).sendall(HEALTH)
        for sock in self.held:
            self.assertTrue(sock.recv(4096).startswith(b"HTTP/1.1 200 "))
        self.assertGreaterEqual(self.daemon.files(), count)
        print(f"\n{count} idle connections: {(self.daemon.resident() - self.resident) // MB} MB more", flush=True)
        self.bystander.goes_on(50)
        self.comes_back(64 * MB)

    def test_heads_that_do_not_end(self):
        """In pieces, over TLS in the middle of a hello, and with nothing at all: all are cut, an octet now and then or not."""
        before = self.daemon.counter("cut")
        for number in range(600):
            sock = self.connect(number, TLS if number % 3 == 0 else PORT)
            sock.sendall((HELLO[:50], b"GET / HTTP/1.1\r\nX: ", b"")[number % 3])

        def drip():
            for sock in self.held[1::3]:
                with contextlib.suppress(OSError):
                    sock.send(b"a")
            return self.daemon.counter("cut") - before >= 600

        wait_for(drip, "all of them to be cut", 120)
        self.bystander.goes_on()
        self.comes_back()

    def test_who_reads_no_answers(self):
        before = self.daemon.counter("cut")
        request = HEALTH.replace(b"/health", b"/metrics") * 400
        for number in range(50):
            sock = self.connect(number)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(0.2)
            with contextlib.suppress(OSError):
                for _ in range(200):
                    sock.sendall(request)
        self.bystander.goes_on()
        wait_for(lambda: self.daemon.counter("cut") - before >= 50, "all of them to be cut", 120,
                 lambda: self.daemon.counter("cut") - before)
        self.comes_back()


class Bodies(Case):
    """Few connections, so that slow bodies press."""

    options = {"apid_connections": 400, "apid_connections_per_address": 0}

    def begin(self, key, length=BODY_MAX, octets=1):
        """Announces so much, and sends so little of it."""
        sock = self.connect(len(self.held))
        sock.sendall(f"POST {RAW} HTTP/1.1\r\nHost: a\r\nX-Server-API-Key: {key}\r\nContent-Length: {length}\r\n\r\n".encode() +
                     b" " * octets)
        return sock

    def test_strangers_take_no_memory(self):
        """Each says that a large body comes; a good key is needed to be believed."""
        for _ in range(100):
            self.begin("wrong")
        self.bystander.goes_on(20)
        self.comes_back()

    def new_key(self):
        """Of a new server, so that the bystander's own has its room."""
        server = f"acme/f{uuid.uuid4().hex[:8]}"
        self.sandbox.outrider("server", "add", server, "--name", server, "--mode", "live")
        key = self.sandbox.outrider("credential", "add", server, "api", "--type", "api")["key"]
        wait_for(lambda: Api(self.sandbox, key).ask(MESSAGE, {})[1]["data"]["code"] == "NoRecipients", "the new credential")
        return key

    def test_one_server_leaves_room_for_others(self):
        key = self.new_key()
        for _ in range(2):  # of four bodies that fit two are its share
            self.begin(key, octets=BODY_MAX - 1)
        wait_for(lambda: self.refused(self.begin(key)), "its share to be full")
        more = [self.begin(key) for _ in range(10)]
        self.assertTrue(all([self.refused(sock, 8) for sock in more]))
        self.bystander.goes_on(20)
        self.comes_back()

    def test_what_is_only_announced_keeps_nobody_out(self):
        for key in (self.new_key(), self.new_key()):
            for _ in range(20):
                self.begin(key)
        status, answer = Api(self.sandbox, self.new_key()).ask(RAW, b'{"data":"' + b"x" * (BODY_MAX - 20) + b'"}')
        self.assertEqual((status, answer["status"]), (200, "parameter-error"))
        self.bystander.goes_on(20)
        self.comes_back()

    def refused(self, sock, seconds=1):
        sock.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            return sock.recv(4096).startswith(b"HTTP/1.1 503 ")
        return False

    def test_slow_bodies_make_room(self):
        """An octet a second, on all connections that there are."""
        key, before = self.new_key(), self.daemon.counter("cut")
        for number in range(396):
            self.begin(("wrong", key)[number % 100 == 0])

        def drip():
            for sock in self.held:
                with contextlib.suppress(OSError):
                    sock.send(b" ")
            time.sleep(1)
            return self.daemon.counter("cut") - before >= 96

        wait_for(drip, "enough of them to be cut")
        self.bystander.goes_on(20)
        self.comes_back()

    def test_half_sent_is_not_sent(self):
        recipient = fresh()
        octets = post(b"Content-Length: 100000", body=b'{"to":"%s",' % recipient.encode())
        for end in ("close", "reset"):
            with socket.create_connection(("127.0.0.1", PORT), 30) as sock:
                sock.sendall(octets)
                if end == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.bystander.goes_on(20)
        self.assertEqual(self.sandbox.inbox(recipient), [])
        self.assertEqual(self.sandbox.outrider("message", "list", "--to", recipient), [])
        self.comes_back()


class Log(Case):
    def test_a_line_for_each_request(self):
        recipient = fresh()
        mark = f"/mark{time.monotonic_ns()}"
        Api(self.sandbox).ask(MESSAGE, message(to=recipient, subject="confidential"))
        Api(self.sandbox, "secret-key").ask(mark + "?query=secret", {}, method="DELETE")
        converse(b"GET " + mark.encode() + b"/%0a\xff\"= HTTP/1.1\r\nHost: a\r\n\r\n", count=1)
        converse(b"GET " + mark.encode() + b"/\x1b[2J\x7f HTTP/1.1\r\nHost: a\r\n\r\n", count=1)
        wait_for(lambda: self.daemon.log().count(mark) == 2 and " path=\"\" status=400 " in self.daemon.log(), "the lines")
        text = self.daemon.log()
        self.assertRegex(text, r"answered client=127\.0\.0\.1 method=POST path=/api/v1/send/message status=200 in=\d+ out=\d+ ms=\d+ "
                               r"credential=acme/main/\d+\n")
        self.assertRegex(text, rf"answered client=127\.0\.0\.1 method=DELETE path={mark} status=404 in=\d+ out=10 ms=\d+ credential=-\n")
        self.assertIn(f'path="{mark}/%0a\\xff\\"=" status=404 ', text)
        for word in (recipient, "confidential", "secret", self.sandbox.api_key, "\x1b", "\x7f"):
            self.assertNotIn(word, text)

    def test_more_lines_than_other_sites_may_write(self):
        mark = f"/many{time.monotonic_ns()}"
        converse(f"GET {mark} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 500, count=500)
        wait_for(lambda: self.daemon.log().count(mark) == 500, "500 lines", tell=lambda: self.daemon.log().count(mark))


class Quiet(Case):
    options = {"apid_access_log": "no"}

    def test_no_lines(self):
        mark = f"/quiet{time.monotonic_ns()}"
        self.assertEqual(Api(self.sandbox).ask(mark, method="GET")[0], 404)
        self.bystander.goes_on()
        self.assertNotIn(mark, self.daemon.log())
