#!/usr/bin/env python3
"""Put the rows that fault tests wrote into the table of docs/reliability.md.

usage: table.py ROWS PAGE TEST...

The rows of a test that ran are replaced, others stay as they are; they stand in the order of the tests.
"""
import datetime
import os
import platform
import sys

BEGIN, END = "<!-- written by tests/reliability/run -->", "<!-- end -->"
HEADINGS = ("test", "fault", "how it is injected", "rounds", "fluxawsd: lost", "right again after",
            "operations", "mosquitto as a bridge: lost", "measured")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def source():
    """What was measured: the date and the commit, which the caller looked up before anything changed."""
    return f"{datetime.date.today()} {os.environ.get('FLUX_COMMIT', '')}".strip()


def machine():
    with open("/proc/meminfo") as file:
        kib = int(file.readline().split()[1])
    return (f"{os.cpu_count()} processors, {kib / 2**20:.0f} GiB, Linux {platform.release()}, "
            f"{platform.machine()}")


def merge(old, new, order):
    ran = {row[0] for row in new}
    rows = [row for row in old if row[0] not in ran] + new
    return sorted(rows, key=lambda row: order.index(row[0]) if row[0] in order else len(order))


def main(rows_path, page_path, *order):
    with open(rows_path) as file:
        new = [line.rstrip("\n").replace("|", "/").split("\t") + [source()] for line in file]
    with open(page_path) as file:
        before, rest = file.read().split(BEGIN)
    middle, after = rest.split(END)
    old = [cells(line) for line in middle.splitlines() if line.startswith("|")][2:]
    lines = ["| " + " | ".join(row) + " |"
             for row in [list(HEADINGS), ["---"] * len(HEADINGS)] + merge(old, new, order)]
    with open(page_path, "w") as file:
        file.write(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n\nLast run on: {machine()}.\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
