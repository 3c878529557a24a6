"""Dialogs of the console: a form in a window (POST, CSRF) whose handler calls one service by `carry_out`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from unfold import widgets
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from core.errors import DomainError, Invalid, Unavailable

Handler = Callable[[Any, HttpRequest, Any, str], HttpResponse]


class DialogForm(BaseDialogForm):
    """A dialog's form. `record` is the row of the page, None for dialogs of a list."""

    note = ""
    """A sentence on top."""
    body_template = ""
    """Instead of one field below the other."""
    nothing_to_choose = False
    """There is no point in submitting."""
    names: ClassVar[dict[str, str]] = {}
    """A service's own name of a field -> this form's."""

    def __init__(self, *args: Any, record: Any = None, **kwargs: Any) -> None:
        self.record = record
        super().__init__(*args, **kwargs)

    def render_before_template(self) -> str:
        """What refused the whole form, the note, and the form's own template."""
        errors = [*self.non_field_errors(), *(error for field in self.hidden_fields() for error in field.errors)]
        note = render_to_string("admin/dialog_note.html", {"errors": errors, "note": self.note})
        return format_html("{}{}", note, mark_safe(super().render_before_template()))  # noqa: S308  (a template's)

    def refuse(self, refused: DomainError) -> None:
        """Say what a service refused, at the field it names where the form has that field."""
        placed = False
        for field, sentence in refused.errors.items():
            name = self.names.get(field, field)
            if name in self.fields and not self.fields[name].widget.is_hidden:
                self.add_error(name, sentence)
                placed = True
        if not placed:
            self.add_error(None, refused.detail)

    @property
    def chosen(self) -> dict[str, Any]:
        """What was filled in, as keywords for a service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "_form_submitted"}


def dialog(
    title: str,
    *,
    may: str,
    form: type[DialogForm] = DialogForm,
    submit: str = "",
    label: str = "",
    icon: str | None = None,
    variant: ActionVariant = ActionVariant.DEFAULT,
    why_not: Callable[[Any, HttpRequest, Any], str] | None = None,
) -> Callable[[Handler], Any]:
    """An Unfold action that opens a dialog and calls its handler `(self, request, form, object_id)` on a valid POST.

    `may` is the codename besides the right to view. `why_not` says why it cannot be done now ("" when it can): its
    button is hidden then, and whoever opens or posts the dialog all the same is told. Refusals that better input may
    cure stay in the dialog; `carry_out` deals with the others.
    """

    def decorate(handler: Handler) -> Any:
        @action(description=label or title, permissions=["view", may], icon=icon, variant=variant)
        @wraps(handler)
        def view(self: Any, request: HttpRequest, object_id: str = "") -> HttpResponse:
            if request.method not in ("GET", "HEAD", "POST"):
                return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
            record = self.record(request, object_id) if object_id else None
            if why_not and (reason := why_not(self, request, record)):
                messages.error(request, reason)
                return back(request, self, object_id)
            data = request.POST if request.method == "POST" else None
            filled = form(request=request, object_id=object_id, data=data, record=record)
            if filled.is_valid():
                try:
                    return handler(self, request, filled, object_id)
                except DomainError as refused:
                    filled.refuse(refused)
            context = {
                **self.admin_site.each_context(request),
                "form": filled,
                "dialog": {"title": title},
                "submit_text": submit or label or title,
                "variant": "danger" if variant == ActionVariant.DANGER else "primary",
                "back_url": _page_of(self, object_id),
                "title": title,
            }
            bare = "HX-Request" in request.headers
            return TemplateResponse(request, "admin/dialog.html" if bare else "admin/dialog_page.html", context)

        view.dialog = {"title": title}
        view.why_not = why_not
        return view

    return decorate


def carry_out(
    model_admin: Any,
    request: HttpRequest,
    object_id: str,
    service: Callable[..., Any],
    *args: Any,
    done: str,
    **kwargs: Any,
) -> HttpResponse:
    """Call `service(id, *args, by=, **kwargs)`, say how it ended, and go back to where the dialog was opened.

    What the state or a right refuses becomes a message on the fresh page; Invalid and Unavailable pass, for the dialog.
    The message leads to the row the service returns, unless that is the page one comes back to.
    """
    returning = back(request, model_admin, object_id)
    try:
        result = service(int(unquote(object_id)), *args, by=request.user, **kwargs)
    except (Invalid, Unavailable):
        raise
    except DomainError as refused:
        messages.error(request, refused.detail)
    else:
        url = _viewable(request, model_admin.admin_site, result)
        if url and url != urlsplit(returning["HX-Redirect"]).path:
            done = leading(done, url, f"Show the {result._meta.verbose_name}")
        messages.success(request, done)
    return returning


def leading(sentence: str, url: str, text: str) -> SafeString:
    """A message that leads to what it is about."""
    return format_html('{} <a class="c-link" href="{}">{}</a>', sentence, url, text)


def _viewable(request: HttpRequest, site: Any, result: Any) -> str:
    """The address of a row's page; nothing for what is no row, has no page, or may not be seen by this admin."""
    model_admin = site._registry.get(type(result))
    if model_admin is None or not model_admin.has_view_permission(request, result):
        return ""
    return _page_of(model_admin, str(result.pk))


def back(request: HttpRequest, model_admin: Any, object_id: str = "") -> HttpResponse:
    """Send the browser to the page the dialog was opened on, without its fragment: with it nothing would reload."""
    came_from = request.headers.get("HX-Current-URL", "").partition("#")[0]
    if not url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()}) or came_from.endswith(
        request.path
    ):
        came_from = _page_of(model_admin, object_id)
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": came_from})
    return HttpResponse(status=303, headers={"Location": came_from, "HX-Redirect": came_from})


def _page_of(model_admin: Any, object_id: str) -> str:
    meta = model_admin.opts
    name = f"{model_admin.admin_site.name}:{meta.app_label}_{meta.model_name}"
    return reverse(f"{name}_change", args=[object_id]) if object_id else reverse(f"{name}_changelist")


# --- Fields of dialogs, as Unfold draws them


def words(label: str, *, required: bool = True, rows: int = 3, longest: int = 1000, **kwargs: Any) -> forms.CharField:
    """A text of several lines."""
    widget = widgets.UnfoldAdminTextareaWidget(attrs={"rows": rows, "maxlength": longest})
    return forms.CharField(label=label, required=required, max_length=longest, widget=widget, **kwargs)


def line(label: str, *, required: bool = True, longest: int = 255, **kwargs: Any) -> forms.CharField:
    """A text of one line."""
    return forms.CharField(
        label=label, required=required, max_length=longest, widget=widgets.UnfoldAdminTextInputWidget(), **kwargs
    )


def naira(label: str, *, required: bool = True, **kwargs: Any) -> forms.DecimalField:
    """An amount in NGN with at most two decimals."""
    widget = widgets.UnfoldAdminTextInputWidget(
        attrs={"prefix": "₦", "class": "pl-8", "inputmode": "decimal", "autocomplete": "off"}
    )
    return forms.DecimalField(label=label, required=required, max_digits=10, decimal_places=2, widget=widget, **kwargs)


def percent(label: str, *, required: bool = True, **kwargs: Any) -> forms.DecimalField:
    """A percentage with at most two decimals."""
    widget = widgets.UnfoldAdminTextInputWidget(attrs={"suffix": "%", "inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, required=required, max_digits=5, decimal_places=2, widget=widget, **kwargs)


def whole(label: str, *, required: bool = True, **kwargs: Any) -> forms.IntegerField:
    """A whole number."""
    return forms.IntegerField(
        label=label,
        required=required,
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        **kwargs,
    )


def day(label: str, *, required: bool = True, **kwargs: Any) -> forms.DateField:
    """A date, picked with the browser's own calendar."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": " ".join(widgets.INPUT_CLASSES)})
    return forms.DateField(label=label, required=required, widget=widget, input_formats=["%Y-%m-%d"], **kwargs)


def choice(label: str, choices: Any = (), *, required: bool = True, **kwargs: Any) -> forms.ChoiceField:
    """One of a few."""
    return forms.ChoiceField(
        label=label, required=required, choices=choices, widget=widgets.UnfoldAdminSelectWidget(), **kwargs
    )


def hidden_number() -> forms.IntegerField:
    """What the dialog was opened on, such as the price version: the service refuses when it has changed since."""
    return forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())
