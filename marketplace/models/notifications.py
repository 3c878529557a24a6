"""Messages to people: the row is the dashboard's entry and the outbox of its e-mail."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock
from marketplace.enums import NotificationType


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Messages read and unread, sent and waiting."""

    def unread(self) -> NotificationQuerySet:
        """Not opened on the dashboard yet."""
        return self.filter(is_read=False)

    def to_mail(self) -> NotificationQuerySet:
        """Whose e-mail is still owed and due now, oldest first."""
        return self.filter(sent_to_email=False, parked_at=None, next_try_at__lte=clock.now()).order_by(
            "next_try_at", "id"
        )


class Notification(models.Model):
    """One message to one person, on the dashboard and by e-mail.

    Facts hold ids and amounts; names and links are resolved when shown.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    notification_type = models.CharField(max_length=30, choices=NotificationType)
    title = models.CharField(max_length=200)
    message = models.TextField()
    service_request = models.ForeignKey(
        "marketplace.ServiceRequest", null=True, blank=True, on_delete=models.PROTECT, related_name="notifications"
    )
    is_read = models.BooleanField(default=False)
    sent_to_email = models.BooleanField(default=False)
    email_sent_at = models.DateTimeField(null=True, blank=True, help_text="When the mail server took it.")
    created_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try, so that a crash counts.")
    next_try_at = models.DateTimeField(default=clock.now)
    parked_at = models.DateTimeField(null=True, blank=True, help_text="Given up after too many tries, until resent.")
    last_error = models.TextField(blank=True)
    dedupe_key = models.CharField(max_length=120, unique=True, null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        permissions: ClassVar = [("announce", "Send announcements, preview and resend e-mails")]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at", "-id"], name="notifications_of_user"),
            models.Index(fields=["user"], name="notifications_unread", condition=Q(is_read=False)),
            models.Index(
                fields=["next_try_at", "id"],
                name="notifications_to_mail",
                condition=Q(sent_to_email=False, parked_at=None),
            ),
            models.Index(fields=["created_at"], name="notifications_unsent", condition=Q(sent_to_email=False)),
        ]

    def __str__(self) -> str:
        return self.title
