# SPDX-License-Identifier: MIT
"""A long list of suppressions imported while mail flows, and how soon two nodes have it."""

import contextlib
import json
import pathlib
import pwd
import shutil
import sqlite3
import subprocess
import threading
import time

import figures
import world

DOMAINS = 5000  # that the addresses belong to
LOOKUPS = 200000
PROBE = "acme/probe"
SESSIONS = 4
REPLICA = "edge-suppression.5.db"


def check(options):
    for name, low, high in (("rounds", 1, 100), ("rows", 1000, 10000000)):
        if not low <= getattr(options, name) <= high:
            raise world.Trouble(f"--{name}: from {low} to {high}")


def measure(place, options):
    place.prepare_submission(("outrider",))
    place.outrider("server", "add", PROBE)
    file = place.path("list.csv")
    write_list(file, options.rows)
    quiet = flow(place, 10)
    runs = []
    with Node(place) as node:
        for turn in range(options.rounds):
            runs.append(one(place, node, file, options.rows))
            world.say(f"round {turn + 1} of {options.rounds}: {runs[-1]}")
    place.drain(place.queued_in)
    return {"rounds": options.rounds, "rows": options.rows, "quiet_rate": quiet, "runs": figures.median(runs)}


def write_list(file, rows):
    """Numbers that are scattered over the list, as real ones are; tests/bench/suppression_load.c knows them."""
    with file.open("w", encoding="ascii") as out:
        out.write("address,reason,expires\r\n")
        for number in range(rows):
            out.write(f"user{number * 2654435761 % 2**32:08x}@domain{number % DOMAINS}.test,left the list,\r\n")


def flow(place, seconds):
    """Messages a second, as long as it runs alone."""
    figure = place.load("smtp_load", ["--sessions", SESSIONS, "--messages", 1000000, "--seconds", seconds, "--reuse",
                                      "--user", "bench", "--sender", world.SENDER, "--domain", world.RECIPIENTS,
                                      world.PORTS["outrider"]], seconds)
    place.queued_in = getattr(place, "queued_in", 0) + figure["done"]
    return round(figure["rate"])


def one(place, node, file, rows):
    """Imports the list, with mail and changes of the directory going on; removes it again."""
    rate, delays, stop = [], [], threading.Event()
    mail = threading.Thread(target=lambda: rate.extend(keep_flowing(place, stop)))
    probe = threading.Thread(target=lambda: delays.extend(change(place, stop)))
    mail.start()
    probe.start()
    begin = time.monotonic()
    place.outrider("suppression", "import", "acme/main", str(file))
    imported = time.monotonic()
    for name in (place.path("edge"), node.edge):
        world.wait_for(lambda n=name: count(n) == rows, f"the list in {name}", world.PATIENCE)
    there = time.monotonic()
    stop.set()
    probe.join()
    mail.join()
    found = look_up(place, rows)
    removed = time.monotonic()
    place.outrider("suppression", "clear", "acme/main", "--yes")
    cleared = time.monotonic()
    for name in (place.path("edge"), node.edge):
        world.wait_for(lambda n=name: count(n) == 0, f"an empty list in {name}", world.PATIENCE)
    return {"import_s": round(imported - begin, 1), "rows_per_s": round(rows / (imported - begin)),
            "replicas_after_s": round(there - imported, 1), "mail_rate": round(sum(rate) / len(rate)),
            "change_p50_ms": round(1000 * sorted(delays)[len(delays) // 2]), "change_max_ms": round(1000 * max(delays)),
            "lookup_p50_us": found["p50_us"], "lookup_p99_us": found["p99_us"], "clear_s": round(cleared - removed, 1),
            "gone_after_s": round(time.monotonic() - cleared, 1), "file_mb": size(place)}


def keep_flowing(place, stop):
    rates = []
    while not stop.is_set() or not rates:
        rates.append(flow(place, 5))
    return rates


def change(place, stop):
    """Seconds from the begin of a change of a server to where the mail path reads it, again and again."""
    delays, wanted = [], 0
    while not stop.is_set() or not delays:
        wanted = 1 - wanted
        begin = time.monotonic()
        place.outrider("server", "change", PROBE, "--allow-sender", "yes" if wanted else "no")
        world.wait_for(lambda: shown(place) == wanted, "a change in the replica", world.PATIENCE)
        delays.append(time.monotonic() - begin)
    return delays


def read(file, query):
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as link:
        return link.execute(query).fetchone()[0]


def shown(place):
    return read(place.path("edge/edge.5.db"), "SELECT allow_sender FROM server WHERE permalink = 'probe'")


def count(folder):
    return read(pathlib.Path(folder, REPLICA), "SELECT count(*) FROM suppression")


def size(place):
    return round(place.path("edge", REPLICA).stat().st_size / 2**20)


def look_up(place, rows):
    server, owner = place.sql("SELECT s.id, s.organization_id FROM server s JOIN organization o ON o.id = "
                              "s.organization_id WHERE o.permalink = 'acme' AND s.permalink = 'main'").split()
    return json.loads(world.run([place.build / "tests/bench/suppression_load", place.path("edge"), server, owner, rows,
                                 LOOKUPS]).stdout)


class Node:
    """A second node's worker, which has nothing to do but to follow the directory."""

    def __init__(self, place):
        self.place = place
        self.folder = place.path("second")
        self.edge = self.folder / "edge"
        self.process = None

    def __enter__(self):
        lines = self.place.path("etc/outrider.conf").read_text(encoding="utf-8").splitlines()
        own = {"node_id": "2", "edge_dir": self.edge, "spool_dir": self.folder / "spool",
               "postfix_config_dir": self.folder / "postfix", "mail_log": self.folder / "mail.log",
               "lane_reload": "no"}
        kept = [line for line in lines if line.split("=")[0].strip() not in own]
        for name in ("edge", "spool", "spool/worker", "spool/journal", "spool/store", "postfix/outrider"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "mail.log").touch()
        config = self.folder / "outrider.conf"
        config.write_text("\n".join(kept + [f"{key} = {value}" for key, value in own.items()]) + "\n", encoding="utf-8")
        owner = pwd.getpwnam("outrider-worker")
        for path in (self.folder, *self.folder.rglob("*")):
            shutil.chown(path, owner.pw_uid, owner.pw_gid)
        program = pathlib.Path(self.place.variables["OUTRIDER"]).parents[1] / "sbin/outrider-worker"
        log = open(self.folder / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.place.variables["NETNS"], "setpriv", "--reuid", "outrider-worker", "--regid",
             "outrider-worker", "--init-groups", program, "-c", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        world.wait_for((self.edge / REPLICA).exists, f"the second node's worker (see {self.folder}/log)", 20)
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(60)


def show(document):
    machine, run = document["machine"], document["runs"]
    print(f"{machine['cpus']} x {machine['cpu']}, {document['rows']} rows, medians of {document['rounds']} rounds")
    print(f"import: {run['import_s']} s, {run['rows_per_s']:.0f} rows/s; both nodes have all {run['replicas_after_s']} s "
          f"later; a replica has {run['file_mb']} MB")
    print(f"meanwhile: {run['mail_rate']:.0f} messages/s (alone {document['quiet_rate']}); a change of the directory is "
          f"there after {run['change_p50_ms']:.0f} ms, at most {run['change_max_ms']:.0f} ms")
    print(f"a look: {run['lookup_p50_us']} us, 99 of 100 within {run['lookup_p99_us']} us")
    print(f"removed: {run['clear_s']} s, from both nodes {run['gone_after_s']} s later")
