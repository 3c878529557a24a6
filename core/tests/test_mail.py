import pytest

from core import mail

HTML = """<html><head><style>
p { color: #123456 }
@media (prefers-color-scheme: dark) { p { color: #ffffff } }
</style><link rel="stylesheet" href="http://127.0.0.1:9/none.css"></head><body><p>₦22,500.00</p></body></html>"""


def sent(mailoutbox, **changes):
    mail.send(**{"to": "ada@example.com", "subject": "Payment received", "text": "₦22,500.00", "html": HTML} | changes)
    return mailoutbox[-1]


def test_a_mail_has_text_and_html(mailoutbox):
    message = sent(mailoutbox)
    assert message.to == ["ada@example.com"]
    assert message.body == "₦22,500.00"
    assert "₦22,500.00" in message.alternatives[0].content
    assert message.alternatives[0].mimetype == "text/html"
    assert message.message().get_content_type() == "multipart/alternative"


def test_styles_are_written_into_the_elements_and_media_queries_kept(mailoutbox):
    html = sent(mailoutbox).alternatives[0].content
    assert '<p style="color: #123456' in html.replace('style="color:#', 'style="color: #')
    assert "prefers-color-scheme" in html


def test_the_message_id_follows_from_the_row(mailoutbox, settings):
    settings.DEFAULT_FROM_EMAIL = "Serviceman <no-reply@mail.example.ng>"
    messages = [sent(mailoutbox, reference="notification-12") for _ in range(2)]
    assert {message.message()["Message-ID"] for message in messages} == {"<notification-12@mail.example.ng>"}
    assert messages[0].message()["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in messages[0].message()


def test_files_go_with_it(mailoutbox):
    message = sent(mailoutbox, attachments=[("report.csv", "a,b\n", "text/csv")])
    assert message.attachments == [("report.csv", "a,b\n", "text/csv")]


@pytest.mark.parametrize("subject", ["Hello\nBcc: eve@example.com", "Hello\r\nBcc: eve@example.com"])
def test_a_subject_smuggles_in_no_header(mailoutbox, subject):
    message = sent(mailoutbox, subject=subject).message()
    assert message["Subject"] == "Hello Bcc: eve@example.com"
    assert message["Bcc"] is None
