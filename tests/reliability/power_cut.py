#!/usr/bin/env python3
"""Cut the power at many moments of a recorded run, and look at what the disk may hold then.

usage: power_cut.py RECORD CUTS SEED KEEP-DIRECTORY TOLD...

RECORD is what disk_record.c wrote down, TOLD the output of `reporter`. At each cut everything synced is
there; of what was written since, any subset: each write whole, not at all, or in part by sectors of 512
bytes; files made or removed since the last sync of the directory may be there or not. The database must
open, be whole, and hold every value (or a newer one) that had been told to be stored by then. Prints each
violation; what the disk held then is kept in KEEP-DIRECTORY. The last line is a summary.
"""
import os
import random
import shutil
import sqlite3
import struct
import sys
import tempfile

HEADER = struct.Struct("<B3xIIIQQ")
SECTOR = 512


def read_records(path):
    records = []
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at + HEADER.size <= len(data):
        kind, path_size, size, _, offset, now_us = HEADER.unpack_from(data, at)
        at += HEADER.size
        name = os.path.basename(data[at:at + path_size].decode())
        at += path_size
        records.append((chr(kind), name, offset, data[at:at + size], now_us))
        at += size
    return records


def read_told(paths):
    told = []
    for path in paths:
        with open(path) as file:
            for line in file:
                words = line.split()
                if len(words) == 4 and words[0] == "stored":
                    told.append((int(words[3]), words[1], int(words[2])))
    return sorted(told)


def apply(content, change):
    kind, offset, data = change
    if kind == "t":
        del content[offset:]
        content.extend(bytes(max(0, offset - len(content))))
        return
    if len(content) < offset + len(data):
        content.extend(bytes(offset + len(data) - len(content)))
    content[offset:offset + len(data)] = data


def parts_of(change, chance):
    """What of an unsynced change reached the disk."""
    kind, offset, data = change
    luck = chance.random()
    if luck < 0.4:
        return [change]
    if luck < 0.8 or kind == "t":
        return []
    return [(kind, offset + at, data[at:at + SECTOR]) for at in range(0, len(data), SECTOR)
            if chance.random() < 0.5]


class Disk:
    def __init__(self):
        self.synced = {}    # name -> content that is safe
        self.pending = {}   # name -> changes since
        self.entries = {}   # name -> whether its entry is safe; False: made since the last sync
        self.removed = {}   # name -> (content, changes) of files whose removal is not safe

    def take(self, record):
        kind, name, offset, data, _ = record
        if kind == "c":
            self.synced[name], self.pending[name] = bytearray(), []
            self.entries[name] = False
        elif kind in "wt":
            self.pending.setdefault(name, []).append((kind, offset, data))
            self.synced.setdefault(name, bytearray())
            self.entries.setdefault(name, True)
        elif kind == "s":
            for change in self.pending.get(name, []):
                apply(self.synced[name], change)
            self.pending[name] = []
        elif kind == "d":
            self.entries = {entry: True for entry in self.entries}
            self.removed.clear()
        elif kind == "u" and name in self.synced:
            if self.entries.pop(name):
                self.removed[name] = (self.synced[name], self.pending.get(name, []))
            del self.synced[name]
            self.pending.pop(name, None)
        elif kind == "!":
            raise SystemExit(f"power_cut: {name} was changed in a way that is not understood")

    def after_cut(self, chance):
        """One of the things that the disk may hold."""
        files = {}
        everything = [(name, self.synced[name], self.pending.get(name, []), self.entries[name])
                      for name in self.synced]
        everything += [(name, *rest, False) for name, rest in self.removed.items() if name not in self.synced]
        for name, safe, changes, has_entry in everything:
            if not has_entry and chance.random() < 0.5:
                continue
            content = bytearray(safe)
            for change in changes:
                for part in parts_of(change, chance):
                    apply(content, part)
            files[name] = content
        return files


def read_values(directory):
    """Returns (what is wrong, values) of the database there."""
    path = os.path.join(directory, "state-1.db")
    if not os.path.exists(path):
        return None, {}
    try:
        database = sqlite3.connect(path)
        verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        tables = database.execute("SELECT name FROM sqlite_schema WHERE name = 'property'").fetchall()
        rows = database.execute("SELECT path, value FROM property").fetchall() if tables else []
        database.close()
    except sqlite3.DatabaseError as error:
        return str(error), {}
    values = {path.decode() if isinstance(path, bytes) else path: value for path, value in rows}
    return (None if verdict == "ok" else verdict), values


def judge(files, promised, keep, name):
    with tempfile.TemporaryDirectory() as directory:
        for file, content in files.items():
            with open(os.path.join(directory, file), "wb") as output:
                output.write(content)
        if keep:
            shutil.copytree(directory, keep, dirs_exist_ok=True)
        wrong, values = read_values(directory)
    if wrong:
        print(f"{name}: the database is damaged: {wrong}")
        return 1
    lost = 0
    for path, counter in promised.items():
        value = values.get(path)
        if not isinstance(value, int) or value < counter:
            print(f"{name}: {path}: {counter} was stored; the disk has {value}")
            lost += 1
    return lost


def main(record_path, cuts, seed, keep, *told_paths):
    records, told = read_records(record_path), read_told(told_paths)
    chance = random.Random(int(seed))
    cut_at = {}
    for _ in range(int(cuts)):
        moment = chance.randrange(1, len(records) + 1)
        cut_at[moment] = cut_at.get(moment, 0) + 1
    disk, promised, next_told = Disk(), {}, 0
    wrong = unsynced = 0
    for count, record in enumerate(records, 1):
        disk.take(record)
        while next_told < len(told) and told[next_told][0] <= record[4]:
            _, path, counter = told[next_told]
            promised[path] = max(counter, promised.get(path, 0))
            next_told += 1
        for number in range(cut_at.get(count, 0)):
            unsynced += any(disk.pending.values())
            bad = judge(disk.after_cut(chance), promised, None, f"cut {count}.{number}")
            wrong += bad
    # And one that the daemon itself is to start from.
    judge(disk.after_cut(chance), promised, keep, "the last cut")
    print(f"{cuts} cuts in {len(records)} operations on the disk, {unsynced} with unsynced writes, "
          f"{len(told)} values told to be stored; wrong: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
