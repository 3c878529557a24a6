"""Finding a serviceman from the console: the ranked candidates, the offer, and answering it for him."""

from datetime import timedelta

import pytest
from django.urls import reverse

from core import clock
from marketplace.models import Offer, ServiceRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(request_in, tunde, bola):
    """Paid, and nobody has the job."""
    return request_in("PENDING_ADMIN_ASSIGNMENT")


def fresh(record):
    return ServiceRequest.objects.get(pk=record.pk)


def test_the_dialog_lists_candidates_with_reasons_best_first(console, boss, open_dialog, paid, tunde, bola):
    ServiceRequest.objects.filter(pk=paid.pk).update(preferred_serviceman=bola)
    html = open_dialog(console(boss), paid, "assign", method="get").content.decode()
    assert html.index("Bola Ade") < html.index("Tunde Bello")
    for reason in ("Asked for by the client", "Plumbing", "Free on", "Not rated yet", "No open job"):
        assert reason in html


def test_it_offers_the_job_to_the_one_chosen_with_a_backup_and_a_note(
    console, boss, open_dialog, said, paid, tunde, bola
):
    client = console(boss)
    answer = open_dialog(client, paid, "assign", serviceman=bola.pk, backup=tunde.pk, notes="Ring twice.")
    assert answer.headers["HX-Redirect"] == reverse("admin:marketplace_servicerequest_change", args=[paid.pk])
    assert said(client) == ["Offered to Bola Ade."]
    record = fresh(paid)
    assert (record.status, record.serviceman, record.backup_serviceman) == ("ASSIGNED_TO_SERVICEMAN", bola, tunde)
    assert set(Offer.objects.filter(request=paid).values_list("notes", flat=True)) == {"Ring twice."}
    assert record.history.latest().history_user == boss


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Choose a serviceman."),
        ({"serviceman": "0"}, "He cannot be offered this job any more."),
        ({"serviceman": "x"}, "He cannot be offered this job any more."),
        ({"serviceman": "tunde", "backup": "tunde"}, "The backup must be another serviceman."),
    ],
)
def test_it_stays_open_and_says_what_is_wrong(values, words, console, boss, open_dialog, paid, tunde):
    chosen = {name: tunde.pk if value == "tunde" else value for name, value in values.items()}
    answer = open_dialog(console(boss), paid, "assign", **chosen)
    assert answer.status_code == 200
    assert "HX-Redirect" not in answer.headers
    assert words in answer.content.decode()
    assert fresh(paid).status == "PENDING_ADMIN_ASSIGNMENT"


def test_whoever_comes_second_is_told_and_sent_to_the_fresh_page(
    console, boss, make_admin, open_dialog, said, paid, tunde, bola
):
    second = console(make_admin("dispatcher"))
    open_dialog(console(boss), paid, "assign", serviceman=tunde.pk)
    answer = open_dialog(second, paid, "assign", serviceman=bola.pk)
    assert answer.headers["HX-Redirect"]
    assert "already" in said(second)[0]
    assert fresh(paid).serviceman == tunde


def test_when_nobody_fits_it_says_so_and_has_nothing_to_submit(console, boss, open_dialog, request_in, plumbing):
    from marketplace.models import ServicemanProfile

    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    ServicemanProfile.objects.update(is_available=False)
    html = open_dialog(console(boss), record, "assign", method="get").content.decode()
    assert "Nobody fits" in html
    assert "Send the offer" not in html


def test_a_candidate_with_another_job_that_day_is_marked(console, boss, open_dialog, paid, request_in, tunde):
    request_in("PAYMENT_CONFIRMED", booking_date=paid.booking_date)
    html = open_dialog(console(boss), paid, "assign", method="get").content.decode()
    assert html.count("Has another job that day") == 1


def test_reassigning_wants_a_reason_and_takes_the_job_from_whoever_had_it(
    console, boss, open_dialog, said, request_in, tunde, bola
):
    record = request_in("AWAITING_CLIENT_APPROVAL", backup_serviceman=None)
    client = console(boss)
    assert "become void" in open_dialog(client, record, "reassign", method="get").content.decode()
    chosen = {"serviceman": bola.pk, "replaces": tunde.pk}
    assert "This field is required" in open_dialog(client, record, "reassign", **chosen).content.decode()
    assert fresh(record).serviceman == tunde
    open_dialog(client, record, "reassign", **chosen, reason="Does not answer his phone.")
    assert said(client) == ["Taken back and offered to Bola Ade."]
    assert fresh(record).serviceman == bola
    assert fresh(record).final_cost is None


def test_reassigning_from_somebody_who_lost_the_job_meanwhile_is_refused(
    console, boss, open_dialog, said, request_in, tunde, bola
):
    record = request_in("AWAITING_CLIENT_APPROVAL", serviceman=tunde, backup_serviceman=None)
    client = console(boss)
    open_dialog(client, record, "reassign", serviceman=bola.pk, replaces=bola.pk, reason="Why not.")
    assert said(client) == ["The job is not his any more."]
    assert fresh(record).serviceman == tunde


@pytest.mark.parametrize(
    ("name", "accepted", "status"),
    [
        ("accept", False, "ASSIGNED_TO_SERVICEMAN"),
        ("decline", False, "ASSIGNED_TO_SERVICEMAN"),
        ("withdraw", True, "ASSIGNED_TO_SERVICEMAN"),
    ],
)
def test_an_admin_answers_for_the_serviceman_with_a_reason_and_the_trail_shows_both(
    name, accepted, status, console, boss, open_dialog, request_in, tunde
):
    record = request_in("ASSIGNED_TO_SERVICEMAN", accepted=accepted)
    client = console(boss)
    assert "This field is required" in open_dialog(client, record, name, reason="").content.decode()
    open_dialog(client, record, name, reason="Told us on the phone.")
    step = fresh(record).history.latest()
    assert (fresh(record).status, step.step) == (status, name)
    assert (step.history_user, step.on_behalf_of) == (boss, tunde)
    assert step.history_change_reason == "Told us on the phone."


def test_a_selection_is_offered_to_the_best_match_row_by_row(console, boss, said, request_in, tunde, bola):
    near = clock.today() + timedelta(days=3)
    first, second = (request_in("PENDING_ADMIN_ASSIGNMENT", booking_date=near) for _ in "12")
    taken = request_in("IN_PROGRESS")
    client = console(boss)
    client.post(
        reverse("admin:marketplace_servicerequest_changelist"),
        {"action": "assign_best_match", "_selected_action": [first.pk, second.pk, taken.pk]},
    )
    told = said(client)
    assert len(told) == 3
    assert sum("offered to" in line for line in told) == 2
    assert any(f">{taken.code}</a>" in line and "offered" not in line for line in told)
    for record in (first, second, taken):
        page = reverse("admin:marketplace_servicerequest_change", args=[record.pk])
        assert sum(f'href="{page}">{record.code}</a>' in line for line in told) == 1
    assert {fresh(first).serviceman, fresh(second).serviceman} == {tunde, bola}


def test_a_selection_is_marked_as_emergencies_row_by_row(console, boss, said, request_in, make_admin):
    plain, marked = request_in("IN_PROGRESS"), request_in("IN_PROGRESS", is_emergency=True)
    over = request_in("COMPLETED")
    chosen = {"action": "mark_emergency", "_selected_action": [plain.pk, marked.pk, over.pk]}
    url = reverse("admin:marketplace_servicerequest_changelist")
    console(make_admin("pricing")).post(url, chosen)
    assert not fresh(plain).is_emergency
    client = console(make_admin("dispatcher"))
    client.post(url, chosen)
    told = {line.partition("</a>")[0].rpartition(">")[2]: line.partition("</a>: ")[2] for line in said(client)}
    assert told[plain.code] == "is an emergency now."
    assert told[marked.code] == "is an emergency already."
    assert "Completed" in told[over.code]
    assert fresh(plain).is_emergency
    assert not fresh(over).is_emergency


def test_the_selection_is_refused_to_whoever_may_not_assign(console, make_admin, request_in):
    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    console(make_admin("pricing")).post(
        reverse("admin:marketplace_servicerequest_changelist"),
        {"action": "assign_best_match", "_selected_action": [record.pk]},
    )
    assert fresh(record).serviceman is None
