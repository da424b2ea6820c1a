# SPDX-License-Identifier: MIT
"""A thousand messages at a hundred a second: never more of them in any second, none lost, none twice.

OUTRIDER_PACE in the environment is the period (`scripts/check --long' takes a minute: that is twenty of them)."""

import concurrent.futures
import datetime
import os
import re
import sys
import time
import unittest

import mail
from sandbox import fresh, shared, wait_for
from sender import Sender
from tap import Tap

SERVER = "acme/pace"
PERIOD = os.environ.get("OUTRIDER_PACE", "second")
LENGTHS = {"second": 1, "minute": 60}
LENGTH = LENGTHS[PERIOD]
MAX = 100
MESSAGES = 1000
CLIENTS = 4
PATIENCE = 2 * LENGTH * MESSAGES / MAX + 120
SLEEP = LENGTH / 20  # of a client that was put off
# Or Postfix slows down and ends a session after some refusals.
LENIENT = {"smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "1000000"}


class Pace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sender = Sender(cls.sandbox, SERVER)
        cls.postconf("-e", *(f"{name} = {value}" for name, value in LENIENT.items()))
        cls.addClassCleanup(cls.postconf, "-X", *LENIENT)

    @classmethod
    def postconf(cls, *arguments):
        cls.sandbox.execute("postconf", *arguments)
        cls.sandbox.execute("postfix", "reload")

    def setUp(self):
        self.recipients = [fresh(f"bulk{number % 20 + 1}.test") for number in range(MESSAGES)]
        self.tap = self.enterContext(Tap(self.sandbox))
        wait_for(self.answers, "the milter")

    def answers(self):
        """The restarted milter: a recipient is taken."""
        with self.sender.client() as client:
            client.mail(mail.SENDER)
            return client.rcpt(fresh())[0] == 250

    def limit(self, rate, action):
        number = self.sandbox.outrider("limit", "set", SERVER, rate, "--action", action)["id"]
        period = rate.split("/")[1]
        self.addCleanup(self.lift, period)
        wait_for(lambda: self.shown(period)["count"] is not None, "policyd to know the limit")
        return number

    def shown(self, period):
        return next((limit for limit in self.sandbox.outrider("limit", "show", SERVER)
                     if limit["period"] == period), None)

    def lift(self, period):
        if self.shown(period):
            self.sandbox.outrider("limit", "delete", SERVER, period)

    # Clients

    def send(self, recipients, insist=False):
        """Some clients share the messages; the replies that refused."""
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            parts = pool.map(lambda part: self.send_part(part, insist),
                             (recipients[at::CLIENTS] for at in range(CLIENTS)))
            return [reply for part in parts for reply in part]

    def send_part(self, recipients, insist):
        refused = []
        with self.sender.client() as client:
            for recipient in recipients:
                while (reply := self.one(client, recipient))[0] != 250:
                    refused.append((recipient, *reply))
                    if not insist:
                        break
                    time.sleep(SLEEP)
        return refused

    @staticmethod
    def one(client, recipient):
        """The last reply."""
        client.mail(mail.SENDER)
        code, text = client.rcpt(recipient)
        if code == 250:
            return client.data(mail.message(recipient))
        client.rset()
        return code, text

    # What came of it

    def rows(self):
        """recipient -> (id, status, when it was held or 0) of this test's messages in history."""
        every = self.sandbox.sql(
            "SELECT m.rcpt_to, m.id, m.status, COALESCE(m.hold_at, 0) FROM message m JOIN server s ON "
            f"s.id = m.server_id WHERE s.permalink = '{SERVER.split('/')[1]}' AND m.status <> 'Accepting'")
        mine = set(self.recipients)
        return {recipient: (int(number), status, int(held))
                for recipient, number, status, held in every if recipient in mine}

    def until(self, recipients, status):
        def look():
            rows = self.rows()
            return rows if all(rows.get(one, (0, ""))[1] == status for one in recipients) else None

        return wait_for(look, f"{len(recipients)} messages that are {status}", PATIENCE,
                        lambda: f"{sum(row[1] == status for row in self.rows().values())} are")

    def receipts(self):
        """recipient -> times at which the simulator took a message for it."""
        found = {recipient: [] for recipient in self.recipients}
        for domain in {recipient.split("@")[1] for recipient in self.recipients}:
            for side in self.sandbox.envelopes(domain):
                recipient = side["recipients"][0]["address"]
                if recipient in found:
                    found[recipient].append(side["time"])
        return found

    def check(self, accepted, period=PERIOD):
        """Each of those was charged once and received once, nobody else was, and at no time too many."""
        rows = self.until(accepted, "Sent")
        received = self.receipts()
        self.assertEqual({one: len(received[one]) for one in self.recipients},
                         {one: int(one in set(accepted)) for one in self.recipients})
        ids = sorted(rows[one][0] for one in accepted)
        self.assertEqual(sorted(charge.message for charge in self.tap.charges), ids)
        asked = sorted(charge.asked for charge in self.tap.charges)
        answered = sorted(charge.answered for charge in self.tap.charges)
        # The charge number n came after asked[n] and before answered[n], whichever message it was.
        for first, last in zip(asked, answered[MAX:]):
            self.assertGreaterEqual(last - first, LENGTHS[period])
        times = sorted(time_of(times[0]) for times in received.values() if times)
        print(f"\n  {len(accepted)} received in {times[-1] - times[0]:.1f} s, at most {most(times, period)} in a {period} by "
              f"receipt, {most(answered, period)} by charge", end="", file=sys.stderr)
        return rows

    def test_hold(self):
        """What is beyond the limit goes on hold, and on as there is room, oldest first."""
        self.limit(f"{MAX}/{PERIOD}", "hold")
        self.assertEqual(self.send(self.recipients[:MAX]), [])
        # The rest is on hold, all of it, before the first of it may go.
        self.limit("0/day", "hold")
        self.assertEqual(self.send(self.recipients[MAX:]), [])
        rows = self.until(self.recipients[MAX:], "Held")
        held = sorted(rows[one][0] for one in self.recipients[MAX:])
        self.lift("day")
        self.check(self.recipients)
        released = [charge.message for charge in self.tap.charges if charge.message in set(held)]
        self.assertEqual(released, held)

    def test_defer(self):
        """A client that is put off and tries again gets all of it through."""
        self.limit(f"{MAX}/{PERIOD}", "defer")
        refused = self.send(self.recipients, insist=True)
        self.assertLessEqual({code // 100 for _, code, _ in refused}, {4})
        self.check(self.recipients)

    def test_reject(self):
        """A client that is refused is told the limit and its unit. Any machine sends more than that in a minute."""
        number = self.limit(f"{MAX}/minute", "reject")
        refused = self.send(self.recipients)
        said = re.compile(rf"5\.7\.1 .*Limit of {MAX} messages per minute for server {SERVER} is reached "
                          rf"\(limit {number}\)(: \d+ counted, room in \d+ s)?; outrider explain \d+$", re.S)
        self.assertGreater(len(refused), 0)
        for _, code, text in refused:
            self.assertEqual(code // 100, 5, text)
            self.assertRegex(text.decode(), said)
        without = {recipient for recipient, _, _ in refused}
        self.check([one for one in self.recipients if one not in without], "minute")


def time_of(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def most(times, period):
    """The most in any stretch of a period's length."""
    first = best = 0
    for last, at in enumerate(times):
        while at - times[first] >= LENGTHS[period]:
            first += 1
        best = max(best, last - first + 1)
    return best


if __name__ == "__main__":
    unittest.main()
