# SPDX-License-Identifier: MIT
"""Domains: who owns them, what they authorise, and what the DNS says of them."""

import re
import unittest

import mail
from domain import Domain
from sandbox import fresh, shared, wait_for

INSTALLATION = "rp.outrider.test"


class Ownership(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def refused(self, *arguments):
        result = self.sandbox.outrider_plain(*arguments, check=False)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        return result.stderr

    def test_in_unicode(self):
        domain = Domain(self.sandbox, alone=True)
        name = f"b\u00fc{domain.name}"
        self.sandbox.outrider("domain", "add", domain.owner, name)
        self.sandbox.outrider("credential", "change", domain.owner, "app", "--sender", f"app@{name}")
        self.sandbox.followed()
        wait_for(lambda: self.taken(domain, f"app@{name}"), f"mail from {name} being taken")
        self.assertTrue(self.taken(domain, f"App@{name.encode('idna').decode()}"))
        for other in (f"other@{name}", f"app@{domain.name}", f"app@b\u200d\u00fc{domain.name}"):
            self.assertFalse(self.taken(domain, other), other)

    def taken(self, domain, author):
        """Whether mail by this author is; if not, then with 530."""
        recipient = fresh()
        with domain.sender.client() as client:
            client.mail(author, ["SMTPUTF8"])
            code, _ = client.rcpt(recipient)
            if code == 250:
                code, _ = client.data(mail.message(recipient, sender=author))
        self.assertIn(code, (250, 530))
        return code == 250

    def test_proved_by_dns(self):
        domain = Domain(self.sandbox, "--unverified")
        self.assertEqual(domain.refuses(), 530)
        verify = ("domain", "verify", domain.owner, domain.name)
        proof = [r for r in domain.record["dns"] if r["value"].startswith("outrider-verification=")]
        self.assertRegex(proof[0]["value"], "^outrider-verification=[a-z0-9]{32}$")
        self.assertIn("has no TXT record", self.refused(*verify))
        self.sandbox.control("dns", "add", domain.name, "TXT", proof[0]["value"][:-1])
        self.assertIn("has no TXT record", self.refused(*verify))
        domain.publish(records=proof)
        self.assertIsNotNone(domain.verify()["verified_at"])
        domain.accepted()
        self.assertIn("verified already", self.refused(*verify))

    def test_proof_of_another_does_not_count(self):
        mine, other = Domain(self.sandbox, "--unverified"), Domain(self.sandbox, "--unverified")
        token = other.record["verification_token"]
        self.sandbox.control("dns", "add", mine.name, "TXT", f"outrider-verification={token}")
        self.assertIn("has no TXT record", self.refused("domain", "verify", mine.owner, mine.name))
        self.assertEqual(mine.refuses(), 530)

    def test_proved_by_mail(self):
        domain = Domain(self.sandbox, "--unverified")
        self.sandbox.control("dns", "add", domain.name, "MX", "10 mx.ok.test.")
        verify = ("domain", "verify", domain.owner, domain.name)
        address = f"postmaster@{domain.name}"
        self.assertIn("mail: allowed are", self.refused(*verify, "--mail", "me@ok.test"))
        domain.verify("--mail", address)
        content, record = self.sandbox.received(address)
        self.assertEqual(record["sender"], "")
        self.assertEqual(mail.verify_all(self.sandbox, content), 2)
        self.assertEqual({d for d, _, _ in mail.signatures(content)}, {INSTALLATION})
        code = re.search(rb"\r\n    (\d{6})\r\n", content).group(1).decode()
        wrong = f"{(int(code) + 1) % 1000000:06}"
        self.assertIn("4 tries are left", self.refused(*verify, "--code", wrong))
        self.assertEqual(domain.refuses(), 530)
        domain.verify("--code", code)
        domain.accepted()

    def test_servers_own_goes_before_its_organizations(self):
        mine = Domain(self.sandbox)
        self.sandbox.outrider("domain", "add", "acme", mine.name)
        both = self.sandbox.outrider("domain", "show", "acme", mine.name)
        mine.publish("TXT")
        mine.publish("TXT", records=both["dns"])
        mine.checked()
        mine.await_signer(mine.name)
        content, _ = self.sandbox.received(mine.submit())
        self.assertEqual({s for _, s, _ in mail.signatures(content)},
                         {key["selector"] for key in mine.keys()})

    def test_of_another_server_is_refused(self):
        theirs = Domain(self.sandbox)
        mine = Domain(self.sandbox, alone=True)
        self.assertEqual(mine.refuses(f"app@{theirs.name}"), 530)


class Authors(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def test_sub_domains_only_when_the_domain_says_so(self):
        domain = Domain(self.sandbox)
        domain.publish("TXT")
        domain.checked()
        domain.await_signer(domain.name)
        below = f"app@a.b.{domain.name}"
        self.assertEqual(domain.refuses(below), 530)
        domain.change("--subdomains", "yes")
        domain.accepted(below)
        self.assertEqual({d for d, _ in domain.signers(below)}, {domain.name})
        self.assertEqual(domain.refuses(f"app@x{domain.name}"), 530)
        self.assertEqual(domain.refuses("app@test"), 530)
        domain.change("--subdomains", "no")
        wait_for(lambda: domain.refuses(below) == 530, "the sub-domain being refused again")

    def test_use_for_any_authorises_any_author_of_its_server(self):
        domain = Domain(self.sandbox, alone=True)
        foreign = "ceo@elsewhere.test"
        self.assertEqual(domain.refuses(foreign), 530)
        domain.change("--use-for-any", "yes")
        domain.accepted(foreign)
        self.assertEqual({d for d, _ in domain.signers(foreign)}, {INSTALLATION})
        other = Domain(self.sandbox)
        self.assertEqual(other.refuses(foreign), 530)


class ReturnPaths(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def host(self, domain):
        return self.sandbox.received(domain.submit())[1]["sender"].rsplit("@", 1)[1]

    def test_own_host_while_its_cname_is_right(self):
        domain = Domain(self.sandbox)
        own = f"psrp.{domain.name}"
        self.assertEqual(self.host(domain), INSTALLATION)
        domain.publish("CNAME")
        self.assertEqual(domain.items()["return path"], "ok")
        wait_for(lambda: self.host(domain) == own, "the return path below the domain")
        recipient = domain.submit()
        _, record = self.sandbox.received(recipient)
        self.assertRegex(record["sender"], rf"^[a-z2-7]{{31}}-[1-9]\d*@{re.escape(own)}$")
        entry = self.sandbox.history(recipient, "Sent")
        self.assertEqual(entry["return_path"], record["sender"])
        self.assertEqual(entry["lane"], int(record["sender"].split("@")[0].split("-")[1]))
        self.assertEqual(entry["deliveries"][0]["source_ip"], record["peer"])

    def test_what_is_held_opens_after_the_cname_is_gone(self):
        domain = Domain(self.sandbox, alone=True)
        wait_for(lambda: domain.show()["dns_status"], "the worker's first look")
        own = f"psrp.{domain.name}"
        domain.publish("CNAME")
        domain.checked()
        wait_for(lambda: self.host(domain) == own, "the return path below the domain")
        domain.sender.change("--mode", "development")
        recipient = wait_for(lambda: self.held(domain), "a message on hold")
        domain.unpublish(own, "CNAME")
        self.assertEqual(domain.items()["return path"], "missing")
        domain.sender.change("--mode", "live")
        wait_for(lambda: self.host(domain) == INSTALLATION, "the installation's return path")
        entry = self.sandbox.history(recipient, "Held")
        self.sandbox.outrider("hold", "release", str(entry["id"]))
        self.assertEqual(self.sandbox.received(recipient)[1]["sender"].rsplit("@", 1)[1], own)
        self.sandbox.history(recipient, "Sent")

    def held(self, domain):
        recipient = domain.submit()
        wait_for(lambda: self.sandbox.outrider("message", "list", "--to", recipient), recipient)
        return recipient if self.sandbox.history(recipient)["status"] == "Held" else None

    def test_a_cname_that_points_elsewhere_is_not_used(self):
        domain = Domain(self.sandbox)
        self.sandbox.control("dns", "add", f"psrp.{domain.name}", "CNAME", "ok.test.")
        report = domain.checked()
        finding = next(f for f in report["findings"] if f["item"] == "return path")
        self.assertEqual((finding["status"], finding["found"]), ("wrong", "ok.test"))
        self.assertEqual(report["status"], "wrong")
        self.assertEqual(self.host(domain), INSTALLATION)


class Checks(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def test_missing_then_right_then_wrong(self):
        domain = Domain(self.sandbox)
        wait_for(lambda: domain.show()["dns_status"], "the worker's first look")
        items = domain.items()
        self.assertEqual({items[name] for name in ("spf", "return path", "mx", "dmarc")}, {"missing"})
        self.assertEqual(domain.show()["dns_status"], "missing")
        domain.publish()
        self.sandbox.control("dns", "add", domain.name, "MX", "10 mail.outrider.test.")
        report = domain.checked()
        self.assertEqual({f["status"] for f in report["findings"]}, {"ok"}, report)
        shown = domain.show()
        self.assertEqual(shown["dns_status"], "ok")
        self.assertIsNotNone(shown["dns_checked_at"])
        self.sandbox.control("dns", "del", domain.name, "TXT")
        self.sandbox.control("dns", "add", domain.name, "TXT", "v=spf1 -all")
        finding = next(f for f in domain.checked()["findings"] if f["item"] == "spf")
        self.assertEqual((finding["status"], finding["found"]), ("wrong", "v=spf1 -all"))
        selector = domain.keys()[0]["selector"]
        domain.unpublish(f"{selector}._domainkey.{domain.name}", "TXT")
        self.assertEqual(domain.items()[f"dkim {selector}"], "missing")

    def spf(self, domain, policy):
        self.sandbox.control("dns", "add", domain.name, "TXT", policy)
        finding = next(f for f in domain.checked()["findings"] if f["item"] == "spf")
        domain.unpublish(domain.name, "TXT")
        return finding

    def test_spf_by_the_records_that_a_record_includes(self):
        domain = Domain(self.sandbox)
        vendor, common, loop = (f"{word}.{domain.name}" for word in ("vendor", "common", "loop"))
        for name, policy in ((vendor, f"v=spf1 a redirect={common}"),
                             (common, f"v=spf1 ip4:192.0.2.1 include:{INSTALLATION} ~all"),
                             (loop, f"v=spf1 include:{loop} -all")):
            self.sandbox.control("dns", "add", name, "TXT", policy)
        for policy, status, wrong in ((f"v=spf1 mx include:{vendor} -all", "ok", None),
                                      (f"v=spf1 redirect={common}", "ok", None),
                                      (f"v=spf1 ~include:{vendor} -all", "wrong", "not as a pass"),
                                      (f"v=spf1 include:none.{domain.name} -all", "wrong", "no SPF record"),
                                      (f"v=spf1 include:{loop} -all", "wrong", "more than 10")):
            with self.subTest(policy):
                finding = self.spf(domain, policy)
                self.assertEqual((finding["status"], finding["found"]), (status, policy))
                self.assertIn(wrong or "", finding["wrong"] or "")

    def test_without_dns_nothing_is_called_missing(self):
        domain = Domain(self.sandbox)
        wait_for(lambda: domain.show()["dns_status"], "the worker's first look")
        domain.publish()
        self.assertEqual(domain.checked()["status"], "ok")
        self.sandbox.stop("dns")
        try:
            report = domain.checked()
        finally:
            self.sandbox.start("dns")
        self.assertEqual({f["status"] for f in report["findings"]}, {"could not check"})
        # What was right stays in use.
        self.assertEqual(domain.show()["return_path_label"], "psrp")
        self.assertEqual({key["state"] for key in domain.keys()}, {"active"})

    def test_worker_finds_out_by_itself(self):
        domain = Domain(self.sandbox)
        wait_for(lambda: domain.show()["dns_status"] == "missing", "the worker's first look")
        domain.publish()
        wait_for(lambda: {key["state"] for key in domain.keys()} == {"active"},
                 "the worker's next look", patience=150)
