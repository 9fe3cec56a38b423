"""For tests that drive a browser, or send mail."""

import pytest

from tests.correspondence import box, post

__all__ = ["box", "post"]


@pytest.fixture(scope="session")
def base_url() -> None:
    """Addresses are written out in our tests. pytest-playwright's own is of a kind that pytest 9 warns of."""
