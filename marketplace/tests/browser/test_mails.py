"""Every mail as a mail program gets it, in a real browser: wide and narrow, light and dark.

The last test lays all of them out on four sheets; with CONTACT_SHEETS=docs/pictures it keeps them: see docs/mails.md.
"""

import os
import re
from datetime import datetime
from pathlib import Path

import pytest

from core import clock, mail
from core.tests.browser import webp
from marketplace.enums import NotificationType
from marketplace.notices.letters import render
from marketplace.notices.samples import sample_letter, sample_letters

pytestmark = pytest.mark.browser
T = NotificationType
WIDTHS = {"wide": 640, "narrow": 360}
SCHEMES = ["light", "dark"]
VARIANTS = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]

LOOK, SHEET = (Path(__file__).with_name(name).read_text() for name in ("look.js", "sheet.js"))


@pytest.fixture
def sent(mailoutbox):
    """`sent(letter)`: the HTML part that leaves for its reader."""

    def send(letter):
        subject, text, html = render(letter)
        mail.send(to="reader@example.com", subject=subject, text=text, html=html)
        return mailoutbox[-1].alternatives[0].content

    return send


@pytest.fixture(scope="module")
def window(chromium):
    """One for all mails: nothing of a mail outlasts the next one."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def seen(window):
    """`seen(html)`: what is seen of it, by variant."""
    asked = []
    window.on("request", note := lambda request: asked.append(request.url))

    def look(html):
        window.set_content(html)
        found = {}
        for width, scheme in VARIANTS:
            window.set_viewport_size({"width": WIDTHS[width], "height": 800})
            window.emulate_media(color_scheme=scheme)
            found[width, scheme] = window.evaluate(LOOK)
        return found

    yield look
    window.remove_listener("request", note)
    assert asked == [], "a mail fetches nothing"


def assert_it_can_be_read(found, width, scheme):
    assert found["right"] <= WIDTHS[width], f"{found['widest']} sticks out"
    assert found["scrolls"] <= WIDTHS[width]
    assert found["broken"] == [], "a code is torn apart"
    (button,) = found["buttons"]
    assert button["height"] >= 44, "too low for a thumb"
    if width == "narrow":
        assert button["width"] >= 280
    pale = [text for text in found["texts"] if text["contrast"] < 4.5]
    assert pale == []
    assert min(text["size"] for text in found["texts"]) >= 13
    assert (found["page"] < 0.05) if scheme == "dark" else (found["page"] > 0.8)


@pytest.mark.parametrize("kind", list(T))
def test_a_mail_can_be_read_everywhere(kind, sent, seen):
    letters = sample_letters(kind)
    assert letters
    for letter in letters:
        for (width, scheme), found in seen(sent(letter)).items():
            assert_it_can_be_read(found, width, scheme)
            words = found["words"]
            assert found["amount"] == letter.amount
            assert all(re.match(r"\d{1,3}(,\d{3})*\.\d\d(?!\d)", rest) for rest in words.split("₦")[1:])
            assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d", words), "dates are said as people say them"
            assert f"Hello {letter.reader.first_name}," in words
            assert "You get this e-mail because" in words
            assert letter.notification.message[:40] not in words[:40], "the preheader shows"


def test_long_names_addresses_and_links_stay_inside(sent, seen):
    for kind in (T.PAYMENT_CONFIRMED, T.ISSUE_RAISED, T.BANK_ACCOUNT_CHANGED, T.ANNOUNCEMENT):
        letter = sample_letter(kind)
        letter.reader.first_name = "Oluwadamilola-Ayọ̀mídé"
        letter.words = "Https://maps.example.com/" + "x" * 120
        letter.notification.message += "\n\nhttps://example.com/" + "y" * 120
        letter.notification.title += " " + "z" * 60
        if letter.request:
            letter.request.category.name = "Electrical installation and repairs"
            letter.request.client.last_name = "Nwachukwu-Ogunbanjo-Adébáyọ̀-Oghenekaro"
            letter.request.client_address = (
                "Flat 14, Block 7B, Alhaji Sulaimon Olanrewaju Estate, off Lekki-Epe Expressway, opposite the Mobil "
                "filling station, Sangotedo, Ajah, Eti-Osa, Lagos"
            )
        letter.records["bank_account"].account_name = "OLUWADAMILOLA AYOMIDE NWACHUKWU-OGUNBANJO"
        letter.records["payment"].paystack_reference = "SR-7K3Q9-F-" + "0123456789abcdef" * 4
        for (width, scheme), found in seen(sent(letter)).items():
            assert_it_can_be_read(found, width, scheme)


# --- The contact sheets

MOMENT = datetime(2026, 11, 25, 10, 0, tzinfo=clock.LAGOS)
"""When the sheets are taken, so that they change only when a mail does."""
COLUMNS = {"wide": 5, "narrow": 9}
SCALE = 0.55
HEAVIEST = 500_000
"""Bytes of a sheet: the four stay below 2 MB."""


@pytest.mark.parametrize(("width", "scheme"), VARIANTS)
def test_all_of_them_fit_on_a_sheet(width, scheme, sent, page, settings, tmp_path):
    settings.SITE_URL, settings.FRONTEND_URL = "https://api.serviceman.example", "https://app.serviceman.example"
    with clock.at(MOMENT):
        mails = [{"type": kind.value, "html": sent(sample_letter(kind))} for kind in T]
    page.emulate_media(color_scheme=scheme)
    heights = page.evaluate(
        SHEET,
        {
            "mails": mails,
            "width": WIDTHS[width],
            "columns": COLUMNS[width],
            "title": f"Every e-mail, {WIDTHS[width]} pixels wide, {scheme}",
        },
    )
    assert list(heights) == list(T)
    assert min(heights.values()) > 300
    picture = webp(page, quality=60, scale=SCALE)
    assert len(picture) < HEAVIEST
    home = Path(os.environ.get("CONTACT_SHEETS") or tmp_path)
    (home / f"mails-{width}-{scheme}.webp").write_bytes(picture)


def test_all_four_stand_in_docs():
    docs = Path(__file__).parents[3] / "docs"
    pictures = [f"pictures/mails-{width}-{scheme}.webp" for width, scheme in VARIANTS]
    assert re.findall(r"\]\((pictures/.+?)\)", (docs / "mails.md").read_text()) == pictures
    assert sum((docs / picture).stat().st_size for picture in pictures) < 4 * HEAVIEST
