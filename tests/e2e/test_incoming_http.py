# SPDX-License-Identifier: MIT
"""Mail that comes in for HTTP endpoints: through Postfix and outrider-pipe to a real server, and what becomes of it."""

import base64
import http.server
import json
import os
import pathlib
import signal
import threading
import unittest
import urllib.parse

import mail
from incoming import common_incoming, deliver
from sandbox import fresh, shared, wait_for


def setUpModule():
    shared().control("incoming", "on")


def tearDownModule():
    shared().control("incoming", "off")


class Target:
    """Answers with what stands in the path: /200, /404, /hang, /then503 (503 until told otherwise), ..."""

    def __init__(self):
        self.requests = []
        self.well = threading.Event()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                word = self.path.split("/")[1]
                target.requests.append((self.path, dict(self.headers.items()), body))
                if word == "hang" and not target.well.wait(60):
                    return
                status = int(word) if word.isdigit() else 200
                if word == "unwell" and not target.well.is_set():
                    status = 503
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", "/200/elsewhere")
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"done\n")

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *unused: None  # who asks may be killed
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, path):
        return [request for request in self.requests if request[0] == path]

    def close(self):
        self.well.set()
        self.server.shutdown()
        self.server.server_close()


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.incoming = common_incoming()
        cls.addClassCleanup(cls.incoming.close)

    def setUp(self):
        self.target = Target()
        self.addCleanup(self.target.close)

    def route(self, word, *options):
        """(address, path) of a route to an endpoint that answers as word says."""
        path = f"/{word}/{fresh().split('@')[0]}"
        endpoint = self.incoming.endpoint("--url", f"http://127.0.0.1:{self.target.port}{path}", *options)
        return self.incoming.route("--mode", "endpoint", "--endpoint", endpoint), path

    def asked(self, path, count=1):
        return wait_for(lambda: self.target.of(path)[count - 1:], f"{count} requests for {path}")[0]

    def notification(self, sender):
        return wait_for(lambda: [octets for octets, side in self.sandbox.inbox(sender) if not side["sender"]],
                        f"a notification for {sender}")[0]

    def again(self):
        self.sandbox.execute("postqueue", "-f")

    def test_json_of_a_message(self):
        route, path = self.route("200")
        tagged = route.replace("@", "+tag@")
        content = deliver(self.sandbox, tagged)
        _, headers, body = self.asked(path)
        payload = json.loads(body)
        row = self.sandbox.history(tagged, "Sent")
        self.assertEqual((payload["id"], payload["token"], payload["rcpt_to"], payload["mail_from"]),
                         (row["id"], row["token"], tagged, "someone@ok.test"))
        self.assertEqual(payload["plain_body"], "Hello.\n")
        self.assertEqual(payload["message_id"], mail.values(content, "Message-ID")[0].strip("<>"))
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["X-Outrider-Delivery"], str(row["id"]))
        self.assertTrue(headers["X-Postal-Signature-256"])
        self.assertIn("200", row["deliveries"][0]["text"])

    def test_raw_form(self):
        route, path = self.route("200", "--encoding", "form", "--format", "raw")
        content = deliver(self.sandbox, route)
        _, _, body = self.asked(path)
        fields = dict(urllib.parse.parse_qsl(body.decode()))
        octets = base64.b64decode(fields["message"])
        self.assertEqual(mail.without_added(octets), content)
        self.assertEqual(fields["base64"], "true")

    def test_final_answers_go_back(self):
        for word in ("404", "410", "301"):
            with self.subTest(word):
                route, path = self.route(word)
                sender = fresh()
                deliver(self.sandbox, route, sender=sender)
                self.assertIn(route.encode(), self.notification(sender))
                self.sandbox.history(route, "HardFail")
                self.assertEqual(len(self.target.of(path)), 1)
        self.assertEqual([path for path, _, _ in self.target.requests if "elsewhere" in path], [])

    def test_trouble_is_tried_again(self):
        route, path = self.route("unwell")
        deliver(self.sandbox, route)
        self.asked(path)
        self.sandbox.history(route, "SoftFail")
        self.target.well.set()
        wait_for(lambda: self.again() or len(self.target.of(path)) > 1, "another attempt")
        row = self.sandbox.history(route, "Sent")
        deliveries = {headers["X-Outrider-Delivery"] for _, headers, _ in self.target.of(path)}
        self.assertEqual(deliveries, {str(row["id"])})

    def test_nobody_listens(self):
        endpoint = self.incoming.endpoint("--url", "http://127.0.0.1:9/")
        route = self.incoming.route("--mode", "endpoint", "--endpoint", endpoint)
        deliver(self.sandbox, route)
        self.sandbox.history(route, "SoftFail")

    def test_slow_answer_is_no_answer(self):
        route, path = self.route("hang", "--timeout", "5")
        deliver(self.sandbox, route)
        self.asked(path)
        self.sandbox.history(route, "SoftFail")

    def pipes(self):
        """Process ids of outrider-pipe in this sandbox."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"outrider-pipe") and words[0].startswith(f"{self.sandbox.directory}/".encode()):
                found.append(int(entry.parent.name))
        return found

    def test_killed_amid_a_request(self):
        route, path = self.route("hang", "--timeout", "60")
        deliver(self.sandbox, route)
        self.asked(path)
        pids = wait_for(self.pipes, "outrider-pipe at work")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.sandbox.history(route, "SoftFail")
        self.target.well.set()
        wait_for(lambda: self.again() or len(self.target.of(path)) > 1, "another attempt")
        self.sandbox.history(route, "Sent")

    def test_database_and_worker_away(self):
        route, path = self.route("200")
        self.sandbox.stop("worker", "mariadb")
        try:
            deliver(self.sandbox, route)
            self.asked(path)
        finally:
            self.sandbox.start("mariadb", "worker")
        self.sandbox.history(route, "Sent")

    def test_beside_an_address(self):
        """Two endpoints of a route, each with a message of its own."""
        target = fresh()
        path = f"/200/{target.split('@')[0]}"
        names = (self.incoming.endpoint("--url", f"http://127.0.0.1:{self.target.port}{path}"),
                 self.incoming.endpoint("--address", target))
        route = self.incoming.route("--mode", "endpoint", "--endpoint", ",".join(names))
        deliver(self.sandbox, route)
        payload = json.loads(self.asked(path)[2])
        self.assertEqual((payload["rcpt_to"], payload["mail_from"]), (route, "someone@ok.test"))
        self.sandbox.received(target)

    def test_injected_message(self):
        route, path = self.route("200")
        told = self.sandbox.outrider("message", "inject", route)
        self.assertEqual(told["route"], route)
        payload = json.loads(self.asked(path)[2])
        self.assertEqual(payload["attachment_quantity"], 1)
        self.assertEqual(payload["attachments"][0]["filename"], "trial.txt")
        self.sandbox.history(route, "Sent")
        result = self.sandbox.outrider_plain("message", "inject", "nobody@else.test", check=False)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (69, 1), result.stderr)

    def test_many_at_a_time(self):
        """A slow endpoint holds up its own mail only."""
        slow, slow_path = self.route("hang", "--timeout", "60")
        quick, quick_path = self.route("200")
        for _ in range(20):
            deliver(self.sandbox, slow)
        for _ in range(20):
            deliver(self.sandbox, quick)
        self.asked(quick_path, 20)
        self.assertTrue(self.target.of(slow_path))
        self.target.well.set()
        self.asked(slow_path, 20)


if __name__ == "__main__":
    unittest.main()
