"""What every endpoint shares; endpoints import from here and from `core.auth` alone.

    router = Router(tags=["Service requests"])

    class EstimateIn(Schema):                      # strict: unknown fields are refused
        amount: Naira
        notes: Annotated[str, Text(2000, blank=True)] = ""

    @router.post("/{request_id}/estimate/", auth=serviceman, response={200: RequestOut, **PROBLEMS})
    @idempotent                                    # honours Idempotency-Key
    @verified                                      # 403 email_not_verified
    def estimate(request: HttpRequest, request_id: Id, data: EstimateIn) -> ...:
        \"\"\"Send the estimate.\"\"\"

    @router.get("/", auth=person, response={200: Page[RequestOut], **PROBLEMS})
    def list_requests(request: HttpRequest, query: Query[RequestQuery]) -> PageOf:   # RequestQuery(PageQuery)
        return paginate(request, rows, ordering=query.ordering, limit=query.limit, cursor=query.cursor)

    return created(request, booking, f"/api/service-requests/{booking.pk}/")         # 201 with Location

Checks happen in this order, whatever the endpoint: 401 and 403 of `auth=`, 413, 400, 422 of the schemas, 403 of
`@verified`, then the handler. Handlers raise `core.errors`; every refusal becomes a problem document.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NoReturn

import pydantic
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Query, Router, Status
from ninja import Schema as Answer
from ninja.errors import HttpError, ValidationError, ValidationErrorContext
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from pydantic import ConfigDict
from pydantic_core import to_json

from core import throttles
from core.contract import put_right
from core.errors import Forbidden
from core.fields import Day, Email, Flag, Id, InPath, Line, Link, Moment, Naira, Percent, Phone, Text, Whole, Written
from core.idempotency import idempotent, once
from core.pages import USUAL, Limit, PageOf, ordering_by, paginate
from core.polling import conditional, polled
from core.problems import PROBLEMS, Problem, TooLarge, problem, problem_of
from core.throttles import throttled

__all__ = [
    "PROBLEMS",
    "Answer",
    "Api",
    "Day",
    "Email",
    "Flag",
    "Id",
    "Limit",
    "Line",
    "Link",
    "Moment",
    "Naira",
    "Page",
    "PageOf",
    "PageQuery",
    "Percent",
    "Phone",
    "Problem",
    "Query",
    "Router",
    "Schema",
    "Status",
    "Text",
    "TooLarge",
    "Whole",
    "created",
    "idempotent",
    "not_sent",
    "ordering_by",
    "paginate",
    "polled",
    "problem",
    "raw_body",
    "throttled",
    "verified",
]


class Schema(pydantic.BaseModel):
    """What a caller sends, in a body or a query: unknown fields are refused. Nested parts derive from it as well."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Only what the caller sent: for PATCH."""
        return self.model_dump(exclude_unset=True)


def not_sent() -> Any:
    """Default of a field in a PATCH: ``given()`` leaves it out unless the caller sent it. null is then no value."""
    return pydantic.Field(default=None)


class PageQuery(Schema):
    """The query of a list; derive from it to add filters."""

    cursor: str | None = None
    limit: Limit = USUAL


class Page[Item](Answer):
    """A page of a list. `next` is the path and query of the following page, or null on the last one."""

    items: list[Item]
    next: str | None


def verified[View: Callable[..., Any]](view: View) -> View:
    """Refuse callers whose e-mail is not verified (403 email_not_verified), after the check of shape."""
    view.needs_verified = True  # type: ignore[attr-defined]
    return view


def created(request: HttpRequest, value: Any, location: str) -> Status[Any]:
    """201 with `value` and where to find it: a path of this API."""
    request.location = location  # type: ignore[attr-defined]
    return Status(201, value)


class Api(NinjaAPI):
    """NinjaAPI that checks strictly, in the agreed order, and refuses in problem documents."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            docs_url="/docs/",
            docs_decorator=_only_read,
            openapi_url="/openapi.json",
            renderer=_Renderer(),
            parser=_Parser(),
            **options,
        )
        self.add_decorator(_remember_operation, mode="view")
        self.add_decorator(_with_marked_checks, mode="operation")

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """Every exception of an operation ends here."""
        return problem_of(request, exc)

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Called between the check of the token and the reading of the input: the place for what Ninja leaves out."""
        check_input(request)
        return super().create_temporal_response(request)

    def create_response(self, request: HttpRequest, data: Any, **options: Any) -> HttpResponse:
        """The answer, with Location when `created` gave one, and with an ETag where apps poll."""
        response = super().create_response(request, data, **options)
        if location := getattr(request, "location", ""):
            response["Location"] = location
        return conditional(request, response)

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """Name each field as the caller does, without Ninja's sources and Python's argument names."""
        return ValidationError(
            [
                {"loc": _callers_name(context.model, error["loc"]), "msg": error["msg"]}
                for context in error_contexts
                for error in context.pydantic_validation_error.errors(include_url=False, include_input=False)
            ]
        )

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """`requests_list_requests`: the file, or the package of files, of one prefix, and the function."""
        view = operation.view_func
        _, inside, place = view.__module__.rpartition(".api.")
        name = place.split(".")[0] if inside else place.rpartition(".")[2]
        return f"{name}_{view.__name__}"

    def get_openapi_schema(self, **options: Any) -> Any:
        """The contract, as readers of OpenAPI understand it."""
        document = super().get_openapi_schema(**options)
        put_right(document)
        return document


def _only_read(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For the reference and the contract: another method is the mistake, not the missing token against forgery."""
    return csrf_exempt(require_safe(view))


class _Renderer(JSONRenderer):
    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return to_json(data)


class _Parser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        """JSON as RFC 8259 has it: UTF-8, no NaN. Text that no database takes is a 422 that names its field."""
        if hasattr(request, "parsed_body"):
            return request.parsed_body
        try:
            data = json.loads(request.body.decode(), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as unreadable:
            raise HttpError(400, "The body is not JSON.") from unreadable
        if b"\\u" in request.body:
            _refuse_odd_text(data)
        request.parsed_body = data  # type: ignore[attr-defined]
        return data

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> Any:
        """Queries and forms: marked as text, so that JSON need not be taken for one."""
        given = super().parse_querydict(data, list_fields, request)
        return {name: _written(value) for name, value in given.items()}


def _written(value: Any) -> Any:
    if isinstance(value, list):
        return [_written(part) for part in value]
    return Written(value) if isinstance(value, str) else value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_ODD_TEXT = re.compile("[\x00\ud800-\udfff]")


def _refuse_odd_text(data: Any) -> None:
    odd = [{"loc": loc, "msg": "This holds characters that are not text"} for loc in _odd_places(data, "")]
    if odd:
        raise ValidationError(odd)


def _odd_places(data: Any, loc: str) -> Iterator[str]:
    """Where NUL or half a surrogate pair stands in parsed JSON, in keys too."""
    match data:
        case str() if _ODD_TEXT.search(data):
            yield loc
        case list():
            for index, item in enumerate(data):
                yield from _odd_places(item, f"{loc}.{index}".lstrip("."))
        case dict():
            for key, item in data.items():
                if _ODD_TEXT.search(key):
                    yield loc
                else:
                    yield from _odd_places(item, f"{loc}.{key}".lstrip("."))


def _remember_operation(run: Callable[..., Any]) -> Callable[..., Any]:
    operation: Operation = inspect.unwrap(run).__self__

    @wraps(run)
    def remembered(request: HttpRequest, **path: Any) -> Any:
        request.operation = operation  # type: ignore[attr-defined]
        # The console's session cookie means nothing here, and must not sign the history of what a caller does.
        request.user = AnonymousUser()
        return run(request, **{name: InPath(text) for name, text in path.items()})

    return remembered


def _with_marked_checks(view: Callable[..., Any]) -> Callable[..., Any]:
    needs_verified, is_idempotent = getattr(view, "needs_verified", False), getattr(view, "is_idempotent", False)
    if not (needs_verified or is_idempotent):
        return view

    @wraps(view)
    def checked(request: HttpRequest, **values: Any) -> Any:
        if needs_verified and not request.auth.is_email_verified:  # type: ignore[attr-defined]
            raise Forbidden("Verify your e-mail address first: open the link we sent you.", code="email_not_verified")
        return once(request, lambda: _answered(request, view, values)) if is_idempotent else view(request, **values)

    return checked


def _answered(request: HttpRequest, view: Callable[..., Any], values: dict[str, Any]) -> HttpResponse:
    """The whole answer of a view, refusals too, so that it can be kept."""
    operation: Operation = request.operation  # type: ignore[attr-defined]
    blank = HttpResponse("", content_type=operation.api.get_content_type())
    try:
        return operation._result_to_response(request, view(request, **values), blank)  # type: ignore[return-value]
    except Exception as error:  # noqa: BLE001 - the API turns whatever it is into an answer
        return operation.api.on_exception(request, error)


def check_input(request: HttpRequest) -> None:
    """What comes before the schemas: limits, size, JSON, known query keys, no body where none is read."""
    operation: Operation = request.operation  # type: ignore[attr-defined]
    if scope := getattr(operation.view_func, "throttle_scope", ""):
        throttles.check(scope, address=throttles.address_of(request))
    sources = {model.__ninja_param_source__: model for model in operation.models}
    if "form" in sources or "file" in sources:
        _refuse_unknown({*request.POST, *request.FILES}, [sources.get(name) for name in ("form", "file", "body")])
        _refuse_nul(request.POST.lists())
    elif not getattr(operation.view_func, "reads_raw_body", False):
        if "body" in sources and not request.body:
            request._body = b"{}"  # no body says as much as an empty one
        data = operation.api.parser.parse_body(request) if request.body else {}
        if "body" not in sources and data != {}:
            _refuse_unknown(set(data) if isinstance(data, dict) else {""}, [])
    _refuse_unknown(set(request.GET), [sources.get("query")])
    _refuse_nul(request.GET.lists())
    if "\0" in request.path:
        raise ValidationError([{"loc": "path", "msg": "This holds characters that are not text"}])


def raw_body[View: Callable[..., Any]](view: View) -> View:
    """Mark an operation that reads `request.body` itself, as the webhook does."""
    view.reads_raw_body = True  # type: ignore[attr-defined]
    return view


def _refuse_unknown(given: set[str], models: list[Any]) -> None:
    known = {name for model in models if model for name in _names(model)}
    if unknown := sorted(given - known):
        raise ValidationError([{"loc": name, "msg": "Extra inputs are not permitted"} for name in unknown])


def _names(model: Any) -> Iterator[str]:
    flat = getattr(model, "__ninja_flatten_map__", None) or getattr(model, "__ninja_body_params__", None)
    yield from flat if flat is not None else (field.alias or name for name, field in model.model_fields.items())


def _refuse_nul(lists: Any) -> None:
    if odd := [name for name, values in lists if any("\0" in value for value in values)]:
        raise ValidationError([{"loc": name, "msg": "This holds characters that are not text"} for name in odd])


def _callers_name(model: Any, loc: tuple[int | str, ...]) -> str:
    if getattr(model, "__read_from_single_attr__", None):
        loc = loc[1:]
    for length in range(len(loc), 0, -1):
        if short := model.__ninja_flatten_map_reverse__.get(loc[:length]):
            loc = (*short, *loc[length:])
            break
    return ".".join(str(part) for part in loc)
