# SPDX-License-Identifier: MIT
"""Bounded load over several SMTP sessions; keeps what each client was told.

What a client was told of a message is one of
    250      accepted: from here on it must arrive and be final in history
    4xx 5xx  refused, at whatever stage
    none     no session, or the link was lost before the final dot: nothing was handed in
    lost     the final dot was sent and no answer came: both outcomes are right
"""

import collections
import dataclasses
import itertools
import random
import smtplib
import threading
import time

import mail

SESSIONS = 16
PER_SESSION = 20  # submissions of one connection at most
GIVE_UP = 0.5  # how likely a client reconnects after a refusal; Postfix slows down one that stays
PATIENCE = 15  # seconds a client waits for a reply
BACKLOG = 1.0  # seconds of the rate that may be made up for after a stall
DOMAINS = ("ok.test",) * 14 + ("greylist.test",) * 3 + ("refuse.test",) * 3
RECIPIENTS_MAX = 40

ACCEPTED = "250"
TEMPORARY = "4xx"
PERMANENT = "5xx"
NONE = "none"
LOST = "lost"


@dataclasses.dataclass
class Submission:
    marker: str
    recipients: list
    begun: float = 0.0
    taken: list = dataclasses.field(default_factory=list)  # recipients answered with 250
    dotted: float = 0.0  # when the final dot was sent; 0: it was not
    answered: float = 0.0
    told: str = NONE
    words: str = ""

    def told_of(self, recipient):
        """A recipient that the server did not take is refused whatever became of the others."""
        return TEMPORARY if self.told == ACCEPTED and recipient not in self.taken else self.told


class Pace:
    """Hands out moments so that the rate is never exceeded."""

    def __init__(self, rate, now=time.monotonic):
        self._gap = 1.0 / rate
        self._now = now
        self._next = now()
        self._lock = threading.Lock()

    def take(self, messages):
        """Seconds to wait before sending so many messages."""
        with self._lock:
            now = self._now()
            moment = max(self._next, now - BACKLOG)
            self._next = moment + messages * self._gap
            return max(0.0, moment - now)


class HandsIn:
    """A connection that tells on which side of the final dot it was lost."""

    def hand_in(self, submission, content):
        code, text = self.mail(self.sender)
        if code == 250:
            replies = [(recipient, self.rcpt(recipient)) for recipient in submission.recipients]
            submission.taken = [recipient for recipient, (code, _) in replies if code == 250]
            code, text = self.docmd("DATA") if submission.taken else replies[-1][1]
        if code == 354:
            self.sock.sendall(content)
            submission.dotted = time.time()
            self.sock.sendall(b".\r\n")
            code, text = self.getreply()
        submission.told = ACCEPTED if code == 250 else f"{code // 100}xx"
        submission.words = f"{code} {text.decode(errors='replace')}"
        if code != 250:
            self.rset()


class Session(HandsIn, mail.Client):
    """A session of somebody with a credential."""

    sender = mail.SENDER

    def __init__(self, sandbox, port):
        super().__init__(sandbox, port, host="127.0.0.1", timeout=PATIENCE)


class Load:
    def __init__(self, sandbox, options, tag, rate=None, sessions=SESSIONS):
        self.sandbox = sandbox
        self.options = options
        self.tag = tag
        self.submissions = []  # those that have ended
        self.told = collections.Counter()  # messages by what was told of them
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pace = Pace(rate or options.rate)
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True)
                         for number in range(sessions)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Ends the load once every client has its answer."""
        self._stop.set()
        for thread in self._threads:
            thread.join(3 * PATIENCE)

    def _run(self, number):
        luck = random.Random(f"{self.options.seed}/{type(self).__name__}/{number}")
        while submission := self._next(luck):
            try:
                with self.session(luck) as session:
                    for left in reversed(range(luck.randint(1, PER_SESSION))):
                        session.hand_in(submission, self._content(luck, submission))
                        self._keep(submission)
                        ends = not left or (submission.told != ACCEPTED and luck.random() < GIVE_UP)
                        submission = None if ends else self._next(luck)
                        if not submission:
                            break
            except (OSError, smtplib.SMTPException) as error:
                if submission:
                    self._failed(submission, error)

    def _failed(self, submission, error):
        """Keeps a submission whose session failed; it may have had its answer before."""
        if submission.told == NONE:
            code = getattr(error, "smtp_code", 0)
            submission.told = LOST if submission.dotted else f"{code // 100}xx" if code >= 400 else NONE
            submission.words = f"{type(error).__name__}: {error}"
        self._keep(submission)

    def _keep(self, submission):
        submission.answered = time.time()
        with self._lock:
            self.submissions.append(submission)
            self.told.update(submission.told_of(recipient) for recipient in submission.recipients)

    def _next(self, luck):
        """The next submission when its time has come; None at the end."""
        submission = self.make(luck)
        if self._stop.wait(self._pace.take(len(submission.recipients))):
            return None
        submission.begun = time.time()
        return submission

    def session(self, luck):
        return Session(self.sandbox, 587 if luck.random() < 0.25 else 2525)

    def make(self, luck):
        several = luck.random() < self.options.several / 100
        count = luck.randint(2, RECIPIENTS_MAX) if several else 1
        marker = f"{self.tag}-{next(self._numbers)}"
        return Submission(marker, [f"{marker}-{index}@{luck.choice(DOMAINS)}" for index in range(count)])

    def _content(self, luck, submission):
        size = 100_000 if luck.random() < 0.01 else luck.randint(200, 6000)
        line = f"{submission.marker} " + "x" * 60 + "\r\n"
        return mail.message(",\r\n ".join(submission.recipients), (line * (size // len(line) + 1)).encode(),
                            headers=[f"X-Chaos-Marker: {submission.marker}"])
