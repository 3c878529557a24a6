"""/api/negotiations/."""

from decimal import Decimal

import pytest

from marketplace.models import Consultation, PriceNegotiation
from marketplace.services import negotiations, pricing, requests

PATH = "/api/negotiations/"


@pytest.fixture
def offer(request_in):
    """The body of a first proposal on a request of ada's that has a price."""
    request = request_in("AWAITING_CLIENT_APPROVAL")
    return {"service_request_id": request.pk, "proposed_amount": "18000.00", "message": "Can you do 18,000?"}


@pytest.fixture
def proposal(request_in):
    """Ada has proposed 18,000 for a price of 22,000."""
    return PriceNegotiation.objects.get(service_request=request_in("NEGOTIATING"))


def actions(caller, request_id):
    return caller.get(f"/api/service-requests/{request_id}/").json()["available_actions"]


def test_the_client_proposes_another_price(as_, ada, boss, offer):
    answer = as_(ada).post(PATH, offer)
    assert answer.status_code == 201, answer.content
    proposed = answer.json()
    assert answer["Location"] == f"{PATH}{proposed['id']}/"
    assert as_(ada).get(answer["Location"]).json() == proposed == as_(boss).get(answer["Location"]).json()
    assert proposed["proposed_by"] == {"id": ada.pk, "name": "Ada Obi", "role": "CLIENT"}
    assert (proposed["proposed_amount"], proposed["status"]) == ("18000.00", "PENDING")
    assert proposed["parent_negotiation_id"] is None
    seen = as_(ada).get(f"/api/service-requests/{offer['service_request_id']}/").json()
    assert (seen["status"], seen["waiting_on"]) == ("NEGOTIATING", "ADMIN")


def test_an_admin_may_propose_too(as_, boss, offer):
    answer = as_(boss).post(PATH, offer)
    assert (answer.status_code, answer.json()["proposed_by"]["role"]) == (201, "ADMIN")


def test_one_proposal_is_open_at_a_time(as_, ada, boss, offer):
    as_(ada).post(PATH, offer)
    assert as_(boss).post(PATH, offer).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("proposed_amount", "0.00"),
        ("proposed_amount", 18000),
        ("proposed_amount", "18000.001"),
        ("message", ""),
        ("message", "x" * 2001),
        ("service_request_id", "x"),
        ("status", "ACCEPTED"),
    ],
)
def test_a_bad_proposal_names_its_field(as_, ada, offer, field, value):
    answer = as_(ada).post(PATH, offer | {field: value})
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_who_may_answer_sees_so(as_, ada, boss, tunde, proposal):
    request_id = proposal.service_request_id
    assert "respond" in actions(as_(boss), request_id)
    assert "check-with-serviceman" in actions(as_(boss), request_id)
    assert "respond" in actions(as_(ada), request_id)
    assert "respond" not in actions(as_(tunde), request_id)


def test_accepting_makes_it_the_price_and_payment_is_next(as_, boss, ada, proposal):
    answer = as_(boss).post(f"{PATH}{proposal.pk}/respond/", {"action": "accept"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ACCEPTED")
    seen = as_(ada).get(f"/api/service-requests/{proposal.service_request_id}/").json()
    assert (seen["status"], seen["final_cost"], seen["price_version"]) == ("AWAITING_PAYMENT", "18000.00", 2)


def test_rejecting_leaves_the_price(as_, boss, ada, proposal):
    answer = as_(boss).post(f"{PATH}{proposal.pk}/respond/", {"action": "reject", "message": "Sorry."})
    assert (answer.status_code, answer.json()["status"]) == (200, "REJECTED")
    seen = as_(ada).get(f"/api/service-requests/{proposal.service_request_id}/").json()
    assert (seen["status"], seen["final_cost"]) == ("AWAITING_CLIENT_APPROVAL", "22000.00")


def test_countering_answers_the_new_proposal(as_, boss, ada, proposal):
    body = {"action": "counter", "proposed_amount": "20000.00", "message": "We can meet at 20,000."}
    answer = as_(boss).post(f"{PATH}{proposal.pk}/respond/", body)
    assert answer.status_code == 200, answer.content
    counter = answer.json()
    assert (counter["parent_negotiation_id"], counter["status"]) == (proposal.pk, "PENDING")
    assert (counter["proposed_amount"], counter["proposed_by"]["role"]) == ("20000.00", "ADMIN")
    assert as_(ada).get(f"{PATH}{proposal.pk}/").json()["status"] == "COUNTERED"
    assert as_(ada).post(f"{PATH}{counter['id']}/respond/", {"action": "accept"}).status_code == 200


def test_its_author_may_only_withdraw_it(as_, ada, boss, proposal):
    path = f"{PATH}{proposal.pk}/respond/"
    for body in ({"action": "accept"}, {"action": "reject"}, {"action": "counter", "proposed_amount": "1.00"}):
        answer = as_(ada).post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")
    assert as_(boss).post(path, {"action": "withdraw"}).status_code == 403
    assert as_(ada).post(path, {"action": "withdraw"}).json()["status"] == "WITHDRAWN"


def test_a_second_answer_is_409(as_, boss, proposal):
    path = f"{PATH}{proposal.pk}/respond/"
    as_(boss).post(path, {"action": "reject"})
    answer = as_(boss).post(path, {"action": "accept"})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_answered")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "agree"}, "action"),
        ({"action": "counter"}, "proposed_amount"),
        ({"action": "counter", "proposed_amount": None}, "proposed_amount"),
        ({"action": "counter", "proposed_amount": "0"}, "proposed_amount"),
        ({"action": "accept", "proposed_amount": "18000.00"}, "proposed_amount"),
        ({"action": "accept", "amount": "18000.00"}, "amount"),
    ],
)
def test_the_amount_goes_with_counter_and_only_then(as_, boss, proposal, body, field):
    answer = as_(boss).post(f"{PATH}{proposal.pk}/respond/", body)
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_the_thread_is_listed_oldest_first(as_, ada, boss, proposal):
    negotiations.counter_proposal(proposal.pk, amount=proposal.proposed_amount + 1000, by=boss)
    for person in (ada, boss):
        answer = as_(person).get(f"{PATH}?request_id={proposal.service_request_id}")
        assert [item["status"] for item in answer.json()["items"]] == ["COUNTERED", "PENDING"]


def test_the_list_wants_a_request_of_ones_own(as_, ada, eve, proposal):
    answer = as_(ada).get(PATH)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "request_id")
    assert as_(eve).get(f"{PATH}?request_id={proposal.service_request_id}").status_code == 404


def test_others_find_nothing_and_servicemen_no_prices(as_, eve, tunde, make_admin, proposal, offer):
    assert as_(eve).post(PATH, offer).status_code == 404
    assert as_(eve).get(f"{PATH}{proposal.pk}/").status_code == 404
    assert as_(eve).post(f"{PATH}{proposal.pk}/respond/", {"action": "accept"}).status_code == 404
    assert as_(tunde).get(f"{PATH}{proposal.pk}/").status_code == 403
    assert as_(tunde).post(PATH, offer).status_code == 403
    viewer = make_admin("viewer")
    assert as_(viewer).get(f"{PATH}{proposal.pk}/").status_code == 200
    assert as_(viewer).post(f"{PATH}{proposal.pk}/respond/", {"action": "accept"}).status_code == 403


# --- Asking the serviceman


def test_the_serviceman_is_asked_and_answers(as_, boss, tunde, ada, proposal):
    request_id = proposal.service_request_id
    asked = as_(boss).post(f"{PATH}{proposal.pk}/check-with-serviceman/", {"message": "For 16,000?"})
    assert (asked.status_code, asked.json()["id"]) == (200, proposal.pk)
    seen = as_(tunde).get(f"/api/service-requests/{request_id}/").json()
    assert seen["open_consultation"]["message"] == "For 16,000?"
    assert seen["open_consultation"]["negotiation_id"] == proposal.pk
    assert "serviceman-answer" in seen["available_actions"]
    assert as_(ada).get(f"/api/service-requests/{request_id}/").json()["open_consultation"] is None
    body = {"message": "Not below 17,000.", "minimum_amount": "17000.00"}
    answered = as_(tunde).post(f"{PATH}{proposal.pk}/serviceman-answer/", body)
    assert answered.status_code == 200, answered.content
    again = as_(tunde).post(f"{PATH}{proposal.pk}/serviceman-answer/", body)
    assert (again.status_code, again.json()["code"]) == (409, "already_answered")


def test_his_answer_does_not_tell_him_the_price(as_, boss, tunde, proposal):
    as_(boss).post(f"{PATH}{proposal.pk}/check-with-serviceman/", {"message": "Could you do it for less?"})
    answer = as_(tunde).post(f"{PATH}{proposal.pk}/serviceman-answer/", {"message": "A little."})
    assert (answer.json()["proposed_amount"], answer.json()["message"]) == (None, None)


def test_asking_again_replaces_the_question(as_, boss, tunde, proposal):
    for message in ("For 16,000?", "For 17,000?"):
        as_(boss).post(f"{PATH}{proposal.pk}/check-with-serviceman/", {"message": message})
    seen = as_(tunde).get(f"/api/service-requests/{proposal.service_request_id}/").json()
    assert seen["open_consultation"]["message"] == "For 17,000?"


def test_only_the_asked_one_answers(as_, boss, bola, tunde, ada, proposal):
    body = {"message": "Yes."}
    assert as_(tunde).post(f"{PATH}{proposal.pk}/serviceman-answer/", body).status_code == 404
    as_(boss).post(f"{PATH}{proposal.pk}/check-with-serviceman/", {"message": "For 16,000?"})
    assert as_(bola).post(f"{PATH}{proposal.pk}/serviceman-answer/", body).status_code == 404
    assert as_(ada).post(f"{PATH}{proposal.pk}/serviceman-answer/", body).status_code == 403


def test_question_and_answer_want_words(as_, boss, tunde, make_admin, proposal):
    for path in ("check-with-serviceman", "serviceman-answer"):
        person = boss if path.startswith("check") else tunde
        answer = as_(person).post(f"{PATH}{proposal.pk}/{path}/", {"message": " "})
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "message")
    dispatcher = make_admin("dispatcher")
    answer = as_(dispatcher).post(f"{PATH}{proposal.pk}/check-with-serviceman/", {"message": "For 16,000?"})
    assert answer.status_code == 403


def end(proposal, how, by):
    """The proposal is over: answered, taken back, or overtaken by another price or the end of the request."""
    match how:
        case "priced anew":
            pricing.set_final_cost(proposal.service_request_id, markup=Decimal(5), by=by)
        case "cancelled":
            requests.cancel(proposal.service_request_id, reason="No.", by=by)
        case "withdrawn":
            negotiations.withdraw_proposal(proposal.pk, by=proposal.proposed_by)
        case "countered":
            negotiations.counter_proposal(proposal.pk, amount=Decimal(20000), by=by)
        case _:
            getattr(negotiations, f"{how}_proposal")(proposal.pk, by=by)


@pytest.mark.parametrize("how", ["accept", "reject", "withdrawn", "countered", "priced anew", "cancelled"])
def test_nobody_asks_or_answers_once_the_proposal_has_ended(as_, boss, tunde, proposal, how):
    asking, answering = (f"{PATH}{proposal.pk}/{name}/" for name in ("check-with-serviceman", "serviceman-answer"))
    assert as_(boss).post(asking, {"message": "For 16,000?"}).status_code == 200
    end(proposal, how, boss)
    before = list(Consultation.objects.values_list())
    for person, path in ((boss, asking), (tunde, answering)):
        answer = as_(person).post(path, {"message": "For less?"})
        assert (answer.status_code, answer.json()["code"]) in ((409, "already_answered"), (409, "wrong_status"))
    assert list(Consultation.objects.values_list()) == before
    seen = as_(tunde).get(f"/api/service-requests/{proposal.service_request_id}/").json()
    assert seen["open_consultation"] is None
    assert "serviceman-answer" not in seen["available_actions"]
