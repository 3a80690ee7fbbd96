"""The client library: fluxaws.h, the symbols that it exports, and fluxaws-client(3)."""
import json
import os
import re
import tempfile

from pages import NAMES, ROOT, differences, literals, page, read, run, section, sections

PAGE = "fluxaws-client.3"
COMMENT = r"/\*.*?\*/"
# How a block begins that declares.
DECLARES = re.compile(r"struct \w+ \{|enum |typedef |[\w *]+\bfluxaws_\w+\((?:struct|int error|void)")


def squeeze(text):
    return re.sub(r"\s+", " ", text).replace("( ", "(").strip()


def declarations(text):
    """Name and whole text of each function, struct, enum and callback that is declared, without comments."""
    text = re.sub(COMMENT, "", text, flags=re.S)
    text = re.sub(r"^\s*#.*$|extern \"C\" \{|^\}$", "", text, flags=re.M)
    found = {}
    for match in re.finditer(r"^(?:struct|enum) (\w+) \{[^}]*\};|^typedef [^;]*\(\*(\w+)\)[^;]*;"
                             r"|^[a-z][\w *]*?\b(fluxaws_\w+)\([^;{]*\);", text, re.M):
        found[next(name for name in match.groups() if name)] = squeeze(match[0]).replace(", }", " }")
    return found


def functions(found):
    return {name for name, text in found.items() if re.match(rf"[a-z][\w *]*?\b{name}\(", text)}


def page_blocks():
    """The literal blocks with declarations, and those with examples."""
    declaring, showing = [], []
    for _, text in sections(page(PAGE)):
        for block in literals(text):
            (declaring if DECLARES.match(block) and "= NULL" not in block else showing).append(block)
    return declaring, showing


def check_declarations(build):
    """fluxaws-client(3) declares what fluxaws.h declares, word by word"""
    del build
    header, said = declarations(read("client/fluxaws.h")), declarations("\n".join(page_blocks()[0]))
    if len(functions(header)) < 40:
        yield "found hardly any function in fluxaws.h: has its form changed?"
    yield from differences(said, header, "fluxaws-client(3)", "fluxaws.h")
    for name in sorted(set(said) & set(header)):
        if said[name] != header[name]:
            yield f"{name}: the page has '{said[name]}', the header '{header[name]}'"
    exported = re.findall(r"^\s+(fluxaws_\w+);", read("client/fluxaws-client.map"), re.M)
    yield from differences(exported, functions(header), "fluxaws-client.map", "fluxaws.h")


def check_links(build):
    """man fluxaws_open leads to fluxaws-client(3), and so does each other call's name"""
    with open(f"{build}/meson-info/intro-installed.json", encoding="utf-8") as file:
        installed = json.load(file)
    links = {os.path.basename(to)[:-2]: path for path, to in installed.items()
             if re.search(r"/man3/fluxaws_\w+\.3$", to)}
    yield from differences(links, functions(declarations(read("client/fluxaws.h"))), "man3", "fluxaws.h")
    for name, path in sorted(links.items()):
        with open(path, encoding="utf-8") as file:
            if file.read() != f".so man3/{PAGE}\n":
                yield f"{name}.3 does not lead to {PAGE}"
    if not any(to.endswith(f"/man3/{PAGE}") for to in installed.values()):
        yield f"{PAGE} is not installed beside them"


def check_headings(build):
    """each function stands in the heading of its part of fluxaws-client(3), and no other does"""
    del build
    for title, text in sections(page(PAGE), 2):
        said = functions(declarations("\n".join(literals(text))))
        named = set(re.findall(r"(fluxaws_\w+)\(\)", title))
        if named:
            yield from differences(named, said, f"'## {title}'", "its prototypes")
    prose = {name for page_name in NAMES for name in re.findall(r"\*(fluxaws_\w+)\*\(\)", page(page_name))}
    yield from (f"{name}() is mentioned and does not exist" for name in
                sorted(prose - functions(declarations(read("client/fluxaws.h")))))


def errors_of_header():
    """Function -> the errors that the comment before it names; the last comment counts for all behind it."""
    errors, current = {}, set()
    for comment, text in re.findall(rf"({COMMENT})|([^/]+|/)", read("client/fluxaws.h"), re.S):
        if comment:
            current = set(re.findall(r"-(E[A-Z0-9]+)\b", comment))
        for name in functions(declarations(text)):
            errors[name] = current
    return errors


def check_errors(build):
    """the errors on fluxaws-client(3) are those of fluxaws.h"""
    del build
    header = errors_of_header()
    common = {"ENOMEM"}
    for _, text in sections(page(PAGE)):
        shared = set(re.findall(r"-(E[A-Z0-9]+)\b", text.split("\n## ")[0]))
        for heading, part in sections(text, 2):
            said = set(re.findall(r"-(E[A-Z0-9]+)\b", part))
            names = re.findall(r"(fluxaws_\w+)\(\)", heading)
            for name in names:
                missing = header.get(name, set()) - said - shared - common
                yield from (f"{name}: -{error} is in the header and not on the page" for error in sorted(missing))
            in_header = set().union(*(header.get(name, set()) for name in names), common)
            borrowed = set().union(*(header[name] for name in ("fluxaws_set_int64", "fluxaws_get", "fluxaws_flush")))
            yield from (f"{heading}: -{error} is on the page and not in the header"
                        for error in sorted(said - in_header - (borrowed if "as " in part else set())))


def check_examples(build):
    """the examples of fluxaws-client(3) build without a warning, and each call has one"""
    del build
    showing = page_blocks()[1]
    programs = [block for block in showing if block.startswith("#include")]
    top = [block for block in showing if block.startswith("static")]
    bodies = [block for block in showing if block not in programs + top]
    pieces = "".join(f"{block}\n" for block in top) + "".join(
        f"void example_{i}(struct fluxaws_client *client);\nvoid example_{i}(struct fluxaws_client *client)\n"
        f"{{\n(void)client;\n{block}}}\n" for i, block in enumerate(bodies))
    lines = ("#include <errno.h>\n#include <fluxaws.h>\n#include <poll.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
             "void run_lamp(const char *json);\nvoid show(const char *json);\n")
    with tempfile.TemporaryDirectory() as folder:
        for i, text in enumerate([lines + pieces, *programs]):
            path = f"{folder}/example{i}.c"
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            said, status = run(os.environ.get("CC", "cc").split()[-1], "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                               f"-I{ROOT}/client", path)
            if status != 0:
                yield said
    shown = set(re.findall(r"\b(fluxaws_\w+)\(", "\n".join(showing)))
    yield from (f"{name}() is in no example" for name in
                sorted(functions(declarations(read("client/fluxaws.h"))) - shown))
    if not section(page(PAGE), "EXAMPLES"):
        yield "there is no section EXAMPLES"


CHECKS = [check_declarations, check_links, check_headings, check_errors, check_examples]
