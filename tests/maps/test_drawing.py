"""Map sheets for print: what is drawn, what the legend tells, and that it can be read without colour."""

import re
from xml.etree import ElementTree as ET

import pytest
from pyproj import Geod
from shapely.geometry import LineString, box, mapping

from geoapp import config
from geoapp.domain.values import Box, StateGroup, VerdictClass
from geoapp.domain.visiting import Basis
from geoapp.maps import symbols
from geoapp.maps.drawing import Ends, Feature, Spot, Way, draw
from geoapp.maps.lettering import Lettering, Rect, around, broken, width
from geoapp.maps.paper import Paper
from geoapp.maps.strokes import hatching
from geoapp.services import layers

LAYERS = {layer.id: layer for layer in layers.read(config.shipped("layers"))}
PAPER = Paper(Box(106.64, 29.02, 106.66, 29.035), 1860, 1400, 60)
SVG = "{http://www.w3.org/2000/svg}"


def a_spot(n=1, *, lon=106.65, lat=29.027, group=StateGroup.OPEN, verdict=VerdictClass.CLEAR, **more):
    return Spot(lon, lat, group, verdict, n, **more)


def land(west, south, east, north, name="", *, tint=0):
    return Feature(mapping(box(west, south, east, north)), name, tint)


def sheet(*spots, grounds=(), lang="zh", **more):
    drawn = draw(PAPER, grounds, spots=spots, lang=lang, title="图", **more)
    return drawn, ET.fromstring(drawn.svg)  # noqa: S314 - our own drawing


def texts(tree):
    return [node.text for node in tree.iter("text")]


def said(drawn):
    return [key.words for key in drawn.legend]


def test_the_symbols_on_paper_are_those_of_the_screen():
    screen = (config.PACKAGE / "web" / "templates" / "symbols.html").read_text(encoding="utf-8")

    for group, path in symbols.BODIES.items():
        assert f'id="sym-{group}"' in screen
        assert f'd="{path}"' in screen
    for verdict, rings in symbols.RINGS.items():
        found = re.search(rf'<symbol id="ring-{verdict}".*?</symbol>', screen)[0]
        for path, wide, dash in rings:
            assert f'd="{path}"' in found
            assert f'stroke-width="{wide}"' in found
            assert (f'stroke-dasharray="{dash}"' in found) == bool(dash)


def test_the_bar_in_the_drawing_is_as_long_as_it_says_to_one_percent():
    drawn, tree = sheet(a_spot())
    bar = next(node for node in tree.iter("rect") if node.get("class") == "bar")
    units = float(bar.get("width"))

    lat = (PAPER.box.south + PAPER.box.north) / 2
    degrees = 0.01
    one, other = PAPER.place(106.645, lat), PAPER.place(106.645 + degrees, lat)
    true = Geod(ellps="WGS84").inv(106.645, lat, 106.645 + degrees, lat)[2]
    assert units * true / (other[0] - one[0]) == pytest.approx(drawn.bar_m, rel=0.01)
    assert f"{drawn.bar_m} m" in texts(tree)
    # A unit is a tenth of a millimetre, so the printed scale follows.
    assert drawn.ratio == pytest.approx(true / ((other[0] - one[0]) / 10_000), rel=0.01)


def test_stops_keep_their_numbers_and_true_places_and_step_aside_for_each_other():
    drawn, tree = sheet(a_spot(1), a_spot(2), a_spot(3, lon=106.645, group=StateGroup.IN_WORK))

    stops = [node for node in tree.iter("g") if node.get("class") == "stop"]
    assert [(node.get("data-n"), node.get("data-lon"), node.get("data-lat")) for node in stops] == [
        ("1", "106.6500000", "29.0270000"), ("2", "106.6500000", "29.0270000"), ("3", "106.6450000", "29.0270000"),
    ]  # fmt: skip
    placed = [(float(node.find("text").get("x")), node.find("text").text) for node in stops]
    assert [text for _, text in placed] == ["1", "2", "3"]
    assert abs(placed[0][0] - placed[1][0]) > 40
    assert "第几站" in said(drawn)


def test_the_legend_tells_what_can_be_seen_and_nothing_else():
    quiet, _ = sheet(a_spot())
    full, _ = sheet(
        a_spot(group=StateGroup.IN_WORK, verdict=VerdictClass.CONTESTED,
               extent=mapping(box(106.649, 29.026, 106.651, 29.028))),
        Spot(106.7, 29.5, StateGroup.SOLVED, VerdictClass.ORPHAN),
        grounds=[
            (LAYERS["district"], [land(106.0, 29.0, 107.0, 30.0, "綦江区")]),
            (LAYERS["jurisdictions"], [land(106.641, 29.021, 106.65, 29.03, "市政处", tint=1)]),
            (LAYERS["orphan-land"], [land(106.8, 29.0, 106.9, 29.1)]),
            (LAYERS["contested-land"], [land(106.0, 29.0, 107.0, 30.0)]),
        ],
        way=Way(mapping(LineString([(106.645, 29.025), (106.65, 29.027)])), Basis.ROADS),
        ends=Ends((106.645, 29.025)),
    )  # fmt: skip

    assert said(quiet) == ["第几站", "待处理"]
    # No edge of the district and no orphan land lie on this sheet, and the solved issue is elsewhere.
    assert set(said(full)) == {
        "行走路线", "问题范围", "起点", "第几站", "处理中", "权责争议", "市政处", "争议地（管辖重叠）",
    }  # fmt: skip


def test_a_way_that_is_only_estimated_is_dashed_and_says_so():
    line = mapping(LineString([(106.645, 29.025), (106.655, 29.03)]))

    known, _ = sheet(way=Way(line, Basis.ROADS), lang="en")
    guessed, _ = sheet(way=Way(line, Basis.ESTIMATE), lang="en")
    assert "stroke-dasharray" not in known.svg
    assert "stroke-dasharray" in guessed.svg
    assert said(guessed) == ["straight line between stops (the way is estimated)"]


def test_land_of_two_units_differs_without_colour_and_that_of_one_is_one():
    two = [land(106.641, 29.021, 106.65, 29.03, "甲"), land(106.65, 29.021, 106.659, 29.03, "乙")]
    same = [land(106.641, 29.021, 106.65, 29.03, "甲"), land(106.65, 29.021, 106.659, 29.03, "甲")]

    drawn, _ = sheet(grounds=[(LAYERS["jurisdictions"], two)])
    one, _ = sheet(grounds=[(LAYERS["jurisdictions"], same)])
    assert said(drawn) == ["甲", "乙"]
    assert re.sub("甲|乙", "", drawn.legend[0].swatch) != re.sub("甲|乙", "", drawn.legend[1].swatch)
    assert said(one) == ["甲"]


def test_names_are_never_cut_by_the_frame_and_never_lie_on_each_other():
    crowd = [
        land(106.6395 + n / 500, 29.0195, 106.642 + n / 500, 29.0225 + n / 1000, f"很长的社区居民委员会名称{n}")
        for n in range(10)
    ]

    _, tree = sheet(a_spot(lon=106.645, lat=29.022), grounds=[(LAYERS["communities"], crowd)], review_no="GS(2026)1")
    rects = []
    for node in tree.iter("text"):
        size = float(node.get("font-size"))
        wide = width(node.text, size)
        x = float(node.get("x")) - {"middle": wide / 2, "end": wide}.get(node.get("text-anchor"), 0.0)
        y = float(node.get("y"))
        assert x >= 0
        assert x + wide <= 1860
        assert size * 0.7 <= y <= 1400
        if node.text.startswith("很长") or "名称" in node.text:
            rects.append(Rect(x + 1, y - size * 0.8, x + wide - 1, y))
    assert len(rects) >= 4
    assert not any(one.meets(other) for n, one in enumerate(rects) for other in rects[n + 1 :])
    assert "审图号：GS(2026)1" in texts(tree)


def test_a_long_name_is_broken_evenly():
    assert broken("双龙社区") == ["双龙社区"]
    assert broken("区城市管理局市政设施维护中心") == ["区城市管理局市", "政设施维护中心"]
    assert broken("Qijiang Municipal Works Office of the Gunan Subdistrict") == [
        "Qijiang Municipal", "Works Office of the", "Gunan Subdistrict",
    ]  # fmt: skip


def test_what_finds_no_free_place_stays_where_it_is():
    room = Lettering(Rect(0, 0, 100, 100))
    room.take(Rect(0, 0, 100, 100))

    assert room.free_spot(50, 50, 10, steps=(20,)) == (50, 50)
    assert room.name(box(20, 20, 80, 80), "甲", size=20, colour="#000000") == ""
    assert not room.is_free(around(50, 50, 5))


@pytest.mark.parametrize("kind", ["lines", "diagonal", "cross", "dots"])
def test_a_hatching_stays_within_its_area(kind):
    drawn = hatching(box(100, 200, 380, 360), kind, 0)

    starts = [tuple(map(float, at)) for at in re.findall(r"M([\d.]+) ([\d.]+)", drawn)]
    assert len(starts) > 3
    assert all(99.9 <= x <= 380.1 and 199.9 <= y <= 360.1 for x, y in starts)


def test_words_of_people_cannot_become_markup():
    drawn, tree = sheet(
        a_spot(title='<script>alert("1")</script>'),
        grounds=[(LAYERS["communities"], [land(106.641, 29.021, 106.65, 29.03, "<b>&甲</b>")])],
    )

    assert "<script" not in drawn.svg
    assert "<b>" not in drawn.svg
    assert any("<b>&甲</b>" in (text or "") for text in texts(tree))
