"""Generated input against every operation of the contract, for each role: no fault, and no answer it does not declare.

    uv run pytest -m fuzz marketplace/tests/api/test_schemathesis.py -n auto

tries 15 inputs a role and operation, good ones and bad ones; `EXAMPLES=100` before it tries more. A finding is printed
with the curl command that repeats it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core import auth
from core.models import User
from core.wsgi import application
from marketplace.tests.bank import Bank
from marketplace.tests.books import enter
from marketplace.tests.test_service_table import undone

pytestmark = [pytest.mark.fuzz, pytest.mark.django_db]

EXAMPLES = int(os.environ.get("EXAMPLES", "15"))
ALWAYS_THE_SAME = "EXAMPLES" not in os.environ
"""The checks of every change try the same inputs each time; who asks for more gets new ones."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
CONTRACT = schemathesis.openapi.from_wsgi("/api/openapi.json", application)
OPERATIONS = {operation.ok().label: operation.ok() for operation in CONTRACT.get_all_operations()}
ROLES = ("nobody", "client", "serviceman", "admin")


@pytest.fixture
def world(request_in, ada, tunde, boss, settings, tmp_path) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Rows to meet: `world(role)` is who calls and the ids that exist."""
    settings.ALLOWED_HOSTS, settings.MEDIA_ROOT = ["*"], tmp_path
    made = [enter(request_in(status)) for status in ("AWAITING_PAYMENT", "NEGOTIATING", "IN_PROGRESS", "COMPLETED")]
    people: dict[str, User | None] = {"nobody": None, "client": ada, "serviceman": tunde, "admin": boss}
    ids = {
        "request_id": [request.pk for request in made],
        "payment_id": [payment.pk for request in made for payment in request.payments.all()],
        "reference": [payment.paystack_reference for request in made for payment in request.payments.all()],
        "negotiation_id": [made[1].open_proposal.pk],
        "user_id": [tunde.pk],
        "category_id": [made[0].category_id],
    }

    def world(role: str) -> dict[str, Any]:
        person = people[role]
        token = {"Authorization": f"Bearer {auth.access_for(person)}"} if person else {}
        return {"headers": {"Accept-Encoding": "identity", **token}, "ids": ids}

    # As Django's own test client does: the test's connection outlives a request.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    with Bank().holding():
        yield world
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("label", OPERATIONS)
def test_no_input_makes_it_fall_over_and_no_answer_is_undeclared(label, role, world):
    operation, here = OPERATIONS[label], world(role)
    good, bad = (
        operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )

    @settings(
        max_examples=EXAMPLES,
        derandomize=ALWAYS_THE_SAME,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(good, good, bad), data=st.data())
    def holds(case: schemathesis.Case, data: Any) -> None:
        for name in case.path_parameters or {}:
            # Two of three times something that is there.
            if name in here["ids"] and data.draw(st.integers(0, 2)):
                case.path_parameters[name] = data.draw(st.sampled_from(here["ids"][name]))
        cache.clear()
        with undone():
            case.call_and_validate(headers=here["headers"], checks=CHECKS)

    holds()
