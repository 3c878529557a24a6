"""Pictures that people upload: what they are is read from the content, and nothing but the picture itself is kept.

Every upload is drawn anew: where and when it was taken (EXIF), and whatever else a file may carry, is lost on the way.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from typing import NamedTuple

from django.core.files import File
from django.http import FileResponse, Http404
from PIL import Image, ImageOps

from core.errors import Invalid
from core.problems import TooLarge

LARGEST_BYTES = 10 * 1024 * 1024
LARGEST_PIXELS = 50_000_000
"""More than any phone takes; a small file can claim to be enormous."""
LONGEST_SIDE = 2560
"""Pixels that are kept of the longer side."""
KINDS = {"JPEG": ("image/jpeg", "jpg"), "PNG": ("image/png", "png"), "WEBP": ("image/webp", "webp")}
"""What is understood, by Pillow's name: content type and ending."""


class Picture(NamedTuple):
    """A picture as it is kept, under a name that says nothing and that nobody can guess."""

    name: str
    content_type: str
    content: bytes
    sha256: str


def clean(upload: File, *, field: str) -> Picture:
    """Draw an upload anew, upright and at most LONGEST_SIDE pixels long.

    Raises TooLarge above LARGEST_BYTES, Invalid naming `field` for what is no whole JPEG, PNG or WebP.
    """
    if upload.size > LARGEST_BYTES:
        raise TooLarge(f"A picture has at most {LARGEST_BYTES // 1024 // 1024} MB.")
    no_picture = Invalid("Send a picture: JPEG, PNG or WebP.", code="no_picture", field=field)
    try:
        with Image.open(upload, formats=tuple(KINDS)) as opened:
            if opened.width * opened.height > LARGEST_PIXELS:
                raise Invalid("This picture has too many pixels.", code="no_picture", field=field)
            kind = str(opened.format)
            drawn = ImageOps.exif_transpose(opened)
            drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            content = _saved(drawn, kind)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as broken:
        raise no_picture from broken
    content_type, ending = KINDS[kind]
    return Picture(f"{secrets.token_hex(16)}.{ending}", content_type, content, hashlib.sha256(content).hexdigest())


def _saved(drawn: Image.Image, kind: str) -> bytes:
    if kind == "JPEG" and drawn.mode not in ("RGB", "L"):
        drawn = drawn.convert("RGB")
    # On a canvas of its own: Pillow carries the words of a file along from one to the next.
    bare = Image.new(drawn.mode, drawn.size)
    if drawn.mode == "P":
        bare = drawn.convert("RGBA")
        bare.info.clear()
    else:
        bare.paste(drawn)
    kept = io.BytesIO()
    bare.save(kept, kind, quality=85) if kind != "PNG" else bare.save(kept, kind, optimize=True)
    return kept.getvalue()


def shown(file: File, content_type: str, *, seconds: int) -> FileResponse:
    """A kept picture as an answer, which a browser may keep for so long; never anything that it would run.

    Raises Http404 when the file is gone.
    """
    safe = content_type.startswith("image/") and "svg" not in content_type
    try:
        opened = file.open("rb")
    except OSError as problem:
        raise Http404 from problem
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": f"private, max-age={seconds}",
    }
    return FileResponse(
        opened,
        content_type=content_type if safe else "application/octet-stream",
        as_attachment=not safe,
        headers=headers,
    )
