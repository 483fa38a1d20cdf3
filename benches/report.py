"""The report as one page: it loads nothing, so that it can be kept, mailed and read anywhere."""

import html
import math
import pathlib

import goals
import rows
from table import figure_of, number

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5c6670; --line: #d5dae0; --page: #ffffff; --ours: #1f6feb;
  --base: #6b7683; --other: #c3cad3; --met: #1a7f37; --missed: #cf222e; --unknown: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4af; --line: #363d46; --page: #14181d;
  --ours: #58a6ff; --base: #99a3ae; --other: #48515c; --met: #3fb950; --missed: #ff7b72; --unknown: #d6a63c; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.4rem; }
p, dd, figcaption { color: var(--soft); } code { font: 13px ui-monospace, monospace; color: var(--ink); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--soft); font-weight: 500; }
td, th { padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.part td { border: 0; font-size: 14px; } tr.goal td { border-top: 1px solid var(--line); border-bottom: 0;
  font-weight: 600; } .met { color: var(--met); } .missed { color: var(--missed); } .unknown { color: var(--unknown); }
.scroll { overflow-x: auto; } figure { margin: 1.2rem 0; } figcaption b { color: var(--ink); }
svg { width: 100%; height: auto; display: block; } svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .soft { fill: var(--soft); } svg .ours { fill: var(--ours); } svg .base { fill: var(--base); }
svg .other { fill: var(--other); } svg .whisker { stroke: var(--ink); stroke-width: 1.2; fill: none; }
svg .axis { stroke: var(--line); } svg .line { fill: none; stroke-width: 2; } svg .line.ours { stroke: var(--ours);
  fill: none; } svg .line.base { stroke: var(--base); fill: none; } svg .mark { stroke: var(--page); }
"""

WIDTH, LABEL, FIGURE, BAR = 860, 205, 160, 22
CLASSES = {goals.MET: "met", goals.MISSED: "missed", goals.UNKNOWN: "unknown"}


def text(value) -> str:
    return html.escape(str(value))


def kind_of(name: str, base: str) -> str:
    if name.startswith("netsys") or "group" in name:
        return "ours"
    return "base" if name == base else "other"


def bars(lines: list) -> str:
    """A bar for each: (name, class, median, low, high, caption)."""
    room = WIDTH - LABEL - FIGURE
    most = max(high for _, _, _, _, high, _ in lines) or 1.0
    height = BAR * len(lines) + 4
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img">']
    for index, (name, kind, median, low, high, caption) in enumerate(lines):
        top = index * BAR + 4
        middle = top + BAR / 2 - 3
        left, right = (LABEL + room * value / most for value in (low, high))
        parts.append(f'<text x="{LABEL - 10}" y="{middle + 4.5}" text-anchor="end">{text(name)}</text>')
        parts.append(f'<rect class="{kind}" x="{LABEL}" y="{top}" width="{max(1.0, room * median / most):.1f}" '
                     f'height="{BAR - 6}" rx="2"/>')
        if high > low:
            parts.append(f'<path class="whisker" d="M{left:.1f} {middle - 4}v8M{left:.1f} {middle}H{right:.1f}'
                         f'M{right:.1f} {middle - 4}v8"/>')
        parts.append(f'<text class="soft" x="{WIDTH - FIGURE + 12}" y="{middle + 4.5}">{text(caption)}</text>')
    return "".join(parts) + "</svg>"


def figure(title: str, note: str, drawing: str) -> str:
    return f"<figure><figcaption><b>{text(title)}</b>{' - ' if note else ''}{text(note)}</figcaption>{drawing}</figure>"


def row_figure(lines: list) -> str:
    base = lines[0]["contestant"]
    drawn = []
    for index, line in enumerate(lines):
        ratio = "" if index == 0 else f"   {line['ratio']:.2f}x"
        drawn.append((line["contestant"], kind_of(line["contestant"], base), line["median"], line["min"], line["max"],
                      f"{number(line['median'])}{ratio}"))
    note = f"{lines[0]['unit']}; {'less' if lines[0]['lower_is_better'] else 'more'} is better"
    return figure(lines[0]["row"], note, bars(drawn))


def curve_figure(by_row: dict) -> str:
    """What a message costs the server, over the number of connections."""
    counts = [count for count in rows.CONNECTIONS if rows.connections_row(count).name in by_row]
    if len(counts) < 2:
        return ""
    height, left, right, top, bottom = 250, 60, 110, 14, 34
    curves = {}
    for count in counts:
        for line in by_row[rows.connections_row(count).name]:
            curves.setdefault(line["contestant"], []).append((count, line))
    most = max(line["max"] for curve in curves.values() for _, line in curve)
    along = (WIDTH - left - right) / max(1e-9, math.log10(counts[-1] / counts[0]))

    def x_of(count: int) -> float:
        return left + along * math.log10(count / counts[0])

    def y_of(value: float) -> float:
        return height - bottom - (height - top - bottom) * value / most

    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img">']
    for share in (0, 0.5, 1):
        y = y_of(most * share)
        parts.append(f'<path class="axis" d="M{left} {y:.1f}H{WIDTH - right}"/>'
                     f'<text class="soft" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(most * share)}</text>')
    for count in counts:
        parts.append(f'<text class="soft" x="{x_of(count):.1f}" y="{height - 10}" text-anchor="middle">{count:,}</text>')
    for name, curve in curves.items():
        kind = kind_of(name, rows.SERVERS[0].name)
        points = " ".join(f"{x_of(count):.1f},{y_of(line['median']):.1f}" for count, line in curve)
        parts.append(f'<polyline class="line {kind}" points="{points}"/>')
        for count, line in curve:
            x = x_of(count)
            parts.append(f'<path class="whisker" d="M{x:.1f} {y_of(line["min"]):.1f}V{y_of(line["max"]):.1f}"/>'
                         f'<circle class="mark {kind}" cx="{x:.1f}" cy="{y_of(line["median"]):.1f}" r="4"/>')
        count, line = curve[-1]
        first, second = (lines["median"] for lines in by_row[rows.connections_row(count).name][:2])
        away = -4 if line["median"] >= max(first, second) else 12
        parts.append(f'<text x="{x_of(count) + 10:.1f}" y="{y_of(line["median"]) + away:.1f}">{text(name)}</text>')
    return figure("echo, 1 outstanding on each connection, server alone",
                  "processor time of the server per message in ns, over the number of connections; less is better",
                  "".join(parts) + "</svg>")


def html_table(head: tuple, lines: list) -> str:
    """The first two columns are words, the others numbers."""
    def cells(line: tuple, tag: str) -> str:
        return "".join(f'<{tag}{" class=number" if index > 1 else ""}>{text(cell)}</{tag}>'
                       for index, cell in enumerate(line))
    body = "".join(f"<tr>{cells(line, 'td')}</tr>" for line in lines)
    return f'<div class="scroll"><table><tr>{cells(head, "th")}</tr>{body}</table></div>'


def goals_table(judged: list) -> str:
    lines = []
    for goal in judged:
        state = CLASSES[goal["state"]]
        lines.append(f'<tr class="goal"><td>{goal["name"]}</td><td colspan="3">{text(goal["text"])}</td>'
                     f'<td class="{state}">{goal["state"]}</td></tr>')
        for part in goal["parts"]:
            lines.append(f'<tr class="part"><td></td><td>{text(part["what"])}</td><td>{text(part["limit"])}</td>'
                         f'<td>{text(figure_of(part))}</td><td class="{CLASSES[part["state"]]}">{part["state"]}</td></tr>')
    return ('<div class="scroll"><table><tr><th></th><th>goal</th><th>limit</th><th>figure (min - max)</th><th></th></tr>'
            + "".join(lines) + "</table></div>")


def headline(judged: list) -> str:
    parts = []
    for state in (goals.MET, goals.MISSED, goals.UNKNOWN):
        names = [goal["name"] for goal in judged if goal["state"] == state]
        if names:
            parts.append(f'<span class="{CLASSES[state]}">{len(names)} {state}</span> ({", ".join(names)})')
    return ", ".join(parts)


def sections(report: dict) -> list:
    by_row = {}
    for line in report.get("results", ()):
        by_row.setdefault(line["row"], []).append(line)
    curve_rows = {rows.connections_row(count).name for count in rows.CONNECTIONS}
    parts = []
    if by_row:
        parts.append("<h2>Rates and round trips</h2><p>A bar is the median of the rounds, its whisker the least and the "
                     "most. The factor is the median of the ratios to the first bar within a round.</p>")
        parts += [row_figure(lines) for name, lines in by_row.items() if name not in curve_rows]
        parts.append(curve_figure(by_row))
    if report.get("exact"):
        lines = [(line["row"], line["contestant"], *(f"{line[side][what]:,.3f}" if what == "system_calls" else
                                                     f"{line[side][what]:,.0f}"
                                                     for what in ("system_calls", "instructions")
                                                     for side in ("server", "client"))) for line in report["exact"]]
        parts.append("<h2>Exact costs per message</h2>" + html_table(
            ("", "", "system calls: server", "client", "user instructions: server", "client"), lines))
    if report.get("memory"):
        found = report["memory"]
        drawn = [(line["contestant"], kind_of(line["contestant"], "epoll"), line["bytes_per_session"],
                  min(line["samples"]["bytes_per_session"]), max(line["samples"]["bytes_per_session"]),
                  f"{line['bytes_per_session']:,.0f}") for line in found]
        rates = [(line["contestant"], kind_of(line["contestant"], "epoll"), line["connects_per_second"],
                  min(line["samples"]["connects_per_second"]), max(line["samples"]["connects_per_second"]),
                  number(line["connects_per_second"])) for line in found]
        parts.append("<h2>Idle connections</h2>" + figure("memory of the server per idle connection",
                                                          "bytes; less is better", bars(drawn))
                     + figure("connections opened", "per second; more is better", bars(rates)))
    if report.get("tls"):
        by_work = {}
        for line in report["tls"]:
            by_work.setdefault(line["row"], []).append(line)
        parts.append("<h2>TLS 1.3</h2>")
        for name, lines in by_work.items():
            drawn = [(line["server"], kind_of(line["server"], "rustls"), line["median"], line["min"], line["max"],
                      f"{number(line['median'])}   {line['ratio']:.2f}x") for line in lines]
            less = "less" if name == "idle session" else "more"
            parts.append(figure(name, f"{lines[0]['unit']}; {less} is better", bars(drawn)))
    if report.get("records"):
        lines = [(line["record"], f"threads: {line['threads']}", f"{line['median']:.1f}",
                  f"{line['min']:.1f} - {line['max']:.1f}") for line in report["records"]]
        parts.append("<h2>A record of the performance monitor</h2>" + html_table(
            ("", "", "ns of processor time", "min - max"), lines))
    return parts


def write(report: dict, path: pathlib.Path) -> None:
    machine = report["machine"]
    about = (f"{text(report['date'])}, commit {text(report['commit'])}; {text(machine['processor'])}, "
             f"{machine['cpus']} processors, Linux {text(machine['kernel'])}; {report['rounds']} shuffled rounds, "
             f"seed {report['seed']}")
    short = "<p><b>A quick run: short rounds, and few of them.</b></p>" if report["mode"] == "quick" else ""
    judged = report["goals"]
    page = (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>network_system: benchmarks</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
            f"<h1>network_system: benchmarks</h1><p>{about}</p>{short}<p><b>Goals:</b> {headline(judged)}</p>"
            f"{goals_table(judged)}{''.join(sections(report))}"
            f"<h2>To repeat it</h2><p><code>{text(report['command'])}</code></p>"
            f"<p>Server and client are two processes on loopback. What each row and name means: benches/README.md.</p>"
            f"</body></html>\n")
    path.write_text(page, encoding="utf-8")
