"""A small SVG plot: how cost grows with the number of sessions. The horizontal axis is logarithmic,
each curve is drawn against its own largest value, which its label tells."""

import math

WIDTH = 720
HEIGHT = 360
LEFT = 40
RIGHT = 250
TOP = 20
BOTTOM = 40
CURVES = [
    ("kib_per_session", "KiB (PSS) per session", "#1f77b4"),
    ("open_cpu_us_per_session", "CPU µs to open", "#d62728"),
    ("echo_p50_us", "echo p50 µs", "#2ca02c"),
    ("echo_p99_us", "echo p99 µs", "#9467bd"),
    ("held_cpu_percent", "CPU % while held", "#ff7f0e"),
]


def cost_over_sessions(rows):
    """SVG text for rows as bench/scale prints them."""
    low = math.log10(rows[0]["sessions"])
    high = max(math.log10(rows[-1]["sessions"]), low + 1)

    def x(sessions):
        return LEFT + (math.log10(sessions) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(part):
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="#333"/>',
        f'<text x="{(WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}">sessions at once</text>',
    ]
    for row in rows:
        parts.append(f'<text x="{x(row["sessions"]):.0f}" y="{HEIGHT - BOTTOM + 16}" '
                     f'text-anchor="middle">{row["sessions"]}</text>')
    for number, (field, label, colour) in enumerate(CURVES):
        # With few sessions some costs are below what can be measured.
        known = [(row["sessions"], float(row[field])) for row in rows if float(row[field] or 0) > 0]
        top = max((value for _, value in known), default=1)
        points = " ".join(f"{x(sessions):.1f},{y(value / top):.1f}" for sessions, value in known)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                     'stroke-width="2"/>')
        height = TOP + 16 + 18 * number
        parts.append(f'<text x="{WIDTH - RIGHT + 16}" y="{height}" fill="{colour}">{label}, '
                     f'at most {top:g}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
