"""Prints the names that a C header declares at file scope: functions, types, tags and enumerators.

    cc -E HEADER_INCLUDING_FILE | declared_names.py HEADER

reads preprocessed text and looks at the lines that come from HEADER only.
"""

import re
import sys


def own_text(preprocessed, header):
    """The lines that the preprocessor took from the header itself."""
    own = False
    for line in preprocessed:
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            own = marker.group(1).endswith("/" + header)
        elif own:
            yield line


def declared_names(text):
    names = set(re.findall(r"\b(?:struct|union|enum)\s+(\w+)", text))
    for body in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", text):
        names.update(re.findall(r"(?:^|,)\s*(\w+)", body))
    text = re.sub(r'extern\s+"C"\s*\{', ";", text)
    text = re.sub(r":\s*\w+\s*(?=\{)", " ", text)  # the type under an enumeration
    text = collapse(text, r"\{[^{}]*\}")  # bodies
    text = text.replace("}", ";")  # of extern "C"
    text = re.sub(r"\(\s*\*\s*(\w*)\s*\)", r" \1 ", text)  # pointers to functions
    text = collapse(text, r"\([^()]*\)")  # parameters
    for statement in text.split(";"):
        statement = re.sub(r"=.*|\[.*", "", statement, flags=re.DOTALL)
        words = re.findall(r"\w+", statement)
        if words:
            names.add(words[-1])
    return names - {"struct", "union", "enum"}


def collapse(text, pattern):
    """Removes the matches, innermost first."""
    count = 1
    while count:
        text, count = re.subn(pattern, " ", text)
    return text


if __name__ == "__main__":
    print("\n".join(sorted(declared_names("".join(own_text(sys.stdin, sys.argv[1]))))))
