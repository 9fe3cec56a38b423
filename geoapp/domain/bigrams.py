"""Text in small pieces (grams): what a search looks up, and how alike two texts are.

Why not words? Chinese has no spaces, and a dictionary would cut 沱湾 in two or not know it. The function
``search_grams`` in the database states the same rule, and a test holds the two together.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

LONGEST = 200
"""A longer English word is cut: an index holds none of more than 2,046 bytes, and PostgreSQL counts to 255."""

_CAPITALS = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
# Signs are all that is neither an ASCII letter or digit nor a gap: Chinese, other scripts, emoji.
# Gaps are blanks, punctuation and joiners; 々, 〆 and 〇 lie among the punctuation and are letters.
_SIGNS = r"[^\x00-\xbf\u2000-\u206f\u3000-\u3004\u3008-\u303f\u30fb\ufe00-\ufe0f]+"
_RUN = re.compile(rf"([0-9a-z]{{1,{LONGEST}}})|({_SIGNS})")
_BETWEEN = re.compile(r"[\s,;、。]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a search, and what narrows it down: grams, and beginnings of grams."""

    text: str
    grams: tuple[str, ...]
    beginnings: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """True when its one gram or beginning is the term, so that nothing is left to be compared."""
        return (*self.grams, *self.beginnings) == (self.text,)


def fold(text: str) -> str:
    """NFKC (full width becomes plain) in small letters.

    Only A to Z have small letters here: what a collation thinks of the others changes with its version,
    and an index must not.
    """
    return unicodedata.normalize("NFKC", text).translate(_CAPITALS)


def grams(text: str) -> frozenset[str]:
    """All by which a text is found: pairs of signs, the last sign of each run, English words and numbers.

    With the last ones every sign begins a gram, so that a single one (路, 树) is looked up as a beginning.
    """
    found: set[str] = set()
    for word, signs in _runs(text):
        found.update([word] if word else [*_pairs(signs), signs[-1]])
    return frozenset(found)


def terms(words: str) -> tuple[Term, ...]:
    """What a search asks for: each term must occur as it stands. Between terms are blanks, commas and the like.

    English words and numbers are found from their beginning, Chinese anywhere. What has no letter, digit
    or sign (``%``, ``-``) asks for nothing; a search of only such finds nothing.
    """
    found = {part: _term(part) for part in _BETWEEN.split(fold(words))}
    return tuple(term for term in found.values() if term.grams or term.beginnings)


def similarity(first: str, second: str) -> float:
    """How alike two texts are, from 0 to 1: Dice's coefficient of their grams; 0 when one says nothing."""
    a, b = grams(first), grams(second)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _term(text: str) -> Term:
    grams: dict[str, None] = {}
    beginnings: tuple[str, ...] = ()
    for run in _RUN.finditer(text):
        if run[2] and len(run[2]) > 1:
            grams |= dict.fromkeys(_pairs(run[2]))
        elif run.end() == len(text):
            # Only a run at the end may go on in the text; of any other we know that it is a whole word or a last sign.
            beginnings = (run[0],)
        else:
            grams[run[0]] = None
    return Term(text, tuple(grams), beginnings)


def _runs(text: str) -> list[tuple[str, str]]:
    """Unbroken runs, each either a word or signs; the other is empty."""
    return _RUN.findall(fold(text))


def _pairs(signs: str) -> list[str]:
    return [first + second for first, second in pairwise(signs)]
