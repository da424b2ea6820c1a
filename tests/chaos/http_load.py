# SPDX-License-Identifier: MIT
"""Bounded load over HTTP, beside that over SMTP: mail by the API, and clicks; keeps what each client was told.

An API client is told what an SMTP client is (load.py): a success is `250', an error is `5xx', and `try again later' is `4xx'. Most
requests have an Idempotency-Key: these are repeated until there is an answer, and now and then once more after it.
"""

import collections
import dataclasses
import http.client
import itertools
import json
import pathlib
import random
import threading
import time
import uuid

import mail
import sandbox as sandboxes
from load import ACCEPTED, BACKLOG, DOMAINS, LOST, NONE, PERMANENT, TEMPORARY, Pace, Submission

API, TRACK = 5000, 8080
CLIENTS = 4  # of each kind
WITH_KEY = 0.75  # how many requests may be repeated
AGAIN = 0.3  # how many of these are repeated though they were answered
SEVERAL = 0.3  # how many have more than one recipient
RECIPIENTS_MAX = 10
PATIENCE = 30  # seconds a client waits for an answer
PAUSE = 0.3  # seconds between two attempts
ATTEMPTS_MAX = 400
LATER = (409, 429, 503)
TRACK_NAME = "t.chaos.test"
TRACK_SERVER = 7001  # the id of no server: a link needs none
URL = "https://ok.test/shop"
CLICKED = 307


@dataclasses.dataclass
class ApiSubmission(Submission):
    key: str = ""  # its Idempotency-Key; "": none
    data: dict = None  # of the answer that was a success
    unsure: list = dataclasses.field(default_factory=list)  # (since, until) of attempts that may have been taken all the same
    contradicted: bool = False  # a later answer was another one

    def id_of(self, recipient):
        return self.data["messages"].get(recipient, {}).get("id") if self.data else None


@dataclasses.dataclass(frozen=True)
class Click:
    agent: str  # that no other has
    begun: float
    answered: float
    status: int  # 0: no answer


class Client:
    """A connection that is kept as long as it holds."""

    def __init__(self, port, host):
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.host = host

    def ask(self, method, path, body=None, **fields):
        """(status, JSON or nothing); OSError or HTTPException."""
        headers = {"Host": self.host, **{name.replace("_", "-"): value for name, value in fields.items()}}
        try:
            self.link.request(method, path, body, headers)
            answer = self.link.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.link.close()
            raise
        return answer.status, json.loads(text) if answer.headers.get("Content-Type", "").startswith("application/json") else None


class Paced:
    """Clients that do something at a rate, until they are to stop."""

    def __init__(self, options, rate, name):
        self.options = options
        self.told = collections.Counter()
        self._pace = Pace(rate)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(random.Random(f"{options.seed}/{name}/{number}"),), daemon=True)
                         for number in range(CLIENTS)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(3 * PATIENCE)


class ApiLoad(Paced):
    def __init__(self, sandbox, options, tag):
        super().__init__(options, options.api_rate, "api")
        self.key = sandbox.api_key
        self.tag = tag
        self.submissions = []  # those that have ended
        self._numbers = itertools.count(1)

    def _run(self, luck):
        client = Client(API, "api.outrider.test")
        while submission := self._next(luck):
            body = self._body(luck, submission)
            self._hand_in(client, submission, body)
            if submission.told == ACCEPTED and submission.key and luck.random() < AGAIN:
                self._repeat(client, submission, body)
            with self._lock:
                self.submissions.append(submission)
                self.told[submission.told] += len(submission.recipients)

    def _next(self, luck):
        count = luck.randint(2, RECIPIENTS_MAX) if luck.random() < SEVERAL else 1
        if self._stop.wait(self._pace.take(count)):
            return None
        marker = f"{self.tag}-a{next(self._numbers)}"
        recipients = [f"{marker}-{index}@{luck.choice(DOMAINS)}" for index in range(count)]
        return ApiSubmission(marker, recipients, time.time(), list(recipients), key=uuid.uuid4().hex if luck.random() < WITH_KEY else "")

    @staticmethod
    def _body(luck, submission):
        line = f"{submission.marker} " + "x" * 60 + "\n"
        return json.dumps({"from": mail.SENDER, "to": submission.recipients, "subject": submission.marker,
                           "plain_body": line * luck.randint(1, 60), "headers": {"X-Chaos-Marker": submission.marker}})

    def _hand_in(self, client, submission, body):
        for _ in range(ATTEMPTS_MAX if submission.key else 1):
            told = self._attempt(client, submission, body)
            if told in (ACCEPTED, PERMANENT) or self._stop.wait(PAUSE):
                break
        # What an earlier attempt may have done counts, however the last one ended.
        submission.told = LOST if told in (TEMPORARY, NONE) and submission.unsure else told

    def _attempt(self, client, submission, body):
        submission.dotted = time.time()
        told, submission.words, answer = self._ask(client, submission, body)
        submission.answered = time.time()
        if told in (LOST, TEMPORARY):
            submission.unsure.append((submission.dotted, submission.answered))
        if told == ACCEPTED:
            submission.data = answer["data"]
        return told

    def _ask(self, client, submission, body):
        fields = {"Content_Type": "application/json", "X_Server_API_Key": self.key}
        if submission.key:
            fields["Idempotency_Key"] = submission.key
        try:
            if not client.link.sock:
                client.link.connect()
        except OSError as error:
            return NONE, f"{type(error).__name__}: {error}", None
        try:
            status, answer = client.ask("POST", "/api/v1/send/message", body, **fields)
        except (OSError, http.client.HTTPException) as error:
            return LOST, f"{type(error).__name__}: {error}", None
        if status == 200 and answer and answer["status"] == "success":
            return ACCEPTED, "", answer
        return TEMPORARY if status in LATER else PERMANENT, f"{status} {answer and answer['data']}", answer

    def _repeat(self, client, submission, body):
        """The answer is the one that was given, or there is none now."""
        told, _, answer = self._ask(client, submission, body)
        submission.contradicted = told == PERMANENT or (told == ACCEPTED and answer["data"] != submission.data)


class ClickLoad(Paced):
    def __init__(self, sandbox, options, tag):
        super().__init__(options, options.click_rate, "click")
        self.tag = tag
        self.clicks = []
        ring = pathlib.Path(sandbox.directory, "etc", "keys", "link")
        count = int((options.seconds + BACKLOG) * options.click_rate) + 1
        program = pathlib.Path(options.build, "tests", "api", "seal_link")
        tokens = sandboxes.run([program, ring, TRACK_NAME, TRACK_SERVER, 0, count, URL]).stdout.split()
        self._tokens = enumerate(tokens)

    def _run(self, luck):
        client = Client(TRACK, TRACK_NAME)
        while not self._stop.wait(self._pace.take(1)):
            with self._lock:
                number, token = next(self._tokens, (0, None))
            if not token:
                return
            agent, begun = f"{self.tag}-c{number}", time.time()
            try:
                status, _ = client.ask(luck.choice(("GET", "HEAD")), "/c/" + token, User_Agent=agent)
            except (OSError, http.client.HTTPException):
                status = 0
            with self._lock:
                self.clicks.append(Click(agent, begun, time.time(), status))
                self.told[f"click {status or 'none'}"] += 1
