# SPDX-License-Identifier: MIT
"""Messages handed in over HTTP, beside the same over SMTP."""

import submission
import world


def check(options):
    options.paths = "tracked,api,keyed"
    submission.check(options)


def measure(place, options):
    document = submission.measure(place, options)
    document["resident_mb"] = {name: world.resident(place.pid(name)) for name in ("apid", "milter")}
    return document


def show(document):
    submission.show(document)
    print("resident after it: " + ", ".join(f"outrider-{name} {size} MB" for name, size in document["resident_mb"].items()))
