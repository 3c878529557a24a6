"""Every closed list of the business. Pure: imported by all layers, imports none."""

from django.db.models import TextChoices


class Status(TextChoices):
    """Where a service request stands, from booking to its end."""

    AWAITING_BOOKING_FEE = "AWAITING_BOOKING_FEE", "Awaiting booking fee"
    PENDING_ADMIN_ASSIGNMENT = "PENDING_ADMIN_ASSIGNMENT", "Pending admin assignment"
    ASSIGNED_TO_SERVICEMAN = "ASSIGNED_TO_SERVICEMAN", "Assigned to serviceman"
    SERVICEMAN_INSPECTED = "SERVICEMAN_INSPECTED", "Serviceman inspected"
    AWAITING_CLIENT_APPROVAL = "AWAITING_CLIENT_APPROVAL", "Awaiting client approval"
    NEGOTIATING = "NEGOTIATING", "Negotiating"
    AWAITING_PAYMENT = "AWAITING_PAYMENT", "Awaiting payment"
    PAYMENT_CONFIRMED = "PAYMENT_CONFIRMED", "Payment confirmed"
    IN_PROGRESS = "IN_PROGRESS", "In progress"
    WORK_COMPLETED = "WORK_COMPLETED", "Work completed"
    COMPLETED = "COMPLETED", "Completed"
    CANCELLED = "CANCELLED", "Cancelled"


OPEN = tuple(s for s in Status if s not in (Status.COMPLETED, Status.CANCELLED))
"""Statuses in which somebody must still do something, in the order of the workflow."""
CLOSED = (Status.COMPLETED, Status.CANCELLED)


class Side(TextChoices):
    """Who must act next, or who acted."""

    CLIENT = "CLIENT", "Client"
    SERVICEMAN = "SERVICEMAN", "Serviceman"
    ADMIN = "ADMIN", "Admin"
    NOBODY = "NOBODY", "Nobody"
    SYSTEM = "SYSTEM", "System"


class Approval(TextChoices):
    """Whether a serviceman may be offered work."""

    PENDING = "PENDING", "Pending"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
    SUSPENDED = "SUSPENDED", "Suspended"


class PaymentType(TextChoices):
    """What a client pays for: the visit, then the work."""

    INITIAL_BOOKING = "INITIAL_BOOKING", "Booking fee"
    FINAL_PAYMENT = "FINAL_PAYMENT", "Final payment"


class PaymentStatus(TextChoices):
    """What is proven of a payment's money."""

    PENDING = "PENDING", "Pending"
    SUCCESSFUL = "SUCCESSFUL", "Successful"
    FAILED = "FAILED", "Failed"


class PaymentOutcome(TextChoices):
    """What became of a payment here. Null while it is open."""

    APPLIED = "APPLIED", "Applied"
    LATE = "LATE", "Late"
    DUPLICATE = "DUPLICATE", "Duplicate"
    MISMATCH = "MISMATCH", "Mismatch"
    SUPERSEDED = "SUPERSEDED", "Superseded"


class Channel(TextChoices):
    """How money came in."""

    PAYSTACK = "PAYSTACK", "Paystack"
    MANUAL = "MANUAL", "Manual"


class RefundStatus(TextChoices):
    """The way of money back to a client."""

    DUE = "DUE", "Due"
    REVIEW = "REVIEW", "For review"
    APPROVED = "APPROVED", "Approved"
    SENT = "SENT", "Sent"
    PROCESSING = "PROCESSING", "Processing"
    PROCESSED = "PROCESSED", "Processed"
    FAILED = "FAILED", "Failed"
    NEEDS_ATTENTION = "NEEDS_ATTENTION", "Needs attention"
    WAIVED = "WAIVED", "Waived"


class SecondPerson(TextChoices):
    """Whether money by hand and refunds take a second person's approval."""

    WHEN_THERE_IS_ONE = "WHEN_THERE_IS_ONE", "Where more than one person may approve"
    ALWAYS = "ALWAYS", "Always"
    NEVER = "NEVER", "Never"


class WebhookOutcome(TextChoices):
    """What we made of an event Paystack sent."""

    RECEIVED = "RECEIVED", "Received"
    APPLIED = "APPLIED", "Applied"
    IGNORED = "IGNORED", "Not for us"
    NOT_UNDERSTOOD = "NOT_UNDERSTOOD", "Not understood"
    RETRY = "RETRY", "To be tried again"


class OfferRank(TextChoices):
    """First choice, or next in line."""

    PRIMARY = "PRIMARY", "Primary"
    BACKUP = "BACKUP", "Backup"


class OfferAnswer(TextChoices):
    """How an offer was answered or ended. Null while it is open."""

    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    LAPSED = "LAPSED", "Lapsed"
    WITHDRAWN = "WITHDRAWN", "Withdrawn by the serviceman"
    TAKEN_BACK = "TAKEN_BACK", "Taken back"
    CLOSED = "CLOSED", "Request closed"


class NegotiationStatus(TextChoices):
    """What became of a proposed price."""

    PENDING = "PENDING", "Pending"
    ACCEPTED = "ACCEPTED", "Accepted"
    REJECTED = "REJECTED", "Rejected"
    COUNTERED = "COUNTERED", "Countered"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"


class IssueKind(TextChoices):
    """What went wrong at a job."""

    NO_SHOW = "NO_SHOW", "Nobody came"
    UNREACHABLE = "UNREACHABLE", "Cannot be reached"
    QUALITY = "QUALITY", "Quality of the work"
    SAFETY = "SAFETY", "Safety"
    OTHER = "OTHER", "Other"


class Account(TextChoices):
    """The chart of accounts. Debit raises GATEWAY_CLEARING, BANK and GATEWAY_FEES; credit raises the rest."""

    CLIENT = "CLIENT", "Clients (what they owe or have paid in advance)"
    GATEWAY_CLEARING = "GATEWAY_CLEARING", "Paystack clearing"
    BANK = "BANK", "Bank and cash"
    GATEWAY_FEES = "GATEWAY_FEES", "Paystack fees"
    REVENUE_BOOKING_FEE = "REVENUE_BOOKING_FEE", "Platform revenue: booking fees"
    REVENUE_MARKUP = "REVENUE_MARKUP", "Platform revenue: markup"
    SERVICEMAN_PAYABLE = "SERVICEMAN_PAYABLE", "Payable to servicemen"
    REFUNDS_PAYABLE = "REFUNDS_PAYABLE", "Refunds payable"


class PayoutStatus(TextChoices):
    """The way of money to a serviceman."""

    PREPARED = "PREPARED", "Prepared"
    APPROVED = "APPROVED", "Approved"
    SENT = "SENT", "Sent"
    PAID = "PAID", "Paid"
    FAILED = "FAILED", "Failed"
    REVERSED = "REVERSED", "Reversed"


class DisputeStatus(TextChoices):
    """A chargeback's state."""

    OPEN = "OPEN", "Open"
    RESOLVED = "RESOLVED", "Resolved"


class AttachmentKind(TextChoices):
    """What a picture shows."""

    JOB = "JOB", "The job"
    ESTIMATE = "ESTIMATE", "Estimate"
    COMPLETION = "COMPLETION", "Completion"


class NotificationType(TextChoices):
    """Every message the marketplace sends, on the dashboard and by e-mail."""

    EMAIL_VERIFICATION = "EMAIL_VERIFICATION", "Confirm your e-mail"
    WELCOME = "WELCOME", "Welcome"
    PASSWORD_RESET = "PASSWORD_RESET", "Password reset"
    PASSWORD_CHANGED = "PASSWORD_CHANGED", "Password changed"
    SERVICEMAN_APPLICATION = "SERVICEMAN_APPLICATION", "Serviceman application"
    SERVICEMAN_APPROVED = "SERVICEMAN_APPROVED", "Application approved"
    SERVICEMAN_REJECTED = "SERVICEMAN_REJECTED", "Application rejected"
    SERVICEMAN_SUSPENDED = "SERVICEMAN_SUSPENDED", "Account suspended"
    SERVICEMAN_REINSTATED = "SERVICEMAN_REINSTATED", "Account reinstated"
    BOOKING_CONFIRMED = "BOOKING_CONFIRMED", "Booking confirmed"
    PAYMENT_RECEIVED = "PAYMENT_RECEIVED", "Payment received"
    EMERGENCY_ALERT = "EMERGENCY_ALERT", "Emergency"
    SERVICEMAN_ASSIGNED = "SERVICEMAN_ASSIGNED", "New job offer"
    BACKUP_OPPORTUNITY = "BACKUP_OPPORTUNITY", "Backup opportunity"
    OFFER_WITHDRAWN = "OFFER_WITHDRAWN", "Offer withdrawn"
    OFFER_LAPSED = "OFFER_LAPSED", "Offer lapsed"
    SERVICEMAN_ACCEPTED = "SERVICEMAN_ACCEPTED", "Serviceman accepted"
    SERVICEMAN_DECLINED = "SERVICEMAN_DECLINED", "Serviceman declined"
    SERVICEMAN_CHANGED = "SERVICEMAN_CHANGED", "Serviceman changed"
    COST_ESTIMATE_READY = "COST_ESTIMATE_READY", "Estimate ready"
    FINAL_COST_SET = "FINAL_COST_SET", "Final cost set"
    NEGOTIATION_MESSAGE = "NEGOTIATION_MESSAGE", "Negotiation"
    SERVICEMAN_CONSULTED = "SERVICEMAN_CONSULTED", "Question about the price"
    SERVICEMAN_ANSWERED = "SERVICEMAN_ANSWERED", "Serviceman's answer"
    PRICE_APPROVED = "PRICE_APPROVED", "Price approved"
    PAYMENT_CONFIRMED = "PAYMENT_CONFIRMED", "Payment confirmed"
    PAYMENT_RECEIPT = "PAYMENT_RECEIPT", "Payment receipt"
    WORK_STARTED = "WORK_STARTED", "Work started"
    JOB_COMPLETED = "JOB_COMPLETED", "Job completed"
    JOB_CONFIRMED = "JOB_CONFIRMED", "Job confirmed"
    WORK_RETURNED = "WORK_RETURNED", "Work returned"
    REQUEST_CANCELLED = "REQUEST_CANCELLED", "Request cancelled"
    RESCHEDULED = "RESCHEDULED", "Rescheduled"
    ISSUE_RAISED = "ISSUE_RAISED", "Issue raised"
    ISSUE_RESOLVED = "ISSUE_RESOLVED", "Issue resolved"
    RATING_RECEIVED = "RATING_RECEIVED", "Rating received"
    ACTION_REMINDER = "ACTION_REMINDER", "Reminder"
    ACTION_OVERDUE = "ACTION_OVERDUE", "Overdue"
    INSPECTION_OVERDUE = "INSPECTION_OVERDUE", "Inspection overdue"
    MONEY_AT_RISK = "MONEY_AT_RISK", "Money at risk"
    REFUND_SENT = "REFUND_SENT", "Refund sent"
    PAYOUT_SENT = "PAYOUT_SENT", "Payout sent"
    BANK_ACCOUNT_CHANGED = "BANK_ACCOUNT_CHANGED", "Bank account changed"
    REVENUE_REPORT = "REVENUE_REPORT", "Revenue report"
    ANNOUNCEMENT = "ANNOUNCEMENT", "Announcement"
