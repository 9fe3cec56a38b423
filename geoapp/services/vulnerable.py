"""Vulnerable places (弱势场所): schools, clinics, homes for the aged, kept so that a defect near one weighs more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from geoapp.domain.agenda import Kind
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Name, Point, Viewer
from geoapp.errors import BadFile, BadInput, NotYours
from geoapp.services import vectorfile
from geoapp.services.lists import point_wkb
from geoapp.store import agendas
from geoapp.store.session import transaction

__all__ = ["Kind", "Spot", "import_file", "store"]


@dataclass(frozen=True, slots=True)
class Spot:
    name: Name
    point: Point


def store(viewer: Viewer, kind: Kind, spots: Sequence[Spot], *, origin: str, synthetic: bool = False) -> int:
    """Put these in the place of all of their kind; returns how many. Raises NotYours."""
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    rows = [(one.name.zh, one.name.en, point_wkb(one.point)) for one in spots]
    with transaction() as db:
        agendas.replace_sensitive(db, kind, rows, origin=origin, synthetic=synthetic)
    return len(rows)


def import_file(
    viewer: Viewer, file: Path, *, kind: str, name: str, name_en: str = "", crs: str | None = None, origin: str = ""
) -> int:
    """Read a file of shapes, one place each; an area counts as a point of it. The file replaces all of its kind.

    ``name`` and ``name_en`` are fields of the file. Raises BadInput for an unknown kind; BadFile for a field that
    is not there and for a feature without a sound geometry: then nothing has changed.
    """
    if kind not in set(Kind):
        raise BadInput("kind", "one_of", value=kind[:20], choices=", ".join(Kind))
    found = vectorfile.read(file, crs=crs)
    for field in filter(None, (name, name_en)):
        if field not in found.fields:
            raise BadFile(file.name, f"has no field {field!r}; there are {', '.join(found.fields)}")
    spots = []
    for one in found.features:
        if one.geometry is None or one.geometry.is_empty:
            raise BadFile(file.name, f"feature {one.row}: {one.problem or 'has no geometry'}")
        lon, lat = shapely.point_on_surface(one.geometry).coords[0][:2]
        words = [str(one.properties.get(field) or "") if field else "" for field in (name, name_en)]
        spots.append(Spot(Name(words[0], words[1]), Point(lon, lat)))
    return store(viewer, Kind(kind), spots, origin=origin or file.name)
