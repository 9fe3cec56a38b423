"""A sheet to draw on, 160 wide and 120 high, in flat colours; and the mark that every drawing carries.

The three Chinese signs of the mark are drawn as strokes: a machine need not have a font that holds them.
"""

import io
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int] | tuple[int, int, int, int]
"""RGB; with a fourth number, how much it covers (of 255)."""
Spot = tuple[float, float]

WIDTH, HEIGHT = 160, 120
_PX = 6
_FINE = 2
"""Drawn twice as fine and then halved, so that edges are smooth."""
_SCALE = _PX * _FINE
_SIGNS: tuple[tuple[tuple[Spot, ...], ...], ...] = (
    (  # 演
        ((3, 4), (5, 6)), ((2, 9.5), (4, 11.5)), ((2, 20.5), (6, 13.5)), ((14.7, 1.5), (15.8, 3.6)),
        ((9, 8), (9, 5), (22, 5), (22, 8)), ((11, 8), (20, 8)), ((15.5, 8), (15.5, 17)),
        ((11, 11), (20, 11), (20, 17.2), (11, 17.2), (11, 11)), ((11, 14), (20, 14)), ((13, 18.8), (9, 22)),
        ((18, 18.8), (22, 22)),
    ),
    (  # 示
        ((6, 4), (18, 4)), ((2.5, 9.5), (21.5, 9.5)), ((12, 9.5), (12, 21.5), (9.2, 20)), ((7, 13.5), (3.5, 18.5)),
        ((17, 13.5), (20.5, 18.5)),
    ),
    (  # 图
        ((4, 2.5), (20, 2.5), (20, 21.5), (4, 21.5), (4, 2.5)), ((10.3, 5), (6.8, 10.2)),
        ((9, 7.2), (15, 7.2), (11.5, 11.5), (6.5, 14)), ((8.7, 8.8), (12, 11.8), (17.4, 14)),
        ((11.3, 13.6), (13.6, 15.2)), ((9.4, 16.8), (14.6, 19.4)),
    ),
)  # fmt: skip
"""The strokes of 演示图 ("demonstration drawing"), each sign in a square of 24."""


class Sheet:
    """Shapes are drawn over each other in the order of the calls; coordinates run right and down."""

    def __init__(self, ground: Colour) -> None:
        self._image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), ground)
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def area(self, spots: Iterable[Spot], fill: Colour) -> None:
        self._draw.polygon(_scaled(spots), fill=fill)

    def box(self, west: float, top: float, east: float, bottom: float, fill: Colour, *, round_by: float = 0) -> None:
        corners = _scaled([(west, top), (east, bottom)])
        self._draw.rounded_rectangle(corners, radius=round_by * _SCALE, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour, *, flat: float = 1) -> None:
        """A circle, or an ellipse ``flat`` times as high as wide."""
        self._draw.ellipse(_scaled([(x - radius, y - radius * flat), (x + radius, y + radius * flat)]), fill=fill)

    def line(self, spots: Iterable[Spot], fill: Colour, width: float = 0.5) -> None:
        self._draw.line(_scaled(spots), fill=fill, width=max(1, round(width * _SCALE)), joint="curve")

    def glow(self, x: float, y: float, radius: float, fill: tuple[int, int, int]) -> None:
        """Light that fades with the distance."""
        for step in range(12):
            self.disc(x, y, radius * (1 - step / 12), (*fill, 10 + step))

    def jpeg(self) -> bytes:
        """The marked drawing, 960 × 720, as a camera would hand it over."""
        self._mark()
        target = io.BytesIO()
        self._image.reduce(_FINE).save(target, "JPEG", quality=92)
        return target.getvalue()

    def _mark(self) -> None:
        self.box(3, 3, 55.5, 11.6, (255, 255, 255, 224), round_by=1.6)
        ink = (46, 52, 58)
        for nth, sign in enumerate(_SIGNS):
            for stroke in sign:
                self.line([(5 + 5.9 * nth + x * 0.215, 4.7 + y * 0.215) for x, y in stroke], ink, 0.42)
        font = ImageFont.load_default(round(3.9 * _SCALE))
        self._draw.text(_scaled([(24.6, 7.3)])[0], "/ demo picture", fill=ink, font=font, anchor="lm")


def _scaled(spots: Iterable[Spot]) -> list[Spot]:
    return [(x * _SCALE, y * _SCALE) for x, y in spots]
