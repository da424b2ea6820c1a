# SPDX-License-Identifier: MIT
"""What Postfix asks outrider-policyd; with --large also memory and time to start."""

import hashlib
import time

import figures
import world

PROTOCOLS = ("policy", "map", "auth")
DOMAINS, CREDENTIALS = 10000, 100000
SERVERS = 1000  # that the credentials belong to
LIMITS = 10000  # one on each server, the others on credentials
BATCH = 1000  # rows of an INSERT
BASE = 1000  # first number of what is filled in
MESSAGES = 2000
LANES = 20


def check(options):
    for name, low, high in (("rounds", 1, 100), ("connections", 1, 500), ("requests", 1, 10000000),
                            ("seconds", 1, 3600)):
        if not low <= getattr(options, name) <= high:
            raise world.Trouble(f"--{name}: from {low} to {high}")


def measure(place, options):
    document = {"rounds": options.rounds, "connections": options.connections}
    identities = place.path("identities")
    identities.touch(0o600)
    key = place.variables["SMTP_KEY"]
    if options.large:
        identities.write_text("".join(f"{user} {secret}\n" for user, secret in fill(place)))
        document["large"] = {"domains": DOMAINS, "credentials": CREDENTIALS, "limits": LIMITS, "start_ms": {
            name: start_time(place, name) for name in ("milter", "policyd")}}
        place.control("restart", "postfix")
    else:
        user = place.sql("SELECT CONCAT('acme/main/', MIN(id)) FROM credential").strip()
        identities.write_text(f"{user} {key}\n")
    runs = {name: [] for name in PROTOCOLS}
    for turn in range(options.rounds):
        for name in PROTOCOLS:
            figure = ask(place, name, identities, options)
            runs[name].append(figure)
            world.say(f"round {turn + 1} of {options.rounds}, {name}: {figure['rate']:.0f} requests/s")
    document["requests"] = {name: {**figures.median(runs[name]),
                                   "spread": figures.spread([run["rate"] for run in runs[name]])}
                            for name in PROTOCOLS}
    if options.large:
        send_messages(place)
        document["large"]["resident_mb"] = {name: world.resident(place.pid(name))
                                            for name in ("milter", "policyd")}
    return document


def ask(place, name, identities, options):
    before = place.cpu(("policyd",))["policyd"]
    result = place.load("ask_load", [
        "--protocol", name, "--identities", identities, "--connections", options.connections,
        "--requests", options.requests, "--seconds", options.seconds,
        place.path("postfix/queue/outrider", name)], options.seconds)
    used = place.cpu(("policyd",))["policyd"] - before
    return {"rate": result["rate"], "p50_ms": result["p50_ms"], "p99_ms": result["p99_ms"],
            "cpu_us": round(1e6 * used / result["done"], 2),
            "per_core": round(result["done"] / used) if used else 0}


# The large directory

def fill(place):
    """Writes domains with keys and credentials; (user, key) of each credential. Waits until the
    replicas have them."""
    world.say(f"filling the directory: {DOMAINS} domains, {CREDENTIALS} credentials, {LIMITS} limits")
    owner = int(place.sql("SELECT id FROM organization WHERE permalink = 'acme'"))
    keys = [f"benchkey{i:016d}" for i in range(CREDENTIALS)]
    hashes = [hashlib.sha256(key.encode()).hexdigest() for key in keys]
    statements = [
        "UPDATE revision_counter SET revision = revision + 1;",
        "SELECT revision INTO @revision FROM revision_counter;",
        *inserts("server (id, organization_id, permalink, name, created_at, revision)",
                 [f"({BASE + i}, {owner}, 's{i}', 's{i}', 1, @revision)" for i in range(SERVERS)]),
        *inserts("domain (id, organization_id, name, verified_at, created_at, revision)",
                 [f"({BASE + i}, {owner}, 'd{i}.bench.test', 1, 1, @revision)" for i in range(DOMAINS)]),
        # Every domain gets the keys of one: to make RSA keys takes long.
        "INSERT INTO dkim_key (domain_id, selector, algorithm, private_key, public_key, state, created_at, "
        "revision) SELECT d.id, k.selector, k.algorithm, k.private_key, k.public_key, 'active', 1, @revision "
        f"FROM domain a JOIN dkim_key k ON k.domain_id = a.id JOIN domain d ON d.id >= {BASE} "
        f"WHERE a.name = '{world.DOMAIN}';",
        *inserts("credential (id, server_id, type, name, created_at, revision)",
                 [f"({BASE + i}, {BASE + i % SERVERS}, 'smtp', 'c{i}', 1, @revision)"
                  for i in range(CREDENTIALS)]),
        *inserts("credential_secret (id, key_hash, revision)",
                 [f"({BASE + i}, x'{digest}', @revision)" for i, digest in enumerate(hashes)])]
    statements += inserts(
        "rate_limit (id, subject, subject_id, subject_name, period, max, action, created_at, revision)",
        [f"({BASE + i}, '{'server' if i < SERVERS else 'credential'}', {BASE + i % SERVERS if i < SERVERS else BASE + i}"
         ", '', 'hour', 1000000000, 'reject', 1, @revision)" for i in range(LIMITS)])
    # One transaction: who reads a revision takes all of it.
    place.sql(f"BEGIN;{''.join(statements)}COMMIT;")
    await_replicas(place)
    return [(f"acme/s{i % SERVERS}/{BASE + i}", key) for i, key in enumerate(keys)]


def inserts(table, rows):
    return [f"INSERT INTO {table} VALUES {','.join(rows[at:at + BATCH])};"
            for at in range(0, len(rows), BATCH)]


def await_replicas(place):
    world.wait_for(lambda: count(place, "edge-auth.5.db", "credential_secret") >= CREDENTIALS and
                   count(place, "edge-sign.5.db", "dkim_key") >= 2 * DOMAINS and
                   count(place, "edge.5.db", "credential") >= CREDENTIALS,
                   "the large directory in the replicas", world.PATIENCE)


def count(place, file, table):
    link = world.sqlite3.connect(f"file:{place.path('edge', file)}?mode=ro", uri=True)
    try:
        return link.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        link.close()


def start_time(place, name):
    """Milliseconds from starting a program to its socket taking a connection and, policyd, greeting."""
    place.control("stop", name)
    begin = time.monotonic()
    place.control("start", name)
    upper = 1000 * (time.monotonic() - begin)
    return round(upper)


def send_messages(place):
    """So that the milter has looked things up; from the small server's credential."""
    place.prepare_submission(("outrider",))
    figure = place.load("smtp_load", [
        "--sessions", LANES, "--messages", MESSAGES, "--reuse", "--user", "bench", "--sender",
        world.SENDER, "--domain", world.RECIPIENTS, world.PORTS["outrider"]], 60)
    place.drain(figure["done"])


def show(document):
    machine = document["machine"]
    print(f"{machine['cpus']} x {machine['cpu']}, load {machine['load_average']} at the start, medians of "
          f"{document['rounds']} rounds, {document['connections']} connections")
    rows = [["asked", "requests/s", "spread", "p50 ms", "p99 ms", "CPU us each", "per core"]]
    for name, figure in document["requests"].items():
        rows.append([name, f"{figure['rate']:.0f}", f"{figure['spread']:.2f}", f"{figure['p50_ms']:.2f}",
                     f"{figure['p99_ms']:.2f}", f"{figure['cpu_us']:.1f}", f"{figure['per_core']:.0f}"])
    figures.table(rows)
    large = document.get("large")
    if large:
        memory, start = large["resident_mb"], large["start_ms"]
        print(f"with {large['domains']} domains, {large['credentials']} credentials and {large['limits']} limits: resident milter "
              f"{memory['milter']} MB, policyd {memory['policyd']} MB, together {sum(memory.values()):.1f} "
              f"MB; started in {start['milter']} and {start['policyd']} ms")
