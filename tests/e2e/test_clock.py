# SPDX-License-Identifier: MIT
"""The milter's clock is set back an hour and forward a day: ids stay unique and rising, history right."""

import glob
import pathlib
import socket
import subprocess
import time
import unittest

import mail
from sandbox import fresh, shared, wait_for

FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"
USER = "outrider-milter"
EPOCH = 1735689600  # of message ids
STEPS = ("+0", "-3600", "+86400", "-3600", "+0")  # as faketime reads them: seconds from the true time
MESSAGES = 3  # at each step


class Clock(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        self.file = pathlib.Path(self.sandbox.dir, "etc", "clock")
        self.set_clock("+0")
        self.addCleanup(self.file.unlink)
        self.sandbox.stop("milter")
        self.start_with_clock()
        self.addCleanup(self.restart)
        wait_for(self.answers, "the milter")

    def start_with_clock(self):
        """As the sandbox starts it; only the milter itself gets faketime."""
        directory = pathlib.Path(self.sandbox.dir)
        with (directory / "log" / "milter.log").open("a") as log:
            process = subprocess.Popen(
                ["setsid", "ip", "netns", "exec", self.sandbox.netns, "setpriv", "--reuid", USER,
                 "--regid", USER, "--init-groups", "--inh-caps=-all", "--", "env",
                 f"LD_PRELOAD={glob.glob(FAKETIME)[0]}", f"FAKETIME_TIMESTAMP_FILE={self.file}",
                 "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
                 directory / "root/usr/sbin/outrider-milter", "-c", self.sandbox.outrider_conf],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        (directory / "run" / "milter.pid").write_text(f"{process.pid}\n")
        self.addCleanup(process.wait, 60)

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(f"{self.sandbox.queue_dir}/outrider/milter")
                return True
        except OSError:
            return False

    def restart(self):
        self.sandbox.stop("milter")
        self.sandbox.start("milter")

    def set_clock(self, offset):
        new = self.file.with_suffix(".new")
        new.write_text(offset + "\n")
        new.replace(self.file)

    def submit(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient)
        entry = self.sandbox.history(recipient, "Sent")
        self.assertEqual(len(entry["deliveries"]), 1)
        self.sandbox.received(recipient)
        return entry["id"]

    def test_ids_rise_and_history_is_right_when_the_clock_steps(self):
        ids = []
        for offset in STEPS:
            self.set_clock(offset)
            ids += [self.submit() for _ in range(MESSAGES)]
        self.assertEqual(ids, sorted(set(ids)))
        ahead = (ids[-1] >> 22) + EPOCH - time.time()
        self.assertGreater(ahead, 80000, "the milter did not see the clock forward")


if __name__ == "__main__":
    unittest.main()
