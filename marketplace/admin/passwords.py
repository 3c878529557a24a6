"""New passwords set in the console: the person is told by mail, as after a change in the apps."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm

from core.models import User
from marketplace.services.accounts import tell_of_new_password


class TellingForm:
    """Saves the password and the notice of it together."""

    user: User

    def save(self, commit: bool = True) -> Any:
        """Both or neither."""
        with transaction.atomic():
            user: User = super().save(commit=commit)  # type: ignore[misc]
            if commit and user.has_usable_password():
                tell_of_new_password(user)
        return user


class NewPasswordForm(TellingForm, AdminPasswordChangeForm):
    """A superuser sets somebody's password."""


class OwnPasswordForm(TellingForm, AdminOwnPasswordChangeForm):
    """An admin changes his own, knowing the old one."""


def change_own_password(request: HttpRequest) -> HttpResponseBase:
    """The console's page for it, with a form that tells."""
    view = PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse("admin:password_change_done"),
        template_name="registration/password_change_form.html",
        extra_context=admin.site.each_context(request),
    )
    return view(request)
