"""What can happen to a request of the demo: each act is one call of the service that the API and the console call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from core import clock
from core.models import User
from marketplace import paystack
from marketplace.enums import PaymentType, RefundStatus
from marketplace.management.demo import names, words
from marketplace.management.demo.trades import Trade, Work
from marketplace.models import Payment, PriceNegotiation, Refund, ServiceRequest
from marketplace.money import from_kobo, paystack_fee, to_kobo
from marketplace.services import (
    assignment,
    issues,
    negotiations,
    payments,
    pricing,
    ratings,
    refunds,
    requests,
    work,
)
from marketplace.services.payments.checkout import new_payment


@dataclass(kw_only=True)
class Cast:
    """Everybody in the demo."""

    boss: User
    dispatcher: User
    pricing: User
    finance: User
    clients: list[User]
    people: dict[int, User] = field(default_factory=dict)
    """Servicemen by user id."""
    categories: dict[str, int] = field(default_factory=dict)
    """Ids by the name of the trade."""


@dataclass(kw_only=True)
class Job:
    """One request in the making, and who is in it."""

    story: str
    """All its acts, for whoever must find out why one failed."""
    rng: Random
    cast: Cast
    client: User
    trade: Trade
    work: Work
    urgent: bool
    day: date
    """The day the client wants the visit."""
    request_id: int = 0
    haggle: tuple[str, str, str, str] = ("", "", "", "")
    stars: int = 5
    reply_words: str = ""
    old_reference: str = ""
    """Of a checkout that was opened and left."""

    # --- Booking

    def book(self, whose: str = "") -> None:
        """The client books, or an admin for her."""
        client, admin = self.client, self.cast.dispatcher
        request = requests.book(
            category_id=self.cast.categories[self.trade.name],
            booking_date=self.day,
            client_address=self._address(),
            service_description=self.work.description,
            is_emergency=self.urgent,
            by=admin if whose else client,
            on_behalf_of=client if whose else None,
            reason="Booked on the phone." if whose else "",
        )
        self.request_id = request.pk

    def expire(self) -> None:
        """Nobody paid."""
        payments.expire(self.request_id)

    def delete(self) -> None:
        """The client clears his list."""
        requests.soft_delete(self.request_id, by=self.client)

    def note(self) -> None:
        """Between admins."""
        requests.add_note(self.request_id, text=self.rng.choice(words.NOTES), by=self.cast.dispatcher)

    def reschedule(self) -> None:
        """Another day."""
        self.day = max(self.day, clock.today() + timedelta(days=2)) + timedelta(days=self.rng.randint(1, 4))
        reason = self.rng.choice(words.RESCHEDULED)
        requests.reschedule(self.request_id, booking_date=self.day, reason=reason, by=self.cast.dispatcher)

    def flag_emergency(self) -> None:
        """It cannot wait after all."""
        requests.flag_emergency(self.request_id, is_emergency=True, by=self.cast.dispatcher)

    def cancel_by_client(self) -> None:
        """The client calls it off."""
        requests.cancel(self.request_id, reason=self.rng.choice(words.CANCELLED_BY_CLIENT), by=self.client)

    def cancel_by_admin(self) -> None:
        """The office calls it off."""
        requests.cancel(self.request_id, reason=self.rng.choice(words.CANCELLED_BY_ADMIN), by=self.cast.dispatcher)

    def give_up(self) -> None:
        """Two weeks of silence."""
        requests.cancel(self.request_id, reason="No answer for 14 days.", by=None)

    # --- Finding a serviceman

    def assign(self) -> None:
        """The best match, with the next best as backup."""
        request = self._request()
        best = assignment.suggest([request])[request.pk]
        assignment.assign_serviceman(
            request.pk,
            serviceman_id=best[0].profile.user_id,
            backup_id=best[1].profile.user_id if len(best) > 1 else None,
            notes=self.rng.choice(words.OFFER_NOTES),
            by=self.cast.dispatcher,
        )

    def reassign(self) -> None:
        """To somebody else."""
        request = self._request()
        held = request.serviceman_id or 0
        best = [s.profile.user_id for s in assignment.suggest([request])[request.pk] if s.profile.user_id != held]
        reason = self.rng.choice(words.REASSIGNED)
        assignment.reassign_serviceman(
            request.pk, serviceman_id=best[0], replaces=held, reason=reason, by=self.cast.dispatcher
        )

    def accept(self, whose: str = "") -> None:
        """The serviceman takes it, or an admin says so for him."""
        if whose:
            by, reason = self.cast.dispatcher, words.ON_BEHALF[0]
            assignment.accept_job(self.request_id, by=by, on_behalf=True, reason=reason)
        else:
            assignment.accept_job(self.request_id, by=self._serviceman())

    def decline(self) -> None:
        """He does not."""
        assignment.decline_job(self.request_id, reason=self.rng.choice(words.DECLINED), by=self._serviceman())

    def lapse(self) -> None:
        """He says nothing."""
        assignment.lapse_offer(self.request_id)

    def withdraw(self) -> None:
        """He gives it back."""
        assignment.withdraw_from_job(self.request_id, reason=self.rng.choice(words.WITHDRAWN), by=self._serviceman())

    # --- The price

    def estimate(self) -> None:
        """What he wants for it."""
        amount = Decimal(self.rng.randint(self.work.low * 2, self.work.high * 2) * 500)
        work.submit_estimate(
            self.request_id,
            amount=amount,
            notes=self.work.findings,
            estimated_days=self.work.days,
            by=self._serviceman(),
        )

    def price(self, how: str = "") -> None:
        """What the client pays: a markup, or an amount."""
        markup = amount = None
        if how == "amount":
            amount = self._rounded(self._request().serviceman_estimated_cost, Decimal("1.08"))
        else:
            markup = Decimal(self.rng.choice(("8.00", "10.00", "10.00", "10.00", "12.50", "15.00", "20.00")))
        pricing.set_final_cost(
            self.request_id,
            markup=markup,
            amount=amount,
            reason=self.rng.choice(words.PRICE_REASONS) if amount else "",
            note_to_client=self.rng.choice(words.PRICE_NOTES),
            by=self.cast.pricing,
        )

    def approve(self, whose: str = "") -> None:
        """The client says yes, or an admin for her."""
        by, reason = (self.cast.dispatcher, words.ON_BEHALF[1]) if whose else (self.client, "")
        version = self._request().price_version
        pricing.approve_price(self.request_id, price_version=version, by=by, on_behalf=bool(whose), reason=reason)

    def propose(self) -> None:
        """The client wants to pay less."""
        self.haggle = self.rng.choice(words.HAGGLING)
        amount = self._rounded(self._request().final_cost, Decimal("0.86"))
        negotiations.propose_price(self.request_id, amount=amount, message=self.haggle[0], by=self.client)

    def counter(self) -> None:
        """The office meets him halfway."""
        proposal, final = self._proposal(), self._request().final_cost
        amount = self._rounded((proposal.proposed_amount + (final or proposal.proposed_amount)) / 2, Decimal(1))
        negotiations.counter_proposal(proposal.pk, amount=amount, message=self.haggle[1], by=self.cast.pricing)

    def consult(self) -> None:
        """The office asks the serviceman."""
        negotiations.consult_serviceman(self._proposal().pk, message=self.haggle[2], by=self.cast.pricing)

    def answer(self) -> None:
        """The serviceman answers."""
        least = self._rounded(self._request().serviceman_estimated_cost, Decimal("0.95"))
        negotiations.answer_consultation(
            self._proposal().pk, message=self.haggle[3], minimum_amount=least, by=self._serviceman()
        )

    def accept_proposal(self) -> None:
        """Whoever must answer says yes."""
        proposal = self._proposal()
        negotiations.accept_proposal(proposal.pk, message="Fine with me.", by=self._other_side(proposal))

    def reject_proposal(self) -> None:
        """Whoever must answer says no."""
        proposal = self._proposal()
        message = "That does not cover the material. The price stays."
        negotiations.reject_proposal(proposal.pk, message=message, by=self._other_side(proposal))

    def withdraw_proposal(self) -> None:
        """Whoever proposed takes it back."""
        negotiations.withdraw_proposal(self._proposal().pk, message="Leave it, the price is okay.", by=self.client)

    # --- Payments

    def pay_fee(self) -> None:
        """The booking fee."""
        self._pay(PaymentType.INITIAL_BOOKING)

    def pay(self) -> None:
        """The agreed price."""
        self._pay(PaymentType.FINAL_PAYMENT)

    def open_checkout(self, kind: str) -> None:
        """The client goes to Paystack and leaves again."""
        payment = self._checkout(_TYPES[kind])
        self.old_reference = payment.paystack_reference
        payments.apply(self.old_reference, self._verdict(payment, status="abandoned"))

    def pay_old_checkout(self) -> None:
        """The client pays a checkout that no longer counts: late, or twice."""
        payment = Payment.objects.get(paystack_reference=self.old_reference)
        payments.apply(self.old_reference, self._verdict(payment))

    def pay_short(self, kind: str) -> None:
        """Less arrives than was asked for."""
        payment = self._checkout(_TYPES[kind])
        payments.apply(payment.paystack_reference, self._verdict(payment, off_kobo=-10_000))

    def decline_card(self) -> None:
        """The bank says no."""
        payment = self._checkout(PaymentType.FINAL_PAYMENT)
        payments.apply(payment.paystack_reference, self._verdict(payment, status="failed"))

    def approve_refund(self) -> None:
        """Finance lets it go."""
        refund = self._refund(RefundStatus.DUE, RefundStatus.REVIEW)
        refunds.approve(refund.pk, by=self.cast.finance)

    def waive_refund(self) -> None:
        """Finance keeps it."""
        refund = self._refund(RefundStatus.DUE, RefundStatus.REVIEW)
        refunds.waive(refund.pk, reason="The serviceman was at the gate and was sent away.", by=self.cast.finance)

    def move_refund(self, status: str) -> None:
        """Paystack takes it and says what became of it."""
        refund = self._refund(RefundStatus.APPROVED)
        refund.sending_at = clock.now()
        refund.save()
        answer = paystack.Refund(
            id=self.rng.randint(10**6, 10**7),
            status=status,
            amount_kobo=to_kobo(refund.amount),
            note=refunds.note_of(refund),
        )
        refunds.record(refund.pk, answer, by=self.cast.finance)

    # --- The work

    def start(self) -> None:
        """He begins."""
        work.start_work(self.request_id, by=self._serviceman())

    def complete(self) -> None:
        """He is done."""
        work.mark_work_completed(self.request_id, notes=self.work.result, by=self._serviceman())

    def return_to_work(self) -> None:
        """He is not."""
        work.return_to_work(self.request_id, reason=self.rng.choice(words.RETURNED), by=self.cast.dispatcher)

    def verify(self) -> None:
        """An admin has checked."""
        work.verify_completion(self.request_id, message=self.rng.choice(words.VERIFIED), by=self.cast.dispatcher)

    def rate(self) -> None:
        """The client says how it was."""
        self.stars = self.rng.choices((5, 4, 3, 2, 1), (56, 28, 9, 4, 3))[0]
        review, self.reply_words = self.rng.choice(words.REVIEWS[self.stars])
        ratings.rate(self.request_id, rating=self.stars, review=review, by=self.client)

    def reply(self) -> None:
        """The serviceman has something to say to that, or not."""
        if self.reply_words:
            request = self._request()
            ratings.reply_to_rating(request.rating.pk, reply=self.reply_words, by=self._serviceman(request))

    def raise_issue(self, kind: str) -> None:
        """Something is wrong."""
        by = self._serviceman() if kind in ("UNREACHABLE", "SAFETY", "OTHER") else self.client
        issues.raise_issue(self.request_id, kind=kind, message=words.ISSUES[kind][0], by=by)

    def resolve_issue(self) -> None:
        """An admin has settled it."""
        issue = self._request().open_issues[0]
        issues.resolve_issue(self.request_id, issue.pk, resolution=words.ISSUES[issue.kind][1], by=self.cast.dispatcher)

    # --- What acts share

    def perform(self, act: str) -> None:
        """Do the act named `name` or `name:word`."""
        name, _, word = act.partition(":")
        getattr(self, name)(*([word] if word else []))

    def _address(self) -> str:
        home: str = self.client.client_profile.address
        return home if self.rng.random() < 0.8 else names.address(self.rng)

    def _request(self) -> ServiceRequest:
        return ServiceRequest.objects.get(pk=self.request_id)

    def _serviceman(self, request: ServiceRequest | None = None) -> User:
        return self.cast.people[(request or self._request()).serviceman_id or 0]

    def _proposal(self) -> PriceNegotiation:
        proposal = self._request().open_proposal
        if proposal is None:
            raise LookupError("No proposal is open.")
        return proposal

    def _other_side(self, proposal: PriceNegotiation) -> User:
        return self.cast.pricing if proposal.proposed_by_id == self.client.pk else self.client

    def _refund(self, *statuses: RefundStatus) -> Refund:
        return Refund.objects.filter(payment__service_request=self.request_id, status__in=statuses).order_by("pk")[0]

    def _pay(self, kind: PaymentType) -> None:
        payment = self._checkout(kind)
        payments.apply(payment.paystack_reference, self._verdict(payment))

    def _checkout(self, kind: PaymentType) -> Payment:
        """Our side of opening a checkout, without calling Paystack."""
        return new_payment(self._request(), kind)

    def _verdict(self, payment: Payment, *, status: str = paystack.PAID, off_kobo: int = 0) -> paystack.Transaction:
        """What Paystack would say."""
        asked = to_kobo(payment.amount)
        paid = status == paystack.PAID
        return paystack.Transaction(
            reference=payment.paystack_reference,
            status=status,
            amount_kobo=asked + off_kobo,
            requested_amount_kobo=asked,
            currency=paystack.CURRENCY,
            domain=paystack.expected_domain(),
            fees_kobo=to_kobo(paystack_fee(from_kobo(asked + off_kobo))) if paid else None,
            id=self.rng.randint(10**9, 10**10),
            paid_at=clock.now() if paid else None,
            channel=self.rng.choice(("card", "card", "bank_transfer", "ussd")),
            gateway_response={"success": "Approved", "failed": "Insufficient Funds"}.get(
                status, "The transaction was not completed"
            ),
        )

    @staticmethod
    def _rounded(amount: Decimal | None, times: Decimal) -> Decimal:
        """As people haggle: whole five hundreds."""
        return max(Decimal(500), ((amount or Decimal(0)) * times / 500).quantize(Decimal(1)) * 500)


_TYPES: dict[str, PaymentType] = {"fee": PaymentType.INITIAL_BOOKING, "final": PaymentType.FINAL_PAYMENT}
