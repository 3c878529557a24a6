"""The Export button: what the list shows and nothing more, for those who may export and see it and nobody else."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from core import clock
from core import console as core_console
from core.console import ExportAdmin
from core.exports import CONTENT_TYPES
from marketplace.admin.payments import PaymentAdmin
from marketplace.models import LedgerEntry, LedgerLine, Payment, Refund, ServicemanProfile

pytestmark = pytest.mark.django_db

INSIGHT = ("insight_revenue", "insight_servicemen", "insight_categories")
LISTS = [model for model, site in admin.site._registry.items() if isinstance(site, ExportAdmin)]


def url_of(model, page="export"):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")


def rows_in(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline="")))


def export(client, model, query="", **values):
    return client.post(f"{url_of(model)}{query}", {"format": "0", **values})


def test_the_lists_that_export_are_those_of_money():
    names = {model._meta.model_name for model in LISTS}
    assert names == {
        "payment", "refund", "payout", "ledgerentry", "ledgerline", "dailyrevenue", "servicemanprofile",
    }  # fmt: skip


# --- Who


def test_finance_exports_every_list_and_no_other_role_any(console, make_admin, a_row_each, ada, client):
    finance = console(make_admin("finance"))
    for model in LISTS:
        page = finance.get(url_of(model))
        assert page.status_code == 200
        assert f"{url_of(model)}" in finance.get(url_of(model, "changelist")).content.decode()
        for number, content_type in enumerate(CONTENT_TYPES.values()):
            answer = export(finance, model, format=number)
            assert (answer.status_code, answer["Content-Type"], answer.streaming) == (200, content_type, True)
            assert b"".join(answer.streaming_content)
    for role in ("dispatcher", "pricing", "viewer"):
        other = console(make_admin(role))
        for model in LISTS:
            assert other.get(url_of(model)).status_code == export(other, model).status_code == 403
            the_list = other.get(url_of(model, "changelist"))
            assert the_list.status_code == 403 or url_of(model) not in the_list.content.decode()
        for page in INSIGHT:
            for kind in CONTENT_TYPES:
                assert other.get(reverse(f"admin:{page}"), {"export": kind}).status_code == 403
    for stranger in (client, console(ada)):
        for model in LISTS:
            assert stranger.get(url_of(model)).status_code == export(stranger, model).status_code == 302


def test_the_right_to_export_without_the_right_to_view_exports_nothing(console, make_admin, a_row_each):
    person = make_admin(name="blind")
    rights = Permission.objects.filter(content_type__app_label="marketplace")
    person.user_permissions.set(rights.filter(codename="export"))
    for model in LISTS:
        assert console(person).get(url_of(model)).status_code == export(console(person), model).status_code == 403
    # Who may see servicemen, but not the books, learns nobody's earnings from their list.
    person.user_permissions.set(rights.filter(codename__in=("export", "view_servicemanprofile")))
    assert console(person).get(url_of(ServicemanProfile, "changelist")).status_code == 200
    assert export(console(person), ServicemanProfile).status_code == 403
    # Nor does who may see the books, but not servicemen, get a file from a list he cannot open.
    person.user_permissions.set(rights.filter(codename__in=("export", "view_ledgerline")))
    assert export(console(person), ServicemanProfile).status_code == 403
    person.user_permissions.add(rights.get(codename="view_servicemanprofile"))
    assert export(console(person), ServicemanProfile).status_code == 200


# --- What


def test_it_is_what_the_filter_and_the_search_leave(console, make_admin, request_in):
    first, second = request_in("IN_PROGRESS"), request_in("PENDING_ADMIN_ASSIGNMENT")
    finance = console(make_admin("finance"))
    assert len(rows_in(export(finance, Payment))) == 3
    paid = rows_in(export(finance, Payment, "?payment_type__exact=FINAL_PAYMENT"))
    assert [(row["request"], row["amount"]) for row in paid] == [(first.code, "22000.00")]
    found = rows_in(export(finance, Payment, f"?q={second.code}"))
    assert [(row["request"], row["amount"]) for row in found] == [(second.code, "2000.00")]
    assert rows_in(export(finance, Payment, f"?q={second.code}&payment_type__exact=FINAL_PAYMENT")) == []
    listed = [row["id"] for row in rows_in(export(finance, Payment))]
    assert listed == [str(pk) for pk in Payment.objects.order_by("-id").values_list("pk", flat=True)]
    assert [row["id"] for row in rows_in(export(finance, Payment, "?o=1"))] != []


def test_a_queue_is_a_filter_too(console, make_admin, request_in):
    payment = request_in("IN_PROGRESS").payments.first()
    for status in ("PROCESSED", "DUE"):
        due = Refund.objects.create(payment=payment, amount=1, reason="Kind.", status=status)
    rows = rows_in(export(console(make_admin("finance")), Refund, "?queue=to_decide"))
    assert [row["id"] for row in rows] == [str(due.pk)]


def test_the_rows_an_admin_does_not_have_in_the_list_stay_in(console, make_admin, request_in, monkeypatch):
    payment = request_in("IN_PROGRESS").payments.first()
    shown = PaymentAdmin.get_queryset
    monkeypatch.setattr(PaymentAdmin, "get_queryset", lambda self, request: shown(self, request).exclude(pk=payment.pk))
    rows = rows_in(export(console(make_admin("finance")), Payment))
    assert len(rows) == 1
    assert rows[0]["id"] != str(payment.pk)


def test_rows_cannot_be_picked_by_hand(console, make_admin, request_in):
    request_in("IN_PROGRESS")
    picked = {"export_items": [Payment.objects.first().pk]}
    assert len(rows_in(export(console(make_admin("finance")), Payment, "?payment_type__exact=X", **picked))) == 0


def test_of_the_books_go_out_the_lines_of_the_filtered_entries_or_the_earnings_among_them(
    console, make_admin, request_in, tunde, bola
):
    record = request_in("COMPLETED")
    for number, (kind, man) in enumerate((("completion_earned", tunde), ("completion_earned", bola), ("other", None))):
        entry = LedgerEntry.objects.create(kind=kind, request=record, dedupe_key=str(number))
        LedgerLine.objects.create(entry=entry, account="BANK", amount_kobo=500)
        account = "SERVICEMAN_PAYABLE" if man else "CLIENT"
        LedgerLine.objects.create(entry=entry, account=account, amount_kobo=-500, serviceman=man)
    finance = console(make_admin("finance"))
    assert len(rows_in(export(finance, LedgerEntry))) == 6
    assert {row["kind"] for row in rows_in(export(finance, LedgerEntry, "?q=completion"))} == {"completion_earned"}
    for model in (LedgerEntry, LedgerLine):
        earned = rows_in(export(finance, model, "?q=completion", resource=1))
        assert {(row["serviceman"], row["amount"]) for row in earned} == {("Tunde Bello", "5.00"), ("Bola Ade", "5.00")}
    only = rows_in(export(finance, ServicemanProfile, "?q=bola"))
    assert [(row["serviceman"], row["request"]) for row in only] == [("Bola Ade", record.code)]


def test_figures_come_as_both_and_as_nothing_else(console, make_admin, request_in):
    request_in("COMPLETED")
    finance = console(make_admin("finance"))
    for page in INSIGHT:
        url = reverse(f"admin:{page}")
        html = finance.get(url).content.decode()
        for kind, content_type in CONTENT_TYPES.items():
            assert f"export={kind}" in html
            answer = finance.get(url, {"export": kind})
            assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
        assert finance.get(url, {"export": "sql"}).status_code == 404


def test_the_file_is_named_by_what_it_is_and_today_in_lagos(console, make_admin, a_row_each):
    finance = console(make_admin("finance"))
    with clock.at(datetime(2026, 11, 20, 23, 30, tzinfo=UTC)):
        answer = export(finance, Payment, format=1)
        assert answer["Content-Disposition"] == 'attachment; filename="payments-2026-11-21.xlsx"'
        assert "no-store" in answer["Cache-Control"]
        name = export(finance, ServicemanProfile)["Content-Disposition"]
        assert name == 'attachment; filename="servicemens-earnings-2026-11-21.csv"'
        revenue = finance.get(reverse("admin:insight_revenue"), {"export": "csv", "by": "week"})
        assert revenue["Content-Disposition"] == 'attachment; filename="revenue-by-week-2026-11-21.csv"'


# --- The page


def test_the_page_says_how_much_is_coming_and_what(console, make_admin, request_in, django_assert_max_num_queries):
    request_in("IN_PROGRESS")
    finance = console(make_admin("finance"))
    with django_assert_max_num_queries(12):
        html = finance.get(url_of(Payment)).content.decode()
    assert 'data-rows="2"' in html
    assert "2 rows" in html
    assert "Everything in the list" in html
    for column in ("received", "fee", "currency"):
        assert f"<code>{column}</code>" in html
    html = finance.get(f"{url_of(Payment)}?payment_type__exact=FINAL_PAYMENT").content.decode()
    assert "1 row" in html
    assert "as it is filtered" in html
    assert f"{url_of(Payment, 'changelist')}?payment_type__exact=FINAL_PAYMENT" in html
    assert f'action="{url_of(Payment)}?payment_type__exact=FINAL_PAYMENT"' in html


def test_a_script_can_read_how_many_thousands_are_coming(console, make_admin, request_in):
    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    Payment.objects.bulk_create(
        Payment(service_request=record, payment_type="FINAL_PAYMENT", amount=1, paystack_reference=n, outcome="LATE")
        for n in range(1233)
    )
    html = console(make_admin("finance")).get(url_of(Payment)).content.decode()
    assert "1,234 rows" in html
    assert 'data-rows="1234"' in html


def test_the_page_runs_no_script_of_its_own(console, make_admin, request_in):
    """What works without inline scripts and styles works under a strict Content-Security-Policy."""
    request_in("IN_PROGRESS")
    html = console(make_admin("finance")).get(url_of(Payment)).content.decode()
    form = html[html.index("<form", html.index('id="content"')) : html.index("</form>", html.index("data-export"))]
    assert "core/export.js" in html
    assert not any(inline in form for inline in ("<script", "style=", "onclick", "x-on"))


def test_where_nothing_matches_there_is_nothing_to_download(console, make_admin):
    finance = console(make_admin("finance"))
    html = finance.get(url_of(Refund)).content.decode()
    assert "Nothing here yet" in html
    assert "Download" not in html
    html = finance.get(f"{url_of(Refund)}?q=nobody").content.decode()
    assert "Nothing matches" in html
    assert f"{url_of(Refund, 'changelist')}?q=nobody" in html
    assert rows_in(export(finance, Refund)) == []


@pytest.mark.parametrize(
    "values",
    [{"format": "7"}, {"format": "-1"}, {"format": ""}, {"format": "x"}, {"resource": "9"}, {"resource": "-1"}],
)
def test_what_there_is_not_is_refused_on_the_page(values, console, make_admin, request_in):
    request_in("IN_PROGRESS")
    answer = export(console(make_admin("finance")), Payment, **values)
    assert (answer.status_code, answer.streaming) == (200, False)
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize(
    "query", ["?status__exact__nonsense=1", "?payment_type__in=x&id__exact=abc", "?paid_at_from=x"]
)
def test_a_filter_that_cannot_be_read_is_answered_as_the_list_does(query, console, make_admin, request_in):
    request_in("IN_PROGRESS")
    finance = console(make_admin("finance"))
    the_list = finance.get(f"{url_of(Payment, 'changelist')}{query}").status_code
    assert finance.get(f"{url_of(Payment)}{query}").status_code == the_list < 500


def test_more_rows_than_a_sheet_holds_go_out_as_csv_alone(console, make_admin, request_in, monkeypatch):
    request_in("IN_PROGRESS")
    monkeypatch.setattr(core_console, "MOST_XLSX_ROWS", 1)
    finance = console(make_admin("finance"))
    assert "take the CSV" in export(finance, Payment, format=1).content.decode()
    assert len(rows_in(export(finance, Payment))) == 2
    monkeypatch.setattr(core_console, "MOST_XLSX_ROWS", 2)
    assert export(finance, Payment, format=1).streaming


def test_amounts_are_plain(console, make_admin, request_in):
    Payment.objects.filter(service_request=request_in("IN_PROGRESS")).update(amount=Decimal("1234567.89"))
    rows = rows_in(export(console(make_admin("finance")), Payment))
    assert {(row["amount"], row["currency"]) for row in rows} == {("1234567.89", "NGN")}
