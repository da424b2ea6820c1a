# SPDX-License-Identifier: MIT
"""The world's mail hosts, simulated: listens on port 25 of every address in behaviours.py.

usage: simulator.py INBOX TLS-DIRECTORY USER (gives up root once it listens)
"""

import asyncio
import os
import pwd
import signal
import ssl
import sys

from behaviours import HOSTS
from inbox import Inbox
import reports
from smtp import Session


class Simulator:
    def __init__(self, inbox, tls):
        self.inbox = inbox
        self.tls_contexts = {name: tls_context(tls, name)
                             for name in {host.behaviour.certificate for host in HOSTS}}
        self.tasks = set()

    async def listen(self):
        for host in HOSTS:
            if host.behaviour.listens and (":" not in host.address or os.path.exists("/proc/sys/net/ipv6")):
                await asyncio.start_server(self.session(host), host.address, 25, backlog=512)

    def session(self, host):
        async def run(reader, writer):
            await Session(host, reader, writer, self.accept,
                          self.tls_contexts[host.behaviour.certificate]).run()

        return run

    def accept(self, session, message, envelope):
        name = self.inbox.keep(message, envelope)
        print(f"{name}: <{envelope['sender']}> from {session.peer} {session.helo}", flush=True)
        if kind := session.host.behaviour.report:
            task = asyncio.create_task(self.report(kind, session.host, envelope, message))
            # asyncio keeps only weak references to tasks.
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return name

    async def report(self, kind, host, envelope, message):
        line = await asyncio.to_thread(reports.send, kind, host, envelope, message)
        print(f"{host.domain}: {line}", flush=True)


def tls_context(directory, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/{name}.pem", f"{directory}/{name}.key")
    return context


async def main(inbox, tls, user):
    await Simulator(Inbox(inbox), tls).listen()
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    print(f"listening on {len(HOSTS)} hosts", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    # Reports that still wait are given up.
    os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    asyncio.run(main(*sys.argv[1:]))
