"""What follows an event: who is told, of what type, in which words, and how that looks as an e-mail.

`table.EVENTS` says it all; `announce` is its only reader. A row it writes is the entry on the dashboard and the outbox
of its e-mail; nothing waits for SMTP. Facts of a row hold ids and amounts: names and links are resolved when shown.
"""

from marketplace.notices.announcing import MAIL_TASK, announce, post
from marketplace.notices.table import EVENTS

__all__ = ["EVENTS", "MAIL_TASK", "announce", "post"]
