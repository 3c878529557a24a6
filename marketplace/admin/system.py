"""The machine room: accounts, roles, sign-ins and background jobs."""

from __future__ import annotations

from ast import literal_eval
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, ManyToManyField, QuerySet
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.tasks import async_task
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core import auth, clock, jobs
from core.console import ConsoleAdmin, HistoryAdmin
from core.dialogs import DialogForm, back, carry_out, dialog, leading
from core.models import IdempotencyKey, RefreshToken, Role, ThrottleHit, User
from marketplace.admin.labels import NOTHING, ago, badge, column, due, person, two
from marketplace.admin.passwords import NewPasswordForm


def _superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


# --- Accounts


class AddAdminForm(UserCreationForm):
    """A new admin; clients and servicemen register themselves."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "phone_number", "groups")

    def clean_email(self) -> str:
        """As addresses are stored."""
        return str(self.cleaned_data["email"]).strip().lower()


class AccountForm(UserChangeForm):
    """What superusers may change of an account."""

    class Meta:
        model = User
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        """Whoever shuts himself out cannot let himself in again."""
        cleaned = super().clean() or {}
        if self.instance.pk == self.acting and not (
            cleaned.get("is_active", True) and cleaned.get("is_superuser", True) and cleaned.get("is_staff", True)
        ):
            raise ValidationError("You cannot take your own access away.")
        return cleaned

    acting: int | None = None
    """Whose hand it is."""


class SignOutForm(DialogForm):
    """Nothing to fill in."""

    note = "Every device and every session of this person is signed out at once."


@admin.register(User)
class UserAdmin(HistoryAdmin, DjangoUserAdmin):  # type: ignore[misc]
    """Everybody with an account. Superusers make admins and give them roles."""

    form = AccountForm
    add_form = AddAdminForm
    change_password_form = NewPasswordForm
    list_display = ("who", "side", "confirmed", "active", "staff", "last_login", "date_joined")
    list_filter = (
        ("user_type", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
        ("is_email_verified", BooleanRadioFilter),
        ("is_staff", BooleanRadioFilter),
        ("is_superuser", BooleanRadioFilter),
    )
    search_fields = ("email", "first_name", "last_name", "phone_number", "username")
    ordering = ("-id",)
    filter_horizontal = ()
    formfield_overrides: ClassVar = {ManyToManyField: {"widget": UnfoldAdminCheckboxSelectMultipleWidget}}
    actions_detail = ("sign_out",)
    fieldsets = (
        (None, {"fields": ("email", "username", "user_type", "is_email_verified", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "phone_number")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            "A new admin",
            {
                "fields": ("email", "first_name", "last_name", "phone_number", "groups", "password1", "password2"),
                "description": "Clients and servicemen register themselves. The roles say what an admin may do.",
            },
        ),
    )
    readonly_fields = ("email", "username", "user_type", "is_email_verified", "last_login", "date_joined")

    who = column("Account", lambda u: two(u.name, u.email), "email")
    side = column("Side", lambda u: u.get_user_type_display(), "user_type")
    confirmed = column(
        "E-mail", lambda u: badge("Confirmed", "success") if u.is_email_verified else badge("Not confirmed")
    )
    active = column("State", lambda u: badge("Active", "success") if u.is_active else badge("Closed", "danger"))
    staff = column("Console", lambda u: "All rights" if u.is_superuser else "Yes" if u.is_staff else NOTHING)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers make admins."""
        return _superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers change accounts."""
        return _superuser(request)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """A new admin's address is typed; the console is for admins only."""
        if obj is None:
            return ()
        if not _superuser(request):
            return super().get_readonly_fields(request, obj)
        return self.readonly_fields if obj.is_admin else (*self.readonly_fields, "is_staff", "is_superuser", "groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Who may not change it does not see the password's hash."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or _superuser(request):
            return fieldsets
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name != "password"]})
            for title, options in fieldsets
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows whose hand it is."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type("Form", (form,), {"acting": request.user.pk})

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """A new account here is an admin's. Whose rights change signs in anew."""
        if not change:
            obj.user_type, obj.is_staff, obj.is_email_verified = Role.ADMIN, True, True
        super().save_model(request, obj, form, change)
        if change and {"is_active", "is_staff", "is_superuser"} & set(form.changed_data) and obj.pk != request.user.pk:
            auth.end_sessions(obj)

    @dialog(
        "Sign out everywhere",
        may="core.change_user",
        form=SignOutForm,
        icon="logout",
        why_not=lambda admin_, request, user: "" if _superuser(request) else "Only superusers can do this.",
    )
    def sign_out(self, request: HttpRequest, form: SignOutForm, object_id: str) -> HttpResponse:
        """End every session."""
        user = self.record(request, object_id)

        def end(_: int, *, by: User) -> None:
            auth.end_sessions(user)

        return carry_out(self, request, object_id, end, done="Signed out everywhere.")


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(DjangoGroupAdmin, ModelAdmin):
    """Roles of the backoffice, as groups of permissions; superusers alone."""

    warn_unsaved_form = True
    list_display = ("name", "rights")
    rights = column("Rights", lambda g: g.rights_held)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """With how many rights each holds."""
        return super().get_queryset(request).annotate(rights_held=Count("permissions"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return _superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return _superuser(request)

    has_add_permission = has_module_permission
    has_change_permission = has_delete_permission = has_view_permission


@admin.register(RefreshToken)
class RefreshTokenAdmin(ConsoleAdmin):
    """Devices that are signed in to the apps."""

    list_display = ("who", "created_at", "expires_at", "state_")
    list_display_links = ("created_at",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    ordering = ("-created_at", "-jti")
    fields = ("who", "created_at", "expires_at", "used_at", "revoked_at", "state_")
    readonly_fields = ("who", "state_")

    who = column("Account", lambda t: person(t.user))
    state_ = column("State", lambda t: badge("Over") if t.used_at or t.revoked_at else badge("Live", "success"))


@admin.register(ThrottleHit)
class ThrottleAdmin(ConsoleAdmin):
    """Limits that count in the database."""

    list_display = ("key", "count", "expires_at")
    ordering = ("-expires_at", "-id")


@admin.register(IdempotencyKey)
class IdempotencyAdmin(ConsoleAdmin):
    """Calls that carried an Idempotency-Key. What was answered is not shown."""

    list_display = ("who", "method", "path", "status", "created_at")
    list_display_links = ("method",)
    list_select_related = ("user",)
    ordering = ("-id",)
    fields = ("who", "method", "path", "key", "status", "location", "created_at")
    readonly_fields = ("who",)

    who = column("Account", lambda k: person(k.user))


# --- Background jobs

for model in (Failure, Success, Schedule, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


QUEUE = "admin:django_q_ormq_changelist"


class JobForm(DialogForm):
    """Nothing to fill in."""

    note = "The job is queued again with the same arguments, and this record of its failure goes."


class RunForm(DialogForm):
    """Nothing to fill in."""

    note = "It runs at once, and then as scheduled."


def _short(func: str) -> str:
    return func.rpartition(".")[2].replace("_", " ").capitalize()


def _last_line(error: Any) -> str:
    """Of a traceback: what went wrong."""
    return str(error).strip().splitlines()[-1][:90] if error else NOTHING


class JobAdmin(ConsoleAdmin):
    """A job that ran."""

    list_display: tuple[str, ...] = ("what", "arguments", "started", "took")
    search_fields = ("name", "func")
    ordering = ("-stopped",)
    fields = ("what", "func", "arguments", "started", "stopped", "took", "attempt_count", "outcome")
    readonly_fields = ("what", "arguments", "took", "outcome")

    what = column("Job", lambda t: _short(t.func), "func")
    arguments = column("Arguments", lambda t: ", ".join(map(str, t.args or ())) or NOTHING)
    took = column("Took", lambda t: f"{t.time_taken():.1f} s")
    outcome = column("Result", lambda t: format_html('<pre class="c-code">{}</pre>', str(t.result)))


@admin.register(Success)
class SuccessAdmin(JobAdmin):
    """Jobs that are done."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        """Those."""
        return super().get_queryset(request).filter(success=True)


@admin.register(Failure)
class FailureAdmin(JobAdmin):
    """Jobs that failed, with the error, and running them again."""

    list_display = ("what", "arguments", "started", "attempt_count", "error")
    actions_detail = ("retry",)

    error = column("Error", lambda t: _last_line(t.result))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        """Those."""
        return super().get_queryset(request).filter(success=False)

    @dialog("Run again", may="django_q.change_failure", form=JobForm, icon="replay", variant=ActionVariant.PRIMARY)
    def retry(self, request: HttpRequest, form: JobForm, object_id: str) -> HttpResponse:
        """Once more."""
        task = self.record(request, object_id)
        with transaction.atomic():
            async_task(task.func, *(task.args or ()), **(task.kwargs or {}))
            task.delete()
        messages.success(request, leading("The job is queued again.", reverse(QUEUE), "Show the queue"))
        return back(request, self)


@admin.register(OrmQ)
class QueuedAdmin(ConsoleAdmin):
    """Jobs that wait, or are being worked on."""

    list_display = ("what", "arguments", "lock")
    ordering = ("id",)
    fields = ("what", "arguments", "lock")
    readonly_fields = ("what", "arguments")

    what = column("Job", lambda q: _short(str(q.func() or "")))
    arguments = column("Arguments", lambda q: ", ".join(map(str, q.args() or ())) or NOTHING)


LATE = timedelta(minutes=2)
"""The worker looks at its schedules twice a minute, so the first minute means nothing."""


def _next_run(schedule: Schedule) -> SafeString | str:
    if clock.now() - LATE < schedule.next_run <= clock.now():
        return "now"
    return due(schedule.next_run)


def _went(schedule: Any) -> SafeString | str:
    """How the last run ended, and with what."""
    if schedule.last_success is None:
        return NOTHING
    if not schedule.last_success:
        return two(badge("Failed", "danger"), _last_line(schedule.last_result))
    return two(badge("Well", "success"), "" if schedule.last_result is None else f"Result: {schedule.last_result}")


@admin.register(Schedule)
class ScheduleAdmin(ConsoleAdmin):
    """Jobs by the clock, and how the last run went."""

    list_display = ("name", "what", "rhythm", "next", "last", "went")
    search_fields = ("name", "func")
    ordering = ("next_run", "id")
    actions_detail = ("run_now",)
    fields = ("name", "what", "func", "args", "rhythm", "next_run", "last", "went", "outcome")
    readonly_fields = ("what", "rhythm", "last", "went", "outcome")

    what = column("Job", lambda s: _short(s.func))
    rhythm = column(
        "How often", lambda s: f"Every {s.minutes} min" if s.schedule_type == "I" else s.get_schedule_type_display()
    )
    next = column("Next run", _next_run, "next_run")
    last = column("Last run", lambda s: ago(s.last_stopped, " ago"))
    went = column("Went", _went)
    outcome = column(
        "Result",
        lambda s: NOTHING if s.last_result is None else format_html('<pre class="c-code">{}</pre>', str(s.last_result)),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        """With the last run of each."""
        facts = {f"last_{fact}": jobs.last_run(fact) for fact in ("stopped", "success", "result")}
        return super().get_queryset(request).annotate(**facts)

    @dialog("Run now", may="django_q.change_schedule", form=RunForm, icon="play_arrow", variant=ActionVariant.PRIMARY)
    def run_now(self, request: HttpRequest, form: RunForm, object_id: str) -> HttpResponse:
        """Without waiting."""
        schedule = self.record(request, object_id)
        args = literal_eval(schedule.args) if schedule.args else ()
        # Its own time stays: moved to now, the job of each day would run at this time of day from then on.
        given = args if isinstance(args, tuple) else (args,)
        async_task(schedule.func, *given, group=schedule.name, save=True)  # its record is the schedule's last run
        messages.success(request, leading("The job is queued.", reverse(QUEUE), "Show the queue"))
        return back(request, self, object_id)
