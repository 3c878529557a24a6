"""What follows the work itself, changes of mind, and deadlines."""

from marketplace.enums import NotificationType as T
from marketplace.enums import Side
from marketplace.notices.audiences import (
    CLIENT,
    DISPATCH,
    RAISERS,
    SERVICEMAN,
    SERVICEMEN,
    SERVICEMEN_AND_DISPATCH,
    THE_DESK,
    VERIFIERS,
    WHO_RAISED_IT,
    admins,
)
from marketplace.notices.notice import Events, Notice
from marketplace.notices.occasions import estimate, fact, final_cost, is_emergency, unless, waits_on

WORK: Events = {
    "start_work": (
        Notice(
            T.WORK_STARTED,
            CLIENT,
            "Work started: {trade} ({code})",
            "The serviceman has started to work on your {work} job {code}.",
        ),
    ),
    "mark_work_completed": (
        Notice(
            T.JOB_COMPLETED,
            VERIFIERS,
            "Job completed: {trade} ({code})",
            "The serviceman says that the {work} job {code} is done. Check it with the client{by_then}.",
        ),
    ),
    "verify_completion": (
        Notice(
            T.JOB_CONFIRMED,
            CLIENT,
            "Job confirmed: how was your {work} job? ({code})",
            "Your {work} job {code} is done. Please rate the serviceman with 1 to 5 stars: it helps others to choose.",
            quotes=True,
        ),
        Notice(
            T.JOB_CONFIRMED,
            SERVICEMAN,
            "Job confirmed: you have earned {amount} ({code})",
            "Your work on the {work} job {code} is confirmed, and {amount} has been added to your earnings.",
            amount=estimate,
            quotes=True,
        ),
    ),
    "return_to_work": (
        Notice(
            T.WORK_RETURNED,
            SERVICEMAN,
            "Work returned: {trade} ({code})",
            "The {work} job {code} is not finished yet. Please put it right and mark it as completed again.",
            quotes=True,
        ),
    ),
    "rate": (
        Notice(
            T.RATING_RECEIVED,
            SERVICEMAN,
            "Rating received: {trade} ({code})",
            "The client has rated your work on the {work} job {code}. You can reply to it once.",
        ),
    ),
    "cancel": (
        Notice(
            T.REQUEST_CANCELLED,
            CLIENT,
            "Request cancelled: {trade} on {day} ({code})",
            "Your {work} job {code} on {day} was cancelled{by_whom}.",
            quotes=True,
        ),
        Notice(
            T.REQUEST_CANCELLED,
            SERVICEMEN,
            "Request cancelled: {trade} on {day} ({code})",
            "The {work} job {code} on {day} was cancelled{by_whom}. Please do not go there.",
            quotes=True,
        ),
        Notice(
            T.REQUEST_CANCELLED,
            admins("cancel"),
            "Request cancelled: {trade} on {day} ({code})",
            "The {work} job {code} on {day} was cancelled{by_whom}.",
            quotes=True,
        ),
        Notice(
            T.REQUEST_CANCELLED,
            RAISERS,
            "Request cancelled: {trade} on {day} ({code})",
            "The {work} job {code} on {day} was cancelled{by_whom}. The issue you raised about it is closed with it.",
        ),
    ),
    "reschedule": (
        Notice(
            T.RESCHEDULED,
            CLIENT,
            "Rescheduled: your {work} visit is now on {day} ({code})",
            "Your {work} job {code} has moved from {was} to {day}.",
            quotes=True,
        ),
        Notice(
            T.RESCHEDULED,
            SERVICEMEN_AND_DISPATCH,
            "Rescheduled: {trade} is now on {day} ({code})",
            "The {work} job {code} has moved from {was} to {day}.",
            quotes=True,
        ),
        Notice(
            T.EMERGENCY_ALERT,
            SERVICEMEN_AND_DISPATCH,
            "Emergency: {trade} on {day} ({code})",
            "The {work} job {code} has moved to {day} and is an emergency now.",
            when=fact("became_emergency"),
        ),
    ),
    "flag_emergency": (
        Notice(
            T.EMERGENCY_ALERT,
            SERVICEMEN,
            "Emergency: {trade} on {day} ({code})",
            "The {work} job {code} on {day} is an emergency now: please react at once.",
            when=is_emergency,
        ),
        Notice(
            T.EMERGENCY_ALERT,
            SERVICEMEN,
            "Emergency lifted: {trade} on {day} ({code})",
            "The {work} job {code} on {day} is no longer an emergency.",
            when=unless(is_emergency),
        ),
    ),
    "soft_delete": (),
    "raise_issue": (
        Notice(
            T.ISSUE_RAISED,
            VERIFIERS,
            "Issue raised: {trade} ({code})",
            "There is a problem with the {work} job {code}. The job waits until you have settled it.",
            quotes=True,
        ),
    ),
    "resolve_issue": (
        Notice(
            T.ISSUE_RESOLVED,
            WHO_RAISED_IT,
            "Issue resolved: {trade} ({code})",
            "The problem you told us about at the {work} job {code} is settled.",
            quotes=True,
        ),
    ),
    T.ACTION_REMINDER: (
        Notice(
            T.ACTION_REMINDER,
            CLIENT,
            "Reminder: {todo} ({code})",
            "Your {work} job {code} waits for you: {todo}. The price is {amount}.",
            amount=final_cost,
            when=lambda o: waits_on(Side.CLIENT)(o) and final_cost(o) is not None,
        ),
        Notice(
            T.ACTION_REMINDER,
            CLIENT,
            "Reminder: {todo} ({code})",
            "Your {work} job {code} waits for you: {todo}.",
            when=waits_on(Side.CLIENT),
        ),
        Notice(
            T.ACTION_REMINDER,
            SERVICEMAN,
            "Reminder: {todo} ({code})",
            "The {work} job {code} on {day} waits for you: {todo}.",
            when=waits_on(Side.SERVICEMAN),
        ),
    ),
    T.ACTION_OVERDUE: (
        Notice(
            T.ACTION_OVERDUE,
            THE_DESK,
            "Overdue: {todo} ({code})",
            "The {work} job {code} on {day} is overdue: {todo}. It was due{by_then}.",
        ),
    ),
    T.INSPECTION_OVERDUE: (
        Notice(
            T.INSPECTION_OVERDUE,
            SERVICEMAN,
            "Inspection overdue: {trade} on {day} ({code})",
            "Your estimate for the {work} job {code} was due{by_then}. Please look at the job and send it now.",
        ),
        Notice(
            T.INSPECTION_OVERDUE,
            DISPATCH,
            "Inspection overdue: {trade} on {day} ({code})",
            "The estimate for the {work} job {code} was due{by_then}. Call the serviceman, or reassign the job.",
        ),
    ),
}
