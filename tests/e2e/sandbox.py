# SPDX-License-Identifier: MIT
"""A sandbox as the end-to-end tests see it: its variables, programs, inbox, DNS and history.

The process enters the sandbox's network namespace once, so that tests connect to the real ports.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import time
import uuid

import dns.message
import dns.query

import inbox

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = SOURCE / "scripts" / "sandbox"
PATIENCE = 60  # seconds that a result may take; generous, as nothing here measures speed
CLONE_NEWNET = 0x40000000
REPLICAS = ("edge", "edge-auth", "edge-sign")
TOLD = 5  # lines of a log
CRASH = re.compile("segfault|traps:|Out of memory|oom-kill|I/O error")


class Refused(Exception):
    """A command ended with a non-zero exit status."""

    def __init__(self, result):
        super().__init__(f"exit {result.returncode}: {result.stdout}{result.stderr}")
        self.result = result


class Sandbox:
    def __init__(self, directory):
        self.directory = directory
        self.variables = self._read_variables()
        self._inbox = inbox.Inbox(self.variables["INBOX_DIR"])
        self._enter_network()

    def _read_variables(self):
        words = shlex.split(self.control("env").stdout)
        return dict(word.split("=", 1) for word in words if "=" in word)

    def _enter_network(self):
        self._outside = open("/proc/self/ns/net", "rb")
        with open(f"/run/netns/{self.variables['NETNS']}", "rb") as inside:
            set_network(inside)

    def leave(self):
        """Back to the network the run came from: `down' kills every process inside."""
        set_network(self._outside)

    def __getattr__(self, name):
        """sandbox.smtp_host is SMTP_HOST of `scripts/sandbox env`."""
        try:
            return self.__dict__["variables"][name.upper()]
        except KeyError:
            raise AttributeError(name) from None

    # Programs

    def control(self, command, *arguments, check=True):
        """scripts/sandbox COMMAND ARGUMENT..."""
        return run([SCRIPT, command, "--dir", self.directory, *arguments], check)

    def execute(self, *command, check=True, **options):
        """Runs a command inside."""
        return run([SCRIPT, "exec", "--dir", self.directory, *command], check, **options)

    def stop(self, *services):
        for service in services:
            self.control("stop", service)

    def start(self, *services):
        for service in services:
            self.control("start", service)

    def outrider(self, *arguments, check=True):
        """The CLI with --json: its parsed answer (None when it prints nothing)."""
        result = self.outrider_plain("--json", *arguments, check=check)
        return json.loads(result.stdout) if check and result.stdout.strip() else result

    def outrider_plain(self, *arguments, check=True):
        """By way of ip(8), which puts the sandbox's resolv.conf in place."""
        return run(["ip", "netns", "exec", self.variables["NETNS"], self.variables["OUTRIDER"],
                    "-c", self.outrider_conf, *arguments], check)

    # What came of a message

    def sql(self, statement):
        """The rows of the history database, each a list of texts."""
        lines = self.execute("mariadb", "--no-defaults", "--socket", self.db_socket, "-NBe", statement, self.db_name).stdout
        return [line.split("\t") for line in lines.splitlines()]

    def edge(self, statement, *values):
        """The rows of the replica that the mail path reads."""
        return self.replica("edge", statement, *values)

    def suppressed(self, address):
        """The source of a suppression that the mail path knows; None: it knows none."""
        rows = self.replica("edge-suppression", "SELECT source FROM suppression WHERE address = ?", address)
        return rows[0][0] if rows else None

    def replica(self, name, statement, *values):
        path = pathlib.Path(self.edge_dir, f"{name}.5.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as link:
            return link.execute(statement, values).fetchall()

    def followed(self):
        """Waits until the replicas have what the directory has; suppressions and limits come apart from them."""
        wanted = int(self.sql("SELECT revision FROM revision_counter")[0][0])
        wait_for(lambda: all(self.replica(name, "SELECT revision FROM edge_state")[0][0] >= wanted for name in REPLICAS),
                 "the replicas' revision")

    def ids(self, recipients, status=None):
        """{recipient: ids} of messages to many; to one, `history' tells more."""
        wanted = ",".join(f"'{recipient}'" for recipient in recipients)
        found = {}
        for recipient, number in self.sql(f"SELECT rcpt_to, id FROM message WHERE rcpt_to IN ({wanted})" +
                                          (f" AND status = '{status}'" if status else "")):
            found.setdefault(recipient, []).append(int(number))
        return found

    def history(self, recipient, status=None, patience=PATIENCE):
        """The one message to a recipient, with its deliveries, once it has a status (any, if None)."""

        def look():
            rows = self.outrider("message", "list", "--to", recipient)
            if len(rows) != 1 or (status and rows[0]["status"] != status):
                return None
            return self.outrider("message", "show", str(rows[0]["id"]))

        return wait_for(look, f"{recipient} in history as {status}", patience,
                        lambda: self.outrider("message", "list", "--to", recipient))

    def received(self, recipient, patience=PATIENCE):
        """(bytes, sidecar) of the one message that the simulator took for a recipient."""
        found = wait_for(lambda: self.inbox(recipient), f"mail for {recipient}", patience)
        assert len(found) == 1, f"{len(found)} copies for {recipient}"
        return found[0]

    def inbox(self, recipient=None, domain=None):
        """[(bytes, sidecar)] that the simulator took for a recipient, or for a whole domain."""
        return self._inbox.messages(domain or recipient.rsplit("@", 1)[1], recipient)

    def envelopes(self, domain):
        """The sidecars alone."""
        return self._inbox.envelopes(domain)

    def queue(self):
        """Postfix's queue: a list of objects as `postqueue -j' prints them."""
        lines = self.execute("postqueue", "-j").stdout.splitlines()
        return [json.loads(line) for line in lines if line.strip()]

    @contextlib.contextmanager
    def queue_manager_stopped(self):
        """qmgr(8) sleeps: mail is queued and waits."""
        pid = self._queue_manager()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _queue_manager(self):
        inside = os.stat("/run/netns/" + self.netns)
        for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
            with contextlib.suppress(OSError):
                space = os.stat(comm.parent / "ns" / "net")
                if comm.read_text() == "qmgr\n" and os.path.samestat(space, inside):
                    return int(comm.parent.name)
        raise AssertionError("no queue manager")

    def mail_log_text(self):
        return pathlib.Path(self.mail_log).read_text(errors="replace")

    # DNS

    def text_record(self, name):
        """The TXT record of a name in the sandbox's DNS, strings joined; None when there is none."""
        question = dns.message.make_query(name, "TXT")
        for records in dns.query.tcp(question, "127.0.0.1", timeout=PATIENCE).answer:
            for record in records:
                if hasattr(record, "strings"):
                    return b"".join(record.strings)
        return None


def set_network(handle):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def run(command, check=True, **options):
    options.setdefault("timeout", 300)
    options.setdefault("stdin", subprocess.DEVNULL)
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            errors="replace", check=False, **options)
    if check and result.returncode != 0:
        raise Refused(result)
    return result


def wait_for(look, what, patience=PATIENCE, tell=None):
    """Calls look until it gives something true; a time-out says what was waited for."""
    end = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not seen within {patience} s: {what}" +
                                 (f"; instead {tell()}" if tell else ""))
        time.sleep(0.1)


def rewrite(path, text):
    """Whoever reads a file of Postfix's meanwhile has the old text or the new one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def condition(directory):
    """What may be behind a failure and is no part of the tests: a short machine, services that are away, crashes. The
    last lines of the logs may be of long ago."""
    try:
        disk = os.statvfs(directory)
        memory = re.search(r"MemAvailable:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
        status = run([SCRIPT, "status", "--dir", directory], check=False).stdout.splitlines()
        log = run([SCRIPT, "logs", "--dir", directory], check=False).stdout.splitlines()
        kernel = run(["dmesg"], check=False).stdout.splitlines()
        return "\n    ".join([
            f"load {os.getloadavg()[0]:.1f}, {disk.f_bavail * disk.f_frsize >> 20} MB of disk free, {int(memory[1]) >> 10} MB of memory",
            *[line for line in status if " running " not in line],
            *[line for line in log if re.search(r": (fatal|panic): ", line)][-TOLD:],
            *[line for line in kernel if CRASH.search(line)][-TOLD:]])
    except (OSError, TypeError, subprocess.SubprocessError) as error:
        return str(error)


def answers(host, port):
    """Whether a server greets."""
    try:
        with socket.create_connection((host, port), 2) as link:
            link.settimeout(2)
            return link.recv(4).startswith(b"220")
    except OSError:
        return False


def fresh(domain="ok.test"):
    """A recipient that no other test uses."""
    return f"r{uuid.uuid4().hex[:12]}@{domain}"


def shared():
    """The sandbox of this run (tests/e2e/run names it in the environment)."""
    global _shared
    if _shared is None:
        _shared = Sandbox(os.environ["OUTRIDER_SANDBOX"])
    return _shared


_shared = None
