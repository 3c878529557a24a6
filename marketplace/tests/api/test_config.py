"""GET /api/config/."""

from decimal import Decimal

from marketplace.models import BusinessSettings


def test_anybody_reads_fees_zone_and_policy(as_, db, settings):
    settings.PAYSTACK_PUBLIC_KEY = "pk_test_1"
    answer = as_().get("/api/config/")
    assert answer.status_code == 200, answer.content
    config = answer.json()
    policy = {row["stage"]: row for row in config.pop("cancellation_policy")}
    assert config == {
        "booking_fee": "2000.00",
        "emergency_booking_fee": "5000.00",
        "emergency_before_days": 2,
        "currency": "NGN",
        "timezone": "Africa/Lagos",
        "paystack_public_key": "pk_test_1",
    }
    assert list(policy) == ["UNPAID", "UNACCEPTED", "ACCEPTED", "PAID", "WORKED"]
    assert policy["ACCEPTED"]["client"] == {"INITIAL_BOOKING": "KEPT", "FINAL_PAYMENT": "RETURNED"}
    assert policy["WORKED"]["admin"] == {"INITIAL_BOOKING": "REVIEW", "FINAL_PAYMENT": "REVIEW"}


def test_it_says_what_an_admin_has_set(as_, db):
    BusinessSettings.objects.create(pk=1, booking_fee=Decimal("2500.00"), emergency_before_days=3)
    config = as_().get("/api/config/").json()
    assert (config["booking_fee"], config["emergency_before_days"]) == ("2500.00", 3)


def test_the_markup_and_the_secret_key_are_nobodys_business(as_, db, settings):
    settings.PAYSTACK_SECRET_KEY = "sk_test_secret"
    text = as_().get("/api/config/").content.decode()
    assert "markup" not in text
    assert "sk_test" not in text
