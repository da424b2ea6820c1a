# SPDX-License-Identifier: MIT
"""Making, sending and comparing messages, octet by octet."""

import base64
import re
import smtplib
import ssl
import uuid

import dkim

SENDER = "app@acme.test"
ADDED = ("received", "dkim-signature", "x-outrider-msgid")  # what Outrider and Postfix put on top


def message(recipient, body=b"Hello.\r\n", sender=SENDER, headers=()):
    """A complete message with CRLF line ends."""
    lines = [
        f"From: {sender}",
        f"To: {recipient}",
        f"Subject: trial {uuid.uuid4().hex[:8]}",
        "Date: Sat, 21 Nov 2026 08:00:00 +0000",
        f"Message-ID: <{uuid.uuid4().hex}@acme.test>",
        *headers,
    ]
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n" + body


def lenient_tls():
    """The sandbox's certificates are its own; what is tested is that TLS is there."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client(smtplib.SMTP):
    """A session on a submission port: STARTTLS on 587, TLS from the start on 465."""

    def __init__(self, sandbox, port=587, login=True, host=None, timeout=60, source=None):
        self._wrapped = port == 465
        super().__init__(host or sandbox.smtp_host, port, local_hostname="client.acme.test",
                         timeout=timeout, source_address=(source, 0) if source else None)
        if port == 587:
            self.starttls(context=lenient_tls())
        self.ehlo()
        if login:
            self.login(sandbox.smtp_user, sandbox.smtp_key)

    def _get_socket(self, host, port, timeout):
        link = super()._get_socket(host, port, timeout)
        return lenient_tls().wrap_socket(link, server_hostname=host) if self._wrapped else link

    def submit(self, content, recipient, sender=SENDER, options=(), rcpt_options=()):
        """One transaction; smtplib.SMTPResponseException on a refusal. Returns the queue id."""
        for reply in (self.mail(sender, options), self.rcpt(recipient, rcpt_options),
                      self.data(content)):
            if reply[0] >= 400:
                code, text = reply
                self.rset()
                raise smtplib.SMTPResponseException(code, text)
        return re.search(rb"queued as (\S+)", reply[1]).group(1).decode()


def send(sandbox, recipient, content=None, **transaction):
    """Sends one message in a session of its own; returns (octets, queue id)."""
    content = content or message(recipient)
    with Client(sandbox) as client:
        return content, client.submit(content, recipient, **transaction)


def split(content):
    """(list of raw header fields with their line ends, body)."""
    head, _, body = content.partition(b"\r\n\r\n")
    return re.split(rb"(?<=\r\n)(?=[^ \t])", head + b"\r\n"), body


def field_name(field):
    return field.split(b":", 1)[0].strip().lower().decode()


def without_added(content):
    """The message as its author wrote it: the fields on top that Outrider and Postfix added are gone."""
    fields, body = split(content)
    return b"".join(f for f in fields if field_name(f) not in ADDED) + b"\r\n" + body


def values(content, name):
    return [f.split(b":", 1)[1].strip().decode(errors="replace")
            for f in split(content)[0] if field_name(f) == name.lower()]


def signatures(content):
    """[(domain, selector, algorithm)] of the DKIM signatures, top down."""
    found = []
    for value in values(content, "dkim-signature"):
        tags = dict(re.sub(r"\s+", "", part).split("=", 1) for part in value.split(";") if "=" in part)
        found.append((tags["d"], tags["s"], tags["a"]))
    return found


def verify_all(sandbox, content):
    """Verifies every signature against the sandbox's DNS; returns how many there were."""

    def lookup(name, timeout=5):
        return sandbox.text_record(name.decode())

    count = len(values(content, "dkim-signature"))
    for index in range(count):
        assert dkim.DKIM(content).verify(index, dnsfunc=lookup), f"signature {index} does not verify"
    return count


def decode_quoted_printable(body):
    """RFC 2045, 6.7, for bodies with CRLF line ends."""
    return re.sub(rb"=([0-9A-F]{2})", lambda m: bytes([int(m.group(1), 16)]),
                  re.sub(rb"=\r\n", b"", body))


def base64_lines(octets):
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")
