"""Letting servicemen in and out, ratings, categories, settings, accounts: each by its service, each by its right."""

from decimal import Decimal

import pytest
from django.urls import reverse

from core.models import User
from marketplace.models import BusinessSettings, Category, Rating, ServicemanProfile

pytestmark = pytest.mark.django_db


def standing(person):
    profile = ServicemanProfile.objects.get(user=person)
    return profile.approval, profile.approval_reason, profile.approval_by


@pytest.fixture
def sani(make_serviceman):
    """He applies."""
    return make_serviceman("sani", profile={"approval": "PENDING"})


def test_an_application_is_approved_from_the_queue(console, make_admin, open_dialog, said, sani, plumbing):
    dispatcher = make_admin("dispatcher")
    client = console(dispatcher)
    url = reverse("admin:marketplace_servicemanprofile_changelist")
    assert "Sani Okoro" in client.get(url, {"queue": "applications"}).content.decode()
    missing = open_dialog(client, sani.serviceman_profile, "approve", category_id="")
    assert "This field is required." in missing.content.decode()
    open_dialog(client, sani.serviceman_profile, "approve", category_id=plumbing.pk)
    assert said(client) == ["Approved."]
    assert standing(sani) == ("APPROVED", "", dispatcher)
    assert "Sani Okoro" not in client.get(url, {"queue": "applications"}).content.decode()


def test_whoever_applied_without_a_category_is_given_one(console, boss, open_dialog, make_serviceman, plumbing):
    sani = make_serviceman("sani", profile={"approval": "PENDING", "category": None})
    open_dialog(console(boss), sani.serviceman_profile, "approve", category_id=plumbing.pk)
    assert ServicemanProfile.objects.get(user=sani).category == plumbing


def test_rejecting_wants_a_reason(console, boss, open_dialog, sani):
    client, profile = console(boss), sani.serviceman_profile
    assert "This field is required" in open_dialog(client, profile, "reject", reason=" ").content.decode()
    open_dialog(client, profile, "reject", reason="No papers.")
    assert standing(sani) == ("REJECTED", "No papers.", boss)


def test_a_serviceman_is_suspended_and_reinstated(console, boss, open_dialog, tunde):
    client, profile = console(boss), tunde.serviceman_profile
    open_dialog(client, profile, "suspend", reason="Asked for cash.")
    assert standing(tunde)[:2] == ("SUSPENDED", "Asked for cash.")
    open_dialog(client, profile, "reinstate", reason="It was a misunderstanding.")
    assert standing(tunde)[0] == "APPROVED"


def test_what_is_not_possible_now_is_refused(console, boss, open_dialog, said, tunde):
    client = console(boss)
    for name in ("approve", "reject", "reinstate"):
        assert open_dialog(client, tunde.serviceman_profile, name, reason="x").headers["HX-Redirect"]
        assert said(client) == ["He is approved already."]


def test_a_rating_is_hidden_with_a_reason_and_shown_again(console, boss, open_dialog, request_in, ada, tunde):
    row = Rating.objects.create(service_request=request_in("COMPLETED"), client=ada, serviceman=tunde, rating=1)
    client = console(boss)
    open_dialog(client, row, "hide", reason="Insults.")
    row.refresh_from_db()
    assert (row.hidden_by, row.hidden_reason) == (boss, "Insults.")
    open_dialog(client, row, "show")
    row.refresh_from_db()
    assert row.hidden_at is None


def test_categories_are_added_and_edited_by_whoever_may(console, make_admin, plumbing):
    client = console(make_admin("dispatcher"))
    add = reverse("admin:marketplace_category_add")
    client.post(add, {"name": "Tiling", "description": "Tiles.", "is_active": "on", "_save": ""})
    assert Category.objects.get(name="Tiling").history.get().history_user.email == "dispatcher@example.com"
    twice = client.post(add, {"name": "TILING", "description": "Tiles.", "is_active": "on"})
    assert twice.status_code == 200
    assert Category.objects.filter(name__iexact="tiling").count() == 1
    url = reverse("admin:marketplace_category_change", args=[plumbing.pk])
    client.post(url, {"name": "Plumbing", "description": "Pipes.", "icon_url": "", "_save": ""})
    plumbing.refresh_from_db()
    assert (plumbing.description, plumbing.is_active) == ("Pipes.", False)
    for role in ("pricing", "finance", "viewer"):
        other = console(make_admin(role))
        assert other.get(add).status_code == other.post(add, {}).status_code == 403
        assert other.post(url, {"name": "Mine"}).status_code == 403


def test_a_name_taken_meanwhile_is_a_message_and_no_error_page(console, boss, said, monkeypatch, plumbing):
    from core.errors import Invalid
    from marketplace.admin import catalog

    def late(**_):
        raise Invalid("There is a category of that name.", field="name")

    monkeypatch.setattr(catalog, "create_category", late)
    client = console(boss)
    answer = client.post(reverse("admin:marketplace_category_add"), {"name": "Tiling", "description": "Tiles."})
    assert answer.status_code == 302
    assert said(client) == ["There is a category of that name."]


def settings_form(**changes):
    defaults = {
        field.name: getattr(BusinessSettings(), field.name)
        for field in BusinessSettings._meta.fields
        if field.editable and field.name != "id"
    }
    return defaults | changes


def test_settings_change_through_the_service_with_who_and_why(console, boss):
    url = reverse("admin:marketplace_businesssettings_change", args=[1])
    client = console(boss)
    assert client.get(url).status_code == 200, "before anybody saved them the defaults are shown"
    client.post(url, settings_form(booking_fee="2500.00", reason="Fuel is dearer."))
    assert BusinessSettings.current().booking_fee == Decimal("2500.00")
    version = BusinessSettings.objects.get().history.latest()
    assert (version.history_user, version.history_change_reason) == (boss, "Fuel is dearer.")


def test_settings_out_of_range_are_refused(console, boss):
    url = reverse("admin:marketplace_businesssettings_change", args=[1])
    for changes in ({"booking_fee": "0"}, {"default_markup_percentage": "101"}, {"assign_hours": "0"}):
        answer = console(boss).post(url, settings_form(**changes))
        assert answer.status_code == 200
        assert not BusinessSettings.objects.exists()


def test_settings_are_for_superusers(console, make_admin):
    url = reverse("admin:marketplace_businesssettings_change", args=[1])
    client = console(make_admin("dispatcher", "pricing", "finance"))
    assert client.get(url).status_code == client.post(url, settings_form()).status_code == 403


def test_a_new_account_here_is_an_admin_with_a_role(console, boss, make_admin):
    client = console(boss)
    role = make_admin("pricing").groups.get()
    values = {"email": "New@Example.com", "first_name": "Uche", "last_name": "Ibe", "groups": role.pk}
    weak = client.post(reverse("admin:core_user_add"), values | {"password1": "short", "password2": "short"})
    assert weak.status_code == 200
    good = values | {"password1": "G00d-enough!", "password2": "G00d-enough!"}
    made = client.post(reverse("admin:core_user_add"), good)
    assert made.status_code == 302, made.context["adminform"].form.errors
    made = User.objects.get(email="new@example.com")
    assert (made.user_type, made.is_staff, made.is_superuser) == ("ADMIN", True, False)
    assert made.has_perm("marketplace.price")
    assert made.check_password("G00d-enough!")


def account(person, **changes):
    fields = {"first_name": person.first_name, "last_name": person.last_name, "phone_number": "", "is_active": "on"}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def test_a_client_never_gets_into_the_console_by_this_form(console, boss, ada):
    url = reverse("admin:core_user_change", args=[ada.pk])
    values = {"is_staff": "on", "is_superuser": "on", "groups": "1", "user_type": "ADMIN", "email": "x@example.com"}
    assert console(boss).post(url, account(ada, **values)).status_code == 302
    ada.refresh_from_db()
    assert (ada.is_staff, ada.is_superuser, ada.user_type, ada.email) == (False, False, "CLIENT", "ada@example.com")


def test_closing_an_account_ends_its_sessions(console, boss, ada, as_):
    caller = as_(ada)
    assert caller.get("/api/me/").status_code == 200
    console(boss).post(reverse("admin:core_user_change", args=[ada.pk]), account(ada, is_active=None))
    assert caller.get("/api/me/").status_code == 401


def test_nobody_takes_his_own_access_away(console, boss):
    url = reverse("admin:core_user_change", args=[boss.pk])
    answer = console(boss).post(url, account(boss, is_staff="on"))
    assert "You cannot take your own access away." in answer.content.decode()
    boss.refresh_from_db()
    assert boss.is_superuser


def test_an_account_is_signed_out_everywhere(console, boss, ada, as_, open_dialog):
    caller = as_(ada)
    open_dialog(console(boss), ada, "sign_out")
    assert caller.get("/api/me/").status_code == 401


def test_a_password_is_reset_by_superusers_only(console, boss, make_admin, ada):
    url = reverse("admin:auth_user_password_change", args=[ada.pk])
    values = {"password1": "N3w-password!", "password2": "N3w-password!", "usable_password": "true"}
    assert console(make_admin("dispatcher")).post(url, values).status_code == 403
    assert console(boss).post(url, values).status_code == 302
    assert User.objects.get(pk=ada.pk).check_password("N3w-password!")
