"""The locked-down child that opens somebody else's file of shapes; ``vectorfile`` is its parent.

Run as ``python -m geoapp.services.vectorreader FILE …``. GDAL guesses a file's format from its content, and
some formats name other files and addresses: so this process knows four formats only, has no network, little
memory and little time, and hands back nothing but lines of JSON.
"""

import json
import math
import os
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from geoapp import sandbox

ALLOWED_DRIVERS = frozenset({"GeoJSON", "GPKG", "FlatGeobuf", "ESRI Shapefile"})
MAX_FEATURES = 100_000
MEMORY_BYTES = 1 << 30
OUTPUT_BYTES = 1 << 30
CPU_SECONDS = 60


def main(arguments: list[str]) -> None:
    """``--drivers`` lists every driver; ``FILE [ENCODING…]`` reads, with the first encoding that fits."""
    sandbox.lock(memory_bytes=MEMORY_BYTES, output_bytes=OUTPUT_BYTES, cpu_seconds=CPU_SECONDS)
    if arguments == ["--drivers"]:
        import pyogrio  # noqa: PLC0415 - only after the locks, and GDAL reads its environment when imported

        _say(sorted(pyogrio.list_drivers()))
        return
    path, *encodings = arguments
    try:
        _read(path, [*encodings] or [None])
    except Exception as error:  # noqa: BLE001 - whatever GDAL finds wrong with the file is the answer
        why = str(error).split("; It might help")[0].replace(path, "the file")
        _fail(why or type(error).__name__)


def _read(path: str, encodings: list[str | None]) -> None:
    import pyogrio  # noqa: PLC0415 - see above
    import pyogrio.raw  # noqa: PLC0415

    if extra := set(pyogrio.list_drivers()) - ALLOWED_DRIVERS:
        _fail(f"the reader is not locked: it knows {', '.join(sorted(extra))}")
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if len(layers) != 1:
        _fail(f"holds {len(layers)} layers with geometry ({', '.join(layers[:10])}); save one of them alone")
    for encoding in encodings:
        try:
            meta, _, shapes, columns = pyogrio.raw.read(
                path,
                layer=layers[0],
                encoding=encoding,
                max_features=MAX_FEATURES + 1,
                datetime_as_string=True,
            )
        except UnicodeDecodeError:
            continue
        break
    else:
        _fail(f"its text is in none of {', '.join(str(encoding) for encoding in encodings)}")
    if len(shapes) > MAX_FEATURES:
        _fail(f"holds more than {MAX_FEATURES:,} features")
    fields = [str(name) for name in meta["fields"]]
    _say({"crs": meta["crs"], "fields": fields, "encoding": encoding, "features": len(shapes)})
    for line in _features(fields, shapes, columns):
        _say(line)


def _features(fields: list[str], shapes: Any, columns: Any) -> Iterator[dict[str, Any]]:
    for index, shape in enumerate(shapes):
        values = {name: _plain(column[index]) for name, column in zip(fields, columns, strict=True)}
        yield {"properties": values, "wkb": None if shape is None else bytes(shape).hex()}


def _plain(value: Any) -> str | float | bool | None:
    """Text, a number or nothing: no other type leaves this process."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if isinstance(value, bytes) else str(value)


def _say(line: Any) -> None:
    sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")


def _fail(why: str) -> NoReturn:
    _say({"error": " ".join(why.split())[:500]})
    sys.stdout.flush()
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
