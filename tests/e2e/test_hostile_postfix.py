# SPDX-License-Identifier: MIT
"""Settings that somebody made for other mail: what is submitted arrives all the same, or `outrider
postfix check' says why it cannot."""

import pathlib
import re
import time
import unittest

import mail
from sandbox import answers, fresh, rewrite, shared, wait_for

NOWHERE = "[127.0.0.1]:9"
ARCHIVE = "archive@office.test"
RETURN_PATH = r"[a-z2-7]{31}-[1-3]@rp\.outrider\.test"
HEADERS = ("Cc: desk", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b")
BODY = (b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Language: fr\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\nHello.\r\n.\r\ncaf\xc3\xa9 \r\n--b--\r\n")
TABLES = {
    "alias": f"@ok.test {ARCHIVE}\n@acme.test {ARCHIVE}\n",
    "headers": "/^Subject:/ REPLACE Subject: changed\n/^Received:/ IGNORE\n",
    "parts": "/^Content-Language:/ IGNORE\n",
    "body": "/^Hello/ REPLACE changed\n",
    "transport": "* smtp:" + NOWHERE + "\n",
    "filter": "/^Subject:/ FILTER smtp:" + NOWHERE + "\n",
    "commands": "/^(MAIL|XFORWARD) .*/ NOOP\n",
}

# What our services answer with a setting of their own: nothing is found, nothing is disturbed.
ANSWERED = {
    "TLS": {
        "smtpd_tls_security_level": "encrypt",
        "smtp_tls_security_level": "encrypt",
        "smtp_tls_wrappermode": "yes",
    },
    "rewriting": {
        "canonical_maps": "texthash:{alias}",
        "sender_canonical_maps": "static:mapped@elsewhere.test",
        "recipient_canonical_maps": f"static:{ARCHIVE}",
        "masquerade_domains": "outrider.test test",
        "virtual_alias_maps": "texthash:{alias}",
        "alias_maps": "texthash:{alias}",
        "local_header_rewrite_clients": "static:all",
        "remote_header_rewrite_domain": "invalid.test",
    },
    "copies": {
        "always_bcc": ARCHIVE,
        "sender_bcc_maps": f"static:{ARCHIVE}",
        "recipient_bcc_maps": f"static:{ARCHIVE}",
    },
    "filters": {
        "content_filter": f"smtp:{NOWHERE}",
        "smtpd_proxy_filter": "127.0.0.1:9",
        "receive_override_options": "no_header_body_checks",
        "smtpd_command_filter": "regexp:{commands}",
        "milter_header_checks": "regexp:{filter}",
    },
    "milters": {
        "smtpd_milters": "inet:127.0.0.1:9",
        "smtpd_milter_maps": "static:DISABLE",
        "milter_default_action": "reject",
        "milter_protocol": "2",
        "milter_connect_macros": "j",
        "receive_override_options": "no_milters",
    },
    "outgoing": {
        "smtp_bind_address": "192.0.2.13",
        "smtp_generic_maps": "static:generic@elsewhere.test",
        "smtp_header_checks": "regexp:{headers}",
        "smtp_mime_header_checks": "regexp:{parts}",
        "smtp_body_checks": "regexp:{body}",
        "smtp_line_length_limit": "100",
        "smtp_send_xforward_command": "yes",
        "smtp_fallback_relay": NOWHERE,
        "smtp_connection_cache_destinations": "ok.test, 127.0.0.1",
    },
    "SMTP extensions": {
        "smtp_never_send_ehlo": "yes",
        "smtp_discard_ehlo_keywords": "xforward, dsn, pipelining, chunking, size",
        "smtpd_discard_ehlo_keywords": "xforward, dsn, pipelining, chunking, size",
    },
    "restrictions": {
        "smtpd_client_restrictions": "reject",
        "smtpd_helo_restrictions": "reject",
        "smtpd_sender_restrictions": "reject",
        "smtpd_relay_restrictions": "reject",
        "smtpd_recipient_restrictions": "reject",
        "smtpd_data_restrictions": "reject",
        "smtpd_end_of_data_restrictions": "reject",
        "smtpd_reject_unlisted_sender": "yes",
        "smtpd_authorized_xforward_hosts": "!127.0.0.1",
        "smtpd_sasl_exceptions_networks": "static:all",
        "smtpd_sasl_authenticated_header": "yes",
        "smtpd_forbid_bare_newline": "no",
        "strict_rfc821_envelopes": "yes",
        "mynetworks": "192.0.2.1/32",
    },
    "limits": {
        "message_size_limit": "{size}",
        "header_size_limit": "3000",
        "hopcount_limit": "5",
        "smtpd_client_connection_count_limit": "1",
        "default_destination_rate_delay": "1s",
        "default_transport_rate_delay": "1s",
        "disable_mime_input_processing": "yes",
    },
}

# What one of our services cannot answer: the words that name it.
NAMED = {
    "soft_bounce": ("yes", "conflict", "soft_bounce"),
    "relayhost": ("[mx.smarthost.test]", "conflict", "relayhost"),
    "sender_dependent_relayhost_maps": ("static:[mx.smarthost.test]", "note", "relayhost_maps"),
    "inet_protocols": ("ipv6", "conflict", "inet_protocols"),
    "defer_transports": ("outrider-split", "conflict", "defer_transports"),
    "enable_long_queue_ids": ("no", "conflict", "enable_long_queue_ids"),
    "sender_dependent_default_transport_maps": ("static:smtp:", "conflict", "lanes.regexp"),
    "outrider-split_destination_recipient_limit": ("50", "conflict", "recipient_limit"),
    "smtpd_recipient_limit": ("2", "note", "smtpd_recipient_limit"),
    "header_checks": ("regexp:{filter}", "conflict", "filter: line 1: header_checks"),
    "body_checks": ("regexp:{body}", "note", "body_checks"),
    "transport_maps": ("texthash:{transport}", "conflict", "goes before every lane"),
    "maximal_queue_lifetime": ("10d", "conflict", "queue_lifetime"),
    "smtpd_upstream_proxy_protocol": ("haproxy", "note", "proxy"),
    "syslog_name": ("elsewhere", "conflict", "mail_log_tag"),
    "maillog_file": ("/var/log/elsewhere.log", "conflict", "maillog_file"),
    "authorized_mailq_users": ("root", "note", "authorized_mailq_users"),
    "smtpd_tls_cert_file": ("", "conflict", "smtpd_tls_cert_file"),
}


class HostilePostfix(unittest.TestCase):
    def setUp(self):
        self.sandbox = shared()
        self.directory = pathlib.Path(self.sandbox.postfix_conf)
        self.main = self.directory / "main.cf"
        self.before = self.main.read_text()
        self.places = {}
        for name, text in TABLES.items():
            self.places[name] = self.directory / f"hostile-{name}"
            self.places[name].write_text(text)
        self.addCleanup(self.restore)

    def restore(self):
        rewrite(self.main, self.before)
        self.reload()
        for place in self.places.values():
            place.unlink()

    def reload(self):
        self.sandbox.execute("postfix", "reload")
        time.sleep(0.5)  # processes that were idle end when they hear of it

    def set(self, settings, size=0):
        rewrite(self.main, self.before)
        lines = [f"{name}={value.format(size=size, **self.places)}" for name, value in settings.items()]
        self.sandbox.execute("postconf", "-e", *lines)

    def found(self):
        result = self.sandbox.outrider("postfix", "check", check=False)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        return result.stdout

    # One submission with one recipient and one with three, in one session.
    def submit(self):
        groups = [fresh()], [fresh() for _ in range(3)]
        octets = {}
        with mail.Client(self.sandbox) as client:
            for group in groups:
                content = mail.message(", ".join(group), BODY, headers=HEADERS)
                self.assertEqual(client.mail(mail.SENDER, ["BODY=8BITMIME"])[0], 250)
                for recipient in group:
                    self.assertEqual(client.rcpt(recipient)[0], 250)
                    octets[recipient] = content
                code, text = client.data(content)
                self.assertEqual(code, 250, text)
        return octets

    def assert_right(self, octets):
        """Each recipient has the message as it was written, once, signed, from a path of its own."""
        senders = set()
        for recipient, content in octets.items():
            received, record = self.sandbox.received(recipient)
            self.assertEqual(mail.without_added(received), content)
            self.assertGreaterEqual(mail.verify_all(self.sandbox, received), 1)
            self.assertRegex(record["sender"], f"^{RETURN_PATH}$")
            self.assertEqual(record["peer"], f"192.0.2.1{self.lane(record['sender'])}")
            trace = mail.values(received, "Received")
            self.assertEqual(len(trace), 1)
            self.assertNotIn("acme/main", trace[0])
            senders.add(record["sender"])
        self.assertEqual(len(senders), len(octets))

    def lane(self, sender):
        return re.search(r"-(\d)@", sender).group(1)

    def archived(self):
        return len(list(pathlib.Path(self.sandbox.mail_dir, "archive", "new").glob("*")))

    def waiting(self, recipients):
        return [entry for entry in self.sandbox.queue()
                if any(to["address"] in recipients for to in entry["recipients"])]

    def test_answered(self):
        content = mail.message(", ".join(fresh() for _ in range(3)), BODY, headers=HEADERS)
        size = len(content) + 100
        before = self.archived()
        sent = {}
        together = {}
        for settings in ANSWERED.values():
            together.update(settings)
        for name, settings in {**ANSWERED, "all of it": together}.items():
            with self.subTest(name):
                self.set(settings, size)
                self.reload()
                self.assertNotIn('"conflict"', self.found())
                octets = self.submit()
                self.assert_right(octets)
                sent.update(octets)
        wait_for(lambda: not self.waiting(sent), "nothing in the queue", tell=self.sandbox.queue)
        self.assertEqual(self.archived(), before, "somebody got mail whom no client named")
        for recipient in sent:
            self.assertEqual(len(self.sandbox.inbox(recipient)), 1)

    def test_expired_before_the_hop(self):
        """Postfix's own bounce goes to the sealed path, never to the address that a client gave."""
        master = self.directory / "master.cf"
        before = master.read_text()
        self.addCleanup(rewrite, master, before)
        rewrite(master, before.replace("127.0.0.1:10026 inet", "127.0.0.1:10027 inet"))
        self.set({"maximal_queue_lifetime": "2s", "bounce_queue_lifetime": "2s"})
        self.reload()
        wait_for(lambda: not answers("127.0.0.1", 10026), "the hop to be closed")
        group = [fresh(), fresh()]
        sender = f"{fresh().split('@')[0]}@office.test"
        content = mail.message(", ".join(group))
        with mail.Client(self.sandbox) as client:
            client.mail(sender)
            for recipient in group:
                client.rcpt(recipient)
            self.assertEqual(client.data(content)[0], 250)
        bounce = wait_for(lambda: self.returned(group[0]), "the bounce")
        self.assertIn(group[1], bounce)
        self.assertRegex(bounce, r"(?m)^To: [a-z2-7]{31}-0@rp\.outrider\.test$")
        self.assertNotIn(f"to=<{sender}>", self.sandbox.mail_log_text())
        for recipient in group:
            self.assertEqual(self.sandbox.inbox(recipient), [])

    def returned(self, recipient):
        """The text of what came back about a recipient; None when nothing did."""
        for file in pathlib.Path(self.sandbox.mail_dir, "returns", "new").glob("*"):
            text = file.read_text(errors="replace")
            if recipient in text:
                return text
        return None

    def test_named(self):
        self.assertNotIn('"conflict"', self.found())
        for name, (value, level, words) in NAMED.items():
            with self.subTest(name):
                self.set({name: value})
                lines = [line for line in self.plain() if line.startswith(level) and words in line]
                self.assertEqual(len(lines), 1, self.plain())

    def plain(self):
        return self.sandbox.outrider_plain("postfix", "check", check=False).stdout.splitlines()

    def test_service_missing_or_changed(self):
        master = self.directory / "master.cf"
        before = master.read_text()
        self.addCleanup(rewrite, master, before)
        for old, new, words in (
                ("outrider-split unix", "outrider-else unix", "outrider-split/unix: not in master.cf"),
                ("127.0.0.1:10026 inet", "127.0.0.1:10027 inet", "127.0.0.1:10026/inet: not in"),
                ("  -o masquerade_domains=\n", "", "outrider-submit/unix: lacks -o masquerade_domains="),
                ("smtp_bind_address=192.0.2.12", "smtp_bind_address=192.0.2.1",
                 "outrider-ip2/unix: smtp_bind_address=192.0.2.1, but")):
            with self.subTest(words):
                self.assertIn(old, before)
                rewrite(master, before.replace(old, new))
                self.assertEqual(len([line for line in self.plain() if words in line]), 1, self.plain())
