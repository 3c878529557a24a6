"""Every e-mail can be looked at with sample data, by whoever may announce."""

import pytest
from django.urls import reverse

from marketplace.enums import NotificationType
from marketplace.models import Notification

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", list(NotificationType))
def test_each_type_is_shown_as_it_would_be_sent(console, make_admin, mailoutbox, kind):
    answer = console(make_admin("dispatcher")).get(reverse("admin:email_previews"), {"type": kind.value})
    assert answer.status_code == 200
    assert answer.context["kind"] == kind
    assert answer.context["mails"]
    for mail in answer.context["mails"]:
        assert mail["subject"]
        assert "<table" in mail["html"]
        assert "<" not in mail["text"]
    assert answer.content.decode().count("<iframe") == 2 * len(answer.context["mails"])
    assert not mailoutbox
    assert not Notification.objects.exists()


def test_nonsense_shows_the_first_and_dark_is_remembered(console, boss):
    answer = console(boss).get(reverse("admin:email_previews"), {"type": "<script>", "dark": ""})
    assert answer.context["kind"] == next(iter(NotificationType))
    assert "data-dark" in answer.content.decode()
    assert "&amp;dark" in answer.content.decode()
    assert all("prefers-color-scheme: dark" not in mail["html"] for mail in answer.context["mails"])
    light = console(boss).get(reverse("admin:email_previews"))
    assert all("@media (prefers-color-scheme: dark)" in mail["html"] for mail in light.context["mails"])


@pytest.mark.parametrize("role", ["pricing", "finance", "viewer"])
def test_others_do_not_see_them(console, make_admin, role):
    assert console(make_admin(role)).get(reverse("admin:email_previews")).status_code == 403
