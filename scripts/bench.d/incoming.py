# SPDX-License-Identifier: MIT
"""Mail that comes in for routes, to an HTTP endpoint on this machine."""

import time

import figures
import world

SERVER = "acme/incoming"
TARGET = "127.0.0.1:8092"
PORT = "192.0.2.1:25"
PROGRAMS = ("postfix", "piped", "milter", "policyd", "worker", "mariadbd")
# What each path's domain does with all that comes.
PATHS = {
    "http": ("http.bench.test", ("--mode", "endpoint", "--endpoint", "target")),
    "alone": ("alone.bench.test", ("--mode", "endpoint", "--endpoint", "target")),
    "accept": ("accept.bench.test", ("--mode", "accept")),
}


def check(options):
    for name, low, high in (("rounds", 1, 100), ("messages", 10, 1000000), ("sessions", 1, 200), ("size", 1, 10000)):
        if not low <= getattr(options, name) <= high:
            raise world.Trouble(f"--{name}: from {low} to {high}")


def measure(place, options):
    place.inside("postconf", "-e", "in_flow_delay = 0")
    place.inside("postfix", "reload")
    add_routes(place)
    target = place.start_nginx("nginx-in", f"listen {TARGET} backlog=4096; client_max_body_size 100m; "
                                            "location / { return 200 ok; }")
    runs = {path: [] for path in PATHS}
    try:
        for turn in range(options.rounds):
            for path in sorted(PATHS, reverse=turn % 2 == 1):
                if path == "alone":
                    place.control("stop", "piped")
                figure = run(place, path, options)
                if path == "alone":
                    place.control("start", "piped")
                runs[path].append(figure)
                world.say(f"round {turn + 1} of {options.rounds}, {path}: {figure['rate']:.0f} messages/s to the end")
    finally:
        target.terminate()
        target.wait(10)
    return {"rounds": options.rounds, "messages": options.messages, "sessions": options.sessions, "kb": options.size,
            "paths": {path: {**figures.median(runs[path]), "spread": figures.spread([one["rate"] for one in runs[path]])}
                      for path in PATHS}}


def add_routes(place):
    with open(place.path("etc/outrider.conf"), "a", encoding="utf-8") as config:
        config.write("incoming_rate = 1000000\n")
    place.control("restart", "policyd")
    place.outrider("server", "add", SERVER)
    place.outrider("endpoint", "add", SERVER, "target", "--url", f"http://{TARGET}/")
    for domain, route in PATHS.values():
        place.outrider("domain", "add", SERVER, domain)
        place.outrider("route", "add", SERVER, f"*@{domain}", *route)
    table = place.path("postfix/etc/outrider/our-domains.regexp")
    world.wait_for(lambda: all(domain.replace(".", r"\.") in table.read_text() for domain, _ in PATHS.values()),
                   f"the domains in {table}", 60)
    place.control("incoming", "on")
    for domain, _ in PATHS.values():
        world.wait_for(lambda domain=domain: taken(place, domain), f"mail for {domain} to be taken", 60)


def taken(place, domain):
    reply = place.inside("swaks", "--server", PORT, "--from", "someone@ok.test", "--to", f"x@{domain}",
                         "--quit-after", "RCPT", check=False)
    return reply.returncode == 0


def ended(place):
    return int(place.sql("SELECT COUNT(*) FROM message WHERE direction = 'incoming' AND status IN ('Sent', 'Processed')"))


def run(place, path, options):
    """One run; its rate counts until the last message has left the queue."""
    domain, _ = PATHS[path]
    before, done = place.cpu(PROGRAMS), ended(place)
    begin = time.monotonic()
    load = place.load("smtp_load", ["--sender", "someone@ok.test", "--domain", domain, "--size", options.size * 1024,
                                    "--sessions", options.sessions, "--messages", options.messages, "--seconds", "600",
                                    "--reuse", PORT], 600)
    world.wait_for(lambda: not place.queued(), "an empty queue", world.PATIENCE)
    seconds = time.monotonic() - begin
    world.wait_for(lambda: ended(place) >= done + options.messages, f"{options.messages} messages at their end in history",
                   world.PATIENCE)
    world.wait_for(place.quiet, "a worker without work", world.PATIENCE)
    used = {name: 1000 * (value - before[name]) / options.messages for name, value in place.cpu(PROGRAMS).items()
            if name in before}
    return {"rate": options.messages / seconds, "handed_in": load["rate"],
            "cpu_ms": {name: round(value, 3) for name, value in used.items()}}


def show(document):
    print(f"{document['messages']} messages of {document['kb']} KB, {document['sessions']} sessions, "
          f"median of {document['rounds']} rounds; CPU in ms a message")
    rows = [["path", "messages/s", "handed in/s", "spread", *PROGRAMS]]
    for path, figure in document["paths"].items():
        rows.append([path, f"{figure['rate']:.0f}", f"{figure['handed_in']:.0f}", f"{figure['spread']:.2f}",
                     *(f"{figure['cpu_ms'].get(name, 0):.2f}" for name in PROGRAMS)])
    figures.table(rows)
