# SPDX-License-Identifier: MIT
"""What each simulated mail host does: one table, from which addresses and DNS records follow.

A behaviour answers at three points of a transaction with a reply, which refuses, or None, which
accepts; afterwards it may send a report. Any recipient domain whose MX points to a host gets its
behaviour. Lines beginning with `#:' are shown by `scripts/sandbox --help'.
"""

import asyncio
import dataclasses
import ipaddress
import sys


class Behaviour:
    """Accepts everything."""

    starttls = False  # offers STARTTLS
    listens = True  # False: connections are refused
    certificate = "mx"  # which of the sandbox's it shows
    users = None  # {name: password}: offers AUTH, and takes no mail without it
    shy = False  # offers AUTH under TLS only
    report = None  # kind of report sent for each accepted message: "dsn" or "arf"

    async def greeting(self):
        """Before the greeting."""

    def mail(self, session):
        """Reply to MAIL, or None."""

    def rcpt(self, session, address):
        """Reply to RCPT, or None."""

    async def end_of_data(self, session):
        """Reply to the end of data, or None; `DROP' cuts the connection without one."""


DROP = "drop"


@dataclasses.dataclass
class Always(Behaviour):
    """Refuses at RCPT or at the end of data."""

    at_rcpt: str | None = None
    at_end: str | None = None

    def rcpt(self, session, address):
        return self.at_rcpt

    async def end_of_data(self, session):
        return self.at_end


class Greylist(Behaviour):
    """The first attempt of a peer for a recipient is put off, later ones are accepted."""

    def __init__(self):
        self.seen = set()

    def rcpt(self, session, address):
        key = (session.peer, address.lower())
        if key in self.seen:
            return None
        self.seen.add(key)
        return "451 4.7.1 Greylisted, please try again in a moment"


class Busy(Behaviour):
    """Of four transactions the first is put off at RCPT, the third ends with the connection."""

    def __init__(self):
        self.transactions = 0

    def mail(self, session):
        self.transactions += 1
        if self.transactions % 4 == 3:
            return "421 4.3.2 Too busy, closing connection"
        return None

    def rcpt(self, session, address):
        if self.transactions % 4 == 1:
            return "452 4.3.1 Insufficient system storage, try later"
        return None


class Slow(Behaviour):
    async def greeting(self):
        await asyncio.sleep(1)

    async def end_of_data(self, session):
        await asyncio.sleep(2)


class Tls(Behaviour):
    starttls = True


class Relay(Behaviour):
    """A smart host: mail of anybody for anybody, after AUTH, which it offers without TLS, too, unless shy."""

    def __init__(self, starttls=True, certificate="relay", shy=False):
        self.starttls = starttls
        self.certificate = certificate
        self.shy = shy
        self.users = {"relay": "word of the relay"}


class Late(Behaviour):
    def __init__(self, report):
        self.report = report


class Down(Behaviour):
    listens = False


class Mends(Behaviour):
    """Knows a recipient from the third attempt on."""

    def __init__(self):
        self.tries = {}

    def rcpt(self, session, address):
        key = address.lower()
        self.tries[key] = self.tries.get(key, 0) + 1
        return "550 5.1.1 No such user here" if self.tries[key] <= 2 else None


DOMAINS = [
    #: ok.test, bulk1.test ... bulk20.test   accept everything
    ("ok.test", Behaviour()),
    #: refuse.test       550 5.1.1 at RCPT
    ("refuse.test", Always(at_rcpt="550 5.1.1 No such user here")),
    #: greylist.test     451 for the first attempt of each (peer address, recipient)
    ("greylist.test", Greylist()),
    #: busy.test         every 4th transaction 452 at RCPT, every 4th 421 at MAIL
    ("busy.test", Busy()),
    #: slow.test         1 s before its greeting, 2 s before it takes a message
    ("slow.test", Slow()),
    #: tls.test          offers STARTTLS
    ("tls.test", Tls()),
    #: latebounce.test   accepts, then sends a DSN (failed) to the return path's MX
    ("latebounce.test", Late("dsn")),
    #: complain.test     accepts, then sends an ARF report to the return path's MX
    ("complain.test", Late("arf")),
    #: defer.test        451 at RCPT, always
    ("defer.test", Always(at_rcpt="451 4.3.0 Temporary trouble, try later")),
    #: full.test         552 5.2.2 at RCPT (over quota)
    ("full.test", Always(at_rcpt="552 5.2.2 Mailbox is over quota")),
    #: spam.test         554 5.7.1 at the end of data
    ("spam.test", Always(at_end="554 5.7.1 Message looks like spam")),
    #: drop.test         takes the data and cuts the connection without an answer
    ("drop.test", Always(at_end=DROP)),
    #: down.test         refuses connections
    ("down.test", Down()),
    #: smarthost.test    accepts everything; the sandbox's port 25 relays partner.test to it
    ("smarthost.test", Behaviour()),
    #: relay.test        a smart host: STARTTLS, and AUTH (user relay, "word of the relay")
    ("relay.test", Relay()),
    #: relay-other.test  the same, with the certificate of another name
    ("relay-other.test", Relay(certificate="mx")),
    #: relay-plain.test  the same, without STARTTLS
    ("relay-plain.test", Relay(starttls=False)),
    #: relay-shy.test   the same, without STARTTLS, so that it offers no AUTH either
    ("relay-shy.test", Relay(starttls=False, shy=True)),
    #: six.test          accepts everything, by IPv6 only
    ("six.test", Behaviour()),
    *((f"bulk{n}.test", Behaviour()) for n in range(1, 21)),
    #: mends.test        550 5.1.1 at RCPT for the first two attempts of each recipient
    ("mends.test", Mends()),
    #: absent.test       450 4.1.1 at RCPT, always
    ("absent.test", Always(at_rcpt="450 4.1.1 No such user here, for now")),
]


@dataclasses.dataclass
class Host:
    domain: str
    name: str
    address: str
    behaviour: Behaviour


def address(domain, number):
    return f"2001:db8:1::{number}" if domain == "six.test" else f"198.51.100.{number}"


HOSTS = [
    Host(domain, f"mx.{domain}", address(domain, number), behaviour)
    for number, (domain, behaviour) in enumerate(DOMAINS, start=10)
]


def zone():
    """DNS records of all hosts: `name ttl type data'; and a domain that takes no mail."""
    for host in HOSTS:
        ip = ipaddress.ip_address(host.address)
        yield f"{host.domain}. 5 MX 10 {host.name}."
        yield f"{host.name}. 5 {'A' if ip.version == 4 else 'AAAA'} {host.address}"
        yield f"{ip.reverse_pointer}. 5 PTR {host.name}."
    #: nomx.test         publishes a null MX: it takes no mail
    yield "nomx.test. 5 MX 0 ."


if __name__ == "__main__":
    if sys.argv[1:] == ["zone"]:
        print("\n".join(zone()))
    elif sys.argv[1:] == ["addresses"]:
        print("\n".join(host.address for host in HOSTS))
    else:
        sys.exit("usage: behaviours.py zone|addresses")
