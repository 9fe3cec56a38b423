from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from geoapp.domain.reports import KEY, Reporter, Submission, fingerprint, fresh_id, fresh_key, named_by, stricter
from geoapp.domain.values import Point, Privacy

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
TOLD = Submission(UUID(int=7), "road", Point(106.65, 29.03), Reporter("k" * 30, contact="13800138000"))


def test_the_same_report_has_the_same_fingerprint_and_any_other_word_another():
    changed = [
        replace(TOLD, title="x"),
        replace(TOLD, point=Point(106.65, 29.04)),
        replace(TOLD, extent=b"\x01"),
        replace(TOLD, reporter=replace(TOLD.reporter, key="j" * 30)),
    ]

    assert fingerprint(TOLD) == fingerprint(replace(TOLD))
    assert len({fingerprint(one) for one in [TOLD, *changed]}) == 5


def test_what_was_stored_years_ago_is_still_known_by_its_fingerprint():
    told = Submission(
        UUID(int=7), "road", Point(106.65, 29.03), Reporter("k" * 43, name="王"), title="坑", extent=b"\x01\x02"
    )

    assert fingerprint(told) == "48118aebd20765a6f9a2074cd5408037a5bdd75a72a878861c810c17305761cf"


def test_a_wish_makes_a_place_more_private_and_never_less():
    assert stricter(None, Privacy.BLURRED) is Privacy.BLURRED
    assert stricter(Privacy.PUBLIC, Privacy.BLURRED) is Privacy.BLURRED
    assert stricter(Privacy.PRIVATE, Privacy.BLURRED) is Privacy.PRIVATE


def test_a_fresh_id_is_a_version_7_of_its_moment():
    early, late = fresh_id(NOW), fresh_id(NOW + timedelta(milliseconds=1))

    assert (early.version, early.variant) == (7, "specified in RFC 4122")
    assert early.int >> 80 == int(NOW.timestamp() * 1000)
    assert early < late
    assert fresh_id(NOW) != fresh_id(NOW)


def test_one_idempotency_key_names_one_report_and_one_key_that_does_not_tell_it():
    issue, key = named_by("a-key-of-some-client-0001")

    assert named_by("a-key-of-some-client-0001") == (issue, key)
    assert named_by("a-key-of-some-client-0002")[0] != issue
    assert KEY.fullmatch(key)
    assert KEY.fullmatch(fresh_key())
