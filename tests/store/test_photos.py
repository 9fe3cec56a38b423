"""What comes out of the darkroom: repainted pixels and nothing else, or a refusal that says why (TRUST T21)."""

import io
import json
import os
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from pillow_heif import register_heif_opener

from geoapp.errors import BadInput, Unavailable
from geoapp.store import darkroom, photos

register_heif_opener()
MARKS = (
    b"13800138000",
    b"SECRET-XMP",
    b"SECRET-TAIL",
    b"SECRET-TEXT",
    b"Exif",
    b"<script",
    b"ICC_PROFILE",
    b"PK\x03\x04",
)


def picture(size=(64, 48), mode="RGB") -> Image.Image:
    ramp = np.linspace(0, 255, size[0] * size[1] * 3, dtype=np.uint8).reshape(size[1], size[0], 3)
    return Image.fromarray(ramp).convert(mode)


def saved(image=None, kind="JPEG", **how) -> bytes:
    out = io.BytesIO()
    (image or picture()).save(out, kind, **how)
    return out.getvalue()


def with_exif(*, orientation=1, gps=True) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "13800138000"
    if gps:
        exif.get_ifd(0x8825).update({1: "N", 2: (29.0, 1.0, 48.0), 3: "E", 4: (106.0, 39.0, 0.0)})
    return saved(exif=exif, comment=b"13800138000", xmp=b"<x>SECRET-XMP</x>", icc_profile=_profile())


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def huge_png() -> bytes:
    """A hundred megapixels in a few kilobytes."""
    head = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 10_001 * 10_000, 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )


def text_png() -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "SECRET-TEXT 13800138000")
    return saved(kind="PNG", pnginfo=told)


def frames(kind) -> bytes:
    colours = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue", "green")]
    return saved(colours[0], kind, save_all=True, append_images=colours[1:])


GOOD = {
    "jpeg": saved(),
    "jpeg with everything": with_exif(),
    "png": saved(kind="PNG"),
    "png with text": text_png(),
    "png with alpha": saved(picture(mode="RGBA"), "PNG"),
    "png with palette": saved(picture(mode="P"), "PNG"),
    "png with transparent palette": saved(picture(mode="P"), "PNG", transparency=0),
    "png of 16 bit": saved(Image.fromarray(np.full((20, 30), 40_000, dtype=np.uint16)), "PNG"),
    "png of one bit": saved(picture(mode="1"), "PNG"),
    "webp": saved(kind="WEBP"),
    "webp with exif": saved(kind="WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
    "heic": saved(kind="HEIF"),
    "cmyk": saved(picture(mode="CMYK")),
    "grey": saved(picture(mode="L")),
    "one pixel": saved(picture((1, 1)), "PNG"),
    "html after it": saved() + b"<script>SECRET-TAIL</script>",
    "zip after it": saved() + b"PK\x03\x04SECRET-TAIL",
    "motion photo": saved() + b"\0\0\0\x18ftypmp42SECRET-TAIL",
    "php in the comment": saved(comment=b"<?php SECRET-TAIL"),
    **{f"orientation {turn}": with_exif(orientation=turn) for turn in range(2, 9)},
}
BAD = {
    "empty": (b"", "photo_missing"),
    "too large": (saved() + b"\0" * photos.MAX_BYTES, "photo_large"),
    "gif": (b"GIF89a/*\x01\x00*/=1;alert(1)", "photo_kind"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "photo_kind"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "photo_kind"),
    "pdf": (b"%PDF-1.7\n", "photo_kind"),
    "tiff": (saved(kind="TIFF"), "photo_kind"),
    "bmp": (saved(kind="BMP"), "photo_kind"),
    "avif": (b"\0\0\0\x1cftypavif" + b"\0" * 64, "photo_kind"),
    "text": (b"not a photo", "photo_kind"),
    "html before a jpeg": (b"<html>" + saved(), "photo_kind"),
    "truncated jpeg": (saved(picture((640, 480)))[:900], "photo_broken"),
    "truncated jpeg head": (saved()[:12], "photo_broken"),
    "truncated png": (saved(picture((640, 480)), "PNG")[:300], "photo_broken"),
    "truncated heic": (saved(kind="HEIF")[:200], "photo_broken"),
    "png sign alone": (b"\x89PNG\r\n\x1a\n", "photo_broken"),
    "svg called png": (b"\x89PNG\r\n\x1a\n<svg/>", "photo_broken"),
    "riff without webp": (b"RIFF\0\0\0\0WEBPVP8 ", "photo_broken"),
    "hundred megapixels": (huge_png(), "photo_pixels"),
    "animated webp": (frames("WEBP"), "photo_animated"),
    "animated png": (frames("PNG"), "photo_animated"),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """All good ones developed once, side by side: each costs a process."""
    folder = tmp_path_factory.mktemp("photos")
    with ThreadPoolExecutor(2) as pool:
        done = dict(zip(GOOD, pool.map(lambda raw: photos.develop(folder, raw), GOOD.values()), strict=True))
    return folder, done


@pytest.mark.parametrize("name", GOOD)
def test_what_is_kept_is_pixels_and_nothing_else(printed, name):
    folder, done = printed
    for size, longest in zip(photos.SIZES, (2048, 480), strict=True):
        raw = photos.path(folder, done[name].sha256, size).read_bytes()
        with Image.open(io.BytesIO(raw)) as kept:
            assert (kept.format, kept.mode) == ("JPEG", "RGB")
            assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
            assert max(kept.size) <= longest
        assert [mark for mark in MARKS if mark in raw] == []


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photo_stands_upright_whatever_way_the_camera_was_held(printed, turn):
    folder, done = printed
    name = f"orientation {turn}" if turn > 1 else "jpeg with everything"
    with Image.open(io.BytesIO(GOOD[name])) as raw:
        right = raw.convert("RGB")
        upright = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(turn)
        right = right if upright is None else right.transpose(Image.Transpose(upright))

    with Image.open(photos.path(folder, done[name].sha256, "large")) as kept:
        assert kept.size == right.size == (done[name].width, done[name].height)
        assert np.abs(np.asarray(kept, dtype=int) - np.asarray(right, dtype=int)).mean() < 6


def test_the_place_of_the_camera_is_offered_and_only_when_it_is_one(printed):
    _, done = printed

    assert (done["jpeg with everything"].lon, done["jpeg with everything"].lat) == (106.65, 29.03)
    assert (done["jpeg"].lon, done["webp with exif"].lat) == (None, None)


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_taken_is_refused_with_its_reason_and_leaves_nothing(tmp_path, name):
    raw, why = BAD[name]
    with pytest.raises(BadInput) as refused:
        photos.develop(tmp_path, raw)

    assert refused.value.reason == why
    assert list(tmp_path.rglob("*")) == []


def test_the_same_photo_twice_is_one_file(tmp_path):
    first, second = photos.develop(tmp_path, saved()), photos.develop(tmp_path, saved() + b"another tail")

    assert first.sha256 == second.sha256
    assert len(list(tmp_path.rglob("*.jpg"))) == 2


def test_a_large_photo_is_made_smaller(tmp_path):
    done = photos.develop(tmp_path, saved(picture((3000, 1500))))

    assert (done.width, done.height) == (2048, 1024)


def test_a_decoder_that_takes_too_long_or_dies_is_a_broken_photo(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "TIMEOUT_S", 0.001)
    with pytest.raises(BadInput, match="photo_broken"):
        photos.develop(tmp_path, saved())
    monkeypatch.setattr(photos, "TIMEOUT_S", 30)
    monkeypatch.setattr(darkroom, "__name__", "geoapp.no_such_room")
    with pytest.raises(BadInput, match="photo_broken"):
        photos.develop(tmp_path, saved())


def test_a_full_disk_is_told_and_leaves_no_half_a_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(photos.os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        photos.develop(tmp_path, saved())

    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_files_that_no_row_names_are_swept_when_they_are_old(tmp_path, db):
    done = photos.develop(tmp_path, saved())
    now = datetime.now(UTC)

    assert photos.sweep(db, tmp_path, now=now) == 0
    for file in tmp_path.rglob("*.jpg"):
        os.utime(file, (time.time() - 200_000,) * 2)
    assert photos.sweep(db, tmp_path, now=now) == 2
    assert not photos.path(tmp_path, done.sha256, "large").exists()


def test_the_darkroom_says_what_it_made_of_a_file():
    head, large, small = darkroom.develop(saved())

    assert json.loads(json.dumps(head)) == {"width": 64, "height": 48, "lon": None, "lat": None}
    assert large[:3] == small[:3] == b"\xff\xd8\xff"
    with pytest.raises(darkroom.Refusal, match="photo_kind"):
        darkroom.develop(b"x")
