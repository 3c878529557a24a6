"""The whole life of a service request on one page: every step, from where to where, by whom, refused when.

A step changes fields and nothing else: no query, no I/O, no save. `services.workflow.advance` is its only caller.
Steps with ``target=None`` keep the status. A step's permission is who may do it; its conditions are what the state
of the request must allow besides its status, each with the code and the sentence a refusal carries.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from django.db import models
from django_fsm import RETURN_VALUE, ConcurrentTransitionMixin, FSMField, transition

from core import clock
from marketplace.enums import OPEN, Side, Status
from marketplace.models.guards import (
    Condition,
    Who,
    accepted,
    admin_who,
    no_open_issue,
    not_answered,
    not_deleted,
    not_rated,
    offer_is_over,
    offer_stands,
    proposal_open,
    the_client,
    the_client_early,
    the_other_side,
    the_proposer,
    the_serviceman,
    the_system,
    the_system_late,
)

if TYPE_CHECKING:
    from core.models import User

S = Status
PRICED = (S.SERVICEMAN_INSPECTED, S.AWAITING_CLIENT_APPROVAL, S.NEGOTIATING, S.AWAITING_PAYMENT)
"""From here a change of serviceman voids estimate and price."""


def step(
    source: Any, target: Any, *, by: Who, when: tuple[Condition, ...] = (), on_behalf_of: str | None = None
) -> Callable[..., Any]:
    """A transition of `status`; `on_behalf_of` names the side for whom an admin who may assign can act."""
    return transition(
        "status",
        source=[str(s.value) for s in source] if isinstance(source, (list, tuple)) else source.value,
        target=target,
        conditions=list[Any](when),
        permission=cast("Any", by),
        custom={"on_behalf_of": on_behalf_of},
    )


class Workflow(ConcurrentTransitionMixin, models.Model):
    """The steps of a service request. What each returns where the target depends on facts is the new status."""

    status: Any = FSMField(
        max_length=32,
        choices=Status.choices,
        default=Status.AWAITING_BOOKING_FEE,
        protected=True,
        help_text="Moves only by the steps of the workflow.",
    )

    if TYPE_CHECKING:
        client_id: int
        serviceman: User | None
        serviceman_id: int | None
        backup_serviceman: User | None
        booking_date: date
        is_emergency: bool
        auto_flagged_emergency: bool
        initial_booking_fee: Decimal
        serviceman_estimated_cost: Decimal | None
        admin_markup_percentage: Decimal | None
        final_cost: Decimal | None
        price_version: int
        accepted_at: Any
        inspection_completed_at: Any
        work_completed_at: Any
        due_at: Any
        estimate_notes: str
        estimated_days: int | None
        completion_notes: str
        cancelled_by_role: str
        cancellation_reason: str
        cancelled_at: Any
        is_deleted: bool
        deleted_at: Any
        has_open_issue: bool
        serviceman_is_suspended: bool
        answer_from: Side | None
        is_rated: bool

    class Meta:
        abstract = True

    # --- Booking

    @step(S.AWAITING_BOOKING_FEE, S.PENDING_ADMIN_ASSIGNMENT, by=the_system)
    def confirm_booking_fee(self) -> None:
        """The booking fee is paid."""

    @step(S.AWAITING_BOOKING_FEE, S.CANCELLED, by=the_system)
    def expire(self, *, reason: str = "The booking fee was not paid in time.") -> None:
        """Nobody paid the booking fee in time, and Paystack knows of no payment that still moves."""
        self._end(Side.SYSTEM, reason)

    # --- Finding a serviceman

    @step(S.PENDING_ADMIN_ASSIGNMENT, S.ASSIGNED_TO_SERVICEMAN, by=admin_who("assign"))
    def assign(self, *, serviceman: User, backup: User | None = None) -> None:
        """Offer the job to a serviceman, with another next in line."""
        self._offer_to(serviceman, backup)

    @step(
        (S.ASSIGNED_TO_SERVICEMAN, *PRICED, S.PAYMENT_CONFIRMED, S.IN_PROGRESS),
        S.ASSIGNED_TO_SERVICEMAN,
        by=admin_who("assign"),
    )
    def reassign(self, *, serviceman: User, default_markup: Decimal, backup: User | None = None) -> None:
        """Take the job from whoever has it and offer it to another."""
        self._void_price_unless_paid(default_markup)
        self._offer_to(serviceman, backup)

    @step(OPEN[2:], None, by=admin_who("approve_servicemen"))
    def drop_backup(self) -> None:
        """Whoever was next in line is suspended: nobody is."""
        self.backup_serviceman = None

    @step(
        S.ASSIGNED_TO_SERVICEMAN,
        RETURN_VALUE(S.ASSIGNED_TO_SERVICEMAN, S.PAYMENT_CONFIRMED),
        by=the_serviceman,
        when=(not_answered, offer_stands),
        on_behalf_of="serviceman",
    )
    def accept(self, *, final_paid: bool = False) -> str:
        """The serviceman takes the job; straight back to work when the final price is already paid."""
        self.accepted_at = clock.now()
        return S.PAYMENT_CONFIRMED if final_paid else S.ASSIGNED_TO_SERVICEMAN

    @step(
        S.ASSIGNED_TO_SERVICEMAN,
        RETURN_VALUE(S.ASSIGNED_TO_SERVICEMAN, S.PENDING_ADMIN_ASSIGNMENT),
        by=the_serviceman,
        when=(not_answered,),
        on_behalf_of="serviceman",
    )
    def decline(self, *, promoted: User | None = None) -> str:
        """He does not want the job: the backup is next, or an admin must choose again."""
        return self._pass_on_to(promoted)

    @step(
        S.ASSIGNED_TO_SERVICEMAN,
        RETURN_VALUE(S.ASSIGNED_TO_SERVICEMAN, S.PENDING_ADMIN_ASSIGNMENT),
        by=the_system,
        when=(not_answered, offer_is_over),
    )
    def lapse(self, *, promoted: User | None = None) -> str:
        """He did not answer in time: the backup is next, or an admin must choose again."""
        return self._pass_on_to(promoted)

    @step(
        (S.ASSIGNED_TO_SERVICEMAN, *PRICED, S.PAYMENT_CONFIRMED),
        RETURN_VALUE(S.ASSIGNED_TO_SERVICEMAN, S.PENDING_ADMIN_ASSIGNMENT),
        by=the_serviceman,
        when=(accepted,),
        on_behalf_of="serviceman",
    )
    def withdraw(self, *, default_markup: Decimal, promoted: User | None = None) -> str:
        """He gives an accepted job back before work has started."""
        self._void_price_unless_paid(default_markup)
        return self._pass_on_to(promoted)

    # --- The price

    @step(
        (S.ASSIGNED_TO_SERVICEMAN, S.SERVICEMAN_INSPECTED),
        S.SERVICEMAN_INSPECTED,
        by=the_serviceman,
        when=(accepted,),
        on_behalf_of="serviceman",
    )
    def submit_estimate(self, *, amount: Decimal, notes: str = "", estimated_days: int | None = None) -> None:
        """He has looked at the job and says what the work costs, in NGN."""
        self.serviceman_estimated_cost = amount
        self.estimate_notes, self.estimated_days = notes, estimated_days
        self.inspection_completed_at = clock.now()

    @step(PRICED, S.AWAITING_CLIENT_APPROVAL, by=admin_who("price"))
    def set_final_cost(self, *, final_cost: Decimal, markup: Decimal | None) -> None:
        """An admin sets what the client pays, in NGN; `markup` is None for a price set as an amount."""
        self._price(final_cost, markup)

    @step((S.AWAITING_CLIENT_APPROVAL, S.AWAITING_PAYMENT), S.NEGOTIATING, by=the_client | admin_who("price"))
    def propose_price(self) -> None:
        """One side proposes another price."""

    @step(S.NEGOTIATING, S.NEGOTIATING, by=the_other_side, when=(proposal_open,))
    def counter(self) -> None:
        """The other side answers a proposal with one of its own."""

    @step(S.NEGOTIATING, S.AWAITING_CLIENT_APPROVAL, by=the_other_side, when=(proposal_open,))
    def reject_proposal(self) -> None:
        """The other side says no: the price stays as it was."""

    @step(S.NEGOTIATING, S.AWAITING_CLIENT_APPROVAL, by=the_proposer, when=(proposal_open,))
    def withdraw_proposal(self) -> None:
        """The side that proposed takes it back: the price stays as it was."""

    @step(S.NEGOTIATING, S.AWAITING_CLIENT_APPROVAL, by=the_other_side, when=(proposal_open,))
    def accept_proposal(self, *, final_cost: Decimal) -> None:
        """The other side says yes: the proposed amount, in NGN, becomes the price."""
        self._price(final_cost, None)

    @step(S.NEGOTIATING, None, by=admin_who("price"), when=(proposal_open,))
    def consult(self) -> None:
        """An admin asks the serviceman what he thinks of the open proposal."""

    @step(S.NEGOTIATING, None, by=the_serviceman, when=(proposal_open,))
    def answer(self) -> None:
        """The serviceman answers the question about the open proposal."""

    @step(S.AWAITING_CLIENT_APPROVAL, S.AWAITING_PAYMENT, by=the_client, on_behalf_of="client")
    def approve_price(self) -> None:
        """The client agrees to the price he was shown."""

    @step(S.AWAITING_PAYMENT, S.PAYMENT_CONFIRMED, by=the_system)
    def confirm_final_payment(self) -> None:
        """The agreed price is paid."""

    # --- The work

    @step(S.PAYMENT_CONFIRMED, S.IN_PROGRESS, by=the_serviceman, on_behalf_of="serviceman")
    def start_work(self) -> None:
        """The serviceman begins."""

    @step(S.IN_PROGRESS, S.WORK_COMPLETED, by=the_serviceman, on_behalf_of="serviceman")
    def mark_work_completed(self, *, notes: str = "") -> None:
        """The serviceman says the work is done."""
        self.completion_notes = notes
        self.work_completed_at = clock.now()

    @step(S.WORK_COMPLETED, S.COMPLETED, by=admin_who("verify"), when=(no_open_issue,))
    def verify_completion(self) -> None:
        """An admin has checked that the work is done: the serviceman has earned his money."""

    @step(S.WORK_COMPLETED, S.IN_PROGRESS, by=admin_who("verify"))
    def return_to_work(self) -> None:
        """An admin finds the work unfinished."""
        self.work_completed_at = None

    @step(S.COMPLETED, None, by=the_client, when=(not_rated,))
    def rate(self) -> None:
        """The client says how it was, once."""

    # --- Changes of mind

    @step(OPEN, S.CANCELLED, by=the_client | admin_who("cancel") | the_system_late)
    def cancel(self, *, side: Side, because: str) -> None:
        """Called off; what the client gets back is `marketplace.policy`'s to say."""
        self._end(side, because)

    @step(
        OPEN[: OPEN.index(S.PAYMENT_CONFIRMED) + 1],
        None,
        by=the_client_early | admin_who("assign"),
    )
    def reschedule(self, *, booking_date: date, is_near: bool) -> None:
        """Another date; a near one makes it an emergency, the fee stays."""
        self.booking_date = booking_date
        if is_near:
            self.is_emergency = self.auto_flagged_emergency = True

    @step(OPEN, None, by=admin_who("assign"))
    def flag_emergency(self, *, is_emergency: bool) -> None:
        """An admin sets or lifts the emergency: deadlines and alerts follow, the fee does not."""
        self.is_emergency = is_emergency
        if not is_emergency:
            self.auto_flagged_emergency = False

    @step(OPEN[1:], None, by=the_client | the_serviceman | admin_who("verify"))
    def raise_issue(self) -> None:
        """Something is wrong: until it is resolved an admin must act."""

    @step(OPEN[1:], None, by=admin_who("verify"))
    def resolve_issue(self) -> None:
        """An admin has settled an issue."""

    @step((S.COMPLETED, S.CANCELLED), None, by=the_client | admin_who("cancel"), when=(not_deleted,))
    @step(S.AWAITING_BOOKING_FEE, S.CANCELLED, by=the_client | admin_who("cancel"))
    def soft_delete(self, *, side: Side = Side.CLIENT) -> None:
        """Hidden from everyone but admins; an unpaid booking is cancelled by it. Its money stays."""
        if self.status == S.AWAITING_BOOKING_FEE:
            self._end(side, "Deleted before the booking fee was paid.")
        self.is_deleted, self.deleted_at = True, clock.now()

    # --- What steps share

    def _offer_to(self, serviceman: User, backup: User | None) -> None:
        self.serviceman, self.backup_serviceman, self.accepted_at = serviceman, backup, None

    def _pass_on_to(self, promoted: User | None) -> str:
        self.serviceman, self.backup_serviceman, self.accepted_at = promoted, None, None
        return S.ASSIGNED_TO_SERVICEMAN if promoted else S.PENDING_ADMIN_ASSIGNMENT

    def _price(self, final_cost: Decimal, markup: Decimal | None) -> None:
        self.final_cost, self.admin_markup_percentage = final_cost, markup
        self.price_version += 1

    def _void_price_unless_paid(self, default_markup: Decimal) -> None:
        if self.status in PRICED:
            self.admin_markup_percentage = default_markup
            self.serviceman_estimated_cost = self.final_cost = self.inspection_completed_at = None
            self.estimate_notes, self.estimated_days = "", None
            self.price_version += 1
        self.work_completed_at, self.completion_notes = None, ""

    def _end(self, side: Side, reason: str) -> None:
        self.cancelled_by_role, self.cancellation_reason, self.cancelled_at = side, reason, clock.now()
