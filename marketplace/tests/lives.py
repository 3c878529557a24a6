"""Random lives: anybody commands anything, money comes right, wrong, late and twice, time passes; the rules hold.

A machine for hypothesis. Each life runs in a transaction that is rolled back; a command that is refused writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.db.models import Q
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from core import clock
from core.errors import DomainError
from core.models import User
from marketplace import paystack, tasks
from marketplace.models import Category, Notification, Payment, Refund, ServiceRequest
from marketplace.money import KOBO, to_kobo
from marketplace.services import payments, refunds, requests, standing
from marketplace.tests.bank import VERDICTS, Bank
from marketplace.tests.commands import COMMANDS, STRAIGHT_ON, Cast, Command
from marketplace.tests.invariants import check_books, check_database, check_request, natural_due

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SWEEPS: tuple[Callable[[], object], ...] = (
    tasks.check_payments,
    tasks.lapse_offers,
    tasks.check_overdue_inspections,
    tasks.chase_deadlines,
    tasks.expire_bookings,
    tasks.cancel_silent_requests,
    tasks.check_refunds,
)
BY_ITSELF = {"confirm_booking_fee", "confirm_final_payment", "expire", "lapse", "cancel"}
"""The steps that nobody takes but the system."""

HEARD = st.sampled_from(["0", "01", "10", "0price", "0"])
"""Which of the checkouts for one thing are paid, in the order Paystack says so; perhaps another price came first."""

Trail = list[tuple[int, str, int | None, int | None]]


@contextmanager
def rolled_back() -> Iterator[None]:
    """Whatever the block wrote is forgotten."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Pen:
    """Watches what is written, and forgets what is rolled back to a savepoint."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if sql.startswith(("INSERT", "UPDATE", "DELETE", "SAVEPOINT")):
            self.written.append(sql)
        elif sql.startswith("ROLLBACK TO SAVEPOINT"):
            mark = sql.removeprefix("ROLLBACK TO ")
            del self.written[len(self.written) - 1 - self.written[::-1].index(mark) :]
        return answer

    @property
    def left(self) -> list[str]:
        """What stays."""
        return [sql for sql in self.written if not sql.startswith("SAVEPOINT")]


class Lives(RuleBasedStateMachine):
    """One or two requests and everybody around them."""

    cast: ClassVar[Cast]
    category: ClassVar[Category]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(rolled_back())
        self.bank = Bank()
        self.stack.enter_context(self.bank.holding())
        self.now = START
        self.ids: list[int] = []
        self.rushed: set[int] = set()
        self.last_history = self._last_history()
        self.last_notice = self._last_notice()
        self.said: list[tuple[str, Any]] = []
        self.known: dict[int, ServiceRequest] = {}

    def teardown(self) -> None:
        self.stack.close()

    # --- What happens

    @initialize(far=st.sampled_from([1, 6, 7, 3, 9, 0]), near=st.booleans(), heard=HEARD)
    def begin(self, far: int, near: bool, heard: str) -> None:
        """A booking, already as far along the straight way as it happens to be."""
        self._book(near=near)
        for _ in range(far):
            self._straight_on(self._request(self.ids[0]), _simplest, heard)

    @precondition(lambda self: len(self.ids) < 2)
    @rule(near=st.booleans())
    def book_another(self, near: bool) -> None:
        self._book(near=near)

    @rule(data=st.data(), heard=HEARD)
    def go_on(self, data: Any, heard: str) -> None:
        """The next step of the straight way, whosever it is."""
        self._straight_on(self._any_request(data), data.draw, heard)

    @rule(data=st.data())
    def turn_aside(self, data: Any) -> None:
        """Something the workflow knows from here, by somebody who usually may."""
        request = self._any_request(data)
        names = [name for name, command in COMMANDS.items() if command.is_open(request)]
        if names:
            command = COMMANDS[data.draw(st.sampled_from(names))]
            self._command(request, command, command.usual(request, self.cast) or self.cast.boss, data.draw)

    @rule(data=st.data(), name=st.sampled_from(sorted(COMMANDS)))
    def meddle(self, data: Any, name: str) -> None:
        """Anything by anybody."""
        by = data.draw(st.sampled_from(self.cast.everybody))
        self._command(self._any_request(data), COMMANDS[name], by, data.draw)

    @rule(data=st.data(), kind=st.sampled_from(["INITIAL_BOOKING", "FINAL_PAYMENT"]))
    def open_checkout(self, data: Any, kind: str) -> None:
        request = self._any_request(data)
        by = data.draw(st.sampled_from([self.cast.ada, self.cast.ada, self.cast.eve, self.cast.boss]))
        self._do(by, lambda: payments.initialize(request.pk, payment_type=kind, by=by), [])

    @precondition(lambda self: self.bank.charges)
    @rule(data=st.data(), verdict=st.sampled_from(["right", "right", *VERDICTS]))
    def hear_of_a_payment(self, data: Any, verdict: str) -> None:
        """Paystack says something of any charge, however old; of money by hand it knows nothing."""
        payment = data.draw(st.sampled_from(list(Payment.objects.filter(channel="PAYSTACK").order_by("-pk"))))
        with clock.at(self.now):
            said = self.bank.say(payment, verdict)
        self.bank.charges[payment.paystack_reference] = said
        self.said.append((payment.paystack_reference, said))
        self._apply(payment.paystack_reference, said)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def hear_it_again(self, data: Any) -> None:
        """An older word arrives once more."""
        self._apply(*data.draw(st.sampled_from(self.said)))

    @rule(hours=st.sampled_from([0.01, 0.6, 1, 5, 13, 25, 80, 200, 340]))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)
        self._do(None, lambda: [sweep() for sweep in SWEEPS], None)

    @rule(
        data=st.data(), kind=st.sampled_from(["INITIAL_BOOKING", "FINAL_PAYMENT"]), off=st.sampled_from([0, 0, -1, 1])
    )
    def record_money_by_hand(self, data: Any, kind: str, off: int) -> None:
        """Finance writes down a transfer, of the amount that is due or a kobo off."""
        request = self._any_request(data)
        by = data.draw(st.sampled_from([self.cast.finance, self.cast.finance, self.cast.pricing]))
        fee = kind == "INITIAL_BOOKING"
        due = request.initial_booking_fee if fee else request.final_cost or Decimal("5000.00")
        call = {"payment_type": kind, "amount": due + off * KOBO, "evidence": f"Slip {self.now}", "by": by}
        with clock.at(self.now):
            call["paid_on"] = clock.today()
        self._do(by, lambda: payments.record_manual_payment(request.pk, **call), [])

    @precondition(lambda self: Payment.objects.to_approve().exists())
    @rule(data=st.data(), approve=st.sampled_from([True, True, False]))
    def decide_on_money_by_hand(self, data: Any, approve: bool) -> None:
        payment = data.draw(st.sampled_from(list(Payment.objects.to_approve().order_by("pk"))))
        by = data.draw(st.sampled_from([self.cast.boss, self.cast.boss, self.cast.finance, self.cast.dispatcher]))
        if not approve:
            self._do(by, lambda: payments.reject_manual_payment(payment.pk, reason="Not there.", by=by), [])
            return
        reference = payment.paystack_reference
        may = by == self.cast.boss
        if may:
            self.bank.took[reference] = payment.received_kobo or 0
        step = "confirm_booking_fee" if payment.payment_type == "INITIAL_BOOKING" else "confirm_final_payment"
        self._do(by, lambda: payments.approve_manual_payment(payment.pk, by=by), None, steps={step})
        assert (Payment.objects.get(pk=payment.pk).status != "PENDING") == may

    @precondition(lambda self: Payment.objects.filter(status="SUCCESSFUL").exists())
    @rule(data=st.data(), part=st.sampled_from([1, 2, 3]))
    def give_some_back(self, data: Any, part: int) -> None:
        """Finance asks for some of a payment to go back: a gesture, or wrong money."""
        came = Payment.objects.filter(Q(status="SUCCESSFUL") | Q(outcome="MISMATCH"))
        payment = data.draw(st.sampled_from(list(came.order_by("pk"))))
        by = data.draw(st.sampled_from([self.cast.finance, self.cast.boss]))
        amount = (payment.amount / part).quantize(KOBO)
        self._do(by, lambda: refunds.ask(payment.pk, amount=amount, reason="Sorry.", by=by), [])

    @precondition(lambda self: Payment.objects.filter(status="SUCCESSFUL", channel="PAYSTACK").exists())
    @rule(data=st.data(), lost=st.booleans(), part=st.sampled_from([1, 1, 2]))
    def hear_of_a_dispute(self, data: Any, lost: bool, part: int) -> None:
        """A bank wants money back, and perhaps gets it."""
        paid = Payment.objects.filter(status="SUCCESSFUL", channel="PAYSTACK")
        payment = data.draw(st.sampled_from(list(paid.order_by("pk"))))
        self.bank.dispute = paystack.Dispute(
            id=payment.pk,
            status="resolved" if lost else "awaiting-merchant-feedback",
            resolution="merchant-accepted" if lost else "",
            refund_kobo=to_kobo(payment.amount) // part,
            reference=payment.paystack_reference,
        )
        self._do(None, lambda: payments.record_dispute(payment.pk), [])

    @precondition(lambda self: Refund.objects.exists())
    @rule(
        data=st.data(),
        act=st.sampled_from(["approve", "waive", "send", "settle", "by hand"]),
        word=st.sampled_from(["processed", "pending", "failed", "needs-attention"]),
    )
    def decide_a_refund(self, data: Any, act: str, word: str) -> None:
        refund = data.draw(st.sampled_from(list(Refund.objects.order_by("pk"))))
        by = data.draw(st.sampled_from([self.cast.finance, self.cast.boss, self.cast.finance, self.cast.pricing]))
        self.bank.next_word = word
        calls: dict[str, Callable[[], object]] = {
            "approve": lambda: refunds.approve(refund.pk, by=by),
            "waive": lambda: refunds.waive(refund.pk, reason="Agreed.", by=by),
            "send": lambda: refunds.send(refund.pk, by=by),
            "settle": lambda: refunds.settle(refund.pk),
            "by hand": lambda: refunds.pay_back_by_hand(refund.pk, note="Transfer.", by=by),
        }
        self._do(None if act == "settle" else by, calls[act], [])

    @rule(data=st.data(), back=st.booleans())
    def suspend_or_reinstate(self, data: Any, back: bool) -> None:
        man = data.draw(st.sampled_from(self.cast.servicemen))
        by = data.draw(st.sampled_from([self.cast.dispatcher, self.cast.dispatcher, self.cast.pricing]))
        service = standing.reinstate_serviceman if back else standing.suspend_serviceman
        self._do(
            by,
            lambda: service(man.pk, reason="Complaints.", by=by),
            None,
            steps={"lapse", "raise_issue", "drop_backup"},
        )

    # --- How it happens

    def _book(self, *, near: bool) -> None:
        day = clock.day_of(self.now) + timedelta(days=1 if near else 9)
        made: list[ServiceRequest] = []

        def book() -> None:
            made.append(
                requests.book(
                    category_id=self.category.pk,
                    booking_date=day,
                    client_address="12 Allen Avenue",
                    service_description="Drips.",
                    by=self.cast.ada,
                )
            )

        self._do(self.cast.ada, book, None, steps={"book"})
        self.ids.append(made[0].pk)
        assert made[0].is_emergency == near

    def _straight_on(self, request: ServiceRequest, draw: Callable[[Any], Any], heard: str) -> None:
        if request.status in ("AWAITING_BOOKING_FEE", "AWAITING_PAYMENT"):
            self._pay(request, heard)
            return
        names = [name for name in STRAIGHT_ON if COMMANDS[name].is_open(request)]
        if request.status == "ASSIGNED_TO_SERVICEMAN":
            names = ["estimate" if request.accepted_at else "accept"]
        if names:
            command = COMMANDS[names[0]]
            self._command(request, command, command.usual(request, self.cast) or self.cast.boss, draw)

    def _pay(self, request: ServiceRequest, heard: str) -> None:
        """One checkout, or two for the same thing; `heard` says which of them Paystack speaks of, in which order."""
        kind = "FINAL_PAYMENT" if request.status == "AWAITING_PAYMENT" else "INITIAL_BOOKING"
        opened = []
        for _ in range(len(heard.replace("price", ""))):
            self._do(self.cast.ada, lambda: payments.initialize(request.pk, payment_type=kind, by=self.cast.ada), [])
            payment = Payment.objects.filter(service_request=request, payment_type=kind).latest("pk")
            if payment.channel == "MANUAL":
                return  # written down by finance: no checkout is opened beside it, so Paystack has nothing to say
            opened.append(payment)
            self.now += timedelta(minutes=30)
        if "price" in heard:
            by_markup = COMMANDS["price by markup"]
            self._command(request, by_markup, self.cast.pricing, _simplest)
        for number in heard.replace("price", ""):
            payment = opened[int(number)]
            self._apply(payment.paystack_reference, self.bank.say(payment, "right"))

    def _command(self, request: ServiceRequest, command: Command, by: User, draw: Callable[[Any], Any]) -> None:
        leaves = command.leaves(request, by)
        self._do(by, lambda: command.do(request, by, draw, self.cast), leaves)

    def _apply(self, reference: str, said: Any) -> None:
        payment = Payment.objects.get(paystack_reference=reference)
        self.bank.note(payment, said)
        step = "confirm_booking_fee" if payment.payment_type == "INITIAL_BOOKING" else "confirm_final_payment"
        self._do(None, lambda: payments.apply(reference, said), None, steps={step})
        after = Payment.objects.get(paystack_reference=reference)
        if after.outcome == "APPLIED" != payment.outcome:
            row = ServiceRequest.history.filter(id=payment.service_request_id).latest("history_id")
            assert (row.step, row.history_user_id) == (step, None)

    def _do(
        self, by: User | None, call: Callable[[], object], leaves: Trail | None, *, steps: set[str] = BY_ITSELF
    ) -> None:
        """Call a service; `leaves` is the trail of its success, None whatever the system may do by itself (`steps`)."""
        pen = Pen()
        with clock.at(self.now), connection.execute_wrapper(pen):
            try:
                call()
                refused = None
            except DomainError as refusal:
                refused = refusal
        assert not refused or (refused.status in (403, 404, 409, 422) and not pen.left), (refused, pen.left)
        if not pen.left:
            return  # nothing has changed
        check_database()
        before, self.known = self.known, self._requests()
        self._check_trail(by, leaves, steps, before)
        self._check_notices(by)
        check_books(list(self.known.values()), self.bank.took)

    def _check_trail(
        self, by: User | None, leaves: Trail | None, steps: set[str], before: dict[int, ServiceRequest]
    ) -> None:
        rows = list(ServiceRequest.history.filter(history_id__gt=self.last_history).order_by("history_id"))
        self.last_history = max([self.last_history, *(row.history_id for row in rows)])
        found = [(row.id, row.step, row.history_user_id, row.on_behalf_of_id) for row in rows]
        if leaves is None:
            assert len(set(found)) == len(found), "each step once"
            assert {step for _, step, _, _ in found} <= steps
            assert {actor for _, _, actor, _ in found} <= {None, by.pk if by else None}
        else:
            assert found == leaves
        for pk, request in self.known.items():
            then, taken = before.get(pk), {row.step for row in rows if row.id == pk}
            if then:
                assert taken or (then.status, then.price_version) == (request.status, request.price_version)
                assert request.price_version >= then.price_version
                assert request.final_cost == then.final_cost or request.price_version > then.price_version
                assert request.status_since in (then.status_since, self.now)
                assert request.status == then.status or request.status_since == self.now or taken == {"soft_delete"}
            self._note_rush(request, then, taken)
            check_request(request, pk in self.rushed)

    def _note_rush(self, request: ServiceRequest, then: ServiceRequest | None, taken: set[str]) -> None:
        """A changed flag or date gives a deadline that counts from then, but never more time than before."""
        if then and taken & {"flag_emergency", "reschedule"}:
            natural = natural_due(request)
            self.rushed.add(request.pk)
            if natural and then.due_at:
                assert natural <= request.due_at <= max(natural, then.due_at)
        elif taken and (
            then is None or then.status_since != request.status_since or request.due_at == natural_due(request)
        ):
            self.rushed.discard(request.pk)

    def _check_notices(self, by: User | None) -> None:
        rows = list(Notification.objects.filter(pk__gt=self.last_notice).order_by("pk"))
        self.last_notice = max([self.last_notice, *(row.pk for row in rows)])
        told = [(row.user_id, row.notification_type, row.facts["event"], row.service_request_id) for row in rows]
        assert len(set(told)) == len(told), "told twice"
        assert not {self.cast.eve.pk, self.cast.viewer.pk} & {row.user_id for row in rows}
        for row in rows:
            assert row.user_id != self._doer(row, by), (row.notification_type, row.facts)

    def _doer(self, row: Notification, by: User | None) -> int | None:
        """Whose doing an event is: not always his who gave the command."""
        event = row.facts["event"]
        if event in BY_ITSELF - {"cancel"}:
            return None
        if event == "MONEY_AT_RISK":  # Paystack's doing, also when it answers whoever sent the refund
            return None
        # An accepted proposal is approved by the client, whoever accepted it; on his behalf, by the admin.
        accepted = any(other.facts["event"] == "accept_proposal" for other in self._news_of(row))
        return self.cast.ada.pk if event == "approve_price" and accepted else by and by.pk

    def _news_of(self, row: Notification) -> list[Notification]:
        return list(Notification.objects.filter(service_request=row.service_request_id, created_at=row.created_at))

    def _requests(self) -> dict[int, ServiceRequest]:
        rows = ServiceRequest.objects.prefetch_related(
            "payments__refunds", "issues", "negotiations__consultations", "offers", "prices"
        )
        return {row.pk: row for row in rows.order_by("pk")}

    def _request(self, pk: int) -> ServiceRequest:
        return ServiceRequest.objects.get(pk=pk)

    def _any_request(self, data: Any) -> ServiceRequest:
        return self._request(data.draw(st.sampled_from(self.ids)))

    def _last_history(self) -> int:
        return getattr(ServiceRequest.history.order_by("history_id").last(), "history_id", 0)

    def _last_notice(self) -> int:
        return getattr(Notification.objects.order_by("pk").last(), "pk", 0)


def _simplest(strategy: Any) -> Any:
    """The first of what a strategy samples: the way there is always the same."""
    return strategy.elements[0]


@pytest.fixture
def lives(
    ada: User, eve: User, tunde: User, bola: User, boss: User, plumbing: Category, make_serviceman: Any, make_admin: Any
) -> type[Lives]:
    """The machine with its people."""
    admins = {role: make_admin(role) for role in ("dispatcher", "pricing", "finance", "viewer")}
    people = Cast(ada=ada, eve=eve, tunde=tunde, bola=bola, sani=make_serviceman("sani"), boss=boss, **admins)
    return type("LivesHere", (Lives,), {"cast": people, "category": plumbing})


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]
