"""The pictures of a request."""

from typing import Any

from ninja import File, Form, Status
from ninja.files import UploadedFile

from core.api import (
    PROBLEMS,
    Answer,
    Id,
    Moment,
    Page,
    PageOf,
    PageQuery,
    Query,
    Router,
    Schema,
    created,
    idempotent,
    paginate,
    verified,
)
from marketplace.api.requests.finding import party
from marketplace.api.schemas.common import Call, example
from marketplace.enums import AttachmentKind
from marketplace.models import Attachment
from marketplace.services.attachments import attach, attachments_of, link_to

router = Router(tags=["Service requests"], auth=party)


class AttachmentIn(Schema):
    kind: AttachmentKind


class UploaderOut(Answer):
    """Who added a picture."""

    id: int
    name: str

    model_config = example(id=7, name="Ada Obi")


class AttachmentOut(Answer):
    """A picture. Its `url` needs no token and works for ten minutes: ask for the list again after that."""

    id: int
    kind: AttachmentKind
    url: str
    content_type: str
    size: int
    uploaded_by: UploaderOut | None
    created_at: Moment

    model_config = example(
        id=5,
        kind="JOB",
        url="https://api.example.com/attachments/NQ:1w2x3y:signature/",
        content_type="image/jpeg",
        size=184_320,
        uploaded_by={"id": 7, "name": "Ada Obi"},
        created_at="2026-11-24T14:30:00+01:00",
    )


@router.get(
    "/{request_id}/attachments/",
    response={200: Page[AttachmentOut], **PROBLEMS},
    summary="The pictures of a request",
)
def list_attachments(request: Call, request_id: Id, query: Query[PageQuery]) -> PageOf:
    """The newest first."""
    return paginate(
        request,
        attachments_of(request_id, reader=request.auth),
        ordering="-created_at",
        limit=query.limit,
        cursor=query.cursor,
        to_item=_attachment_out,
    )


EXAMPLE = {"kind": "JOB", "file": "the bytes of tap.jpg"}


@router.post(
    "/{request_id}/attachments/",
    response={201: AttachmentOut, **PROBLEMS},
    summary="Add a picture to a request",
    openapi_extra={"requestBody": {"content": {"multipart/form-data": {"example": EXAMPLE}}}},
)
@idempotent
@verified
def add_attachment(request: Call, request_id: Id, data: Form[AttachmentIn], file: File[UploadedFile]) -> Status[Any]:
    """multipart/form-data. JPEG, PNG or WebP of at most 10 MB; where and when it was taken is removed.

    Clients add pictures of the JOB; who has accepted it also of the ESTIMATE and the COMPLETION. 30 a request.
    """
    made = attach(request_id, file=file, kind=data.kind, by=request.auth)
    return created(request, _attachment_out(made), f"/api/service-requests/{request_id}/attachments/")


def _attachment_out(attachment: Attachment) -> dict[str, Any]:
    by = attachment.uploaded_by
    return {
        "id": attachment.pk,
        "kind": attachment.kind,
        "url": link_to(attachment),
        "content_type": attachment.content_type,
        "size": attachment.size,
        "uploaded_by": {"id": by.pk, "name": by.name} if by else None,
        "created_at": attachment.created_at,
    }
