# SPDX-License-Identifier: MIT
"""What a run found, as a table for people or as JSON. Pure."""

import collections
import dataclasses
import json

import load

WORDS = {load.ACCEPTED: "accepted", load.TEMPORARY: "put off", load.PERMANENT: "refused for good",
         load.NONE: "not handed in", load.LOST: "no answer to the final dot"}
DIFFERENCES_SHOWN = 20


@dataclasses.dataclass
class Report:
    seed: str
    seconds: float  # of load
    settled: float  # seconds until everything agreed, or until waiting ended
    faults: dict  # {name: times}
    told: dict  # {word: messages, and "click" and status: clicks}
    api: dict  # {what: requests, attempts or clicks}
    words: dict  # {what was said instead of 250: submissions}
    received: dict  # {copies: recipients}
    history: dict  # {status: rows}
    queued: int  # still in the queue
    full_judged: int  # answers given while the spool was full
    full_over: float  # the longest time until mail was accepted again after it, in seconds
    strays: list  # stored files without a row
    charged: int  # messages, to a limit that is never reached
    differences: list
    logged: dict  # {recipient: lines of the mail log} for the differences
    troubles: list  # text of what no fault explains
    notes: list  # what is allowed, but worth a look

    def holds(self):
        return not (self.differences or self.troubles or self.queued)

    def as_json(self):
        return json.dumps({"holds": self.holds(), **dataclasses.asdict(self)}, indent=1)

    def as_table(self):
        lines = [f"seed {self.seed}, {self.seconds:.0f} s of load, settled after {self.settled:.0f} s", ""]
        lines += section("faults", self.faults)
        lines += section("told", {f"{word} ({text})": self.told.get(word, 0) for word, text in WORDS.items()})
        lines += section("clicks", {word: count for word, count in self.told.items() if word not in WORDS})
        lines += section("API", self.api)
        lines += section("words", self.words)
        lines += section("received", {f"{n} cop{'y' if n == 1 else 'ies'}": count
                                      for n, count in sorted(self.received.items())})
        lines += section("history", self.history)
        lines += section("besides", {
            "messages a second": round(sum(self.told.get(word, 0) for word in WORDS) / max(self.seconds, 1), 1),
            "still queued": self.queued,
            "answers on a full spool": self.full_judged,
            "seconds until accepted after": round(self.full_over, 1),
            "stored without a row": len(self.strays),
            "charged to the limit": self.charged,
        })
        lines += [f"note: {text}" for text in self.notes]
        lines += [f"TROUBLE: {text}" for text in self.troubles]
        lines += self._differences()
        lines.append("all holds" if self.holds() else "DOES NOT HOLD")
        return "\n".join(lines)

    def _differences(self):
        for kind, count in collections.Counter(d.kind for d in self.differences).items():
            yield f"DIFFERENCE: {kind}: {count}"
        for difference in self.differences[:DIFFERENCES_SHOWN]:
            yield (f"  {difference.recipient} {difference.kind}; told {difference.told}, received "
                   f"{difference.received}, history {difference.history or '-'}; {difference.detail}")
            for line in self.logged.get(difference.recipient, []):
                yield f"      {line}"


def section(title, counts):
    """`title' over its lines, names left and numbers right."""
    width = max([len(str(name)) for name in counts] + [28])
    return [title] + [f"  {name:<{width}} {count:>8}" for name, count in counts.items()] + [""]
