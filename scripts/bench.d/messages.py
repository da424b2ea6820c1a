# SPDX-License-Identifier: MIT
"""Messages read over HTTP: API v1's messages/message."""

import json
import re
import shutil

import figures
import world

PORT = 5000
PATH = "/api/v1/messages/message"
EACH = 50  # recipients of a request
CASES = {"status, details": ["status", "details"], "nothing": [], "all": True}

SEND = """\
import json, sys, urllib.request
ids = []
key, size = sys.argv[1], 4096
page = "<html><body>" + "<p>Lorem ipsum dolor sit amet, consectetur.</p>\\n" * (size // 48) + "</body></html>"
for turn in range(int(sys.argv[2])):
    body = {"to": [f"r{turn}x{n}@bench.test" for n in range(int(sys.argv[3]))], "from": "bench@acme.test",
            "subject": "bench", "html_body": page}
    request = urllib.request.Request("http://127.0.0.1:5000/api/v1/send/message", json.dumps(body).encode(),
                                     {"Content-Type": "application/json", "X-Server-API-Key": key})
    ids += [message["id"] for message in json.load(urllib.request.urlopen(request))["data"]["messages"].values()]
print(json.dumps(ids))
"""

LOAD = """\
local ids, at = {{{ids}}}, 0
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Server-API-Key"] = "{key}"
function request()
    at = at % #ids + 1
    return wrk.format("POST", "{path}", nil, '{{"id":' .. ids[at] .. ',"_expansions":{expansions}}}')
end
function done(summary, latency, calls)
    local errors = summary.errors
    io.write(string.format('{{"done": %d, "us": %d, "octets": %d, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}}\\n',
        summary.requests, summary.duration, summary.bytes, errors.connect + errors.read + errors.write + errors.status +
        errors.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


def check(options):
    for name, low, high in (("rounds", 1, 100), ("connections", 2, 1000), ("seconds", 1, 3600), ("messages", EACH, 100000)):
        if not low <= getattr(options, name) <= high:
            raise world.Trouble(f"--{name}: from {low} to {high}")
    if not shutil.which("wrk"):
        raise world.Trouble("wrk is not installed: scripts/packages install bench")


def measure(place, options):
    place.prepare_submission([])
    ids = json.loads(place.inside("/usr/bin/python3", "-c", SEND, place.variables["API_KEY"], options.messages // EACH,
                                  EACH).stdout)
    place.drain(len(ids))
    before = world.resident(place.pid("apid"))
    runs = {name: [] for name in CASES}
    for turn in range(options.rounds):
        for name in sorted(CASES, reverse=turn % 2 == 1):
            figure = load(place, ids, CASES[name], options)
            runs[name].append(figure)
            world.say(f"round {turn + 1} of {options.rounds}, {name}: {figure['rate']:.0f} messages/s")
    return {"rounds": options.rounds, "connections": options.connections, "messages": len(ids), "resident_before_mb": before,
            "resident_mb": world.resident(place.pid("apid")),
            "cases": {name: {**figures.median(runs[name]), "spread": figures.spread([run["rate"] for run in runs[name]])}
                      for name in CASES}}


def load(place, ids, expansions, options):
    """One run; each answer has to be a success."""
    script = place.path("wrk.lua")
    script.write_text(LOAD.format(ids=",".join(f'"{number}"' for number in ids), key=place.variables["API_KEY"], path=PATH,
                                  expansions=json.dumps(expansions)))
    told = reads(place)
    used = place.cpu(("apid", "mariadbd"))
    text = place.inside("wrk", "-t", 1, "-c", options.connections, "-d", f"{options.seconds}s", "-s", script,
                        f"http://127.0.0.1:{PORT}/", timeout=options.seconds + 60).stdout
    figure = json.loads(re.search(r"^\{.*\}$", text, re.M).group(0))
    if figure["failed"] or reads(place) - told < figure["done"]:
        raise world.Trouble(f"{figure['failed']} of {figure['done']} requests failed, {reads(place) - told} messages told")
    after = place.cpu(("apid", "mariadbd"))
    return {"rate": figure["done"] / figure["us"] * 1e6, "p50_ms": figure["p50_ms"], "p99_ms": figure["p99_ms"],
            "octets": figure["octets"] / figure["done"],
            **{f"{name}_cpu_us": 1e6 * (after[name] - used[name]) / figure["done"] for name in after}}


def reads(place):
    """Messages that apid has told so far; another status than success is none."""
    text = place.inside("/usr/bin/python3", "-c", "import urllib.request; "
                        f"print(urllib.request.urlopen('http://127.0.0.1:{PORT}/metrics').read().decode())").stdout
    return int(re.search(r"^outrider_apid_reads_total (\d+)$", text, re.M).group(1))


def show(document):
    machine = document["machine"]
    print(f"{machine['cpus']} x {machine['cpu']}, load {machine['load_average']} at the start, medians of "
          f"{document['rounds']} rounds, {document['connections']} connections, {document['messages']} messages")
    rows = [["expansions", "messages/s", "spread", "p50 ms", "p99 ms", "octets", "apid CPU us", "MariaDB CPU us"]]
    for name, case in document["cases"].items():
        rows.append([name, f"{case['rate']:.0f}", f"{case['spread']:.2f}", f"{case['p50_ms']:.2f}", f"{case['p99_ms']:.2f}",
                     f"{case['octets']:.0f}", f"{case['apid_cpu_us']:.0f}", f"{case['mariadbd_cpu_us']:.0f}"])
    figures.table(rows)
    print(f"outrider-apid has {document['resident_mb']} MB resident after it, {document['resident_before_mb']} MB before")
