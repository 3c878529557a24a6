"""A Paystack in memory, for tests that live through months in a second: it remembers what it said, and what it took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from marketplace import paystack
from marketplace.models import Payment
from marketplace.money import to_kobo
from marketplace.tests.gateway import proof

VERDICTS: dict[str, dict[str, Any]] = {
    "right": {},
    "abandoned": {"status": "abandoned", "fees_kobo": None, "paid_at": None},
    "failed": {"status": "failed", "fees_kobo": None, "paid_at": None},
    "ongoing": {"status": "ongoing", "fees_kobo": None, "paid_at": None},
    "too little": {"off": -1},
    "too much was asked": {"off": 1},
    "dollars": {"currency": "USD"},
    "live money under a test key": {"domain": "live"},
    "another charge": {"reference": "somebody-elses"},
}
"""What Paystack may say of a charge, as changes of the right proof; `off` is in kobo."""


@dataclass
class Bank:
    """Stands where Paystack does; `holding()` puts it there."""

    charges: dict[str, paystack.Transaction] = field(default_factory=dict)
    refunds: dict[str, paystack.Refund] = field(default_factory=dict)
    took: dict[str, int] = field(default_factory=dict)
    """By reference, what the books must say came in, in kobo: of wrong proofs the first, of right ones the only one."""
    right: set[str] = field(default_factory=set)
    dispute: paystack.Dispute | None = None
    next_word: str = "pending"
    """What it answers to the next refund."""

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Every call of Paystack's client ends here."""
        with ExitStack() as stack:
            for name in ("initialize", "verify", "refund", "fetch_refund", "find_refund", "fetch_dispute"):
                stack.enter_context(patch.object(paystack, name, getattr(self, name)))
            yield

    def initialize(self, *, reference: str, amount_kobo: int, **_: Any) -> paystack.Checkout:
        """A checkout nobody has paid yet."""
        self.charges[reference] = paystack.Transaction(
            reference=reference,
            status="abandoned",
            amount_kobo=amount_kobo,
            requested_amount_kobo=amount_kobo,
            currency="NGN",
            domain="test",
        )
        return paystack.Checkout(
            reference=reference, access_code=reference, authorization_url=f"https://pay/{reference}"
        )

    def verify(self, reference: str) -> paystack.Transaction:
        """Its last word on a charge; being told it counts as taken."""
        said = self.charges[reference]
        self.note(Payment.objects.get(paystack_reference=reference), said)
        return said

    def say(self, payment: Payment, verdict: str) -> paystack.Transaction:
        """Its next word on a charge."""
        changes = dict(VERDICTS[verdict])
        if off := changes.pop("off", 0):
            changes["amount_kobo"] = to_kobo(payment.amount) + off
        return proof(payment, **changes)

    def note(self, payment: Payment, said: paystack.Transaction) -> None:
        """Keep what the service is about to be told, by the rules of the books and not by its code."""
        reference, asked = payment.paystack_reference, to_kobo(payment.amount)
        is_ours = (said.reference, said.currency, said.domain) == (reference, "NGN", "test")
        if said.status != "success" or reference in self.right or not is_ours:
            # Money in another currency, or of somebody else's charge, is no naira of ours: it blocks the wrong amount.
            if said.status == "success" and not is_ours and reference not in self.right:
                self.took.setdefault(reference, 0)
            return
        if said.requested_amount_kobo == asked and said.amount_kobo >= asked:
            self.right.add(reference)
            self.took[reference] = asked
        else:
            self.took.setdefault(reference, said.amount_kobo)

    def refund(self, *, reference: str, amount_kobo: int, note: str) -> paystack.Refund:
        """A refund, at once in the state of `next_word`."""
        number = len(self.refunds) + 1
        made = paystack.Refund(
            id=number, status=self.next_word, amount_kobo=amount_kobo, transaction=reference, note=note
        )
        self.refunds[str(number)] = made
        return made

    def fetch_refund(self, refund_id: int | str) -> paystack.Refund:
        """What became of a refund: whatever `next_word` says, unless it has arrived."""
        known = self.refunds[str(refund_id)]
        if known.status != "processed":
            known = self.refunds[str(refund_id)] = replace(known, status=self.next_word)
        return known

    def fetch_dispute(self, dispute_id: int | str) -> paystack.Dispute:
        """The chargeback somebody has just told of."""
        assert self.dispute is not None
        return self.dispute

    def find_refund(self, *, note: str, since: datetime) -> paystack.Refund | None:
        """By our note."""
        return next((made for made in self.refunds.values() if made.note == note), None)
