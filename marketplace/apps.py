"""The marketplace."""

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate


class MarketplaceConfig(AppConfig):
    """Requests, people, money and messages."""

    name = "marketplace"
    verbose_name = "Marketplace"

    def ready(self) -> None:
        """Keep the schedules as they are listed: each `migrate` installs them."""
        post_migrate.connect(_install_schedules, sender=self, dispatch_uid="marketplace.schedules")


def _install_schedules(using: str, **_: Any) -> None:
    from django_q.models import Schedule

    from core import jobs
    from marketplace.schedules import SCHEDULES

    # Only this app may have been migrated so far.
    if using == DEFAULT_DB_ALIAS and Schedule._meta.db_table in connections[using].introspection.table_names():
        jobs.install(SCHEDULES)
