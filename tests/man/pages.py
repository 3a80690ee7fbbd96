"""The man pages as the checks see them: sections, entries, literal blocks; and how a check is told."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MAN = ROOT / "docs" / "man"
# What meson installs, and nothing else.
NAMES = sorted(path.name[:-len(".scd")] for path in MAN.glob("*.scd"))


def read(path):
    return (ROOT / path).read_text()


def page(name):
    return (MAN / f"{name}.scd").read_text()


def plain(text):
    """A piece of scdoc without its marks: _x_ and *x* become x, \\_ becomes _."""
    text = re.sub(r"(?<![\w\\])\*(?=\S)(.+?)(?<=[^\s\\])\*(?!\w)", r"\1", text)
    text = re.sub(r"(?<![\w\\])_(?=\S)(.+?)(?<=[^\s\\])_(?!\w)", r"\1", text)
    return re.sub(r"\\(.)", r"\1", text)


def section(text, title):
    """What stands below a heading, up to the next one of its kind; "" where there is none."""
    match = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1}} |\Z)", text, re.M | re.S)
    return match[2] if match else ""


def sections(text, depth=1):
    """All headings of a depth with what stands below them."""
    mark = "#" * depth
    return re.findall(rf"^{mark} ([^\n]+)\n(.*?)(?=^#{{1,{depth}}} |\Z)", text, re.M | re.S)


def without_literals(text):
    return re.sub(r"^```$.*?^```$", "", text, flags=re.M | re.S)


def literals(text):
    """The literal blocks, as scdoc prints them: a backslash stands for what follows it."""
    return [re.sub(r"\\(.)", r"\1", block) for block in re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)]


def entries(text):
    """The paragraphs that a line explains which is indented below them: (heading, explanation)."""
    result, heading = [], None
    for line in text.split("\n"):
        if line.startswith("\t") and heading is not None:
            result[-1][1] += line.strip() + "\n"
        elif line.startswith("\t"):
            continue
        elif line and (heading is None or not result or result[-1][1]):
            heading = line
            result.append([line, ""])
        elif line:
            result[-1][0] += "\n" + line
        else:
            heading = heading if result and result[-1][1] else None
    return [(head, body) for head, body in result if body]


def run(*command, **options):
    """What a command printed on both, and how it ended."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False, **options)
    return done.stdout, done.returncode


def differences(left, right, left_name, right_name):
    yield from (f"{name} is in {left_name} and not in {right_name}" for name in sorted(set(left) - set(right)))
    yield from (f"{name} is in {right_name} and not in {left_name}" for name in sorted(set(right) - set(left)))


def report(check, build):
    """Run a check, whose first line of documentation is what must hold, and say what it found."""
    problems = list(check(build))
    print(f"{'not ok' if problems else 'ok'} - {check.__doc__.splitlines()[0]}")
    for problem in problems:
        print(f"  {problem}")
    report.failed = report.failed or bool(problems)


report.failed = False
