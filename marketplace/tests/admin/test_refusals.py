"""What the console says when a page is not yours, not there, or fails; and where a page says it is."""

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.admin import dashboard

pytestmark = pytest.mark.django_db

LEDGER = "admin:marketplace_ledgerentry_changelist"


def test_a_page_that_is_not_yours_keeps_the_frame_and_says_what_to_do(console, make_admin):
    answer = console(make_admin("dispatcher")).get(reverse(LEDGER))
    assert answer.status_code == 403
    html = answer.content.decode()
    assert "This is not yours to see or do" in html
    assert "All requests" in html, "the sidebar"
    assert "Reconciliation" not in html, "what he may not see is not in his sidebar"


def test_a_page_that_is_not_there_keeps_the_frame_too(console, boss):
    for path in ("/admin/nonsense/", reverse("admin:marketplace_payment_approve", args=[999_999])):
        answer = console(boss).get(path)
        assert answer.status_code == 404
        assert "There is nothing here" in answer.content.decode()
        assert "All requests" in answer.content.decode()


def test_strangers_see_nothing_of_the_frame(client, ada, console):
    for caller in (client, console(ada)):
        assert caller.get("/admin/nonsense/").status_code == 302
        answer = caller.get("/nonsense/")
        assert answer.status_code == 404
        assert "Serviceman" not in answer.content.decode()


def test_a_form_with_an_old_token_says_so(console, boss, request_in):
    url = reverse("admin:marketplace_servicerequest_verify", args=[request_in("WORK_COMPLETED").pk])
    answer = console(boss, enforce_csrf_checks=True).post(url, {"_form_submitted": "on"})
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()
    stranger = Client(enforce_csrf_checks=True).post("/admin/login/", {})
    assert stranger.status_code == 403
    assert 'id="nav-sidebar' not in stranger.content.decode()
    assert "Console" not in stranger.content.decode()


def test_a_failure_has_a_page_that_needs_no_database(console, boss, monkeypatch):
    def fails(*args):
        raise RuntimeError

    client = console(boss, raise_request_exception=False)
    monkeypatch.setattr(dashboard, "_cards", fails)
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 500
    html = answer.content.decode()
    assert "Something went wrong on our side" in html
    assert "Traceback" not in html
    assert "RuntimeError" not in html


def test_pages_say_where_they_are_in_the_words_of_the_sidebar(console, boss, tunde, request_in):
    client = console(boss)
    html = client.get(reverse("admin:marketplace_servicemanprofile_change", args=[tunde.serviceman_profile.pk]))
    head = html.content.decode().partition('id="header-inner"')[2].partition("</h1>")[0]
    assert [word in head for word in (">Home<", ">Servicemen<", ">Tunde Bello<")] == [True] * 3
    assert ">Marketplace<" not in head
    html = client.get(reverse("admin:marketplace_webhookevent_changelist")).content.decode()
    assert ">Events from Paystack<" in html.partition('id="header-inner"')[2].partition("</h1>")[0]
    assert "Webhook events | Serviceman</title>" in html


def test_the_way_back_from_a_page_keeps_the_filters_of_the_list(console, boss, request_in):
    record = request_in("WORK_COMPLETED")
    client = console(boss)
    listed = reverse("admin:marketplace_servicerequest_changelist")
    html = client.get(listed, {"queue": "to_verify"}).content.decode()
    page = reverse("admin:marketplace_servicerequest_change", args=[record.pk])
    query = "_changelist_filters=queue%3Dto_verify"
    assert f'{page}?{query}"' in html
    assert f'href="{listed}?queue=to_verify" class="block' in client.get(f"{page}?{query}").content.decode()
