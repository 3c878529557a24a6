"""Money from clients: a checkout is opened, Paystack is asked, and what it proves is applied exactly once.

Paystack is asked outside any transaction; what it says is applied under the lock of the request, then of the payment.
Whoever reports first, and however often, the end is the same: only Paystack's own answer moves anything.
"""

from marketplace.services.payments.checkout import initialize
from marketplace.services.payments.disputes import check_disputes, note_on_dispute, record_dispute
from marketplace.services.payments.events import BadSignature, receive_webhook, replay, to_replay
from marketplace.services.payments.manual import (
    approve_manual_payment,
    record_manual_payment,
    reject_manual_payment,
    set_aside,
)
from marketplace.services.payments.proof import apply, expire, settle, to_check

__all__ = [
    "BadSignature",
    "apply",
    "approve_manual_payment",
    "check_disputes",
    "expire",
    "initialize",
    "note_on_dispute",
    "receive_webhook",
    "record_dispute",
    "record_manual_payment",
    "reject_manual_payment",
    "replay",
    "set_aside",
    "settle",
    "to_check",
    "to_replay",
]
