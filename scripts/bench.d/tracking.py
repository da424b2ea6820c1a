# SPDX-License-Identifier: MIT
"""Tracked links: outrider-trackd beside nginx's bare `return 307'."""

import json
import re
import shutil

import figures
import world

PORTS = {"nginx": 8091, "trackd": 8080}
HOST = "t.bench.test"
SERVER = 9001
URL = "https://www.bench.test/shop/item?campaign=spring&position=17"
TOKENS = 10000
MODES = {"reuse": "", "each": 'wrk.headers["Connection"] = "close"'}

SCRIPT = """\
local requests, at = {{}}, 0
wrk.headers["Host"] = "{host}"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
{mode}
function init(arguments)
    for token in io.lines("{tokens}") do
        requests[#requests + 1] = wrk.format("GET", "/c/" .. token)
    end
end
function request()
    at = at % #requests + 1
    return requests[at]
end
function response(status)
    if status ~= 307 then wrong = (wrong or 0) + 1 end
end
function done(summary, latency, calls)
    local errors = summary.errors
    io.write(string.format('{{"done": %d, "us": %d, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}}\\n', summary.requests,
        summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


def check(options):
    for name, low, high in (("rounds", 1, 100), ("connections", 1, 1000), ("seconds", 1, 3600)):
        if not low <= getattr(options, name) <= high:
            raise world.Trouble(f"--{name}: from {low} to {high}")
    for program in ("nginx", "wrk"):
        if not shutil.which(program, path="/usr/sbin:/usr/bin"):
            raise world.Trouble(f"{program} is not installed: scripts/packages install bench")


def measure(place, options):
    seal = place.build / "tests/api/seal_link"
    if not seal.exists():
        raise world.Trouble(f"no tests/api/seal_link in {place.build}: build first, or give --build")
    tokens = place.path("tokens")
    tokens.write_text(world.run([seal, place.path("etc/keys/link"), HOST, SERVER, 1, TOKENS, URL]).stdout)
    own(place)
    nginx = place.start_nginx("nginx", f"listen 127.0.0.1:{PORTS['nginx']} backlog=4096; "
                                         f"location / {{ return 307 '{URL}'; }}")
    runs = {(path, mode): [] for mode in MODES for path in PORTS}
    try:
        for turn in range(options.rounds):
            for mode in MODES:
                for path in sorted(PORTS, reverse=turn % 2 == 1):
                    figure = load(place, path, mode, tokens, options, nginx)
                    runs[path, mode].append(figure)
                    world.say(f"round {turn + 1} of {options.rounds}, {path}, {mode}: {figure['rate']:.0f} redirects/s")
    finally:
        nginx.terminate()
        nginx.wait(10)
    return {"rounds": options.rounds, "connections": options.connections, "resident_mb": world.resident(place.pid("trackd")),
            "redirects": {mode: {path: {**figures.median(runs[path, mode]),
                                        "spread": figures.spread([run["rate"] for run in runs[path, mode]])}
                                 for path in PORTS} for mode in MODES}}


def own(place):
    """The host is a track domain, so that the replica is asked and finds it."""
    place.sql("BEGIN; UPDATE revision_counter SET revision = revision + 1; INSERT INTO track_domain (server_id, host, https, "
              f"clicks, opens, text_links, excluded, forced, created_at, revision) SELECT {SERVER}, '{HOST}', 1, 1, 1, 0, '', "
              "1, 1, revision FROM revision_counter ON DUPLICATE KEY UPDATE revision = revision_counter.revision; COMMIT;")

    def known():
        link = world.sqlite3.connect(f"file:{place.path('edge/edge.5.db')}?mode=ro", uri=True)
        try:
            return link.execute("SELECT count(*) FROM track_domain WHERE host = ?", (HOST,)).fetchone()[0] == 1
        finally:
            link.close()

    world.wait_for(known, "the track domain in the replica", world.PATIENCE)


def load(place, path, mode, tokens, options, nginx):
    """One run; the worker stands still meanwhile. Every redirect of trackd's must have become a record."""
    script = place.path("wrk.lua")
    script.write_text(SCRIPT.format(host=HOST, tokens=tokens, mode=MODES[mode]))
    before = journaled(place)
    place.pause("worker")
    used = cpu(place, path, nginx)
    try:
        text = place.inside("wrk", "-t", 2, "-c", max(2, options.connections), "-d", f"{options.seconds}s", "-s", script,
                            f"http://127.0.0.1:{PORTS[path]}/", timeout=options.seconds + 60).stdout
    finally:
        place.resume("worker")
    figure = json.loads(re.search(r"^\{.*\}$", text, re.M).group(0))
    if figure["failed"]:
        raise world.Trouble(f"{path}: {figure['failed']} requests failed")
    rate = figure["done"] / figure["us"] * 1e6
    result = {"rate": rate, "p50_ms": figure["p50_ms"], "p99_ms": figure["p99_ms"]}
    if path == "trackd":
        # wrk leaves with some answered that it does not count.
        world.wait_for(lambda: journaled(place) - before >= figure["done"], "every click in the journal", world.PATIENCE)
    result["cpu_us"] = 1e6 * (cpu(place, path, nginx) - used) / figure["done"]
    return result


def cpu(place, path, nginx):
    """Seconds of CPU so far; of nginx, of its workers."""
    if path == "trackd":
        return place.cpu(("trackd",))["trackd"]
    return sum(world.cpu_seconds(child)[0] for child in world.children(nginx.pid))


def journaled(place):
    return int.from_bytes(place.path("spool/journal/trackd/committed").read_bytes()[:8], "little")


def show(document):
    machine = document["machine"]
    print(f"{machine['cpus']} x {machine['cpu']}, load {machine['load_average']} at the start, medians of "
          f"{document['rounds']} rounds, {document['connections']} connections")
    rows = [["connections", "nginx/s", "spread", "trackd/s", "spread", "of nginx", "p50 ms", "p99 ms", "nginx CPU us", "trackd CPU us"]]
    for mode, paths in document["redirects"].items():
        bare, ours = paths["nginx"], paths["trackd"]
        rows.append([mode, f"{bare['rate']:.0f}", f"{bare['spread']:.2f}", f"{ours['rate']:.0f}", f"{ours['spread']:.2f}",
                     f"{ours['rate'] / bare['rate']:.2f}", f"{ours['p50_ms']:.2f}", f"{ours['p99_ms']:.2f}",
                     f"{bare['cpu_us']:.1f}", f"{ours['cpu_us']:.1f}"])
    figures.table(rows)
    print(f"outrider-trackd has {document['resident_mb']} MB resident after it; every click is in its journal")
