"""Act on kept events of Paystack once more, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from core import clock
from marketplace.enums import WebhookOutcome
from marketplace.models import WebhookEvent
from marketplace.services import payments


class Command(BaseCommand):
    """As the console's "Handle again", for many: acting twice on an event has no second effect."""

    help = "Act again on kept events of Paystack: by id, by reference, or all that could not be acted on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, metavar="id", help="Numbers of events in the inbox.")
        parser.add_argument("--reference", default="", help="Every event about this reference.")
        parser.add_argument("--since", default="", help="Every event received since, such as 2026-11-22T08:00+01:00.")

    def handle(self, *_: Any, ids: list[int], reference: str, since: str, **options: Any) -> None:
        events = WebhookEvent.objects.order_by("id")
        if ids:
            chosen = events.filter(pk__in=ids)
        elif reference:
            chosen = events.filter(reference=reference)
        elif since:
            chosen = events.filter(received_at__gte=_moment(since))
        else:
            chosen = events.filter(outcome__in=(WebhookOutcome.RETRY, WebhookOutcome.RECEIVED))
        numbers = list(chosen.values_list("pk", flat=True))
        if missing := set(ids) - set(numbers):
            raise CommandError(f"There is no event {min(missing)}.")
        again = 0
        for number in numbers:
            event = payments.replay(number)
            again += event.outcome == WebhookOutcome.RETRY
            self.stdout.write(f"{event.pk}  {event.event or 'unknown'}  {event.outcome}  {event.detail}")
        self.stdout.write(f"{len(numbers)} handled, {again} to be tried again.")
        if again:
            raise CommandError(f"{again} of {len(numbers)} could not be handled yet.")


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"--since: {text!r} is no date and time, such as 2026-11-22T08:00+01:00.")
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.LAGOS)
