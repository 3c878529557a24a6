"""The work, from the console: start and completion for the serviceman, verifying, returning, issues."""

import pytest

from marketplace.models import Issue, LedgerEntry, ServiceRequest

pytestmark = pytest.mark.django_db


def fresh(record):
    return ServiceRequest.objects.get(pk=record.pk)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("start_work", "PAYMENT_CONFIRMED", "IN_PROGRESS"), ("complete_work", "IN_PROGRESS", "WORK_COMPLETED")],
)
def test_a_step_is_taken_for_the_serviceman_with_a_reason(
    name, before, after, console, boss, open_dialog, request_in, tunde
):
    record = request_in(before)
    client = console(boss)
    assert "This field is required" in open_dialog(client, record, name).content.decode()
    open_dialog(client, record, name, reason="Called us from the site.")
    assert fresh(record).status == after
    assert fresh(record).history.latest().on_behalf_of == tunde


def test_verifying_completes_the_request_and_books_what_was_earned(console, boss, open_dialog, said, request_in):
    record, client = request_in("WORK_COMPLETED"), console(boss)
    dialog = open_dialog(client, record, "verify", method="get").content.decode()
    assert "Sent to the client and the serviceman." in dialog
    open_dialog(client, record, "verify", message="Saw the pictures.")
    assert said(client) == ["Verified: the request is completed."]
    assert fresh(record).status == "COMPLETED"
    assert LedgerEntry.objects.filter(request=record, kind="completion_earned").exists()


def test_an_open_issue_stands_in_the_way_until_it_is_resolved(console, boss, open_dialog, said, request_in):
    record, client = request_in("WORK_COMPLETED"), console(boss)
    open_dialog(client, record, "raise_issue", kind="QUALITY", message="It still leaks.")
    open_dialog(client, record, "verify")
    assert "An issue is open: resolve it first." in said(client)
    assert fresh(record).status == "WORK_COMPLETED"
    issue = Issue.objects.get(request=record)
    open_dialog(client, record, "resolve_issue", issue=issue.pk, resolution="Tightened the nut.")
    open_dialog(client, record, "verify")
    assert fresh(record).status == "COMPLETED"


def test_only_an_issue_of_this_request_can_be_resolved_here(console, boss, open_dialog, request_in):
    record, other = request_in("WORK_COMPLETED"), request_in("IN_PROGRESS")
    client = console(boss)
    for of in (record, other):
        open_dialog(client, of, "raise_issue", kind="OTHER", message="Hm.")
    strange = Issue.objects.get(request=other)
    answer = open_dialog(client, record, "resolve_issue", issue=strange.pk, resolution="Done.")
    assert "not one of the available choices" in answer.content.decode()
    assert Issue.objects.filter(resolved_at=None).count() == 2


def test_returning_wants_a_reason(console, boss, open_dialog, request_in):
    record, client = request_in("WORK_COMPLETED"), console(boss)
    assert "This field is required" in open_dialog(client, record, "return_to_work", reason="  ").content.decode()
    open_dialog(client, record, "return_to_work", reason="The wall is still open.")
    assert fresh(record).status == "IN_PROGRESS"


def test_a_dialog_that_is_not_possible_now_sends_back_with_the_reason(console, boss, open_dialog, said, request_in):
    record, client = request_in("IN_PROGRESS"), console(boss)
    for method in ("get", "post"):
        assert open_dialog(client, record, "verify", method=method).headers["HX-Redirect"]
        assert said(client) == ["This cannot be done while the request is: In progress."]
    assert fresh(record).status == "IN_PROGRESS"
