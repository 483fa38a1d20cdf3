"""The results as text."""

import goals


def number(value: float) -> str:
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {letter}"
    return f"{value:.3g}"


def short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def figure_of(part: dict) -> str:
    """The figure of a part of a goal, with its limits over the rounds if there are some; or why there is none."""
    if part["figure"] is None:
        return part["why"]
    unit = f" {part['unit']}" if part["unit"] not in ("", "x") else part["unit"]
    text = f"{short(part['figure'])}{unit}"
    if part["low"] != part["high"]:
        text += f" ({short(part['low'])} - {short(part['high'])})"
    return text


def print_columns(head: tuple, table: list) -> None:
    widths = [max(len(row[column]) for row in [head, *table]) for column in range(len(head))]
    for row in [head, tuple("-" * width for width in widths), *table]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_rows(lines: list) -> None:
    table = []
    for index, line in enumerate(lines):
        first = index == 0 or lines[index - 1]["row"] != line["row"]
        table.append((
            f"{line['row']}, {line['unit']}" if first else "",
            line["contestant"],
            number(line["median"]),
            f"{number(line['min'])} - {number(line['max'])}",
            "1" if first else f"{line['ratio']:.2f} ({line['ratio_min']:.2f} - {line['ratio_max']:.2f})",
            f"{number(line['server_cpu_ns'])}, {number(line['client_cpu_ns'])}",
        ))
    print_columns(("workload", "who", "median", "min - max", "ratio (min - max)", "server, client"), table)
    print("server, client: processor time per message, in nanoseconds; ratio: to the first of the row, in the same round")


def print_exact(lines: list) -> None:
    table = [(line["row"], line["contestant"], *(f"{line[side][what]:.3f}" for what in ("system_calls", "instructions")
                                                 for side in ("server", "client"))) for line in lines]
    print()
    print_columns(("per message", "who", "system calls: server", "client", "user instructions: server", "client"), table)


def print_memory(lines: list) -> None:
    table = [(line["contestant"], f"{line['connections']:,}", f"{line['bytes_per_session']:,.0f}",
              number(line["connects_per_second"]), f"{100 * line['kept_share']:.0f} %", f"{line['growth_again']:.2f}")
             for line in lines]
    print()
    print_columns(("idle connections", "how many", "bytes each", "connects/s", "kept after closing", "growth again"),
                  table)


def print_tls(lines: list) -> None:
    table = []
    for index, line in enumerate(lines):
        first = index == 0 or lines[index - 1]["row"] != line["row"]
        table.append((f"{line['row']}, {line['unit']}" if first else "", line["server"], f"{line['median']:.1f}",
                      f"{line['min']:.1f} - {line['max']:.1f}", f"{line['ratio']:.2f}",
                      f"{line['server_cpu_ns'] / 1000:.0f} us" if line["server_cpu_ns"] else ""))
    print()
    print_columns(("TLS 1.3, one client for all", "server", "median", "min - max", "ratio", "server's CPU"), table)
    print("server's CPU: per handshake or MiB; ratio: to the first of the row, in the same round")


def print_records(lines: list) -> None:
    table = [(line["record"], str(line["threads"]), f"{line['median']:.1f}", f"{line['min']:.1f} - {line['max']:.1f}")
             for line in lines]
    print()
    print_columns(("record of the monitor", "threads", "ns of CPU", "min - max"), table)


def print_goals(judged: list) -> None:
    table = []
    for goal in judged:
        table.append((goal["name"], goal["text"], "", "", goal["state"].upper()))
        table += [("", f"  {part['what']}", part["limit"], figure_of(part),
                   "" if part["state"] == goals.MET else part["state"]) for part in goal["parts"]]
    print()
    print_columns(("goal", "", "limit", "figure (min - max)", ""), table)
