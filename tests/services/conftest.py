"""For tests that send mail."""

from tests.correspondence import box, post, town

__all__ = ["box", "post", "town"]
