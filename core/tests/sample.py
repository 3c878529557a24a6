"""A small API with one operation of each kind, for the tests of what all operations share. Also its URLconf."""

from typing import Annotated

from django.db import OperationalError
from django.http import Http404, HttpRequest
from django.urls import path, re_path
from ninja import File, Form, UploadedFile

from core.api import (
    PROBLEMS,
    Answer,
    Api,
    Day,
    Email,
    Flag,
    Id,
    Line,
    Moment,
    Naira,
    Page,
    PageOf,
    PageQuery,
    Percent,
    Phone,
    Query,
    Router,
    Schema,
    Text,
    Whole,
    created,
    idempotent,
    ordering_by,
    paginate,
    raw_body,
    throttled,
    verified,
)
from core.auth import admin, admin_who, client, person, roles, serviceman
from core.errors import Conflict, Invalid, Missing, Unavailable
from core.models import Role, User
from core.problems import no_such_route

router = Router()


class LineIn(Schema):
    label: Annotated[str, Line(20)]
    amount: Naira


class OrderIn(Schema):
    amount: Naira
    lines: list[LineIn] = []
    note: Annotated[str, Text(30, blank=True)] = ""
    email: Email | None = None
    phone: Phone = ""
    count: Whole | None = None
    day: Day | None = None
    at: Moment | None = None
    share: Percent | None = None
    urgent: Flag = False
    user_id: Id | None = None


class OrderOut(Answer):
    amount: Naira
    at: Moment | None = None
    day: Day | None = None
    share: Percent | None = None


class PeopleQuery(PageQuery):
    ordering: Annotated[str, *ordering_by("id", "date_joined", "last_login", "first_name")] = "id"
    user_type: list[str] = []


class PersonOut(Answer):
    id: int
    first_name: str


@router.post("/orders/", auth=person, response={201: OrderOut, **PROBLEMS})
@verified
def order(request: HttpRequest, data: OrderIn):
    return created(request, data, "/api/orders/7/")


@router.get("/people/", response={200: Page[PersonOut], **PROBLEMS})
def people(request: HttpRequest, query: Query[PeopleQuery]) -> PageOf:
    rows = User.objects.all()
    if query.user_type:
        rows = rows.filter(user_type__in=query.user_type)
    return paginate(request, rows, ordering=query.ordering, limit=query.limit, cursor=query.cursor)


@router.get("/things/{thing_id}/", response={200: OrderOut, **PROBLEMS})
def thing(request: HttpRequest, thing_id: Id):
    raise Missing("No such thing.")


@router.post("/things/{thing_id}/act/", auth=person, response={200: None, **PROBLEMS})
def act(request: HttpRequest, thing_id: Id):
    return None


@router.post("/raw/", response={200: int})
@raw_body
def raw(request: HttpRequest):
    return len(request.body)


@router.post("/files/", auth=person, response={200: str, **PROBLEMS})
@idempotent
def files(request: HttpRequest, caption: Annotated[str, Line(20)] = Form(...), photo: UploadedFile = File(...)):
    effects.append(caption)
    return f"{caption} {photo.size}"


@router.get("/fails/{how}/", response={200: None, **PROBLEMS})
def fails(request: HttpRequest, how: str):
    raise {
        "conflict": Conflict("Somebody was first.", code="already_answered"),
        "invalid": Invalid("Too far away.", field="booking_date"),
        "unavailable": Unavailable("Paystack is away."),
        "missing": Http404(),
        "database": OperationalError("connection refused: password=hunter2"),
        "bug": RuntimeError("secret of ada@example.com"),
    }[how]


@router.get("/signed-in/", response={200: bool, **PROBLEMS})
def signed_in(request: HttpRequest):
    return request.user.is_authenticated


effects: list[str] = []
"""What `pay` did, so that tests can count."""


class PayIn(Schema):
    amount: Naira
    outcome: str = "created"


@router.post("/pay/", auth=person, response={201: OrderOut, **PROBLEMS})
@idempotent
@verified
def pay(request: HttpRequest, data: PayIn):
    effects.append(data.outcome)
    if data.outcome == "conflict":
        raise Conflict("Somebody was first.")
    if data.outcome == "unavailable":
        raise Unavailable("Paystack is away.")
    if data.outcome == "bug":
        raise RuntimeError("a bug")
    return created(request, data, f"/api/pay/{len(effects)}/")


@router.post("/limited/", response={200: None, **PROBLEMS})
@throttled("limited")
def limited(request: HttpRequest, data: PayIn):
    return None


def whoami(request: HttpRequest):
    return request.auth.email


for name, auth in {
    "person": person,
    "client": client,
    "serviceman": serviceman,
    "admin": admin,
    "staff-editor": admin_who("core.change_user"),
    "client-or-editor": roles(Role.CLIENT, Role.ADMIN, permission="core.change_user"),
}.items():
    router.get(f"/whoami/{name}/", auth=auth, response={200: str, **PROBLEMS}, url_name=name, operation_id=name)(whoami)

api = Api(urls_namespace="sample")
api.add_router("", router)
urlpatterns = [path("api/", api.urls), re_path(r"^api(?:/|$)", no_such_route)]
