"""The pictures behind signed links, for as long as our own disk keeps them."""

from django.http import FileResponse, Http404, HttpRequest
from django.urls import path
from django.views.decorators.http import require_safe

from core.errors import Missing
from core.pictures import shown
from marketplace.services.attachments import LINK_SECONDS, by_link


@require_safe
def attachment(request: HttpRequest, signed: str) -> FileResponse:
    """The picture of a link from the API, for whoever has it."""
    try:
        kept = by_link(signed)
    except Missing as missing:
        raise Http404(missing.detail) from missing
    return shown(kept.file, kept.content_type, seconds=LINK_SECONDS // 2)


urlpatterns = [path("attachments/<str:signed>/", attachment, name="attachment")]
