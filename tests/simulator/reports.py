# SPDX-License-Identifier: MIT
"""Reports that a mail host sends after it has accepted a message: a DSN (RFC 3464) or an ARF
complaint (RFC 5965), to the message's return path by the MX of its domain."""

import email.utils
import smtplib
import time

from resolver import mail_hosts

ATTEMPTS = 5
PAUSE_SECONDS = 3


def send(kind, host, envelope, message):
    """Returns a line for the log. Blocks: call it in a thread."""
    to = envelope["sender"]
    domain = to.rpartition("@")[2]
    if not domain:
        return f"{kind}: no return path, no report"
    report = (dsn if kind == "dsn" else arf)(host, envelope, message)
    text = ""
    for attempt in range(ATTEMPTS):
        time.sleep(0.2 if attempt == 0 else PAUSE_SECONDS)
        try:
            deliver(host, to, domain, report)
            return f"{kind} to <{to}>: accepted"
        except smtplib.SMTPRecipientsRefused as refused:
            code, reason = refused.recipients[to]
            text = f"{code} {reason.decode(errors='replace')}"
            if code >= 500:
                break
        except (OSError, smtplib.SMTPException) as error:
            text = str(error)
    return f"{kind} to <{to}>: not accepted: {text}"


def deliver(host, to, domain, report):
    hosts = mail_hosts(domain)
    if not hosts:
        raise OSError(f"{domain} has no mail host")
    with smtplib.SMTP(hosts[0], 25, host.name, 30, source_address=(host.address, 0)) as client:
        client.sendmail("", [to], report)


def head(message):
    """The header of a message, for a report that returns no body."""
    return message.partition(b"\r\n\r\n")[0] + b"\r\n"


def multipart(host, to, subject, kind, parts):
    boundary = f"report.{time.time_ns()}"
    lines = [
        f"From: Mail Delivery System <MAILER-DAEMON@{host.name}>",
        f"To: <{to}>",
        f"Subject: {subject}",
        f"Date: {email.utils.formatdate()}",
        f"Message-ID: <{time.time_ns()}@{host.name}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="{boundary}"',
        "",
    ]
    report = "\r\n".join(lines).encode() + b"\r\n"
    for content_type, content in parts:
        report += f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode() + content
        report += b"\r\n"
    return report + f"--{boundary}--\r\n".encode()


def dsn(host, envelope, message):
    recipient = envelope["recipients"][0]["address"]
    status = (
        f"Reporting-MTA: dns; {host.name}\r\n"
        f"Arrival-Date: {email.utils.formatdate()}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such user here\r\n"
    )
    text = f"The message to <{recipient}> could not be delivered: no such user here.\r\n"
    return multipart(host, envelope["sender"], "Undelivered Mail Returned to Sender", "delivery-status", [
        ("text/plain; charset=us-ascii", text.encode()),
        ("message/delivery-status", status.encode()),
        ("text/rfc822-headers", head(message)),
    ])


def arf(host, envelope, message):
    recipient = envelope["recipients"][0]["address"]
    report = (
        "Feedback-Type: abuse\r\nUser-Agent: simulator/1\r\nVersion: 1\r\n"
        f"Original-Mail-From: <{envelope['sender']}>\r\n"
        f"Original-Rcpt-To: <{recipient}>\r\n"
        f"Source-IP: {envelope['peer']}\r\nArrival-Date: {email.utils.formatdate()}\r\n"
    )
    text = f"A user of {host.domain} has marked this message as unwanted.\r\n"
    return multipart(host, envelope["sender"], "Abuse report", "feedback-report", [
        ("text/plain; charset=us-ascii", text.encode()),
        ("message/feedback-report", report.encode()),
        ("message/rfc822", message),
    ])
