"""Searching: what is found, what never is, and that the database cuts texts as the domain does."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import text

from geoapp.domain import bigrams
from geoapp.domain.values import ANONYMOUS, OPERATOR, IssueFilter, Name, Point, Privacy
from geoapp.services import issues
from geoapp.store import session
from tests.builders import a_category, a_place, an_issue, square, store

pytestmark = pytest.mark.usefixtures("app")
ZONE = ZoneInfo("Asia/Shanghai")
CORPUS = [
    "沱湾社区3号楼，路灯不亮；下雨天更严重。",
    "Broken side-walk near gate 3",
    "ＬＥＤ　ＱＪ－２０２６－０００１２３",
    "100%_\\'\"",
    "🔥🚒👨\u200d👩\u200d👧❤️",
    "①㎡½ﬁ ﾊﾟ",
    "二〇二六年々〆",
    "É café ЖУК ß İ",
    "x" * 2500,
    "y" * 200 + "x" * 200 + "-z",
    "臺灣街道 台湾",
    "\u3000\u2028\u00a0tab\tline\nend",
    "Ａ区a区",
    "・中·点・",
]


def found(words, viewer=ANONYMOUS):
    wanted = IssueFilter(words=words)
    return {row.title for row in issues.search(viewer, wanted, zone=ZONE, limit=100).rows}


@pytest.fixture
def told(app):
    """Issues that differ in one thing each."""
    a_category()
    a_category("light", "路灯照明", "Street lighting")
    a_place("A", square(106.64, 29.02), name=Name("沱湾社区", "Tuowan"))
    far = Point(106.90, 29.20)
    store(
        an_issue("1", title="人行道破损", text="在学校门口", point=far),
        an_issue("2", title="Broken sidewalk", text="100% gone_now", point=far),
        an_issue("3", title="垃圾堆放", text="老树旁", address="文龙路12号", point=far),
        an_issue("4", title="井盖缺失", text="没有"),
        an_issue("5", title="灯不亮", text="🔥 起火", category="light", point=far),
    )
    return app


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("破损", {"人行道破损"}),
        ("树", {"垃圾堆放"}),
        ("旁", {"垃圾堆放"}),
        ("人行道破", {"人行道破损"}),
        ("道人行", set()),
        ("side", {"Broken sidewalk"}),
        ("SIDEWALK broken", {"Broken sidewalk"}),
        ("ｂｒｏｋｅｎ", {"Broken sidewalk"}),
        ("walk", set()),
        ("100%", {"Broken sidewalk"}),
        ("100_", set()),
        ("gone_now", {"Broken sidewalk"}),
        ("gone%now", set()),
        ("%", set()),
        ("_", set()),
        ("' OR 1=1 --", set()),
        ("🔥", {"灯不亮"}),
        ("文龙路12", {"垃圾堆放"}),
        ("文龙 垃圾", {"垃圾堆放"}),
        ("文龙，破损", set()),
        ("沱湾", {"井盖缺失"}),
        ("tuowan", {"井盖缺失"}),
        ("照明", {"灯不亮"}),
        ("street lighting", {"灯不亮"}),
        ("000002", {"Broken sidewalk"}),
        ("2", {"Broken sidewalk", "人行道破损", "垃圾堆放", "井盖缺失", "灯不亮"}),
        ("qj-2026-000002", {"Broken sidewalk"}),
        ("qj-2026-00000", {"Broken sidewalk", "人行道破损", "垃圾堆放", "井盖缺失", "灯不亮"}),
        ("qj-20-000002", set()),
        ("路12号", {"垃圾堆放"}),
        ("号", {"垃圾堆放"}),
    ],
)
def test_a_search_finds_number_words_address_community_and_category(words, expected):
    assert found(words) == expected


@pytest.mark.usefixtures("told")
def test_a_number_is_found_by_its_last_part_as_people_tell_it():
    with session.transaction() as db:
        db.execute(text("UPDATE issue SET number = 'QJ-2026-000777' WHERE title = '井盖缺失'"))

    assert found("777") == {"井盖缺失"}


@pytest.mark.usefixtures("told")
def test_a_search_narrows_the_other_filters():
    wanted = IssueFilter(words="灯", categories=("road",))

    assert issues.count(ANONYMOUS, wanted, zone=ZONE) == 0


@pytest.mark.parametrize(
    "changes",
    [{"privacy": Privacy.PRIVATE}, {"text_released": False}],
    ids=["a private issue", "an issue that is not released"],
)
@pytest.mark.parametrize("words", ["机密", "口令", "暗巷", "secret"])
def test_the_public_does_not_find_by_what_it_may_not_read(changes, words):
    a_category()
    store(an_issue("1", title="机密标题", text="口令 secret", address="暗巷9号", **changes))

    assert issues.count(ANONYMOUS, IssueFilter(words=words), zone=ZONE) == 0


@pytest.mark.parametrize("words", ["沱湾", "道路", "roads", "道路 沱湾"])
def test_the_public_does_not_find_a_private_issue_by_the_names_it_carries(words):
    a_category()
    a_place("A", square(106.64, 29.02), name=Name("沱湾社区", "Tuowan"))
    store(an_issue("1", privacy=Privacy.PRIVATE))

    assert issues.count(ANONYMOUS, IssueFilter(words=words), zone=ZONE) == 0
    assert issues.count(OPERATOR, IssueFilter(words=words), zone=ZONE) == 1


def test_the_public_does_not_find_a_blurred_issue_by_its_address():
    a_category()
    store(an_issue("1", address="暗巷9号", privacy=Privacy.BLURRED))

    assert found("暗巷") == set()
    assert found("人行道") == {"人行道破损 1"}


def test_an_issue_that_is_not_released_is_found_by_its_number_alone():
    a_category()
    store(an_issue("1", text_released=False))

    assert issues.count(ANONYMOUS, IssueFilter(words="QJ-2026-000001"), zone=ZONE) == 1
    assert issues.count(ANONYMOUS, IssueFilter(words="QJ-2026-000001 人行道"), zone=ZONE) == 0


@pytest.mark.parametrize("privacy", Privacy)
@pytest.mark.parametrize("released", [True, False])
def test_staff_finds_by_all_that_was_written(privacy, released):
    a_category()
    store(an_issue("1", address="暗巷9号", privacy=privacy, text_released=released))

    for words in ("000001", "人行道", "说明", "暗巷9", "暗巷 人行道破", "道路"):
        assert issues.count(OPERATOR, IssueFilter(words=words), zone=ZONE) == 1, words


def test_releasing_a_text_makes_it_found_and_hiding_it_ends_that():
    a_category()
    store(an_issue("1", text_released=False))

    seen = []
    for released, title in ((True, "破损"), (False, "破损"), (True, "改了")):
        with session.transaction() as db:
            db.execute(text("UPDATE issue SET text_released = :it, title = :title"), {"it": released, "title": title})
        seen.append((found("破损"), found("改了")))

    assert seen == [({"破损"}, set()), (set(), set()), (set(), {"改了"})]


def test_a_term_does_not_reach_from_title_to_text():
    a_category()
    store(an_issue("1", title="路", text="灯"))

    assert found("路灯") == set()


def test_the_database_cuts_texts_as_the_domain_does(db):
    random = np.random.default_rng(7)
    signs = sorted({sign for line in CORPUS for sign in line})
    made = ["".join(random.choice(signs, random.integers(1, 40))) for _ in range(400)]

    for line in [*CORPUS, *made]:
        row = db.execute(
            text("SELECT tsvector_to_array(search_grams(:line)) AS grams, search_fold(:line) AS folded"), {"line": line}
        ).one()
        assert (set(row.grams), row.folded) == (bigrams.grams(line), bigrams.fold(line)), line


def test_a_dump_of_the_database_can_be_restored(db):
    """A restore sets an empty search path, so the functions may name nothing of ours without its schema."""
    db.execute(text("SET LOCAL search_path = ''"))

    grams = db.execute(
        text("SELECT public.search_grams(public.issue_hidden_words('QJ-1-2', '路灯', 'a', 'b', false, 'public'))")
    ).scalar_one()

    assert "路灯" in grams
