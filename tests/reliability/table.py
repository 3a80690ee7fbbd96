#!/usr/bin/env python3
"""Put the rows that fault tests wrote into the table of docs/reliability.md.

usage: table.py ROWS PAGE

A row of the same fault is replaced, others stay as they are; new ones go to the end.
"""
import datetime
import os
import platform
import subprocess
import sys

BEGIN, END = "<!-- written by tests/reliability/run -->", "<!-- end -->"
HEADINGS = ("fault", "how it is injected", "rounds", "fluxawsd: lost", "right again after", "operations",
            "mosquitto as a bridge: lost", "run")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def source():
    """What was measured: the date and the commit, with a + where files differ from it."""
    text = subprocess.run(["git", "describe", "--always", "--dirty=+", "--abbrev=9"], capture_output=True,
                          text=True).stdout.strip()
    return f"{datetime.date.today()} {text}".strip()


def machine():
    with open("/proc/meminfo") as file:
        kib = int(file.readline().split()[1])
    return (f"{os.cpu_count()} processors, {kib / 2**20:.0f} GiB, Linux {platform.release()}, "
            f"{platform.machine()}")


def merge(old, new):
    known = {row[0]: row for row in old}
    for row in new:
        known[row[0]] = row
    return list(known.values())


def main(rows_path, page_path):
    with open(rows_path) as file:
        new = [line.rstrip("\n").replace("|", "/").split("\t") + [source()] for line in file]
    with open(page_path) as file:
        before, rest = file.read().split(BEGIN)
    middle, after = rest.split(END)
    old = [cells(line) for line in middle.splitlines() if line.startswith("|")][2:]
    lines = ["| " + " | ".join(row) + " |"
             for row in [list(HEADINGS), ["---"] * len(HEADINGS)] + merge(old, new)]
    with open(page_path, "w") as file:
        file.write(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n\nLast run on: {machine()}.\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
