"""Pictures of a job, added by its parties and shown to them alone, by links that soon die."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from core import pictures
from core.errors import Conflict, Forbidden, Missing
from core.models import User
from marketplace.enums import CLOSED, AttachmentKind
from marketplace.models import Attachment, ServiceRequest
from marketplace.services.workflow import take

MOST = 30
"""Pictures of one request."""
LINK_SECONDS = 600
"""How long a link to a picture works."""
_links = signing.TimestampSigner(salt="attachment")


def attach(request_id: int, *, file: File, kind: str, by: User) -> Attachment:
    """Add a picture to an open request: the client one of the job, who does the job of anything.

    Raises Missing, Conflict once the request is closed or holds MOST pictures, Forbidden, TooLarge, Invalid naming
    `file`.
    """
    with transaction.atomic():
        _require_right(take(request_id, by=by), kind=kind, by=by)
    # Drawing it takes a while, and nobody waits for that.
    picture = pictures.clean(file, field="file")
    saved = None
    try:
        with transaction.atomic():
            request = take(request_id, by=by)
            _require_right(request, kind=kind, by=by)
            saved = Attachment(
                request=request,
                uploaded_by=by,
                kind=kind,
                content_type=picture.content_type,
                size=len(picture.content),
                sha256=picture.sha256,
            )
            saved.file.save(picture.name, ContentFile(picture.content), save=False)
            saved.save()
    except BaseException:
        if saved is not None and saved.file:
            saved.file.delete(save=False)
        raise
    return saved


def _require_right(request: ServiceRequest, *, kind: str, by: User) -> None:
    if request.status in CLOSED:
        detail = f"No picture can be added once the request is: {request.get_status_display()}."
        raise Conflict(detail, code="wrong_status")
    if Attachment.objects.filter(request=request).count() >= MOST:
        raise Conflict(f"This request has {MOST} pictures already.", code="too_many_attachments")
    does_it = request.serviceman_id == by.pk and request.accepted_at is not None
    books_it = request.client_id == by.pk and kind == AttachmentKind.JOB
    helps = by.is_admin and by.has_perm("marketplace.assign")
    if not (does_it or books_it or helps):
        raise Forbidden("Clients add pictures of the job; the rest is for the serviceman who has accepted it.")


def attachments_of(request_id: int, *, reader: User) -> QuerySet[Attachment]:
    """The pictures of a request that `reader` is a party to. Raises Missing, Conflict offer_withdrawn."""
    request = ServiceRequest.objects.visible_to(reader).filter(pk=request_id).first()
    if request is None:
        raise Missing("There is no such service request.")
    if not request.is_held_by(reader):
        raise Conflict("This offer is no longer yours.", code="offer_withdrawn")
    return Attachment.objects.filter(request=request).select_related("uploaded_by")


def link_to(attachment: Attachment) -> str:
    """An address at which anybody who has it sees the picture for LINK_SECONDS."""
    if not isinstance(attachment.file.storage, FileSystemStorage):
        return attachment.file.url  # the store signs its own
    return settings.SITE_URL + reverse("attachment", args=[_links.sign(str(attachment.pk))])


def by_link(signed: str) -> Attachment:
    """The picture that such an address is of. Raises Missing when it is none, or too old."""
    try:
        pk = _links.unsign(signed, max_age=LINK_SECONDS)
    except signing.BadSignature:
        raise Missing("This link does not work any more. Ask for the list of pictures again.") from None
    attachment = Attachment.objects.filter(pk=pk).first()
    if attachment is None:
        raise Missing("This picture is gone.")
    return attachment
