# SPDX-License-Identifier: MIT
"""Where received messages are kept: DOMAIN/NNNNNN.eml and its envelope in NNNNNN.json.

Both appear whole or not at all, and the envelope is there before the message. As a program:
`inbox.py DIRECTORY [DOMAIN]' lists them.
"""

import json
import pathlib
import re
import sys


class Inbox:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.numbers = {}

    def keep(self, message, envelope):
        """Returns the name of the file, below the directory."""
        domain = envelope["recipients"][0]["address"].rpartition("@")[2].lower()
        if not re.fullmatch(r"[\w-][\w.-]{0,252}", domain):
            domain = "other"
        folder = self.directory / domain
        # A test may empty the inbox; numbers go on all the same.
        folder.mkdir(exist_ok=True)
        number = self.numbers.get(domain) or highest(folder)
        number += 1
        self.numbers[domain] = number
        name = f"{number:06d}"
        text = json.dumps({"eml": f"{domain}/{name}.eml", **envelope}, indent=1) + "\n"
        put(folder, f"{name}.json", text.encode())
        put(folder, f"{name}.eml", message)
        return f"{domain}/{name}.eml"


def highest(folder):
    return max((int(file.stem) for file in folder.glob("[0-9]*.json")), default=0)


def put(folder, name, content):
    new = folder / f".new-{name}"
    new.write_bytes(content)
    new.rename(folder / name)


def main(directory, domain="*"):
    for message in sorted(pathlib.Path(directory).glob(f"{domain}/[0-9]*.eml")):
        envelope = json.loads(message.with_suffix(".json").read_text())
        recipients = ",".join(r["address"] for r in envelope["recipients"])
        tls = envelope["tls"]["version"] if envelope["tls"] else "plain"
        print(f"{message}  <{envelope['sender']}> -> {recipients}  from {envelope['peer']}"
              f" ({envelope['helo']}) {tls}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
