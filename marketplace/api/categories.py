"""/api/categories/: the trades that can be booked."""

from typing import Annotated, Any

from django.http import HttpRequest

from core.api import (
    PROBLEMS,
    Answer,
    Flag,
    Id,
    Line,
    Link,
    Moment,
    Page,
    PageOf,
    PageQuery,
    Query,
    Router,
    Schema,
    Status,
    Text,
    created,
    idempotent,
    not_sent,
    paginate,
    polled,
)
from core.auth import admin_who
from core.errors import Missing
from marketplace.api.schemas.common import Call, example
from marketplace.api.schemas.servicemen import ServicemanOut, directory, serviceman_out
from marketplace.models import Category
from marketplace.services import catalog

router = Router(tags=["Categories"])
manager = admin_who("marketplace.manage_catalog")


class CategoryIn(Schema):
    name: Annotated[str, Line(100)]
    description: Annotated[str, Text(2000)]
    icon_url: Link | None = None
    is_active: Flag = True

    model_config = example(name="Plumbing", description="Pipes, taps and drains.", icon_url=None, is_active=True)


class CategoryChange(Schema):
    """Only what is sent changes."""

    name: Annotated[str, Line(100)] = not_sent()
    description: Annotated[str, Text(2000)] = not_sent()
    icon_url: Link | None = not_sent()
    is_active: Flag = not_sent()

    model_config = example(is_active=False)


class CategoryOut(Answer):
    """A trade."""

    id: int
    name: str
    description: str
    icon_url: str | None
    is_active: bool
    created_at: Moment
    updated_at: Moment

    model_config = example(
        id=1,
        name="Plumbing",
        description="Pipes, taps and drains.",
        icon_url=None,
        is_active=True,
        created_at="2026-11-22T09:00:00+01:00",
        updated_at="2026-11-22T09:00:00+01:00",
    )


@router.get("/", response={200: Page[CategoryOut], **PROBLEMS}, summary="List the categories")
@polled(cache="public, no-cache")
def list_categories(request: HttpRequest, query: Query[PageQuery]) -> PageOf:
    """Every trade that takes bookings, by name."""
    rows = Category.objects.filter(is_active=True)
    return paginate(request, rows, ordering="name", limit=query.limit, cursor=query.cursor)


@router.get("/{category_id}/", response={200: CategoryOut, **PROBLEMS}, summary="Read a category")
def read_category(request: HttpRequest, category_id: Id) -> Category:
    """One trade that takes bookings."""
    return _active(category_id)


@router.post("/", auth=manager, response={201: CategoryOut, **PROBLEMS}, summary="Add a category")
@idempotent
def create_category(request: Call, data: CategoryIn) -> Status[Any]:
    """Add a trade. Names are unique whatever their case."""
    category = catalog.create_category(**data.model_dump(), by=request.auth)
    return created(request, category, f"/api/categories/{category.pk}/")


@router.patch("/{category_id}/", auth=manager, response={200: CategoryOut, **PROBLEMS}, summary="Change a category")
def update_category(request: Call, category_id: Id, data: CategoryChange) -> Category:
    """Change what is sent and leave the rest. An inactive trade takes no new bookings."""
    return catalog.update_category(category_id, by=request.auth, **data.given())


@router.get(
    "/{category_id}/servicemen/",
    response={200: Page[ServicemanOut], **PROBLEMS},
    summary="List the servicemen of a category",
)
def list_servicemen_of_category(request: HttpRequest, category_id: Id, query: Query[PageQuery]) -> PageOf:
    """Approved servicemen of a trade, the best rated first."""
    rows = directory().filter(category=_active(category_id))
    return paginate(request, rows, ordering="-rating", limit=query.limit, cursor=query.cursor, to_item=serviceman_out)


def _active(category_id: int) -> Category:
    category = Category.objects.filter(pk=category_id, is_active=True).first()
    if category is None:
        raise Missing("There is no such category.")
    return category
