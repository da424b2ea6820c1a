# SPDX-License-Identifier: MIT
"""A small SMTP server: RFC 5321 with PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN, STARTTLS.

It keeps the bytes of a message as they came, but for dot-unstuffing. A smart host notes each AUTH and MAIL that it
is sent, and whether TLS protected it.
"""

import asyncio
import base64
import binascii
import datetime
import re

from behaviours import DROP

SIZE_MAX = 100 * 1024 * 1024
LINE_MAX = 64 * 1024
IDLE_SECONDS = 300

# A path may hold `>' inside a quoted local part.
PATH = re.compile(r'\s*<((?:[^>"]|"(?:\\.|[^"\\])*")*)>\s*(.*)$', re.S)


class Closed(Exception):
    """The connection is over."""


class Session:
    def __init__(self, host, reader, writer, accept, tls_context):
        self.host = host
        self.reader = reader
        self.writer = writer
        self.accept = accept
        self.tls_context = tls_context
        self.buffer = bytearray()
        self.user = None
        self.peer = writer.get_extra_info("peername")[0]
        self.helo = None
        self.esmtp = False
        self.reset()

    def reset(self):
        self.sender = None
        self.sender_parameters = []
        self.recipients = []

    async def run(self):
        try:
            await self.host.behaviour.greeting()
            self.reply(f"220 {self.host.name} ESMTP simulator")
            while True:
                line = (await self.line()).decode("utf-8", "backslashreplace")
                verb, _, argument = line.partition(" ")
                handler = self.VERBS.get(verb.upper())
                if handler is None:
                    self.reply("502 5.5.2 Command not recognized")
                else:
                    await handler(self, argument.strip())
                await self.writer.drain()
        except (Closed, ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writer.close()

    # Reading

    async def more(self):
        chunk = await asyncio.wait_for(self.reader.read(256 * 1024), IDLE_SECONDS)
        if not chunk:
            raise Closed
        self.buffer += chunk

    async def line(self):
        while (end := self.buffer.find(b"\n")) < 0:
            if len(self.buffer) > LINE_MAX:
                self.reply("500 5.5.2 Line too long")
                raise Closed
            await self.more()
        line = bytes(self.buffer[:end]).removesuffix(b"\r")
        del self.buffer[: end + 1]
        return line

    async def message(self):
        """The message up to its lone dot, dots taken away; only CRLF ends a line."""
        searched = 0
        while True:
            if self.buffer.startswith(b".\r\n"):
                end, skip = 0, 3
                break
            end, skip = self.buffer.find(b"\r\n.\r\n", searched), 5
            if end >= 0:
                end += 2
                skip = 3
                break
            searched = max(0, len(self.buffer) - 4)
            if len(self.buffer) > SIZE_MAX:
                self.reply("552 5.3.4 Message too big")
                raise Closed
            await self.more()
        data = bytes(self.buffer[:end])
        del self.buffer[: end + skip]
        if data.startswith(b"."):
            data = data[1:]
        return data.replace(b"\r\n.", b"\r\n")

    # Answering

    def reply(self, text):
        self.writer.write(text.encode() + b"\r\n")
        if text.startswith("421"):
            raise Closed

    async def ehlo(self, argument):
        self.greet(argument, esmtp=True)
        lines = [self.host.name, "PIPELINING", f"SIZE {SIZE_MAX}", "8BITMIME", "SMTPUTF8", "DSN"]
        if self.host.behaviour.starttls and self.tls() is None:
            lines.append("STARTTLS")
        if self.host.behaviour.users and not (self.host.behaviour.shy and self.tls() is None):
            lines.append("AUTH PLAIN LOGIN")
        lines.append("ENHANCEDSTATUSCODES")
        self.reply("\r\n".join(f"250-{line}" for line in lines[:-1]) + f"\r\n250 {lines[-1]}")

    async def helo_(self, argument):
        self.greet(argument, esmtp=False)
        self.reply(f"250 {self.host.name}")

    def greet(self, argument, esmtp):
        self.helo = argument
        self.esmtp = esmtp
        self.reset()

    async def starttls(self, _):
        if not self.host.behaviour.starttls or self.tls() is not None:
            return self.reply("502 5.5.1 STARTTLS is not offered")
        self.reply("220 2.0.0 Ready to start TLS")
        await self.writer.drain()
        # What was pipelined behind STARTTLS was not protected: RFC 3207, section 6.
        self.buffer.clear()
        await self.writer.start_tls(self.tls_context)
        self.helo = None
        self.user = None
        self.reset()

    def tls(self):
        connection = self.writer.get_extra_info("ssl_object")
        if connection is None:
            return None
        return {"version": connection.version(), "cipher": connection.cipher()[0]}

    def note(self, verb):
        """What the tests ask: did anything come that TLS did not protect?"""
        if self.host.behaviour.users:
            print(f"{self.host.domain}: {verb} {'protected' if self.tls() else 'IN CLEAR'} from {self.peer}", flush=True)

    async def auth(self, argument):
        self.note("AUTH")
        if not self.host.behaviour.users:
            return self.reply("502 5.5.1 AUTH is not offered")
        mechanism, _, initial = argument.partition(" ")
        try:
            if mechanism.upper() == "PLAIN":
                _, user, word = (await self.answer("", initial)).split("\0")
            elif mechanism.upper() == "LOGIN":
                user = await self.answer("Username:", initial)
                word = await self.answer("Password:")
            else:
                return self.reply("504 5.5.4 Mechanism not known")
        except (ValueError, binascii.Error):
            return self.reply("501 5.5.2 Cannot decode")
        if self.host.behaviour.users.get(user) != word:
            return self.reply("535 5.7.8 Authentication credentials invalid")
        self.user = user
        self.reply("235 2.7.0 Authentication successful")

    async def answer(self, challenge, initial=""):
        if not initial:
            self.reply("334 " + base64.b64encode(challenge.encode()).decode())
            await self.writer.drain()
            initial = (await self.line()).decode("ascii")
        return base64.b64decode(initial, validate=True).decode()

    async def mail(self, argument):
        self.note("MAIL")
        path = PATH.match(argument[5:]) if argument[:5].upper() == "FROM:" else None
        if self.helo is None:
            return self.reply("503 5.5.1 EHLO first")
        if self.host.behaviour.users and self.user is None:
            return self.reply("530 5.7.0 Authentication required")
        if self.sender is not None:
            return self.reply("503 5.5.1 Nested MAIL")
        if path is None:
            return self.reply("501 5.5.4 Syntax: MAIL FROM:<address>")
        if refusal := self.host.behaviour.mail(self):
            return self.reply(refusal)
        self.sender = path[1]
        self.sender_parameters = path[2].split()
        self.reply("250 2.1.0 Ok")

    async def rcpt(self, argument):
        path = PATH.match(argument[3:]) if argument[:3].upper() == "TO:" else None
        if self.sender is None:
            return self.reply("503 5.5.1 MAIL first")
        if path is None or "@" not in path[1]:
            return self.reply("501 5.5.4 Syntax: RCPT TO:<address>")
        if refusal := self.host.behaviour.rcpt(self, path[1]):
            return self.reply(refusal)
        self.recipients.append({"address": path[1], "parameters": path[2].split()})
        self.reply("250 2.1.5 Ok")

    async def data(self, _):
        if not self.recipients:
            return self.reply("503 5.5.1 RCPT first")
        self.reply("354 End data with <CR><LF>.<CR><LF>")
        message = await self.message()
        refusal = await self.host.behaviour.end_of_data(self)
        if refusal == DROP:
            raise Closed
        if not refusal:
            number = self.accept(self, message, self.envelope(len(message)))
        self.reset()
        self.reply(refusal or f"250 2.0.0 Ok: kept as {number}")

    def envelope(self, size):
        return {
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            "host": self.host.name,
            "peer": self.peer,
            "helo": self.helo,
            "esmtp": self.esmtp,
            "tls": self.tls(),
            "user": self.user,
            "sender": self.sender,
            "sender_parameters": self.sender_parameters,
            "recipients": self.recipients,
            "size": size,
        }

    async def rset(self, _):
        self.reset()
        self.reply("250 2.0.0 Ok")

    async def noop(self, _):
        self.reply("250 2.0.0 Ok")

    async def quit(self, _):
        self.reply("221 2.0.0 Bye")
        raise Closed

    VERBS = {
        "EHLO": ehlo,
        "HELO": helo_,
        "STARTTLS": starttls,
        "AUTH": auth,
        "MAIL": mail,
        "RCPT": rcpt,
        "DATA": data,
        "RSET": rset,
        "NOOP": noop,
        "QUIT": quit,
    }
