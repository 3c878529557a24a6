"""What admins tell each other about a request."""

from django.conf import settings
from django.db import models

from core import clock


class Note(models.Model):
    """A remark only admins see."""

    request = models.ForeignKey("marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField(max_length=5000)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.text[:60]
