#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Loads a sandbox, over SMTP, by the API, with mail from elsewhere and with clicks, while its programs are killed, frozen and stopped and its disks
filled, at random from a seed; then compares what every client was told, what the simulated mail hosts received and what
history says.
"""

import argparse
import collections
import os
import pathlib
import re
import secrets
import signal
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import audit  # noqa: E402  (found beside this file)
import fault  # noqa: E402
import sandbox  # noqa: E402
from evidence import Evidence  # noqa: E402
from http_load import ApiLoad, ClickLoad  # noqa: E402
from incoming_load import IncomingLoad  # noqa: E402
from load import ACCEPTED, Load  # noqa: E402
from report import Report  # noqa: E402
from world import World  # noqa: E402

SETTLE = 180  # seconds after the end in which everything must agree
RESUME = 90  # seconds after the last fault in which mail must be accepted
CALM = 5  # seconds for which it must agree
WORDS_MAX = 90
WORDS_SHOWN = 15
PROGRESS = 10  # seconds between progress lines
BREAK_HOP = ("kill-milter", "freeze-milter", "restart-milter", "kill-split", "kill-hop", "kill-cleanup", "kill-smtpd", "kill-qmgr",
             "kill-postfix", "kill-master", "restart-postfix", "fill-spool")
KILL_AGENTS = ("kill-postfix", "kill-master", "restart-postfix")
KILL_CLEANUP = (*KILL_AGENTS, "kill-cleanup")
KILL_TAKERS = (*KILL_CLEANUP, "kill-smtpd", "kill-apid")


class Lane(threading.Thread):
    """Makes the faults of a lane, one after another, and undoes the last."""

    def __init__(self, world, steps, end):
        super().__init__(daemon=True)
        self.world = world
        self.steps = steps
        self.end = end
        self.made = []  # (since, until, name)

    def run(self):
        for step in self.steps:
            if self.end.wait(step.pause):
                return
            self.world.check()
            try:
                self._make(step)
            except (OSError, sandbox.Refused) as error:
                self.world.trouble(f"{step.fault.name} could not be made or undone: {error}")

    def _make(self, step):
        began = time.time()
        undo = getattr(self.world, step.fault.action)(step.fault.target, step.chance)
        self.end.wait(step.hold)
        if undo:
            undo()
        self.made.append((began, time.time(), step.fault.name))


def settle(evidence, facts, target, began):
    """Waits until everything agrees for a while, or no longer; returns facts and differences."""
    calm_since = None
    while True:
        facts.received, facts.rows = evidence.received(), evidence.history()
        facts.visits, facts.handed_in = evidence.visits(), evidence.handed_in()
        facts.posts = posts_of(target)
        differences, queued = audit.compare(facts), evidence.queued()
        now = time.monotonic()
        calm_since = None if differences or queued else calm_since or now
        if (calm_since and now - calm_since > CALM) or now - began > SETTLE:
            return differences, queued
        print(f"chaos: settling, {queued} queued, {len(differences)} differences", file=sys.stderr)
        time.sleep(3)


def posts_of(target):
    """{recipient: [Post]}"""
    found = collections.defaultdict(list)
    for recipient, post in list(target.posts):
        found[recipient].append(post)
    return found


def told(loads):
    """Messages and clicks by what was told of them."""
    return sum((load.told for load in loads), collections.Counter())


def drive(options, world, loads, lanes, end):
    """The run itself, with a line of progress now and then."""
    began = time.monotonic()
    for load in loads:
        load.start()
    for lane in lanes:
        lane.start()
    while (left := options.seconds - (time.monotonic() - began)) > 0:
        time.sleep(min(left, PROGRESS))
        made = sum(len(lane.made) for lane in lanes)
        words = " ".join(f"{word} {count}" for word, count in sorted(told(loads).items()))
        print(f"chaos: {time.monotonic() - began:.0f} of {options.seconds} s, {made} faults, told: {words}",
              file=sys.stderr)
    end.set()
    for lane in lanes:
        lane.join()
    undone = time.time()
    for load in loads[:3]:
        await_service(world, load, undone)
    for load in loads:
        load.stop()
    world.check()
    return time.monotonic() - began


def await_service(world, load, undone):
    """After the last fault mail must be accepted again, with nobody's help."""
    end = time.monotonic() + RESUME
    while not audit.resumed(load.submissions, undone):
        if time.monotonic() > end:
            world.trouble(f"{type(load).__name__}: no mail was accepted within {RESUME} s after the last fault")
            return
        time.sleep(1)


def conclude(options, world, loads, lanes, seconds):
    smtp, api, incoming, clicks = loads
    evidence = Evidence(world.sandbox, smtp.tag)
    made = sorted(made for lane in lanes for made in lane.made)

    def times_of(*names):
        return [times for *times, name in made if name in names]

    facts = audit.Facts(smtp.submissions + api.submissions + incoming.submissions, {}, {}, fills=world.fills, clicks=clicks.clicks,
                        agents_killed=times_of(*KILL_AGENTS), cleanups_killed=times_of(*KILL_CLEANUP),
                        takers_killed=times_of(*KILL_TAKERS), trackd_killed=times_of("kill-trackd"),
                        spool_filled=times_of("fill-spool"), hop_broken=times_of(*BREAK_HOP))
    began = time.monotonic()
    differences, queued = settle(evidence, facts, incoming.target, began)
    world.check()
    troubles = [text for _, text in world.troubles] + evidence.crashes()
    troubles += [f"event rejected: {line}" for line in evidence.rejected()]
    charged, taken = world.charged(), audit.taken(facts)
    if charged < taken:
        troubles.append(f"{taken} messages were taken and {charged} charged to their limit")
    return Report(
        seed=options.seed, seconds=seconds, settled=time.monotonic() - began,
        faults=dict(sorted(collections.Counter(name for *_, name in made).items())),
        told=dict(told(loads)), api=of_api(facts), words=words(facts.submissions),
        received=dict(collections.Counter(len(copies) for where in (facts.received, facts.posts) for copies in where.values())),
        history=dict(collections.Counter(row.status for rows in facts.rows.values() for row in rows)),
        queued=queued, full_judged=audit.full_judged(facts),
        full_over=audit.full_over(facts), strays=evidence.strays(), charged=charged,
        differences=differences,
        logged=evidence.log_lines({difference.recipient for difference in differences}),
        troubles=troubles, notes=notes(facts))


def of_api(facts):
    """What shows that the API and its repetitions met the faults."""
    mine = [submission for submission in facts.submissions if audit.is_api(submission)]
    return {"requests": len(mine), "answered with ids": sum(bool(submission.data) for submission in mine),
            "answered after attempts that were not": sum(bool(submission.data and submission.unsure) for submission in mine),
            "attempts without an answer, or put off": sum(len(submission.unsure) for submission in mine),
            "handed in again under the same ids": sum(times - 1 for times in facts.handed_in.values()),
            "clicks in history": len(facts.visits)}


def words(submissions):
    """The answers other than 250, without what differs from one to the next."""
    said = collections.Counter(re.sub(r"[0-9A-Za-z]{13,}|[^\x20-\x7e]", "", submission.words)[:WORDS_MAX]
                               for submission in submissions if submission.told != ACCEPTED)
    return dict(said.most_common(WORDS_SHOWN))


def notes(facts):
    second = sum(len(copies) > 1 for copies in facts.received.values())
    rows, asked = audit.again(facts)
    return [text for count, text in ((second, f"{second} messages came twice"),
                                     (rows, f"{rows} messages from elsewhere have a second row in history"),
                                     (asked, f"{asked} HTTP requests came again")) if count]


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/chaos", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="faults:\n  " + "\n  ".join(fault.FAULTS) + "\n\nExit: 0 all holds, 1 it does not, 2 usage.")
    parser.add_argument("--seconds", type=int, default=180, help="how long the load lasts (180)")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="of a run to repeat its faults")
    parser.add_argument("--rate", type=float, default=60, help="messages a second (60)")
    parser.add_argument("--api-rate", type=float, default=15, help="messages a second by the API (15)")
    parser.add_argument("--incoming-rate", type=float, default=10, help="messages a second from elsewhere (10)")
    parser.add_argument("--click-rate", type=float, default=15, help="clicks a second (15)")
    parser.add_argument("--several", type=float, default=10, metavar="PERCENT",
                        help="submissions with 2 to 40 recipients (10)")
    parser.add_argument("--faults", default=",".join(fault.FAULTS), metavar="LIST",
                        help="only these, with commas between (all)")
    parser.add_argument("--dir", default="/var/tmp/outrider-chaos", help="directory of the sandbox")
    parser.add_argument("--build", default=str(sandbox.SOURCE / "build"), help="build to test")
    parser.add_argument("--keep", action="store_true", help="leave the sandbox up")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("must run as root")
    if not (10 <= options.seconds <= 86400 and
            all(1 <= rate <= 1000 for rate in
                (options.rate, options.api_rate, options.incoming_rate, options.click_rate))):
        parser.error("--seconds is 10 to 86400 and a rate 1 to 1000")
    try:
        options.faults = fault.chosen(options.faults)
    except ValueError as error:
        parser.error(str(error))
    return options


def main():
    options = arguments()
    # Four journals with a segment ahead each, and what is stored of the mail.
    disks = 500 + int(options.seconds * (options.rate + options.api_rate + options.incoming_rate) * 10 / 1024)
    tag = f"c{options.seed}x{int(time.time()):x}".lower()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"chaos: seed {options.seed}", file=sys.stderr)
    world = World(options.dir, options.build, disks)
    try:
        end = threading.Event()
        loads = [kind(world.sandbox, options, tag) for kind in (Load, ApiLoad, IncomingLoad, ClickLoad)]
        lanes = [Lane(world, fault.plan(options.seed, lane, options.faults), end) for lane in fault.LANES]
        seconds = drive(options, world, loads, lanes, end)
        report = conclude(options, world, loads, lanes, seconds)
    finally:
        world.close(options.keep)
    print(report.as_json() if options.json else report.as_table())
    return 0 if report.holds() else 1


if __name__ == "__main__":
    sys.exit(main())
