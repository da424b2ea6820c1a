#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What judges a run must itself be right: the plan, the pace and each rule of the comparison."""

import itertools
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import audit  # noqa: E402  (found beside this file)
import fault  # noqa: E402
import http_load  # noqa: E402
import incoming_load  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402

OK, GREY, REFUSE = "t-1-0@ok.test", "t-1-0@greylist.test", "t-1-0@refuse.test"


def submission(recipient=OK, told=load.ACCEPTED, words="", recipients=None, taken=None):
    recipients = recipients or [recipient]
    return load.Submission("t-1", recipients, begun=100, taken=recipients if taken is None else taken,
                           dotted=101, answered=102, told=told, words=words)


def copy(time=103, marker="t-1"):
    return audit.Copy(time, marker)


def row(status="Sent", sent=1, copies=0):
    return audit.Row(1, status, "Q", sent, copies)


def api(told=load.ACCEPTED, data=True, number=1, **more):
    """What a client was told of a request with a key, dotted at 101 and answered at 102."""
    answer = {"message_id": "m@rp", "messages": {OK: {"id": number}}} if data else None
    return http_load.ApiSubmission("t-1", [OK], 100, [OK], 101, 102, told, key="k", data=answer, **more)


def click(status=307, answered=102):
    return http_load.Click("t-c1", 101, answered, status)


WEB, MAILBOX, KEPT = "t-i1-0@http.chaos.test", "t-i1-0@forward.chaos.test", "t-i1-0@keep.chaos.test"


def arrival(recipient=WEB, told=load.ACCEPTED):
    """A message from elsewhere, dotted at 101 and answered at 102."""
    return incoming_load.Arrival("t-i1", [recipient], 100, [recipient], 101, 102, told)


def post(delivery="1", time=103, marker="t-i1"):
    return {"posts": {WEB: [incoming_load.Post(time, marker, delivery)]}}


def posts(*all_of_them):
    return {"posts": {WEB: [one for each in all_of_them for one in each["posts"][WEB]]}}


CAME = {WEB: [row()]}
CAME_TWICE = {WEB: [row(), audit.Row(2, "Sent", "R", 1, 0)]}
SENT = {OK: [row()]}
ONE = {OK: [copy()]}
TWO = {OK: [copy(103), copy(109)]}
BOTH = [OK, GREY]
CUT = "451 4.3.0 Error: queue file write error"
FULL = [("spool", 90, 110)]
ONCE, TWICE = {"m@rp": 1}, {"m@rp": 2}
SURE, UNSURE = api(), api(unsure=[(98, 99)])

# what it shows, submission, received, rows, other facts, kinds of difference
CASES = [
    ("accepted, received, sent", submission(), ONE, SENT, {}, []),
    ("accepted and lost", submission(), {}, SENT, {}, ["lost"]),
    ("accepted, no row", submission(), ONE, {}, {}, ["not in history"]),
    ("accepted, not visible", submission(), ONE, {OK: [row("Accepting")]}, {}, ["not in history"]),
    ("accepted, aborted", submission(), ONE, {OK: [row("Aborted")]}, {}, ["not in history"]),
    ("accepted, not final", submission(), ONE, {OK: [row("Pending")]}, {}, ["not Sent in history"]),
    ("accepted, unknown", submission(), ONE, {OK: [row("Unknown")]}, {}, ["not Sent in history"]),
    ("two rows", submission(), ONE, {OK: [row(), row()]}, {}, ["more than once in history"]),
    ("row and stub", submission(), ONE, {OK: [row(), row("Accepting")]}, {}, []),
    ("counted twice", submission(), ONE, {OK: [row(sent=2)]}, {}, ["delivery counted twice"]),
    ("both copies counted", submission(), TWO, {OK: [row(sent=2)]}, {"agents_killed": [(104, 106)]}, []),
    ("two copies", submission(), TWO, SENT, {}, ["second copy"]),
    ("agent killed", submission(), TWO, SENT, {"agents_killed": [(104, 106)]}, []),
    ("agent killed too early", submission(), TWO, SENT, {"agents_killed": [(100, 102)]}, ["second copy"]),
    ("agent killed too late", submission(), TWO, SENT, {"agents_killed": [(120, 121)]}, ["second copy"]),
    ("split twice", submission(recipients=BOTH), {**TWO, GREY: [copy()]},
     {OK: [row(sent=2, copies=2)], GREY: [row()]}, {}, []),
    ("split twice, history does not know", submission(recipients=BOTH), {**TWO, GREY: [copy()]},
     {OK: [row()], GREY: [row()]}, {}, ["second copy"]),
    ("another's content", submission(), {OK: [copy(marker="t-2")]}, SENT, {}, ["received another message"]),
    ("refused by the domain", submission(REFUSE), {}, {REFUSE: [row("HardFail", 0)]}, {}, []),
    ("refused but received", submission(REFUSE), {REFUSE: [copy()]}, {REFUSE: [row("HardFail", 0)]}, {},
     ["received though refused"]),
    ("refused but sent", submission(REFUSE), {}, {REFUSE: [row()]}, {}, ["not HardFail in history"]),
    ("put off", submission(told=load.TEMPORARY), {}, {}, {}, []),
    ("put off, invisible", submission(told=load.TEMPORARY), {}, {OK: [row("Accepting", 0)]}, {}, []),
    ("put off, visible", submission(told=load.TEMPORARY), {}, {OK: [row("Pending", 0)]}, {},
     ["visible though not accepted"]),
    ("put off, received", submission(told=load.TEMPORARY), ONE, {}, {}, ["received though not accepted"]),
    ("not handed in, received", submission(told=load.NONE), ONE, SENT, {},
     ["received though not accepted", "visible though not accepted"]),
    ("for good", submission(told=load.PERMANENT), {}, {}, {}, ["refused for good"]),
    ("cleanup killed", submission(told=load.TEMPORARY, words=CUT), ONE, SENT,
     {"cleanups_killed": [(101.5, 103)]}, []),
    ("cleanup killed before", submission(told=load.TEMPORARY, words=CUT), ONE, SENT,
     {"cleanups_killed": [(100, 100.5)]}, ["received though not accepted", "visible though not accepted"]),
    ("no answer, nothing", submission(told=load.LOST), {}, {}, {}, []),
    ("no answer, all there", submission(told=load.LOST), ONE, SENT, {}, []),
    ("no answer, no row", submission(told=load.LOST), ONE, {}, {}, ["not in history"]),
    ("no answer, not received", submission(told=load.LOST), {}, SENT, {}, ["lost"]),
    ("recipient not taken", submission(recipients=BOTH, taken=[OK]), ONE, SENT, {}, []),
    ("recipient not taken, received", submission(recipients=BOTH, taken=[OK]), {**ONE, GREY: [copy()]},
     SENT, {}, ["received though not accepted"]),
    ("stranger", submission(), {**ONE, GREY: [copy()]}, SENT, {}, ["never submitted"]),
    ("full disk", submission(), ONE, SENT, {"fills": FULL}, ["accepted on a full disk"]),
    ("full disk, refused", submission(told=load.TEMPORARY), {}, {}, {"fills": FULL}, []),
    ("disk just full", submission(), ONE, SENT, {"fills": [("spool", 100, 110)]}, []),
    ("disk just free", submission(), ONE, SENT, {"fills": [("spool", 90, 101.5)]}, []),
    ("by the API", SURE, ONE, SENT, {"handed_in": ONCE}, []),
    ("under another id", api(number=2), ONE, SENT, {"handed_in": ONCE}, ["another id than the one answered"]),
    ("no id answered", api(number=None), ONE, SENT, {"handed_in": ONCE}, ["another id than the one answered"]),
    ("answered and lost", SURE, {}, {}, {"handed_in": ONCE}, ["not in history", "lost"]),
    ("answered, never handed in", SURE, ONE, SENT, {}, ["never handed in"]),
    ("handed in twice", SURE, ONE, SENT, {"handed_in": TWICE}, ["handed in twice"]),
    ("handed in twice, none killed", UNSURE, ONE, SENT, {"handed_in": TWICE}, ["handed in twice"]),
    ("handed in twice, apid killed then", UNSURE, ONE, SENT, {"handed_in": TWICE, "takers_killed": [(98.5, 100)]}, ["handed in twice"]),
    ("handed in twice, cleanup killed then", UNSURE, ONE, SENT, {"handed_in": TWICE, "cleanups_killed": [(98.5, 100)]}, []),
    ("handed in twice, cleanup killed later", UNSURE, ONE, SENT, {"handed_in": TWICE, "cleanups_killed": [(100, 101)]},
     ["handed in twice"]),
    ("the hop's second copy", SURE, TWO, {OK: [row(sent=2, copies=2)]}, {"handed_in": ONCE}, []),
    ("a second copy by the API", SURE, TWO, SENT, {"handed_in": ONCE}, ["second copy"]),
    ("two rows for one key", SURE, ONE, {OK: [row(), row()]}, {"handed_in": ONCE}, ["more than once in history"]),
    ("answered otherwise", api(contradicted=True), ONE, SENT, {"handed_in": ONCE}, ["a repeated request was answered otherwise"]),
    ("503", api(load.TEMPORARY, False), {}, {}, {}, []),
    ("503, received", api(load.TEMPORARY, False), ONE, SENT, {},
     ["received though not accepted", "visible though not accepted"]),
    ("503, taker killed", api(load.TEMPORARY, False), ONE, SENT, {"takers_killed": [(101.5, 103)]}, []),
    ("503, taker killed before", api(load.TEMPORARY, False), ONE, SENT, {"takers_killed": [(99, 100)]},
     ["received though not accepted", "visible though not accepted"]),
    ("an error", api(load.PERMANENT, False), {}, {}, {}, ["refused for good"]),
    ("no answer of the API", api(load.LOST, False), ONE, SENT, {}, []),
    ("answered on a full disk", SURE, ONE, SENT, {"handed_in": ONCE, "fills": FULL}, ["accepted on a full disk"]),
    ("click in history", submission(), ONE, SENT, {"clicks": [click()], "visits": {"t-c1"}}, []),
    ("click not in history", submission(), ONE, SENT, {"clicks": [click()]}, ["a click is not in history"]),
    ("click without answer", submission(), ONE, SENT, {"clicks": [click(0)]}, []),
    ("click that led nowhere", submission(), ONE, SENT, {"clicks": [click(404)]}, ["a link led nowhere"]),
    ("click, trackd killed then", submission(), ONE, SENT, {"clicks": [click()], "trackd_killed": [(102.5, 103)]}, []),
    ("click, trackd killed later", submission(), ONE, SENT, {"clicks": [click()], "trackd_killed": [(104, 105)]},
     ["a click is not in history"]),
    ("click, disk full", submission(), ONE, SENT, {"clicks": [click()], "spool_filled": [(90, 95)]}, []),
    ("click, disk full long ago", submission(), ONE, SENT, {"clicks": [click()], "spool_filled": [(80, 90)]},
     ["a click is not in history"]),
    ("came in, asked", arrival(), {}, CAME, post(), []),
    ("came in, asked again", arrival(), {}, CAME, posts(post(), post(time=200)), []),
    ("came in, not asked", arrival(), {}, CAME, {}, ["lost"]),
    ("came in, no row", arrival(), {}, {}, post(), ["not in history", "asked under an id that history has not"]),
    ("came in, not final", arrival(), {}, {WEB: [row("Pending")]}, post(), ["not Sent in history"]),
    ("came in, another id", arrival(), {}, CAME, post("2"), ["asked under an id that history has not"]),
    ("came in, another's content", arrival(), {}, CAME, post(marker="t-i2"), ["received another message"]),
    ("came in, two rows", arrival(), {}, CAME_TWICE, posts(post(), post("2")), ["more than once in history"]),
    ("came in, two rows, hop broken", arrival(), {}, CAME_TWICE, {**posts(post(), post("2")), "hop_broken": [(110, 111)]}, []),
    ("came in, two rows, hop broken late", arrival(), {}, CAME_TWICE, {**posts(post(), post("2")), "hop_broken": [(130, 131)]},
     ["more than once in history"]),
    ("not taken in", arrival(told=load.TEMPORARY), {}, {}, {}, []),
    ("not taken in, asked", arrival(told=load.TEMPORARY), {}, {}, post(), ["received though not accepted"]),
    ("came in or not, not", arrival(told=load.LOST), {}, {}, {}, []),
    ("came in or not, asked", arrival(told=load.LOST), {}, CAME, post(), []),
    ("sent on", arrival(MAILBOX), {MAILBOX: [copy(marker="t-i1")]}, {MAILBOX: [row()]}, {}, []),
    ("sent on and lost", arrival(MAILBOX), {}, {MAILBOX: [row()]}, {}, ["lost"]),
    ("kept", arrival(KEPT), {}, {KEPT: [row("Processed", 0)]}, {}, []),
    ("kept, but received", arrival(KEPT), {KEPT: [copy(marker="t-i1")]}, {KEPT: [row("Processed", 0)]}, {},
     ["received though kept"]),
    ("kept, but sent", arrival(KEPT), {}, {KEPT: [row()]}, {}, ["not Processed in history"]),
    ("came in on a full disk", arrival(), {}, CAME, {**post(), "fills": FULL}, []),
    ("other disk full", submission(), ONE, SENT, {"fills": [("mariadb", 90, 110)]}, []),
]


class Compare(unittest.TestCase):
    def test_compare_table(self):
        for name, what, received, rows, other, kinds in CASES:
            with self.subTest(name):
                found = audit.compare(audit.Facts([what], received, rows, **other))
                self.assertEqual([difference.kind for difference in found], kinds)


class Taken(unittest.TestCase):
    def test_taken_counts_what_is_charged(self):
        facts = audit.Facts([], {}, {**SENT, **CAME_TWICE, REFUSE: [row("HardFail", 0), row("Accepting", 0)]})
        self.assertEqual(audit.taken(facts), 2)

    def test_again_counts_second_rows_and_requests(self):
        facts = audit.Facts([arrival(), submission()], {}, {**SENT, **CAME_TWICE}, **posts(post(), post(), post("2")))
        self.assertEqual(audit.again(facts), (1, 2))


class Resume(unittest.TestCase):
    def test_resumed_counts_from_the_moment(self):
        self.assertEqual(audit.resumed([submission(), submission()], 99.5), 2.5)

    def test_resumed_needs_mail_begun_after_and_accepted(self):
        for found in ([], [submission(told=load.TEMPORARY)], [submission(told=load.LOST)]):
            self.assertEqual(audit.resumed(found, 99), 0)
        self.assertEqual(audit.resumed([submission()], 100), 0)

    def test_full_over_looks_at_the_spool(self):
        for place, longest in (("spool", 12), ("mariadb", 0)):
            facts = audit.Facts([submission()], {}, {}, fills=[(place, 80, 90), (place, 94, 95)])
            self.assertEqual(audit.full_over(facts), longest)


class Plan(unittest.TestCase):
    def steps(self, seed, lane, count=40):
        return list(itertools.islice(fault.plan(seed, lane, list(fault.FAULTS.values())), count))

    def test_plan_same_seed_same_steps(self):
        self.assertEqual(self.steps("a", fault.MAIL), self.steps("a", fault.MAIL))
        self.assertNotEqual(self.steps("a", fault.MAIL), self.steps("b", fault.MAIL))

    def test_plan_every_fault_before_any_again(self):
        for lane in fault.LANES:
            mine = {name for name, one in fault.FAULTS.items() if one.lane == lane}
            self.assertEqual({step.fault.name for step in self.steps("a", lane, len(mine))}, mine)

    def test_plan_keeps_within_the_table(self):
        for step in self.steps("a", fault.RECORD):
            self.assertTrue(step.fault.hold[0] <= step.hold <= step.fault.hold[1])

    def test_plan_of_nothing_is_empty(self):
        self.assertEqual(list(fault.plan("a", fault.MAIL, fault.chosen("kill-worker"))), [])

    def test_chosen_refuses(self):
        self.assertEqual([one.name for one in fault.chosen(" kill-qmgr,fill-spool, ")],
                         ["kill-qmgr", "fill-spool"])
        with self.assertRaisesRegex(ValueError, "no fault kill-all"):
            fault.chosen("kill-all")


class Paced(unittest.TestCase):
    def test_pace_never_exceeds_the_rate(self):
        clock = 0.0
        pace = load.Pace(10, lambda: clock)
        for _ in range(100):
            clock += pace.take(1)
        self.assertAlmostEqual(clock, 9.9)

    def test_pace_makes_up_for_little(self):
        clock = 0.0
        pace = load.Pace(10, lambda: clock)
        clock = 60.0
        waits = [pace.take(1) for _ in range(20)]
        self.assertLessEqual(sum(wait == 0 for wait in waits), 11)


class Table(unittest.TestCase):
    def make(self, **changes):
        facts = dict(seed="a", seconds=10, settled=5, faults={"kill-qmgr": 1}, told={"250": 3}, api={}, words={},
                     received={1: 3}, history={"Sent": 3}, queued=0, full_judged=0, charged=0, full_over=0, strays=[],
                     differences=[], logged={}, troubles=[], notes=[])
        return report.Report(**{**facts, **changes})

    def test_report_holds_only_without_differences(self):
        lost = audit.Difference("lost", OK, "250", 0, "Sent", 0)
        self.assertTrue(self.make(notes=["x"]).holds())
        for change in ({"differences": [lost]}, {"troubles": ["x"]}, {"queued": 1}):
            self.assertFalse(self.make(**change).holds())
            self.assertIn("DOES NOT HOLD", self.make(**change).as_table())
        self.assertIn(f"{OK} lost", self.make(differences=[lost]).as_table())


if __name__ == "__main__":
    unittest.main()
