# SPDX-License-Identifier: MIT
"""A mail host of a test's own on loopback, which notes what it is told in clear and what under TLS."""

import contextlib
import socketserver
import threading


class MailHost:
    """Takes all mail. context: the SSLContext of the STARTTLS that it offers, or None; broken: what comes of it is no TLS."""

    def __init__(self, context=None, broken=False):
        self.context, self.broken = context, broken
        self.in_clear, self.under_tls = [], []  # commands
        self.messages = []  # (octets, recipient, whether TLS protected it)
        host = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    Talk(host, self.request).run()

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, recipient):
        """[(octets, whether TLS protected it)] of each message to a recipient."""
        return [(octets, tls) for octets, to, tls in self.messages if to == recipient]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Talk:
    """One session."""

    def __init__(self, host, link):
        self.host, self.link, self.file = host, link, link.makefile("rb")
        self.tls = False

    def say(self, text):
        self.link.sendall(text.encode() + b"\r\n")

    def run(self):
        recipient = None
        self.say("220 mail host")
        while line := self.file.readline(65536).decode(errors="replace").strip():
            (self.host.under_tls if self.tls else self.host.in_clear).append(line)
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                offers = self.host.context and not self.tls
                self.say("250-mail host\r\n250-8BITMIME" + ("\r\n250 STARTTLS" if offers else "\r\n250 HELP"))
            elif verb == "STARTTLS" and self.host.context:
                self.start_tls()
            elif verb == "DATA":
                self.say("354 go on")
                self.host.messages.append((self.message(), recipient, self.tls))
                self.say("250 2.0.0 taken")
            elif verb == "QUIT":
                return
            else:
                recipient = line.partition("<")[2].partition(">")[0] if verb == "RCPT" else recipient
                self.say("250 2.1.0 fine")

    def start_tls(self):
        self.say("220 2.0.0 go on")
        if self.host.broken:
            self.say("no TLS at all")
            raise OSError
        self.link = self.host.context.wrap_socket(self.link, server_side=True)
        self.file, self.tls = self.link.makefile("rb"), True

    def message(self):
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise OSError
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)
