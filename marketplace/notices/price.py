"""What follows an estimate, a price, a proposal and its answers, and the payment."""

from marketplace.enums import NotificationType as T
from marketplace.notices.audiences import CLIENT, MONEY_AND_DISPATCH, PRICING, SERVICEMAN
from marketplace.notices.notice import Events, Notice
from marketplace.notices.occasions import by_client, estimate, final_cost, given, unless

_ANSWER_IT = "Please accept it, decline it or propose another price{by_then}."

PRICE: Events = {
    "submit_estimate": (
        Notice(
            T.COST_ESTIMATE_READY,
            PRICING,
            "Estimate ready: {amount} for {code}",
            "The serviceman estimates {amount} for the {work} job {code}. Set the final price{by_then}.",
            amount=estimate,
        ),
    ),
    "set_final_cost": (
        Notice(
            T.FINAL_COST_SET,
            CLIENT,
            "Price ready: {amount} for {trade} ({code})",
            "The price of your {work} job is {amount}. Please approve it, or propose another price{by_then}.",
            amount=final_cost,
        ),
    ),
    "propose_price": (
        Notice(
            T.NEGOTIATION_MESSAGE,
            PRICING,
            "Price proposed: {amount} for {code}",
            "The client proposes {amount} for the {work} job {code}; our price is {price}. Answer{by_then}.",
            amount=given,
            when=by_client,
            quotes=True,
        ),
        Notice(
            T.NEGOTIATION_MESSAGE,
            CLIENT,
            "Price proposed: {amount} for {trade} ({code})",
            "We propose {amount} for your {work} job. " + _ANSWER_IT,
            amount=given,
            when=unless(by_client),
            quotes=True,
        ),
    ),
    "counter": (
        Notice(
            T.NEGOTIATION_MESSAGE,
            PRICING,
            "Counter-proposal: {amount} for {code}",
            "The client answers with {amount} for the {work} job {code}; our price is {price}. Answer{by_then}.",
            amount=given,
            when=by_client,
            quotes=True,
        ),
        Notice(
            T.NEGOTIATION_MESSAGE,
            CLIENT,
            "Counter-proposal: {amount} for {trade} ({code})",
            "We answer with {amount} for your {work} job. " + _ANSWER_IT,
            amount=given,
            when=unless(by_client),
            quotes=True,
        ),
    ),
    "reject_proposal": (
        Notice(
            T.NEGOTIATION_MESSAGE,
            PRICING,
            "Proposal declined: {amount} for {code}",
            "The client has declined {amount} for the {work} job {code}. The price stays {price}.",
            amount=given,
            when=by_client,
            quotes=True,
        ),
        Notice(
            T.NEGOTIATION_MESSAGE,
            CLIENT,
            "Proposal declined: {amount} for {trade} ({code})",
            "We cannot do your {work} job for {amount}. The price stays {price}: please approve it, or propose "
            "another{by_then}.",
            amount=given,
            when=unless(by_client),
            quotes=True,
        ),
    ),
    "withdraw_proposal": (
        Notice(
            T.NEGOTIATION_MESSAGE,
            PRICING,
            "Proposal withdrawn: {amount} for {code}",
            "The client has taken the proposal of {amount} for the {work} job {code} back. The price stays {price}.",
            amount=given,
            when=by_client,
            quotes=True,
        ),
        Notice(
            T.NEGOTIATION_MESSAGE,
            CLIENT,
            "Proposal withdrawn: {amount} for {trade} ({code})",
            "We have taken our proposal of {amount} for your {work} job back. The price stays {price}: please approve "
            "it, or propose another{by_then}.",
            amount=given,
            when=unless(by_client),
            quotes=True,
        ),
    ),
    "accept_proposal": (
        Notice(
            T.NEGOTIATION_MESSAGE,
            PRICING,
            "Price agreed: {amount} for {code}",
            "The client accepts {amount} for the {work} job {code}.",
            amount=given,
            when=by_client,
            quotes=True,
        ),
        Notice(
            T.NEGOTIATION_MESSAGE,
            CLIENT,
            "Price agreed: {amount} for {trade} ({code})",
            "We accept your proposal: your {work} job costs {amount}.",
            amount=given,
            when=unless(by_client),
            quotes=True,
        ),
        Notice(
            T.FINAL_COST_SET,
            CLIENT,
            "Price agreed: please pay {amount} for {trade} ({code})",
            "The price of your {work} job is {amount}, as agreed. Please pay it, and the work can start.",
            amount=final_cost,
            when=unless(by_client),
        ),
    ),
    "approve_price": (
        Notice(
            T.PRICE_APPROVED,
            PRICING,
            "Price approved: {amount} for {code}",
            "The client has approved {amount} for the {work} job {code}. The payment is due{by_then}.",
            amount=final_cost,
        ),
    ),
    "consult": (
        Notice(
            T.SERVICEMAN_CONSULTED,
            SERVICEMAN,
            "Question about the price: {trade} ({code})",
            "We have a question about your estimate of {amount} for the {work} job {code}. Please answer it soon: the "
            "client is waiting.",
            amount=estimate,
            quotes=True,
        ),
    ),
    "answer": (
        Notice(
            T.SERVICEMAN_ANSWERED,
            PRICING,
            "Serviceman's answer about {amount} for {code}",
            "The serviceman has answered about the proposed {amount} for the {work} job {code}.",
            amount=given,
            quotes=True,
        ),
    ),
    "confirm_final_payment": (
        Notice(
            T.PAYMENT_CONFIRMED,
            MONEY_AND_DISPATCH,
            "Payment confirmed: {amount} for {code}",
            "The final price of {amount} for the {work} job {code} is paid. The work can start.",
            amount=final_cost,
        ),
        Notice(
            T.PAYMENT_CONFIRMED,
            SERVICEMAN,
            "Payment confirmed: you can start {work} job {code}",
            "The client has paid, so you can start the {work} job {code} on {day}. You earn {amount} for it.",
            amount=estimate,
        ),
        Notice(
            T.PAYMENT_RECEIPT,
            CLIENT,
            "Payment receipt: {amount} for {trade} ({code})",
            "Thank you. Your payment of {amount} for the {work} job {code} has arrived, and the work can start.",
            amount=final_cost,
        ),
    ),
}
