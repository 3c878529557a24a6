"""Money at risk: everything that may end wrong, one list a kind, each line with the one step that is next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.views.generic import TemplateView
from unfold.views import UnfoldSiteViewMixin

from core import clock
from marketplace import paystack
from marketplace.admin.labels import ago, due, kobo, link_to, money, person
from marketplace.admin.queue import Queue
from marketplace.enums import Channel, DisputeStatus, PaymentOutcome, PaymentStatus, PaymentType, RefundStatus, Status
from marketplace.models import Dispute, Payment, Refund, ServiceRequest
from marketplace.money import from_kobo, naira_text

OPEN_TOO_LONG = timedelta(hours=24)
"""A checkout that nobody has paid for this long while its request still waits for it."""
MOVING_TOO_LONG = timedelta(hours=1)
"""Money that Paystack has called under way, or has not spoken of, for this long."""
UNANSWERED = timedelta(minutes=15)
"""A refund whose sending got no answer for this long."""
SLOW = timedelta(days=10)
"""Banks take up to ten working days to return money to a card; longer is stuck."""
MOST = 100
"""Rows shown of each kind, the oldest first; the count is of all."""

R = RefundStatus
WRONG = (PaymentOutcome.LATE, PaymentOutcome.DUPLICATE, PaymentOutcome.MISMATCH)


def _not_returned(*outcomes: PaymentOutcome) -> QuerySet[Payment]:
    back = Refund.objects.filter(payment=OuterRef("pk"), status=R.PROCESSED)
    rows = Payment.objects.filter(~Exists(back), outcome__in=outcomes)
    return rows.exclude(metadata__has_key="set_aside")


def wrong_payments() -> QuerySet[Payment]:
    """Money that came late, twice or wrong, and has neither gone back nor been set aside."""
    return _not_returned(*WRONG)


def stuck_refunds() -> QuerySet[Refund]:
    """Refunds of money that counted which do not move; those of wrong money stand with their payment."""
    now = clock.now()
    stuck = (
        Q(status__in=(R.FAILED, R.NEEDS_ATTENTION))
        | Q(status=R.APPROVED, sending_at__lt=now - UNANSWERED)
        | Q(status__in=(R.SENT, R.PROCESSING), sent_at__lt=now - SLOW)
        | Q(status=R.PROCESSED, channel=Channel.MANUAL, last_error__startswith="Paystack has sent")
    )
    return Refund.objects.filter(stuck).exclude(payment__outcome__in=WRONG)


def open_disputes() -> QuerySet[Dispute]:
    """Chargebacks that wait for evidence, and those that took more than was left and nobody has written about."""
    return Dispute.objects.filter(Q(status=DisputeStatus.OPEN) | Q(unexplained_kobo__gt=0, note=""))


def slow_checkouts() -> QuerySet[Payment]:
    """Checkouts open too long while their request still waits for the money."""
    now = clock.now()
    waits = Q(payment_type=PaymentType.INITIAL_BOOKING, service_request__status=Status.AWAITING_BOOKING_FEE) | Q(
        payment_type=PaymentType.FINAL_PAYMENT, service_request__status=Status.AWAITING_PAYMENT
    )
    moving = Q(gateway_status__in=(*paystack.MOVING, "unanswered"), created_at__lt=now - MOVING_TOO_LONG)
    return Payment.objects.filter(
        waits,
        moving | Q(created_at__lt=now - OPEN_TOO_LONG),
        status=PaymentStatus.PENDING,
        outcome=None,
        channel=Channel.PAYSTACK,
    )


def agreed_but_unpaid() -> QuerySet[ServiceRequest]:
    """Prices that were agreed and not paid in time."""
    return ServiceRequest.objects.filter(status=Status.AWAITING_PAYMENT, due_at__lt=clock.now(), is_deleted=False)


@dataclass(frozen=True)
class Line:
    """One row as it is shown: what, how much, since when, and the step that is next."""

    what: Any
    request: Any
    client: Any
    amount: str
    why: str
    age: Any
    next_step: Any


# --- The one step that is next

_OF_REFUND: dict[str, str] = {
    R.DUE: "Approve the refund",
    R.REVIEW: "Decide on the refund",
    R.APPROVED: "Send the refund",
    R.SENT: "Ask Paystack about the refund",
    R.PROCESSING: "Ask Paystack about the refund",
    R.FAILED: "Approve the refund again",
    R.NEEDS_ATTENTION: "Give the client's account, or pay by hand",
    R.PROCESSED: "Ask the client for what came twice",
}


def _next_for_refund(refund: Refund) -> Any:
    return link_to(refund, _OF_REFUND[refund.status])


def _next_for_payment(payment: Payment) -> Any:
    for refund in payment.refunds.all():
        if refund.status in _OF_REFUND:
            return _next_for_refund(refund)
    uncountable = payment.outcome == PaymentOutcome.MISMATCH and payment.received_kobo is None
    return link_to(payment, "Return it at Paystack, then set it aside" if uncountable else "Ask for its refund")


def _why_wrong(payment: Payment) -> str:
    if payment.outcome != PaymentOutcome.MISMATCH:
        return "Paid twice" if payment.outcome == PaymentOutcome.DUPLICATE else "Paid when it was not due any more"
    if payment.received_kobo is not None:
        off = from_kobo(payment.received_kobo) - payment.amount
        return f"{naira_text(abs(off))} too {'little' if off < 0 else 'much'}"
    said = payment.metadata.get("said", {})
    if "currency" in payment.metadata.get("wrong", []):
        return f"In {said.get('currency', 'another currency')}, not naira"
    return "Of another Paystack account or charge"


def _payment_line(payment: Payment) -> Line:
    request = payment.service_request
    came = kobo(payment.received_kobo) if payment.received_kobo is not None else money(payment.amount)
    return Line(
        link_to(payment),
        link_to(request),
        person(request.client),
        came,
        _why_wrong(payment),
        ago(payment.paid_at or payment.updated_at),
        _next_for_payment(payment),
    )


def _refund_line(refund: Refund) -> Line:
    request = refund.payment.service_request
    why = refund.last_error or refund.get_status_display()
    what = link_to(refund, f"Refund no. {refund.pk}")
    age, step = ago(refund.updated_at), _next_for_refund(refund)
    return Line(what, link_to(request), person(request.client), money(refund.amount), why[:120], age, step)


def _dispute_line(dispute: Dispute) -> Line:
    request = dispute.payment.service_request
    when: Any
    if dispute.status == DisputeStatus.OPEN:
        amount, why = dispute.amount_kobo, dispute.reason.capitalize() or "Disputed"
        when, step = due(dispute.due_at), "Give evidence at Paystack"
    else:
        amount, why, when = dispute.unexplained_kobo, "Taken beyond what was left", ago(dispute.updated_at)
        step = "Write down what was done"
    what = link_to(dispute, f"Dispute {dispute.paystack_id}")
    return Line(what, link_to(request), person(request.client), kobo(amount), why, when, link_to(dispute, step))


def _checkout_line(payment: Payment) -> Line:
    request = payment.service_request
    said = f"Paystack says: {payment.gateway_status}" if payment.gateway_status else "Nobody has paid"
    step = link_to(payment, "Check with Paystack")
    age = ago(payment.created_at)
    return Line(link_to(payment), link_to(request), person(request.client), money(payment.amount), said, age, step)


def _unpaid_line(request: ServiceRequest) -> Line:
    step = link_to(request, "Call the client, or cancel")
    why, late = "Agreed, not paid", due(request.due_at)
    return Line("Agreed price", link_to(request), person(request.client), money(request.final_cost), why, late, step)


@dataclass(frozen=True, kw_only=True)
class Risk(Queue):
    """One kind of money at risk: a queue whose rows are shown with their next step."""

    line: Callable[[Any], Line]
    joined: tuple[str, ...] = ("service_request__client",)
    fetched: tuple[str, ...] = ()

    def lines(self) -> list[Line]:
        """The oldest rows."""
        rows = self.rows().select_related(*self.joined).prefetch_related(*self.fetched)
        return [self.line(row) for row in rows.order_by(self.since, "pk")[:MOST]]


_PAYMENT: dict[str, Any] = {"since": "created_at", "model": "payment", "line": _payment_line, "fetched": ("refunds",)}

RISKS: tuple[Risk, ...] = (
    Risk(
        key="late",
        title="Paid after the end",
        icon="schedule",
        hint="Money for a request that no longer waited for it",
        rows=lambda: _not_returned(PaymentOutcome.LATE),
        **_PAYMENT,
    ),
    Risk(
        key="twice",
        title="Paid twice",
        icon="content_copy",
        hint="Money for what was paid already",
        rows=lambda: _not_returned(PaymentOutcome.DUPLICATE),
        **_PAYMENT,
    ),
    Risk(
        key="mismatch",
        title="Not what was asked for",
        icon="difference",
        hint="Too little, too much, another currency or account",
        rows=lambda: _not_returned(PaymentOutcome.MISMATCH),
        **_PAYMENT,
    ),
    Risk(
        key="stuck",
        title="Stuck refunds",
        icon="undo",
        hint="Failed, without an answer, or on the way for too long",
        rows=stuck_refunds,
        since="created_at",
        model="refund",
        line=_refund_line,
        joined=("payment__service_request__client",),
    ),
    Risk(
        key="disputes",
        title="Disputes",
        icon="gavel",
        hint="A client's bank wants money back",
        rows=open_disputes,
        since="created_at",
        model="dispute",
        line=_dispute_line,
        joined=("payment__service_request__client",),
    ),
    Risk(
        key="checkouts",
        title="Checkouts open too long",
        icon="hourglass_bottom",
        hint="Opened, and neither paid nor given up",
        rows=slow_checkouts,
        since="created_at",
        model="payment",
        line=_checkout_line,
    ),
    Risk(
        key="unpaid",
        title="Agreed but unpaid",
        icon="handshake",
        hint="The client said yes, and the money has not come",
        rows=agreed_but_unpaid,
        since="due_at",
        line=_unpaid_line,
        joined=("client",),
    ),
)


class RiskView(UnfoldSiteViewMixin, TemplateView):
    """Everything at risk, on one page."""

    title = "Money at risk"
    permission_required = ("marketplace.view_payment", "marketplace.view_refund")
    template_name = "admin/risk.html"
    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Each kind with its oldest rows, for whoever may see them; what is empty is only named."""
        seen = [risk for risk in RISKS if self.request.user.has_perm(risk.may)]
        kinds: list[dict[str, Any]] = [{"risk": risk, "lines": risk.lines()} for risk in seen]
        for kind in kinds:
            kind["count"] = len(kind["lines"]) if len(kind["lines"]) < MOST else kind["risk"].rows().count()
        full = [kind for kind in kinds if kind["count"]]
        clear = [kind["risk"].title for kind in kinds if not kind["count"]]
        return super().get_context_data(**kwargs, kinds=full, clear=clear, most=MOST)
