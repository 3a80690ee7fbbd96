"""The pages as such: they format without a warning, fit a terminal, and name pages that exist."""
import os
import re
import shutil
import subprocess

from pages import NAMES, page, plain, read, section

COLUMNS = 80
# Pages of others that ours may name.
OTHERS = {"free(3)", "poll(2)", "syslog(3)", "mosquitto(8)", "mosquitto_rr(1)", "openssl(1)", "sqlite3(1)", "systemd(1)",
          "journalctl(1)", "bash(1)"}


def title(name):
    return re.sub(r"^(.*)\.(\d)$", r"\1(\2)", name)


def check_headings(build):
    """each page has its title, a name, a synopsis where it is a program's, and points to the others"""
    del build
    for name in NAMES:
        text = page(name)
        if text.split("\n")[0] != title(name):
            yield f"{name} begins with '{text.splitlines()[0]}'"
        for heading in ["NAME", "DESCRIPTION", "SEE ALSO"] + (["SYNOPSIS"] if not name.endswith("5") else []) + (
                ["EXIT STATUS", "ENVIRONMENT", "FILES"] if name[-1] in "18" else []):
            if not section(text, heading):
                yield f"{name} has no section {heading}"
        if not section(text, "NAME").strip().startswith(f"{name[:-2]} - "):
            yield f"{name}: NAME is '{section(text, 'NAME').strip()}'"
        seen = set(re.findall(r"\*([\w.-]+)\*\((\d)\)", section(text, "SEE ALSO")))
        yield from (f"{name}: SEE ALSO lacks {title(other)}" for other in NAMES
                    if other != name and (other[:-2], other[-1]) not in seen)


def check_references(build):
    """pages that are named exist"""
    del build
    ours = {title(name) for name in NAMES}
    for name in NAMES:
        text = plain("\n".join(page(name).split("\n")[1:])).replace("\\", "")
        for other in sorted(set(re.findall(r"\b([a-z][\w.-]*\([1-8]\))", text)) - ours - OTHERS):
            yield f"{name} names {other}"
        text = page(name)
        for heading in re.findall(r"[Ss]ee \*([A-Z][A-Z ]+)\*(?! in)", text):
            if not section(text, heading):
                yield f"{name} points to {heading}, which it does not have"
    listed = re.findall(r"'([\w.-]+\.\d)'", read("docs/man/meson.build"))
    yield from (f"{name}.scd is not in docs/man/meson.build" for name in sorted(set(NAMES) - set(listed)))


def check_format(build):
    """the pages format without a warning, on a terminal of 80 columns"""
    del build
    if not shutil.which("scdoc"):
        return
    for name in NAMES:
        made = subprocess.run(["scdoc"], input=page(name), capture_output=True, text=True, check=False)
        if made.returncode != 0:
            yield f"{name}: {made.stderr.strip()}"
            continue
        yield from (f"{name}: a lone backslash, which scdoc drops: {line.strip()}" for line in
                    re.findall(r"^.*(?<!\\)(?:\\\\)*\\[a-z0\"].*$", "\n".join(
                        block for block in re.findall(r"^```\n(.*?)^```$", page(name), re.M | re.S)), re.M))
        if shutil.which("groff"):
            shown = subprocess.run(["groff", "-ww", "-Kutf8", "-t", "-man", "-Tutf8", "-P-cbou", f"-rLL={COLUMNS - 2}n"], input=made.stdout,
                                   capture_output=True, text=True, check=False,
                                   env={**os.environ, "LC_ALL": "C.UTF-8"})
            yield from (f"{name}: {line}" for line in shown.stderr.splitlines())
            yield from (f"{name}: {len(line)} columns: {line.strip()}" for line in shown.stdout.split("\n")
                        if len(line) > COLUMNS)
        if shutil.which("mandoc"):
            said = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=made.stdout, capture_output=True,
                                  text=True, check=False)
            yield from (f"{name}: {line}" for line in said.stdout.splitlines() + said.stderr.splitlines()
                        if "skipping paragraph macro" not in line)  # scdoc's manner


def check_installed(build):
    """the pages that are installed are whole, and break no path, key or option in two"""
    for name in NAMES:
        if not shutil.which("groff") or not os.path.exists(f"{build}/docs/man/{name}"):
            continue
        made = subprocess.run(["scdoc"], input=page(name), capture_output=True, text=True, check=False).stdout
        if made.count("\n") != read(f"{build}/docs/man/{name}").count("\n"):
            yield f"{name}: its end is missing"
        shown = subprocess.run(["groff", "-Kutf8", "-t", "-man", "-Tutf8", "-P-cbou", f"-rLL={COLUMNS - 2}n",
                                f"{build}/docs/man/{name}"], capture_output=True, text=True, check=False,
                               env={**os.environ, "LC_ALL": "C.UTF-8"})
        yield from (f"{name}: {line.strip()}" for line in shown.stdout.split("\n") if line.endswith("\u2010"))


CHECKS = [check_headings, check_references, check_format, check_installed]
