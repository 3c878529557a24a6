"""What a person sees of the sandbox: the checkout, and a list of what happened. And the switch for its behaviour."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import clock
from marketplace import money
from marketplace.sandbox import events, store

CHOICES = ("pay", "decline", "abandon", "short", "dollars", "live")


def _naira(kobo: int) -> str:
    return money.naira_text(money.from_kobo(kobo))


def _back(charge: store.Row) -> str:
    """Where Paystack sends the browser; the same whether the payer paid or not."""
    query = urlencode({"trxref": charge["reference"], "reference": charge["reference"]})
    return f"{charge['callback_url']}{'&' if '?' in charge['callback_url'] else '?'}{query}"


def _taken(charge: store.Row, choice: str) -> dict[str, Any]:
    """The facts of a payment: by default exactly what was asked, else wrong in the way that was chosen."""
    now = store.scenario()
    off = -100 if choice == "short" else now["amount_off_kobo"]
    asked = charge["requested_amount"]
    fee = money.to_kobo(money.paystack_fee(money.from_kobo(asked)))
    wrong_currency = now["currency"] if now["currency"] != "NGN" else charge["currency"]
    return {
        "status": "success",
        "amount": asked + off + (fee if now["payer_bears_fee"] else 0),
        "currency": "USD" if choice == "dollars" else wrong_currency,
        "domain": "live" if choice == "live" else now["domain"],
        "fees": fee,
        "gateway_response": "Approved",
        "paid_at": store.now_text(),
    }


@csrf_exempt
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest, access_code: str) -> HttpResponseBase:
    """The page a payer is sent to. It stays open after leaving or declining: paying late is paying here again."""
    charge = store.charge(access_code=access_code)
    if charge is None:
        raise Http404("No such checkout.")
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        if choice not in CHOICES:
            return HttpResponse("Unknown choice.", status=400, content_type="text/plain")
        decide(charge, choice)
        if charge["callback_url"]:
            return redirect(_back(charge))
        return redirect(request.path)
    context = {
        "charge": charge,
        "amount": _naira(charge["requested_amount"]),
        "paid": charge["status"] in ("success", "reversed"),
        "back": _back(charge) if charge["callback_url"] else "",
    }
    return render(request, "marketplace/sandbox/checkout.html", context)


def decide(charge: store.Row, choice: str) -> None:
    """Carry out what the payer chose. A charge that was paid stays paid."""
    if choice == "abandon":
        return
    if choice == "decline":
        store.move_charge(charge["reference"], status="failed", gateway_response="Declined")
        return
    paid = store.move_charge(charge["reference"], **_taken(charge, choice))
    if paid:
        events.announce_charge(paid)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What happened so far: charges, refunds and the events that were sent."""
    rows = [{**row, "amount_text": _naira(row["requested_amount"])} for row in store.charges()]
    refunds = [{**row, "amount_text": _naira(row["amount"])} for row in store.refunds()]
    disputes = [{**row, "amount_text": _naira(row["refund_amount"])} for row in store.disputes()]
    context = {
        "charges": rows,
        "refunds": refunds,
        "disputes": disputes,
        "webhooks": store.webhooks(),
        "scenario": store.scenario(),
    }
    return render(request, "marketplace/sandbox/index.html", context)


@csrf_exempt
@require_POST
def resend(request: HttpRequest, number: int) -> HttpResponse:
    """Deliver one event again."""
    if store.webhook(number) is None:
        raise Http404("No such event.")
    events.resend(number)
    return redirect("paystack-sandbox:index")


@csrf_exempt
@require_POST
def move_refund(request: HttpRequest, number: int) -> HttpResponse:
    """Take one refund to the status given as `status`, telling the marketplace."""
    status = request.POST.get("status", "")
    if store.refund(number) is None or status not in ("processing", "processed", "failed", "needs-attention"):
        raise Http404("No such refund or status.")
    events.announce_refund(number, status)
    return redirect("paystack-sandbox:index")


@csrf_exempt
@require_POST
def raise_dispute(request: HttpRequest, number: int) -> HttpResponse:
    """The payer's bank wants a paid charge back; `amount` in kobo, by default all of it."""
    charge, amount = store.charge(number=number), request.POST.get("amount", "")
    if charge is None or charge["status"] != "success" or (amount and not amount.isdecimal()):
        raise Http404("No such paid charge.")
    until = (clock.now() + timedelta(days=2)).isoformat(timespec="seconds")
    if raised := store.open_dispute(of=charge, amount=int(amount or charge["amount"]), due_at=until):
        events.announce_dispute(raised, "create")
    return redirect("paystack-sandbox:index")


@csrf_exempt
@require_POST
def resolve_dispute(request: HttpRequest, number: int) -> HttpResponse:
    """End a dispute: `merchant-accepted` gives the bank the money back, `declined` does not. Or `remind` of it."""
    choice, dispute = request.POST.get("resolution", ""), store.dispute(number)
    if dispute is None or choice not in ("merchant-accepted", "declined", "remind"):
        raise Http404("No such dispute or resolution.")
    if choice == "remind":
        events.announce_dispute(dispute, "remind")
    elif resolved := store.resolve_dispute(number, choice):
        events.announce_dispute(resolved, "resolve")
    return redirect("paystack-sandbox:index")


@csrf_exempt
@require_http_methods(["GET", "POST", "DELETE"])
def scenario(request: HttpRequest) -> HttpResponse:
    """How the sandbox behaves: read it, change some of it (JSON), or bring back the defaults."""
    if request.method == "DELETE":
        store.set_scenario({})
    if request.method == "POST":
        try:
            changes = json.loads(request.body)
        except ValueError:
            changes = None
        if not isinstance(changes, dict) or not changes:
            return JsonResponse({"detail": "Send an object."}, status=400)
        known = store.SCENARIO
        wrong = [name for name, value in changes.items() if name not in known or not _fits(value, known[name])]
        if wrong:
            return JsonResponse({"detail": f"Not understood: {', '.join(sorted(wrong))}."}, status=400)
        store.set_scenario(changes)
    return JsonResponse(store.scenario())


def _fits(value: object, default: object) -> bool:
    numbers = (int, float)
    if isinstance(default, numbers) and not isinstance(default, bool):
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, type(default))
