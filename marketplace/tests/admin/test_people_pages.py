"""The pages of a serviceman and of a client: how he does, what was booked and paid, for whoever may see each part."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from marketplace import analytics
from marketplace.models import Payment, Rating, Refund, UnavailableDate
from marketplace.services import assignment, work
from marketplace.tests.books import enter

pytestmark = pytest.mark.django_db


def serviceman_page(user):
    return reverse("admin:marketplace_servicemanprofile_change", args=[user.serviceman_profile.pk])


def client_page(user):
    return reverse("admin:marketplace_clientprofile_change", args=[user.client_profile.pk])


def shown(answer):
    page = answer.context["page_of_person"]
    return {figure["title"]: figure for figure in page["figures"]}, {part.title: part for part in page["parts"]}


def test_a_serviceman_is_shown_with_how_he_does(console, boss, request_in, ada, tunde, bola):
    done = enter(request_in("COMPLETED"))
    Rating.objects.create(service_request=done, client=ada, serviceman=tunde, rating=4, review="Clean work.")
    request_in("IN_PROGRESS")
    request_in("IN_PROGRESS", serviceman=bola)
    UnavailableDate.objects.create(serviceman=tunde, date=clock.today() - timedelta(days=1))
    UnavailableDate.objects.create(serviceman=tunde, date=clock.today() + timedelta(days=1))
    answer = console(boss).get(serviceman_page(tunde))
    figures, parts = shown(answer)
    assert figures["Offers answered"]["shown"] == "2 of 2"
    assert figures["Earned"]["shown"] == "₦20,000.00"
    assert [len(parts[title].rows) for title in ("Jobs he has now", "Offers", "What clients say", "Days off")] == [
        1, 3, 1, 1,
    ]  # fmt: skip
    html = answer.content.decode()
    assert "Clean work." in html
    assert done.code in html
    for part in parts.values():
        assert console(boss).get(part.url).status_code == 200


def test_on_time_are_the_steps_he_took_before_their_deadline(console, boss, request_in, tunde):
    now = clock.now()
    for hours in (1, 48):
        with clock.at(now):
            record = request_in("PENDING_ADMIN_ASSIGNMENT")
            assignment.assign_serviceman(record.pk, serviceman_id=tunde.pk, by=boss)
        with clock.at(now + timedelta(hours=1)):
            assignment.accept_job(record.pk, by=tunde)
        with clock.at(now + timedelta(days=30, hours=hours) if hours > 1 else now + timedelta(hours=2)):
            work.submit_estimate(record.pk, amount=Decimal(20000), by=tunde)
    timely = analytics.timeliness(tunde)
    assert (timely.taken, timely.in_time) == (4, 3)
    figures, _ = shown(console(boss).get(serviceman_page(tunde)))
    assert (figures["On time"]["shown"], figures["On time"]["hint"]) == ("75 %", "3 of 4 steps in time")


def test_a_client_is_shown_with_requests_and_money(console, boss, request_in, ada, eve):
    done = request_in("COMPLETED")
    request_in("CANCELLED")
    request_in("PENDING_ADMIN_ASSIGNMENT")
    request_in("COMPLETED", client=eve)
    fee = done.payments.get(payment_type="INITIAL_BOOKING")
    Refund.objects.create(payment=fee, amount=500, reason="Kind.", status="PROCESSED", processed_at=clock.now())
    Refund.objects.create(payment=fee, amount=300, reason="Kind.")
    Refund.objects.create(payment=fee, amount=200, reason="Kind.", status="WAIVED")
    client = console(boss)
    figures, parts = shown(client.get(client_page(ada)))
    assert {title: figure["shown"] for title, figure in figures.items()} == {
        "Requests": "3",
        "Completed": "1",
        "Paid": "₦26,000.00",
        "Went back": "₦500.00",
    }
    assert figures["Went back"]["hint"] == "₦300.00 still to go back"
    assert [len(parts[title].rows) for title in ("Requests", "Payments")] == [3, 3]
    assert len(client.get(parts["Requests"].url).context["cl"].result_list) == 3
    assert len(client.get(parts["Payments"].url).context["cl"].result_list) == 3


def test_each_part_is_for_whoever_may_see_its_rows(console, make_admin, request_in, ada, tunde):
    request_in("COMPLETED")
    clerk = make_admin()
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=["view_servicemanprofile", "view_clientprofile", "view_offer"])
    )
    _, parts = shown(console(clerk).get(serviceman_page(tunde)))
    assert list(parts) == ["Offers"]
    figures, parts = shown(console(clerk).get(client_page(ada)))
    assert (figures, parts) == ({}, {})


def test_the_pages_take_the_same_statements_however_much_there_is(console, boss, request_in, ada, tunde):
    client, counts = console(boss), []
    for rounds in (1, 4):
        for n in range(rounds):
            record = request_in("COMPLETED")
            request_in("IN_PROGRESS")
            Rating.objects.create(service_request=record, client=ada, serviceman=tunde, rating=4)
            UnavailableDate.objects.create(serviceman=tunde, date=clock.today() + timedelta(days=rounds * 10 + n))
        for page in (serviceman_page(tunde), client_page(ada)):
            client.get(page)
            with CaptureQueriesContext(connection) as captured:
                client.get(page)
            counts.append(len(captured))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 12
    assert Payment.objects.exists()
