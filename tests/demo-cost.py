#!/usr/bin/env python3
"""Say what the demo cost and what its reports would have cost one by one.

usage: demo-cost.py COUNTERS.json STATUS.json THING SECONDS

Prices: $1.25 a million shadow operations, counted in steps of 1 KB; $1.00 a million messages,
counted in steps of 5 KB (AWS's published examples; they differ by region). A shadow update over
MQTT is one operation and one message, and its answer one message more.
"""
import json
import math
import sys

OPERATION = 1.25e-6
MESSAGE = 1.00e-6
KB = 1024


def money(dollars):
    if dollars >= 100:
        return f"${dollars:,.0f}"
    return f"${dollars:.2f}" if dollars >= 0.1 else f"${dollars:.6f}"


def main(counters_file, status_file, thing, seconds):
    with open(counters_file, encoding="utf-8") as file:
        counters = json.load(file)
    with open(status_file, encoding="utf-8") as file:
        reports = json.load(file)["clients"]["reports"]
    operations = counters["operations"]
    client = counters["clients"][thing]
    spent = sum(operations.values())
    messages = (client["published"] + client["delivered"] + client["connects"]
                + client["subscribed"])
    steps = max(1, math.ceil(counters["requestBytes"] / max(spent, 1) / KB))
    cost = spent * steps * OPERATION + messages * MESSAGE
    alone = reports * (OPERATION + 2 * MESSAGE)
    month = 30 * 86400 / float(seconds)
    rows = [
        ("reports taken by the daemon", f"{reports:,}"),
        ("shadow operations spent", f"{spent:,}  ({operations['update']} updates, "
                                    f"{operations['get']} gets, of {steps} KB at most)"),
        ("messages on the connection", f"{messages:,}"),
        ("price of that", money(cost)),
        ("one by one it would have been", f"{reports:,} updates, {2 * reports:,} messages: {money(alone)}"),
        ("a month at this pace", f"{money(cost * month)} instead of {money(alone * month)}"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
    print("  At $1.25 a million operations (1 KB each) and $1.00 a million messages (5 KB each), as in\n"
          "  AWS's examples. One by one AWS would not even take them: its limit is 20 a second a shadow.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
