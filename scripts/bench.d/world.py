# SPDX-License-Identifier: MIT
"""The sandbox that is measured: what is added to it, what runs in it, and who uses how much CPU."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SANDBOX = SOURCE / "scripts" / "sandbox"
DOMAIN = "acme.test"
SENDER = f"bench@{DOMAIN}"
RECIPIENTS = "bench.test"
PORTS = {"bare": "127.0.0.1:2530", "opendkim": "127.0.0.1:2531", "outrider": "127.0.0.1:2525",
         "limited": "127.0.0.1:2525", "tracked": "127.0.0.1:2525", "api": "127.0.0.1:5000", "keyed": "127.0.0.1:5000"}
LIMITED = "acme/limited"
TRACKED = "acme/tracked"
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 300  # seconds that the queue and the history may take to drain


class Trouble(Exception):
    """The measurement cannot be made; its text says why."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(command, check=True, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("timeout", 600)
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            check=False, **options)
    if check and result.returncode != 0:
        raise Trouble(f"{shlex.join(map(str, command))[:200]}: exit {result.returncode}: "
                      f"{(result.stdout + result.stderr).strip()[-1000:]}")
    return result


def machine():
    """What the figures depend on."""
    model = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="ascii")
             if line.startswith("model name")]
    return {"cpu": model[0] if model else "unknown", "cpus": os.cpu_count(),
            "kernel": os.uname().release, "load_average": round(os.getloadavg()[0], 2)}


def wait_for(look, what, seconds):
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            raise Trouble(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class World:
    def __init__(self, directory, build, keep):
        self.directory = directory
        self.keys = {}  # of a path that has a credential of its own
        self.build = pathlib.Path(build).resolve()
        self.keep = keep
        self.opendkim = None

    def __enter__(self):
        for name in ("smtp_load", "http_load", "ask_load"):
            if not (self.build / "tests/bench" / name).exists():
                raise Trouble(f"no tests/bench/{name} in {self.build}: build first, or give --build")
        say(f"making a sandbox in {self.directory}")
        self.control("up", "--build", str(self.build))
        try:
            words = shlex.split(self.control("env").stdout)
            self.variables = dict(word.split("=", 1) for word in words)
            self.recorded = self.history()[0]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.resume("worker")
        if self.opendkim:
            self.opendkim.terminate()
            self.opendkim.wait(10)
        if not self.keep:
            run([SANDBOX, "down", "--dir", self.directory], check=False)

    # Programs

    def control(self, command, *arguments):
        return run([SANDBOX, command, "--dir", self.directory, *arguments])

    def inside(self, *command, **options):
        return run(["ip", "netns", "exec", self.variables["NETNS"], *command], **options)

    def path(self, *parts):
        return pathlib.Path(self.variables["DIR"], *parts)

    def pid(self, program):
        if program == "opendkim":
            return self.opendkim.pid if self.opendkim else None
        file = {"postfix": self.path("postfix/queue/pid/master.pid"),
                "mariadbd": self.path("run/mariadb.pid")}.get(program, self.path("run", f"{program}.pid"))
        return int(file.read_text()) if file.exists() else None

    def pause(self, program):
        os.kill(self.pid(program), signal.SIGSTOP)

    def resume(self, program):
        try:
            os.kill(self.pid(program), signal.SIGCONT)
        except (OSError, TypeError, AttributeError):
            pass

    def load(self, program, arguments, seconds, key=None):
        """One run of a program of tests/bench: its figures."""
        environment = {**os.environ, "SMTP_KEY": key or self.variables["SMTP_KEY"]}
        result = self.inside(self.build / "tests/bench" / program, *map(str, arguments), env=environment,
                             timeout=seconds + 200)
        figures = json.loads(result.stdout)
        if figures["failed"]:
            raise Trouble(f"{program}: {figures['failed']} requests failed: {result.stderr[:300]}")
        return figures

    # What is compared

    def prepare_submission(self, paths):
        """Adds the listeners, and a sink that all of them have in common."""
        maps = self.inside("postconf", "-h", "transport_maps").stdout.strip()
        self.inside("postconf", "-e", "in_flow_delay = 0", "transport_maps = "
                    f"inline:{{ {{ {RECIPIENTS} = discard: }} }}, {maps}".rstrip(", "))
        milters = {"bare": "", "opendkim": "unix:opendkim/socket"}
        for path in paths:
            if path in milters:
                self.add_listener(PORTS[path], milters[path])
        if "opendkim" in paths:
            self.start_opendkim()
        if "limited" in paths:
            self.add_limited()
        if {"tracked", "api", "keyed"} & set(paths):
            self.add_tracked()
        self.inside("postfix", "reload")
        time.sleep(1)

    def add_limited(self):
        """A server and a credential with a limit for each period, which are never reached."""
        self.outrider("server", "add", LIMITED, "--pool", "main")
        self.keys["limited"] = self.outrider("credential", "add", LIMITED, "app")["key"]
        for subject in (LIMITED, f"{LIMITED}/app"):
            for period in ("second", "minute", "hour", "day"):
                self.outrider("limit", "set", subject, f"1000000000/{period}", "--action", "hold")
        wait_for(lambda: self.outrider("limit", "show", LIMITED)[0]["count"] == 0, "the limits at policyd",
                 PATIENCE)

    def add_tracked(self):
        """A server whose mail has links of a track domain."""
        self.outrider("server", "add", TRACKED, "--pool", "main")
        self.outrider("track-domain", "add", TRACKED, f"links.{DOMAIN}", "--force")
        self.keys["tracked"] = self.outrider("credential", "add", TRACKED, "app")["key"]
        self.keys["api"] = self.keys["keyed"] = self.outrider("credential", "add", TRACKED, "web", "--type", "api")["key"]
        wait_for(lambda: self.tracks(f"links.{DOMAIN}"), "the track domain at the milter", PATIENCE)

    def tracks(self, host):
        with contextlib.closing(sqlite3.connect(f"file:{self.path('edge/edge.5.db')}?mode=ro", uri=True)) as edge:
            return edge.execute("SELECT active FROM track_domain WHERE host = ?", (host,)).fetchone()

    def outrider(self, *arguments):
        """The CLI's JSON."""
        return json.loads(run([self.variables["OUTRIDER"], "-c", self.path("etc/outrider.conf"), "--json",
                               *arguments]).stdout)

    def add_listener(self, address, milters):
        words = ["smtpd", f"-o smtpd_milters={milters}", "-o smtpd_tls_security_level=none",
                 "-o smtpd_sasl_auth_enable=no", "-o smtpd_recipient_restrictions=",
                 "-o smtpd_relay_restrictions=permit_mynetworks,reject",
                 "-o milter_default_action=tempfail"]
        self.inside("postconf", "-Me", f"{address}/inet={address} inet n - y - - " + " ".join(words))

    def start_nginx(self, name, server):
        """nginx with one server of these directives, as a process; its files are in a folder of that name."""
        folder = self.path(name)
        folder.mkdir(exist_ok=True)
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};"
                             for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"daemon off; user root; worker_processes auto; pid {folder}/pid; error_log {folder}/error.log;\n"
            "events { worker_connections 4096; }\n"
            f"http {{ access_log off; server_tokens off; keepalive_requests 1000000; {temporary}\n"
            f"server {{ {server} }} }}\n")
        log = open(folder / "log", "w", encoding="utf-8")
        nginx = subprocess.Popen(["ip", "netns", "exec", self.variables["NETNS"], "nginx", "-p", folder, "-c",
                                  folder / "nginx.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for((folder / "pid").exists, f"nginx (see {folder}/log)", 10)
        return nginx

    def start_opendkim(self):
        program = shutil.which("opendkim", path="/usr/sbin:/usr/bin")
        if not program:
            raise Trouble("opendkim is not installed: scripts/packages install bench")
        owner = pwd.getpwnam("opendkim")
        folder = self.path("opendkim")
        sockets = self.path("postfix/queue/opendkim")
        for where in (folder, sockets):
            where.mkdir(exist_ok=True)
            os.chown(where, owner.pw_uid, pwd.getpwnam("postfix").pw_gid)
            where.chmod(0o750)
        selector, pem = self.signing_key()
        key = folder / "key.pem"
        key.touch(0o600)
        key.write_text(pem)
        os.chown(key, owner.pw_uid, owner.pw_gid)
        settings = folder / "opendkim.conf"
        # As Debian's file, but for what names a host's files; nothing is logged.
        settings.write_text(
            f"Syslog no\nRequireSafeKeys no\nMode s\nCanonicalization relaxed/simple\nOversignHeaders From\n"
            f"Domain {DOMAIN}\nSelector {selector}\nKeyFile {key}\nSocket local:{sockets}/socket\n"
            "UMask 007\nUserID opendkim:postfix\nInternalHosts 127.0.0.1\n")
        log = open(folder / "log", "w", encoding="utf-8")
        self.opendkim = subprocess.Popen(
            ["ip", "netns", "exec", self.variables["NETNS"], program, "-f", "-x", settings],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for((sockets / "socket").exists, f"opendkim's socket (see {folder}/log)", 10)

    def signing_key(self):
        """(selector, PEM) of the domain's RSA key."""
        file = self.path("edge/edge-sign.5.db")
        names = sqlite3.connect(f"file:{self.path('edge/edge.5.db')}?mode=ro", uri=True)
        keys = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        domain = names.execute("SELECT id FROM domain WHERE name = ?", (DOMAIN,)).fetchone()
        row = keys.execute("SELECT selector, private_key FROM dkim_key WHERE domain_id = ? "
                           "AND algorithm = 'rsa' AND state = 'active'", domain).fetchone()
        if not row:
            raise Trouble(f"{file}: no RSA key of {DOMAIN}")
        return row

    # Rest

    def sql(self, text):
        return run(["mariadb", "--no-defaults", f"--socket={self.variables['DB_SOCKET']}",
                    "--user=root", "--batch", "--skip-column-names", "outrider"], stdin=None,
                   input=text).stdout

    def history(self):
        """(messages that were sent, all messages) in MariaDB."""
        words = self.sql("SELECT COALESCE(SUM(status = 'Sent'), 0), COUNT(*) FROM message").split()
        return int(words[0]), int(words[1])

    def queued(self):
        queue = self.path("postfix/queue")
        return any(files for name in ("maildrop", "incoming", "active", "deferred")
                   for _, _, files in os.walk(queue / name))

    def quiet(self):
        """True when neither the worker nor MariaDB work."""
        before = self.cpu(("worker", "mariadbd"))
        time.sleep(0.5)
        after = self.cpu(("worker", "mariadbd"))
        return sum(after.values()) - sum(before.values()) <= 2 / TICK

    def drain(self, accepted):
        """Waits until every message is delivered and recorded; accepted came in since last time."""
        self.recorded += accepted
        wait_for(lambda: not self.queued(), "an empty queue", PATIENCE)
        wait_for(self.quiet, "a worker without work", PATIENCE)
        wait_for(lambda: self.history()[0] >= self.recorded,
                 f"{self.recorded} sent messages in history", PATIENCE)

    # CPU

    def cpu(self, programs):
        """Seconds of CPU that each program has used until now."""
        return {name: used for name in programs if (used := self.used(name)) is not None}

    def used(self, program):
        pid = self.pid(program)
        if pid is None:
            return None
        own = cpu_seconds(pid)
        if program not in ("postfix", "piped"):
            return own[0]
        # Both wait for their children, so what the ended ones used is in their own record.
        return sum(own) + sum(cpu_seconds(child)[0] for child in children(pid))


def resident(pid):
    """MB of a process in memory."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return round(int(re.search(r"^VmRSS:\s+(\d+)", text, re.M).group(1)) / 1024, 1)


def cpu_seconds(pid):
    """(own, ended children's) seconds of CPU."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0, 0.0
    fields = text.rsplit(")", 1)[1].split()
    return ((int(fields[11]) + int(fields[12])) / TICK, (int(fields[13]) + int(fields[14])) / TICK)


def children(pid):
    file = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    if file.exists():
        return [int(word) for word in file.read_text(encoding="ascii").split()]
    return [int(word) for word in run(["ps", "-o", "pid=", "--ppid", pid], check=False).stdout.split()]
