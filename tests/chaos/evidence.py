# SPDX-License-Identifier: MIT
"""Reads what became of the mail: the simulator's inbox, history, the queue, logs, the store."""

import collections
import datetime
import json
import pathlib
import re

import audit
import incoming_load

# Traces of a crash in a log. `signal 9' is ours.
CRASH = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|[Ss]egmentation|segfault|SIGSEGV|SIGABRT|"
                   r"killed by signal (?!9\b)|core dumped|assertion|CRITICAL|panic:|stack smashing")
CRASH_LOGS = ("milter", "policyd", "worker", "trackd", "apid", "piped", "outrider", "mail")
MARKER = re.compile(rb"^X-Chaos-Marker: (\S+)\r$", re.M)
INJECTED = re.compile(r"/outrider-inject/smtpd\[\d+\]: (\w+): client=")
NAMED = re.compile(r"cleanup\[\d+\]: (\w+): message-id=<([^>]*)>")
ACTIVE = re.compile(r"qmgr\[\d+\]: (\w+): from=<.*\(queue active\)$")
HEAD = 8192  # octets of a message in which its marker stands
HISTORY = """
SELECT m.id, m.rcpt_to, m.status, COALESCE(m.queue_id, ''),
       (SELECT COUNT(*) FROM delivery d WHERE d.message_id = m.id AND d.status = 'Sent'), {copies}
FROM message m WHERE m.rcpt_to LIKE '{tag}-%'"""
COPIES = "(SELECT COUNT(*) FROM message_copy c WHERE c.message_id = m.id AND c.parent IS NULL)"


class Evidence:
    def __init__(self, sandbox, tag):
        self.sandbox = sandbox
        self.tag = tag
        self._received = collections.defaultdict(list)
        self._read = set()  # files of the inbox

    def received(self):
        """{recipient: [Copy]} of this run."""
        for side in pathlib.Path(self.sandbox.inbox_dir).glob("*/[0-9]*.json"):
            if side in self._read or not (message := side.with_suffix(".eml")).exists():
                continue
            self._read.add(side)
            record = json.loads(side.read_text())
            with message.open("rb") as file:
                marker = MARKER.search(file.read(HEAD))
            copy = audit.Copy(datetime.datetime.fromisoformat(record["time"]).timestamp(),
                              marker[1].decode() if marker else "")
            for entry in record["recipients"]:
                address = entry["address"]
                if address == incoming_load.FORWARD_TO:
                    address = f"{copy.marker}-0@{incoming_load.FORWARD}"
                if address.startswith(f"{self.tag}-"):
                    self._received[address].append(copy)
        return self._received

    def history(self):
        """{recipient: [Row]} of this run."""
        copies = COPIES if self._sql("SHOW TABLES LIKE 'message_copy'") else "0"
        rows = collections.defaultdict(list)
        for line in self._sql(HISTORY.format(copies=copies, tag=self.tag)):
            number, recipient, status, queue_id, sent, known = line.split("\t")
            rows[recipient].append(audit.Row(int(number), status, queue_id, int(sent), int(known)))
        return rows

    def visits(self):
        """The agents of the clicks of this run."""
        return set(self._sql(f"SELECT agent FROM visit WHERE agent LIKE '{self.tag}-c%'"))

    def handed_in(self):
        """{Message-ID: how often it came into the queue over the API's listener}."""
        mine, named, active = set(), {}, set()
        with open(self.sandbox.mail_log, errors="replace") as lines:
            for line in lines:
                if found := INJECTED.search(line):
                    mine.add(found[1])
                elif found := NAMED.search(line):
                    named[found[1]] = found[2]
                elif found := ACTIVE.search(line):
                    active.add(found[1])
        return collections.Counter(named[queue_id] for queue_id in mine & active & named.keys())

    def rejected(self):
        """Events that history could not take: program, sequence and reason of each."""
        return self._sql("SELECT program, seq, reason FROM event_rejected")

    def queued(self):
        """How much is in the queue. A message that a queue manager left in delivery would wait there
        for the next one's scan, minutes away: it is asked for now."""
        found = len(self.sandbox.queue())
        if found:
            self.sandbox.execute("postqueue", "-f", check=False)
        return found

    def crashes(self):
        """Lines and files that tell of a crash."""
        found = [f"core file {file}" for file in pathlib.Path(self.sandbox.dir).rglob("core*")
                 if re.fullmatch(r"core(\.\d+)?", file.name) and file.is_file()]
        for name in CRASH_LOGS:
            log = pathlib.Path(self.sandbox.log_dir, f"{name}.log")
            if log.exists():
                with log.open(errors="replace") as lines:
                    found += [f"{name}: {line.strip()[:300]}" for line in lines if CRASH.search(line)]
        return found

    def strays(self):
        """Stored files that no row of history belongs to."""
        known = set(self._sql("SELECT id FROM message"))
        files = [file for file in pathlib.Path(self.sandbox.store_dir).rglob("*") if file.is_file()]
        return sorted(file.name for file in files if file.name.partition(".")[0] not in known)

    def log_lines(self, recipients):
        """{recipient: last lines of the mail log about it}, for a report."""
        found = {recipient: [] for recipient in recipients}
        with open(self.sandbox.mail_log, errors="replace") as lines:
            for line in lines:
                for recipient in re.findall(rf"{self.tag}-[\w-]+@[\w.]+", line):
                    if recipient in found:
                        found[recipient] = (found[recipient] + [line.strip()[:400]])[-3:]
        return found

    def _sql(self, text):
        result = self.sandbox.execute("mariadb", "--no-defaults", "--socket", self.sandbox.db_socket,
                                      "--batch", "--raw", "--skip-column-names", "-e", text,
                                      self.sandbox.db_name)
        return result.stdout.splitlines()
