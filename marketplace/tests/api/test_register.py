import pytest

from core import tokens
from core.models import User
from core.tests.race import at_once
from marketplace.models import Category, Notification, ServicemanProfile

PATH = "/api/auth/register/"
CLIENT = {"email": "Kemi@Example.com", "password": "Str0ng-enough", "user_type": "CLIENT"}
SERVICEMAN = CLIENT | {"email": "sani@example.com", "user_type": "SERVICEMAN"}
PRIVILEGES = {
    "is_staff": True,
    "is_superuser": True,
    "is_active": True,
    "is_email_verified": True,
    "groups": [1],
    "user_permissions": [1],
    "token_version": 5,
    "approval": "APPROVED",
    "rating": "5.00",
    "total_jobs_completed": 99,
    "id": 1,
    "date_joined": "2020-01-01",
}
"""What nobody may say of himself."""

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limit(settings):
    settings.AUTH_RATE_LIMIT = settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"


def refused(response):
    assert response.status_code == 422, response.content
    return [error["loc"] for error in response.json()["errors"]]


def test_a_client_joins(as_):
    body = CLIENT | {
        "first_name": " Kemi ",
        "last_name": "Ade",
        "phone_number": "0803 123 4567",
        "address": "1 Bode St",
    }
    response = as_().post(PATH, body)
    assert response.status_code == 201
    assert response["Location"] == "/api/me/"
    user = User.objects.get(email="kemi@example.com")
    assert response.json() == {
        "id": user.pk,
        "email": "kemi@example.com",
        "username": "kemi",
        "first_name": "Kemi",
        "last_name": "Ade",
        "phone_number": "+2348031234567",
        "user_type": "CLIENT",
        "is_email_verified": False,
        "profile": {"address": "1 Bode St"},
    }
    assert user.check_password("Str0ng-enough")
    assert not user.is_staff


def test_a_serviceman_joins_and_waits_for_approval(as_, plumbing):
    body = SERVICEMAN | {"category_id": plumbing.pk, "bio": "Pipes.", "years_of_experience": 4}
    profile = as_().post(PATH, body).json()["profile"]
    assert profile == {
        "category": {"id": plumbing.pk, "name": "Plumbing"},
        "bio": "Pipes.",
        "years_of_experience": 4,
        "is_available": True,
        "approval": "PENDING",
        "rejection_reason": "",
        "rating": "0.00",
        "total_jobs_completed": 0,
    }
    assert not ServicemanProfile.objects.listed().exists()


def test_the_verification_is_mailed_and_nothing_else(as_):
    as_().post(PATH, SERVICEMAN)
    notice = Notification.objects.get()
    assert (notice.notification_type, notice.user.email) == ("EMAIL_VERIFICATION", "sani@example.com")


def test_the_account_is_in_the_history(as_):
    as_().post(PATH, CLIENT)
    user = User.objects.get()
    assert user.history.get().history_user == user
    assert user.client_profile.history.get().history_user == user


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "kemi"}, "email"),
        ({"email": None}, "email"),
        ({"password": "short1A"}, "password"),
        ({"password": "alllower1"}, "password"),
        ({"password": "ALLUPPER1"}, "password"),
        ({"password": "NoDigitsHere"}, "password"),
        ({"password": "Password1"}, "password"),
        ({"password": "Kemi@example.com1"}, "password"),
        ({"password": "Aa1" + "x" * 126}, "password"),
        ({"password": 12345678}, "password"),
        ({"user_type": "ADMIN"}, "user_type"),
        ({"user_type": "client"}, "user_type"),
        ({"phone_number": "12345"}, "phone_number"),
        ({"username": "a b"}, "username"),
        ({"username": "x@y.com"}, "username"),
        ({"first_name": "x" * 151}, "first_name"),
        ({"first_name": "a\nb"}, "first_name"),
        ({"bio": "Pipes."}, "bio"),
        ({"category_id": 1}, "category_id"),
    ],
)
def test_a_bad_value_names_its_field_and_leaves_nothing(as_, change, field):
    assert refused(as_().post(PATH, CLIENT | change)) == [field]
    assert not User.objects.exists()
    assert not Notification.objects.exists()


def test_a_client_has_an_address_and_a_serviceman_has_none(as_):
    assert refused(as_().post(PATH, SERVICEMAN | {"address": "1 Bode St"})) == ["address"]


def test_a_form_may_send_empty_fields_of_the_other_side(as_):
    body = CLIENT | {"bio": "", "category_id": None, "years_of_experience": None}
    assert as_().post(PATH, body).status_code == 201


@pytest.mark.parametrize("field", ["email", "password", "user_type"])
def test_what_is_required_is_named(as_, field):
    assert refused(as_().post(PATH, {name: value for name, value in CLIENT.items() if name != field})) == [field]


@pytest.mark.parametrize("field", PRIVILEGES)
def test_nobody_makes_himself_more_than_he_is(as_, field):
    assert refused(as_().post(PATH, SERVICEMAN | {field: PRIVILEGES[field]})) == [field]
    assert not User.objects.exists()


def test_an_address_registers_once_in_whatever_case(as_):
    assert as_().post(PATH, CLIENT).status_code == 201
    response = as_().post(PATH, CLIENT | {"email": "KEMI@example.COM"})
    assert refused(response) == ["email"]
    assert response.json()["code"] == "email_taken"
    assert User.objects.count() == 1


def test_a_username_is_taken_in_whatever_case(as_):
    as_().post(PATH, CLIENT | {"username": "Kemi-1"})
    assert User.objects.get().username == "kemi-1"
    assert refused(as_().post(PATH, SERVICEMAN | {"username": "KEMI-1"})) == ["username"]


def test_a_username_is_drawn_when_the_obvious_one_is_taken(as_):
    as_().post(PATH, CLIENT)
    other = as_().post(PATH, CLIENT | {"email": "kemi@elsewhere.example"}).json()
    assert other["username"].startswith("kemi-")


@pytest.mark.parametrize("active", [True, False])
def test_a_category_must_exist_and_be_open(as_, active):
    category = Category.objects.create(name="Roofs", is_active=active)
    response = as_().post(PATH, SERVICEMAN | {"category_id": category.pk + (1 if active else 0)})
    assert refused(response) == ["category_id"]
    assert response.json()["code"] == "unknown_category"


def test_the_mailed_token_is_for_the_new_account(as_):
    as_().post(PATH, CLIENT)
    user = User.objects.get()
    assert tokens.verify_email.read(tokens.verify_email.make(user)) == user


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_registrations_of_one_address_make_one_account(as_):
    answers = at_once(lambda _: as_().post(PATH, CLIENT).status_code, 20)
    assert sorted(answers) == [201] + [422] * 19
    assert User.objects.count() == 1


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_people_of_one_name_all_get_in(as_):
    answers = at_once(lambda n: as_().post(PATH, CLIENT | {"email": f"kemi@host{n}.example"}).status_code, 20)
    assert answers == [201] * 20
