# SPDX-License-Identifier: MIT
"""Ways out: ten addresses whose weights change, one that goes away under its mail, rules, IPv6, smart hosts."""

import collections
import concurrent.futures
import json
import os
import pathlib
import smtplib
import unittest

import mail
from sandbox import fresh, run, shared, wait_for

TEN = [f"192.0.2.{number}" for number in range(21, 31)]
DRAINED = 46.0  # chi-square that chance exceeds once in a million or so, with nine degrees of freedom
WORD = "word of the relay"


def outrider(*arguments, check=True):
    """Inside, with the sandbox's resolver."""
    sandbox = shared()
    return sandbox.execute(sandbox.variables["OUTRIDER"], "-c", sandbox.outrider_conf, *arguments, check=check)


def lanes_text():
    return pathlib.Path(shared().postfix_conf, "outrider", "lanes.regexp").read_text()


def reloaded(look, what):
    """What outrider-lanes.path does where there is systemd."""
    wait_for(look, what)
    shared().execute("postfix", "-c", shared().postfix_conf, "reload")


def address_of(name):
    return shared().execute("python3", "-c", f"import socket; print(socket.gethostbyname({name!r}))").stdout.strip()


def lane_of(address):
    return shared().outrider("address", "show", address)["lane"]


class Base(unittest.TestCase):
    """Deletes what it made, the latest first."""

    @classmethod
    def setUpClass(cls):
        outrider("postfix", "apply")

    def make(self, *arguments, undo):
        made = shared().outrider(*arguments)
        self.addCleanup(shared().followed)
        self.addCleanup(shared().outrider, *undo)
        return made

    def rule(self, *arguments, owner="acme/main"):
        rule = shared().outrider("rule", "add", owner, *arguments)
        self.addCleanup(shared().followed)
        self.addCleanup(shared().outrider, "rule", "delete", str(rule["id"]))
        shared().followed()
        return rule

    def send_many(self, count, domain, sender=mail.SENDER):
        recipients = [fresh(domain) for _ in range(count)]
        with mail.Client(shared()) as client:
            for recipient in recipients:
                client.submit(mail.message(recipient), recipient, sender=sender)
        return recipients


class Ten(Base):
    """A pool of ten addresses that a rule of the organization sends the test's mail to."""

    def setUp(self):
        sandbox = shared()
        self.make("pool", "add", "ten", undo=("pool", "delete", "ten"))
        outrider("pool", "allow", "ten", "acme")
        for address in TEN:
            run(["ip", "address", "replace", f"{address}/32", "dev", "lo"])
            self.addCleanup(run, ["ip", "address", "del", f"{address}/32", "dev", "lo"], False)
            name = f"ten{address.rsplit('.', 1)[1]}.outrider.test"
            sandbox.outrider("address", "add", "ten", "--ipv4", address, "--helo", name, "--weight", "0")
        self.addCleanup(self.delete_addresses)
        shared().followed()
        first = lane_of(TEN[0])
        reloaded(lambda: f" outrider-ip{first + 9}:" in lanes_text(), "the lines of ten")
        self.rule("--pool", "ten", "--from", "ten@acme.test", "--to", "bulk2.test,late.test", owner="acme")

    def delete_addresses(self):
        for row in shared().outrider("address", "list", "ten"):
            shared().outrider("address", "delete", row["ipv4"])

    def weigh(self, weights):
        for address, weight in weights.items():
            outrider("address", "change", address, "--weight", str(weight), "--force")
        shared().followed()

    def shares(self, weights):
        recipients = self.send_many(400, "bulk2.test")
        records = [shared().received(recipient)[1] for recipient in recipients]
        count = collections.Counter(record["peer"] for record in records)
        total = sum(weights.values())
        self.assertEqual(set(count) - {a for a, w in weights.items() if w}, set())
        chi_square = sum((count[a] - 400 * w / total) ** 2 / (400 * w / total)
                         for a, w in weights.items() if w)
        self.assertLess(chi_square, DRAINED)
        for record in records:
            self.assertEqual(record["helo"], f"ten{record['peer'].rsplit('.', 1)[1]}.outrider.test")

    def test_shares_follow_weights_that_change(self):
        weights = {address: 10 * (index + 1) for index, address in enumerate(TEN)}
        self.weigh(weights)
        self.shares(weights)
        weights[TEN[9]] = 0
        weights[TEN[0]] = 100
        self.weigh({TEN[9]: 0, TEN[0]: 100})
        self.shares(weights)

    def test_from_condition_takes_a_tag_and_another_recipient_does_not_match(self):
        self.weigh({TEN[0]: 100})
        recipient = fresh()
        mail.send(shared(), recipient, mail.message(recipient, sender="Ten+news@ACME.test"))
        self.assertEqual(shared().received(recipient)[1]["peer"], TEN[0])
        recipient = fresh()
        mail.send(shared(), recipient)
        self.assertNotIn(shared().received(recipient)[1]["peer"], TEN)

    def came(self, recipients):
        """The envelopes of what the simulator took for these."""
        wanted = set(recipients)
        return [record for record in shared().envelopes("late.test")
                if record["recipients"][0]["address"] in wanted]

    def queued(self, recipients):
        """Those of them that the queue still has; other mail may wait there, for its own reasons."""
        wanted = set(recipients)
        return [entry for entry in shared().queue()
                if wanted & {recipient["address"] for recipient in entry["recipients"]}]

    def waiting(self, recipients):
        """Their senders in the queue; one look may miss what just moves from one part of it to another."""
        seen = {}

        def look():
            seen.update({one["address"]: entry["sender"] for entry in shared().queue() for one in entry["recipients"]})
            return set(recipients) <= set(seen)

        wait_for(look, "all of them in the queue", tell=lambda: set(recipients) - set(seen))
        return seen

    def test_five_hundred_leave_by_the_others_when_their_address_goes(self):
        sandbox = shared()
        sandbox.control("dns", "add", "late.test", "MX", "10 mx.down.test.")
        self.addCleanup(sandbox.control, "dns", "del", "late.test", "MX")
        self.weigh({TEN[0]: 100})
        gone = lane_of(TEN[0])
        recipients = self.send_many(480, "late.test") + self.send_many(20, "late.test", sender="")
        waiting = self.waiting(recipients)
        self.assertTrue(all(waiting[r].endswith(f"-{gone}@rp.outrider.test") for r in recipients[:480]))
        self.weigh({address: 100 for address in TEN[1:]})
        sandbox.outrider("address", "delete", TEN[0])
        shared().followed()
        reloaded(lambda: f"-{gone}@" in lanes_text() and f"outrider-ip{gone}:" not in lanes_text(),
                 "the lane's other ways")
        run(["ip", "address", "del", f"{TEN[0]}/32", "dev", "lo"])
        sandbox.control("dns", "add", "late.test", "MX", "5 mx.ok.test.")  # no moment without: mail would bounce
        wait_for(lambda: len(self.came(recipients)) >= 500, "five hundred", 180)
        wait_for(lambda: not self.queued(recipients), "none of them in the queue", 120,
                 tell=lambda: self.queued(recipients))
        came = self.came(recipients)
        self.assertEqual(collections.Counter(r["recipients"][0]["address"] for r in came),
                         collections.Counter(recipients))
        peers = collections.Counter(record["peer"] for record in came)
        self.assertEqual(set(peers) - set(TEN[1:]), set())
        self.assertGreater(len(peers), 6)
        self.assertNotIn(f"private/outrider-ip{gone}", sandbox.mail_log_text())


@unittest.skipUnless(os.path.exists("/proc/sys/net/ipv6"), "this system has no IPv6")
class Check(Base):
    PTR = "11.2.0.192.in-addr.arpa"

    def results(self, *what):
        result = outrider("--json", "pool", "check", *what, check=False)
        rows = json.loads(result.stdout)
        self.assertEqual(result.returncode, 0 if all(r["result"] == "ok" for r in rows) else 1)
        return {(row["address"], row["check"]): row["result"] for row in rows}

    def test_what_the_dns_says_of_each_address(self):
        sandbox = shared()
        rows = self.results("main")
        self.assertEqual(len(rows), 30)
        self.assertEqual(set(rows.values()), {"ok"})
        sandbox.control("dns", "del", self.PTR, "PTR")
        self.addCleanup(sandbox.control, "dns", "add", self.PTR, "PTR", "out11.outrider.test.")
        self.assertEqual(self.results("192.0.2.11")["192.0.2.11", "ptr"], "wrong")
        sandbox.control("dns", "add", self.PTR, "PTR", "other.outrider.test.")
        self.assertEqual(self.results("192.0.2.11")["192.0.2.11", "ptr is helo"], "wrong")
        sandbox.control("dns", "del", self.PTR, "PTR")

    def test_two_addresses_may_go_by_one_name_that_leads_back_to_both(self):
        sandbox, name = shared(), "pair.outrider.test"
        self.make("pool", "add", "pair", undo=("pool", "delete", "pair"))
        for number in (62, 63):
            address, reverse = f"192.0.2.{number}", f"{number}.2.0.192.in-addr.arpa"
            run(["ip", "address", "replace", f"{address}/32", "dev", "lo"])
            self.addCleanup(run, ["ip", "address", "del", f"{address}/32", "dev", "lo"], False)
            sandbox.control("dns", "add", reverse, "PTR", f"{name}.")
            self.addCleanup(sandbox.control, "dns", "del", reverse, "PTR")
            sandbox.control("dns", "add", name, "A", address)
            outrider("address", "add", "pair", "--ipv4", address, "--helo", name)
            self.addCleanup(outrider, "address", "delete", address)
        self.addCleanup(sandbox.control, "dns", "del", name, "A")
        rows = self.results("pair")
        self.assertEqual((len(rows), set(rows.values())), (10, {"ok"}))
        sandbox.control("dns", "del", name, "A")
        sandbox.control("dns", "add", name, "A", "192.0.2.62")
        rows = self.results("pair")
        self.assertEqual(rows["192.0.2.62", "once"], "wrong")
        self.assertEqual(rows["192.0.2.63", "helo leads back"], "wrong")

    def test_dns_that_is_away_is_not_a_missing_record(self):
        sandbox = shared()
        sandbox.stop("dns")
        try:
            rows = self.results("192.0.2.11")
        finally:
            sandbox.start("dns")
        self.assertEqual(rows["192.0.2.11", "host"], "ok")
        self.assertEqual((rows["192.0.2.11", "ptr"], rows["192.0.2.11", "helo leads back"]),
                         ("could not check", "could not check"))

    def test_address_without_ptr_takes_no_mail_unless_forced(self):
        arguments = ("address", "add", "main", "--ipv4", "192.0.2.99", "--helo", "out99.outrider.test")
        refused = outrider(*arguments, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("fails its check: host: wrong", refused.stderr)
        outrider(*arguments, "--weight", "0")
        self.addCleanup(shared().followed)
        self.addCleanup(outrider, "address", "delete", "192.0.2.99")
        self.assertNotEqual(outrider("address", "change", "192.0.2.99", "--weight", "5", check=False).returncode, 0)
        outrider("address", "change", "192.0.2.99", "--weight", "5", "--force")
        self.assertTrue(shared().outrider("address", "show", "192.0.2.99")["forced"])


class Together(Base):
    def test_addresses_that_are_added_at_once_all_take_mail(self):
        sandbox = shared()
        self.make("pool", "add", "crowd", undo=("pool", "delete", "crowd"))
        addresses = [f"192.0.2.{number}" for number in range(41, 51)]
        for address in addresses:
            run(["ip", "address", "replace", f"{address}/32", "dev", "lo"])
            self.addCleanup(run, ["ip", "address", "del", f"{address}/32", "dev", "lo"], False)
        with concurrent.futures.ThreadPoolExecutor(len(addresses)) as pool:
            done = [pool.submit(outrider, "address", "add", "crowd", "--ipv4", address, "--helo",
                                "crowd.outrider.test", "--force") for address in addresses]
        for address, one in zip(addresses, done):
            self.addCleanup(outrider, "address", "delete", address)
            self.assertEqual(one.result().stderr, "")
        lanes = {str(lane_of(address)) for address in addresses}
        served = pathlib.Path(sandbox.postfix_conf, "outrider", "lanes.served").read_text().split("\n")
        services = sandbox.execute("postconf", "-c", sandbox.postfix_conf, "-M").stdout.split()
        self.assertEqual(lanes - set(served), set())
        self.assertEqual({f"outrider-ip{lane}" for lane in lanes} - set(services), set())


class Elsewhere(Base):
    def test_address_of_another_host_takes_no_mail_here(self):
        sandbox = shared()
        made = self.make("address", "add", "main", "--ipv4", "203.0.113.77", "--helo", "far.outrider.test",
                         "--force", undo=("address", "delete", "203.0.113.77"))
        shared().followed()
        recipients = self.send_many(60, "bulk4.test")
        peers = {sandbox.received(recipient)[1]["peer"] for recipient in recipients}
        self.assertLessEqual(peers, {"192.0.2.11", "192.0.2.12", "192.0.2.13"})
        self.assertNotIn(f" outrider-ip{made['lane']}:", lanes_text())


class Waits(Base):
    """A pool of one's own whose mail waits rather than leave from elsewhere."""
    ADDRESS = "192.0.2.61"

    def setUp(self):
        self.make("pool", "add", "own", "--fallback", "defer", undo=("pool", "delete", "own"))
        outrider("pool", "allow", "own", "acme")
        run(["ip", "address", "replace", f"{self.ADDRESS}/32", "dev", "lo"])
        self.addCleanup(run, ["ip", "address", "del", f"{self.ADDRESS}/32", "dev", "lo"], False)
        self.rule("--pool", "own", "--from", "own@acme.test", "--to", "late.test,ok.test")

    def add_address(self):
        made = self.make("address", "add", "own", "--ipv4", self.ADDRESS, "--helo", "own.outrider.test", "--force",
                         undo=("address", "delete", self.ADDRESS))
        shared().followed()
        return made["lane"]

    def submit(self, recipient, **options):
        mail.send(shared(), recipient, mail.message(recipient), **options)

    def refused(self, recipient):
        with self.assertRaises(smtplib.SMTPResponseException) as caught:
            self.submit(recipient)
        return caught.exception.smtp_code, caught.exception.smtp_error.decode()

    def test_new_mail_is_put_off_until_an_address_takes_it(self):
        recipient = fresh()
        code, text = self.refused(recipient)
        self.assertEqual(code, 451)
        self.assertIn("4.7.0 No address of pool own takes mail on this node", text)
        identifier = text.rsplit(" ", 1)[1]
        wait_for(lambda: "No address of pool own" in outrider("explain", identifier, check=False).stdout,
                 "explain says why")
        lane = self.add_address()
        reloaded(lambda: f"outrider-ip{lane}:" in lanes_text(), "the address's line")
        self.submit(recipient)
        self.assertEqual(shared().received(recipient)[1]["peer"], self.ADDRESS)
        outrider("address", "change", self.ADDRESS, "--weight", "0")
        shared().followed()
        self.assertEqual(self.refused(fresh())[0], 451)

    def test_several_recipients_wait_behind_the_hop(self):
        recipients = [fresh(), fresh()]
        with mail.Client(shared()) as client:
            client.sendmail(mail.SENDER, recipients, mail.message(recipients[0]))
        for recipient in recipients:
            entry = shared().history(recipient, "SoftFail")
            self.assertIn("No address of pool own", entry["deliveries"][0]["text"])
        lane = self.add_address()
        reloaded(lambda: f"outrider-ip{lane}:" in lanes_text(), "the address's line")
        shared().execute("postqueue", "-c", shared().postfix_conf, "-f")
        for recipient in recipients:
            self.assertEqual(shared().received(recipient)[1]["peer"], self.ADDRESS)

    def test_queued_mail_waits_when_its_address_goes_and_leaves_by_the_next(self):
        sandbox = shared()
        sandbox.control("dns", "add", "late.test", "MX", "10 mx.down.test.")
        self.addCleanup(sandbox.control, "dns", "del", "late.test", "MX")
        outrider("address", "add", "own", "--ipv4", self.ADDRESS, "--helo", "own.outrider.test", "--force")
        shared().followed()
        gone = lane_of(self.ADDRESS)
        reloaded(lambda: f"outrider-ip{gone}:" in lanes_text(), "the address's line")
        recipients = self.send_many(2, "late.test") + self.send_many(1, "late.test", sender="")
        for recipient in recipients:
            sandbox.history(recipient, "SoftFail")
        outrider("address", "delete", self.ADDRESS)
        shared().followed()
        reloaded(lambda: f"-{gone}@" in lanes_text() and f"outrider-ip{gone}:" not in lanes_text(),
                 "the lane's line that puts off")
        self.assertIn("retry:4.7.0 no address of the pool", lanes_text())
        sandbox.control("dns", "add", "late.test", "MX", "5 mx.ok.test.")
        for recipient, said in zip(recipients, ["no address of the pool"] * 2 + ["server configuration error"]):
            sandbox.execute("postqueue", "-c", sandbox.postfix_conf, "-f")
            wait_for(lambda: said in sandbox.outrider_plain("explain", recipient).stdout, f"explain says {said}",
                     tell=lambda: sandbox.outrider_plain("explain", recipient).stdout)
            self.assertEqual(sandbox.inbox(recipient), [])
        lane = self.add_address()
        reloaded(lambda: f"outrider-ip{lane}:" in lanes_text(), "the next address's line")
        sandbox.execute("postqueue", "-c", sandbox.postfix_conf, "-f")
        for recipient in recipients:
            self.assertEqual(sandbox.received(recipient)[1]["peer"], self.ADDRESS)


@unittest.skipUnless(os.path.exists("/proc/sys/net/ipv6"), "this system has no IPv6")
class Six(Base):
    def test_ipv6_leaves_from_the_address_with_its_helo(self):
        recipients = self.send_many(20, "six.test")
        for recipient in recipients:
            record = shared().received(recipient)[1]
            number = record["peer"].rsplit(":", 1)[1]
            self.assertEqual(record["peer"], f"2001:db8::{number}")
            self.assertEqual(record["helo"], f"out{number}.outrider.test")
            entry = shared().history(recipient, "Sent")["deliveries"][0]
            self.assertEqual((entry["source_ip"], entry["helo"]), (record["peer"], record["helo"]))


class SmartHosts(Base):
    """Each case has a recipient domain of its own, so that what waits is told apart."""

    def setUp(self):
        self.file = pathlib.Path(shared().directory, "etc", "relay-password")
        self.secret(WORD)
        self.addCleanup(self.file.unlink)

    def secret(self, word):
        self.file.touch(mode=0o600)
        self.file.write_text(word + "\n")

    def smarthost(self, host, *options, user=True):
        login = ("--user", "relay", "--secret-file", str(self.file)) if user else ()
        made = self.make("smarthost", "add", "trial", "--host", host, "--port", "25", *login, *options,
                         undo=("smarthost", "delete", "trial"))
        reloaded(lambda: f" outrider-sh{made['lane']}:[{host}]:25\n" in lanes_text(), "the smart host's line")
        return made

    def simulator_log(self):
        return pathlib.Path(shared().log_dir, "simulator.log").read_text()

    def waits(self, host, domain, reason, *options, user=True, never="IN CLEAR"):
        sandbox = shared()
        self.smarthost(host, *options, user=user)
        self.rule("--smarthost", "trial", "--to", domain)
        before = len(self.simulator_log())
        recipient = fresh(domain)
        mail.send(sandbox, recipient)
        entry = sandbox.history(recipient, "SoftFail")
        told = wait_for(lambda: self.told(recipient, reason), f"explain says {reason}",
                        tell=lambda: sandbox.outrider_plain("explain", str(entry["id"])).stdout)
        self.assertIn("smart host trial", told)
        self.assertEqual(sandbox.inbox(recipient), [])
        self.assertNotIn(never, self.simulator_log()[before:])
        sandbox.execute("postsuper", "-d", entry["queue_id"])

    def told(self, recipient, reason):
        text = shared().outrider_plain("explain", recipient).stdout
        return text if reason in text else None

    def test_login_over_verified_tls(self):
        sandbox = shared()
        made = self.smarthost("mx.relay.test")
        self.rule("--smarthost", "trial", "--to", "partner1.test")
        before = len(self.simulator_log())
        for sender in (mail.SENDER, ""):
            recipient = fresh("partner1.test")
            mail.send(sandbox, recipient, sender=sender)
            content, record = sandbox.received(recipient)
            self.assertEqual((record["host"], record["user"]), ("mx.relay.test", "relay"))
            self.assertIsNotNone(record["tls"])
            self.assertEqual(mail.verify_all(sandbox, content), 2)
            entry = sandbox.history(recipient, "Sent")
            self.assertIn("mx.relay.test", entry["deliveries"][0]["relay"])
            self.assertEqual(entry["lane"], made["lane"])
        self.assertIn("relay.test: AUTH protected", self.simulator_log()[before:])
        self.assertNotIn("IN CLEAR", self.simulator_log()[before:])
        self.assertNotIn(WORD, run(["mariadb", "-S", sandbox.db_socket, sandbox.db_name, "-e",
                                    "SELECT * FROM smarthost"]).stdout)

    def test_smart_host_of_the_server_goes_before_its_pool(self):
        sandbox = shared()
        self.smarthost("mx.smarthost.test", "--tls", "none", user=False)
        sandbox.outrider("server", "change", "acme/main", "--smarthost", "trial")
        self.addCleanup(sandbox.outrider, "server", "change", "acme/main", "--smarthost", "none")
        shared().followed()
        recipient = fresh("bulk5.test")
        mail.send(sandbox, recipient)
        self.assertEqual(sandbox.received(recipient)[1]["host"], "mx.smarthost.test")

    def test_default_smart_host_goes_before_the_default_pool(self):
        sandbox = shared()
        self.smarthost("mx.smarthost.test", "--tls", "none", "--default", user=False)
        sandbox.outrider("server", "change", "acme/main", "--pool", "none")
        self.addCleanup(sandbox.outrider, "server", "change", "acme/main", "--pool", "main")
        shared().followed()
        recipient = fresh("bulk6.test")
        mail.send(sandbox, recipient)
        self.assertEqual(sandbox.received(recipient)[1]["host"], "mx.smarthost.test")

    def test_certificate_of_another_name(self):
        self.waits("mx.relay-other.test", "partner2.test", "ertificate")

    def test_wrong_password(self):
        self.secret("another word")
        self.waits("mx.relay.test", "partner3.test", "535 5.7.8")

    def test_no_starttls(self):
        self.waits("mx.relay-plain.test", "partner4.test", "TLS is required", "--tls", "encrypt")

    def test_no_starttls_and_no_password_in_clear(self):
        self.waits("mx.relay-plain.test", "partner5.test", "SASL", "--tls", "may")

    def test_what_a_smart_host_says_of_us_and_of_the_recipient(self):
        sender, rcpt, data = (f" (in reply to {verb} command)" for verb in ("MAIL FROM", "RCPT TO", "end of DATA"))
        said = "host mx.relay.test[198.51.100.7] said: "
        waits = [
            "5.4.4 Host or domain name not found. Name service error for name=mx.typo.test type=A: Host not found",
            "5.4.4 unable to look up host mx.typo.test: Name or service not known",
            "5.4.6 mail for [mx.relay.test]:25 loops back to myself",
            f"5.7.0 {said}530 5.7.0 Authentication required{sender}",
            f"5.7.8 {said}535 5.7.8 Error: authentication failed{sender}",
            f"5.7.1 {said}554 5.7.1 <a@b.test>: Relay access denied{rcpt}",
            f"5.7.1 {said}550 5.7.1 <a@b.test>... Relaying denied{rcpt}",
            f"5.0.0 {said}550 relay not permitted{rcpt}",
            f"5.7.54 {said}550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain{rcpt}",
            f"5.7.1 {said}550-5.7.1 you must be authenticated to relay 550 5.7.1 bye{rcpt}",
            f"5.7.1 {said}550 5.7.1 We do not relay for you{rcpt}",
        ]
        ends = [
            f"5.1.1 {said}550 5.1.1 <a@b.test>: User unknown{rcpt}",
            f"5.1.2 {said}550 5.1.2 <a@b.test>: Host or domain name not found{rcpt}",
            f"5.7.1 {said}554 5.7.1 Message looks like spam{data}",
            f"5.7.1 {said}550 5.7.1 Relay access denied by content rule{data}",
            f"5.3.4 {said}552 5.3.4 Message too big{sender}",
            f"5.7.1 {said}550 5.7.1 SPF: sender not authenticated{rcpt}",
            f"5.0.0 {said}553 530 is no such user{rcpt}",
            "5.6.7 SMTPUTF8 is required, but was not offered by host mx.relay.test[198.51.100.7]",
            f"2.0.0 {said}250 530 relay access denied{rcpt}",
            f"4.7.1 {said}451 4.7.1 try later{rcpt}",
        ]
        table = f"regexp:{shared().postfix_conf}/outrider/smarthost_status"
        answer = shared().execute("postmap", "-q", "-", table, input="\n".join(waits + ends) + "\n",
                                  stdin=None, check=False).stdout.splitlines()
        self.assertEqual(answer, [f"{text}\t4{text[1:]}" for text in waits])

    def test_password_goes_with_the_login(self):
        made = self.smarthost("mx.relay.test")
        kept = pathlib.Path(shared().postfix_conf, "outrider-secret", f"sh{made['lane']}")
        self.assertEqual((kept.stat().st_uid, kept.stat().st_mode & 0o777), (0, 0o600))
        self.assertIn(WORD, kept.read_text())
        shared().outrider("smarthost", "change", "trial", "--user", "none", "--secret-file", "none")
        self.assertFalse(kept.exists())

    def test_no_login_offered(self):
        self.waits("mx.relay-shy.test", "partner7.test", "530 5.7.0", "--tls", "may", never="AUTH IN CLEAR")

    def test_name_that_does_not_exist(self):
        self.waits("mx.typo.test", "partner8.test", "not found")

    def test_old_table_cannot_take_tls_away(self):
        sandbox = shared()
        table = pathlib.Path(sandbox.directory, "etc", "per-site")
        table.write_text("mx.smarthost.test NONE\n")
        self.addCleanup(sandbox.execute, "postfix", "-c", sandbox.postfix_conf, "reload")
        self.addCleanup(sandbox.execute, "postconf", "-c", sandbox.postfix_conf, "-X", "smtp_tls_per_site")
        sandbox.execute("postconf", "-c", sandbox.postfix_conf, "-e", f"smtp_tls_per_site = texthash:{table}")
        self.waits("mx.smarthost.test", "partner9.test", "TLS is required", "--tls", "encrypt", user=False)

    def test_what_waits_logs_in_where_it_was_to_go(self):
        """A null sender's way stands in the queue file; the smart host has moved meanwhile."""
        sandbox = shared()
        address = address_of("mx.relay.test")
        self.addCleanup(sandbox.control, "dns", "add", "mx.relay.test", "A", address, check=False)
        self.smarthost("mx.relay.test")
        self.rule("--smarthost", "trial", "--to", "partner10.test")
        sandbox.control("dns", "del", "mx.relay.test", "A")
        recipients = {sender: fresh("partner10.test") for sender in ("", mail.SENDER)}
        for sender, recipient in recipients.items():
            mail.send(sandbox, recipient, sender=sender)
            sandbox.history(recipient, "SoftFail")
        outrider("smarthost", "change", "trial", "--host", "mx.relay-other.test", "--tls", "encrypt")
        shared().followed()
        reloaded(lambda: "[mx.relay-other.test]:25" in lanes_text(), "the line of where it went")
        sandbox.control("dns", "add", "mx.relay.test", "A", address)
        sandbox.execute("postqueue", "-f")
        self.assertEqual(sandbox.received(recipients[""])[1]["host"], "mx.relay.test")
        self.assertEqual(sandbox.received(recipients[mail.SENDER])[1]["host"], "mx.relay-other.test")

    def test_without_its_password_mail_is_put_off(self):
        self.file.chmod(0o644)
        sandbox = shared()
        result = outrider("smarthost", "add", "trial", "--host", "mx.relay.test", "--user", "relay",
                          "--secret-file", str(self.file), check=False)
        self.addCleanup(shared().followed)
        self.addCleanup(sandbox.outrider, "smarthost", "delete", "trial")
        self.assertEqual(result.returncode, 1)
        self.assertIn("mode 0600", result.stderr)
        self.rule("--smarthost", "trial", "--to", "partner6.test")
        recipient = fresh("partner6.test")
        with self.assertRaises(smtplib.SMTPResponseException) as caught:
            mail.send(sandbox, recipient)
        self.assertEqual(caught.exception.smtp_code, 451)
        self.file.chmod(0o600)
        made = sandbox.outrider("smarthost", "change", "trial", "--port", "25")
        reloaded(lambda: f" outrider-sh{made['lane']}:[mx.relay.test]:25\n" in lanes_text(), "the line of the port")
        mail.send(sandbox, recipient)
        sandbox.history(recipient, "Sent")


if __name__ == "__main__":
    unittest.main()
