"""The symbols of issues on paper: the very paths of the screen (templates/symbols.html; a test holds them together).

A state is told by its shape and a verdict by its ring, so that a copy in black and white says the same.
"""

from geoapp.domain.values import StateGroup, VerdictClass

SIDE = 32.0
PAINT = {
    "open": "#c93c24", "in_work": "#2a68ad", "solved": "#2f7d53", "dropped": "#6d7378", "contested": "#7c3a9c",
    "orphan": "#2d3236", "near": "#b08a3e",
}  # fmt: skip
BODIES = {
    StateGroup.OPEN: "M16 9a7 7 0 1 1 0 14a7 7 0 1 1 0-14Z",
    StateGroup.IN_WORK: "M16 7.6 24.4 16 16 24.4 7.6 16Z",
    StateGroup.SOLVED: "M12.2 9.2h7.6a3 3 0 0 1 3 3v7.6a3 3 0 0 1-3 3h-7.6a3 3 0 0 1-3-3v-7.6a3 3 0 0 1 3-3Z",
    StateGroup.DROPPED: "M16 10.4a5.6 5.6 0 1 1 0 11.2a5.6 5.6 0 1 1 0-11.2Z",
}
MARKS = {
    StateGroup.SOLVED: ("M12.4 16.2 15 18.8 19.8 13.4", "#ffffff", 2.2),
    StateGroup.DROPPED: ("M13.6 13.6 18.4 18.4M18.4 13.6 13.6 18.4", PAINT["dropped"], 1.8),
}
RINGS = {
    VerdictClass.CONTESTED: (
        ("M16 5.2a10.8 10.8 0 1 1 0 21.6a10.8 10.8 0 1 1 0-21.6Z", 1.9, ""),
        ("M16 1.6a14.4 14.4 0 1 1 0 28.8a14.4 14.4 0 1 1 0-28.8Z", 1.7, "4.2 2.7"),
    ),
    VerdictClass.ORPHAN: (("M16 4a12 12 0 1 1 0 24a12 12 0 1 1 0-24Z", 2.3, "0.1 4.14"),),
    VerdictClass.NEAR: (("M16 4.8a11.2 11.2 0 1 1 0 22.4a11.2 11.2 0 1 1 0-22.4Z", 1.3, ""),),
}
STOP = 3.4
"""How much larger than the paths a numbered stop is drawn, in units of the sheet (tenths of a millimetre)."""
SMALL = 1.7


def symbol(group: StateGroup, verdict: VerdictClass | None, x: float, y: float, *, size: float, text: str = "") -> str:
    """An issue at a place of the sheet; with ``text`` a stop, which has its number instead of the mark within."""
    hollow = group is StateGroup.DROPPED
    body = BODIES[group]
    parts = [f'<path d="{body}" fill="#ffffff" stroke="#ffffff" stroke-width="{4.6 if hollow else 3.2}"/>']
    for path, width, _ in RINGS.get(verdict, ()) if verdict else ():
        parts.append(f'<path d="{path}" fill="none" stroke="#ffffff" stroke-width="{width + 2.2}"/>')
    if hollow:
        parts.append(f'<path d="{body}" fill="#ffffff" stroke="{PAINT[group]}" stroke-width="1.8"/>')
    else:
        parts.append(f'<path d="{body}" fill="{PAINT[group]}"/>')
    if not text and group in MARKS:
        path, colour, width = MARKS[group]
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"/>')
    for path, width, dash in RINGS.get(verdict, ()) if verdict else ():
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<path d="{path}" fill="none" stroke="{PAINT[str(verdict)]}" stroke-width="{width}" '
            f'stroke-linecap="round"{dashes}/>'
        )
    half = SIDE / 2 * size
    drawn = f'<g transform="translate({x - half:.1f} {y - half:.1f}) scale({size})">{"".join(parts)}</g>'
    if text:
        tall = 30 if len(text) < 3 else 24  # noqa: PLR2004 - three digits are narrower
        ink = PAINT["dropped"] if hollow else "#ffffff"
        drawn += (
            f'<text x="{x:.1f}" y="{y + tall * 0.36:.1f}" font-size="{tall}" font-weight="700" text-anchor="middle" '
            f'fill="{ink}">{text}</text>'
        )
    return drawn
