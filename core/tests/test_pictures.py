"""Uploads: what they are is read from their content, and only the picture is kept."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from core import pictures
from core.errors import Invalid
from core.problems import TooLarge


def drawn(kind="JPEG", size=(40, 20), mode="RGB", **options):
    kept = io.BytesIO()
    Image.new(mode, size, 200 if mode in ("L", "P") else (200, 30, 30, 128)[: len(mode)]).save(kept, kind, **options)
    return kept.getvalue()


def upload(content, name="tap.jpg"):
    return SimpleUploadedFile(name, content, content_type="text/html")


def clean(content):
    return pictures.clean(upload(content), field="file")


def opened(picture):
    return Image.open(io.BytesIO(picture.content))


def with_exif():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "Quokkaphone"
    exif.get_ifd(0x8825)[1] = "N"  # a place
    return drawn(exif=exif, comment=b"quokka")


@pytest.mark.parametrize(
    ("kind", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_what_it_is_is_read_from_its_content(kind, content_type):
    picture = clean(drawn(kind))
    assert picture.content_type == content_type
    assert picture.name.endswith(content_type.removeprefix("image/").replace("jpeg", "jpg"))
    assert "tap" not in picture.name
    assert opened(picture).size == (40, 20)


def test_where_and_when_it_was_taken_is_lost_and_it_stands_upright():
    raw = with_exif()
    assert b"Quokka" in raw
    picture = clean(raw)
    assert b"uokka" not in picture.content
    assert not opened(picture).getexif()
    assert opened(picture).size == (20, 40)


def test_words_in_a_png_are_lost_and_so_is_what_follows_the_picture():
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "Quokka")
    picture = clean(drawn("PNG", pnginfo=words) + b"<script>quokka</script>")
    assert b"uokka" not in picture.content


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "RGB"])
def test_every_mode_of_png_can_be_kept(mode):
    assert opened(clean(drawn("PNG", mode=mode))).size == (40, 20)


def test_a_transparent_one_stays_transparent():
    assert opened(clean(drawn("PNG", mode="RGBA"))).getpixel((0, 0))[3] == 128


def test_a_jpeg_of_printers_can_be_kept():
    assert opened(clean(drawn(mode="CMYK"))).mode == "RGB"


def test_a_long_one_is_made_shorter():
    assert opened(clean(drawn(size=(5120, 100)))).size == (2560, 50)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="SVG"),
        pytest.param(b"<html>", id="a page"),
        pytest.param(b"%PDF-1.7", id="PDF"),
        pytest.param(drawn("GIF", mode="P"), id="GIF"),
        pytest.param(drawn("TIFF"), id="TIFF"),
        pytest.param(drawn()[:100], id="the beginning of a JPEG"),
        pytest.param(drawn("PNG")[:-30], id="a PNG without its end"),
        pytest.param(b"\xff\xd8\xff" + bytes(1000), id="what only begins like a JPEG"),
    ],
)
def test_what_is_no_whole_picture_is_refused(content):
    with pytest.raises(Invalid, match="JPEG, PNG or WebP") as refused:
        clean(content)
    assert (refused.value.code, refused.value.errors) == ("no_picture", {"file": "Send a picture: JPEG, PNG or WebP."})


def test_a_small_file_that_claims_to_be_enormous_is_refused():
    with pytest.raises(Invalid) as refused:
        clean(drawn("PNG", size=(10_000, 6_000), mode="L"))
    assert refused.value.code == "no_picture"


def test_a_file_above_the_limit_is_too_large():
    with pytest.raises(TooLarge, match="10 MB"):
        clean(drawn() + bytes(pictures.LARGEST_BYTES))
