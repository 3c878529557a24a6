"""What no step of a request sends: accounts, money, announcements."""

from marketplace.enums import NotificationType as T
from marketplace.notices.audiences import APPROVERS, CHOSEN, CLIENT, FINANCE, THE_PERSON
from marketplace.notices.notice import Events, Notice
from marketplace.notices.occasions import given

OTHERS: Events = {
    T.EMAIL_VERIFICATION: (
        Notice(
            T.EMAIL_VERIFICATION,
            THE_PERSON,
            "Confirm your e-mail address",
            "Please confirm that this is your e-mail address, so that we can reach you about your jobs.",
        ),
    ),
    T.WELCOME: (
        Notice(
            T.WELCOME,
            THE_PERSON,
            "Welcome to Serviceman",
            "Your e-mail address is confirmed, and your account is ready.",
        ),
    ),
    T.PASSWORD_RESET: (
        Notice(
            T.PASSWORD_RESET,
            THE_PERSON,
            "Reset your password",
            "Somebody, hopefully you, asked for a new password for your account.",
        ),
    ),
    T.PASSWORD_CHANGED: (
        Notice(
            T.PASSWORD_CHANGED,
            THE_PERSON,
            "Your password was changed",
            "The password of your account was changed, and you were signed out everywhere.",
        ),
    ),
    T.SERVICEMAN_APPLICATION: (
        Notice(
            T.SERVICEMAN_APPLICATION,
            APPROVERS,
            "New application: a serviceman waits for approval",
            "A serviceman has confirmed the e-mail address and waits for your approval.",
        ),
    ),
    T.SERVICEMAN_APPROVED: (
        Notice(
            T.SERVICEMAN_APPROVED,
            THE_PERSON,
            "Application approved: you can take jobs now",
            "We have approved your application. From now on we can offer you jobs in your trade.",
        ),
    ),
    T.SERVICEMAN_REJECTED: (
        Notice(
            T.SERVICEMAN_REJECTED,
            THE_PERSON,
            "Application declined",
            "We cannot approve your application as it is.",
        ),
    ),
    T.SERVICEMAN_SUSPENDED: (
        Notice(
            T.SERVICEMAN_SUSPENDED,
            THE_PERSON,
            "Account suspended: no new jobs for now",
            "We have suspended your account as a serviceman: you get no new offers until we have talked.",
        ),
    ),
    T.SERVICEMAN_REINSTATED: (
        Notice(
            T.SERVICEMAN_REINSTATED,
            THE_PERSON,
            "Account reinstated: you can take jobs again",
            "Your account as a serviceman is open again, and we can offer you jobs.",
        ),
    ),
    T.MONEY_AT_RISK: (
        Notice(
            T.MONEY_AT_RISK,
            FINANCE,
            "Money at risk: {amount} for {code}",
            "{amount} for the {work} job {code} needs a decision. {why}",
            amount=given,
        ),
    ),
    T.REFUND_SENT: (
        Notice(
            T.REFUND_SENT,
            CLIENT,
            "Refund sent: {amount} for {trade} ({code})",
            "We have sent {amount} for the {work} job {code} back to you, the way you paid. "
            "Your bank may take some working days to show it.",
            amount=given,
        ),
    ),
    T.PAYOUT_SENT: (
        Notice(
            T.PAYOUT_SENT,
            THE_PERSON,
            "Payout sent: {amount}",
            "We have sent {amount} of your earnings to your bank account.",
            amount=given,
        ),
    ),
    T.BANK_ACCOUNT_CHANGED: (
        Notice(
            T.BANK_ACCOUNT_CHANGED,
            THE_PERSON,
            "Bank account changed",
            "The bank account we pay your earnings to was changed.",
        ),
    ),
    T.REVENUE_REPORT: (
        Notice(
            T.REVENUE_REPORT,
            FINANCE,
            "Revenue report: {amount} in the {period} {span}",
            "{amount} was collected in the {period} {span}. Each payment is in the attached CSV file.",
            amount=given,
        ),
    ),
    T.ANNOUNCEMENT: (Notice(T.ANNOUNCEMENT, CHOSEN, "{title}", "{message}"),),
}
