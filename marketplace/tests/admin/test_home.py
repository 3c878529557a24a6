"""The home page: greeting, the work that waits, figures, charts; the sign-in; the search; exports."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from core import clock
from marketplace.admin.queues import QUEUES
from marketplace.models import Issue, Notification, Payment, Refund, ServicemanProfile, ServiceRequest
from marketplace.services import assignment, ratings, requests, work
from marketplace.tests.books import enter

pytestmark = pytest.mark.django_db

HOME = "/admin/"


def cards(client):
    return {card["queue"].key: card for card in client.get(HOME).context["queues"]}


def test_an_empty_marketplace_has_a_calm_home_page(console, boss):
    answer = console(boss).get(HOME)
    assert answer.status_code == 200
    html = answer.content.decode()
    assert "Ngozi" in html
    assert html.count("Nothing waits") == len(QUEUES)
    assert "No payments in these days" in html
    assert {stat["told"] for stat in answer.context["stats"]} == {""}


@pytest.mark.parametrize(
    ("hour", "words"), [(5, "Good morning"), (13, "Good afternoon"), (20, "Good evening"), (23, "Good morning")]
)
def test_it_greets_by_the_hour_in_lagos(hour, words, console, boss):
    client = console(boss)
    with clock.at(datetime(2026, 3, 1, hour, 30, tzinfo=UTC)):
        assert client.get(HOME).context["greeting"] == words


def test_cards_outside_the_requests_count_too(console, boss, request_in, ada, make_serviceman):
    ServicemanProfile.objects.update(approval="APPROVED")
    make_serviceman("sani", profile={"approval": "PENDING"})
    make_serviceman("unproven", profile={"approval": "PENDING"}, is_email_verified=False)
    record = request_in("CANCELLED")
    late = Payment.objects.create(
        service_request=record, payment_type="INITIAL_BOOKING", amount=2000, status="SUCCESSFUL", outcome="LATE",
        paystack_reference="late",
    )  # fmt: skip
    Refund.objects.create(payment=late, amount=2000, reason="Late.")
    old = clock.now() - timedelta(hours=1)
    Notification.objects.create(user=ada, notification_type="WELCOME", title="T", message="M", created_at=old)
    Notification.objects.create(user=ada, notification_type="WELCOME", title="T", message="M")
    client = console(boss)
    shown = cards(client)
    for key in ("applications", "at_risk", "to_decide", "unsent"):
        assert shown[key]["count"] == 1, key
        listed = client.get(shown[key]["queue"].url)
        rows = listed.context["kinds"][0]["lines"] if key == "at_risk" else listed.context["cl"].result_list
        assert len(rows) == 1, key
    Refund.objects.update(status="PROCESSED")
    assert cards(console(boss))["at_risk"]["count"] == 0


def test_an_issue_of_a_closed_request_waits_for_nobody(console, boss, request_in):
    for status in ("IN_PROGRESS", "CANCELLED", "COMPLETED"):
        Issue.objects.create(request=request_in(status), kind="OTHER", message="?")
    assert cards(console(boss))["issues"]["count"] == 1


def test_a_card_that_waits_for_more_than_a_day_is_marked(console, boss, request_in):
    request_in("PENDING_ADMIN_ASSIGNMENT", status_since=clock.now() - timedelta(hours=25))
    request_in("WORK_COMPLETED", status_since=clock.now() - timedelta(hours=23))
    shown = cards(console(boss))
    assert (shown["to_assign"]["hot"], shown["to_verify"]["hot"]) == (True, False)


def test_the_figures_are_right_and_compared_with_the_days_before(console, boss, request_in, ada, tunde, bola):
    def day(number):
        """A job is verified, and another request assigned after an hour, and cancelled."""
        with clock.at(clock.now() - timedelta(days=number)):
            done = request_in("WORK_COMPLETED")
            enter(done)
            work.verify_completion(done.pk, by=boss)
            lost = enter(request_in("PENDING_ADMIN_ASSIGNMENT"))
            with clock.at(timedelta(hours=1)):
                assignment.assign_serviceman(lost.pk, serviceman_id=tunde.pk, backup_id=bola.pk, by=boss)
                requests.cancel(lost.pk, reason="No.", by=boss)
            return done

    day(40)
    ratings.rate(day(1).pk, rating=4, by=ada)
    with clock.at(clock.now() - timedelta(days=1)):
        requests.book(
            category_id=ServiceRequest.objects.first().category_id,
            booking_date=clock.today() + timedelta(days=9),
            client_address="12 Allen Avenue",
            service_description="Drips.",
            by=ada,
        )
    stats = {stat["title"]: stat for stat in console(boss).get(HOME).context["stats"]}
    assert stats["Collected"]["shown"] == "₦26,000.00"
    assert stats["Collected"]["change"] == 0
    assert stats["Platform revenue"]["shown"] == "₦6,000.00"  # also the fee that goes back: it counted
    assert stats["Take rate"]["shown"] == "23.1 %"
    assert stats["Requests"]["shown"] == "1"
    assert (stats["Completed"]["shown"], stats["Cancelled"]["shown"]) == ("50 %", "50 %")
    assert (stats["Time to assign"]["shown"], stats["Time to assign"]["told"]) == ("1 h", "0 %")
    assert (stats["Average rating"]["shown"], stats["Average rating"]["told"]) == ("4.00", "new")
    assert stats["Requests"]["told"] == "from 0"


def test_any_days_can_be_asked_for_and_are_compared_with_as_many_before(console, boss, request_in):
    today = clock.today()
    for days_ago in (10, 11, 14, 40):
        with clock.at(clock.now() - timedelta(days=days_ago)):
            enter(request_in("PENDING_ADMIN_ASSIGNMENT"))
    asked = {"start": today - timedelta(days=12), "end": today - timedelta(days=9)}
    context = console(boss).get(HOME, asked).context
    stats = {stat["title"]: stat for stat in context["stats"]}
    assert (stats["Collected"]["shown"], stats["Collected"]["told"]) == ("₦4,000.00", "+100 %")
    assert context["period"].title == f"{asked['start']:%-d %b %Y} to {asked['end']:%-d %b %Y}"
    assert len(context["charts"][0].labels) == 4
    rows = context["charts"][0].table
    assert sum(figures[0] != "₦0.00" for _, figures in rows) == 2


@pytest.mark.parametrize(("by", "columns"), [("", 14), ("day", 91), ("week", 14), ("month", 4)])
def test_long_spans_are_put_together_by_week_or_as_asked(by, columns, console, boss, request_in):
    with clock.at(datetime(2026, 3, 31, 12, tzinfo=UTC)):
        enter(request_in("PENDING_ADMIN_ASSIGNMENT"))
        asked = {"start": "2025-12-31", "end": "2026-03-31", "by": by}
        collected, work = console(boss).get(HOME, asked).context["charts"]
    assert len(collected.labels) == len(work.labels) == columns
    assert collected.labels[0] == {"month": "1 Dec 2025", "day": "31 Dec 2025"}.get(by, "29 Dec 2025")
    assert collected.table[-1][1][0] == "₦2,000.00"


def test_each_role_sees_its_part(console, make_admin):
    for role in ("dispatcher", "pricing", "finance", "viewer"):
        context = console(make_admin(role)).get(HOME).context
        assert len(context["queues"]) == len(QUEUES)
        assert context["stats"]


@pytest.mark.parametrize("days", ["7", "30", "90", "nonsense", "-1", "9999999"])
def test_other_spans_can_be_asked_for(days, console, boss, request_in):
    request_in("COMPLETED")
    answer = console(boss).get(HOME, {"days": days})
    assert answer.status_code == 200
    assert answer.context["period"].days == (int(days) if days in ("7", "30", "90") else 30)


def test_nothing_is_loaded_from_elsewhere(console, boss, request_in):
    record = request_in("NEGOTIATING")
    client = console(boss)
    for path in (HOME, reverse("admin:marketplace_servicerequest_change", args=[record.pk]), "/admin/login/"):
        html = client.get(path, follow=True).content.decode()
        for mark in ('src="http', "src='http", 'href="http', '="//', "@import", "url(http"):
            assert mark not in html, (path, mark)


@pytest.mark.parametrize(
    ("sandbox", "key", "label"),
    [(True, "sk_test_sandbox", "Sandbox"), (False, "sk_test_1", "Test money"), (False, "sk_live_1", None)],
)
def test_where_no_real_money_moves_every_page_says_so(sandbox, key, label, console, boss, settings):
    settings.PAYSTACK_SANDBOX, settings.PAYSTACK_SECRET_KEY = sandbox, key
    html = console(boss).get(HOME).content.decode()
    for each in ("Sandbox", "Test money"):
        assert (each in html) == (each == label)
        assert (f"<title>[{each}]" in html) == (each == label)


# --- The sign-in


def test_the_sign_in_takes_an_e_mail_and_leads_home(client, boss):
    answer = client.post("/admin/login/", {"username": "BOSS@example.com", "password": "Str0ng-enough"})
    assert (answer.status_code, answer["Location"]) == (302, HOME)


def test_a_client_cannot_sign_in_here(client, ada):
    answer = client.post("/admin/login/", {"username": "ada@example.com", "password": "Str0ng-enough"})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


def test_guessing_is_stopped_after_five_attempts_also_with_the_right_password(client, boss):
    wrong = {"username": "boss@example.com", "password": "guess"}
    answers = [client.post("/admin/login/", wrong).status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2
    late = client.post("/admin/login/", {"username": "boss@example.com", "password": "Str0ng-enough"})
    assert late.status_code == 429
    assert int(late["Retry-After"]) > 0
    assert "Too many attempts" in late.content.decode()
    assert "_auth_user_id" not in client.session


def test_guessing_one_account_from_many_addresses_is_stopped_too(client, boss):
    answers = [
        client.post(
            "/admin/login/", {"username": "boss@example.com", "password": "guess"}, REMOTE_ADDR=f"10.0.0.{n}"
        ).status_code
        for n in range(7)
    ]
    assert answers == [200] * 5 + [429] * 2


def test_looking_at_the_sign_in_costs_no_attempt(client, boss):
    for _ in range(10):
        assert client.get("/admin/login/").status_code == 200


# --- Exports (see test_exports.py)


def test_a_request_stays_exportable_by_nobody(console, boss):
    assert not hasattr(ServiceRequest, "export")
    assert console(boss).get("/admin/marketplace/servicerequest/export/").status_code in (302, 404)


# --- From a card straight to the row that is next


def test_the_next_of_a_queue_is_an_emergency_then_whatever_is_due_first(console, boss, request_in):
    now = clock.now()
    _, soon, _ = (request_in("PENDING_ADMIN_ASSIGNMENT", due_at=now + timedelta(hours=hours)) for hours in (5, 2, 9))
    urgent = request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True, due_at=now + timedelta(hours=20))
    client = console(boss)
    url = cards(client)["to_assign"]["queue"].first
    page = "admin:marketplace_servicerequest_change"
    assert client.get(url).url == f"{reverse(page, args=[urgent.pk])}?_changelist_filters=queue%3Dto_assign"
    ServiceRequest.objects.filter(pk=urgent.pk).update(is_emergency=False)
    assert client.get(url).url.startswith(reverse(page, args=[soon.pk]))


def test_the_next_application_is_the_oldest(console, boss, make_serviceman):
    first, _ = (make_serviceman(name, profile={"approval": "PENDING"}) for name in ("sani", "musa"))
    client = console(boss)
    url = cards(client)["applications"]["queue"].first
    assert client.get(url).url.startswith(
        reverse("admin:marketplace_servicemanprofile_change", args=[first.serviceman_profile.pk])
    )


def test_an_empty_queue_has_no_next(console, boss, make_admin):
    url = "/admin/marketplace/servicerequest/?queue=to_assign&first"
    assert "&amp;first" not in console(boss).get(HOME).content.decode()
    assert console(boss).get(url).url == "/admin/marketplace/servicerequest/?queue=to_assign"
    assert console(make_admin()).get(url).status_code == 403
