"""`createsuperuser` for this project: always an ADMIN, with a username made from the e-mail when none is given."""

import os
from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from core.models import Role, User


class Command(createsuperuser.Command):
    """Django's command, with what follows from the rest filled in; `--noinput` reads DJANGO_SUPERUSER_*."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Make the account."""
        options["user_type"] = Role.ADMIN.value
        email = options.get("email") or os.environ.get("DJANGO_SUPERUSER_EMAIL")
        named = options.get("username") or os.environ.get("DJANGO_SUPERUSER_USERNAME")
        if not options["interactive"] and email and not named:
            options["username"] = User.objects.free_username(email)
        return super().handle(*args, **options)
