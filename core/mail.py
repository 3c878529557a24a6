"""One mail at a time: text, and HTML with its styles written into the elements, as mail programs want them."""

from collections.abc import Iterable
from email.utils import parseaddr

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

# What stands on the machine only: a template that names a style sheet elsewhere must not make us fetch it.
_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def send(
    *,
    to: str,
    subject: str,
    text: str,
    html: str,
    reference: str = "",
    attachments: Iterable[tuple[str, str | bytes, str]] = (),
) -> None:
    """Send one mail, or raise what SMTP raised. `attachments` are (name, content, media type).

    `reference` (of the outbox's row) makes the Message-ID, so that a mail sent twice after a crash shows as one.
    """
    headers = {"Auto-Submitted": "auto-generated"}
    if reference:
        headers["Message-ID"] = message_id(reference)
    message = EmailMultiAlternatives(" ".join(subject.split()), text, to=[to], headers=headers)
    message.attach_alternative(_inliner.inline(html), "text/html")
    for name, content, media_type in attachments:
        message.attach(name, content, media_type)
    message.send()


def message_id(reference: str) -> str:
    """`<notification-12@example.com>`: the same for the same row, on our own domain."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{reference}@{domain}>"
