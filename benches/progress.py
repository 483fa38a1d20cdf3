"""What is being done, for a person who watches."""

import sys

WIDTH = 76


def progress(text: str) -> None:
    """Replaces the line; an empty text clears it."""
    if sys.stderr.isatty():
        print(f"\r{text[:WIDTH]:<{WIDTH}}" + ("" if text else "\r"), end="", file=sys.stderr, flush=True)
