"""What every page of the console stands on: read-only admins and their trail, escaped exports, the sign-in.

Nothing is edited in place. What changes something is a dialog (see `core.dialogs`), or a form saved by a service.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, flatten_fieldsets, unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, XLSX, Format
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper
from unfold import paginator
from unfold.admin import ModelAdmin
from unfold.checks import UnfoldModelAdminChecks
from unfold.forms import AdminForm, AuthenticationForm, Fieldline

from core import throttles
from core.errors import DomainError
from core.exports import Export
from core.sheets import MOST_XLSX_ROWS

FIRST = "first"
# Unfold does so when the first form is shown; an old version may be shown before that.
helpers.AdminForm, helpers.Fieldline = AdminForm, Fieldline  # type: ignore[misc]

Handler = Callable[[Any, HttpRequest, Any, str], HttpResponse]


# --- Lists and pages


class InfinitePaginator(paginator.InfinitePaginator):
    """Pages without COUNT. Keeps Unfold's name, by which its header knows that there is no total to show."""

    template_name = "admin/pages.html"
    deep = 500
    more = False

    def page(self, number: int | str) -> Any:
        """One row more is fetched than shown: it says whether another page follows."""
        number = int(self.validate_number(number))
        first = (number - 1) * self.per_page
        rows = self._rows(first, first + self.per_page + 1)
        self.more = len(rows) > self.per_page
        return self._get_page(rows[: self.per_page], number, self)

    def _rows(self, first: int, last: int) -> list[Any]:
        """Far in, the keys are counted off first: joining what is only skipped would take most of the time."""
        if first < self.deep:
            return list(self.object_list[first:last])
        keys = list(self.object_list.values_list("pk", flat=True)[first:last])
        found = {row.pk: row for row in self.object_list.filter(pk__in=keys)}
        return [found[key] for key in keys if key in found]


class ConsoleChecks(UnfoldModelAdminChecks):
    """Unfold's, but for the one that looks codenames up: checks run before there is a database, `migrate` for one."""

    def _check_unfold_action_permission_methods(self, obj: Any) -> list[Any]:
        return []


class ConsoleAdmin(ModelAdmin):
    """A read-only admin: rows are shown to whoever may view them; what changes goes through dialogs."""

    checks_class = ConsoleChecks
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    list_disable_select_all = True
    warn_unsaved_form = True

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, titled by what it lists; with `first` in the address, the page of the row that stands first."""
        if FIRST not in request.GET:
            title = str(self.opts.verbose_name_plural).capitalize()
            return super().changelist_view(request, {"title": title} | (extra_context or {}))
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.copy()
        del asked[FIRST]
        request.GET = asked  # type: ignore[assignment]
        listed = self.get_changelist_instance(request)
        for row in listed.result_list:
            kept = {"preserved_filters": listed.preserved_filters, "opts": self.opts}
            return HttpResponseRedirect(add_preserved_filters(kept, listed.url_for_result(row)))
        return HttpResponseRedirect(f"{request.path}?{asked.urlencode()}")

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """A queue is worked off from its front."""
        return ("pk",) if request.GET.get("queue") else super().get_ordering(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a row by hand."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything, for whoever may only look."""
        if (self.fields or self.fieldsets) and not self.has_change_permission(request, obj):
            return tuple(flatten_fieldsets(self.get_fieldsets(request, obj)))
        return super().get_readonly_fields(request, obj)

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """An address typed without its scheme is https."""
        if isinstance(db_field, models.URLField):
            kwargs.setdefault("assume_scheme", "https")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of a page, fetched once a request: every button asks for it."""
        kept: dict[tuple[type, str, str | None], Any] = request.__dict__.setdefault("_console_records", {})
        key = (self.model, str(object_id), from_field)
        if key not in kept:
            kept[key] = self.fetch(request, object_id, from_field)
        return kept[key]

    def fetch(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """One row, or None; what a page wants besides is joined here."""
        return super().get_object(request, object_id, from_field)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The trail, to read."""
        return _reading(super().history_view, request, object_id, extra_context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Without a way to a trail that is not kept, or that the reader may not see."""
        context["show_history"] = self.has_trail(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_trail(self, request: HttpRequest) -> bool:
        """Whether rows have a trail that this person may read."""
        return False

    def record(self, request: HttpRequest, object_id: Any) -> Any:
        """The row of a page. Raises Http404 for one that is not there."""
        found = self.get_object(request, unquote(str(object_id)))
        if found is None:
            raise Http404
        return found

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """The dialogs of a page that are allowed and possible now."""
        record = self.record(request, object_id)
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if (why_not := getattr(action.method, "why_not", None)) is None or not why_not(self, request, record)
        ]


class HistoryWords(HistoricalRecordContextHelper):
    """Old and new values as people read them."""

    masked: ClassVar[tuple[str, ...]] = ("account_number",)
    """Of these only the last four characters are shown."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        """Labels for choices, local times, Yes and No."""
        field = self.model._meta.get_field(change.field)
        if value in (None, "") or (field.is_relation and getattr(value, "pk", None) is None):
            return "-"
        if field.name in self.masked:
            return f"******{str(value)[-4:]}"
        if isinstance(value, bool):
            return "Yes" if value else "No"
        shown = super().prepare_delta_change_value(change, value)
        return shown if isinstance(shown, list) or field.is_relation else display_for_field(shown, field, "-")


class HistoryAdmin(SimpleHistoryAdmin, ConsoleAdmin):
    """A read-only admin whose trail can be read, by any method but GET nothing."""

    object_history_list_template = "admin/history.html"
    object_history_form_template = "admin/version.html"

    def has_trail(self, request: HttpRequest) -> bool:
        """By the right to view old versions."""
        return bool(self.has_view_history_or_change_history_permission(request))

    def get_historical_record_context_helper(self, request: HttpRequest, historical_record: Any) -> HistoryWords:
        """Ours."""
        return HistoryWords(self.model, historical_record)

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> Any:
        """With whoever it was: the package forgets them where a model has no relations."""
        return super().get_history_queryset(*args, **kwargs).select_related("history_user")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The trail, to read."""
        return _reading(super().history_view, request, object_id, extra_context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An old version, to look at: the package's own view would write it back on POST, status and all."""
        return _reading(super().history_form_view, request, object_id, version_id, extra_context)


def _reading(view: Callable[..., HttpResponse], request: HttpRequest, object_id: str, *rest: Any) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    try:
        return view(request, object_id, *rest)
    except (ValueError, ValidationError) as problem:  # ids that are no numbers
        raise Http404 from problem


class ServiceBacked(ModelAdmin):
    """A form of Django's admin that saves through a service instead of writing the row itself."""

    help_texts: ClassVar[dict[str, str]] = {}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With help where the model has none."""
        return super().get_form(request, obj, change=change, help_texts=self.help_texts, **kwargs)

    def keep(self, request: HttpRequest, obj: Any, values: dict[str, Any], *, change: bool) -> Any:
        """Call the service with what was changed; returns the saved row."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was changed goes to the service when a row is edited, everything when one is added."""
        wanted = form.changed_data if change else form.cleaned_data
        kept = self.keep(request, obj, {name: form.cleaned_data[name] for name in wanted}, change=change)
        obj.pk = kept.pk

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What the service refuses all the same (somebody was faster) is a message, not an error page."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refused:
            messages.error(request, refused.detail)
            return HttpResponseRedirect(request.get_full_path())


# --- Exports


class ExportForm(forms.Form):
    """What, of a list that can give away more than one thing, and how. Numbers, as import-export has them."""

    resource = forms.IntegerField(min_value=0, required=False)
    format = forms.IntegerField(min_value=0)

    def __init__(self, resources: Sequence[Export], formats: Sequence[type[Format]], *args: Any) -> None:
        super().__init__(*args)
        self.resources = resources
        self.formats = formats

    def clean_resource(self) -> Export:
        """The first, unless another is asked for."""
        return self._one_of(self.resources, self.cleaned_data["resource"] or 0)

    def clean_format(self) -> Any:
        """`csv` or `xlsx`."""
        return self._one_of([each().get_extension() for each in self.formats], self.cleaned_data["format"])

    def _one_of(self, choices: Sequence[Any], number: int) -> Any:
        if number >= len(choices):
            raise ValidationError("There is no such choice.")
        return choices[number]


class ExportAdmin(ExportMixin, ConsoleAdmin):
    """A read-only admin whose list, as filtered and searched, goes out as CSV or XLSX to those who may `export`."""

    export_template_name = "admin/export.html"

    def get_export_formats(self) -> list[type[Format]]:
        """Two are enough."""
        return [CSV, XLSX]

    def get_export_resource_classes(self, request: HttpRequest) -> list[type[Export]]:
        """Those whose rows the person may see."""
        return [each for each in self.resource_classes if each.model is None or _may_view(request, each.model)]

    def has_export_permission(self, request: HttpRequest) -> bool:
        """The codename `export`, the right to see the list, and the right to see what would go out."""
        return bool(
            request.user.has_perm("marketplace.export")
            and self.has_view_permission(request)
            and self.get_export_resource_classes(request)
        )

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        """The page that says how much is coming, and on POST the file as a stream."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        the_list = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            listed = self.get_export_queryset(request)
        except IncorrectLookupParameters:  # as the list itself answers a filter it cannot read
            return HttpResponseRedirect(f"{the_list}?{ERROR_FLAG}=1")
        resources = [each() for each in self.get_export_resource_classes(request)]
        form = ExportForm(resources, self.get_export_formats(), request.POST or None)
        if form.is_valid():
            export, kind = form.cleaned_data["resource"], form.cleaned_data["format"]
            rows = export.rows_of(listed)
            if kind == "csv" or rows.order_by()[: MOST_XLSX_ROWS + 1].count() <= MOST_XLSX_ROWS:
                return export.download(rows, kind)
            form.add_error("format", f"A sheet holds {MOST_XLSX_ROWS:,} rows, and this is more: take the CSV.")
        exports = [(export, export.rows_of(listed).count()) for export in resources]
        context = self.admin_site.each_context(request) | {
            "title": "Export",
            "opts": self.opts,
            "form": form,
            "exports": exports,
            "nothing": not any(rows for _, rows in exports),
            "formats": [each().get_title().upper() for each in form.formats],
            "filtered": bool(request.GET),
            "back": f"{the_list}?{request.GET.urlencode()}",
        }
        return TemplateResponse(request, self.export_template_name, context)


def _may_view(request: HttpRequest, model: type[models.Model]) -> bool:
    return request.user.has_perm(f"{model._meta.app_label}.{get_permission_codename('view', model._meta)}")


# --- Sign-in


class SignInForm(AuthenticationForm):
    """The console's door: so many attempts an account and an address, like the API's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address or username"

    def clean(self) -> dict[str, Any]:
        """Count first, then look at the password."""
        try:
            throttles.check(
                "console-login",
                account=self.cleaned_data.get("username"),
                address=throttles.address_of(self.request) if self.request else None,
            )
        except throttles.TooMany as refused:
            raise ValidationError(
                refused.detail, code="too_many_requests", params={"wait": refused.retry_after}
            ) from refused
        return super().clean()


def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; beyond the limit it answers 429 and when to come back."""
    response = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    if form is not None and form.is_bound and form.has_error("__all__", "too_many_requests"):
        response.status_code = 429
        problem = form.errors.as_data()["__all__"][0]
        response["Retry-After"] = str((problem.params or {}).get("wait", 60))
    return response
