"""Money back to clients: owed once, approved, sent once, followed until it arrived.

A refund's row is what guards against sending twice, since Paystack takes the same refund twice: `sending_at` is
committed before the call, and a call whose answer was lost is looked up by our note, never simply repeated.
Lock order: request, payment, refund.
"""

from marketplace.services.refunds.deciding import approve, waive
from marketplace.services.refunds.owing import ask, charge_back, owe, owe_for_cancellation, returnable
from marketplace.services.refunds.sending import (
    find_for_event,
    note_of,
    pay_back_by_hand,
    provide_account,
    record,
    send,
    settle,
    to_settle,
)

__all__ = [
    "approve",
    "ask",
    "charge_back",
    "find_for_event",
    "note_of",
    "owe",
    "owe_for_cancellation",
    "pay_back_by_hand",
    "provide_account",
    "record",
    "returnable",
    "send",
    "settle",
    "to_settle",
    "waive",
]
