# SPDX-License-Identifier: MIT
"""What the simulator keeps of the mail that it took. An envelope is read once, as none ever changes: tests look here
again and again until their mail has come, and mail of others is there by the thousand."""

import collections
import json
import os
import pathlib
import threading


class Inbox:
    def __init__(self, directory):
        self._directory = pathlib.Path(directory)
        self._lock = threading.Lock()
        self._folders = collections.defaultdict(Folder)

    def envelopes(self, domain):
        """Those of all messages for a domain, in the order in which they were seen."""
        with self._lock:
            return list(self._look(domain).envelopes.values())

    def messages(self, domain, recipient=None):
        """[(octets, envelope)] of a domain, or of one recipient there."""
        with self._lock:
            folder = self._look(domain)
            names = folder.names_of[recipient] if recipient else folder.envelopes
            return [((self._directory / domain / name).read_bytes(), folder.envelopes[name]) for name in names]

    def _look(self, domain):
        """The folder of a domain with what has come; an envelope is there before its message is."""
        folder, path = self._folders[domain], self._directory / domain
        names = {name for name in os.listdir(path) if name.endswith(".eml") and name[0].isdigit()} if path.is_dir() else set()
        if not folder.envelopes.keys() <= names:
            folder = self._folders[domain] = Folder()  # somebody has emptied it
        for name in sorted(names - folder.envelopes.keys()):
            folder.add(name, json.loads((path / name).with_suffix(".json").read_text()))
        return folder


class Folder:
    def __init__(self):
        self.envelopes = {}  # {name: envelope}
        self.names_of = collections.defaultdict(list)  # of a recipient

    def add(self, name, envelope):
        self.envelopes[name] = envelope
        for entry in envelope["recipients"]:
            if name not in self.names_of[entry["address"]]:
                self.names_of[entry["address"]].append(name)
