"""What residents send is looked at first; floods are counted; land can be closed to reports (TRUST T41)."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from PIL import Image
from sqlalchemy import text

from geoapp.domain.abuse import Sender
from geoapp.domain.reports import Reporter, Submission, fresh_id, fresh_key
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, Point, Role, Source, Viewer
from geoapp.errors import BadFile, BadInput, NotFound, NotYours, Refused, TooMany
from geoapp.services import clocks, moderation, own, photos, reports
from geoapp.services.reports import Limits
from geoapp.store import session
from tests.builders import CENTRE, a_category, a_place, an_issue, square, store

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
NETWORK = Limits(Sender("10.0.0.0/24"), 6)
HERE = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),))
THERE = Viewer((Grant(Role.COMMUNITY, frozenset({"C2"})),))
STEWARD = Viewer((Grant(Role.STEWARD, frozenset({"C1"})),))


@pytest.fixture
def calendar(settings):
    return clocks.read_calendar(settings.calendar_file, ZONE)


@pytest.fixture
def report(clean, calendar):  # noqa: ARG001 - a clean database
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.70, 29.02))

    def send(limits=NETWORK, viewer=ANONYMOUS, now=NOW, **change):
        known = Submission(fresh_id(now), "road", far(), Reporter(fresh_key()), text="The kerb is broken here")
        told = replace(known, **change)
        return reports.submit(viewer, told, prefix="QJ", now=now, calendar=calendar, limits=limits)

    return send


_steps = iter(range(10_000))


def far():
    """A place in a cell of its own."""
    return Point(106.641 + 0.0026 * (next(_steps) % 6), 29.021 + 0.0026 * (next(_steps) % 6))


def test_a_network_may_send_so_many_an_hour_and_then_is_told_how_long_to_wait(report):
    for _ in range(6):
        report()

    with pytest.raises(TooMany) as refusal:
        report()
    assert 3500 < refusal.value.seconds <= 3600
    report(Limits(Sender("10.0.1.0/24"), 6))
    report(now=NOW + timedelta(minutes=61))


def test_the_limit_holds_however_many_send_at_once(report):
    def one(_):
        try:
            report()
        except TooMany:
            return 0
        return 1

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(one, range(30))) == 6


def test_the_same_report_sent_again_is_answered_and_not_counted(report, calendar):
    told = Submission(UUID(int=1 << 100), "road", CENTRE, Reporter("k" * 30))
    for _ in range(20):
        done = reports.submit(ANONYMOUS, told, prefix="QJ", now=NOW, calendar=calendar, limits=NETWORK)
    assert done.replayed
    for _ in range(5):
        report()


def test_what_is_refused_does_not_count(report):
    for _ in range(20):
        with pytest.raises(BadInput):
            report(category="nothing")
    for _ in range(6):
        report()


@pytest.mark.parametrize(
    ("limits", "change"),
    [
        (Limits(Sender("", "phone"), 1000), {}),
        (Limits(Sender(""), 1000), {"reporter": Reporter("k" * 30, contact="13800138000")}),
    ],
)
def test_a_phone_and_a_contact_may_send_five_in_a_quarter_of_an_hour(report, limits, change):
    for _ in range(5):
        report(limits, **change)

    with pytest.raises(TooMany) as refusal:
        report(limits, **change)
    assert refusal.value.seconds <= 900


def test_one_place_takes_thirty_an_hour_from_whomever(report):
    for nth in range(30):
        report(Limits(Sender(f"10.0.{nth}.0/24"), 6), point=CENTRE)

    with pytest.raises(TooMany):
        report(Limits(Sender("10.9.0.0/24"), 6), point=CENTRE)


def test_staff_is_neither_counted_nor_held(report):
    for _ in range(20):
        report(viewer=STEWARD)
    assert moderation.waiting(HERE)[0][0].spam == 0


def test_a_crowd_of_the_same_words_in_one_place_looks_suspicious(report):
    for _ in range(6):
        report(Limits(Sender(), 1000), point=CENTRE)

    last = max(moderation.waiting(HERE)[0], key=lambda one: one.spam)
    assert last.spam >= 50
    assert set(last.reasons) >= {"repeated", "crowd"}


def test_what_is_imported_is_no_crowd_and_makes_nobody_suspicious(report):
    words = "The kerb is broken here"
    of_a_city = {"source": Source.IMPORT, "reported_at": NOW, "updated_at": NOW, "title": words, "text": words}
    store(*(an_issue(str(nth), **of_a_city) for nth in range(9)))

    report(point=CENTRE)

    (found,), _ = moderation.waiting(HERE)
    assert not {"repeated", "crowd"} & set(found.reasons)


def test_where_reports_are_blocked_the_public_is_told_why_and_staff_may_report(report):
    zone = moderation.block(OPERATOR, shapely.to_wkb(square(106.64, 29.02)), "A flood of jokes", date(2026, 11, 20))

    with pytest.raises(Refused) as refusal:
        report()
    assert (refusal.value.reason, refusal.value.params["why"]) == ("blocked_zone", "A flood of jokes")
    report(viewer=STEWARD)
    report(now=NOW + timedelta(days=1))
    assert [one.id for one in moderation.zones(OPERATOR)] == [zone]
    moderation.unblock(OPERATOR, zone)
    report()
    with pytest.raises(NotFound):
        moderation.unblock(OPERATOR, zone)


def test_only_who_looks_after_people_blocks_land_and_only_an_area_can_be_blocked(report, tmp_path):  # noqa: ARG001
    area = shapely.to_wkb(square(106.64, 29.02))
    for viewer in (ANONYMOUS, HERE):
        with pytest.raises(NotYours):
            moderation.block(viewer, area, "", None)
        with pytest.raises(NotYours):
            moderation.zones(viewer)
    for wrong in (shapely.Point(1, 1), shapely.Polygon()):
        with pytest.raises(BadInput):
            moderation.block(OPERATOR, shapely.to_wkb(wrong), "", None)
    file = tmp_path / "zone.geojson"
    file.write_text('{"type":"Feature","properties":{},"geometry":' + shapely.to_geojson(square(106.64, 29.02)) + "}")
    assert len(moderation.block_file(OPERATOR, file, "", None)) == 1
    file.write_text('{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,1]}}')
    with pytest.raises(BadFile):
        moderation.block_file(OPERATOR, file, "", None)


def test_each_community_looks_at_its_own_and_nobody_decides_twice(report):
    done = report()

    (found,), total = moderation.waiting(HERE)
    assert (found.number, found.text, total) == (done.number, "The kerb is broken here", 1)
    assert moderation.waiting(THERE) == ([], 0)
    for viewer in (STEWARD, ANONYMOUS):
        with pytest.raises(NotYours):
            moderation.waiting(viewer)
        assert moderation.count(viewer) == 0
    with pytest.raises(NotYours):
        moderation.decide(THERE, done.number, found.id, release=True, now=NOW, zone=ZONE)
    moderation.decide(HERE, done.number, found.id, release=True, now=NOW, zone=ZONE)
    with pytest.raises(Refused):
        moderation.decide(HERE, done.number, found.id, release=False, now=NOW, zone=ZONE)


def plate() -> bytes:
    noise = np.random.default_rng(7).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", quality=95)
    return out.getvalue()


def test_what_is_made_unrecognisable_is_so_in_every_size_and_staff_keep_the_original(report, tmp_path):
    key = fresh_key()
    done = report(reporter=Reporter(key))
    photo = own.add_photo(
        done.id, done.id, key, plate(), id=UUID(int=5), caption="", folder=tmp_path, now=NOW, zone=ZONE
    ).photo
    boxes = [(0.25, 0.25, 0.5, 0.5)]
    photos.redact(OPERATOR, done.number, photo.id, boxes, folder=tmp_path, now=NOW, zone=ZONE)
    photos.release(OPERATOR, done.number, photo.id, now=NOW, zone=ZONE)

    def pixels(size, viewer=ANONYMOUS):
        file, _ = photos.file_of(viewer, done.number, photo.id, size, folder=tmp_path, zone=ZONE)
        return np.asarray(Image.open(file).convert("L"), dtype=float)

    shown, original = pixels("large"), pixels("original", OPERATOR)
    inside, outside = (slice(90, 210), slice(120, 280)), (slice(0, 60), slice(0, 400))
    assert np.unique((shown[inside] / 8).round()).size < 0.5 * np.unique((original[inside] / 8).round()).size
    assert shown[inside].std() < 0.45 * original[inside].std()
    assert pixels("small")[inside].std() < 0.45 * original[inside].std()
    assert abs(shown[outside] - original[outside]).mean() < 12
    with pytest.raises(NotFound):
        pixels("original")
    photos.redact(OPERATOR, done.number, photo.id, [], folder=tmp_path, now=NOW, zone=ZONE)
    assert abs(pixels("large") - original).max() == 0
    assert photos.sweep(tmp_path, now=NOW + timedelta(days=400)) > 0


@pytest.mark.parametrize(
    "boxes", [[(0.5, 0.5, 0, 0.1)], [(-0.1, 0, 0.5, 0.5)], [(1, 0, 0.1, 0.1)], [(0, 0, 1, 1)] * 41]
)
def test_rectangles_that_cannot_be_are_refused(report, boxes):
    done = report()

    with pytest.raises(BadInput):
        photos.redact(OPERATOR, done.number, UUID(int=5), boxes, folder=None, now=NOW, zone=ZONE)


def test_the_queue_survives_a_photo_that_is_released_at_the_desk(report, tmp_path):
    key = fresh_key()
    done = report(reporter=Reporter(key), text="")
    own.add_photo(done.id, done.id, key, plate(), id=UUID(int=5), caption="", folder=tmp_path, now=NOW, zone=ZONE)
    waited = moderation.count(HERE)
    photos.release(HERE, done.number, UUID(int=5), now=NOW, zone=ZONE)

    assert (waited, moderation.count(HERE)) == (1, 0)
    with session.snapshot() as db:
        assert db.execute(text("SELECT released FROM review")).scalar_one() is True
