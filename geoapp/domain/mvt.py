"""A vector tile of points (Mapbox Vector Tile 2.1), written by hand.

For the few dozen features of a tile of counts this takes a tenth of the time that asking the database would.
"""

from collections.abc import Iterable, Mapping

EXTENT = 4096
_LAYER, _NAME, _FEATURE, _KEYS, _VALUES = b"\x1a", b"\x0a", b"\x12", b"\x1a", b"\x22"
_EXTENT, _VERSION = b"\x28", b"\x78\x02"
_TAGS, _IS_POINT, _GEOMETRY = b"\x12", b"\x18\x01", b"\x22"
_STRING, _UNSIGNED, _SIGNED = b"\x0a", b"\x28", b"\x30"
_SHORT = tuple(bytes([n]) for n in range(128))
Value = int | str


def encode(name: str, features: Iterable[tuple[int, int, Mapping[str, Value | None]]]) -> bytes:
    """One layer of points (x, y in tile units, properties); None is left out, and no feature makes an empty tile."""
    keys: dict[str, int] = {}
    values: dict[Value, int] = {}
    body = [
        _feature(x, y, [
            _varint(number)
            for key, value in properties.items() if value is not None
            for number in (keys.setdefault(key, len(keys)), values.setdefault(value, len(values)))
        ])
        for x, y, properties in features
    ]  # fmt: skip
    if not body:
        return b""
    body.insert(0, _NAME + _sized(name.encode()))
    body += [_KEYS + _sized(key.encode()) for key in keys]
    body += [_VALUES + _sized(_value(value)) for value in values]
    body.append(_EXTENT + _varint(EXTENT) + _VERSION)
    return _LAYER + _sized(b"".join(body))


def _feature(x: int, y: int, tags: list[bytes]) -> bytes:
    # A point is one command, MoveTo, once; and where to from the corner.
    geometry = b"\x09" + _varint(_zigzag(x)) + _varint(_zigzag(y))
    return _FEATURE + _sized(_TAGS + _sized(b"".join(tags)) + _IS_POINT + _GEOMETRY + _sized(geometry))


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return _STRING + _sized(value.encode())
    if value < 0:
        return _SIGNED + _varint(_zigzag(value))
    return _UNSIGNED + _varint(value)


def _sized(body: bytes) -> bytes:
    return _varint(len(body)) + body


def _zigzag(n: int) -> int:
    return n << 1 if n >= 0 else (-n << 1) - 1


def _varint(n: int) -> bytes:
    """Seven bits after seven, the lowest first; all but the last with a bit that says that more follow."""
    if n < len(_SHORT):
        return _SHORT[n]
    return bytes([n & 127 | 128]) + _varint(n >> 7)
