# SPDX-License-Identifier: MIT
"""Compares what clients were told, what the simulator received and what history says. Pure.

The rules, for each message:
    told 250            in history once, final, as its domain has it; received once (never, when the
                        domain refuses)
    told 4xx, 5xx, none neither received nor visible in history
    told lost           either of the two
A second copy is right only where mail cannot do better: a message of a submission with several
recipients whose copies history knows (the split hop's link broke), and one whose delivery agent was
killed between the remote's 250 and its own note of it.

What the API took, goes over the hop always, so a second copy of one recipient's message may be the hop's, too. Beside that
    its id in history is the one that was answered; a repeated request was answered the same, and handed to Postfix once;
    more often only if, while it was, something was killed that knew whether it had been
    put off (503) may be taken, if Postfix was killed at that moment
What came in for a route (Arrival) was never charged; of it
    250         it is in history, final, and received: asked over HTTP, under an id that history has, as often as our host likes to
                ask; in a mailbox; or kept, by nobody. A second row is right where the milter, which remembers ids in
                memory, ended or could not answer before the hop was done
A click that was answered is in history, unless trackd was killed a moment later, or could not write it.
"""

import collections
import dataclasses

import http_load
import incoming_load
import load

INVISIBLE = ("Accepting", "Aborted")
FINAL = {"ok.test": "Sent", "greylist.test": "Sent", "refuse.test": "HardFail", **incoming_load.FINAL}
BEFORE_KILL = 5.0  # seconds an agent may have been at work since the remote took the message
FULL_SINCE = 1.5  # seconds until a full disk must be noticed: it is looked at once a second
FULL_PLACE = "spool"
QUEUE_FILE_ERROR = "queue file write error"  # smtpd's words when cleanup went away
AGAIN = 15.0  # seconds in which the hop may come again
POSTED = 1.0  # seconds until an answered click is on disk; it is 50 ms
REOPENED = 10.0  # seconds until trackd writes again after its disk was full


@dataclasses.dataclass(frozen=True)
class Copy:
    time: float
    marker: str


@dataclasses.dataclass(frozen=True)
class Row:
    id: int
    status: str
    queue_id: str
    sent: int  # deliveries that history counts as Sent
    copies: int  # copies that history knows the message to have been queued as


@dataclasses.dataclass(frozen=True)
class Difference:
    kind: str
    recipient: str
    told: str
    received: int
    history: str
    at: float
    detail: str = ""


@dataclasses.dataclass
class Facts:
    submissions: list
    received: dict  # recipient: [Copy]
    rows: dict  # recipient: [Row]
    agents_killed: list = ()  # (since, until) when Postfix's delivery agents ended
    cleanups_killed: list = ()  # (since, until) when its cleanup processes did
    fills: list = ()  # (place, since, until)
    takers_killed: list = ()  # (since, until) when a program ended that knew whether it had taken a submission of the API
    handed_in: dict = dataclasses.field(default_factory=dict)  # Message-ID: how often Postfix took it from the API
    posts: dict = dataclasses.field(default_factory=dict)  # recipient: [Post]
    hop_broken: list = ()  # (since, until) when a program ended or froze that takes part in the hop
    clicks: list = ()
    visits: set = frozenset()  # agents of the clicks in history
    trackd_killed: list = ()  # (since, until)
    spool_filled: list = ()  # (since, until) from the first octet to the last


def is_api(submission):
    return isinstance(submission, http_load.ApiSubmission)


def is_arrival(submission):
    return isinstance(submission, incoming_load.Arrival)


def domain_of(recipient):
    return recipient.rpartition("@")[2]


def during(spans, since, until):
    return any(begin <= until and since <= end for begin, end in spans)


def word(submission, recipient, cleanups_killed=(), takers_killed=()):
    """What the client can know. smtpd answers 451 also when cleanup was killed after it had put the
    message into the queue; then the API says 503, as when Postfix does not answer at all."""
    told = submission.told_of(recipient)
    if (told == load.TEMPORARY and is_api(submission) and
            during(takers_killed, submission.dotted, submission.answered)):
        return load.LOST
    if (told == load.TEMPORARY and submission.dotted and QUEUE_FILE_ERROR in submission.words and
            during(cleanups_killed, submission.dotted, submission.answered)):
        return load.LOST
    return told


def compare(facts):
    """Every difference, in the order of the submissions."""
    found, known = [], set()
    for submission in facts.submissions:
        for recipient in submission.recipients:
            known.add(recipient)
            found += judge(facts, submission, recipient)
        found += judge_full(facts, submission)
        found += judge_api(facts, submission) if is_api(submission) else []
    found += judge_clicks(facts)
    for recipient in sorted((facts.received.keys() | facts.posts.keys() | facts.rows.keys()) - known):
        rows = facts.rows.get(recipient, [])
        found.append(Difference("never submitted", recipient, "-", len(facts.received.get(recipient, [])),
                                states(rows), 0))
    return found


def judge(facts, submission, recipient):
    told = word(submission, recipient, facts.cleanups_killed, facts.takers_killed)
    copies = facts.received.get(recipient, []) + facts.posts.get(recipient, [])
    visible = [row for row in facts.rows.get(recipient, []) if row.status not in INVISIBLE]
    kinds = []
    if told == load.PERMANENT:
        kinds.append("refused for good")
    if told == load.ACCEPTED or (told == load.LOST and (copies or visible)):
        judge_it = judge_arrived if is_arrival(submission) else judge_accepted
        kinds += judge_it(facts, submission, recipient, copies, visible)
    elif told != load.LOST:
        kinds += ["received though not accepted"] * bool(copies)
        kinds += ["visible though not accepted"] * bool(visible)
    if any(copy.marker != submission.marker for copy in copies):
        kinds.append("received another message")
    everything = states(facts.rows.get(recipient, []))
    return [Difference(kind, recipient, told, len(copies), everything, submission.begun,
                       submission.words) for kind in kinds]


def judge_accepted(facts, submission, recipient, copies, visible):
    final = FINAL[domain_of(recipient)]
    if not visible:
        yield "not in history"
    elif len(visible) > 1:
        yield "more than once in history"
    elif visible[0].status != final:
        yield f"not {final} in history"
    if final != "Sent":
        if copies:
            yield "received though refused"
    elif not copies:
        yield "lost"
    elif len(copies) > 1 and not second_copy_allowed(facts, submission, copies, visible):
        yield "second copy"
    if visible and is_api(submission) and submission.data and visible[0].id != submission.id_of(recipient):
        yield "another id than the one answered"
    if len(visible) == 1 and visible[0].sent > max(1, len(copies)):
        yield "delivery counted twice"


def judge_arrived(facts, submission, recipient, copies, visible):
    final = FINAL[domain_of(recipient)]
    kept = domain_of(recipient) == incoming_load.KEEP
    last = max([submission.answered, *(copy.time for copy in copies)]) + AGAIN
    if not visible:
        yield "not in history"
    if any(row.status != final for row in visible):
        yield f"not {final} in history"
    if kept and copies:
        yield "received though kept"
    if not kept and not copies:
        yield "lost"
    if len(visible) > 1 and not during(facts.hop_broken, submission.dotted, last):
        yield "more than once in history"
    ids = {str(row.id) for row in visible}
    if any(isinstance(copy, incoming_load.Post) and copy.delivery not in ids for copy in copies):
        yield "asked under an id that history has not"


def second_copy_allowed(facts, submission, copies, visible):
    hops = len(submission.recipients) > 1 or is_api(submission)
    if hops and visible and visible[0].copies >= len(copies):
        return True
    earlier = sorted(copy.time for copy in copies)[:-1]
    return all(any(since - BEFORE_KILL <= time <= until for since, until in facts.agents_killed)
               for time in earlier)


def judge_api(facts, submission):
    """Of the request as a whole."""
    kinds = ["a repeated request was answered otherwise"] * submission.contradicted
    if submission.data:
        times = facts.handed_in.get(submission.data["message_id"], 0)
        # Only the 451 of an smtpd whose cleanup was killed says "not taken" of what was; else history is asked first.
        unsure = sum(during(facts.cleanups_killed, since, until) for since, until in submission.unsure)
        kinds += ["never handed in"] * (times == 0)
        kinds += ["handed in twice"] * (times > 1 + unsure)
    return [Difference(kind, submission.recipients[0], submission.told, 0, "", submission.begun,
                       f"{len(submission.unsure)} attempts before; {submission.words}") for kind in kinds]


def judge_clicks(facts):
    lossy = [(since - POSTED, until) for since, until in facts.trackd_killed]
    lossy += [(since - POSTED, until + REOPENED) for since, until in facts.spool_filled]
    for click in facts.clicks:
        if click.status not in (0, http_load.CLICKED):
            yield Difference("a link led nowhere", click.agent, str(click.status), 0, "", click.begun)
        elif (click.status and click.agent not in facts.visits and
              not during(lossy, click.begun, click.answered)):
            yield Difference("a click is not in history", click.agent, str(click.status), 0, "", click.begun)


def judge_full(facts, submission):
    """Nothing is accepted on a full disk."""
    for place, since, until in facts.fills:
        if (not is_arrival(submission) and place == FULL_PLACE and submission.told == load.ACCEPTED and
                submission.dotted > since + FULL_SINCE and submission.answered < until):
            yield Difference("accepted on a full disk", submission.recipients[0], submission.told, 0,
                             "", submission.begun, submission.words)


def full_judged(facts):
    """How many answers were given while the spool was full."""
    return sum(submission.dotted > since + FULL_SINCE and submission.answered < until
               for place, since, until in facts.fills if place == FULL_PLACE
               for submission in facts.submissions if not is_arrival(submission))


def taken(facts):
    """Messages that history shows as taken by Postfix: each was charged before, but for what came in."""
    return sum(row.status not in INVISIBLE for recipient, rows in facts.rows.items()
               if domain_of(recipient) not in incoming_load.FINAL for row in rows)


def again(facts):
    """Of what came in: recipients with a second row, and requests beyond the first."""
    rows = [[row for row in facts.rows.get(recipient, []) if row.status not in INVISIBLE]
            for submission in facts.submissions if is_arrival(submission) for recipient in submission.recipients]
    return sum(len(visible) > 1 for visible in rows), sum(len(posts) - 1 for posts in facts.posts.values())


def resumed(submissions, since):
    """How long after a moment the first mail was accepted that was begun after it; 0: none was."""
    return min((submission.answered - since for submission in list(submissions)
                if submission.told == load.ACCEPTED and submission.begun > since), default=0)


def full_over(facts):
    """The longest time that it took until mail was accepted after the spool had been full."""
    return max((resumed(facts.submissions, until) for place, _, until in facts.fills
                if place == FULL_PLACE), default=0)


def states(rows):
    counts = collections.Counter(row.status for row in rows)
    return " ".join(f"{status} x{count}" if count > 1 else status for status, count in counts.items())
