"""GET /api/service-requests/{id}/timeline/."""

from datetime import timedelta
from decimal import Decimal

from django_fsm import FSMField

from core import clock
from marketplace.api.requests.timeline import TOLD
from marketplace.models import ServiceRequest
from marketplace.services import assignment, issues, negotiations, pricing, requests, work

PATH = "/api/service-requests/{}/timeline/"


def lines(caller, request):
    answer = caller.get(PATH.format(request.pk))
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def haggle(request, *, ada, tunde, boss):
    """From offer to work: everything that money can do."""
    assignment.accept_job(request.pk, by=tunde)
    work.submit_estimate(request.pk, amount=Decimal(20000), by=tunde)
    pricing.set_final_cost(request.pk, amount=Decimal(23000), reason="Far away.", by=boss)
    proposal = negotiations.propose_price(request.pk, amount=Decimal(21000), message="21,000 is all I have.", by=ada)
    negotiations.consult_serviceman(proposal.pk, message="Would you do it for 19,500?", by=boss)
    negotiations.answer_consultation(proposal.pk, message="Yes, if it is soon.", by=tunde)
    negotiations.accept_proposal(proposal.pk, by=boss)


def test_every_step_of_the_workflow_has_words():
    field = next(field for field in ServiceRequest._meta.fields if isinstance(field, FSMField))
    steps = {transition.name for transition in field.get_all_transitions(ServiceRequest)}
    assert set(TOLD) == steps | {"book"}


def test_an_admin_reads_every_step_with_names_and_reasons(as_, ada, tunde, boss, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    haggle(request, ada=ada, tunde=tunde, boss=boss)
    told = lines(as_(boss), request)
    assert [line["event"] for line in told] == [
        "accept",
        "submit_estimate",
        "set_final_cost",
        "propose_price",
        "consult",
        "answer",
        "accept_proposal",
        "approve_price",
    ]
    assert told[0] == {
        "at": told[0]["at"],
        "event": "accept",
        "actor_role": "SERVICEMAN",
        "actor_name": "Tunde Bello",
        "text": "Accepted the job.",
    }
    assert told[2]["text"] == "Set the price: ₦23,000.00: Far away."
    assert told[4]["text"] == "Asked the serviceman: Would you do it for 19,500?"


def test_the_client_reads_no_estimate_no_question_and_no_admins_name(as_, ada, tunde, boss, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    haggle(request, ada=ada, tunde=tunde, boss=boss)
    told = lines(as_(ada), request)
    assert {"consult", "answer"}.isdisjoint(line["event"] for line in told)
    words = str(told)
    for secret in ("20,000", "19,500", "Far away", "Ngozi", "Yes, if"):
        assert secret not in words
    assert "The price is ₦23,000.00." in words
    assert "21,000 is all I have" in words
    assert (told[2]["actor_role"], told[2]["actor_name"]) == ("ADMIN", None)


def test_the_serviceman_reads_his_estimate_and_question_and_no_price(as_, ada, tunde, boss, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    haggle(request, ada=ada, tunde=tunde, boss=boss)
    words = str(lines(as_(tunde), request))
    for secret in ("23,000", "21,000", "Far away", "Ngozi"):
        assert secret not in words
    assert "Estimated ₦20,000.00." in words
    assert "Asked you about the price: Would you do it for 19,500?" in words
    assert "Ada Obi" in words


def test_the_backup_reads_only_what_moves_him(as_, ada, tunde, bola, boss, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    haggle(request, ada=ada, tunde=tunde, boss=boss)
    told = lines(as_(bola), request)
    assert [line["event"] for line in told] == ["accept", "submit_estimate"]
    assert {line["actor_name"] for line in told} == {None}
    assert "20,000" not in str(told)


def test_who_takes_over_reads_nothing_of_who_left(as_, ada, tunde, bola, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    assignment.decline_job(request.pk, reason="My knee hurts.", by=tunde)
    (line,) = lines(as_(bola), request)
    assert (line["text"], line["actor_name"]) == ("The job has passed on to you.", None)
    (line,) = lines(as_(ada), request)
    assert "knee" not in line["text"]
    assert as_(tunde).get(PATH.format(request.pk)).status_code == 404


def test_what_the_system_does_is_said_so(as_, ada, request_in):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    with clock.at(timedelta(days=15)):
        requests.cancel(request.pk, reason="Nobody answered for 14 days.", by=None)
    (line,) = lines(as_(ada), request)
    assert (line["actor_role"], line["actor_name"]) == ("SYSTEM", None)
    assert line["text"] == "Cancelled: Nobody answered for 14 days."


def test_acting_for_somebody_is_said_to_admins(as_, ada, boss, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    assignment.accept_job(request.pk, by=boss, on_behalf=True, reason="He said so on the phone.")
    (line,) = lines(as_(boss), request)
    assert line["actor_name"] == "Ngozi Eze for Tunde Bello"
    assert line["text"] == "Accepted the job: He said so on the phone."
    (line,) = lines(as_(ada), request)
    assert (line["actor_name"], line["text"]) == (None, "Accepted the job.")


def test_the_words_of_an_issue_are_for_whoever_may_read_it(as_, ada, tunde, boss, request_in):
    request = request_in("IN_PROGRESS")
    issues.raise_issue(request.pk, kind="SAFETY", message="A cable is bare.", by=ada)
    issues.raise_issue(request.pk, kind="OTHER", message="Suspected of theft.", by=boss)
    for person, known in ((ada, True), (tunde, True)):
        told = str(lines(as_(person), request))
        assert ("A cable is bare" in told) is known
        assert "theft" not in told
    assert "theft" in str(lines(as_(boss), request))


def test_it_is_read_page_by_page(as_, ada, tunde, boss, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    haggle(request, ada=ada, tunde=tunde, boss=boss)
    seen, path = [], f"{PATH.format(request.pk)}?limit=3"
    while path:
        page = as_(boss).get(path).json()
        seen += page["items"]
        path = page["next"]
    assert seen == lines(as_(boss), request)


def test_others_find_nothing(as_, eve, make_serviceman, make_admin, request_in):
    request = request_in("IN_PROGRESS")
    assert as_(eve).get(PATH.format(request.pk)).status_code == 404
    assert as_(make_serviceman("sani")).get(PATH.format(request.pk)).status_code == 404
    assert as_(make_admin()).get(PATH.format(request.pk)).status_code == 403
