# SPDX-License-Identifier: MIT
"""Medians of runs, and tables."""

import statistics


def median(runs):
    """One record whose numbers are the medians of the runs' numbers; records inside alike."""
    first = runs[0]
    result = {}
    for name, value in first.items():
        values = [run[name] for run in runs if name in run]
        result[name] = median(values) if isinstance(value, dict) else \
            round(statistics.median(values), 3)
    return result


def spread(values):
    """How far the runs lie apart: (largest - smallest) / median."""
    middle = statistics.median(values)
    return round((max(values) - min(values)) / middle, 2) if middle else 0


def table(rows):
    """Prints rows of words in columns: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(word.ljust(width) if i == 0 else word.rjust(width)
                        for i, (word, width) in enumerate(zip(row, widths))).rstrip())
