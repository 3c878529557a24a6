import re
from datetime import timedelta

import pytest
from django.test import Client

from core import clock, tokens
from core.models import User
from marketplace.models import Notification
from marketplace.tests.people import PASSWORD

NEW = "Quite-d1fferent"
pytestmark = pytest.mark.django_db


@pytest.fixture
def kemi(make_client):
    return make_client("kemi", is_email_verified=False)


@pytest.fixture
def browser():
    return Client(enforce_csrf_checks=True)


def send(browser, path, **fields):
    """Submit the form that stands at `path`, as a browser would."""
    page = browser.get(path).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return browser.post(path, hidden | fields)


def test_opening_the_link_uses_nothing_up(client, kemi, ada):
    for path, token in (
        ("/verify-email", tokens.verify_email.make(kemi)),
        ("/reset-password", tokens.reset_password.make(ada)),
    ):
        for method in (client.get, client.head, client.get):
            assert method(path, {"token": token}).status_code == 200
    assert not User.objects.get(pk=kemi.pk).is_email_verified
    assert not Notification.objects.exists()


def test_the_button_confirms_the_address(browser, kemi):
    page = send(browser, f"/verify-email?token={tokens.verify_email.make(kemi)}")
    assert page.status_code == 200
    assert b"is confirmed" in page.content
    assert User.objects.get(pk=kemi.pk).is_email_verified


def test_a_used_or_old_link_offers_a_new_mail(browser, kemi):
    token = tokens.verify_email.make(kemi)
    with clock.at(timedelta(days=4)):
        page = send(browser, f"/verify-email?token={token}")
    assert page.status_code == 422
    assert b'type="email"' in page.content
    page = send(browser, "/verify-email", email="kemi@example.com")
    assert page.status_code == 200
    assert Notification.objects.get().notification_type == "EMAIL_VERIFICATION"


def test_a_new_password_is_set(browser, ada):
    page = send(browser, f"/reset-password?token={tokens.reset_password.make(ada)}", password=NEW)
    assert page.status_code == 200
    assert User.objects.get(pk=ada.pk).check_password(NEW)


@pytest.mark.parametrize("weak", ["", "weak", "Aa1" + "x" * 126])
def test_a_weak_password_is_explained_and_may_be_mended(browser, ada, weak):
    path = f"/reset-password?token={tokens.reset_password.make(ada)}"
    page = send(browser, path, password=weak)
    assert page.status_code == 422
    assert b'role="alert"' in page.content
    assert b'name="password"' in page.content
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)
    assert send(browser, path, password=NEW).status_code == 200


def test_a_forgotten_password_is_mailed_for(browser, ada):
    for email in ("ada@example.com", "nobody@example.com", "nonsense"):
        assert b"on its way" in send(browser, "/reset-password", email=email).content
    assert Notification.objects.get().notification_type == "PASSWORD_RESET"


@pytest.mark.parametrize("path", ["/verify-email", "/reset-password"])
@pytest.mark.parametrize("token", ["x", "%00", "%ED%A0%80", "<script>", "'\"", "a" * 5000, "é"])
def test_nonsense_is_answered_in_words(browser, db, path, token):
    page = send(browser, f"{path}?token={token}", password=NEW)
    assert page.status_code in (200, 422)
    assert b"<script>" not in page.content


@pytest.mark.parametrize("path", ["/verify-email", "/reset-password"])
def test_a_form_of_another_site_is_refused(browser, ada, path):
    assert browser.post(path, {"token": "x"}).status_code == 403


def test_pages_share_the_limits_of_the_api(client, as_, ada):
    for number in range(5):
        as_().post("/api/auth/forgot-password/", {"email": f"p{number}@example.com"})
    page = client.post("/reset-password", {"email": "ada@example.com"})
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0
    assert not Notification.objects.exists()


@pytest.mark.parametrize("path", ["/verify-email?token=x", "/reset-password?token=x", "/payment/callback?reference=x"])
def test_pages_load_nothing_and_are_kept_nowhere(client, db, path):
    page = client.get(path)
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "same-origin"
    assert not re.search(rb'(?:src|href)="', page.content)


# --- Back from Paystack


def callback(client, reference):
    return client.get("/payment/callback", {"reference": reference, "trxref": reference})


@pytest.mark.parametrize(
    ("fields", "words", "looks_again"),
    [
        ({"status": "PENDING", "outcome": None, "paid_at": None}, b"We are checking", True),
        ({}, b"Thank you, your payment arrived", False),
        ({"outcome": "LATE"}, b"not needed any more", False),
        ({"status": "FAILED", "outcome": None}, b"did not go through", False),
    ],
)
def test_the_payer_sees_how_it_stands(client, request_in, fields, words, looks_again):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    payment = request.payments.get()
    type(payment).objects.filter(pk=payment.pk).update(**fields)
    page = callback(client, payment.paystack_reference)
    assert words in page.content
    assert (b'http-equiv="refresh"' in page.content) == looks_again
    assert b"2,000" not in page.content


@pytest.mark.parametrize("reference", ["", "unknown", "\x00", "<b>", "x" * 500])
def test_an_unknown_reference_is_answered_in_words(client, db, reference):
    page = callback(client, reference)
    assert page.status_code == 200
    assert b"do not know this payment" in page.content
    assert b"<b>" not in page.content


def test_a_mailed_link_to_a_request_leads_somewhere_and_shows_nothing_of_it(client, request_in, ada):
    request = request_in("COMPLETED")
    page = client.get(f"/service-requests/{request.pk}")
    assert page.status_code == 200
    assert "Open this request in your app" in page.content.decode()
    for private in (request.code, request.client_address, ada.first_name):
        assert private not in page.content.decode()


def test_the_start_page_leads_to_the_console_and_the_reference(client):
    page = client.get("/").content.decode()
    assert 'href="/admin/"' in page
    assert 'href="/api/docs/"' in page


def test_with_a_frontend_those_links_are_its_own(client, settings):
    settings.FRONTEND_URL = "https://app.example.com"
    assert client.get("/service-requests/7").headers["Location"] == "https://app.example.com/service-requests/7"
