import pytest

from geoapp.domain.values import IssueState, Name, StateGroup, states_of


def test_every_state_belongs_to_exactly_one_group():
    listed = [state for group in StateGroup for state in states_of(group)]

    assert sorted(listed) == sorted(IssueState)


@pytest.mark.parametrize("state", IssueState)
def test_only_solved_and_dropped_issues_have_ended(state):
    assert state.ended == (state.group in {StateGroup.SOLVED, StateGroup.DROPPED})


@pytest.mark.parametrize(
    ("name", "lang", "said"),
    [
        (Name("古南", "Gunan"), "zh", "古南"),
        (Name("古南", "Gunan"), "en", "Gunan"),
        (Name("古南", ""), "en", "古南"),
        (Name("", "Gunan"), "zh", "Gunan"),
    ],
)
def test_a_name_in_one_language_stands_in_for_the_other(name, lang, said):
    assert name.say(lang) == said
