#!/usr/bin/env python3
"""What the C header promises, read off its preprocessed text.

    header.py functions HEADER    the functions it declares, one a line
    header.py layout HEADER       a C program that prints the size, alignment and member offsets of each struct and the
                                  value of each constant
"""

import os
import re
import subprocess
import sys

NAME = re.compile(r"\b(NETSYS_\w+)")
STRUCT = re.compile(r"typedef\s+struct\s+(netsys_\w+)\s*\{(.*?)\}\s*\1\s*;", re.DOTALL)


def preprocess(header, *options):
    """The header without comments and, unless the options say otherwise, with its macros expanded."""
    command = [os.environ.get("CC", "cc"), "-std=c11", "-E", "-P", *options, header]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def functions(text):
    return sorted(set(re.findall(r"\b(netsys_\w+)\s*\((?!\s*\*)", text)))


def members(body):
    """The member names of a struct's body, in order; several may share one declaration."""
    names = []
    for declaration in body.split(";"):
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", declaration)
        if pointer:
            names.append(pointer.group(1))
        elif declaration.strip():
            for declarator in declaration.split(","):
                names.append(re.findall(r"\w+", re.sub(r"\[.*?\]", "", declarator))[-1])
    return names


def structs(text):
    found = sorted((name, members(body)) for name, body in STRUCT.findall(text))
    if len(found) != len(re.findall(r"\bstruct\s+netsys_\w+\s*\{", text)):
        sys.exit("the header defines a struct in a form that this script does not read")
    return found


def constants(header, text):
    """Names of macros with an integer value, and of enumerators. The version is meant to change."""
    macros = re.findall(r"^#define (NETSYS_\w+) \S", preprocess(header, "-dM"), re.MULTILINE)
    return sorted(name for name in {*macros, *NAME.findall(text)} if not name.startswith("NETSYS_VERSION_"))


def layout_program(header, text):
    yield "#include <stddef.h>"
    yield "#include <stdio.h>"
    yield f'#include "{os.path.abspath(header)}"'
    yield "int main(void) {"
    for name, fields in structs(text):
        yield f'printf("struct {name} size %zu align %zu\\n", sizeof({name}), _Alignof({name}));'
        for field in fields:
            yield f'printf("  {field} %zu\\n", offsetof({name}, {field}));'
    for name in constants(header, text):
        yield f'printf("constant {name} %lld\\n", (long long)({name}));'
    yield "return 0;"
    yield "}"


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("functions", "layout"):
        sys.exit(__doc__)
    what, header = sys.argv[1:]
    text = preprocess(header)
    print("\n".join(functions(text) if what == "functions" else layout_program(header, text)))


main()
