"""For tests that drive a browser."""

import pytest


@pytest.fixture(scope="session")
def base_url() -> None:
    """Addresses are written out in our tests. pytest-playwright's own is of a kind that pytest 9 warns of."""
