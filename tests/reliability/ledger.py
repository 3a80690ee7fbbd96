#!/usr/bin/env python3
"""Hold what programs were told against what there is.

usage: ledger.py stored STATE-DIRECTORY CLOUD.json TOLD...
       ledger.py final CLOUD.json TOLD...
       ledger.py forward ACCEPTED.log

TOLD is the output of `reporter`. `stored`: every value that was told to be stored, or a newer one of its
property, is in the database or in the cloud; prints those that are not. `final`: the cloud holds what was
reported last. `forward`: no property of a reporter ever went back in the accepted updates. Counters only
rise, so newer means greater. Prints each violation; exit 1 if there is one.
"""
import glob
import json
import os
import shutil
import sqlite3
import sys
import tempfile


def read_told(paths, level):
    newest = {}
    for path in paths:
        with open(path) as file:
            for line in file:
                words = line.split()
                # The last line may be cut where the reporter was looked at in the middle of it.
                if len(words) == 4 and line.endswith("\n") and words[0] == level:
                    newest[words[1]] = max(newest.get(words[1], 0), int(words[2]))
    return newest


def flatten(value, path, into):
    if isinstance(value, dict):
        for key, below in value.items():
            flatten(below, f"{path}/{key}", into)
    else:
        into[path] = value


def read_cloud(path):
    values = {}
    with open(path) as file:
        text = file.read()
    if text.strip():
        flatten(json.loads(text).get("state", {}).get("reported", {}), "", values)
    return values


def read_database(directory):
    """The values of the classic shadow, from a copy: the database as a crash has left it."""
    names = glob.glob(os.path.join(directory, "state-*.db*"))
    with tempfile.TemporaryDirectory() as copy:
        for name in names:
            if not name.endswith("-shm"):
                shutil.copy(name, copy)
        values = {}
        for name in glob.glob(os.path.join(copy, "state-*.db")):
            database = sqlite3.connect(name)
            check = database.execute("PRAGMA integrity_check").fetchone()[0]
            if check != "ok":
                print(f"the database is damaged: {check}")
                sys.exit(1)
            try:
                rows = database.execute("SELECT path, value FROM property WHERE shadow = ''").fetchall()
            except sqlite3.OperationalError:
                rows = []  # killed before it had made its tables
            for path, value in rows:
                path = path.decode() if isinstance(path, bytes) else path
                values[path] = value
            database.close()
        return values


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else -1


def check_stored(directory, cloud_path, told):
    cloud, database = read_cloud(cloud_path), read_database(directory)
    lost = 0
    for path, counter in sorted(read_told(told, "stored").items()):
        kept, held = number(database.get(path)), number(cloud.get(path))
        if max(kept, held) < counter:
            print(f"{path}: {counter} was stored; the disk has {kept}, the cloud {held}")
            lost += 1
    return lost


def check_final(cloud_path, told):
    cloud = read_cloud(cloud_path)
    lost = 0
    for path, counter in sorted(read_told(told, "reported").items()):
        if number(cloud.get(path)) != counter:
            print(f"{path}: {counter} was reported last; the cloud has {cloud.get(path)}")
            lost += 1
    return lost


def check_forward(log):
    newest, backwards = {}, 0
    with open(log) as file:
        for line in file:
            values = {}
            try:
                flatten(json.loads(line).get("state", {}).get("reported") or {}, "", values)
            except ValueError:
                continue
            for path, value in values.items():
                if number(value) < newest.get(path, -1):
                    print(f"{path} went back from {newest[path]} to {value}")
                    backwards += 1
                newest[path] = number(value)
    return backwards


def main(words):
    if words[0] == "stored":
        wrong = check_stored(words[1], words[2], words[3:])
    elif words[0] == "final":
        wrong = check_final(words[1], words[2:])
    else:
        wrong = check_forward(words[1])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
