"""What follows a booking, and the search for a serviceman."""

from marketplace.enums import NotificationType as T
from marketplace.notices.audiences import BACKUP, CLIENT, DISPATCH, LOSERS, MONEY_AND_DISPATCH, SERVICEMAN, SERVICEMEN
from marketplace.notices.notice import Events, Notice
from marketplace.notices.occasions import booking_fee, fact, is_emergency

_OFFERED = (
    Notice(
        T.SERVICEMAN_ASSIGNED,
        SERVICEMAN,
        "New job offer: {trade} on {day} ({code})",
        "A {work} job on {day} is offered to you. Please accept or decline it{by_then}.",
    ),
    Notice(
        T.BACKUP_OPPORTUNITY,
        BACKUP,
        "Backup opportunity: {trade} on {day} ({code})",
        "You are next in line for a {work} job on {day}. If the first choice cannot come, it is offered to you.",
    ),
    Notice(
        T.EMERGENCY_ALERT,
        SERVICEMEN,
        "Emergency: {trade} on {day} ({code})",
        "The {work} job {code} on {day} is an emergency: please react at once.",
        when=is_emergency,
    ),
)
_PASSED_ON = (
    Notice(
        T.SERVICEMAN_ASSIGNED,
        SERVICEMAN,
        "New job offer: {trade} on {day} ({code})",
        "You were next in line, and now the {work} job on {day} is offered to you. "
        "Please accept or decline it{by_then}.",
        when=fact("promoted"),
    ),
)

BOOKING: Events = {
    "book": (),
    "confirm_booking_fee": (
        Notice(
            T.PAYMENT_RECEIVED,
            MONEY_AND_DISPATCH,
            "Payment received: {amount} for {code}",
            "The booking fee of {amount} for the {work} job {code} on {day} is paid. Assign a serviceman{by_then}.",
            amount=booking_fee,
        ),
        Notice(
            T.BOOKING_CONFIRMED,
            CLIENT,
            "Booking confirmed: {trade} on {day} ({code})",
            "Your booking fee of {amount} has arrived and your {work} visit on {day} is booked. "
            "We are choosing a serviceman for you.",
            amount=booking_fee,
        ),
        Notice(
            T.EMERGENCY_ALERT,
            DISPATCH,
            "Emergency: {trade} on {day} ({code})",
            "The {work} job {code} on {day} is an emergency. Assign a serviceman{by_then}.",
            when=is_emergency,
        ),
    ),
    "expire": (
        Notice(
            T.REQUEST_CANCELLED,
            CLIENT,
            "Booking cancelled: {trade} on {day} ({code})",
            "The booking fee of {amount} was not paid in time, so your {work} booking on {day} is cancelled. "
            "Nothing was charged, and you can book again at any time.",
            amount=booking_fee,
        ),
    ),
    "assign": _OFFERED,
    "reassign": (
        *_OFFERED,
        Notice(
            T.OFFER_WITHDRAWN,
            LOSERS,
            "Offer withdrawn: {trade} on {day} ({code})",
            "The {work} job {code} on {day} is given to somebody else. There is nothing left for you to do.",
        ),
        Notice(
            T.SERVICEMAN_CHANGED,
            CLIENT,
            "Serviceman changed: {trade} on {day} ({code})",
            "Another serviceman will do your {work} job on {day}. We will tell you as soon as one has accepted.",
            when=fact("had_accepted"),
        ),
    ),
    "drop_backup": (),
    "accept": (
        Notice(
            T.SERVICEMAN_ACCEPTED,
            CLIENT,
            "Serviceman found: {trade} on {day} ({code})",
            "A serviceman has accepted your {work} job and comes on {day}.",
        ),
        Notice(
            T.SERVICEMAN_ACCEPTED,
            DISPATCH,
            "Offer accepted: {trade} on {day} ({code})",
            "The serviceman has accepted the {work} job {code} on {day}. The next step is due{by_then}.",
        ),
    ),
    "decline": (
        *_PASSED_ON,
        Notice(
            T.SERVICEMAN_DECLINED,
            DISPATCH,
            "Offer declined: {trade} on {day} ({code})",
            "The serviceman has declined the {work} job {code} on {day}. {next}",
            quotes=True,
        ),
    ),
    "lapse": (
        *_PASSED_ON,
        Notice(
            T.SERVICEMAN_DECLINED,
            DISPATCH,
            "Offer not answered: {trade} on {day} ({code})",
            "The offer of the {work} job {code} on {day} has ended without an answer. {next}",
            quotes=True,
        ),
        Notice(
            T.OFFER_LAPSED,
            LOSERS,
            "Offer lapsed: {trade} on {day} ({code})",
            "Your offer of the {work} job {code} on {day} has ended without an answer, so it is no longer yours.",
        ),
    ),
    "withdraw": (
        *_PASSED_ON,
        Notice(
            T.SERVICEMAN_DECLINED,
            DISPATCH,
            "Job given back: {trade} on {day} ({code})",
            "The serviceman has given back the {work} job {code} on {day}, which was accepted. {next}",
            quotes=True,
        ),
        Notice(
            T.SERVICEMAN_CHANGED,
            CLIENT,
            "Serviceman changed: {trade} on {day} ({code})",
            "The serviceman for your {work} job on {day} cannot come. We are sending another one and will tell you "
            "as soon as they have accepted.",
        ),
    ),
}
