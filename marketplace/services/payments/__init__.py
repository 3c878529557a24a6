"""Money from clients: a checkout is opened, Paystack is asked, and what it proves is applied exactly once.

Paystack is asked outside any transaction; what it says is applied under the lock of the request, then of the payment.
Whoever reports first, and however often, the end is the same: only Paystack's own answer moves anything.
"""

from marketplace.services.payments.checkout import initialize
from marketplace.services.payments.events import BadSignature, receive_webhook, replay, to_replay
from marketplace.services.payments.proof import apply, expire, settle, to_check

__all__ = [
    "BadSignature",
    "apply",
    "expire",
    "initialize",
    "receive_webhook",
    "replay",
    "settle",
    "to_check",
    "to_replay",
]
