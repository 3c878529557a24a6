"""The rules of the workflow hold in random lives, however long: `lives.py` says what may happen in one."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from marketplace.enums import RefundStatus
from marketplace.tests.invariants import OWED
from marketplace.tests.lives import SLOW, lives

__all__ = ["lives"]  # a fixture
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        pytest.param(20, 15, id="20"),
        pytest.param(60, 20, id="60", marks=pytest.mark.fuzz),
        pytest.param(200, 30, id="200", marks=[pytest.mark.fuzz, pytest.mark.long]),
    ],
)
def test_the_rules_hold_whoever_does_what_in_whatever_order(examples, steps, lives):
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # The same lives each time, so that a red run is about the change; --hypothesis-profile=long draws new ones.
            derandomize=settings.get_current_profile_name() != "long",
            suppress_health_check=SLOW,
        ),
    )


def test_all_refund_states_are_known_to_the_books():
    assert set(RefundStatus) == {*OWED, RefundStatus.REVIEW, RefundStatus.WAIVED, RefundStatus.PROCESSED}
