"""What stands on every sheet: the scale bar, north, and the number under which the map was reviewed."""

from html import escape

from geoapp import words
from geoapp.maps.lettering import Lettering, Rect
from geoapp.maps.paper import Paper

INK = "#20262b"


def furniture(paper: Paper, room: Lettering, *, lang: str, bar_m: int, bar: float, review_no: str) -> str:
    """Scale bar, north and review number as SVG, each with its place kept free of words."""
    high, wide = paper.height, paper.width
    said = f"{bar_m / 1000:g} km" if bar_m >= 1000 else f"{bar_m} m"  # noqa: PLR2004
    x, y = 40.0, high - 46
    room.take(Rect(16, high - 96, x + bar + 95, high - 14))
    half = bar / 2
    drawn = (
        f'<g class="scale-bar"><rect x="18" y="{high - 92}" width="{bar + 112:.1f}" height="76" fill="#ffffff" '
        f'fill-opacity="0.85"/><rect class="bar" x="{x}" y="{y}" width="{bar:.2f}" height="12" fill="#ffffff" '
        f'stroke="{INK}" stroke-width="2.5"/><rect x="{x}" y="{y}" width="{half:.2f}" height="12" fill="{INK}"/>'
        f'<text x="{x}" y="{y - 10}" font-size="25" text-anchor="middle" fill="{INK}">0</text>'
        f'<text x="{x + bar:.1f}" y="{y - 10}" font-size="25" text-anchor="middle" fill="{INK}">{said}</text></g>'
    )
    room.take(Rect(wide - 96, 12, wide - 12, 132))
    drawn += (
        f'<g class="north"><rect x="{wide - 98}" y="6" width="88" height="96" rx="10" fill="#ffffff" '
        'fill-opacity="0.85"/>'
        f'<path d="M{wide - 54} 34l-18 54 18-13Z" fill="{INK}" stroke="{INK}" stroke-width="2"/>'
        f'<path d="M{wide - 54} 34l18 54-18-13Z" fill="#ffffff" stroke="{INK}" stroke-width="2.5"/>'
        f'<text x="{wide - 54}" y="{30}" font-size="26" font-weight="700" text-anchor="middle" fill="{INK}">'
        f"{words.say(lang, 'sheet.north')}</text></g>"
    )
    if review_no:
        said = words.say(lang, "sheet.review", no=review_no)
        long = 24.0 * len(said)
        room.take(Rect(wide - long - 30, high - 50, wide - 12, high - 12))
        drawn += (
            f'<text class="review" x="{wide - 20}" y="{high - 22}" font-size="24" text-anchor="end" fill="{INK}">'
            f"{escape(said)}</text>"
        )
    return drawn
