"""The export's page in a real browser: how far it is, what is saved, and what happens when it breaks off."""

import csv
import io
import re

import pytest

from core import exports as core_exports
from marketplace.models import Payment
from marketplace.tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
URL = "/admin/marketplace/payment/export/"


def sign_in(page, live_server, person):
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("E-mail address or username").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name=re.compile("Log in")).click()
    page.get_by_role("heading", name=re.compile(f"{person.first_name}$")).wait_for()


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_it_counts_rows_not_line_ends_and_saves_the_file(page, live_server, boss, request_in, tmp_path):
    request_in("IN_PROGRESS")
    Payment.objects.filter(payment_type="FINAL_PAYMENT").update(paystack_reference='two "lines"\nin a cell')
    sign_in(page, live_server, boss)
    page.goto(f"{live_server.url}/admin/marketplace/payment/?payment_type__exact=FINAL_PAYMENT")
    page.get_by_role("link", name="Export").click()
    page.get_by_text("1 row", exact=True).wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    waiting.value.save_as(tmp_path / "saved.csv")
    assert re.fullmatch(r"payments-\d{4}-\d\d-\d\d\.csv", waiting.value.suggested_filename)
    page.get_by_text(re.compile(r"payments-.*\.csv: 1 rows, ")).wait_for()
    assert page.locator("progress").evaluate("bar => bar.value / bar.max") == 1
    (row,) = rows_of(tmp_path / "saved.csv")
    assert row["reference"] == 'two "lines"\nin a cell'

    page.get_by_text("XLSX", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    assert waiting.value.suggested_filename.endswith(".xlsx")


def test_without_its_script_it_is_a_plain_download(page, live_server, boss, request_in, tmp_path):
    request_in("IN_PROGRESS")
    page.route("**/core/export.js", lambda route: route.abort())
    sign_in(page, live_server, boss)
    page.goto(f"{live_server.url}{URL}")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    waiting.value.save_as(tmp_path / "saved.csv")
    assert len(rows_of(tmp_path / "saved.csv")) == 2


@pytest.mark.parametrize("kind", ["CSV", "XLSX"])
def test_what_breaks_off_is_said_and_not_saved(kind, page, live_server, boss, request_in, monkeypatch):
    request_in("IN_PROGRESS")
    sign_in(page, live_server, boss)
    page.goto(f"{live_server.url}{URL}")
    saved: list[object] = []
    page.on("download", lambda download: saved.append(download))  # noqa: PLW0108  (playwright marks its handlers)

    def broken(self, rows):
        yield [["1"] * len(self.columns)]
        raise ConnectionError("The database is gone.")

    monkeypatch.setattr(core_exports.Export, "batches", broken)
    page.get_by_text(kind, exact=True).click()
    page.get_by_role("button", name="Download").click()
    page.get_by_text("The download broke off, and nothing was saved.").wait_for()
    assert page.get_by_role("button", name="Download").is_enabled()
    assert saved == []
