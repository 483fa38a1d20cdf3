#!/usr/bin/env python3
"""Checks docs/specification.md against the sources and against the list of names in names.txt.

Fails if a row names a file or a test that does not exist, if a name of a row occurs in none of the files that are said to
implement it or in none of the tests that are said to show it, or if a name of names.txt has no row.

A row is `| names | where | shown by |`. Names below a heading with a class or namespace in backticks belong to that.
Files may be written from the root, from include/network_system/ or from tests/; tests follow the file that they are in.
A second cell that begins with "instead:" tells what is there in place of the name. A third cell that begins with one of
EXCUSES needs no test.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/specification.md"
NAMES = ROOT / "tests/specification/names.txt"
EXCUSES = ("comes with", "not made", "nothing to test")
FOLDERS = (ROOT, ROOT / "include/network_system", ROOT / "tests")

faults = []


def fault(line, text):
    faults.append(f"docs/specification.md:{line}: {text}")


def find(path):
    return next((folder / path for folder in FOLDERS if (folder / path).is_file()), None)


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def is_path(token):
    return re.fullmatch(r"[\w./-]+\.(h|c|cpp|rs|py|sh|toml|txt|md|cmake|in)|\.ci/\w+", token) is not None


def bare(name):
    """Without its parameters; `=` tells rows of one name apart."""
    return re.split(r"[(=]", name)[0].strip()


def word_of(name):
    """What of a name the sources contain: `start_server` of `messaging_server::start_server(port)`."""
    name = bare(name).lstrip("~").split("<")[0]
    return name if re.match(r"(NetworkSystem|network_system)::\w+$", name) else name.split("::")[-1]


def contains(text, name):
    return re.search(r"(?<!\w)" + re.escape(word_of(name)) + r"(?!\w)", text) is not None


def has_test(file, text, name):
    if file.suffix == ".rs":
        return re.search(r"\bfn " + re.escape(name) + r"\(", text) is not None
    if file.suffix == ".cpp" and "." in name:
        suite, _, test = name.partition(".")
        return re.search(rf"^(TYPED_)?TEST\w*\({suite},\s*{test}\)", text, re.MULTILINE) is not None
    return contains(text, name)


def check_row(line, names, where, shown):
    sources = ""
    for token in filter(is_path, quoted(where)):
        if file := find(token):
            sources += file.read_text()
        else:
            fault(line, f"{token} does not exist")
    if not where.startswith("instead:"):
        if not sources and not shown.startswith(EXCUSES):
            fault(line, "names no file that implements it")
        for name in names if sources else ():
            if not contains(sources, name):
                fault(line, f"{word_of(name)} does not occur in {where}")

    tests, file, text = "", None, ""
    for token in quoted(shown):
        if is_path(token):
            file = find(token)
            if not file:
                fault(line, f"{token} does not exist")
                continue
            text = file.read_text()
            tests += text
        elif file and not has_test(file, text, token):
            fault(line, f"there is no test {token} in {file.relative_to(ROOT)}")
    if shown.startswith(EXCUSES):
        return
    if not tests:
        fault(line, "names no test")
    for name in names:
        if not where.startswith("instead:") and not contains(tests, name):
            fault(line, f"{word_of(name)} does not occur in the tests that are to show it")


rows = set()
scope = ""
for line, text in enumerate(PAGE.read_text().splitlines(), 1):
    if text.startswith("#"):
        scope = next(iter(quoted(text)), "")
    cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", text)[1:-1]]
    if len(cells) != 3 or not quoted(cells[0]):
        continue
    names = quoted(cells[0])
    rows.update(f"{scope}::{bare(name)}" if scope else bare(name) for name in names)
    check_row(line, names, cells[1], cells[2])

wanted = 0
for line in NAMES.read_text().splitlines():
    if not line or line.startswith("#"):
        continue
    scope, _, names = line.partition(": ")
    for name in names.split():
        wanted += 1
        full = name if scope == "-" else f"{scope}::{name}"
        if full not in rows:
            faults.append(f"docs/specification.md: no row for {full}")

if not rows or not wanted:
    faults.append("docs/specification.md or names.txt: nothing was read")
print("\n".join(faults) if faults else f"{len(rows)} names have their place and their test")
sys.exit(bool(faults))
