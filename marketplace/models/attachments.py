"""Pictures of a job."""

from django.conf import settings
from django.db import models

from core import clock
from marketplace.enums import AttachmentKind


class Attachment(models.Model):
    """A picture of the job, the estimate or the completion; private to the parties."""

    request = models.ForeignKey("marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="attachments")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=10, choices=AttachmentKind)
    file = models.FileField(upload_to="attachments/%Y/%m/")
    content_type = models.CharField(max_length=50)
    size = models.PositiveIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.request_id}"
