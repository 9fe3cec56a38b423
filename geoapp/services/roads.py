"""The road network: brought in and taken away as a whole, and asked for the legs between places.

Roads are public ground: whoever may ask for a route may be told of every road, so no viewer narrows a question.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock as Mutex

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain import geometry as geo
from geoapp.domain import roadnet
from geoapp.domain.boundaries import Remark
from geoapp.domain.roadgraph import Graph, Leg, Network
from geoapp.domain.roadnet import RoadLine
from geoapp.domain.roads import Mode, RoadClass, RoadReport, class_of, direction_of
from geoapp.domain.routes import Matrix
from geoapp.domain.values import Box, Viewer
from geoapp.errors import BadFile
from geoapp.services import vectorfile
from geoapp.services.vectorfile import Feature
from geoapp.store import locks, roads, versions
from geoapp.store.locks import Lock
from geoapp.store.roads import NewEdge, Standing
from geoapp.store.session import bulk, snapshot, undone

__all__ = ["Leg", "Standing", "from_one", "import_file", "legs", "matrix", "remove", "standing", "store"]

AROUND_M = 1500.0
"""So far around the places a way may lead; more where they lie far apart."""
AROUND_SHARE = 0.3
CELL = 0.02
"""Degrees: boxes end on such lines, so that questions about one town share one graph."""
KEPT = 8
Point = tuple[float, float]


def import_file(
    viewer: Viewer,
    file: Path,
    *,
    kind: str | None = None,
    oneway: str | None = None,
    name: str | None = None,
    crs: str | None = None,
    words: Mapping[str, RoadClass] | None = None,
    node_crossings: bool = False,
    origin: str = "",
    dry_run: bool = False,
) -> RoadReport:
    """Read a file of lines and store it in place of the network that is there.

    ``kind``, ``oneway`` and ``name`` are field names; without a class every line is a street. A bad row is rejected
    and told. Raises BadFile for a file or field that is not there, and when no row is good: then nothing is replaced.
    """
    found = vectorfile.read(file, crs=crs)
    for column in filter(None, (kind, oneway, name)):
        if column not in found.fields:
            raise BadFile(file.name, f"has no field {column!r}; it has {', '.join(found.fields)}")
    gathered = _gather(found.features, _Fields(kind, oneway, name, words or {}, _has_letters(found.features, oneway)))
    if not gathered.lines:
        first = gathered.rejected[0]
        raise BadFile(file.name, f"no row is a road; row {first.row}: {first.what}")
    report = store(viewer, gathered.lines, node_crossings=node_crossings, origin=origin or file.name, dry_run=dry_run)
    return replace(
        report,
        read=len(found.features),
        rejected=tuple(gathered.rejected),
        notes=(*found.notes, *report.notes),
        crs=found.crs,
    )


def store(
    viewer: Viewer,  # noqa: ARG001 - whoever holds the command line may
    lines: Sequence[RoadLine],
    *,
    node_crossings: bool = False,
    origin: str,
    synthetic: bool = False,
    dry_run: bool = False,
) -> RoadReport:
    """Make a network of lines and store it in place of the one that is there, in one transaction."""
    crossed = roadnet.crossings(lines)
    edges = roadnet.noded(roadnet.joined(lines, crossed) if node_crossings else lines)
    new = [_edge(edge) for edge in edges]
    with undone() if dry_run else bulk() as db:
        locks.alone(db, Lock.ROADS)
        replaced = roads.put(db, new, origin=origin, synthetic=synthetic)
        versions.bump(db, "roads")
    shape = roadnet.shape_of(edges)
    return RoadReport(
        read=len(lines),
        taken=len(lines),
        edges=len(new),
        nodes=shape.nodes,
        metres=sum(edge.metres for edge in new),
        parts=shape.parts,
        largest=shape.largest,
        crossings=len({place for places in crossed.values() for place in places}),
        joined=node_crossings,
        replaced=replaced,
        dry_run=dry_run,
    )


def remove(viewer: Viewer) -> int:  # noqa: ARG001 - whoever holds the command line may
    """Take the network away; returns how many edges it had. Distances are estimates from then on."""
    with bulk() as db:
        locks.alone(db, Lock.ROADS)
        gone = roads.remove(db)
        versions.bump(db, "roads")
    return gone


def standing() -> Standing:
    with snapshot() as db:
        return roads.standing(db)


def matrix(points: Sequence[Point], *, mode: Mode) -> Matrix:
    """Metres and seconds of every leg between these places (lon, lat): the start, the stops in their order, the end.

    Along the roads where a network leads there, else estimated; ``basis``, ``estimated`` and ``far`` say which.
    """
    return _graph(points, mode).matrix(np.array(points, dtype=float).reshape(-1, 2))


def legs(points: Sequence[Point], *, mode: Mode) -> list[Leg]:
    """The ways from each of these places to the next, with their lines, to be drawn."""
    return _graph(points, mode).legs(np.array(points, dtype=float).reshape(-1, 2))


def from_one(points: Sequence[Point], *, mode: Mode) -> NDArray[np.float64] | None:
    """Metres of the shortest way from the first of these places (lon, lat) to each, NaN where no road leads there.

    None where no network is loaded around them.
    """
    graph = _graph(points, mode)
    return graph.from_one(np.array(points, dtype=float).reshape(-1, 2)) if len(graph.lines) else None


# --- reading a file ---


@dataclass(frozen=True, slots=True)
class _Fields:
    kind: str | None
    oneway: str | None
    name: str | None
    words: Mapping[str, RoadClass]
    letters: bool


@dataclass(slots=True)
class _Gathered:
    lines: list[RoadLine] = field(default_factory=list)
    rejected: list[Remark] = field(default_factory=list)


def _gather(features: Sequence[Feature], fields: _Fields) -> _Gathered:
    told = _Gathered()
    for feature in features:
        found = _read(feature, fields)
        if isinstance(found, str):
            told.rejected.append(Remark(feature.row, _text(feature, fields.name), found))
        else:
            told.lines += found
    return told


def _read(feature: Feature, fields: _Fields) -> list[RoadLine] | str:
    """The lines of a row, or what is wrong with it."""
    if feature.geometry is None:
        return feature.problem
    if feature.geometry.geom_type not in {"LineString", "MultiLineString"}:
        return f"is a {feature.geometry.geom_type}, not a line"
    word = _text(feature, fields.kind)
    kind = class_of(word, fields.words) if fields.kind else RoadClass.STREET
    if kind is None:
        return (
            f"class {word!r} is not known; say what it is with --as {word or 'WORD'}=CLASS, of {', '.join(RoadClass)}"
        )
    way = _text(feature, fields.oneway)
    direction = direction_of(way, letters=fields.letters)
    if direction is None:
        return f"one-way {way!r} is not known; use yes, no or -1, or F, T and B"
    parts = shapely.get_parts(feature.geometry)
    lines = [roadnet.line_of(part, kind, direction=direction, name=_text(feature, fields.name)) for part in parts]
    return [line for line in lines if line is not None] or "has no length"


def _has_letters(features: Sequence[Feature], oneway: str | None) -> bool:
    """Does the file say B for both ways? Then its F and T are directions, not false and true."""
    return any(_text(feature, oneway).lower() == "b" for feature in features)


def _text(feature: Feature, column: str | None) -> str:
    value = feature.properties.get(column) if column else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _edge(edge: RoadLine) -> NewEdge:
    line = shapely.LineString(edge.coordinates)
    return NewEdge(shapely.to_wkb(line), edge.kind, edge.oneway, edge.name, geo.geodesic_length_m(line))


# --- asking ---


def _graph(points: Sequence[Point], mode: Mode) -> Graph:
    """The network around these places, of the newest version; made once for a town and kept by this process."""
    box = _around(points)
    with snapshot() as db:
        key = (roads.stamp(db), mode, box)
        if (held := _graphs.get(key)) is None:
            held = Graph(_network(roads.within(db, box)), mode)
            _graphs.put(key, held)
    return held


def _network(edges: Sequence[roads.Edge]) -> Network:
    return Network(
        lines=shapely.from_wkb(np.array([edge.line for edge in edges], dtype=object)),
        kinds=[edge.kind for edge in edges],
        oneway=np.array([edge.oneway for edge in edges], dtype=bool),
        metres=np.array([edge.metres for edge in edges], dtype=float),
    )


def _around(points: Sequence[Point]) -> Box:
    lon, lat = np.array(points, dtype=float).reshape(-1, 2).T
    north = AROUND_M / 111_000
    east = north / max(np.cos(np.radians(np.abs(lat).max())), 0.05)
    wide = max(east, AROUND_SHARE * np.ptp(lon))
    high = max(north, AROUND_SHARE * np.ptp(lat))
    west, south = (np.floor((low - pad) / CELL) * CELL for low, pad in ((lon.min(), wide), (lat.min(), high)))
    right, top = (np.ceil((most + pad) / CELL) * CELL for most, pad in ((lon.max(), wide), (lat.max(), high)))
    return Box(*(round(float(side), 6) for side in (west, south, right, top)))


class _Kept:
    """The graphs that were asked last; a key names the state of the roads, so none is ever wrong."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[object, ...], Graph] = OrderedDict()
        self._lock = Mutex()

    def get(self, key: tuple[object, ...]) -> Graph | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: tuple[object, ...], graph: Graph) -> None:
        with self._lock:
            self._held[key] = graph
            while len(self._held) > KEPT:
                self._held.popitem(last=False)


_graphs = _Kept()
