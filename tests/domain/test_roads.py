"""A network is made of lines that meet, and the ways found in it are the shortest that one may take."""

import math

import numpy as np
import pytest
import shapely

from geoapp.domain import roadnet
from geoapp.domain.boundaries import Remark
from geoapp.domain.roadgraph import Graph, Network
from geoapp.domain.roads import DETOUR, ESTIMATED_KMH, KMH, Mode, RoadClass, RoadReport, class_of, direction_of
from geoapp.domain.routes import Basis

LON, LAT = 106.65, 29.02
EAST, NORTH = 1 / 97_380, 1 / 110_850
"""Degrees of a metre here."""
STREET, PATH, STEPS = RoadClass.STREET, RoadClass.PATH, RoadClass.STEPS


def at(east, north):
    return LON + east * EAST, LAT + north * NORTH


def road(*metres, kind=STREET, direction=0):
    line = roadnet.line_of(shapely.LineString([at(*place) for place in metres]), kind, direction=direction)
    assert line is not None
    return line


def graph(*lines, mode=Mode.WALKING, node_crossings=False):
    lines = roadnet.joined(lines, roadnet.crossings(lines)) if node_crossings else lines
    edges = roadnet.noded(lines)
    shapes = [shapely.LineString(edge.coordinates) for edge in edges]
    return Graph(
        Network(
            np.array(shapes, dtype=object),
            [edge.kind for edge in edges],
            np.array([edge.oneway for edge in edges], dtype=bool),
            np.array([np.hypot(*(np.diff(s.coords, axis=0) / (EAST, NORTH)).T).sum() for s in shapes]),
        ),
        mode,
    )


def places(*metres):
    return np.array([at(*place) for place in metres])


def length(made, *metres):
    found = made.matrix(places(*metres))
    return found.metres[0, 1], found.basis


def test_lines_that_share_a_vertex_are_cut_there():
    edges = roadnet.noded([road((0, 0), (100, 0), (200, 0)), road((100, 0), (100, 80))])

    assert len(edges) == 3
    assert roadnet.shape_of(edges) == roadnet.Shape(nodes=4, parts=1, largest=1.0)


def test_a_ring_has_two_nodes_so_that_one_can_go_round_it():
    ring = road((0, 0), (100, 0), (100, 100), (0, 100), (0, 0))

    assert len(roadnet.noded([ring])) == 2
    assert length(graph(ring), (50, 0), (50, 100))[0] == pytest.approx(200, rel=1e-3)


def test_there_and_back_on_one_line_is_no_ring():
    assert len(roadnet.noded([road((0, 0), (50, 0), (0, 0))])) == 1


def test_what_has_no_length_is_no_line():
    assert roadnet.line_of(shapely.LineString([at(0, 0), at(0, 0)]), STREET, direction=0) is None
    assert roadnet.noded([]) == []
    assert roadnet.shape_of([]) == roadnet.Shape(0, 0, 0.0)


def test_a_line_against_the_direction_is_turned_round():
    line = road((0, 0), (100, 0), direction=-1)

    assert line.oneway
    assert line.coordinates[0].tolist() == pytest.approx(at(100, 0))


def test_lines_that_cross_without_a_vertex_are_a_bridge_until_told_otherwise():
    below, above = road((0, 0), (400, 0)), road((200, -200), (200, 200))

    found = roadnet.crossings([below, above])
    apart = graph(below, above).matrix(places((0, 0), (200, 200)))
    joined = length(graph(below, above, node_crossings=True), (0, 0), (200, 200))

    assert sorted(found) == [0, 1]
    assert apart.basis is Basis.ESTIMATE
    assert joined == (pytest.approx(400, rel=1e-3), Basis.ROADS)


def test_a_crossing_is_joined_once_however_many_roads_meet_there():
    lines = [road((0, 0), (400, 0)), road((200, -200), (200, 200)), road((0, -200), (400, 200))]

    joined = roadnet.noded(roadnet.joined(lines, roadnet.crossings(lines)))

    assert len(joined) == 6
    assert roadnet.shape_of(joined) == roadnet.Shape(nodes=7, parts=1, largest=1.0)


def test_a_ring_is_joined_without_tearing_it():
    lines = [road((0, 0), (100, 0), (100, 100), (0, 100), (0, 0)), road((50, -50), (50, 50))]

    joined = roadnet.noded(roadnet.joined(lines, roadnet.crossings(lines)))

    assert roadnet.shape_of(joined).parts == 1
    assert sum(len(line.coordinates) - 1 for line in joined) == 7


def test_roads_on_top_of_each_other_meet_where_they_part():
    found = roadnet.crossings([road((0, 0), (300, 0)), road((100, 0), (200, 0))])

    assert {line: len(set(at_)) for line, at_ in found.items()} == {0: 2}


def test_a_place_is_put_onto_the_nearest_edge_and_the_bit_beside_it_is_walked():
    found = graph(road((0, 0), (1000, 0)), road((0, 900), (1000, 900))).matrix(places((100, 30), (600, -40)))

    assert found.basis is Basis.ROADS
    assert found.metres[0, 1] == pytest.approx(500 + 30 + 40, rel=2e-3)
    assert found.seconds[0, 1] == pytest.approx(570 / (5 / 3.6), rel=2e-3)


def test_two_places_on_one_one_way_edge_are_near_in_one_direction_only():
    block = [
        road((0, 0), (400, 0), direction=1),
        road((400, 0), (400, 300), (0, 300), (0, 0)),
    ]
    driven = graph(*block, mode=Mode.DRIVING).matrix(places((100, 0), (300, 0)))
    walked = graph(*block).matrix(places((100, 0), (300, 0)))

    assert driven.metres[0, 1] == pytest.approx(200, rel=1e-3)
    assert driven.metres[1, 0] == pytest.approx(100 + 300 + 400 + 300 + 100, rel=1e-3)
    assert walked.metres[1, 0] == walked.metres[0, 1] == pytest.approx(200, rel=1e-3)


def test_nobody_walks_on_a_motorway_or_drives_up_steps():
    lines = [
        road((0, 0), (300, 0), kind=RoadClass.MOTORWAY),
        road((0, 0), (0, 200), (300, 200), (300, 0)),
        road((0, 200), (300, 200), kind=STEPS),
    ]

    assert length(graph(*lines), (0, 0), (300, 0))[0] == pytest.approx(700, rel=1e-3)
    assert length(graph(*lines, mode=Mode.DRIVING), (0, 0), (300, 0))[0] == pytest.approx(300, rel=1e-3)
    assert STEPS not in KMH[Mode.DRIVING]
    only_steps = graph(lines[2], mode=Mode.DRIVING).matrix(places((0, 200), (300, 200)))
    assert only_steps.basis is Basis.ESTIMATE


def test_the_quickest_of_several_roads_between_two_nodes_is_taken():
    lines = [road((0, 0), (300, 0), kind=STEPS), road((0, 0), (150, 20), (300, 0)), road((0, 0), (150, 99), (300, 0))]

    found = graph(*lines).matrix(places((0, 0), (300, 0)))

    assert found.metres[0, 1] == pytest.approx(2 * math.hypot(150, 20), rel=2e-3)


def test_parts_that_are_not_joined_are_bridged_by_an_estimate_and_that_is_said():
    found = graph(road((0, 0), (100, 0)), road((0, 800), (100, 800))).matrix(places((0, 0), (100, 0), (100, 800)))

    assert found.basis is Basis.MIXED
    assert found.estimated == {(0, 2), (2, 0), (1, 2), (2, 1)}
    assert found.metres[1, 2] == pytest.approx(800 * DETOUR[Mode.WALKING], rel=2e-3)


def test_a_place_far_from_any_road_is_named_and_one_beyond_the_network_is_estimated():
    found = graph(road((0, 0), (3000, 0))).matrix(places((0, 0), (1000, 700), (2000, 2500)))

    assert found.far == (1,)
    assert found.metres[0, 1] == pytest.approx(1000 + 700, rel=2e-3)
    assert found.estimated == {(0, 2), (2, 0), (1, 2), (2, 1)}


def test_neighbours_far_from_the_road_walk_straight_across():
    found = graph(road((0, 0), (3000, 0)), mode=Mode.DRIVING).matrix(places((1000, 400), (1000, 450)))

    assert found.metres[0, 1] == pytest.approx(50 * DETOUR[Mode.WALKING], rel=1e-2)
    assert found.seconds[0, 1] == pytest.approx(50 * DETOUR[Mode.WALKING] / (5 / 3.6), rel=1e-2)


def test_a_few_steps_between_neighbours_are_not_called_an_estimate():
    made = graph(road((0, 0), (3000, 0)))

    steps, far = made.matrix(places((1000, 40), (1000, 90))), made.matrix(places((1000, 200), (1000, 300)))
    (leg,) = made.legs(places((1000, 40), (1000, 90)))

    assert (steps.basis, leg.basis) == (Basis.ROADS, Basis.ROADS)
    assert far.basis is Basis.ESTIMATE
    assert leg.metres == pytest.approx(65, abs=1)


def test_the_same_place_twice_is_no_way_at_all():
    found = graph(road((0, 0), (300, 0))).matrix(places((100, 20), (100, 20)))

    assert found.metres.tolist() == found.seconds.tolist() == [[0, 0], [0, 0]]
    assert found.basis is Basis.ROADS


def test_without_any_road_every_leg_is_an_estimate():
    found = graph(mode=Mode.DRIVING).matrix(places((0, 0), (1000, 0)))

    assert (found.basis, found.far) == (Basis.ESTIMATE, ())
    assert found.metres[0, 1] == pytest.approx(1000 * DETOUR[Mode.DRIVING], rel=2e-3)
    assert found.seconds[0, 1] == pytest.approx(found.metres[0, 1] / (ESTIMATED_KMH[Mode.DRIVING] / 3.6))


def test_a_leg_is_drawn_along_the_roads_that_it_takes():
    made = graph(road((0, 0), (100, 0), (100, 100), (200, 100)))

    (leg,) = made.legs(places((20, 10), (180, 100)))

    assert [tuple(np.round((np.array(place) - at(0, 0)) / (EAST, NORTH)).astype(int)) for place in leg.coordinates] == [
        (20, 10), (20, 0), (100, 0), (100, 100), (180, 100)
    ]  # fmt: skip
    assert (leg.basis, leg.metres) == (Basis.ROADS, pytest.approx(10 + 80 + 100 + 80, abs=2))


def test_a_leg_without_roads_is_a_straight_line():
    made = graph(road((0, 0), (100, 0)), road((0, 800), (100, 800)))

    (apart,) = made.legs(places((0, 0), (0, 800)))
    (nowhere,) = graph().legs(places((0, 0), (0, 800)))

    for leg in (apart, nowhere):
        assert len(leg.coordinates) == 2
        assert leg.basis is Basis.ESTIMATE
        assert leg.metres == pytest.approx(1040, rel=2e-3)


def test_legs_and_matrix_tell_the_same_lengths():
    lines, _ = a_net(3)
    where = np.random.default_rng(5).uniform(0, 900, (6, 2))
    made = graph(*lines, mode=Mode.DRIVING)

    table, legs = made.matrix(places(*where)), made.legs(places(*where))

    for row, leg in enumerate(legs):
        assert leg.metres == math.ceil(table.metres[row, row + 1])
        assert leg.seconds == math.ceil(table.seconds[row, row + 1])


def a_net(seed, side=6):
    """A crooked grid with gaps, one-ways and steps; its corners, and what each piece allows: (from, to, class, way)."""
    random = np.random.default_rng(seed)
    corners = [(x, y) for x in range(side) for y in range(side)]
    spots = np.round(np.array(corners) * 180 + random.uniform(-50, 50, (len(corners), 2)), 1)
    lines, pieces = [], []
    for one, (x, y) in enumerate(corners):
        for beside in ((x + 1, y), (x, y + 1)):
            if beside not in corners or random.random() < 0.15:
                continue
            other = corners.index(beside)
            kind = RoadClass(random.choice([STREET] * 4 + [RoadClass.PRIMARY] * 4 + [STEPS, PATH]))
            direction = int(random.choice([0, 0, 0, 1, -1]))
            lines.append(road(spots[one], spots[other], kind=kind, direction=direction))
            pieces.append((one, other, kind, direction))
    return lines, (spots, pieces)


def floyd_warshall(spots, pieces, mode):
    """Seconds from every corner to every other: three loops, nothing in common with what is tested."""
    seconds = np.full((len(spots), len(spots)), np.inf)
    np.fill_diagonal(seconds, 0)
    for one, other, kind, direction in pieces:
        if kmh := KMH[mode].get(kind, 0):
            needed = math.dist(spots[one], spots[other]) / (kmh / 3.6)
            if mode is Mode.WALKING or direction >= 0:
                seconds[one, other] = needed
            if mode is Mode.WALKING or direction <= 0:
                seconds[other, one] = needed
    for middle in range(len(spots)):
        seconds = np.minimum(seconds, seconds[:, middle, None] + seconds[None, middle])
    return seconds


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seed", range(3))
def test_ways_are_as_quick_as_they_can_be(seed, mode):
    lines, (spots, pieces) = a_net(seed)
    used = sorted({end for one, other, kind, _ in pieces if kind in KMH[mode] for end in (one, other)})
    expected = floyd_warshall(spots, pieces, mode)[np.ix_(used, used)]

    found = graph(*lines, mode=mode).matrix(places(*spots[used]))

    reached = np.isfinite(expected)
    assert found.seconds[reached] == pytest.approx(expected[reached], rel=2e-3, abs=0.2)
    assert found.estimated == {tuple(pair) for pair in np.argwhere(~reached).tolist()}
    assert reached.sum() > 200


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("residential", STREET),
        (" Motorway_Link ", RoadClass.MOTORWAY),
        ("track_grade3", RoadClass.TRACK),
        ("footway", PATH),
        ("国道", RoadClass.TRUNK),
        ("steps", STEPS),
        ("gasse", STREET),
        ("railway", None),
        ("", None),
    ],
)
def test_words_for_classes(word, kind):
    assert class_of(word, {"gasse": STREET}) is kind


@pytest.mark.parametrize(
    ("word", "letters", "direction"),
    [
        ("", False, 0), ("no", False, 0), ("Yes", False, 1), ("-1", False, -1), ("1", False, 1), ("True", False, 1),
        ("F", True, 1), ("T", True, -1), ("B", True, 0), ("F", False, None), ("sometimes", True, None),
    ],
)  # fmt: skip
def test_words_for_one_way(word, letters, direction):
    assert direction_of(word, letters=letters) == direction


def test_a_report_says_in_numbers_and_in_sentences_what_became_of_a_file():
    report = RoadReport(
        read=3, taken=2, edges=4, nodes=5, metres=1234.5, parts=2, largest=0.6, crossings=1,
        rejected=(Remark(2, "Main", "is a Point, not a line"),), notes=("a note",),
    )  # fmt: skip

    assert report.as_json()["rejections"] == [{"row": 2, "code": "Main", "what": "is a Point, not a line"}]
    assert report.as_json()["km"] == 1.234
    text = "\n".join(report.lines())
    assert "rejected: row 2 Main: is a Point, not a line" in text
    assert "crossings without a common vertex: 1, taken as bridges" in text
    assert "dry run" not in text


def test_from_one_place_the_ways_are_as_long_as_those_of_all_pairs():
    lines = [
        *(road((0, north), (300, north), (600, north), (900, north)) for north in (0, 300, 600)),
        *(road((east, 0), (east, 300), (east, 600)) for east in (0, 300, 600, 900)),
    ]
    made = graph(*lines, mode=Mode.DRIVING)
    random = np.random.default_rng(2)
    spots = places((150, 0), (190, 0), *random.uniform((0, 0), (900, 600), (40, 2)).tolist())

    found = made.from_one(spots)

    # All streets are alike, so the quickest way is the shortest.
    told = made.matrix(spots)
    on_roads = [n for n in range(len(spots)) if n == 0 or (0, n) not in told.estimated]
    assert len(on_roads) > 30
    assert found[on_roads] == pytest.approx(told.metres[0][on_roads], abs=0.5)


def test_from_one_place_a_one_way_road_leads_round_the_block():
    block = [road((0, 0), (400, 0), direction=1), road((0, 0), (0, 200), (400, 200), (400, 0))]

    there, back = (graph(*block, mode=Mode.DRIVING).from_one(places(*ends)) for ends in (
        ((100, 0), (300, 0)), ((300, 0), (100, 0))))  # fmt: skip

    assert there[1] == pytest.approx(200, rel=1e-3)
    assert back[1] == pytest.approx(100 + 200 + 400 + 200 + 100, rel=1e-3)


def test_from_one_place_what_no_road_leads_to_is_not_known_and_the_next_door_is_straight():
    apart = graph(road((0, 0), (100, 0)), road((0, 900), (100, 900)), mode=Mode.DRIVING)

    found = apart.from_one(places((50, 40), (60, 40), (50, 880), (50, 9000)))

    assert found[:2] == pytest.approx([0, 10], abs=0.1)
    assert np.isnan(found[2:]).all()
    assert np.isnan(apart.from_one(places((50, 9000), (50, 0)))).all()
