#!/usr/bin/env python3
"""Compare what the device reports with the reported state in the cloud, by value.

usage: compare.py DEVICE.json SHADOW.json

DEVICE.json is what `fluxctl --json get` prints, SHADOW.json what `fluxaws-sandbox shadow` prints.
Empty objects do not matter: only deletions leave them behind. Prints the differences.
"""
import json
import sys


def leaves(value, path=""):
    """Yield (path, value) of all that is not an object."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, path + "/" + key)
    else:
        yield path, value


def same(left, right):
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def main(device_file, cloud_file):
    with open(device_file, encoding="utf-8") as file:
        device = dict(leaves(json.load(file)))
    with open(cloud_file, encoding="utf-8") as file:
        cloud = dict(leaves(json.load(file)["state"].get("reported", {})))
    different = 0
    for path in sorted(set(device) | set(cloud)):
        if path not in cloud:
            print(f"# {path}: device {device[path]!r}, not in the cloud")
        elif path not in device:
            print(f"# {path}: cloud {cloud[path]!r}, not on the device")
        elif not same(device[path], cloud[path]):
            print(f"# {path}: device {device[path]!r}, cloud {cloud[path]!r}")
        else:
            continue
        different += 1
    print(f"{len(device)} properties, {different} differ")
    return 1 if different or not device else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
