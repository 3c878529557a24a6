"""Fields, constraints, query sets and the workflow, one file per concept."""

from marketplace.models.accounts import ClientProfile, ServicemanProfile, UnavailableDate
from marketplace.models.attachments import Attachment
from marketplace.models.catalog import Category
from marketplace.models.issues import Issue
from marketplace.models.ledger import LedgerEntry, LedgerLine
from marketplace.models.negotiations import Consultation, PriceNegotiation
from marketplace.models.notes import Note
from marketplace.models.notifications import Notification
from marketplace.models.offers import Offer
from marketplace.models.payments import Dispute, Payment, WebhookEvent
from marketplace.models.payouts import BankAccount, Payout, PayoutBatch
from marketplace.models.prices import Price
from marketplace.models.ratings import Rating
from marketplace.models.receipts import Receipt
from marketplace.models.reconciliation import ReconciliationDifference, ReconciliationRun
from marketplace.models.refunds import Refund
from marketplace.models.requests import ServiceRequest
from marketplace.models.rollups import DailyRevenue
from marketplace.models.settings import BusinessSettings

__all__ = [
    "Attachment",
    "BankAccount",
    "BusinessSettings",
    "Category",
    "ClientProfile",
    "Consultation",
    "DailyRevenue",
    "Dispute",
    "Issue",
    "LedgerEntry",
    "LedgerLine",
    "Note",
    "Notification",
    "Offer",
    "Payment",
    "Payout",
    "PayoutBatch",
    "Price",
    "PriceNegotiation",
    "Rating",
    "Receipt",
    "ReconciliationDifference",
    "ReconciliationRun",
    "Refund",
    "ServiceRequest",
    "ServicemanProfile",
    "UnavailableDate",
    "WebhookEvent",
]
