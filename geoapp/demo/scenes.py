"""What the four stories look like, drawn: the same frame before, during and after the work."""

from itertools import pairwise

import numpy as np

from geoapp.demo.canvas import HEIGHT, WIDTH, Colour, Sheet

Draw = np.random.Generator


def sidewalk(phase: str) -> Sheet:
    """The pavement before a repair shop: crushed and parked on, dug up, laid anew."""
    sheet, draw = Sheet((214, 224, 228)), np.random.default_rng(41)
    sheet.box(0, 12, WIDTH, 64, (205, 192, 172))
    sheet.box(0, 12, WIDTH, 15, (178, 164, 144))
    for west in (14, 66):
        sheet.box(west, 17, west + 44, 26, (62, 92, 112))
        sheet.box(west + 3, 29, west + 41, 64, (74, 80, 86))
        for y in range(31, 48, 3):
            sheet.line([(west + 3, y), (west + 41, y)], (98, 104, 110), 0.5)
    sheet.box(118, 29, 150, 52, (150, 172, 182))
    sheet.line([(134, 29), (134, 52)], (205, 192, 172), 1)
    for x, y in ((32, 59), (37, 59), (34.5, 55)):
        sheet.disc(x, y, 3.4, (40, 43, 46))
        sheet.disc(x, y, 1.4, (96, 100, 102))
    whole = phase == "after"
    _tiles(sheet, draw, whole=whole)
    sheet.box(0, 94, WIDTH, 97.5, (158, 154, 146))
    sheet.box(0, 97.5, WIDTH, HEIGHT, (92, 96, 100))
    for west in range(4, WIDTH, 30):
        sheet.box(west, 112, west + 16, 113.4, (206, 204, 196))
    if phase == "before":
        _car(sheet, 58, 60, (150, 62, 50))
        _car(sheet, 108, 63, (196, 198, 196))
    elif phase == "during":
        for west in range(6, 150, 24):
            _barrier(sheet, west, 82)
        for x in (28, 76, 124):
            _cone(sheet, x, 76)
        sheet.area([(62, 74), (74, 62), (88, 74)], (182, 152, 112))
    else:
        for x in range(8, WIDTH, 12):
            sheet.box(x - 1, 82, x + 1, 94, (70, 76, 80), round_by=0.8)
            sheet.box(x - 1, 84, x + 1, 86, (222, 184, 70))
        _car(sheet, 92, 86, (110, 130, 146))
    return sheet


def _tiles(sheet: Sheet, draw: Draw, *, whole: bool) -> None:
    sheet.box(0, 64, WIDTH, 94, (200, 192, 178))
    rows = (64, 69, 75, 79, 86, 94)
    for nth, (top, bottom) in enumerate(pairwise(rows)):
        for west in range(-8, WIDTH, 8):
            tint = int(draw.integers(-7, 8))
            colour: Colour = (204 + tint, 196 + tint, 182 + tint)
            if nth == 2:  # noqa: PLR2004 - the third row guides the blind
                colour = (222 + tint, 186 + tint, 84)
            at = west + 4 * (nth % 2)
            broken = not whole and 24 < at < 136 and draw.random() < 0.58  # noqa: PLR2004 - where the cars drive
            if not broken:
                sheet.box(at + 0.3, top + 0.3, at + 7.7, bottom - 0.3, colour)
                continue
            sheet.box(at, top, at + 8, bottom, (146, 128, 104))
            for _ in range(3):
                x, y = at + draw.uniform(0.5, 6), draw.uniform(top, bottom - 2)
                shard = [(x + draw.uniform(-1, 3.4), y + draw.uniform(-0.4, 3)) for _ in range(4)]
                sheet.area(shard, (178 + tint, 168 + tint, 152 + tint))


def _car(sheet: Sheet, x: float, y: float, colour: Colour) -> None:
    sheet.disc(x + 18, y + 21, 21, (30, 32, 34, 90), flat=0.12)
    sheet.area([(x + 7, y + 8), (x + 12, y), (x + 27, y), (x + 33, y + 8)], colour)
    sheet.area([(x + 9.5, y + 7.6), (x + 13, y + 1.6), (x + 18.6, y + 1.6), (x + 18.6, y + 7.6)], (176, 198, 206))
    sheet.area([(x + 20, y + 7.6), (x + 20, y + 1.6), (x + 26, y + 1.6), (x + 30, y + 7.6)], (176, 198, 206))
    sheet.box(x, y + 7.5, x + 39, y + 17, colour, round_by=3)
    sheet.box(x + 36, y + 9.5, x + 39, y + 12, (244, 226, 168), round_by=0.6)
    for wheel in (x + 8.5, x + 30):
        sheet.disc(wheel, y + 17, 4.2, (36, 38, 40))
        sheet.disc(wheel, y + 17, 1.9, (158, 160, 160))


def _barrier(sheet: Sheet, x: float, y: float) -> None:
    for foot in (x + 2, x + 18):
        sheet.box(foot, y, foot + 1.4, y + 13, (120, 122, 122))
    for nth in range(5):
        sheet.box(x + 4 * nth, y + 1, x + 4 * nth + 4, y + 5.5, (214, 92, 44) if nth % 2 == 0 else (244, 240, 232))


def _cone(sheet: Sheet, x: float, y: float) -> None:
    sheet.area([(x - 3, y + 9), (x - 0.8, y), (x + 0.8, y), (x + 3, y + 9)], (222, 98, 40))
    sheet.area([(x - 2.1, y + 5.6), (x - 1.4, y + 3), (x + 1.4, y + 3), (x + 2.1, y + 5.6)], (246, 242, 236))


def dump(phase: str) -> Sheet:
    """The open ground between three estates: heaped up, half cleared, and how it is meant to be."""
    rendering = phase == "rendering"
    sheet, draw = Sheet((208, 222, 230) if rendering else (212, 214, 208)), np.random.default_rng(7)
    for west, east, top, colour in (
        (4, 44, 22, (206, 184, 162)),
        (54, 98, 14, (190, 188, 182)),
        (108, 156, 26, (196, 176, 170)),
    ):
        sheet.box(west, top, east, 72, colour)
        for sill in range(top + 5, 66, 8):
            for left in range(west + 4, east - 5, 8):
                sheet.box(left, sill, left + 4.4, sill + 4.6, (122, 142, 152))
                sheet.box(left - 0.6, sill + 4.6, left + 5, sill + 5.4, (228, 222, 212))
    if rendering:
        _car_park(sheet)
        return sheet
    sheet.box(0, 70, WIDTH, HEIGHT, (176, 160, 130))
    for _ in range(260):
        x, y = draw.uniform(0, WIDTH), draw.uniform(71, HEIGHT)
        sheet.disc(x, y, draw.uniform(0.2, 0.7), (152, 136, 108), flat=0.5)
    heaps = [(30, 96, 27, 24), (78, 91, 30, 30), (128, 97, 29, 25)]
    for x, y, wide, high in heaps[:1] if phase == "during" else heaps:
        _heap(sheet, draw, (x, y), (wide, high))
    if phase == "during":
        _lorry(sheet, 84, 70)
        for west in range(70, WIDTH, 23):
            _barrier(sheet, west, 104)
    return sheet


def _heap(sheet: Sheet, draw: Draw, middle: tuple[float, float], size: tuple[float, float]) -> None:
    (x, y), (wide, high) = middle, size
    sheet.disc(x, y + 8, wide + 3, (96, 84, 66, 110), flat=0.2)
    slope = np.linspace(-1, 1, 13)
    ridge = [(x + wide * at, y + 9 - high * (1 - abs(at) ** 1.7) * draw.uniform(0.86, 1.0)) for at in slope]
    sheet.area([*ridge, (x + wide, y + 10), (x - wide, y + 10)], (128, 114, 94))
    colours: list[Colour] = [
        (158, 146, 126), (104, 96, 84), (186, 178, 164), (92, 112, 128), (170, 96, 74), (206, 200, 190), (116, 128, 92),
    ]  # fmt: skip
    for _ in range(150):
        at, up = draw.uniform(-0.94, 0.94), draw.uniform(0, 0.95)
        px, py = x + wide * at, y + 8 - high * (1 - abs(at) ** 1.7) * up
        bit = [(px + draw.uniform(-2.4, 2.4), py + draw.uniform(-1.7, 1.7)) for _ in range(int(draw.integers(3, 6)))]
        sheet.area(bit, colours[int(draw.integers(len(colours)))])


def _lorry(sheet: Sheet, x: float, y: float) -> None:
    sheet.disc(x + 29, y + 27, 32, (80, 70, 54, 110), flat=0.1)
    sheet.area([(x, y + 6), (x + 38, y + 6), (x + 35, y + 20), (x + 3, y + 20)], (74, 116, 92))
    sheet.area([(x + 2, y + 6), (x + 12, y + 1), (x + 26, y - 1), (x + 36, y + 6)], (128, 114, 94))
    sheet.box(x + 40, y + 3, x + 57, y + 20, (222, 216, 204), round_by=2)
    sheet.box(x + 47, y + 5.5, x + 55.5, y + 12, (150, 178, 190))
    sheet.box(x + 1, y + 19.5, x + 58, y + 22, (60, 64, 66))
    for wheel in (x + 9, x + 20, x + 48):
        sheet.disc(wheel, y + 23, 4.4, (38, 40, 42))
        sheet.disc(wheel, y + 23, 1.9, (150, 152, 152))


def _car_park(sheet: Sheet) -> None:
    sheet.box(0, 70, WIDTH, HEIGHT, (150, 176, 128))
    sheet.area([(14, 78), (146, 78), (166, 120), (-6, 120)], (128, 132, 136))
    for nth in range(9):
        sheet.line([(26 + 13.5 * nth, 79), (24 + 14 * nth, 90)], (236, 236, 230), 0.6)
        sheet.line([(16 + 16 * nth, 106), (12 + 17 * nth, 120)], (236, 236, 230), 0.7)
    for x in (8, 34, 60, 100, 126, 152):
        sheet.box(x - 0.9, 66, x + 0.9, 76, (122, 98, 74))
        for dx, dy, radius in ((-3, 0, 5.2), (3.2, 0.6, 5), (0, -4.4, 5.4)):
            sheet.disc(x + dx, 64 + dy, radius, (104, 148, 96))
    _car(sheet, 30, 74, (108, 134, 156))
    _car(sheet, 88, 75, (206, 204, 198))


def path(phase: str) -> Sheet:
    """The way to school at dusk: loose slabs in the weeds without a lamp, then paved and lit."""
    after = phase == "after"
    sheet, draw = Sheet((40, 50, 72)), np.random.default_rng(160)
    for top in range(54):
        light = (top / 54) ** 2
        sheet.box(0, top, WIDTH, top + 1.2, (int(40 + 60 * light), int(50 + 48 * light), int(72 + 34 * light)))
    sheet.area([(0, 54), (24, 42), (52, 50), (86, 38), (120, 49), (160, 40), (160, 70), (0, 70)], (36, 46, 56))
    for left, sill in ((112, 40), (118, 40), (112, 45), (24, 40)):
        sheet.box(left, sill, left + 1.8, sill + 2, (214, 182, 112))
    sheet.box(0, 52, WIDTH, HEIGHT, (40, 54, 46))
    way = [
        (56, 120),
        (62, 98),
        (80, 82),
        (79, 68),
        (72, 58),
        (74, 52),
        (77, 52),
        (78, 58),
        (89, 68),
        (98, 82),
        (96, 98),
    ]
    sheet.area([*way, (108, 120)], (122, 118, 110) if after else (74, 72, 66))
    for nth in range(11):
        y = 54 + 66 * (nth / 11) ** 1.6
        middle, half = _way_at(y)
        if after:
            sheet.line([(middle - half, y), (middle + half, y)], (98, 94, 88), 0.5)
        else:
            for _ in range(3):
                x = middle + draw.uniform(-half, half * 0.4)
                wide, high, tilt = half * 0.55, 1 + (y - 50) * 0.05, draw.uniform(-1.2, 1.2)
                slab = [(x, y), (x + wide, y + tilt), (x + wide * 0.9, y + high + tilt), (x - wide * 0.1, y + high)]
                sheet.area(slab, (92, 90, 84))
    _weeds(sheet, draw, thick=not after)
    if after:
        for foot in (58, 66, 78, 96):
            middle, half = _way_at(foot)
            for side in (-1, 1):
                _lamp(sheet, middle + side * (half + 2 + (foot - 50) * 0.06), foot, tall=8 + (foot - 52) * 0.55)
    return sheet


def _way_at(y: float) -> tuple[float, float]:
    """The middle of the path at this height of the drawing, and half its width."""
    heights = (52, 58, 68, 82, 98, 120)
    middle = np.interp(y, heights, (75.5, 75, 84, 89, 79, 82))
    return float(middle), float(np.interp(y, heights, (1.5, 3, 5, 9, 17, 26)))


def _weeds(sheet: Sheet, draw: Draw, *, thick: bool) -> None:
    for _ in range(900 if thick else 380):
        y = 56 + 64 * draw.random() ** 0.8
        x = draw.uniform(0, WIDTH)
        middle, half = _way_at(y)
        # Weeds reach over the edges of a path that nobody keeps.
        if abs(x - middle) < half * (0.72 if thick else 1.12):
            continue
        tall = (y - 48) * (0.16 if thick else 0.07) * draw.uniform(0.5, 1.2)
        green = int(draw.integers(0, 34))
        blade = [(x, y), (x + draw.uniform(-1.4, 1.4), y - tall), (x + 0.5, y)]
        sheet.area(blade, (44 + green // 2, 62 + green, 48 + green // 3))


def _lamp(sheet: Sheet, x: float, y: float, *, tall: float) -> None:
    sheet.disc(x, y, tall * 0.55, (255, 214, 140, 46), flat=0.28)
    sheet.line([(x, y), (x, y - tall)], (150, 152, 150), 0.25 + tall * 0.02)
    sheet.glow(x, y - tall, tall * 0.42, (255, 220, 150))
    sheet.disc(x, y - tall, 0.5 + tall * 0.03, (255, 244, 214))


def towers(phase: str) -> Sheet:  # noqa: ARG001 - this story has only its beginning so far
    """The pump room below four towers: rust, a puddle, and a gauge that stands at nothing."""
    sheet, draw = Sheet((176, 180, 176)), np.random.default_rng(4)
    for joint in range(0, WIDTH, 20):
        sheet.line([(joint, 0), (joint, 84)], (164, 168, 164), 0.5)
    for joint in (28, 56):
        sheet.line([(0, joint), (WIDTH, joint)], (164, 168, 164), 0.5)
    sheet.box(0, 84, WIDTH, HEIGHT, (138, 136, 130))
    for run in ((0, 30, WIDTH, 40), (106, 36, 115, 92), (34, 36, 43, 76)):
        sheet.box(*run, (164, 58, 48))
        sheet.box(run[0], run[1], run[2], run[1] + 1.6, (192, 92, 80)) if run[0] == 0 else None
    for flange in (28, 76, 124):
        sheet.box(flange, 27.5, flange + 5, 42.5, (132, 44, 38), round_by=0.6)
    for _ in range(130):
        x, y = draw.normal(78, 15), draw.uniform(33, 41)
        sheet.disc(x, y, draw.uniform(0.3, 1.5), (118, 74, 42, 200), flat=0.7)
    for leak, drops in ((70, 5), (79, 6), (88, 4)):
        for nth in range(drops):
            sheet.disc(leak, 46 + nth * 8.4 + leak % 3, 0.9, (112, 146, 168), flat=1.5)
    sheet.disc(80, 104, 38, (108, 132, 148, 170), flat=0.24)
    sheet.disc(74, 103, 20, (150, 172, 184, 150), flat=0.2)
    sheet.box(14, 74, 66, 96, (84, 104, 118), round_by=4)
    for rib in range(22, 48, 5):
        sheet.line([(rib, 76), (rib, 94)], (66, 84, 96), 1)
    sheet.disc(62, 85, 13, (98, 118, 132))
    sheet.disc(62, 85, 7, (72, 90, 102))
    sheet.box(12, 96, 72, 101, (92, 92, 90))
    sheet.box(108.6, 52, 112.4, 60, (120, 122, 122))
    sheet.disc(132, 62, 18, (70, 74, 78))
    sheet.disc(132, 62, 15.6, (246, 244, 238))
    for angle in np.linspace(-220, 40, 9):
        dx, dy = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        sheet.line([(132 + 11.4 * dx, 62 + 11.4 * dy), (132 + 14 * dx, 62 + 14 * dy)], (60, 62, 64), 0.7)
    needle = np.radians(-220)
    sheet.line([(132, 62), (132 + 11 * np.cos(needle), 62 + 11 * np.sin(needle))], (192, 52, 42), 1)
    sheet.disc(132, 62, 1.8, (60, 62, 64))
    sheet.box(114, 60, 118, 64, (120, 122, 122))
    return sheet
