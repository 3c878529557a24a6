"""Plain pages behind the links in our mails and after a payment, for as long as no frontend stands at FRONTEND_URL.

Opening a link changes nothing, since mail programs open links too: a button does.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from pydantic import TypeAdapter, ValidationError

from core import throttles, tokens
from core.errors import DomainError
from core.fields import Email
from marketplace.enums import PaymentOutcome, PaymentStatus
from marketplace.models import Payment
from marketplace.services import accounts

Page = Callable[..., HttpResponse]

CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SENT = "If there is an account with this address that needs it, an e-mail is on its way."
_TOKEN = re.compile(r"[A-Za-z0-9_:-]{1,2000}")
_REFERENCE = re.compile(r"[A-Za-z0-9.=_-]{1,100}")


def _page(*methods: str) -> Callable[[Page], Page]:
    """A page that loads nothing, is kept nowhere, and answers a refusal in words."""

    def dress(page: Page) -> Page:
        @wraps(page)
        def dressed(request: HttpRequest, **parts: Any) -> HttpResponse:
            response = page(request, **parts)
            response["Content-Security-Policy"] = CONTENT_POLICY
            return response

        return never_cache(require_http_methods(["HEAD", *methods])(dressed))

    return dress


def _show(
    request: HttpRequest, name: str, *, title: str, refusal: DomainError | None = None, **context: Any
) -> HttpResponse:
    context |= {"title": title, "bad": refusal is not None}
    status = refusal.status if refusal else HTTPStatus.OK
    response = render(request, f"marketplace/pages/{name}.html", context, status=status)
    if wait := getattr(refusal, "retry_after", None):
        response["Retry-After"] = str(wait)
    return response


def _sent(request: HttpRequest, field: str, pattern: re.Pattern[str]) -> str:
    """A field of the form or the query, or "" when it cannot be what it should be."""
    value = (request.POST if request.method == "POST" else request.GET).get(field, "")
    return value if pattern.fullmatch(value) else ""


def _email(request: HttpRequest) -> str | None:
    try:
        return TypeAdapter(Email).validate_python(request.POST.get("email", ""))
    except ValidationError:
        return None


@dataclass(frozen=True)
class Link:
    """What a mailed link is for: the page asks before it uses the token, and offers a new mail when that is no good."""

    template: str
    purpose: tokens.Purpose
    ask: tuple[str, str]
    """Title and text over the button."""
    lost: tuple[str, str]
    """Title and text for whoever comes without a token."""
    scopes: tuple[str, str]
    """The limits that using a token, and asking for a mail, count for: the API's own."""
    use: Callable[[HttpRequest, str], tuple[str, str]]
    """Uses the token; title and text of the thanks."""
    mail: Callable[[str], None]
    """Sends a new mail to an address."""


def _answer(request: HttpRequest, link: Link) -> HttpResponse:
    token = _sent(request, "token", _TOKEN)
    if request.method != "POST" or not (token or "email" in request.POST):
        title, text = link.ask if token else link.lost
        return _show(request, link.template, title=title, text=text, token=token, asks_for_email=not token)
    try:
        throttles.check(
            link.scopes[0 if token else 1],
            address=throttles.address_of(request),
            account=link.purpose.owner_id(token) if token else _email(request),
        )
        if token:
            title, text = link.use(request, token)
        else:
            title, text = "Look into your mail", SENT
            if email := _email(request):
                link.mail(email)
    except DomainError as refusal:
        if "password" in refusal.errors:
            title, text = link.ask
            return _show(
                request, link.template, title=title, text=text, token=token, alert=refusal.detail, refusal=refusal
            )
        title = "Please wait a little" if isinstance(refusal, throttles.TooMany) else "This link is not valid"
        return _show(request, link.template, title=title, text=refusal.detail, refusal=refusal, asks_for_email=True)
    return _show(request, link.template, title=title, text=text)


def _confirm(_: HttpRequest, token: str) -> tuple[str, str]:
    user = accounts.verify_email(token=token)
    text = (
        "Thank you. We look at your application now and write to you."
        if user.is_serviceman
        else "Thank you. You can go back to the app and book your first visit."
    )
    return "Your address is confirmed", text


def _set_password(request: HttpRequest, token: str) -> tuple[str, str]:
    accounts.reset_password(token=token, password=request.POST.get("password", ""))
    return "Your password is changed", "Go back to the app and sign in with the new one."


VERIFY = Link(
    template="verify_email",
    purpose=tokens.verify_email,
    ask=("Confirm your address", "One tap, and your account is ready."),
    lost=("Confirm your address", "Enter your address and we send you a new link."),
    scopes=("verify-email", "resend-verification"),
    use=_confirm,
    mail=lambda email: accounts.resend_verification(email=email),
)
RESET = Link(
    template="reset_password",
    purpose=tokens.reset_password,
    ask=("Choose a new password", "It replaces the old one, and signs you out everywhere."),
    lost=("Forgot your password?", "We send you a link to set a new one."),
    scopes=("reset-password", "forgot-password"),
    use=_set_password,
    mail=lambda email: accounts.request_password_reset(email=email),
)


@_page("GET", "POST")
def verify_email(request: HttpRequest) -> HttpResponse:
    """Confirm an e-mail address with the token of the mail, or ask for a new mail."""
    return _answer(request, VERIFY)


@_page("GET", "POST")
def reset_password(request: HttpRequest) -> HttpResponse:
    """Set a new password with the token of the mail, or ask for the mail."""
    return _answer(request, RESET)


@_page("GET")
def payment_callback(request: HttpRequest) -> HttpResponse:
    """Where Paystack sends the payer's browser. Says how the payment stands; changes nothing."""
    reference = _sent(request, "reference", _REFERENCE)
    payment = Payment.objects.filter(paystack_reference=reference).first() if reference else None
    # What no longer counts may have been paid all the same: nobody is told to pay again before Paystack has spoken.
    is_open = payment is not None and payment.status == PaymentStatus.PENDING
    if payment is None:
        title, text = (
            "We do not know this payment",
            "If you have paid, the app shows it as soon as we hear of it.",
        )
    elif payment.status == PaymentStatus.SUCCESSFUL and payment.outcome == PaymentOutcome.APPLIED:
        title, text = "Thank you, your payment arrived", "We have written to you, with all the details."
    elif payment.status == PaymentStatus.SUCCESSFUL:
        title, text = "Your payment arrived", "It was not needed any more. We look after it and write to you."
    elif is_open:
        title, text = "We are checking your payment", "This takes a few seconds. This page looks again by itself."
    else:
        title, text = "This payment did not go through", "You can pay again in the app."
    return _show(
        request,
        "payment_callback",
        title=title,
        text=text,
        reference=payment.paystack_reference if payment else "",
        is_open=is_open,
    )


@_page("GET")
def start(request: HttpRequest, request_id: int | None = None) -> HttpResponse:
    """Where mailed links to a request or to the app lead while there is no app; shows nothing of anybody's."""
    if settings.FRONTEND_URL:
        return redirect(f"{settings.FRONTEND_URL}{request.path}")
    return _show(
        request,
        "start",
        title="Serviceman" if request_id is None else "Open this request in your app",
        text="Clients and servicemen use their apps, which are built on this service."
        if request_id is None
        else "Your request is shown in the app, where only you can see it.",
        docs=reverse("api:openapi-view"),
        sandbox="/sandbox/paystack/" if settings.PAYSTACK_SANDBOX else "",
    )


urlpatterns = [
    path("", start, name="start"),
    path("service-requests/<int:request_id>", start, name="service-request"),
    path("verify-email", verify_email, name="verify-email"),
    path("reset-password", reset_password, name="reset-password"),
    path("payment/callback", payment_callback, name="payment-callback"),
]
