"""The figures as Markdown tables, for docs/performance.md."""

import pathlib

import rows
from table import figure_of, number

TOGETHER = ("ping-pong 64 B", "one way 64 B", "one way 1 KiB", "one way 64 KiB", "echo 50 x 32", "broadcast to 1000")
ALONE = tuple(f"{name}, server alone" for name in ("ping-pong 64 B", "echo 50 x 32", "broadcast to 1000"))


def markdown_table(head: tuple, lines: list) -> str:
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (head, ("---",) * len(head), *lines)) + "\n"


def about(report: dict) -> str:
    machine = report["machine"]
    return (f"{report['date'][:10]}, commit `{report['commit']}`: {machine['processor']}, {machine['cpus']} processors, "
            f"Linux {machine['kernel']}; {report['rounds']} shuffled rounds, by `{report['command']}`.\n")


def goals_part(report: dict) -> str:
    lines = []
    for goal in report["goals"]:
        lines.append((f"**{goal['name']}**", goal["text"], "", "", f"**{goal['state']}**"))
        lines += [("", part["what"], part["limit"], figure_of(part), part["state"]) for part in goal["parts"]]
    return markdown_table(("goal", "", "limit", "figure (min - max)", ""), lines)


def side_by_side(by_row: dict, names: tuple) -> str:
    """Medians, with the ratio to epoll's in brackets."""
    there = [name for name in names if "epoll" in by_row.get(name, {})]
    who = dict.fromkeys(contestant for name in there for contestant in by_row[name])

    def cell(name: str, contestant: str) -> str:
        line = by_row[name].get(contestant)
        if line is None:
            return ""
        return number(line["median"]) + (f" ({line['ratio']:.2f})" if contestant != "epoll" else "")

    head = ("", *(f"{name.removesuffix(', server alone')}, {by_row[name]['epoll']['unit']}" for name in there))
    return markdown_table(head, [(contestant, *(cell(name, contestant) for name in there)) for contestant in who])


def sizes_part(by_row: dict) -> str:
    counted = [(count, by_row[rows.connections_row(count).name]) for count in rows.CONNECTIONS
               if rows.connections_row(count).name in by_row]
    groups = by_row.get(rows.GROUPS_ROW, {})
    text = ""
    if counted:
        ours = rows.SERVERS[1].name
        text += markdown_table(("connections", "epoll", "netsys", "netsys to epoll"), [
            (f"{count:,}", f"{row['epoll']['median']:,.0f}", f"{row[ours]['median']:,.0f}", f"{row[ours]['ratio']:.2f}")
            for count, row in counted])
    if groups:
        text += "\n" + markdown_table(("", "netsys", "to that of one group"), [
            (name, f"{line['median']:,.0f}", f"{line['ratio']:.2f}") for name, line in groups.items()])
    return text


def exact_part(lines: list) -> str:
    return markdown_table(
        ("", "", "system calls: server", "client", "user instructions: server", "client"),
        [(line["row"], line["contestant"], *(f"{line[side]['system_calls']:.3f}" for side in ("server", "client")),
          *(f"{line[side]['instructions']:,.0f}" for side in ("server", "client"))) for line in lines])


def memory_part(lines: list) -> str:
    return markdown_table(
        ("", "bytes each", "connects/s", "kept after closing", "growth when as many come again"),
        [(line["contestant"], f"{line['bytes_per_session']:,.0f}", number(line["connects_per_second"]),
          f"{100 * line['kept_share']:.0f} %", f"{line['growth_again']:.2f}") for line in lines])


def tls_part(lines: list) -> str:
    return markdown_table(
        ("", "server", "median", "ratio to rustls", "server's processor time"),
        [(f"{line['row']}, {line['unit']}", line["server"], number(line["median"]), f"{line['ratio']:.2f}",
          f"{line['server_cpu_ns'] / 1000:,.0f} us" if line["server_cpu_ns"] else "") for line in lines])


def write(report: dict, path: pathlib.Path) -> None:
    by_row = {}
    for line in report.get("results", ()):
        by_row.setdefault(line["row"], {})[line["contestant"]] = line
    parts = [about(report), "## Goals\n", goals_part(report)]
    if by_row:
        parts += ["## Beside others\n", "Medians; in brackets the ratio to epoll's in the same round.\n",
                  side_by_side(by_row, TOGETHER), "The server alone, driven by the epoll client without frames:\n",
                  side_by_side(by_row, ALONE), "## Connections and groups\n",
                  "Processor time of the server per message, in nanoseconds.\n", sizes_part(by_row)]
    if report.get("exact"):
        parts += ["## Exact costs\n", exact_part(report["exact"])]
    if report.get("memory"):
        parts += ["## Idle connections\n", memory_part(report["memory"])]
    if report.get("tls"):
        parts += ["## TLS\n", tls_part(report["tls"])]
    path.write_text("\n".join(parts), encoding="utf-8")
