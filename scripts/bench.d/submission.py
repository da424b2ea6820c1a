# SPDX-License-Identifier: MIT
"""Messages handed in over SMTP: bare Postfix, Postfix with opendkim, Postfix with Outrider."""

import itertools
import time

import figures
import world

OURS = ("milter", "policyd", "worker", "mariadbd")
PROGRAMS = {"bare": ("postfix",), "opendkim": ("postfix", "opendkim"),
            "outrider": ("postfix", *OURS), "limited": ("postfix", *OURS), "tracked": ("postfix", *OURS),
            "api": ("postfix", "apid", *OURS), "keyed": ("postfix", "apid", *OURS)}
OVER_HTTP = ("api", "keyed")
PAIRS = (("outrider", "opendkim"), ("limited", "outrider"), ("tracked", "outrider"), ("api", "tracked"), ("keyed", "api"))
COLUMNS = ("postfix", "opendkim", "apid", "milter", "policyd", "worker", "mariadbd", "client")
CONNECTIONS = ("each", "reuse")
WARM_UP = 40  # messages before a run, so that no process is started within it


def words(text, known, option):
    given = text.split(",")
    for word in given:
        if word not in known:
            raise world.Trouble(f"--{option}: one of {', '.join(known)}, not {word}")
    return given


def check(options):
    options.paths = words(options.paths, PROGRAMS, "paths")
    options.connections = words(options.connections, CONNECTIONS, "connections")
    for name, low, high in (("rounds", 1, 100), ("messages", 4, 1000000), ("seconds", 1, 3600)):
        if not low <= getattr(options, name) <= high:
            raise world.Trouble(f"--{name}: from {low} to {high}")
    if max(options.sessions) > 90 or max(options.sizes) > 10000:
        raise world.Trouble("at most 90 sessions (Postfix runs 100 of a service) and 10000 KB")


def messages_of(case, options):
    size, sessions, _ = case
    count = options.messages
    if sessions == 1 or size > 10:
        count //= 4
    return max(count, sessions)


def send(place, path, case, count, options):
    size, sessions, connections = case
    arguments = ["--sessions", sessions, "--messages", count, "--size", size * 1024, "--seconds",
                 options.seconds, "--sender", world.SENDER, "--domain", world.RECIPIENTS]
    if connections == "reuse":
        arguments.append("--reuse")
    if {"tracked", *OVER_HTTP} & set(options.paths):
        arguments.append("--html")
    if path == "keyed":
        arguments.append("--keyed")
    if is_ours(path) and path not in OVER_HTTP:
        arguments += ["--user", "bench"]
    return place.load("http_load" if path in OVER_HTTP else "smtp_load", [*arguments, world.PORTS[path]], options.seconds, place.keys.get(path))


def is_ours(path):
    return "milter" in PROGRAMS[path]


def settle(place, path, done):
    place.drain(done if is_ours(path) else 0)


def run_once(place, path, case, options):
    """The figures of one run."""
    others = not is_ours(path) and any(map(is_ours, options.paths))
    if others:
        place.pause("worker")
    warm = send(place, path, case, max(WARM_UP, case[1]), options)
    world.wait_for(lambda: not place.queued(), "an empty queue", world.PATIENCE)
    if not others:
        settle(place, path, warm["done"])
    before = place.cpu(PROGRAMS[path])
    result = send(place, path, case, messages_of(case, options), options)
    if others:
        world.wait_for(lambda: not place.queued(), "an empty queue", world.PATIENCE)
    else:
        settle(place, path, result["done"])
    after = place.cpu(PROGRAMS[path])
    if others:
        place.resume("worker")
        settle(place, path, 0)
    count = result["done"]
    cpu = {name: round(1000 * (after[name] - before[name]) / count, 3) for name in before}
    cpu["client"] = round(1000 * result["cpu_seconds"] / count, 3)
    return {"rate": result["rate"], "p50_ms": result["p50_ms"], "p99_ms": result["p99_ms"],
            "messages": count, "cpu_ms": cpu}


def name_of(case):
    return f"{case[0]} KB, {case[1]} session{'s' if case[1] > 1 else ''}, {case[2]}"


def measure(place, options):
    place.prepare_submission(options.paths)
    cases = list(itertools.product(options.sizes, options.sessions, options.connections))
    runs = {(case, path): [] for case in cases for path in options.paths}
    begin = time.monotonic()
    for turn in range(options.rounds):
        shift = turn % len(options.paths)
        order = options.paths[shift:] + options.paths[:shift]
        for case in cases:
            for path in order:
                figure = run_once(place, path, case, options)
                runs[case, path].append(figure)
                world.say(f"round {turn + 1} of {options.rounds}, {name_of(case)}, {path}: "
                          f"{figure['rate']:.0f} messages/s ({time.monotonic() - begin:.0f} s)")
    return {"rounds": options.rounds, "cases": [summary(case, options.paths, runs) for case in cases],
            "missing": missing(place)}


def missing(place):
    """Messages in history that never came to an end: there must be none."""
    sent, every = place.history()
    return every - sent


def summary(case, paths, runs):
    result = {"size_kb": case[0], "sessions": case[1], "connections": case[2], "paths": {}}
    for path in paths:
        result["paths"][path] = {**figures.median(runs[case, path]),
                                 "spread": figures.spread([run["rate"] for run in runs[case, path]])}
    rates = {path: result["paths"][path]["rate"] for path in paths}
    result["ratio"] = {f"{path}/{other}": round(rates[path] / rates[other], 3)
                       for path, other in (("opendkim", "bare"), ("outrider", "bare"), *PAIRS)
                       if path in rates and other in rates}
    return result


def show(document):
    machine = document["machine"]
    print(f"{machine['cpus']} x {machine['cpu']}, load {machine['load_average']} at the start, "
          f"medians of {document['rounds']} rounds; CPU in ms a message; spread: (most - least) / median")
    rows = [["case", "path", "msg/s", "spread", "to bare", "p50 ms", "p99 ms", *COLUMNS]]
    for case in document["cases"]:
        bare = case["paths"].get("bare", {}).get("rate")
        name = name_of((case["size_kb"], case["sessions"], case["connections"]))
        for path, figure in case["paths"].items():
            cpu = [f"{figure['cpu_ms'][column]:.2f}" if column in figure["cpu_ms"] else ""
                   for column in COLUMNS]
            rows.append([name, path, f"{figure['rate']:.0f}", f"{figure['spread']:.2f}",
                         f"{figure['rate'] / bare:.2f}" if bare else "", f"{figure['p50_ms']:.1f}",
                         f"{figure['p99_ms']:.1f}", *cpu])
            name = ""
    figures.table(rows)
    for case in document["cases"]:
        for path, other in PAIRS:
            if f"{path}/{other}" in case["ratio"]:
                print(f"{path} to {other}, "
                      f"{name_of((case['size_kb'], case['sessions'], case['connections']))}: "
                      f"{case['ratio'][f'{path}/{other}']:.2f}")
    if document["missing"]:
        print(f"{document['missing']} messages in history came to no end")
