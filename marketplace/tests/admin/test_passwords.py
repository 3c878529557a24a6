"""A password that is set in the console tells its owner, and ends what was signed in."""

import pytest
from django.urls import reverse

from marketplace.models import Notification
from marketplace.tests.people import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "An0ther-good-one"


def told(user):
    return Notification.objects.filter(user=user, notification_type="PASSWORD_CHANGED").count()


def test_an_admin_changes_his_own(console, make_admin):
    funke = make_admin("finance", name="funke")
    client = console(funke)
    path = reverse("admin:password_change")
    page = client.get(path)
    assert page.status_code == 200
    assert "old_password" in page.content.decode()
    wrong = {"old_password": "nonsense", "new_password1": NEW, "new_password2": NEW}
    assert client.post(path, wrong).status_code == 200
    assert told(funke) == 0
    answer = client.post(path, wrong | {"old_password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:password_change_done"))
    funke.refresh_from_db()
    assert funke.check_password(NEW)
    assert told(funke) == 1


def test_a_superuser_sets_somebody_elses(console, boss, ada):
    version = ada.token_version
    path = reverse("admin:auth_user_password_change", args=[ada.pk])
    client = console(boss)
    assert client.get(path).status_code == 200
    client.post(path, {"password1": NEW, "password2": NEW, "usable_password": "true"})
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert ada.token_version > version
    assert (told(ada), told(boss)) == (1, 0)
