"""The locked-down child that opens somebody else's photo; ``store.photos`` is its parent.

Run as ``python -m geoapp.store.darkroom`` with the file on standard input. It knows four formats, looks at the
size before it decodes, and paints the pixels on a fresh canvas: what a file carries besides pixels stays behind.
A line of JSON comes out, then the photo and its thumbnail as JPEG.
"""

import io
import json
import sys
from contextlib import suppress
from typing import Any

from geoapp import sandbox

MAX_PIXELS = 40_000_000
LONGEST, SMALL = 2048, 480
QUALITY = 85
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
MEMORY_BYTES, CPU_SECONDS = 2 << 30, 20
_SIGNS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}
_GPS, _ORIENTATION = 0x8825, 0x0112


class Refusal(Exception):
    """Why a file is not taken: a key under ``reason.`` in words."""


def main() -> None:
    sandbox.lock(memory_bytes=MEMORY_BYTES, output_bytes=0, cpu_seconds=CPU_SECONDS)
    try:
        head, large, small = develop(sys.stdin.buffer.read(), locked=True)
    except Refusal as refusal:
        _say({"refused": str(refusal)})
        return
    except Exception:  # noqa: BLE001 - whatever a decoder makes of a broken file, it is a broken file
        _say({"refused": "photo_broken"})
        return
    _say(head | {"large": len(large), "small": len(small)})
    sys.stdout.buffer.write(large + small)


def develop(raw: bytes, *, locked: bool = False) -> tuple[dict[str, Any], bytes, bytes]:
    """The facts, the photo and its thumbnail of a file; raises Refusal."""
    from PIL import Image  # noqa: PLC0415 - only after the locks
    from pillow_heif import register_heif_opener  # noqa: PLC0415

    register_heif_opener()
    Image.init()
    if locked:
        # All that is needed has been read; whatever a decoder is talked into, there is no file to open.
        sandbox.close_files()
    # Our own cap comes first; Pillow's would only warn below twice its own.
    Image.MAX_IMAGE_PIXELS = None
    kind = sniff(raw)
    with Image.open(io.BytesIO(raw), formats=[kind]) as opened:
        width, height = opened.size
        if width * height > MAX_PIXELS or min(width, height) < 1:
            raise Refusal("photo_pixels")
        if kind != "HEIF" and getattr(opened, "n_frames", 1) > 1:
            raise Refusal("photo_animated")
        exif = opened.getexif()
        # HEIF's decoder has turned the picture already.
        turn = 1 if kind == "HEIF" else int(exif.get(_ORIENTATION, 1) or 1)
        offer = _place(exif)
        opened.draft("RGB", (LONGEST, LONGEST))
        opened.load()
        upright = _upright(opened, turn)
    large, small = prints(upright)
    size = _fitting(upright.size, LONGEST)
    return {"width": size[0], "height": size[1], "lon": offer[0], "lat": offer[1]}, large, small


def prints(picture: Any) -> tuple[bytes, bytes]:
    """A picture and its thumbnail as JPEG, painted on fresh canvases."""
    return _print(picture, LONGEST), _print(picture, SMALL)


def sniff(raw: bytes) -> str:
    """The format by its first bytes, whatever it is called; raises Refusal for any other."""
    for sign, kind in _SIGNS.items():
        if raw.startswith(sign):
            return kind
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "WEBP"
    if raw[4:8] == b"ftyp" and raw[8:12] in _HEIF:
        return "HEIF"
    raise Refusal("photo_kind")


def _upright(opened: Any, turn: int) -> Any:
    from PIL import Image  # noqa: PLC0415

    turned = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(turn)
    if opened.mode.startswith("I;16") or opened.mode == "I":
        opened = opened.point(lambda value: value / 256).convert("L")
    flat = opened.convert("RGBA") if "A" in opened.getbands() or "transparency" in opened.info else opened
    canvas = Image.new("RGB", flat.size, "white")
    canvas.paste(flat.convert("RGB"), mask=flat.getchannel("A") if flat.mode == "RGBA" else None)
    return canvas if turned is None else canvas.transpose(Image.Transpose(turned))


def _fitting(size: tuple[int, int], longest: int) -> tuple[int, int]:
    share = min(1.0, longest / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _print(upright: Any, longest: int) -> bytes:
    from PIL import Image  # noqa: PLC0415

    size = _fitting(upright.size, longest)
    paper = Image.new("RGB", size, "white")
    paper.paste(upright.resize(size, Image.Resampling.LANCZOS) if size != upright.size else upright)
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()


def _place(exif: Any) -> tuple[float | None, float | None]:
    """Longitude and latitude that the camera noted, offered to whoever uploads and kept nowhere."""
    with suppress(Exception):  # anything may stand in a camera's notes
        gps = exif.get_ifd(_GPS)
        lat, lon = _degrees(gps[2], gps[1] == "S"), _degrees(gps[4], gps[3] == "W")
        if -85 <= lat <= 85 and -180 <= lon <= 180 and (lat, lon) != (0, 0):  # noqa: PLR2004
            return round(lon, 7), round(lat, 7)
    return None, None


def _degrees(parts: Any, minus: bool) -> float:  # noqa: FBT001
    degrees, minutes, seconds = (float(part) for part in parts)
    return (degrees + minutes / 60 + seconds / 3600) * (-1 if minus else 1)


def _say(head: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")


if __name__ == "__main__":
    main()
