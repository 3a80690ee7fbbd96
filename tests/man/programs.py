"""Options, commands, exit codes and environment variables of the programs, and their pages."""
import re

from pages import ROOT, differences, entries, page, plain, read, run, section, without_literals

OPTION = r"(?<![\w-])(--[a-z][a-z-]+)"
FLUXAWSD, FLUXCTL, SANDBOX = "fluxawsd.8", "fluxctl.1", "fluxaws-sandbox.1"


def fluxawsd(build):
    return f"{build}/daemon/fluxawsd"


def fluxctl(build):
    return f"{build}/client/fluxctl/fluxctl"


def sandbox(build):
    return f"{build}/tests/sandbox/fluxaws-sandbox"


def options_of(text):
    return set(re.findall(OPTION, text))


def getopt_table(path):
    return {f"--{name}" for name in re.findall(r'\{"([a-z-]+)", \w+_argument', read(path))}


def compare_options(name, page_text, help_text, code):
    if not code:
        yield f"{name}: found no options in the source: has its form changed?"
    yield from differences(options_of(page_text), code, f"{name}'s page", "the program")
    yield from differences(options_of(help_text), code, f"{name}'s --help", "the program")


def check_daemon_options(build):
    """fluxawsd(8), --help and the daemon have the same options"""
    yield from compare_options("fluxawsd", section(page(FLUXAWSD), "OPTIONS"), run(fluxawsd(build), "--help")[0],
                               getopt_table("daemon/fluxawsd.c"))
    yield from differences(options_of(section(page(FLUXAWSD), "SYNOPSIS")), getopt_table("daemon/fluxawsd.c"),
                           "its synopsis", "fluxawsd")


def command_names(build):
    helped = run(fluxctl(build), "--help")[0]
    return re.findall(r"^  ([a-z][a-z-]*)(?= |$)", helped, re.M)


def check_fluxctl_options(build):
    """fluxctl(1), --help and fluxctl have the same options"""
    helped = run(fluxctl(build), "--help")[0] + "".join(
        run(fluxctl(build), name, "--help")[0] for name in command_names(build))
    yield from compare_options("fluxctl", without_literals(page(FLUXCTL)), helped,
                               getopt_table("client/fluxctl/arguments.c"))


def page_commands():
    """Name and usage of each command in fluxctl(1)."""
    text = without_literals(section(page(FLUXCTL), "COMMANDS"))
    heads = [head.replace("\n", " ") for head, _ in entries(text)]
    return {name: plain(rest).strip() for name, rest in
            (re.fullmatch(r"\*([a-z-]+)\*(.*)", head).groups() for head in heads if re.match(r"\*[a-z-]+\*", head))}


def check_fluxctl_commands(build):
    """fluxctl(1) has each command with the arguments that its --help has, and no other"""
    documented, names = page_commands(), command_names(build)
    yield from differences(documented, names, "fluxctl(1)", "fluxctl --help")
    table = re.findall(r'^    \{"([a-z-]+)",', read("client/fluxctl/commands.c"), re.M)
    yield from differences(table, names, "commands.c", "fluxctl --help")
    for name in names:
        usage = run(fluxctl(build), name, "--help")[0].split("\n")[0].replace("…", "...")
        usage = usage.removeprefix(f"fluxctl {name}").strip()
        if usage != documented.get(name, usage):
            yield f"{name}: the page has '{documented[name]}', --help '{usage}'"


def check_fluxctl_takes(build):
    """each command of fluxctl takes the options of its usage, and refuses the others"""
    values = {"--wait": "=stored", "--timeout": "=0", "--for": "=1m"}
    operands = {"set": ["a=1"], "unset": ["a"], "forget": ["a"], "log-level": ["info"], "report": ["/dev/null"]}
    general = options_of(run(fluxctl(build), "--help")[0].split("\n\n")[2])
    for name in command_names(build):
        usage = options_of(run(fluxctl(build), name, "--help")[0].split("\n")[0])
        for option in sorted(getopt_table("client/fluxctl/arguments.c") - general):
            said, status = run(fluxctl(build), "--socket", "/nonexistent/socket", name,
                               option + values.get(option, ""), *operands.get(name, []))
            if (status == 2 and "takes no" in said) != (option not in usage) and name != "reset":
                yield f"{name} {option}: {'is in' if option in usage else 'not in'} its usage, and ended with {status}"


def check_sandbox(build):
    """fluxaws-sandbox(1), its help and the script have the same options and commands"""
    text, script = without_literals(page(SANDBOX)), read("tests/sandbox/fluxaws-sandbox.in")
    helped = run(sandbox(build), "help")[0]
    code = set(re.findall(r"(--[a-z]+)(?:=\*)?(?= \||\))", script)) | set(re.findall(r"!= (--[a-z]+)", script))
    yield from compare_options("fluxaws-sandbox", text, helped, code)
    table = script.split("case $command in\n")[1].split("esac")[0]
    taken = {word for line in re.findall(r"^([a-z-][a-z| -]*)\)", table, re.M) for word in line.split(" | ")}
    taken = {word for word in taken if not word.startswith("-")}
    helped_words = set(re.findall(r"^  ([a-z]+)", helped, re.M)) | set(re.findall(r"^  options \| (\w+)", helped, re.M))
    said = {word for head, _ in entries(text) for word in re.findall(r"(?:^|\+\+\n|, )\*([a-z]+)\*", head)}
    yield from differences(helped_words, taken, "fluxaws-sandbox help", "the script")
    yield from differences(said & (taken | said), taken, "fluxaws-sandbox(1)", "the script")
    faults = set(re.findall(r"^  fault ([a-z]+)", helped, re.M))
    yield from differences(set(re.findall(r"\*fault\* \*([a-z]+)\*", text)), faults, "fluxaws-sandbox(1)'s faults",
                           "its help")


def check_exit_codes(build):
    """the exit codes on the pages are those of the programs"""
    ctl = {int(code) for code in re.findall(r"FLUXCTL_\w+ = (\d+),", read("client/fluxctl/fluxctl.h").split("};")[0])}
    daemon = {int(code) for code in re.findall(r"EXIT_\w+ = (\d+)", read("daemon/fluxawsd.c"))}
    script = {0} | {int(code) for code in re.findall(r"\bexit (\d+)", read("tests/sandbox/fluxaws-sandbox.in"))}
    for name, code in ((FLUXCTL, ctl), (FLUXAWSD, daemon), (SANDBOX, script)):
        said = re.sub(r"[*|:\[<]", " ", section(page(name), "EXIT STATUS"))
        found = {int(number) for number in re.findall(r"(?:^\s*|; )(\d+)\b", said, re.M)}
        yield from differences(map(str, found), map(str, code), f"{name}", "the program")
    helped = run(fluxctl(build), "--help")[0].split("Exit codes:")[1]
    yield from differences(re.findall(r"(?:^|; |;\n| )(\d)(?= )", helped), map(str, ctl), "fluxctl --help", "the program")
    for command, expected in (((fluxctl(build), "no-such-command"), 2), ((fluxctl(build), "get", "--no-such"), 2),
                              ((fluxctl(build), "--socket", "/nonexistent/s", "status"), 3),
                              ((fluxctl(build), "--version"), 0),
                              ((fluxawsd(build), "--no-such"), 2), ((fluxawsd(build), "word"), 2),
                              ((fluxawsd(build), "--config", "/nonexistent/c", "--check-config"), 78),
                              ((fluxawsd(build), "--config", "/nonexistent/c"), 78), ((fluxawsd(build), "--help"), 0),
                              ((sandbox(build), "no-such"), 2), ((sandbox(build), "--dir", "/nonexistent", "stop"), 1),
                              ((sandbox(build), "--version"), 0)):
        status = run(*command)[1]
        if status != expected:
            yield f"{' '.join(command[0].split('/')[-1:] + list(command[1:]))} ended with {status}, not {expected}"


def sources(folder):
    """The C files below a folder; fluxctl and the examples are no part of the library."""
    return [path for path in (ROOT / folder).rglob("*.c")
            if folder != "client" or path.parent.name not in ("fluxctl", "examples")]


def asked_of_environment(files):
    return {name for file in files for name in re.findall(r'getenv\("(\w+)"\)', read(file))}


def named_in(name):
    heads = [head for head, _ in entries(section(page(name), "ENVIRONMENT"))]
    return {word for head in heads for word in re.findall(r"_([A-Z][A-Z0-9_]+[A-Z])_", head)}


# What libsystemd asks for in our place.
OF_LIBSYSTEMD = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}


def check_environment(build):
    """the environment variables on the pages are those that the programs ask for"""
    del build
    of_library = asked_of_environment(sources("client"))
    script = read("tests/sandbox/fluxaws-sandbox.in")
    yield from differences(named_in("fluxaws-client.3"), of_library, "fluxaws-client(3)", "the library")
    yield from differences(named_in(FLUXCTL), of_library | asked_of_environment(sources("client/fluxctl")),
                           "fluxctl(1)", "fluxctl and its library")
    yield from differences(named_in(FLUXAWSD) - OF_LIBSYSTEMD, asked_of_environment(sources("daemon")),
                           "fluxawsd(8)", "fluxawsd")
    yield from differences(named_in(SANDBOX), re.findall(r"\$\{([A-Z_]+):-", script), "fluxaws-sandbox(1)", "the script")


CHECKS = [check_daemon_options, check_fluxctl_options, check_fluxctl_commands, check_fluxctl_takes, check_sandbox,
          check_exit_codes, check_environment]
