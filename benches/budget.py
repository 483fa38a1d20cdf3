"""The budget: what each path of the library may cost per message, in system calls and user instructions.

They are counted, not timed, so that they can be compared with figures that are checked in (budget.json). A path that is
over its budget is counted again, and the least counts: what disturbs a run only adds.
"""

import json
import pathlib
import platform
import statistics

import exact
import rows
from process import Failure

PATH = pathlib.Path(__file__).resolve().parent / "budget.json"


def measure(programs: dict) -> dict:
    return {row.name: exact.measure_path(programs, row, rows.NETSYS) for row in rows.EXACT_ROWS}
