from decimal import Decimal

from geoapp.domain.editing import Cost, Facts, changed, wrong_cost, wrong_facts
from geoapp.domain.values import Privacy

KNOWN = Facts("Kerb", "broken", "Gate 2", "road", 2, Privacy.PUBLIC)


def test_only_what_differs_is_a_change():
    assert changed(KNOWN, Facts(title="Kerb", severity=3, text="")) == {"text": ("broken", ""), "severity": (2, 3)}


def test_what_cannot_be_is_named_with_its_reason():
    wrong = Facts(title="", text="x" * 4001, address="a\x07", severity=0)

    assert [(field, reason) for field, reason, _ in wrong_facts(wrong)] == [
        ("title", "missing"), ("text", "too_long"), ("address", "characters"), ("severity", "between"),
    ]  # fmt: skip
    assert list(wrong_facts(KNOWN)) == []
    assert list(wrong_facts(Facts(severity=3))) == []
    assert [field for field, _, _ in wrong_cost(Cost(Decimal(-1), Decimal("Infinity"), "a\x00"))] == [
        "planned", "spent", "fund",
    ]  # fmt: skip
    assert list(wrong_cost(Cost(Decimal(0), None, "fund"))) == []
