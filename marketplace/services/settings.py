"""Business settings, edited by an admin who may, with history."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from core.errors import Forbidden, Invalid
from core.models import User
from marketplace.models import BusinessSettings


def change_settings(*, by: User, reason: str = "", **values: Any) -> BusinessSettings:
    """Change fees (NGN), markup (percent) or deadlines. Acts on the next step of each request only.

    Raises Forbidden, and Invalid for a value out of range.
    """
    if not by.has_perm("marketplace.manage_settings"):
        raise Forbidden("Only a superuser can change the business settings.")
    unknown = set(values) - {f.name for f in BusinessSettings._meta.fields if f.editable}
    if unknown:
        raise Invalid("There is no such setting.", field=min(unknown))
    with transaction.atomic():
        BusinessSettings.objects.get_or_create(pk=1)
        settings = BusinessSettings.objects.select_for_update().get(pk=1)
        for name, value in values.items():
            setattr(settings, name, value)
        try:
            settings.full_clean()
        except ValidationError as error:
            raise Invalid(
                "These settings are out of range.",
                code="out_of_range",
                errors={field: " ".join(said) for field, said in error.message_dict.items()},
            ) from error
        settings._history_user = by  # type: ignore[attr-defined]
        settings._change_reason = reason  # type: ignore[attr-defined]
        settings.save()
    return settings
