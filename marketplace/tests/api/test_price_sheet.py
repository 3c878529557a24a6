"""GET /api/service-requests/{id}/price-sheet/: what it costs and where the money is, for each side."""

from decimal import Decimal

import pytest

from marketplace.models import Payment, Refund

PATH = "/api/service-requests/{}/price-sheet/"


@pytest.fixture
def paid(request_in):
    """Everything is paid, with Paystack's fees; the booking fee is on its way back."""
    job = request_in("IN_PROGRESS")
    Payment.objects.filter(service_request=job, payment_type="INITIAL_BOOKING").update(fees_kobo=3000)
    # This payer bore the fee himself.
    final = Payment.objects.filter(service_request=job, payment_type="FINAL_PAYMENT")
    final.update(fees_kobo=43000, received_kobo=2243000)
    fee = Payment.objects.get(service_request=job, payment_type="INITIAL_BOOKING")
    Refund.objects.create(payment=fee, amount=Decimal(500), reason="Late.", status="PROCESSED")
    Refund.objects.create(payment=fee, amount=Decimal(700), reason="Late.", status="SENT")
    Refund.objects.create(payment=fee, amount=Decimal(100), reason="Late.", status="WAIVED")
    return job


def sheet(caller, request):
    answer = caller.get(PATH.format(request.pk))
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_admin_sees_all_of_it(as_, boss, paid):
    seen = sheet(as_(boss), paid)
    versions = seen.pop("versions")
    assert seen == {
        "version": 1,
        "booking_fee": "2000.00",
        "estimate": "20000.00",
        "markup": "10.00",
        "margin": "2000.00",
        "final_cost": "22000.00",
        "serviceman_share": "20000.00",
        "platform_share": "4000.00",
        "paid": "24000.00",
        "gateway_fees": "30.00",
        "refunded": "500.00",
        "refunds_open": "700.00",
        "still_open": "0.00",
    }
    assert [(v["version"], v["final"], v["estimate"], v["markup"]) for v in versions] == [
        (1, "22000.00", "20000.00", "10.00")
    ]


def test_the_client_sees_prices_and_payments_and_no_share(as_, ada, paid):
    seen = sheet(as_(ada), paid)
    hidden = {"estimate", "markup", "margin", "serviceman_share", "platform_share", "gateway_fees"}
    assert {name for name, value in seen.items() if value is None} == hidden
    assert (seen["final_cost"], seen["paid"]) == ("22000.00", "24000.00")
    assert [(v["final"], v["estimate"], v["markup"]) for v in seen["versions"]] == [("22000.00", None, None)]


def test_the_serviceman_sees_his_share_and_the_backup_nothing(as_, tunde, bola, paid):
    seen = sheet(as_(tunde), paid)
    assert {n: v for n, v in seen.items() if v} == {
        "version": 1,
        "estimate": "20000.00",
        "serviceman_share": "20000.00",
    }
    assert {n: v for n, v in sheet(as_(bola), paid).items() if v} == {"version": 1}


def test_nobody_else_knows_of_it(as_, eve, make_serviceman, make_admin, paid):
    assert as_(eve).get(PATH.format(paid.pk)).status_code == 404
    assert as_(make_serviceman("sani")).get(PATH.format(paid.pk)).status_code == 404
    assert as_().get(PATH.format(paid.pk)).status_code == 401
    assert as_(make_admin()).get(PATH.format(paid.pk)).status_code == 403


@pytest.mark.parametrize(
    ("status", "still_open"),
    [
        ("AWAITING_BOOKING_FEE", "2000.00"),
        ("PENDING_ADMIN_ASSIGNMENT", "0.00"),
        ("AWAITING_CLIENT_APPROVAL", "22000.00"),
        ("AWAITING_PAYMENT", "22000.00"),
        ("PAYMENT_CONFIRMED", "0.00"),
        ("CANCELLED", "0.00"),
    ],
)
def test_what_is_still_to_be_paid(as_, ada, request_in, status, still_open):
    assert sheet(as_(ada), request_in(status))["still_open"] == still_open
