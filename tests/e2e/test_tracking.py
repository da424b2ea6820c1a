# SPDX-License-Identifier: MIT
"""Tracked links and pixels as they arrive: which, for whom, and what stays as it was."""

import base64
import contextlib
import functools
import http.client
import json
import os
import pathlib
import quopri
import re
import shutil
import subprocess
import tempfile
import unittest
import uuid

import mail
from sandbox import fresh, shared, wait_for
from tracked import LINK, PIXEL, Tracked, links, pixels

HTML = ["MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8"]
PLAIN = ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"]
URL = "https://shop.test/a?b=1&c=2#d"
PAGE = ("<html><head><title>x</title></head><body>\r\n"
        "<p>Gr\u00fc\u00dfe <A class=a HREF='https://shop.test/a?b=1&amp;c=2#d' >here</A>,\r\n"
        "<a href=\"mailto:a@b.test\">mail</a> <img src=\"https://shop.test/logo.png\"> https://shop.test/text\r\n"
        "</body></html>\r\n").encode()
MARKED = (b"<p><a data-notrack href=\"https://shop.test/one\">1</a>"
          b"<a href=\"https+notrack://shop.test/two\">2</a> http+notrack://shop.test/three</p>\r\n")
UNMARKED = (b"<a href=\"https://shop.test/one\">", b"<a href=\"https://shop.test/two\">", b" http://shop.test/three<")


@functools.cache
def common():
    """The server of those that change nothing about it."""
    return Tracked(shared(), "--text-links", "yes")


def plain(octets):
    """A body without pixel and with its links as they were."""
    return PIXEL.sub(b"", octets)


class Content(unittest.TestCase):
    """What changes in a message, and what does not."""

    def setUp(self):
        self.sandbox = shared()
        self.tracked = common()

    def send(self, body, headers=()):
        return self.tracked.send(body, headers)

    def untouched(self, body, headers=()):
        """Arrives octet for octet."""
        _, content, received = self.send(body, headers)
        self.assertEqual(mail.without_added(received), content)
        return received

    def test_html(self):
        recipient, content, received = self.send(PAGE, HTML)
        body = mail.split(received)[1]
        found = links(self.sandbox, body)
        self.assertEqual([(link.url, link.host, link.ordinal) for link in found], [(URL, self.tracked.host, 1)])
        self.assertEqual(len(pixels(self.sandbox, body)), 1)
        row = self.sandbox.history(recipient)
        self.assertEqual({found[0].id, pixels(self.sandbox, body)[0].id}, {row["id"]})
        told = row["tracking"]
        self.assertEqual((told["host"], [(link["ordinal"], link["url"]) for link in told["links"]], bool(told["pixel"])),
                         (self.tracked.host, [(1, URL)], True))
        self.assertEqual(told["growth"], len(body) - len(mail.split(content)[1]))
        # All but the value and the pixel is as it was.
        url = LINK.search(plain(body)).group(0)
        self.assertEqual(plain(body).replace(url, URL.replace("&", "&amp;").encode()),
                         mail.split(content)[1])
        raw = self.sandbox.outrider_plain("message", "raw", str(row["id"])).stdout
        self.assertEqual(raw.replace("\r\n", "\n").split("\n\n", 1)[1],
                         body.decode().replace("\r\n", "\n"))

    def test_text(self):
        _, _, received = self.send(f"See {URL}.\r\n<https://shop.test/b>\r\n".encode(), PLAIN)
        body = mail.split(received)[1]
        self.assertEqual([link.url for link in links(self.sandbox, body)], [URL, "https://shop.test/b"])
        self.assertRegex(body, rb"\ASee \S+\.\r\n<\S+>\r\n\Z")
        self.assertEqual(pixels(self.sandbox, body), [])

    def test_multipart_in_every_encoding(self):
        text = f"See {URL} now\r\n".encode()
        attached = b"<a href=\"https://shop.test/attached\">x</a>\r\n"
        quoted = quopri.encodestring(text.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        parts = [(b"text/plain; charset=utf-8", b"quoted-printable", quoted),
                 (b"text/html; charset=utf-8", b"base64", mail.base64_lines(PAGE))]
        inner = b"".join(b"--i\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n" % part
                         for part in parts) + b"--i--\r\n"
        body = (b"--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n" + inner +
                b"--o\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n\r\n" +
                attached + b"--o--\r\n")
        _, _, received = self.send(body, ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=o"])
        body = mail.split(received)[1]
        self.assertIn(attached, body)
        quoted, encoded = body.split(b"Content-Transfer-Encoding: ")[1:3]
        quoted = quopri.decodestring(quoted.split(b"\r\n\r\n", 1)[1].split(b"\r\n--i")[0])
        page = base64.b64decode(encoded.split(b"\r\n\r\n", 1)[1].split(b"\r\n--i")[0])
        self.assertEqual([link.url for link in links(self.sandbox, quoted)], [URL])
        self.assertEqual([link.url for link in links(self.sandbox, page)], [URL])
        self.assertEqual(len(pixels(self.sandbox, page)), 1)
        self.assertEqual(len({link.ordinal for link in links(self.sandbox, quoted) + links(self.sandbox, page)}), 2)

    def test_nothing_to_track(self):
        self.untouched(b"no link at all\r\n", PLAIN)
        self.untouched(os.urandom(30).hex().encode() + b"\r\n",
                       ["MIME-Version: 1.0", "Content-Type: application/x-thing"])

    def test_links_that_stay(self):
        for url in ("ftp://shop.test/", "https://user:word@shop.test/", "javascript:alert(1)", "//shop.test/x",
                    "https://shop.test/\\x", "https://{{host}}/", "#top", ""):
            with self.subTest(url[:40]):
                _, content, received = self.send(f"<p><a href=\"{url}\">x</a></p></body>\r\n".encode(), HTML)
                self.assertEqual(plain(mail.split(received)[1]), mail.split(content)[1])

    def test_long_lines_are_made_fit_behind_tracking(self):
        _, _, received = self.send(b"<p>" + b"word " * 600 + PAGE, HTML)
        self.assertLessEqual(max(map(len, received.split(b"\r\n"))), 998)
        body = mail.decode_quoted_printable(mail.split(received)[1])
        self.assertEqual([link.url for link in links(self.sandbox, body)], [URL])


class Sealed(unittest.TestCase):
    """What is signed or encrypted arrives as it was, and verifies."""

    def setUp(self):
        self.sandbox = shared()
        self.tracked = common()
        self.directory = tempfile.mkdtemp(prefix="outrider-seal-")
        self.addCleanup(shutil.rmtree, self.directory)

    def run_it(self, *command, data=None):
        return subprocess.run([str(word) for word in command], input=data, capture_output=True, check=True,
                              timeout=120, env={**os.environ, "GNUPGHOME": self.directory}).stdout

    def path(self, name, octets=None):
        path = pathlib.Path(self.directory, name)
        if octets is not None:
            path.write_bytes(octets)
        return path

    def untouched(self, body, header):
        _, content, received = self.tracked.send(body, ["MIME-Version: 1.0", header])
        self.assertEqual(mail.without_added(received), content)
        self.assertIsNone(LINK.search(received))
        return received

    def gpg(self, *options, data=None):
        return self.run_it("gpg", "--batch", "--quiet", "--no-tty", "--trust-model", "always", "--pinentry-mode",
                           "loopback", "--passphrase", "", *options, data=data)

    def pgp_key(self):
        self.gpg("--quick-generate-key", "app@acme.test", "future-default", "default", "never")
        self.addCleanup(self.run_it, "gpgconf", "--kill", "gpg-agent")

    def test_pgp_mime_signed(self):
        self.pgp_key()
        part = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + PAGE[:-2]
        signature = self.gpg("--armor", "--detach-sign", data=part).replace(b"\n", b"\r\n")
        body = (b"--b\r\n" + part + b"\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n" + signature +
                b"--b--\r\n")
        received = self.untouched(body, "Content-Type: multipart/signed; micalg=pgp-sha512; "
                                        "protocol=\"application/pgp-signature\"; boundary=b")
        arrived = mail.split(received)[1].split(b"--b\r\n")
        self.path("part", arrived[1][:-2])
        self.path("sig", arrived[2].split(b"\r\n\r\n", 1)[1].split(b"--b--")[0])
        self.gpg("--verify", self.path("sig"), self.path("part"))

    def test_pgp_mime_encrypted(self):
        self.pgp_key()
        sealed = self.gpg("--armor", "--encrypt", "--recipient", "app@acme.test", data=PAGE).replace(b"\n", b"\r\n")
        body = (b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
                b"Content-Type: application/octet-stream\r\n\r\n" + sealed + b"--b--\r\n")
        received = self.untouched(body, "Content-Type: multipart/encrypted; "
                                        "protocol=\"application/pgp-encrypted\"; boundary=b")
        armor = re.search(rb"-----BEGIN PGP.*-----END PGP MESSAGE-----", received, re.S).group(0)
        self.assertEqual(self.gpg("--decrypt", data=armor), PAGE)

    def test_pgp_inline(self):
        self.pgp_key()
        signed = self.gpg("--armor", "--clearsign", data=f"See {URL} now\n".encode()).replace(b"\n", b"\r\n")
        received = self.untouched(signed, "Content-Type: text/plain; charset=utf-8")
        self.gpg("--verify", data=mail.split(received)[1])

    def smime_certificate(self):
        self.run_it("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=app/emailAddress=app@acme.test", "-keyout", self.path("key"), "-out", self.path("cert"))
        return ["-signer", self.path("cert"), "-inkey", self.path("key")]

    def smime(self, message):
        """(Content-Type of the outer entity, body) of what openssl made; line ends are CRLF."""
        octets = re.sub(rb"\r?\n", b"\r\n", message)
        fields, body = mail.split(octets)
        kept = [re.sub(rb"\r\n\s+", b" ", field).strip().decode() for field in fields
                if mail.field_name(field) in ("content-type", "content-transfer-encoding", "content-disposition")]
        return kept, body

    def through(self, message):
        headers, body = self.smime(message)
        _, content, received = self.tracked.send(body, ["MIME-Version: 1.0", *headers])
        self.assertEqual(mail.without_added(received), content)
        return received

    def test_smime_signed(self):
        keys = self.smime_certificate()
        inner = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + PAGE
        received = self.through(self.run_it("openssl", "smime", "-sign", "-crlfeol", *keys, data=inner))
        shown = self.run_it("openssl", "smime", "-verify", "-CAfile", self.path("cert"), data=received)
        self.assertIn(b"https://shop.test/a?b=1&amp;c=2#d", shown)

    def test_smime_signed_within(self):
        """One part with all in it, as Outlook sends it."""
        keys = self.smime_certificate()
        received = self.through(self.run_it("openssl", "smime", "-sign", "-nodetach", *keys, data=PAGE))
        self.run_it("openssl", "smime", "-verify", "-CAfile", self.path("cert"), data=received)

    def test_smime_encrypted(self):
        self.smime_certificate()
        received = self.through(self.run_it("openssl", "smime", "-encrypt", "-aes256", self.path("cert"), data=PAGE))
        self.assertEqual(self.run_it("openssl", "smime", "-decrypt", "-recip", self.path("cert"), "-inkey",
                                     self.path("key"), data=received).replace(b"\r\n", b"\n"),
                         PAGE.replace(b"\r\n", b"\n"))


class Wishes(unittest.TestCase):
    """What a message, a link or a server does not want."""

    def setUp(self):
        self.sandbox = shared()
        self.tracked = common()

    def body_of(self, body, headers=(), tracked=None):
        _, _, received = (tracked or self.tracked).send(body, [*HTML, *headers])
        for name in ("X-AMP", "X-Outrider-Track"):
            self.assertEqual(mail.values(received, name), [])
        return mail.split(received)[1]

    def test_fields(self):
        for field, clicks, opens in (("X-AMP: skip", 0, 0), ("X-Outrider-Track: none", 0, 0),
                                     ("X-Outrider-Track: clicks", 1, 0), ("X-Outrider-Track: opens", 0, 1),
                                     ("X-Outrider-Track: all", 1, 1), ("X-Outrider-Track: ?", 0, 0)):
            with self.subTest(field):
                body = self.body_of(PAGE, [field])
                self.assertEqual((len(links(self.sandbox, body)), len(pixels(self.sandbox, body))), (clicks, opens))

    def test_marks(self):
        body = self.body_of(MARKED)
        self.assertEqual(links(self.sandbox, body), [])
        for part in UNMARKED:
            self.assertIn(part, body)

    def test_marks_of_a_server_without_track_domain(self):
        recipient = fresh()
        mail.send(self.sandbox, recipient, mail.message(recipient, MARKED, headers=[*HTML, "X-AMP: skip"]))
        received, _ = self.sandbox.received(recipient)
        self.assertEqual(mail.verify_all(self.sandbox, received), 2)
        self.assertNotIn(b"notrack", received)
        self.assertEqual(mail.values(received, "X-AMP"), [])
        self.assertIsNone(LINK.search(received))

    def test_shadow_mode_changes_nothing(self):
        shadow = Tracked(self.sandbox)
        shadow.sender.change("--shadow", "yes")
        body = PAGE + MARKED
        wait_for(lambda: mail.split(shadow.send(body, HTML)[2])[1] == body, "a message as it was")

    def test_settings(self):
        own = Tracked(self.sandbox, "--https", "no", "--opens", "no", "--exclude", "bank.test,.trees.test")
        body = self.body_of(b"".join(b"<a href=\"https://%s/\">" % host for host in
                                     (b"bank.test", b"a.bank.test", b"trees.test", b"a.trees.test", b"x.test")),
                            tracked=own)
        self.assertEqual([link.url for link in links(self.sandbox, body)],
                         ["https://a.bank.test/", "https://x.test/"])
        self.assertIn(b"<a href=\"http://" + own.host.encode() + b"/c/", body)
        self.assertEqual(pixels(self.sandbox, body), [])
        _, content, received = own.send(f"See {URL}\r\n".encode(), PLAIN)
        self.assertEqual(mail.without_added(received), content)  # text is not asked for


class Tenants(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()

    def test_each_has_its_own_host(self):
        one, other = common(), Tracked(self.sandbox)
        found = []
        for tracked in (one, other):
            _, _, received = tracked.send(PAGE, HTML)
            found.append(links(self.sandbox, received)[0])
            self.assertEqual(found[-1].host, tracked.host)
        self.assertNotEqual(found[0].server, found[1].server)

    def test_a_host_belongs_to_one_server(self):
        one = common()
        result = self.sandbox.outrider("track-domain", "add", "acme/main", one.host, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("exists", result.stderr)

    def test_several_recipients_have_links_of_their_own(self):
        tracked = common()
        recipients = [fresh() for _ in range(3)]
        content = mail.message(recipients[0], PAGE, headers=HTML)
        with tracked.sender.client() as client:
            client.sendmail(mail.SENDER, recipients, content)
        ids = set()
        for recipient in recipients:
            received, _ = self.sandbox.received(recipient)
            self.assertEqual(mail.verify_all(self.sandbox, received), 2)
            mine = links(self.sandbox, received) + pixels(self.sandbox, received)
            self.assertEqual(len(mine), 2)
            self.assertEqual({link.id for link in mine}, {self.sandbox.history(recipient)["id"]})
            ids |= {link.id for link in mine}
        self.assertEqual(len(ids), 3)

    def test_a_domain_has_its_own(self):
        """The one that is tied to the sending domain goes before the one for all, the youngest before its elders."""
        tracked = Tracked(self.sandbox)
        name = f"d{uuid.uuid4().hex[:8]}.test"
        self.sandbox.outrider("domain", "add", tracked.server, name)
        tied = tracked.add("--domain", name)
        _, _, received = tracked.send(PAGE, HTML)
        self.assertEqual(links(self.sandbox, received)[0].host, tracked.host)
        recipient = fresh()
        with tracked.sender.client() as client:
            client.submit(mail.message(recipient, PAGE, sender=f"app@{name}", headers=HTML), recipient,
                          sender=f"app@{name}", options=["BODY=8BITMIME"])
        received, _ = self.sandbox.received(recipient)
        self.assertEqual(links(self.sandbox, received)[0].host, tied)
        younger = tracked.add()
        _, _, received = tracked.send(PAGE, HTML)
        self.assertEqual(links(self.sandbox, received)[0].host, younger)


class Limits(unittest.TestCase):
    """What is large or odd is delivered, tracked or not."""

    def setUp(self):
        self.sandbox = shared()
        self.tracked = common()

    def sent(self, body, headers=HTML):
        _, content, received = self.tracked.send(body, headers)
        return content, received

    def untracked(self, body, reason):
        """It leaves as it was, and history says why."""
        recipient, content, received = self.tracked.send(body, HTML)
        self.assertEqual(mail.without_added(received), content)
        self.assertEqual(self.sandbox.history(recipient)["tracking"]["skipped"], {reason: 1})
        self.assertIn("not tracked", self.sandbox.outrider_plain("explain", recipient).stdout)

    def test_two_thousand_links(self):
        page = [b"<a href=\"https://shop.test/%d\">x</a>\r\n" % i for i in range(2001)]
        _, received = self.sent(b"".join(page[:2000]))
        self.assertEqual([link.url for link in links(self.sandbox, received)],
                         [f"https://shop.test/{i}" for i in range(2000)])
        self.untracked(b"".join(page), "links")

    def test_five_megabytes(self):
        line = b"<p>" + b"x" * 70 + b"</p>\r\n"
        small, large = (line * (size // len(line)) + PAGE for size in (4_900_000, 5_400_000))
        _, received = self.sent(small)
        self.assertEqual(len(links(self.sandbox, received)), 1)
        self.untracked(large, "size")

    def test_growth_over_what_postfix_takes(self):
        """Postfix compares with message_size_limit what the client sends, not what the milter makes of it."""
        limit = int(self.sandbox.execute("postconf", "-h", "message_size_limit").stdout)
        page = b"".join(b"<p><a href=\"https://shop.test/%d\">x</a></p>\r\n" % i for i in range(2000))
        filler = (b"y" * 74 + b"\r\n") * ((limit - len(page) - 2000) // 76)
        body = (b"--b\r\nContent-Type: text/html\r\n\r\n" + page + b"--b\r\nContent-Type: application/x-y\r\n\r\n" +
                filler + b"--b--\r\n")
        content, received = self.sent(body, ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"])
        self.assertLess(len(content), limit)
        self.assertGreater(len(received), limit)
        self.assertEqual(len(links(self.sandbox, received)), 2000)

    def test_two_hundred_levels(self):
        for depth, count in ((150, 1), (260, 0)):
            inner = b"Content-Type: text/html\r\n\r\n" + PAGE.replace("\u00fc\u00df".encode(), b"ue")
            for level in range(depth):
                inner = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) + inner +
                         b"\r\n--b%d--\r\n" % level)
            header, body = inner.split(b"\r\n\r\n", 1)
            _, received = self.sent(body, ["MIME-Version: 1.0", header.decode()])
            self.assertEqual(len(links(self.sandbox, received)), count)

    def test_twenty_thousand_tags(self):
        _, received = self.sent(b"<div>\r\n" * 20000 + PAGE)
        self.assertEqual(len(links(self.sandbox, received)), 1)
        self.sent(b"<svg>\r\n" + b"<g>\r\n" * 30000 + PAGE)

    def test_url_of_a_megabyte(self):
        url = b"\r\n".join([b"x" * 900] * 1200)
        _, received = self.sent(b"<a href=\"https://shop.test/" + url + b"\">x</a>" + PAGE)
        self.assertEqual([link.url for link in links(self.sandbox, received)], [URL])

    def test_nul(self):
        _, received = self.sent(b"<a href=\"https://shop.test/a\0b\">x</a>\0\r\n" + PAGE)
        self.assertIn(URL, [link.url for link in links(self.sandbox, received)])


class Life(unittest.TestCase):
    """A track domain from its DNS record to its end."""

    def setUp(self):
        self.sandbox = shared()

    def arrives(self, tracked):
        return len(links(self.sandbox, tracked.send(PAGE, HTML)[2]))

    def expire(self, host):
        """As if it had been wrong for long."""
        self.sandbox.sql("UPDATE track_domain SET dns_wrong_since = dns_wrong_since - 7300, dns_due_at = 0 "
                         f"WHERE host = '{host}'")

    def test_disabled_and_enabled(self):
        tracked = Tracked(self.sandbox)
        for option, active in (("--disable", False), ("--enable", True)):
            tracked.change(option)
            tracked.wait(active=active)
            self.assertEqual(self.arrives(tracked), int(active))

    def test_waits_for_its_record(self):
        own = Tracked(self.sandbox)
        late = own.add(publish=False, wait=False)
        status, report = own.check(late)
        self.assertEqual((status, report["dns_status"], report["active"]), (1, "missing", False))
        shown = self.sandbox.outrider_plain("track-domain", "show", own.server, late).stdout
        self.assertIn(f"{late}. IN CNAME links.outrider.test.", shown)
        self.assertIn("No links are made", shown)
        self.sandbox.control("dns", "add", late, "CNAME", "mail.acme.test.")
        self.assertEqual(own.check(late)[1]["dns_status"], "wrong")
        _, _, received = own.send(PAGE, HTML)
        self.assertEqual(links(self.sandbox, received)[0].host, own.host)
        self.sandbox.control("dns", "del", late, "CNAME")
        self.sandbox.control("dns", "add", late, "A", "192.0.2.1")
        status, report = own.check(late)
        self.assertEqual((status, report["dns_status"], report["active"]), (0, "ok", True), report)
        own.wait(late)
        _, _, received = own.send(PAGE, HTML)
        self.assertEqual(links(self.sandbox, received)[0].host, late)

    def test_forced(self):
        tracked = Tracked(self.sandbox)
        host = tracked.add("--force", publish=False, wait=True)
        _, _, received = tracked.send(PAGE, HTML)
        self.assertEqual(links(self.sandbox, received)[0].host, host)

    def test_moved_away(self):
        """One bad look takes nothing away, what nobody could say neither; two hours of it do."""
        tracked = Tracked(self.sandbox)
        self.sandbox.stop("dns")
        with contextlib.ExitStack() as after:
            after.callback(self.sandbox.start, "dns")
            status, report = tracked.check()
            self.assertEqual((status, report["dns_status"], report["active"]), (1, "could not check", True))
        self.sandbox.control("dns", "del", tracked.host, "CNAME")
        status, report = tracked.check()
        self.assertEqual((status, report["dns_status"], report["active"]), (1, "missing", True))
        self.assertEqual(self.arrives(tracked), 1)
        self.expire(tracked.host)
        tracked.wait(active=False)  # the worker finds it by itself
        self.assertEqual(self.arrives(tracked), 0)
        self.sandbox.control("dns", "add", tracked.host, "CNAME", "links.outrider.test.")
        self.assertEqual(tracked.check()[0], 0)
        tracked.wait()
        self.assertEqual(self.arrives(tracked), 1)

    def test_without_database(self):
        """Mail is tracked, and the journal tells of it what history will."""
        tracked = common()
        recipient = fresh()
        self.sandbox.stop("mariadb")
        with contextlib.ExitStack() as after:
            after.callback(self.sandbox.start, "mariadb")
            _, _, received = tracked.send(PAGE, HTML, recipient=recipient)
            self.assertEqual(len(links(self.sandbox, received)), 1)
            lines = self.sandbox.outrider_plain("--json", "journal", "cat", "milter").stdout
        self.assertIn(recipient, lines)
        told = [json.loads(found.group(0)) for line in lines.splitlines() if recipient in line
                for found in re.finditer(r'\{"host":.*?"skipped":\{[^}]*\}\}', line)]
        self.assertEqual([(entry["host"], entry["links"], entry["pixel"]) for entry in told],
                         [(tracked.host, [[1, URL]], True)])

    def test_without_key_ring(self):
        """Mail goes on untracked."""
        tracked = common()
        ring = pathlib.Path(self.sandbox.directory, "etc", "keys", "link")
        aside = ring.with_suffix(".aside")
        ring.rename(aside)
        with contextlib.ExitStack() as after:
            def restore():
                aside.rename(ring)
                self.sandbox.stop("milter")
                self.sandbox.start("milter")
            after.callback(restore)
            self.sandbox.stop("milter")
            self.sandbox.start("milter")
            self.assertEqual(self.arrives(tracked), 0)
        self.assertEqual(self.arrives(tracked), 1)

    def test_what_is_in_use_stays(self):
        tracked = Tracked(self.sandbox)
        result = self.sandbox.outrider("server", "delete", tracked.server, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(f"track-domain {tracked.host}", result.stderr)
        self.sandbox.outrider("track-domain", "delete", tracked.server, tracked.host)
        tracked.wait(active=False)
        self.assertEqual(self.arrives(tracked), 0)


class Followed(unittest.TestCase):
    """A reader follows what arrived."""

    def setUp(self):
        self.sandbox = shared()

    def get(self, octets, kind):
        host, folder, token = next(found for found in LINK.findall(octets) if found[1] == kind)
        link = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
        with contextlib.closing(link):
            link.request("GET", f"/{folder.decode()}/{token.decode()}", headers={"Host": host.decode()})
            answer = link.getresponse()
            answer.read()
        return answer.status, answer.getheader("Location")

    def test_link_and_pixel(self):
        tracked = Tracked(self.sandbox)
        recipient, _, received = tracked.send(PAGE, HTML)
        self.assertEqual(self.get(received, b"c"), (307, URL))
        self.assertEqual(self.get(received, b"o"), (200, None))
        wait_for(lambda: {visit["kind"] for visit in self.sandbox.history(recipient)["visits"]} == {"click", "open"},
                 "click and open in history", tell=lambda: self.sandbox.history(recipient))
        # What was mailed works on when no more links are made.
        tracked.change("--disable")
        tracked.wait(active=False)
        self.assertEqual(self.get(received, b"c"), (307, URL))


class Held(unittest.TestCase):
    def test_released_as_it_was_held(self):
        sandbox = shared()
        tracked = Tracked(sandbox)
        tracked.sender.change("--mode", "development")
        recipient = fresh()

        def submit():
            with tracked.sender.client() as client:
                client.submit(mail.message(recipient, PAGE, headers=HTML), recipient, options=["BODY=8BITMIME"])
            return sandbox.history(recipient)

        row = wait_for(submit, "a message")
        row = sandbox.history(recipient, "Held")
        sandbox.outrider("hold", "release", str(row["id"]))
        received, _ = sandbox.received(recipient)
        self.assertEqual({link.id for link in links(sandbox, received)}, {row["id"]})
        self.assertEqual(mail.verify_all(sandbox, received), 2)


if __name__ == "__main__":
    unittest.main()
