"""Which passwords are taken: long enough, and not what everybody tries first. No rule of composition, no expiry."""

SHORTEST, LONGEST = 8, 128
_COMMON = """
12345678 123456789 1234567890 password password1 qwertyuiop qwerty123 11111111 00000000 88888888 66666666
iloveyou 1q2w3e4r 1qaz2wsx abc12345 a1234567 a123456789 woaini1314 5201314520 asdfghjkl zxcvbnm1 admin123
administrator letmein1 sunshine princess football baseball superman trustno1 welcome1 dragon123 monkey123
87654321 987654321 123123123 11223344 12341234 qq123456 aa123456 wang1234 zhang123
"""
COMMON = frozenset(_COMMON.split())
CONTEXT = ("qijiang", "綦江", "geoapp", "社区", "shequ", "chongqing", "重庆")
"""Words of this place and program: a password that is little more than one of them is a guess."""


def weakness(password: str, *, login: str) -> str | None:
    """Why a password is not taken (a key under ``reason.`` in words), or None."""
    plain = password.casefold().strip()
    if len(password) < SHORTEST:
        return "password_short"
    if len(password) > LONGEST:
        return "password_long"
    if plain in COMMON or len(set(plain)) < 4:  # noqa: PLR2004 - "aaaabbbb"
        return "password_common"
    for word in (*CONTEXT, login.casefold()):
        if word in plain and len(plain) - len(word) < 5:  # noqa: PLR2004 - "qijiang2026"
            return "password_common"
    return None
