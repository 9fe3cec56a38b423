"""A text's grams, a search's terms, and how alike two texts are."""

import pytest

from geoapp.domain.bigrams import LONGEST, Term, fold, grams, similarity, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("路", {"路"}),
        ("沱湾路", {"沱湾", "湾路", "路"}),
        ("沱湾，路", {"沱湾", "湾", "路"}),
        ("Side-walk", {"side", "walk"}),
        ("QJ-2026-000123", {"qj", "2026", "000123"}),
        ("3号楼", {"3", "号楼", "楼"}),
        ("ＬＥＤ１２", {"led12"}),
        ("二〇二六", {"二〇", "〇二", "二六", "六"}),
        ("🔥🚒!", {"🔥🚒", "🚒"}),
        ("100%_\\'", {"100"}),
        ("x" * (LONGEST + 1), {"x" * LONGEST, "x"}),
    ],
)
def test_a_text_is_found_by_pairs_of_signs_and_by_words(text, expected):
    assert grams(text) == expected


def test_every_sign_begins_a_gram():
    text = "人行道破损, 无人管 3号"

    assert {gram[0] for gram in grams(text)} == set("人行道破损无管3号")


def test_full_width_and_capitals_are_folded():
    assert fold("ＱＪ－２０２６ Ａbc　É") == "qj-2026 abc É"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ()),
        (" % _ - ", ()),
        ("沱湾", (Term("沱湾", ("沱湾",), ()),)),
        ("路", (Term("路", (), ("路",)),)),
        ("Side", (Term("side", (), ("side",)),)),
        ("人行道破", (Term("人行道破", ("人行", "行道", "道破"), ()),)),
        ("QJ-2026-000123", (Term("qj-2026-000123", ("qj", "2026"), ("000123",)),)),
        ("3号楼", (Term("3号楼", ("3", "号楼"), ()),)),
        ("3号-", (Term("3号-", ("3", "号"), ()),)),
        ("3号", (Term("3号", ("3",), ("号",)),)),
        ("路灯 50%", (Term("路灯", ("路灯",), ()), Term("50%", ("50",), ()))),
        ("垃圾，沱湾 垃圾", (Term("垃圾", ("垃圾",), ()), Term("沱湾", ("沱湾",), ()))),
    ],
)
def test_a_search_is_cut_into_terms_that_each_must_occur(words, expected):
    assert terms(words) == expected


@pytest.mark.parametrize(
    ("words", "whole"),
    [("沱湾", True), ("路", True), ("side", True), ("人行道", False), ("a-b", False), ("50%", False)],  # fmt: skip,
)
def test_a_term_of_one_gram_needs_no_comparison(words, whole):
    assert terms(words)[0].whole == whole


def test_alike_texts_share_most_of_their_grams():
    same = similarity("人行道地砖破损", "人行道地砖破损")
    near = similarity("人行道地砖破损", "人行道破损, 地砖松动")
    far = similarity("人行道地砖破损", "路灯不亮")

    assert same == 1
    assert 0.4 < near < 1
    assert far == 0


@pytest.mark.parametrize(("first", "second"), [("", ""), ("路灯", ""), ("", "路灯"), ("%", "%")])
def test_texts_that_say_nothing_are_not_alike(first, second):
    assert similarity(first, second) == 0
