"""Addresses of the sandbox. Those of the API are Paystack's own, without a slash at the end."""

from django.urls import path

from marketplace.sandbox import api, pages

app_name = "paystack-sandbox"

urlpatterns = [
    path("", pages.index, name="index"),
    path("transaction/initialize", api.initialize, name="initialize"),
    path("transaction/verify/<str:reference>", api.verify, name="verify"),
    path("refund", api.refunds, name="refunds"),
    path("refund/<int:number>", api.refund, name="refund"),
    path("refund/retry_with_customer_details/<int:number>", api.retry_refund, name="retry-refund"),
    path("dispute", api.disputes, name="disputes"),
    path("dispute/<int:number>", api.dispute, name="dispute"),
    path("checkout/<str:access_code>", pages.checkout, name="checkout"),
    path("_scenario/", pages.scenario, name="scenario"),
    path("_webhooks/<int:number>/resend/", pages.resend, name="resend"),
    path("_charges/<int:number>/dispute/", pages.raise_dispute, name="raise-dispute"),
    path("_disputes/<int:number>/", pages.resolve_dispute, name="resolve-dispute"),
    path("_refunds/<int:number>/", pages.move_refund, name="move-refund"),
]
