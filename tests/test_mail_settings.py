"""Mail is offered with all that it needs, or not at all."""

import pytest

from geoapp import config
from geoapp.errors import BadSetting


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"smtp_url": "mail.example.org"}, "GEOAPP_SMTP_URL"),
        ({"smtp_url": "http://mail.example.org"}, "GEOAPP_SMTP_URL"),
        ({"smtp_url": "smtp://mail.example.org:x"}, "GEOAPP_SMTP_URL"),
        ({"smtp_url": "smtp://mail.example.org"}, "GEOAPP_MAIL_FROM"),
        ({"smtp_url": "smtp://mail.example.org", "mail_from": "a@example.org"}, "GEOAPP_PUBLIC_URL"),
        (
            {"smtp_url": "smtp://h", "mail_from": "nobody", "public_url": "https://example.org"},
            "GEOAPP_MAIL_FROM",
        ),
        ({"public_url": "example.org"}, "GEOAPP_PUBLIC_URL"),
        ({"public_url": "https://example.org/map"}, "GEOAPP_PUBLIC_URL"),
    ],
)
def test_half_a_setting_of_mail_is_named(settings, named):
    with pytest.raises(BadSetting, match=named):
        config.read({f"GEOAPP_{name.upper()}": value for name, value in settings.items()})
