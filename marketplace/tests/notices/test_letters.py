"""Every type as an e-mail: both parts say the same, links stand whole, and each reader sees only what is his to see."""

import re
from copy import deepcopy
from functools import cache
from html import unescape

import pytest
from django.template import engines

from marketplace.enums import NotificationType
from marketplace.money import naira_text
from marketplace.notices.letters import link_of, render
from marketplace.notices.samples import ESTIMATE, PRICE, sample_letter, sample_letters

pytestmark = pytest.mark.django_db
T = NotificationType
LETTERS = [(kind.value, number) for kind in T for number in range(len(sample_letters(kind)))]
ABOUT_MONEY = [
    T.PAYMENT_RECEIVED,
    T.BOOKING_CONFIRMED,
    T.COST_ESTIMATE_READY,
    T.FINAL_COST_SET,
    T.NEGOTIATION_MESSAGE,
    T.SERVICEMAN_CONSULTED,
    T.SERVICEMAN_ANSWERED,
    T.PRICE_APPROVED,
    T.PAYMENT_CONFIRMED,
    T.PAYMENT_RECEIPT,
    T.MONEY_AT_RISK,
    T.REFUND_SENT,
    T.PAYOUT_SENT,
    T.REVENUE_REPORT,
]
"""Types about a price or a payment."""
ADDRESS = "12 Allen Avenue"


samples = cache(sample_letters)


@pytest.fixture(params=LETTERS, ids=lambda each: f"{each[0]}-{each[1]}")
def letter(request):
    kind, number = request.param
    return samples(kind)[number]


PARTS = {}


def rendered(letter):
    """The letter's parts: a sample is the same in every test here, so each is rendered once."""
    key = id(letter)
    if key not in PARTS:
        PARTS[key] = render(letter)
    return PARTS[key]


def plain(html):
    """What a person reads of the HTML part."""
    body = re.sub(r"(?s)<(style|title|head).*?</\1>|<div class=\"preheader.*?</div>|<!--.*?-->|</?span.*?>", "", html)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_both_parts_say_what_happened(letter):
    subject, text, html = rendered(letter)
    assert subject == letter.notification.title
    said = " ".join(letter.notification.message.split())
    assert said in " ".join(text.split())
    assert said in plain(html)


def test_the_link_stands_whole_on_a_line_of_the_text_and_behind_the_button(letter):
    _, text, html = rendered(letter)
    link = link_of(letter)
    assert link.startswith("http://127.0.0.1:8000/")
    assert link in text.splitlines()
    assert html.count(f'href="{link}"') == 2


def test_the_amount_stands_in_subject_or_message_and_in_both_parts(letter):
    _, text, html = rendered(letter)
    if letter.amount:
        assert letter.amount.startswith("₦")
        assert letter.amount in letter.notification.title + letter.notification.message
        assert text.count(letter.amount) >= 2
        assert plain(html).count(letter.amount) >= 2


@pytest.mark.parametrize("kind", ABOUT_MONEY)
def test_every_mail_about_a_price_or_a_payment_shows_naira(kind):
    for letter in sample_letters(kind):
        _, text, html = render(letter)
        assert re.search(r"₦[\d,]+\.\d\d", text)
        assert re.search(r"₦[\d,]+\.\d\d", plain(html))


def test_the_rows_are_the_same_in_both_parts(letter):
    _, text, html = rendered(letter)
    shown = dict(re.findall(r'<td class="name">(.+?)</td><td class="value">(.+?)</td>', html))
    for label, value in shown.items():
        assert f"{plain(label)}: {plain(value)}" in text


def test_the_text_part_is_plain_and_says_who_we_are(letter):
    _, text, html = rendered(letter)
    assert not re.search(r"</?[a-z]+|&[a-z#0-9]+;", text)
    for part in (text, plain(html)):
        assert part.count("Serviceman, home services in Nigeria") == 1


def test_the_preheader_is_the_message_and_hides_what_follows(letter):
    _, _, html = rendered(letter)
    hidden = unescape(re.search(r'(?s)<div class="preheader">(.*?)</div>', html)[1])
    assert hidden.startswith(letter.notification.message[:60].split("\n")[0])
    assert len(hidden) > 180


def test_an_emergency_that_is_over_does_not_look_like_one():
    looks = {render(each)[0].split(":")[0]: render(each)[2] for each in sample_letters(T.EMERGENCY_ALERT)}
    assert '<body class="urgent">' in looks["Emergency"]
    assert '<body class="calm">' in looks["Emergency lifted"]


def test_nothing_is_left_unsaid(letter):
    subject, text, html = rendered(letter)
    for part in (subject, text, plain(html)):
        assert not re.search(r"[{}]|None|the amount|\bby\.| [.,]|\(\)", part)


def test_a_client_never_sees_the_estimate(letter):
    if letter.reader.is_client:
        _, text, html = rendered(letter)
        assert naira_text(ESTIMATE) not in text + html
        assert "arkup" not in text + html


def test_a_serviceman_never_sees_the_clients_price(letter):
    if letter.reader.is_serviceman:
        _, text, html = rendered(letter)
        assert naira_text(PRICE) not in text + html
        assert "Ada" not in text + html


def test_a_serviceman_sees_the_address_only_once_he_has_accepted(letter):
    if letter.reader.is_serviceman and letter.request is not None:
        letter = deepcopy(letter)  # the others read the same sample
        letter.request.accepted_at = None
        _, text, html = render(letter)
        assert ADDRESS not in text + html


def test_the_address_is_there_when_he_needs_it():
    mine = next(each for each in sample_letters(T.PAYMENT_CONFIRMED) if each.reader.is_serviceman)
    assert ADDRESS in render(mine)[1]


def test_a_backup_does_not_see_it_although_somebody_has_accepted():
    letter = next(each for each in sample_letters(T.RESCHEDULED) if each.reader.is_serviceman)
    letter.reader.pk = 4
    assert ADDRESS not in "".join(render(letter))


def test_admins_are_led_to_the_console():
    for kind in T:
        for letter in sample_letters(kind):
            assert ("/admin/" in link_of(letter)) == letter.reader.is_admin


def test_people_are_led_to_the_app_where_there_is_one(settings):
    settings.FRONTEND_URL = "https://app.example.ng"
    assert link_of(sample_letter(T.BOOKING_CONFIRMED)).startswith("https://app.example.ng/service-requests/")
    assert link_of(sample_letter(T.WELCOME)) == "https://app.example.ng/"
    assert link_of(sample_letter(T.EMAIL_VERIFICATION)) == "https://app.example.ng/verify-email?token=sample"
    assert link_of(sample_letter(T.PAYMENT_RECEIVED)).startswith("http://127.0.0.1:8000/admin/")


def test_words_cannot_smuggle_in_markup():
    letter = sample_letter(T.REQUEST_CANCELLED)
    letter.words = '<script>alert("1")</script><a href="https://evil.example">here</a>'
    letter.notification.message = "<b>bold</b>"
    _, text, html = render(letter)
    assert "<script" not in html
    assert "<b>" not in html
    assert 'href="https://evil.example"' not in html
    assert letter.words in text


def test_the_html_fetches_nothing_and_knows_the_dark(letter):
    _, _, html = rendered(letter)
    assert not re.search(r"<(img|link|script|iframe)\b|url\(|@import|https?://(?!127\.0\.0\.1)", html)
    assert 'name="color-scheme"' in html
    assert "prefers-color-scheme: dark" in html


def test_both_parts_say_why_one_gets_it(letter):
    _, text, html = rendered(letter)
    assert text.count("You get this e-mail because") == plain(html).count("You get this e-mail because") == 1


def test_templates_are_small():
    for kind in T:
        for part in ("html", "txt"):
            source = engines["django"].get_template(f"emails/{kind.value.lower()}.{part}").template.source
            assert source.startswith('{% extends "emails/base.' + part + '" %}')
            assert len(source.splitlines()) <= 12
