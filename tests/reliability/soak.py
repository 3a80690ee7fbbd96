#!/usr/bin/env python3
"""Watch the processes of tests/soak, and judge whether they grow.

usage: soak.py watch WATCHED WORK SECONDS SAMPLES FLUXCTL SANDBOX
       soak.py judge SAMPLES [--no-memory]
       soak.py prove SAMPLES [--no-memory]

WATCHED has a file NAME.pid for each process that lives now, the counts `faults` and `kills`, and `errors`, a line
each. `watch` writes a sample of each process every few seconds to SAMPLES and prints a line of a table a minute.
`judge` compares the median of the last quarter of the time with that of the second quarter. `prove` doctors
each figure of the old daemon so that it grows and fails unless `judge` sees it.
"""
import glob
import json
import os
import statistics
import subprocess
import sys
import time

# What may be more in the last quarter than in the second: a share of it and an amount. The memory that the allocator
# keeps goes up and down by some 300 KB with what the connections have needed; ten bytes lost with each report are
# seen within the hour.
ROOM = {"uss_kb": (0.02, 256), "fds": (0, 1), "threads": (0, 0), "state_kb": (0.02, 32)}
ROOM_SHORT = {**ROOM, "uss_kb": (0.10, 512), "fds": (0, 3), "threads": (0, 1), "state_kb": (0.10, 128)}
SHORT_SECONDS = 600
HEADS = ("min", "old: USS KB", "RSS KB", "fds", "threads", "state KB", "young: USS KB", "fds", "state KB",
         "a reporter: USS KB", "fds", "reports", "operations", "written KB", "faults", "kill -9", "errors")


def read(path, default=""):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return default


def process_figures(pid):
    """None where it has just ended."""
    figures = {"uss_kb": 0, "rss_kb": 0, "threads": 0}
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        words = line.split()
        if words[0] in ("Private_Clean:", "Private_Dirty:"):
            figures["uss_kb"] += int(words[1])
        elif words[0] == "Rss:":
            figures["rss_kb"] = int(words[1])
    try:
        figures["fds"] = len(os.listdir(f"/proc/{pid}/fd"))
        figures["threads"] = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return None
    return figures if figures["rss_kb"] > 0 else None


def state_kb(directory):
    total = 0
    for path in glob.glob(os.path.join(directory, "*")):
        try:
            total += os.stat(path).st_size
        except OSError:
            pass  # a file of a moment
    return total // 1024


def ask(words, **environment):
    try:
        done = subprocess.run(words, capture_output=True, timeout=3, check=False,
                              env={**os.environ, **environment})
        return json.loads(done.stdout)
    except (ValueError, OSError, subprocess.TimeoutExpired):
        return {}


class Sum:
    """Counts of daemons that begin at nothing again when they are started anew."""

    def __init__(self):
        self.last, self.total = {}, 0

    def add(self, name, value):
        if value is not None:
            before = self.last.get(name, 0)
            self.total += value - before if value >= before else value
            self.last[name] = value


class Watch:
    def __init__(self, watched, work, fluxctl, sandbox, samples):
        self.watched, self.work, self.fluxctl, self.sandbox = watched, work, fluxctl, sandbox
        self.samples = samples
        self.reports, self.written, self.operations = Sum(), Sum(), Sum()
        self.latest = {}

    def sample(self, at):
        for path in sorted(glob.glob(os.path.join(self.watched, "*.pid"))):
            name = os.path.basename(path)[:-4]
            figures = process_figures(read(path).strip() or "0")
            if figures is None:
                continue
            if name in ("old", "young"):
                figures["state_kb"] = state_kb(os.path.join(self.work, name))
            self.latest[name] = figures
            json.dump({"at": round(at, 1), "name": name, **figures}, self.samples)
            self.samples.write("\n")
        self.samples.flush()

    def count(self):
        for name in ("old", "young"):
            status = ask([self.fluxctl, "--json", "--timeout", "2", "status"],
                         FLUXAWS_SOCKET=os.path.join(self.work, name + ".sock"))
            self.reports.add(name, status.get("clients", {}).get("reports"))
            self.written.add(name, status.get("storage", {}).get("bytes_written"))

    def count_operations(self):
        counters = ask([self.sandbox, "counters"]).get("operations")
        if counters is not None:
            self.operations.add("cloud", sum(counters.values()))

    def row(self, at):
        old, young, program = (self.latest.get(name, {}) for name in ("old", "young", "young-one"))
        errors = len(read(os.path.join(self.watched, "errors")).splitlines())
        cells = [f"{at / 60:.1f}"]
        cells += [old.get(key, "-") for key in ("uss_kb", "rss_kb", "fds", "threads", "state_kb")]
        cells += [young.get(key, "-") for key in ("uss_kb", "fds", "state_kb")]
        cells += [program.get(key, "-") for key in ("uss_kb", "fds")]
        cells += [self.reports.total, self.operations.total, self.written.total // 1024]
        cells += [read(os.path.join(self.watched, name), "0").strip() for name in ("faults", "kills")]
        return cells + [errors]


def print_row(cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def watch(watched, work, seconds, samples, fluxctl, sandbox):
    every = 5 if seconds >= SHORT_SECONDS else 0.5
    line_every = 60 if seconds >= SHORT_SECONDS else seconds / 10
    print_row(HEADS)
    print("|" + "---|" * len(HEADS))
    start = time.monotonic()
    with open(samples, "w", encoding="utf-8") as file:
        one = Watch(watched, work, fluxctl, sandbox, file)
        lines = 1
        while (at := time.monotonic() - start) < seconds:
            one.sample(at)
            # A daemon that is stopped takes its counts along: they are looked at often.
            one.count()
            if at >= lines * line_every:
                one.count_operations()
                print_row(one.row(at))
                lines += 1
            time.sleep(max(0, min(every, seconds - (time.monotonic() - start))))
        one.sample(at)
        one.count()
        one.count_operations()
        print_row(one.row(at))


def load(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def medians(samples, name, key, from_share, to_share):
    end = max(sample["at"] for sample in samples)
    values = [sample[key] for sample in samples
              if sample["name"] == name and key in sample
              and end * from_share <= sample["at"] <= end * to_share]
    return statistics.median(values) if values else None


def judge(samples, with_memory):
    """What has grown, and the lines to say about all."""
    end = max(sample["at"] for sample in samples)
    room = ROOM if end >= SHORT_SECONDS * 0.9 else ROOM_SHORT
    grown, told = [], []
    for name in sorted({sample["name"] for sample in samples}):
        for key, (share, amount) in room.items():
            before, after = (medians(samples, name, key, *part) for part in ((0.25, 0.5), (0.75, 1)))
            if key == "uss_kb" and not with_memory:
                continue
            if before is None or after is None:
                if name in ("old", "young"):
                    grown.append(f"{name}: {key} was not seen")
                continue
            is_more = after > before * (1 + share) + amount
            if is_more:
                grown.append(f"{name}: {key} grew")
            if is_more or name in ("old", "young"):
                told.append(f"# {name}: {key} {before:g} in the second quarter, {after:g} in the last"
                            + (": TOO MUCH" if is_more else ""))
    return grown, told


def prove(samples, with_memory):
    """Each figure doctored to grow by a third every quarter has to be seen."""
    end = max(sample["at"] for sample in samples)
    for key in ROOM:
        if key == "uss_kb" and not with_memory:
            continue
        doctored = [{**sample, key: sample[key] + sample[key] * 4 * sample["at"] / end}
                    for sample in samples if sample["name"] == "old"]
        if f"old: {key} grew" not in judge(doctored, with_memory)[0]:
            print(f"# growth of {key} is not seen")
            return 1
    return 0


def main(words):
    if len(words) == 7 and words[0] == "watch":
        watch(words[1], words[2], int(words[3]), words[4], words[5], words[6])
        return 0
    if len(words) >= 2 and words[0] in ("judge", "prove"):
        samples, with_memory = load(words[1]), "--no-memory" not in words
        if words[0] == "judge":
            grown, told = judge(samples, with_memory)
            print("\n".join(told + [f"# {text}" for text in grown]))
            return 1 if grown else 0
        return prove(samples, with_memory)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
