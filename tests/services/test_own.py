"""One's own report, by its key: added to, corrected, rated, taken back, carried away and erased."""

import io
import json
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from sqlalchemy import text

from geoapp.domain.abuse import Sender
from geoapp.domain.editing import Facts
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import ANONYMOUS, OPERATOR, IssueState, Score
from geoapp.domain.workflow import Given
from geoapp.errors import BadInput, NotFound, Refused, TooMany
from geoapp.services import audit, clocks, issues, moderation, own, reports, snapshots, triage
from geoapp.services.reports import Limits
from geoapp.store import session
from tests.builders import CENTRE, a_category, a_jurisdiction, a_place, square

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KEY, OTHER = "0123456789abcdefghijklmnop", "zyxwvutsrqponmlkjihgfedcba"
ID, TWO = UUID(int=1 << 100), UUID(int=2 << 100)
PHOTO = UUID(int=8)
CANARIES = (
    "CANARY-NAME",
    "13800138000",
    "CANARY-TITLE",
    "CANARY-TEXT",
    "CANARY-REMARK",
    "CANARY-REASON",
    "CANARY-GATE",
)
TOLD = Submission(
    ID, "road", CENTRE, Reporter(KEY, "CANARY-NAME", "13800138000"), title="CANARY-TITLE", text="CANARY-TEXT",
    address="CANARY-GATE",
)  # fmt: skip


@pytest.fixture
def calendar(settings):
    return clocks.read_calendar(settings.calendar_file, ZONE)


@pytest.fixture
def mine(clean, calendar, tmp_path):  # noqa: ARG001 - a clean database
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    return Mine(calendar, tmp_path / "photos")


class Mine:
    """Somebody's report, and what its holder and staff do."""

    def __init__(self, calendar, folder):
        self.calendar, self.folder = calendar, folder
        self.number = reports.submit(ANONYMOUS, TOLD, prefix="QJ", now=NOW, calendar=calendar).number

    def read(self, key=KEY, report=ID):
        return own.read(ID, report, key)

    def witness(self):
        reports.witness(ANONYMOUS, self.number, TWO, Reporter(OTHER), now=NOW, calendar=self.calendar)

    def remark(self, said="CANARY-REMARK", **how):
        own.remark(ID, ID, KEY, said, id=UUID(int=7), now=NOW, zone=ZONE, **how)

    def photo(self, raw=None, photo=PHOTO, **how):
        return own.add_photo(
            ID, ID, KEY, raw or picture(), id=photo, caption="", folder=self.folder, now=NOW, zone=ZONE, **how
        )

    def correct(self, key=KEY, report=ID, **change):
        own.correct(ID, report, key, Facts(**change), now=NOW, calendar=self.calendar)

    def rate(self, score, reason="", *, now=NOW, key=KEY, report=ID):
        return own.rate(ID, report, key, score, reason, now=now, calendar=self.calendar)

    def withdraw(self, key=KEY, report=ID):
        return own.withdraw(ID, report, key, now=NOW, calendar=self.calendar)

    def erase(self):
        own.erase(ID, ID, KEY, folder=self.folder, now=NOW, zone=ZONE)

    def close(self):
        with session.transaction() as db:
            db.execute(text("UPDATE issue SET state = 'done', ended_at = NULL"))
        version = issues.get(OPERATOR, self.number, zone=ZONE).detail.row.version
        triage.act(OPERATOR, self.number, "close", Given(), version=version, now=NOW, calendar=self.calendar)

    def public(self):
        return issues.get(ANONYMOUS, self.number, zone=ZONE)

    def decide(self, *, release=True):
        for one in moderation.waiting(OPERATOR)[0]:
            moderation.decide(OPERATOR, one.number, one.id, release=release, now=NOW, zone=ZONE)


def picture(colour="red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


def test_only_whoever_holds_the_key_sees_a_report(mine):
    assert mine.read().name == "CANARY-NAME"
    for key, report in ((OTHER, ID), ("", ID), (KEY, TWO)):
        with pytest.raises(NotFound):
            mine.read(key, report)


def test_a_witness_sees_their_own_and_not_the_words_of_others(mine):
    mine.witness()

    seen = mine.read(OTHER, TWO)
    assert seen.witness
    assert not any(canary in repr(seen) for canary in CANARIES)
    with pytest.raises(Refused):
        mine.correct(OTHER, TWO, text="mine now")


def test_what_is_added_is_public_only_after_a_review_and_the_same_twice_is_once(mine):
    for _ in range(2):
        mine.remark()
        mine.photo()
    before = mine.public()
    mine.decide()
    after = mine.public()

    assert (before.remarks, before.photos, before.detail.text) == ((), (), "")
    assert [one.text for one in after.remarks] == ["CANARY-REMARK"]
    assert len(after.photos) == 1
    assert after.detail.text == "CANARY-TEXT"
    assert moderation.count(OPERATOR) == 0
    assert audit.verify(OPERATOR).breaks == ()


def test_what_is_withheld_stays_between_its_author_and_staff(mine):
    mine.remark()
    mine.photo()
    mine.decide(release=False)

    seen = mine.public()
    assert (seen.remarks, seen.photos, seen.detail.text) == ((), (), "")
    assert mine.read().text == "CANARY-TEXT"


def test_corrected_words_wait_for_a_review_again_and_staff_keep_what_was_before(mine):
    mine.decide()
    mine.correct(text="There is a hole")
    hidden = mine.public().detail.text
    mine.decide()

    assert hidden == ""
    assert mine.public().detail.text == "There is a hole"
    with session.snapshot() as db:
        assert db.execute(text("SELECT before FROM revision WHERE field = 'text'")).scalar_one() == "CANARY-TEXT"


def test_a_category_may_release_words_at_once_but_never_photos_or_what_looks_like_spam(mine, calendar):
    with session.transaction() as db:
        db.execute(text("UPDATE category SET release = 'at_once'"))
    fine = reports.submit(
        ANONYMOUS, replace(TOLD, id=TWO, title="", text="The lamp is out"), prefix="QJ", now=NOW, calendar=calendar
    )
    spam = reports.submit(
        ANONYMOUS, replace(TOLD, id=UUID(int=3 << 100), text="http://buy.example"), prefix="QJ", now=NOW,
        calendar=calendar,
    )  # fmt: skip
    own.add_photo(TWO, TWO, KEY, picture(), id=UUID(int=9), caption="", folder=mine.folder, now=NOW, zone=ZONE)

    seen = issues.get(ANONYMOUS, fine.number, zone=ZONE)
    assert (seen.detail.text, seen.photos) == ("The lamp is out", ())
    assert issues.get(ANONYMOUS, spam.number, zone=ZONE).detail.text == ""
    found = {one.number: one for one in moderation.waiting(OPERATOR)[0]}
    assert found[spam.number].spam >= 50
    assert "link" in found[spam.number].reasons


def test_a_report_taken_back_ends_the_issue_only_when_nobody_else_needs_it(mine):
    mine.witness()
    went_on = mine.withdraw()

    assert not went_on
    assert mine.public().detail.row.state is IssueState.REPORTED
    assert mine.public().detail.witnesses == 1
    assert not mine.withdraw(OTHER, TWO)
    assert mine.public().detail.witnesses == 0
    with pytest.raises(Refused):
        mine.withdraw()


def test_a_report_that_nobody_took_up_ends_with_its_reporter(mine):
    assert mine.withdraw()
    assert mine.public().detail.row.state is IssueState.REFUSED
    with pytest.raises(Refused):
        mine.remark()


def test_not_solved_reopens_and_the_answers_are_public_with_their_number(mine):
    with pytest.raises(Refused):
        mine.rate("solved")
    mine.witness()
    mine.close()
    partly = mine.rate("partly", "CANARY-REASON", key=OTHER, report=TWO)
    reopened = mine.rate("not", "It leaks again")

    seen = mine.public()
    assert (partly, reopened) == (False, True)
    assert seen.detail.row.state is IssueState.REOPENED
    assert seen.ratings.counts == {Score.PARTLY: 1, Score.NOT: 1}
    assert seen.ratings.reasons == ()
    mine.decide()
    assert set(mine.public().ratings.reasons) == {"CANARY-REASON", "It leaks again"}
    assert audit.verify(OPERATOR).breaks == ()


def test_an_answer_may_be_changed_and_counts_once(mine):
    mine.close()
    mine.rate("solved")
    mine.rate("partly", "Half of it")

    assert mine.public().ratings.counts == {Score.PARTLY: 1}
    assert mine.read().rating.score is Score.PARTLY


def test_long_after_its_end_an_unhappy_answer_is_kept_and_reopens_nothing(mine):
    mine.close()

    assert not mine.rate("not", "Broken again", now=NOW + timedelta(days=31))
    assert mine.public().detail.row.state is IssueState.CLOSED


@pytest.mark.parametrize(
    ("score", "reason", "field"),
    [
        ("great", "", "score"),
        ("not", "  ", "reason"),
        ("partly", "", "reason"),
        ("solved", "x" * 1001, "reason"),
        ("solved", "a\x00", "reason"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_its_field(mine, score, reason, field):
    mine.close()

    with pytest.raises(BadInput) as refusal:
        mine.rate(score, reason)
    assert refusal.value.field == field


def test_all_that_is_kept_can_be_carried_away(mine):
    mine.photo()
    mine.remark()

    packed = own.export(ID, ID, KEY, folder=mine.folder, describe=lambda found: {"text": found.text})
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert opened.namelist() == ["report.json", "photo-1.jpg"]
        assert json.loads(opened.read("report.json")) == {"text": "CANARY-TEXT"}
        assert Image.open(io.BytesIO(opened.read("photo-1.jpg"))).size == (64, 48)


def dump(url):
    told = subprocess.run(["pg_dump", "--data-only", "--dbname", url], capture_output=True, check=True, text=True)
    return told.stdout


def test_after_deleting_one_s_data_no_word_of_it_is_left_anywhere(mine, db_url):
    mine.photo()
    mine.remark()
    mine.correct(text="CANARY-TEXT twice")
    mine.close()
    mine.rate("partly", "CANARY-REASON")
    mine.decide()
    files = list(mine.folder.rglob("*.jpg"))
    full, known = dump(db_url), snapshots.data_version()
    mine.erase()
    left = dump(db_url)

    assert all(canary in full for canary in CANARIES)
    assert [canary for canary in CANARIES if canary in left] == []
    assert snapshots.data_version() != known
    assert files
    assert list(mine.folder.rglob("*.jpg")) == []
    with pytest.raises(NotFound):
        mine.read()
    seen = mine.public()
    assert seen.detail.row.title in {"道路", "Roads"}
    assert seen.detail.row.state is IssueState.CLOSED
    assert seen.ratings.counts == {Score.PARTLY: 1}
    assert audit.verify(OPERATOR).breaks == ()


def test_reporters_are_forgotten_when_their_time_is_over_and_what_the_public_reads_stays(mine, db_url):
    mine.photo(photo=UUID(int=8))
    mine.remark("PUBLIC-REMARK")
    mine.decide()
    mine.close()
    mine.rate("partly", "CANARY-REASON")
    early = own.purge(mine.folder, now=NOW + timedelta(days=179), after=timedelta(days=180))
    late = own.purge(mine.folder, now=NOW + timedelta(days=181), after=timedelta(days=180))

    left = dump(db_url)
    assert (early, late) == (0, 1)
    assert [canary for canary in ("CANARY-NAME", "13800138000", "CANARY-REASON") if canary in left] == []
    seen = mine.public()
    assert seen.detail.text == "CANARY-TEXT"
    assert [one.text for one in seen.remarks] == ["PUBLIC-REMARK"]
    assert len(seen.photos) == 1
    assert own.purge(mine.folder, now=NOW + timedelta(days=400), after=timedelta(days=180)) == 0


def test_what_was_never_released_goes_with_the_reporter(mine, db_url):
    mine.photo()
    mine.remark()
    mine.close()
    own.purge(mine.folder, now=NOW + timedelta(days=181), after=timedelta(days=180))

    assert [canary for canary in CANARIES if canary in dump(db_url)] == []
    assert moderation.count(OPERATOR) == 0


@pytest.mark.parametrize("said", ["", "  ", "x" * 2001, "a\x07b"])
def test_a_remark_that_cannot_be_is_refused_and_nothing_is_stored(mine, said):
    with pytest.raises(BadInput):
        mine.remark(said)
    assert mine.read().remarks == ()


def test_so_many_photos_and_no_more(mine):
    for nth in range(own.MOST_PHOTOS):
        mine.photo(picture((nth * 20, 0, 0)), UUID(int=100 + nth))

    with pytest.raises(BadInput) as refusal:
        mine.photo(picture("blue"), UUID(int=200))
    assert refusal.value.field == "photo"
    assert len(mine.read().photos) == own.MOST_PHOTOS


@pytest.mark.usefixtures("mine")
def test_what_is_added_counts_against_the_network():
    few = Limits(Sender("10.0.0.0/24"), 1)
    for nth in range(10):
        own.remark(ID, ID, KEY, f"word {nth}", id=UUID(int=50 + nth), now=NOW, zone=ZONE, limits=few)

    with pytest.raises(TooMany) as refusal:
        own.remark(ID, ID, KEY, "one more", id=UUID(int=99), now=NOW, zone=ZONE, limits=few)
    assert 0 < refusal.value.seconds <= 3600
