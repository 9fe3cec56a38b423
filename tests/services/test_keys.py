from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import text

from geoapp.domain.values import OPERATOR, Role, Viewer
from geoapp.errors import BadInput, NotFound, NotYours, TooMany, WrongCode, WrongKey, WrongLogin
from geoapp.services import accounts, keys
from geoapp.store import session

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
SECRET = "paving stones 62"  # noqa: S105
STEP = timedelta(seconds=30)


@pytest.fixture
def li(clean):  # noqa: ARG001 - a clean database
    accounts.add(OPERATOR, "li", "Li Min", SECRET)
    accounts.grant(OPERATOR, "li", "supervisor")
    return signed_in()


def signed_in(now=NOW):
    return accounts.sign_in("li", SECRET, address="198.51.100.7", browser="", now=now)


def code(viewer_secret, now=NOW):
    return pyotp.TOTP(viewer_secret).at(now)


def enrolled(li):
    keys.propose(li.viewer)
    secret = keys.own(li.viewer, issuer="geoapp").proposal.secret
    told = keys.confirm(li.viewer, code(secret), token=li.token, now=NOW)
    return secret, told


# --- keys ---


def test_a_key_may_what_its_person_may_and_is_stored_only_as_a_hash(li):
    key = keys.make(li.viewer, "night import", now=NOW)

    found = keys.viewer_of(key, address="198.51.100.7", now=NOW)
    assert (found.person, found.has(Role.SUPERVISOR)) == (li.viewer.person, True)
    with session.snapshot() as db:
        assert key not in str(db.execute(text("SELECT * FROM api_key")).all())
    assert [(row.name, row.used_at) for row in keys.own(li.viewer, issuer="").keys] == [("night import", NOW)]


def test_a_revoked_an_expired_and_a_disabled_persons_key_do_not_hold(li):
    held, short = keys.make(li.viewer, "a", now=NOW), keys.make(li.viewer, "b", now=NOW, expires=NOW + STEP)
    gone = keys.make_for(OPERATOR, "li", "c", now=NOW)
    keys.revoke(li.viewer, next(row.id for row in keys.own(li.viewer, issuer="").keys if row.name == "c"))

    def holds(key, now=NOW):
        try:
            return keys.viewer_of(key, address="x", now=now).person == li.viewer.person
        except WrongKey:
            return False

    assert [holds(held), holds(short), holds(short, NOW + STEP), holds(gone), holds("gk_x")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    accounts.disable(OPERATOR, "li", now=NOW)
    assert not holds(held)


def test_guessing_keys_from_one_network_is_throttled(li):
    for number in range(keys.PER_ADDRESS):
        with pytest.raises(WrongKey):
            keys.viewer_of(f"gk_{number}", address="203.0.113.9", now=NOW)
    with pytest.raises(TooMany):
        keys.viewer_of("gk_last", address="203.0.113.77", now=NOW)

    assert keys.viewer_of(keys.make(li.viewer, "x", now=NOW), address="203.0.113.9", now=NOW).person


@pytest.mark.parametrize(
    ("name", "ends", "field"),
    [("", None, "name"), ("x" * 61, None, "name"), ("a\x00b", None, "name"), ("x", NOW, "expires")],
)
def test_a_key_needs_a_name_and_a_day_to_come(li, name, ends, field):
    with pytest.raises(BadInput) as refusal:
        keys.make(li.viewer, name, now=NOW, expires=ends)

    assert refusal.value.field == field


def test_nobody_makes_more_keys_than_they_can_look_after_and_nobody_revokes_another_ones(li):
    for number in range(keys.MOST_KEYS):
        keys.make(li.viewer, str(number), now=NOW)
    with pytest.raises(BadInput):
        keys.make(li.viewer, "one more", now=NOW)
    with pytest.raises(NotFound):
        keys.revoke(Viewer(), keys.own(li.viewer, issuer="").keys[0].id)
    for act in (lambda: keys.make(Viewer(), "x", now=NOW), lambda: keys.make_for(li.viewer, "li", "x", now=NOW)):
        with pytest.raises(NotYours):
            act()


# --- one-time codes ---


def test_with_codes_the_password_alone_opens_no_door(li):
    secret, _ = enrolled(li)
    later = NOW + 2 * STEP

    half = signed_in(later)

    assert (half.half, half.viewer.person, accounts.viewer_of(half.token, now=later).person) == (True, None, None)
    fresh = keys.finish_sign_in(half.token, code(secret, later), browser="", now=later)
    assert accounts.viewer_of(fresh, now=later).person == li.viewer.person
    assert accounts.viewer_of(half.token, now=later).person is None


def test_a_code_is_good_once_and_one_step_before_and_after_its_time(li):
    secret, _ = enrolled(li)
    results = []
    for drift in (0, 0, 2, 3, 5, 9):
        now = NOW + 4 * STEP
        half = signed_in(now)
        try:
            keys.finish_sign_in(half.token, code(secret, now + (drift - 1) * STEP), browser="", now=now)
            results.append(True)
        except WrongCode:
            results.append(False)

    assert results == [True, False, True, False, False, False]


def test_a_recovery_code_is_good_once(li):
    _, told = enrolled(li)

    keys.finish_sign_in(signed_in().token, f" {told[0].upper()} ", browser="", now=NOW)
    with pytest.raises(WrongCode):
        keys.finish_sign_in(signed_in().token, told[0], browser="", now=NOW)

    assert len(told) == len(set(told)) == 10
    assert keys.own(li.viewer, issuer="").recovery_codes_left == 9


def test_guessing_codes_is_throttled_by_person_and_the_password_grows_stale(li):
    secret, _ = enrolled(li)
    half = signed_in()
    for _ in range(keys.PER_PERSON):
        with pytest.raises(WrongCode):
            keys.finish_sign_in(half.token, "000000", browser="", now=NOW)
    with pytest.raises(TooMany):
        keys.finish_sign_in(signed_in().token, code(secret, NOW + STEP), browser="", now=NOW)
    late = NOW + timedelta(minutes=20)
    with pytest.raises(WrongCode, match="expired"):
        keys.finish_sign_in(half.token, code(secret, late), browser="", now=late)


def test_codes_hold_once_confirmed_and_are_dropped_with_password_and_code(li):
    keys.propose(li.viewer)
    with pytest.raises(BadInput):
        keys.confirm(li.viewer, "000000", token=li.token, now=NOW)
    assert not signed_in().half
    secret, _ = enrolled(li)
    with pytest.raises(BadInput):
        keys.propose(li.viewer)
    assert keys.is_enrolled(li.viewer.person)
    later = NOW + 3 * STEP
    with pytest.raises(WrongLogin):
        keys.drop(li.viewer, "wrong", code(secret, later), now=later)
    with pytest.raises(WrongCode):
        keys.drop(li.viewer, SECRET, "x", now=later)
    keys.drop(li.viewer, SECRET, code(secret, later), now=later)

    assert not signed_in(later).half
    assert not keys.drop_for(OPERATOR, "li")


def test_an_administrator_drops_the_codes_of_whoever_has_lost_them(li):
    enrolled(li)

    assert keys.drop_for(OPERATOR, "li")
    assert not signed_in().half
    with pytest.raises(NotFound):
        keys.drop_for(OPERATOR, "nobody")


def test_whoever_is_not_signed_in_has_neither_keys_nor_codes(clean):  # noqa: ARG001
    nobody = Viewer()
    for act in (
        lambda: keys.propose(nobody),
        lambda: keys.confirm(nobody, "1", token="", now=NOW),
        lambda: keys.drop(nobody, "", "", now=NOW),
    ):
        with pytest.raises(NotYours):
            act()
    assert keys.own(nobody, issuer="").keys == ()
