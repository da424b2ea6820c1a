# SPDX-License-Identifier: MIT
"""Mail from elsewhere for routes, beside what is sent: to a server that is asked over HTTP, to another mailbox, and to be kept.

The HTTP server answers most requests; now and then it is unwell, or closes the connection before or after it has read the request.
"""

import base64
import dataclasses
import http.server
import json
import random
import smtplib
import threading
import time

import sandbox as sandboxes
from load import PATIENCE, HandsIn, Load, Submission

SERVER = "acme/chaos"
SOURCE = "198.51.100.20"  # some host of the world
SENDER = "someone@ok.test"
HTTP, FORWARD, KEEP = "http.chaos.test", "forward.chaos.test", "keep.chaos.test"
FORWARD_TO = "forwarded@ok.test"
FINAL = {HTTP: "Sent", FORWARD: "Sent", KEEP: "Processed"}
SESSIONS = 6
RECIPIENTS_MAX = 4
UNWELL, SLOW, CUT = 0.04, 0.03, 0.02  # of the requests: 503, answered late, cut off
LATE = 3  # seconds


@dataclasses.dataclass
class Arrival(Submission):
    """A message that came from elsewhere."""


@dataclasses.dataclass(frozen=True)
class Post:
    """A request that was answered with success."""
    time: float
    marker: str
    delivery: str  # its X-Outrider-Delivery


class Target:
    """Whoever is asked over HTTP."""

    def __init__(self, seed):
        self.posts = []  # (recipient, Post)
        self._luck = random.Random(f"{seed}/target")
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                target.answer(self)

            def log_message(self, *unused):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *unused: None  # who asks may be killed
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/mail"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, handler):
        chance = self._luck.random()
        if chance < CUT / 2:
            return
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if chance < CUT:
            return
        well = chance >= CUT + UNWELL
        if well and chance < CUT + UNWELL + SLOW:
            time.sleep(LATE)
        handler.send_response(200 if well else 503)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        handler.wfile.flush()
        if well:
            request = json.loads(body)
            head = base64.b64decode(request["message"]).partition(b"\r\n\r\n")[0].decode(errors="replace")
            marker = next((line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("X-Chaos-Marker: ")), "")
            self.posts.append((request["rcpt_to"], Post(time.time(), marker, handler.headers["X-Outrider-Delivery"])))

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Session(HandsIn, smtplib.SMTP):
    """A session of a mail host that may hand in mail for recipients of ours."""

    sender = SENDER

    def __init__(self, sandbox):
        super().__init__(sandbox.smtp_host, 25, local_hostname="mx.else.test", timeout=PATIENCE, source_address=(SOURCE, 0))
        self.ehlo()


class IncomingLoad(Load):
    def __init__(self, sandbox, options, tag):
        super().__init__(sandbox, options, tag, options.incoming_rate, SESSIONS)
        self.target = Target(options.seed)
        self._attach()

    def _attach(self):
        """A server whose routes take everything, and a Postfix that knows of them."""
        outrider = self.sandbox.outrider
        outrider("server", "add", SERVER)
        outrider("endpoint", "add", SERVER, "web", "--url", self.target.url, "--format", "raw")
        outrider("endpoint", "add", SERVER, "mailbox", "--address", FORWARD_TO)
        for domain, route in ((HTTP, ("--mode", "endpoint", "--endpoint", "web")),
                              (FORWARD, ("--mode", "endpoint", "--endpoint", "mailbox")), (KEEP, ("--mode", "accept"))):
            outrider("domain", "add", SERVER, domain)
            outrider("route", "add", SERVER, f"*@{domain}", *route)
        for domain in FINAL:
            sandboxes.wait_for(lambda domain=domain: self._is_taken(domain), f"mail for {domain} is taken")

    def _is_taken(self, domain):
        self.sandbox.execute("postfix", "reload")  # where systemd is, a path unit does, once the tables have changed
        with Session(self.sandbox) as session:
            session.mail(SENDER)
            return session.rcpt(f"x@{domain}")[0] == 250

    def session(self, luck):
        return Session(self.sandbox)

    def make(self, luck):
        count = luck.randint(2, RECIPIENTS_MAX) if luck.random() < self.options.several / 100 else 1
        marker = f"{self.tag}-i{next(self._numbers)}"
        # One at most is sent on, so that the marker tells which.
        domains = [luck.choice((HTTP, HTTP, FORWARD, KEEP) if index == 0 else (HTTP, KEEP)) for index in range(count)]
        return Arrival(marker, [f"{marker}-{index}@{domain}" for index, domain in enumerate(domains)])
