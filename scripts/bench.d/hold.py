# SPDX-License-Identifier: MIT
"""Mail on hold: looking at it, letting all of it go, and what that does to new mail."""

import os
import statistics
import subprocess
import threading
import time

import figures
import world

SINK = "198.51.100.250"
DOMAINS = [f"held{number}.test" for number in range(10)]  # of the held mail; smtp-sink(1) takes it
NEW = "ok.test"  # of the new mail; the simulator takes it
SERVERS = {"command": "acme/held1", "worker": "acme/held2"}  # who lets its mail go
SESSIONS = 20
PAGES = (50, 1000)
LOOKS = 100  # at most, of each size of a page
BUNCH = 2  # seconds of new mail that are sent by one process


def check(options):
    for name, low, high in (("messages", 100, 1000000), ("rate", 1, 200), ("calm", 2, 3600)):
        if not low <= getattr(options, name) <= high:
            raise world.Trouble(f"--{name}: from {low} to {high}")


def measure(place, options):
    place.inside("postconf", "-e", "delay_logging_resolution_limit = 3")
    place.prepare_submission(("outrider",))
    with Sink(place):
        fill(place, options)
        document = {"messages": options.messages, "rate": options.rate, "list": look(place, options)}
        with NewMail(place, options) as calm:
            time.sleep(options.calm)
        document["calm"] = calm.latency()
        document["release"] = {who: release(place, options, who) for who in SERVERS}
    for figure in document["release"].values():
        figure["new_mail"]["ratio"] = {part: round(figure["new_mail"][part] / max(document["calm"][part], 1), 1)
                                       for part in ("p50_ms", "p99_ms")}
    return document


class Sink:
    """A mail host that takes everything and keeps nothing."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        self.place.inside("ip", "address", "add", f"{SINK}/32", "dev", "lo")
        self.place.control("dns", "add", "mx.held.test", "A", SINK)
        for domain in DOMAINS:
            self.place.control("dns", "add", domain, "MX", "10 mx.held.test.")
        self.program = subprocess.Popen(
            ["ip", "netns", "exec", self.place.variables["NETNS"], "/usr/sbin/smtp-sink", "-u", "nobody",
             f"{SINK}:25", "500"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *unused):
        self.program.terminate()
        self.program.wait(10)


class NewMail:
    """Sends at a steady rate, and knows how long each message took to its recipient's host."""

    def __init__(self, place, options):
        self.place, self.rate = place, options.rate
        self.stop = threading.Event()
        self.trouble = None
        self.accepted = 0

    def __enter__(self):
        self.begin = int(1e6 * time.time())
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        try:
            while not self.stop.is_set():
                self.accepted += self.place.load("smtp_load", [
                    "--messages", BUNCH * self.rate, "--rate", self.rate, "--reuse", "--user", "bench",
                    "--sender", world.SENDER, "--domain", NEW, world.PORTS["outrider"]], BUNCH)["done"]
        except (world.Trouble, subprocess.SubprocessError) as trouble:
            self.trouble = trouble

    def __exit__(self, *unused):
        self.stop.set()
        self.thread.join()

    def latency(self):
        """From Postfix's first octet of a message to the remote's answer, as it logs it."""
        if self.trouble:
            raise world.Trouble(f"new mail: {self.trouble}")
        times = []

        def look():
            times[:] = map(int, self.place.sql(
                "SELECT d.delay_ms FROM delivery d JOIN message m ON m.id = d.message_id WHERE m.rcpt_domain = "
                f"'{NEW}' AND m.accepted_at >= {self.begin} AND d.status = 'Sent' ORDER BY d.delay_ms").split())
            return len(times) >= self.accepted

        world.wait_for(look, f"{self.accepted} new messages in history", world.PATIENCE)
        return {"messages": len(times), **quantiles(times)}


def quantiles(times):
    """Of milliseconds that are sorted."""
    return {"p50_ms": round(statistics.median(times), 1), "p99_ms": round(times[len(times) * 99 // 100], 1),
            "max_ms": round(times[-1], 1)}


def held(place):
    return len(os.listdir(place.path("postfix/queue/hold")))


def fill(place, options):
    """Half of the messages are of each server; all of them are beyond a limit that lets none pass."""
    world.say(f"{options.messages} messages on their way to the hold queue")
    share = options.messages // len(SERVERS) // len(DOMAINS)
    for server in SERVERS.values():
        place.outrider("server", "add", server, "--pool", "main")
        key = place.outrider("credential", "add", server, "app")["key"]
        place.outrider("limit", "set", server, "0/day", "--action", "hold")
        world.wait_for(lambda s=server: place.outrider("limit", "show", s)[0]["count"] == 0,
                       "the limit at policyd", world.PATIENCE)
        for domain in DOMAINS:
            place.load("smtp_load", ["--sessions", SESSIONS, "--messages", share, "--reuse", "--seconds", 3600,
                                     "--user", "bench", "--sender", world.SENDER, "--domain", domain,
                                     world.PORTS["outrider"]], 3600, key)
    options.messages = share * len(SERVERS) * len(DOMAINS)
    world.wait_for(lambda: int(place.sql("SELECT COUNT(*) FROM message WHERE on_hold = 1")) == options.messages,
                   "all of them on hold in history", 3600)
    world.wait_for(place.quiet, "a worker without work", world.PATIENCE)


def look(place, options):
    """`outrider hold list', page by page; the time of the whole command."""
    result = {}
    for size in PAGES:
        times, after = [], 1
        while len(times) < LOOKS:
            begin = time.monotonic()
            page = place.outrider("hold", "list", "--limit", str(size), "--after", str(after))
            times.append(1000 * (time.monotonic() - begin))
            if len(page) < size:
                break
            after = page[-1]["id"]
        result[size] = {"looks": len(times), **quantiles(sorted(times))}
        world.say(f"hold list, {size} a page: {result[size]}")
    return result


def release(place, options, who):
    """All of a server's held mail goes: until it has left the hold queue, and until it is delivered."""
    server, count = SERVERS[who], options.messages // len(SERVERS)
    left = held(place) - count
    with NewMail(place, options) as new:
        begin = time.monotonic()
        if who == "command":
            place.outrider("hold", "release", "--server", server, "--yes")
        else:
            place.outrider("limit", "delete", server)
            world.wait_for(lambda: held(place) < left + count, "the worker's first release", world.PATIENCE)
            begin = time.monotonic()
        fullest = Fullest(place, lambda: held(place) <= left)
        off = time.monotonic() - begin
        fullest.watch(lambda: not place.queued())
        over = time.monotonic() - begin
    figure = {"messages": count, "released_rate": round(count / off, 1), "delivered_rate": round(count / over, 1),
              "active_max": fullest.messages, "new_mail": new.latency()}
    world.say(f"released by the {who}: {figure}")
    return figure


class Fullest:
    """How many messages there were in the active queue, while something is waited for."""

    def __init__(self, place, is_over):
        self.place, self.messages = place, 0
        self.watch(is_over)

    def watch(self, is_over):
        def look():
            self.messages = max(self.messages, len(os.listdir(self.place.path("postfix/queue/active"))))
            return is_over()

        world.wait_for(look, "the released mail to go", 3600)


def show(document):
    machine = document["machine"]
    print(f"{machine['cpus']} x {machine['cpu']}, load {machine['load_average']} at the start, "
          f"{document['messages']} held messages, {document['rate']} new ones a second")
    rows = [["hold list", "looks", "p50 ms", "p99 ms", "max ms"]]
    for size, figure in document["list"].items():
        rows.append([f"{size} a page", str(figure["looks"]),
                     *(f"{figure[part]:.0f}" for part in ("p50_ms", "p99_ms", "max_ms"))])
    figures.table(rows)
    rows = [["release by", "messages", "released/s", "delivered/s", "active max", "new mail p50 ms", "p99 ms",
             "p50 to calm", "p99 to calm"]]
    calm = document["calm"]
    rows.append(["(calm)", "", "", "", "", f"{calm['p50_ms']:.0f}", f"{calm['p99_ms']:.0f}", "", ""])
    for who, figure in document["release"].items():
        new = figure["new_mail"]
        rows.append([who, str(figure["messages"]), f"{figure['released_rate']:.0f}", f"{figure['delivered_rate']:.0f}",
                     str(figure["active_max"]), f"{new['p50_ms']:.0f}", f"{new['p99_ms']:.0f}",
                     f"{new['ratio']['p50_ms']:.1f}", f"{new['ratio']['p99_ms']:.1f}"])
    figures.table(rows)
