#!/usr/bin/env python3
"""Print the figures that `run` measured as a table: medians, each beside its floor and its target.

usage: table.py RESULTS MILLIONS
"""
import statistics
import sys

ROWS = []


def read(path):
    samples = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, value = line.split()
            samples.setdefault(name, []).append(float(value))
    return {name: statistics.median(values) for name, values in samples.items()}


def row(figure, ours, floor, ratio, target, holds):
    ROWS.append((figure, ours, floor, ratio, target, "yes" if holds else "NO"))


def microseconds(value):
    return f"{value:.1f} us"


def add_queued(m):
    for percent in ("p50", "p99"):
        ours, floor = m[f"queued.{percent}_us"], m[f"queued.floor.{percent}_us"]
        target = "<= 1.5 x" if percent == "p50" else "-"
        row(f"one set -> QUEUED, {percent}", microseconds(ours), microseconds(floor),
            f"{ours / floor:.2f} x", target, percent != "p50" or ours <= 1.5 * floor)


def add_pipeline(m):
    ours, floor = m["pipeline.reports_per_s"], m["pipeline.floor.reports_per_s"]
    row("reports/s, one property each", f"{ours:,.0f}", f"{floor:,.0f}", f"{ours / floor:.0%}",
        ">= 50 %", ours >= 0.5 * floor)
    ours, floor = m["pipeline.daemon_ns_per_report"], m["pipeline.floor.server_ns_per_report"]
    row("  processor time of daemon / echo server", f"{ours:.0f} ns", f"{floor:.0f} ns",
        f"{ours / floor:.2f} x", "-", True)
    ours, floor = m["pipeline.client_ns_per_report"], m["pipeline.floor.client_ns_per_report"]
    row("  processor time of the two clients", f"{ours:.0f} ns", f"{floor:.0f} ns",
        f"{ours / floor:.2f} x", "-", True)


def add_wide(m):
    ours = m["wide.properties_per_core_s"]
    row("properties/s a core, 16 a report", f"{ours:,.0f}", "-", "-", ">= 2,000,000", ours >= 2e6)


def add_accepted(m):
    for percent in ("p50", "p99"):
        ours, floor = m[f"accepted.{percent}_us"], m[f"accepted.floor.{percent}_us"]
        target = "<= 1.3 x" if percent == "p50" else "-"
        row(f"set -> ACCEPTED when idle, {percent}", microseconds(ours), microseconds(floor),
            f"{ours / floor:.2f} x", target, percent != "p50" or ours <= 1.3 * floor)


def add_desired(m):
    for percent in ("p50", "p99"):
        ours, floor = m[f"desired.{percent}_us"], m[f"desired.floor.{percent}_us"]
        target = "<= 1.3 x" if percent == "p50" else "-"
        row(f"wish in the cloud -> the program, {percent}", microseconds(ours),
            microseconds(floor), f"{ours / floor:.2f} x", target,
            percent != "p50" or ours <= 1.3 * floor)


def add_shadows(m):
    ours, floor, none = m["shadows.uss_kb"], m["shadows.floor.uss_kb"], m["shadows.none.uss_kb"]
    row("private memory (USS), 200 shadows of 20 properties", f"{ours:.0f} KB", f"{floor:.0f} KB",
        f"{ours - floor:+.0f} KB", "-", True)
    row("  a shadow with 20 properties", f"{(ours - none) / 200:.1f} KB", "-", "-", "-", True)


def add_cost(m):
    spent = m["cost.after.operations"] - m["cost.before.operations"]
    row("shadow operations for 250,000 reports, 15 s", f"{spent:.0f}", "-", "-", "<= 18",
        spent <= 18)


def add_many(m):
    ours, floor = m["many.daemon_ns_per_report"], m["many.floor.daemon_ns_per_report"]
    row("daemon's time a report: 200 clients, 10 shadows, 1,000 properties", f"{ours:.0f} ns",
        f"{floor:.0f} ns", f"{ours / floor:.2f} x", "<= 1.5 x", ours <= 1.5 * floor)


def add_memory(m, millions):
    floor = m["memory.floor.uss_kb"]
    for name, label in (("idle", "connected"), ("one", "after 1 million reports"),
                        ("all", f"after {millions} million")):
        ours = m[f"memory.{name}.uss_kb"]
        row(f"private memory (USS), {label}", f"{ours:.0f} KB", f"{floor:.0f} KB",
            f"{ours - floor:+.0f} KB", "<= +2048 KB", ours <= floor + 2048)
    growth = m["memory.all.uss_kb"] - m["memory.one.uss_kb"]
    row(f"  growth from 1 to {millions} million", f"{growth:+.0f} KB", "-", "-", "none (<= 64 KB)",
        growth <= 64)


def add_idle(m):
    ours = m["idle.cpu_percent"]
    row("processor when connected and idle", f"{ours:.3f} %", "-", "-", "< 0.1 %", ours < 0.1)


def add_stored(m):
    ours, floor = m["stored.slow.reports_per_s"], m["stored.slow.floor.syncs_per_s"]
    row("STORED reports/s, 64 writers, each sync 5 ms more / bare syncs", f"{ours:,.0f}",
        f"{floor:,.0f}", f"{ours / floor:.1f} x", ">= 20 x", ours >= 20 * floor)
    ours, group = m["stored.real.reports_per_s"], m["stored.real.group"]
    floor = m["stored.real.table.reports_per_s"]
    row(f"STORED reports/s, 64 writers, this disk / bare server with SQLite, {group:.0f} a commit",
        f"{ours:,.0f}", f"{floor:,.0f}", f"{ours / floor:.0%}", ">= 70 %", ours >= 0.7 * floor)
    floor = m["stored.real.bare.reports_per_s"]
    row("  beside the bare server with a file of nothing", f"{ours:,.0f}", f"{floor:,.0f}",
        f"{ours / floor:.0%}", "-", True)
    for key, name in (("sqlite", "bare SQLite, no clients"), ("append", "bare writes, no clients")):
        floor = m[f"stored.real.{key}.rows_per_s"]
        row(f"  beside {name}", f"{ours:,.0f}", f"{floor:,.0f}", f"{ours / floor:.0%}", "-", True)
    for key, name in (("daemon", "daemon / bare server with SQLite"), ("client", "their clients")):
        ours, floor = (m[f"stored.real.{kind}{key}_ns_per_report"] for kind in ("", "table."))
        row(f"  processor time of {name}", f"{ours:.0f} ns", f"{floor:.0f} ns",
            f"{ours / floor:.2f} x", "-", True)


def add_slow_disk(m):
    for percent in ("p50", "p99"):
        ours, floor = m[f"slow-disk.{percent}_us"], m[f"slow-disk.floor.{percent}_us"]
        target = "<= 2 x" if percent == "p99" else "-"
        row(f"one set -> QUEUED, {percent}, each sync 200 ms more / not", microseconds(ours),
            microseconds(floor), f"{ours / floor:.2f} x", target,
            percent != "p99" or ours <= 2 * floor)
        ours, floor = m[f"slow-disk.bare.{percent}_us"], m[f"slow-disk.bare.floor.{percent}_us"]
        row(f"  a bare socket meanwhile, {percent}", microseconds(ours), microseconds(floor),
            f"{ours / floor:.2f} x", "-", True)


def add_durable(m):
    for percent in ("p50", "p99"):
        ours = m[f"durable.{percent}_us"]
        volatile, sync = m[f"durable.floor.{percent}_us"], m[f"durable.sync.{percent}_us"]
        row(f"set -> ACCEPTED when idle, durable, {percent} / volatile + fdatasync",
            microseconds(ours), f"{volatile:.0f} + {sync:.0f} us", f"{ours / (volatile + sync):.2f} x",
            "-", True)


def add_bytes(m):
    for rate in (1, 10, 100):
        ours = m[f"bytes.{rate}.bytes_per_hour"]
        reports = "1 report" if rate == 1 else f"{rate} reports"
        for key, name in (("floor", "mosquitto, each change saved"),
                          ("rare", "mosquitto, saved every 30 s")):
            floor = m[f"bytes.{key}.{rate}.bytes_per_hour"]
            row(f"written in an hour, {reports} a second / {name}", f"{ours / 1e6:.1f} MB",
                f"{floor / 1e6:.1f} MB", f"{ours / floor:.2f} x" if floor else "-", "-", True)


def add_durable_memory(m):
    floor = m["durable-memory.floor.uss_kb"]
    for key, name, target in (("idle", "connected", 2048), ("one", "after 1 million reports", 2048),
                              ("many", "after 64 writers at once", 0)):
        ours = m[f"durable-memory.{key}.uss_kb"]
        row(f"private memory (USS), durable, {name}", f"{ours:.0f} KB", f"{floor:.0f} KB",
            f"{ours - floor:+.0f} KB", f"<= +{target} KB" if target else "-",
            not target or ours <= floor + target)


def main(path, millions):
    m = read(path)
    adders = {"queued": add_queued, "pipeline": add_pipeline, "wide": add_wide,
              "accepted": add_accepted, "desired": add_desired, "cost": add_cost, "many": add_many,
              "memory": lambda m: add_memory(m, millions), "shadows": add_shadows,
              "idle": add_idle, "stored": add_stored, "slow-disk": add_slow_disk,
              "durable": add_durable, "bytes": add_bytes, "durable-memory": add_durable_memory}
    for figure, add in adders.items():
        if any(name.startswith(figure + ".") for name in m):
            add(m)
    heads = ("figure", "ours", "floor", "ratio", "target", "met")
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for cells in ROWS:
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
