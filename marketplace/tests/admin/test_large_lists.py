"""Every list of requests and of money, and the home page, at 100,000 requests: hardly slower than at 10,000.

And no statement reads a large table from end to end. PostgreSQL alone; `uv run pytest -m bench` prints the figures.
"""

import json
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.models import User
from marketplace.admin.queues import QUEUES
from marketplace.models import Category
from marketplace.tests import past

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.bench,
    pytest.mark.skipif("sqlite" in settings.DATABASES["default"]["ENGINE"], reason="plans are PostgreSQL's"),
]

MOST = 1.5
"""How many times as long a page may take over ten times the rows."""
TURNS = 4, 20
"""Of each size at least; at most, while others use the machine: the best turn of each counts."""
LARGE = {model._meta.db_table for model, per in past.PER_REQUEST.items() if per >= 1}

LISTS = {
    "marketplace_servicerequest": [
        {},
        *({"queue": queue.key} for queue in QUEUES if queue.model == "servicerequest"),
        {"status__in": "CANCELLED"},
        {"status__in": "NEGOTIATING"},
        {"category__id__exact": "category"},
        {"serviceman__id__exact": past.FIRST // 10},
        {"booking_date_from": "old", "booking_date_to": "old"},
        {"is_emergency__exact": 1},
        {"overdue": "yes"},
        {"deleted": "yes"},
        {"deleted": "with"},
        {"q": "SR-0000700"},
        {"q": "Client9995 Nwosu"},
        {"q": "70009000"},
        {"q": "sm-00-00700-0"},
        {"p": "last"},
    ],
    "marketplace_payment": [
        {},
        {"queue": "to_approve"},
        {"queue": "wrong"},
        {"status__exact": "PENDING"},
        {"outcome__exact": "LATE"},
        {"payment_type__exact": "FINAL_PAYMENT"},
        {"channel__exact": "MANUAL"},
        {"paid_at_from": "old", "paid_at_to": "old"},
        {"q": "sm-00-00700-0"},
        {"q": "SR-0000700"},
        {"q": "client9000@example.com"},
        {"p": "last"},
    ],
    "marketplace_notification": [
        {},
        {"queue": "unsent"},
        {"notification_type__exact": "JOB_CONFIRMED"},
        {"sent_to_email__exact": 0},
        {"is_read__exact": 0},
        {"user__id__exact": past.FIRST},
        {"created_at_from": "old", "created_at_to": "old"},
        {"q": "SR-0000700"},
        {"q": "client9000@example.com"},
        {"p": "last"},
    ],
    "marketplace_refund": [
        {},
        {"queue": "to_decide"},
        {"status__exact": "PROCESSED"},
        {"created_at_from": "old", "created_at_to": "old"},
        {"q": "sm-00-00703-1"},
        {"q": "SR-0000703"},
        {"p": "last"},
    ],
    "marketplace_ledgerentry": [
        {},
        {"happened_at_from": "old", "happened_at_to": "old"},
        {"q": "sm-00-00700-0"},
        {"q": "SR-0000700"},
        {"p": "last"},
    ],
    "marketplace_ledgerline": [
        {},
        {"account__exact": "CLIENT"},
        {"entry__happened_at_from": "old", "entry__happened_at_to": "old"},
        {"q": "SR-0000700"},
        {"p": "last"},
    ],
}
ROWS = {"servicerequest": 1, "payment": 2, "notification": 4, "refund": 1 / 50, "ledgerentry": 2, "ledgerline": 4}
"""A request."""
VIEWS = [("index", {}), ("money_at_risk", {})]
VIEWS += [(f"{name}_changelist", query) for name, queries in LISTS.items() for query in queries]


def ids(view):
    name, query = view
    return f"{name} {'&'.join(f'{key}={value}' for key, value in query.items())}".removeprefix("marketplace_")


class Sizes:
    """Two databases with the same marketplace, one with ten times the past; Django's own is the large one."""

    def __init__(self, small):
        self.large, self.small = past.REQUESTS * past.COPIES, past.REQUESTS
        self.connections = {self.small: small, self.large: connections["default"]}
        self.boss = User.objects.get(is_superuser=True)
        self.category = Category.objects.order_by("pk").values_list("pk", flat=True)[3]

    def client_at(self, size):
        self.at(size)
        client = Client()
        client.force_login(self.boss)
        return client

    def at(self, size):
        connections["default"] = self.connections[size]

    def fetch(self, client, view, size):
        """Seconds that the view takes."""
        name, query = view
        words = {
            "old": (clock.today() - timedelta(days=50)).isoformat(),
            "last": max(2, int(size * ROWS.get(name.split("_")[-2 if "changelist" in name else -1], 0)) // 50 - 25),
            "category": self.category,
        }
        query = {key: words.get(value, value) for key, value in query.items()}
        start = time.perf_counter()
        answer = client.get(reverse(f"admin:{name}"), query)
        took = time.perf_counter() - start
        assert answer.status_code == 200, (answer.status_code, query)
        if "changelist" in name and query.get("queue") not in ("to_decide", "wrong"):
            assert len(answer.context["cl"].result_list), query
        return took


@pytest.fixture(scope="module")
def both_sizes(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
        past.build(User.objects.create_superuser(None, "boss@example.com", "Str0ng-enough"))
        past.tidy()
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}_small" TEMPLATE "{name}"')
        past.grow()
        past.tidy()
        small = connections.create_connection("default")
        small.settings_dict = connection.settings_dict | {"NAME": f"{name}_small"}
        yield Sizes(small)
        small.close()
        call_command("flush", verbosity=0, interactive=False)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}_small"')


@pytest.fixture
def sizes(both_sizes):
    yield both_sizes
    both_sizes.at(both_sizes.large)


@pytest.mark.parametrize("view", VIEWS, ids=ids)
def test_ten_times_the_past_takes_hardly_longer(sizes, view, capsys):
    small, large = sizes.client_at(sizes.small), sizes.client_at(sizes.large)
    best, ratio = {}, 9
    for turn in range(TURNS[1]):
        if turn >= TURNS[0] and ratio <= MOST:
            break
        for client, size in ((small, sizes.small), (large, sizes.large)):
            sizes.at(size)
            best[size] = min(sizes.fetch(client, view, size), best.get(size, 9))
        ratio = best[sizes.large] / best[sizes.small]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{ids(view)}: {best[sizes.small] * 1000:.0f} ms, {best[sizes.large] * 1000:.0f} ms, {ratio:.2f}"
        )
    assert ratio <= MOST


def scans(plan):
    """How each table of a plan is read."""
    if "Relation Name" in plan:
        yield plan["Node Type"], plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scans(part)


@pytest.mark.parametrize("view", [view for view in VIEWS if view[0] != "index"], ids=ids)
def test_no_large_table_is_read_from_end_to_end(sizes, view):
    client, read, through = sizes.client_at(sizes.large), 0, []
    with CaptureQueriesContext(connection) as captured:
        sizes.fetch(client, view, sizes.large)
    for query in captured:
        if query["sql"].startswith(("SELECT", "(SELECT")):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {query['sql']}")
                (plan,) = cursor.fetchone()
            for how, table in scans((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]):
                read += 1
                if table in LARGE and how == "Seq Scan":
                    through.append((table, query["sql"]))
    assert read
    assert through == []
