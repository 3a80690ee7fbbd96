"""The configuration: what the daemon knows, what fluxawsd.conf(5) says, what etc/fluxawsd.conf shows."""
import json
import os
import re
import tempfile

from pages import MAN, NAMES, ROOT, differences, entries, page, plain, read, run, section, sections
from programs import fluxawsd

PAGE = "fluxawsd.conf.5"
# Longer than a name may be, larger than any number, and nothing that one could choose.
BAD = "9" * 170


def daemon_keys(build):
    """Every key with its default, as --print-config prints them for an empty file."""
    printed = run(fluxawsd(build), "--config", "/dev/null", "--print-config")[0]
    keys, where = {}, None
    for line in printed.split("\n"):
        if re.fullmatch(r"\[\w+\]", line):
            where = line
        elif where and re.match(r"[A-Z]\w+=", line):
            name, default = line.split("=", 1)
            keys[f"{where} {name}"] = default
    return keys


def page_keys():
    """Every key on the page: its default ("" for "empty", None where it has none), and what it says."""
    keys = {}
    for title, text in sections(page(PAGE)):
        match = re.fullmatch(r"SECTIONS? (\[.*\])", title)
        for head, body in entries(text) if match else ():
            found = re.match(r"\*(\w+)\*(?: \((.*)\))?$", head.split("\n")[-1])
            if found:
                keys[f"{match[1]} {found[1]}"] = ("" if found[2] == "empty" else found[2] and plain(found[2]), body)
    return keys


def sample_keys():
    """Every key of the file that is shipped, with the default that it shows."""
    keys, where = {}, None
    for line in read("etc/fluxawsd.conf").split("\n"):
        if re.fullmatch(r"\[\w+\]", line):
            where = line
        elif re.match(r"#[A-Z]\w+=", line):
            name, default = line[1:].split("=", 1)
            keys[f"{where} {name}"] = default
        elif re.match(r"#   \[Property ", line):
            where = "[Property GLOB]"
        elif re.match(r"#   \[Access ", line):
            where = "[Access NAME]"
        elif re.match(r"#   [A-Z]\w+=", line):
            name, default = line[4:].split("=", 1)
            keys[f"{where} {name}"] = None if "absent" in default else default.split(" ")[0]
    return keys


def compare_values(left, right, left_name, right_name):
    yield from differences(left, right, left_name, right_name)
    for name in sorted(set(left) & set(right)):
        if left[name] != right[name]:
            yield f"{name}: '{left[name]}' in {left_name}, '{right[name]}' in {right_name}"


def without_property(keys):
    return {name: value for name, value in keys.items() if not name.startswith(("[Property", "[Access"))}


def property_keys():
    table = re.findall(r'^    \{"(\w+)", POLICY_', read("daemon/config_property.c"), re.M)
    return {f"[Property GLOB] {name}" for name in table + ["Thing", "Shadow"]}


def access_keys():
    table = re.findall(r'\[CONFIG_ACCESS_\w+\] = "(\w+)"', read("daemon/config_access.c"))
    return {f"[Access NAME] {name}" for name in table}


def check_keys(build):
    """each key stands with its default on the page and in etc/fluxawsd.conf, and no other does"""
    known, sample = daemon_keys(build), sample_keys()
    said = {name: default for name, (default, _) in page_keys().items()}
    if len(known) < 30:
        yield "--print-config printed hardly any keys: has its form changed?"
    yield from compare_values(without_property(said), known, PAGE, "--print-config")
    yield from compare_values(without_property(sample), known, "etc/fluxawsd.conf", "--print-config")
    yield from compare_values(said, sample, PAGE, "etc/fluxawsd.conf")
    yield from differences({name for name in said if name.startswith("[Property")}, property_keys(), PAGE,
                           "config_property.c")
    yield from differences({name for name in said if name.startswith("[Access")}, access_keys(), PAGE,
                           "config_access.c")


def complaints(build, keys):
    """What the daemon says to a value that cannot be, for each of the keys."""
    with tempfile.TemporaryDirectory() as folder:
        path, lines = f"{folder}/bad.conf", []
        for name in keys:
            where, key = re.fullmatch(r"(\[.*\]) (\w+)", name).groups()
            lines += [where.replace("GLOB", "a.*"), f"{key}={BAD}"]
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        said = {}
        for line in run(fluxawsd(build), "--config", path, "--check-config")[0].split("\n"):
            match = re.match(rf"{re.escape(path)}:(\d+): (.*)", line)
            if match:
                said[keys[int(match[1]) // 2 - 1]] = match[2]
        return said


def check_bounds(build):
    """the bounds and words on the page are those that the daemon takes"""
    documented = page_keys()
    said = complaints(build, [name for name in sorted(documented) if not name.startswith("[Access")])
    for name, (_, text) in sorted(documented.items()):
        complaint, words = said.get(name, ""), plain(text)
        bounds = re.search(r"between (\d+) and (\d+)", complaint)
        limit = re.search(r"(?:longer than|at most) (\d+) bytes", complaint)
        choice = re.search(r"none of: ([^;]+);", complaint)
        on_page = re.match(r"(\d+) to (\d+)\b(?! of )", words)
        if on_page and not bounds or bounds and not on_page or bounds and bounds.groups() != on_page.groups():
            yield f"{name}: the page says '{words.split(chr(10))[0]}', the daemon '{complaint[-60:]}'"
        if limit and not re.search(rf"\b{limit[1]} (bytes|of)\b", words):
            yield f"{name}: the page does not say {limit[1]} bytes"
        for word in choice[1].split(", ") if choice else ():
            if f"_{word}_" not in text:
                yield f"{name}: the page does not have {word}"
        if "octal" in complaint and "octal" not in words:
            yield f"{name}: the page does not say that it is octal"
    if not said:
        yield "the daemon found nothing wrong with bad values"


def check_key_names(build):
    """where a page or a document names a section and its key, they are there"""
    known = set(daemon_keys(build)) | property_keys() | access_keys()
    texts = {f"docs/man/{name}.scd": page(name) for name in NAMES}
    texts.update({str(path.relative_to(ROOT)): path.read_text() for path in [*MAN.parent.glob("*.md"), ROOT / "README.md"]})
    for file, text in texts.items():
        for where, key in re.findall(r"(\[(?:Thing|Connection|Updates|Storage|Socket|Log|Property|Access)\w*\]) ([A-Z][A-Za-z0-9]+)", text):
            name = f"{where} {key}".replace("[Property]", "[Property GLOB]").replace("[Access]", "[Access NAME]")
            if name not in known:
                yield f"{file}: {where} {key} is no key"


def installed(build):
    """Where things come to stand with prefix /usr."""
    with open(f"{build}/meson-info/intro-installed.json", encoding="utf-8") as file:
        paths = json.load(file).values()
    with open(f"{build}/meson-info/intro-buildoptions.json", encoding="utf-8") as file:
        prefix = next(option["value"] for option in json.load(file) if option["name"] == "prefix")
    for path in paths:
        tail = os.path.relpath(path, prefix) if not path.startswith("/etc/") else path[1:]
        yield f"/{tail}" if tail.startswith("etc/") else f"/usr/{tail}"
    yield "/etc/fluxaws/fluxawsd.conf"  # by a script, which keeps the one that is there


def check_files(build):
    """the files of the pages are those that are installed, and the other way round"""
    named = set()
    for name in NAMES:
        for head, _ in entries(section(page(name), "FILES")):
            named |= {path for path in re.findall(r"(?<![\w$}])/[\w./@*-]+", plain(head))}
    owned = {path for path in named if path.startswith(("/etc/", "/usr/"))}
    there = {path for path in installed(build) if not re.search(r"/(bin|sbin|man|include|pkgconfig|libfluxaws|bash-completion)|\.so$|relay$|multiarch", path)}
    folders = {os.path.dirname(path) for path in there}
    yield from (f"{path} is on a page and is not installed" for path in sorted(owned - there)
                if "*" not in path and path not in folders)
    yield from (f"{path} is installed and under FILES of no page" for path in sorted(there - owned))
    socket = daemon_keys(build)["[Socket] Path"]
    for name in NAMES:
        yield from (f"{name} names {path}, the socket is {socket}"
                    for path in set(re.findall(r"/run/[\w./-]+\b", plain(page(name)))) if path not in (socket, "/run/fluxaws"))
    if "/etc/fluxaws/fluxawsd.conf" not in named or socket not in named:
        yield "the configuration or the socket is under FILES of no page"


CHECKS = [check_keys, check_bounds, check_key_names, check_files]
