"""/api/notifications/: a person's own messages."""

from core.api import PROBLEMS, Answer, Flag, Id, Moment, Page, PageOf, PageQuery, Query, Router, paginate, polled
from core.auth import person
from marketplace.api.schemas.common import Call, example
from marketplace.enums import NotificationType
from marketplace.models import Notification
from marketplace.services import notifications

router = Router(tags=["Notifications"], auth=person)


class NotificationQuery(PageQuery):
    is_read: Flag | None = None


class NotificationOut(Answer):
    """One message, with the words that people gave as reason, question or review."""

    id: int
    notification_type: NotificationType
    title: str
    message: str
    service_request_id: int | None
    is_read: bool
    created_at: Moment

    model_config = example(
        id=12,
        notification_type="SERVICEMAN_ACCEPTED",
        title="Serviceman found: Plumbing on Tuesday 24 November (SR-7K3Q9)",
        message="A serviceman has accepted your plumbing job and comes on Tuesday 24 November.",
        service_request_id=1,
        is_read=False,
        created_at="2026-11-22T14:30:00+01:00",
    )


class UnreadOut(Answer):
    """How many messages were not opened."""

    unread_count: int

    model_config = example(unread_count=3)


class UpdatedOut(Answer):
    """How many messages were new."""

    updated: int

    model_config = example(updated=3)


@router.get("/", response={200: Page[NotificationOut], **PROBLEMS}, summary="List my messages")
@polled()
def list_notifications(request: Call, query: Query[NotificationQuery]) -> PageOf:
    """Your messages, the newest first."""
    rows = notifications.messages_of(request.auth, is_read=query.is_read)
    page = paginate(request, rows, ordering="-created_at", limit=query.limit, cursor=query.cursor)
    return {"items": list(notifications.with_words(page["items"])), "next": page["next"]}


@router.get("/unread-count/", response={200: UnreadOut, **PROBLEMS}, summary="Count my unread messages")
@polled()
def count_unread(request: Call) -> dict[str, int]:
    """How many of your messages you have not opened."""
    return {"unread_count": notifications.unread_count(by=request.auth)}


@router.patch("/mark-all-read/", response={200: UpdatedOut, **PROBLEMS}, summary="Mark all my messages as read")
def mark_all_read(request: Call) -> dict[str, int]:
    """Mark everything as read; the answer says how many were new."""
    return {"updated": notifications.mark_all_read(by=request.auth)}


@router.patch("/{notification_id}/read/", response={200: NotificationOut, **PROBLEMS}, summary="Mark a message as read")
def mark_read(request: Call, notification_id: Id) -> Notification:
    """Mark one of your messages as read; again changes nothing."""
    return notifications.with_words([notifications.mark_read(notification_id, by=request.auth)])[0]
