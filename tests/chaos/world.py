# SPDX-License-Identifier: MIT
"""Carries faults out in a sandbox and undoes them.

An action returns what undoes it. Whoever stops a service starts it again as an init system would;
a service that is found dead without having been stopped is noted: it died by itself.
"""

import contextlib
import os
import pathlib
import signal
import threading
import time

import sandbox

SERVICES = ("mariadb", "postfix", "policyd", "milter", "worker", "trackd", "apid", "piped")
FILL_STEP = 1 << 20
FILL_LEFT = (0, 8 << 20)  # octets that a filled disk has left: none, or less than spool_min_free
LOG_SHOWN = 500  # octets
LIMITED = "acme/main"
# Which ends itself when which disk is full, and is started again until it can run: a database whenever it
# likes, the worker when it starts.
GIVE_UP = {"mariadb": "mariadb", "worker": "spool"}
GIVING_UP = 20  # seconds after its disk was full in which it may still do so
AGAIN = 1  # seconds after which a service that is missing is looked for again
START = 60  # seconds for which a start is tried: it may meet what another fault does, like a full disk


class World:
    def __init__(self, directory, build, disks):
        self.directory = directory
        self.troubles = []  # (time, text): what no fault explains
        self.fills = []  # (place, since, until) in which a disk was full all the time
        self._held = set()  # services that a fault has taken down
        self._filling = set()  # places whose disk is full now
        self._lock = threading.Lock()
        sandbox.run([sandbox.SCRIPT, "up", "--dir", directory, "--build", build, "--disks", disks,
                     "--syslog"], timeout=600)
        self.sandbox = sandbox.Sandbox(directory)
        self.sandbox.control("incoming", "on")
        self._hasten()
        self._limit()

    def _hasten(self):
        """Postfix holds back a service whose process died for a minute; here it tries sooner, so
        that more mail meets more faults."""
        self.sandbox.execute("postconf", "-e", "service_throttle_time=2s")
        self.sandbox.execute("postfix", "reload")

    def _limit(self):
        """One that is never reached, so that every message is charged."""
        self.sandbox.outrider("limit", "set", LIMITED, "1000000000/day", "--action", "hold")
        while self.charged() is None:
            time.sleep(0.1)

    def charged(self):
        return self.sandbox.outrider("limit", "show", LIMITED)[0]["count"]

    def close(self, keep):
        self.sandbox.leave()
        if not keep:
            sandbox.run([sandbox.SCRIPT, "down", "--dir", self.directory])

    # Actions

    def kill(self, service, _):
        self._held.add(service)
        self.sandbox.control("kill", service)
        return lambda: self.start(service)

    def stop(self, service, _):
        self._held.add(service)
        self.sandbox.control("stop", service)
        return lambda: self.start(service)

    def kill_master(self, service, _):
        """Postfix's master alone. Its children go on until they notice; an init system ends those
        that are left before it starts a new master."""
        self._held.add(service)
        children = self.daemons()
        send(signal.SIGKILL, [self.pid(service)])

        def start():
            send(signal.SIGTERM, [pid for pid in children if self._inside(pid)])
            self.start(service)

        return start

    def kill_daemons(self, name, chance):
        """Some or all processes of one of Postfix's daemons, or of its service of a name; the master
        starts new ones."""
        return self._kill_some(self.daemons(name), chance)

    def kill_programs(self, name, chance):
        """Some or all processes of a program that Postfix runs for one message each."""
        return self._kill_some([int(entry.parent.name) for entry in pathlib.Path("/proc").glob("[0-9]*/comm")
                                if read(entry) == name and self._inside(entry.parent.name)], chance)

    def kill_children(self, service, chance):
        """Some or all processes that a service has made."""
        return self._kill_some([pid for pid, _, _ in children(self.pid(service))], chance)

    @staticmethod
    def _kill_some(pids, chance):
        send(signal.SIGKILL, pids[:max(1, round(chance * len(pids)))])

    def freeze(self, service, _):
        pids = [self.pid(service)]
        send(signal.SIGSTOP, pids)
        return lambda: send(signal.SIGCONT, pids)

    def fill(self, place, chance):
        filler = Filler(pathlib.Path(self.directory, place), FILL_LEFT[chance < 0.5])
        self._filling.add(place)
        filler.start()

        def free():
            self.fills.append((place, *filler.free()))
            dead = place in SERVICES and not self.alive(place)
            if dead:
                self._held.add(place)
            self._filling.discard(place)
            if dead:
                self.start(place)

        return free

    def _may_give_up(self, service):
        """Whether its disk was full a moment ago."""
        return any(place == GIVE_UP.get(service) and time.time() - until < GIVING_UP
                   for place, _, until in self.fills)

    # State

    def start(self, service):
        """As an init system does it: again and again."""
        end = time.monotonic() + START
        while (result := self.sandbox.control("start", service, check=False)).returncode != 0:
            if time.monotonic() > end:
                self.trouble(f"{service} could not be started: {result.stderr.strip()[-300:]}")
                break
            time.sleep(1)
        self._held.discard(service)

    def trouble(self, text):
        with self._lock:
            self.troubles.append((time.time(), text))

    def check(self):
        """Notes services that died by themselves, and starts them."""
        for service in SERVICES:
            if not self._missing(service):
                continue
            if not self._may_give_up(service):
                time.sleep(AGAIN)
                if not self._missing(service):
                    continue
            if not self._may_give_up(service):
                words = self.sandbox.control("logs", service, check=False).stdout[-LOG_SHOWN:]
                self.trouble(f"{service} died by itself; the end of its log: {words}")
            self.start(service)

    def _missing(self, service):
        """Whether it does not run and no fault is why. Who takes a service down has said so before."""
        return not (self.alive(service) or service in self._held or GIVE_UP.get(service) in self._filling)

    def pid(self, service):
        path = "postfix/queue/pid/master.pid" if service == "postfix" else f"run/{service}.pid"
        try:
            return int(pathlib.Path(self.directory, path).read_text())
        except (OSError, ValueError):
            return 0

    def alive(self, service):
        """As the sandbox sees it: a process of that number in our namespace."""
        return self._inside(self.pid(service))

    def _inside(self, pid):
        try:
            return os.path.samefile(f"/proc/{pid}/ns/net", f"/run/netns/{self.sandbox.netns}")
        except OSError:
            return False

    def daemons(self, wanted=""):
        """The pids of the master's children: all, those of a daemon, or those of its service too."""
        daemon, _, service = wanted.partition(" ")
        return [pid for pid, name, words in children(self.pid("postfix"))
                if daemon in ("", name) and (not service or service in words)]


class Filler(threading.Thread):
    """Keeps a disk full: what others free it takes."""

    def __init__(self, place, left):
        super().__init__(daemon=True)
        self._file = place / ".filler"
        self._left = left
        self._end = threading.Event()
        self._full_since = 0.0

    def run(self):
        descriptor = os.open(self._file, os.O_CREAT | os.O_WRONLY, 0o600)
        size, ended = 0, False
        while not ended:
            ended = self._end.wait(0.1 if self._full_since else 0)  # what was freed until the end is taken once more
            taken = size
            size = self._take(descriptor, size)
            if size > taken or not self._full_since:
                self._full_since = time.time()
        os.close(descriptor)

    def _take(self, descriptor, size):
        step = FILL_STEP
        while step >= 4096:
            disk = os.fstatvfs(descriptor)
            if disk.f_bavail * disk.f_frsize < self._left + step:
                step //= 4
                continue
            try:
                os.posix_fallocate(descriptor, size, step)
                size += step
            except OSError:
                step //= 4
        return size

    def free(self):
        """Ends the fill; returns since and until when the disk was full without a gap."""
        self._end.set()
        self.join()
        until = time.time()
        self._file.unlink()
        return self._full_since, until


def children(parent):
    """[(pid, name, words of the command line)] of the processes that a process has made."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            head, _, rest = (entry / "stat").read_text().rpartition(")")
            words = (entry / "cmdline").read_text().split("\0")
            if int(rest.split()[1]) == parent > 0:
                found.append((int(entry.name), head.partition("(")[2], words))
    return found


def read(path):
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def send(number, pids):
    for pid in pids:
        if pid > 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
