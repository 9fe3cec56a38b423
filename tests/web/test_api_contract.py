"""Schemathesis: requests made from the OpenAPI document, good and bad, and every answer held against it."""

import os
from datetime import UTC, datetime
from functools import cache

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from geoapp.domain.values import OPERATOR
from geoapp.services import accounts, keys
from geoapp.web import contract
from tests.builders import a_category, a_jurisdiction, a_place, an_issue, square, store

CASES = int(os.environ.get("API_TEST_CASES", "100"))
"""How many requests to each operation. On a clean clone CI asks for 300; who works should not wait for them."""
# A request may fit the document and still break a rule between two fields, as a "to" before its "from".
# A key that is sent beside another one cannot be told from it being ignored.
NOT_PROMISED = ("ignored_auth", "positive_data_acceptance")


@pytest.fixture
def described(app):
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    store(*(an_issue(str(number)) for number in range(5)))
    accounts.add(OPERATOR, "program", "program", "paving stones 62")
    accounts.grant(OPERATOR, "program", "administrator")
    accounts.grant(OPERATOR, "program", "secretary")
    return _document(app)


@cache
def _document(app):
    """Read once: every test is about the same app, and what was worked out about an operation serves its next test."""
    return schemathesis.openapi.from_wsgi("/api/openapi.json?lang=en", app)


# As the public, and with a key where one is of use.
ASKED = [
    pytest.param(name, keyed, id=f"{name} {'with a key' if keyed else 'as the public'}")
    for name, operation in sorted(contract.OPERATIONS.items())
    for keyed in ((False, True) if operation.key != "useless" else (False,))
]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("name", "keyed"), ASKED)
def test_the_api_keeps_what_its_document_promises(described, name, keyed, mode):
    operation = described.find_operation_by_id(name.replace(".", "_"))
    key = keys.make_for(OPERATOR, "program", "tests", now=datetime.now(UTC))
    # Asked for as it is: the client that schemathesis has for WSGI asks for gzip and then does not unpack it.
    head = {"Accept-Encoding": "identity", **({"Authorization": f"Bearer {key}"} if keyed else {})}
    left_out = [CHECKS.get_one(check) for check in NOT_PROMISED]

    each = CASES // 2 // (1 if contract.OPERATIONS[name].key == "useless" else 2)

    @settings(
        max_examples=each, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case):
        case.call_and_validate(excluded_checks=left_out, headers=head)

    holds()
