"""The platform."""

from typing import Any

from django.apps import AppConfig
from simple_history.signals import pre_create_historical_record


class CoreConfig(AppConfig):
    """Accounts, and tools any module may use."""

    name = "core"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Register the checks, and put history on the project's clock."""
        from core import checks  # noqa: F401 - importing registers them

        pre_create_historical_record.connect(_date_by_our_clock, dispatch_uid="core.history_date")


def _date_by_our_clock(instance: Any, history_instance: Any, **_: Any) -> None:
    from core import clock

    if not hasattr(instance, "_history_date"):
        history_instance.history_date = clock.now()
