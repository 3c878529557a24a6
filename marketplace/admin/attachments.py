"""Pictures of jobs, served to admins who may see them."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.console import ConsoleAdmin
from core.pictures import shown
from marketplace.admin.labels import column, link_to, person
from marketplace.models import Attachment


def _picture(attachment: Attachment) -> SafeString:
    url = reverse("admin:marketplace_attachment_file", args=[attachment.pk])
    return format_html('<img class="c-picture" src="{}" alt="{}">', url, attachment.get_kind_display())


@admin.register(Attachment)
class AttachmentAdmin(ConsoleAdmin):
    """Pictures."""

    list_display = ("kind_", "request_", "who", "size", "created_at")
    list_select_related = ("request", "uploaded_by")
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("request__code",)
    ordering = ("-id",)
    fields = ("kind_", "request_", "who", "picture", "size", "sha256", "created_at")
    readonly_fields = ("kind_", "request_", "who", "picture")

    kind_ = column("Picture of", lambda a: a.get_kind_display(), "kind")
    request_ = column("Request", lambda a: link_to(a.request))
    who = column("By", lambda a: person(a.uploaded_by))
    picture = column("Picture", _picture)

    def get_urls(self) -> list[URLPattern]:
        """With the file itself."""
        view = self.admin_site.admin_view(self.file)
        return [path("<int:pk>/file/", view, name="marketplace_attachment_file"), *super().get_urls()]

    def file(self, request: HttpRequest, pk: int) -> FileResponse:
        """The picture."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        attachment = Attachment.objects.filter(pk=pk).first()
        if attachment is None:
            raise Http404
        return shown(attachment.file, attachment.content_type, seconds=300)
