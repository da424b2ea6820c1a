# SPDX-License-Identifier: MIT
"""Listens in on policyd's socket `limit': which message was charged when.

A charge happens between its request and its answer, so both times are kept. What is not kept, goes back and
does not count."""

import collections
import os
import pathlib
import socket
import threading
import time

ANSWERED = ("charge", "count", "reset")

Charge = collections.namedtuple("Charge", "message asked answered")


class Tap:
    """While it is open, milter and worker reach policyd through it."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.path = pathlib.Path(sandbox.queue_dir, "outrider", "limit")
        self.behind = self.path.with_name("limit.behind")
        self.charges = []  # in the order of keeping
        self._lock = threading.Lock()
        self._open = set()

    def __enter__(self):
        owner = self.path.stat()
        self.path.rename(self.behind)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        os.chown(self.path, owner.st_uid, owner.st_gid)
        self.path.chmod(owner.st_mode & 0o777)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        # The worker connects for each look, the milter stays connected.
        self.sandbox.control("restart", "milter")
        return self

    def __exit__(self, *unused):
        self.behind.rename(self.path)
        self._listener.close()
        with self._lock:
            for link in self._open:
                link.shutdown(socket.SHUT_RDWR)
        self.sandbox.control("restart", "milter")

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self.behind))
            with self._lock:
                self._open |= {client, server}
            asked, charged = collections.deque(), {}
            answers = threading.Thread(target=self._pass, daemon=True, args=(
                server, client, lambda line: self._answered(line, asked, charged)))
            answers.start()
            self._pass(client, server, lambda line: self._asked(line, asked, charged))
            server.shutdown(socket.SHUT_RDWR)
            answers.join()
            with self._lock:
                self._open -= {client, server}

    @staticmethod
    def _pass(source, target, note):
        """Line by line, each noted before it goes on."""
        rest = b""
        try:
            while piece := source.recv(65536):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    note(line.decode().split())
                if lines:
                    target.sendall(b"".join(line + b"\n" for line in lines))
        except OSError:
            pass

    def _asked(self, words, asked, charged):
        verb, subject = words[0], int(words[1])
        if verb in ANSWERED:
            asked.append((verb, subject, time.time()))
        elif verb == "keep" and subject in charged:
            with self._lock:
                self.charges.append(Charge(subject, *charged.pop(subject)))
        else:
            charged.pop(subject, None)

    @staticmethod
    def _answered(words, asked, charged):
        verb, subject, when = asked.popleft()
        if verb == "charge" and words == ["ok"]:
            charged[subject] = (when, time.time())
