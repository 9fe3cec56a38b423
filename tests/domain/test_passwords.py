import pytest

from geoapp.domain.passwords import LONGEST, weakness


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("kerb 62", "password_short"),
        ("x" * (LONGEST + 1), "password_long"),
        ("PassWord1", "password_common"),
        ("abababab", "password_common"),
        ("綦江綦江abc1", None),
        ("Qijiang2026", "password_common"),
        ("li.min.8", "password_common"),
        ("paving stones 62", None),
        ("paving stones near li.min", None),
    ],
)
def test_what_is_too_short_too_long_or_what_everybody_tries_first_is_not_taken(password, reason):
    assert weakness(password, login="li.min") == reason
