# SPDX-License-Identifier: MIT
"""A long absence of the database: what the host keeps stays bounded, and goes when history has it.

OUTRIDER_BACKLOG in the environment is the number of events (`scripts/check --long' takes a million)."""

import os
import pathlib
import sys
import time
import unittest

import backlog
from sandbox import shared, wait_for

MB = 1 << 20
EVENTS = int(os.environ.get("OUTRIDER_BACKLOG", "50000"))
RETURN = 300  # seconds after which all is as before
WORKER_MAX = 64 * MB
WAL_MAX = 17 * MB
SEGMENT = 64 * MB


def worker_peak(sandbox):
    """The worker's largest resident size, in octets."""
    pid = pathlib.Path(sandbox.dir, "run", "worker.pid").read_text().strip()
    for line in pathlib.Path("/proc", pid, "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


class Backlog(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        self.begin = time.monotonic()

    def report(self, what):
        status = backlog.status(self.sandbox)
        journal = status["journal"]["milter"]
        wals = sum(file["wal_bytes"] for file in status["edge"].values())
        print(f"\n  {time.monotonic() - self.begin:6.1f} s  {what}: left {journal['backlog_records']}, "
              f"kept {journal['kept_records']}, segments {journal['segments']} of "
              f"{journal['disk_bytes'] // MB} MiB, worker.db {status['worker']['db_bytes'] // MB} + "
              f"{status['worker']['db_wal_bytes'] // MB} MiB, edge -wal {wals // 1024} KiB, "
              f"worker's peak {worker_peak(self.sandbox) // MB} MiB", end="", file=sys.stderr)
        return status

    def bounded(self, status):
        self.assertLess(worker_peak(self.sandbox), WORKER_MAX)
        self.assertLess(status["worker"]["db_wal_bytes"], WAL_MAX)
        for file in status["edge"].values():
            self.assertLess(file["wal_bytes"], 2 * MB)

    def test_database_away(self):
        messages = EVENTS // backlog.EVENTS
        owner, before = backlog.credential(self.sandbox), backlog.nothing_waits(self.sandbox)
        self.sandbox.control("restart", "worker")  # its peak is of this test
        wait_for(lambda: "does not run" not in " ".join(backlog.status(self.sandbox)["attention"]), "the worker to run")
        attention = self.report("before")["attention"]
        self.sandbox.stop("mariadb")
        try:
            backlog.append(self.sandbox, messages, owner)
            status = self.report("written")
            self.assertGreaterEqual(status["journal"]["milter"]["kept_records"], EVENTS)
            self.assertIn("MariaDB is not reachable", " ".join(status["attention"]))
            self.bounded(status)
        finally:
            self.sandbox.start("mariadb")
        self.report("MariaDB is back")
        wait_for(lambda: backlog.left(self.sandbox) == 0, "all to be applied", RETURN,
                 lambda: backlog.left(self.sandbox))
        self.bounded(self.report("applied"))

        def dropped():
            journals = backlog.status(self.sandbox)["journal"].values()
            return all(journal["disk_bytes"] <= SEGMENT for journal in journals)

        wait_for(dropped, "applied segments to be gone", RETURN, lambda: self.report("waiting"))
        self.bounded(self.report("normal"))
        self.assertEqual(backlog.counts(self.sandbox),
                         backlog.Counts(before.messages + messages, before.deliveries + messages,
                                        before.rejected))
        self.assertEqual(backlog.status(self.sandbox)["attention"], attention)


if __name__ == "__main__":
    unittest.main()
