# SPDX-License-Identifier: MIT
"""Events of many messages at once, as if they had been taken while the database was away."""

import collections
import json
import os
import pathlib
import time

from sandbox import run, wait_for

EVENTS = 5  # of each message

Counts = collections.namedtuple("Counts", "messages deliveries rejected")


def credential(sandbox):
    """The credential that the messages are of; to be asked while the database is there."""
    return sandbox.outrider("credential", "show", "acme/main", "app")


def append(sandbox, messages, owner):
    """Appends events to the milter's journal; the milter is stopped meanwhile."""
    program = pathlib.Path(os.environ["OUTRIDER_BUILD"], "tests", "worker", "fill_journal")
    sandbox.stop("milter")
    try:
        run(["setpriv", "--reuid", "outrider-milter", "--regid", "outrider-milter", "--init-groups", program,
             sandbox.spool_dir, "milter", messages, owner["server_id"], owner["id"]])
    finally:
        sandbox.start("milter")


def nothing_waits(sandbox):
    """What other tests have left to be tried again would count; returns what history has then."""

    def is_quiet():
        sandbox.execute("postsuper", "-d", "ALL", "deferred")
        if [entry for entry in sandbox.queue() if entry["queue_name"] != "hold"]:
            return None
        before = counts(sandbox)
        time.sleep(2)
        return before if counts(sandbox) == before else None

    return wait_for(is_quiet, "an empty queue and all of it in history")


def counts(sandbox):
    """What history has."""
    row, = sandbox.sql("SELECT (SELECT COUNT(*) FROM message WHERE status = 'Sent'), (SELECT COUNT(*) FROM delivery), "
                       "(SELECT COUNT(*) FROM event_rejected)")
    return Counts(*map(int, row))


def status(sandbox):
    """What `outrider status' shows, whether it finds something or not."""
    return json.loads(sandbox.outrider_plain("--json", "status", check=False).stdout)


def left(sandbox):
    """Records that are not applied yet; None while that is not known."""
    backlogs = [journal["backlog_records"] for journal in status(sandbox)["journal"].values()]
    return None if None in backlogs else sum(backlogs)
