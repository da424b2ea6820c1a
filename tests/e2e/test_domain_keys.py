# SPDX-License-Identifier: MIT
"""Keys of domains: when they sign, when they are lost, and how they are changed under load."""

import json
import pathlib
import socket
import threading
import unittest

import dns.flags
import dns.message
import dns.rcode

import mail
from domain import Domain
from sandbox import shared, wait_for

INSTALLATION = "rp.outrider.test"


class SecondServer(threading.Thread):
    """Another authoritative server of the root zone, which does not show some names yet."""

    ADDRESS = "127.0.0.9"

    def __init__(self, sandbox, hidden, silent=()):
        super().__init__(daemon=True)
        self.sandbox = sandbox
        self.hidden = set(hidden)
        self.silent = set(silent)  # names that it does not answer for
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.2)
        self.socket.bind((self.ADDRESS, 53))
        self.leaving = False

    def __enter__(self):
        self.start()
        self.sandbox.control("dns", "add", "second.outrider.test", "A", self.ADDRESS)
        self.sandbox.control("dns", "add", ".", "NS", "second.outrider.test.")
        return self

    def __exit__(self, *unused):
        self.sandbox.control("dns", "del", ".", "NS", "second.outrider.test.")
        self.sandbox.control("dns", "del", "second.outrider.test", "A")
        self.leaving = True
        self.join()
        self.socket.close()

    def run(self):
        while not self.leaving:
            try:
                wire, client = self.socket.recvfrom(4096)
                answer = self.answer(wire)
                if answer:
                    self.socket.sendto(answer, client)
            except OSError:
                continue  # nobody asked, or whoever did is gone

    def answer(self, wire):
        question = dns.message.from_wire(wire)
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        if name in self.silent:
            return None
        if name not in self.hidden:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
                link.settimeout(5)
                link.sendto(wire, ("127.0.0.1", 53))
                return link.recv(65535)
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.AA
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


class WorkerPace(unittest.TestCase):
    """The worker with options of the class."""

    options = ""

    @classmethod
    def setUpClass(cls):
        cls.conf = pathlib.Path(shared().outrider_conf)
        cls.before = cls.conf.read_text()
        cls.conf.write_text(cls.before + cls.options)
        shared().control("restart", "worker")

    @classmethod
    def tearDownClass(cls):
        cls.conf.write_text(cls.before)
        shared().control("restart", "worker")

    def setUp(self):
        self.sandbox = shared()


class LostKeys(WorkerPace):
    """The worker finds out by itself: no check by hand counts."""

    options = "dns_check_interval = 1s\ndns_recheck_interval = 1s\ndkim_lost_after = 4s\n"

    def signing(self, *options):
        """A domain whose keys sign."""
        domain = Domain(self.sandbox, *options)
        self.addCleanup(domain.delete)
        domain.publish("TXT")
        self.await_states(domain, "active")
        domain.await_signer(domain.name)
        return domain

    def await_states(self, domain, *states):
        return wait_for(lambda: domain.keys() if {key["state"] for key in domain.keys()} == set(states) else None,
                        f"keys of {domain.name} being {states}")

    def records(self, domain):
        """The DKIM records to publish, by selector."""
        return {record["name"].split(".")[0]: record
                for record in domain.show()["dns"] if "._domainkey." in record["name"]}

    def status(self):
        return json.loads(self.sandbox.outrider_plain("--json", "status", check=False).stdout)

    def needs_attention(self, words):
        return any(line.startswith("dkim: ") and words in line for line in self.status()["attention"])

    def looks(self, domain, count):
        """Waits until the worker has looked that often again."""
        for _ in range(count):
            last = domain.show()["dns_checked_at"]
            wait_for(lambda: domain.show()["dns_checked_at"] != last, f"another look at {domain.name}")

    def test_the_installation_signs_until_the_record_is_back(self):
        domain = self.signing("--no-ed25519")
        lost = self.status()["dkim"]["lost_keys"]
        (selector, record), = self.records(domain).items()
        domain.unpublish(record["name"], "TXT")
        key, = self.await_states(domain, "lost")
        self.assertGreaterEqual(key["vanished_looks"], 3)
        self.assertGreaterEqual(key["lost_at"] - key["vanished_at"], 4)
        domain.await_signer(INSTALLATION)
        self.assertTrue(self.needs_attention("do not sign"))
        self.assertIn("DKIM keys sign no more", self.worker_log())
        said = self.sandbox.outrider_plain("domain", "check", domain.owner, domain.name, check=False).stdout
        self.assertIn(f"Key {selector} is lost", said)
        self.assertEqual(domain.items()[f"dkim {selector}"], "missing")
        self.assertIn("missing", domain.keys()[0]["waits_for"])
        domain.publish(records=[record])
        self.await_states(domain, "active")
        domain.await_signer(domain.name)
        self.assertEqual(self.status()["dkim"]["lost_keys"], lost)

    def worker_log(self):
        return pathlib.Path(self.sandbox.directory, "log", "worker.log").read_text()

    def test_the_other_key_goes_on(self):
        domain = self.signing()
        rsa = next(key for key in domain.keys() if key["algorithm"] == "rsa")
        domain.unpublish(self.records(domain)[rsa["selector"]]["name"], "TXT")
        self.await_states(domain, "active", "lost")
        wait_for(lambda: domain.signers() == {(domain.name, "ed25519-sha256")}, "the key that is left")

    def test_another_key_in_its_place(self):
        domain = self.signing("--no-ed25519")
        (_, record), = self.records(domain).items()
        other = next(iter(self.records(Domain(self.sandbox, "--no-ed25519")).values()))
        domain.unpublish(record["name"], "TXT")
        domain.publish(records=[record | {"value": other["value"]}])
        key, = self.await_states(domain, "lost")
        self.assertIn("another key", key["waits_for"])
        # A rotation gets it out of there, too.
        rotated = self.sandbox.outrider("key", "rotate", domain.owner, domain.name)
        domain.publish(records=rotated["dns"])
        self.await_states(domain, "active", "retired")
        domain.await_signer(domain.name)

    def test_one_server_that_shows_it_is_enough(self):
        domain = self.signing("--no-ed25519")
        (_, record), = self.records(domain).items()
        with SecondServer(self.sandbox, [record["name"]]):
            self.looks(domain, 8)
            self.assertEqual([(key["state"], key["vanished_looks"]) for key in domain.keys()], [("active", 0)])

    def test_a_server_that_does_not_answer_loses_no_key(self):
        domain = self.signing("--no-ed25519")
        (_, record), = self.records(domain).items()
        with SecondServer(self.sandbox, [], silent=[record["name"]]) as second:
            domain.unpublish(record["name"], "TXT")
            self.looks(domain, 3)
            self.assertEqual([(key["state"], key["vanished_looks"]) for key in domain.keys()], [("active", 0)])
            second.silent.clear()
            self.await_states(domain, "lost")

    def test_looks_by_hand_do_not_count(self):
        domain = self.signing("--no-ed25519")
        (_, record), = self.records(domain).items()
        self.sandbox.stop("worker")
        try:
            domain.unpublish(record["name"], "TXT")
            for _ in range(4):
                self.assertEqual(domain.checked()["status"], "missing")
            self.assertEqual([(key["state"], key["vanished_looks"]) for key in domain.keys()], [("active", 0)])
        finally:
            self.sandbox.start("worker")
        self.await_states(domain, "lost")

    def test_mail_of_the_installation_is_never_unsigned(self):
        def states():
            return sorted(key["state"] for key in self.sandbox.outrider("key", "list", "installation")["keys"]
                          if key["state"] != "retired")

        domain = Domain(self.sandbox)  # nothing of it is published
        names = [f"{key['selector']}._domainkey.{INSTALLATION}"
                 for key in self.sandbox.outrider("key", "list", "installation")["keys"] if key["state"] == "active"]
        self.assertEqual(len(names), 2)
        values = {name: self.sandbox.text_record(name).decode() for name in names}
        for name in names:
            self.sandbox.control("dns", "del", name, "TXT")
        try:
            self.sandbox.outrider_plain("installation", "check", check=False)  # the worker looks again soon
            wait_for(lambda: states() == ["active", "lost"], "all keys but the last lost")
            wait_for(lambda: self.needs_attention("sign whose records"), "the last in need of attention")
            content = wait_for(lambda: self.once_signed(domain), "the last key signing alone")
            self.assertEqual([d for d, _, _ in mail.signatures(content)], [INSTALLATION])
        finally:
            for name, value in values.items():
                self.sandbox.control("dns", "add", name, "TXT", value)
        wait_for(lambda: states() == ["active", "active"], "both keys again")
        wait_for(lambda: len(domain.signers()) == 2, "both signing")

    def once_signed(self, domain):
        content, _ = self.sandbox.received(domain.submit())
        self.assertGreaterEqual(len(mail.signatures(content)), 1)
        return content if len(mail.signatures(content)) == 1 else None


class Keys(WorkerPace):
    """What a command activates is counted, so the worker does not look by itself."""

    options = "dns_check_interval = 1h\n"

    def key(self, verb, domain, *arguments):
        return self.sandbox.outrider("key", verb, domain.owner, domain.name, *arguments)

    def looked_at(self, domain):
        """The worker looks at new keys once, and then not for an hour."""
        wait_for(lambda: all(key["waits_for"] for key in domain.keys()), f"the worker's look at {domain.name}")

    def test_the_installation_signs_until_the_dns_shows_the_keys(self):
        domain = Domain(self.sandbox)
        self.assertEqual({d for d, _ in domain.signers()}, {INSTALLATION})
        self.assertEqual({key["state"] for key in domain.keys()}, {"new"})
        self.looked_at(domain)
        domain.publish("TXT")
        self.assertEqual(domain.checked()["activated"], 2)
        domain.await_signer(domain.name)
        self.assertEqual(domain.signers(),
                         {(domain.name, "rsa-sha256"), (domain.name, "ed25519-sha256")})

    def test_a_key_waits_for_every_server_of_the_zone(self):
        domain = Domain(self.sandbox, "--no-ed25519")
        selector = domain.keys()[0]["selector"]
        name = f"{selector}._domainkey.{domain.name}"
        self.looked_at(domain)
        domain.publish("TXT")
        with SecondServer(self.sandbox, [name]) as second:
            self.assertEqual(domain.items()[f"dkim {selector}"], "missing")
            key = domain.keys()[0]
            self.assertEqual(key["state"], "new")
            self.assertIn(SecondServer.ADDRESS, key["waits_for"])
            self.assertEqual({d for d, _ in domain.signers()}, {INSTALLATION})
            second.hidden.clear()
            self.assertEqual(domain.checked()["activated"], 1)
        domain.await_signer(domain.name)

    def test_behind_an_alias(self):
        domain = Domain(self.sandbox, "--no-ed25519")
        self.looked_at(domain)
        selector = domain.keys()[0]["selector"]
        record = next(r for r in domain.show()["dns"] if "_domainkey" in r["name"])
        target = f"{selector}.keys.outrider.test"
        self.sandbox.control("dns", "add", record["name"], "CNAME", f"{target}.")
        self.assertEqual(domain.checked()["activated"], 0)
        self.sandbox.control("dns", "add", target, "TXT", record["value"])
        self.assertEqual(domain.checked()["activated"], 1)

    def test_algorithms_and_lengths(self):
        domain = Domain(self.sandbox, "--no-ed25519")
        for options in (["--bits", "3072"], ["--bits", "4096"], ["--algorithm", "ed25519"]):
            added = self.key("add", domain, *options)
            self.assertEqual(len(added["dns"]), 1)
        self.looked_at(domain)
        domain.publish("TXT")
        domain.checked()
        self.assertEqual([key["state"] for key in domain.keys()], ["active"] * 4)
        domain.await_signer(domain.name)
        content, _ = self.sandbox.received(domain.submit())
        self.assertEqual(mail.verify_all(self.sandbox, content), 4)
        for options in (["--bits", "1024"], ["--algorithm", "dsa"]):
            self.assertNotEqual(self.sandbox.outrider_plain(
                "key", "add", domain.owner, domain.name, *options, check=False).returncode, 0)

    def test_retired_key_leaves_the_dns_later(self):
        domain = Domain(self.sandbox)
        domain.publish("TXT")
        domain.checked()
        rsa = next(key for key in domain.keys() if key["algorithm"] == "rsa")
        self.key("retire", domain, rsa["selector"])
        after = next(key for key in domain.keys() if key["selector"] == rsa["selector"])
        self.assertEqual(after["state"], "retired")
        self.assertEqual(after["removable_at"] - after["retired_at"], (5 + 7 + 1) * 86400)
        wait_for(lambda: domain.signers() == {(domain.name, "ed25519-sha256")}, "one signature")
        # Until then its record is among those to publish.
        self.assertTrue(any(rsa["selector"] in record["name"] for record in domain.show()["dns"]))

    def test_the_installations_keys_rotate(self):
        before = {key["selector"]: key["state"]
                  for key in self.sandbox.outrider("key", "list", "installation")["keys"]}
        active = [selector for selector, state in before.items() if state == "active"]
        rotated = self.sandbox.outrider("key", "rotate", "installation")
        self.assertEqual(len(rotated["dns"]), len(active))
        domain = Domain(self.sandbox)
        self.assertEqual({d for d, _ in domain.signers()}, {INSTALLATION})
        for record in rotated["dns"]:
            self.sandbox.control("dns", "add", record["name"], record["type"], record["value"])
        self.sandbox.outrider_plain("installation", "check")
        new = {record["name"].split(".")[0] for record in rotated["dns"]}

        def selectors():
            content, _ = self.sandbox.received(domain.submit())
            self.assertEqual(mail.verify_all(self.sandbox, content), len(active))
            return {s for _, s, _ in mail.signatures(content)}

        wait_for(lambda: selectors() == new, "the installation's new keys")

    def test_rotation_under_load_never_signs_what_the_dns_does_not_show(self):
        domain = Domain(self.sandbox)
        domain.publish("TXT")
        domain.checked()
        domain.await_signer(domain.name)
        first = {key["selector"] for key in domain.keys()}
        seen, stop = [], threading.Event()

        def load():
            """Each message is verified as it comes, by the DNS of that moment."""
            while not stop.is_set():
                content, _ = self.sandbox.received(domain.submit())
                try:
                    count = mail.verify_all(self.sandbox, content)
                    names = {d for d, _, _ in mail.signatures(content)}
                    seen.append((count, names, frozenset(s for _, s, _ in mail.signatures(content))))
                except Exception as wrong:  # whatever dkimpy says, it did not verify
                    seen.append((0, {str(wrong)}, frozenset()))

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                last = {key["selector"] for key in domain.keys() if key["state"] == "active"}
                rotated = self.key("rotate", domain)
                new = {record["name"].split(".")[0] for record in rotated["dns"]}
                count = len(seen)
                wait_for(lambda: len(seen) > count + 5, "mail while nothing is published")
                self.assertEqual(domain.checked()["activated"], 0)
                # One record first: that key alone changes.
                domain.publish(records=rotated["dns"][:1])
                self.assertEqual(domain.checked()["activated"], 1)
                count = len(seen)
                wait_for(lambda: len(seen) > count + 5, "mail between the records")
                domain.publish(records=rotated["dns"][1:])
                self.assertEqual(domain.checked()["activated"], 1)
                wait_for(lambda: seen[-1][2] == new, f"{new} signing")
                self.assertFalse(last & {k["selector"] for k in domain.keys() if k["state"] == "active"})
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual({(count, frozenset(names)) for count, names, _ in seen},
                         {(2, frozenset({domain.name}))})
        self.assertTrue(any(selectors == first for _, _, selectors in seen))
