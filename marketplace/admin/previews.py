"""Every e-mail with sample data, to look at: wide and as on a phone, light and dark."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views.generic import TemplateView
from unfold.views import UnfoldSiteViewMixin

from marketplace.enums import NotificationType
from marketplace.notices.letters import render
from marketplace.notices.samples import sample_letters


class PreviewView(UnfoldSiteViewMixin, TemplateView):
    """One type at a time, in each of the forms in which it is sent."""

    title = "E-mail previews"
    permission_required = ("marketplace.view_notification", "marketplace.announce")
    template_name = "admin/previews.html"
    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The type asked for; the first one when that makes no sense."""
        asked = self.request.GET.get("type", "")
        kind = NotificationType(asked) if asked in NotificationType.values else next(iter(NotificationType))
        dark = "dark" in self.request.GET
        mails = []
        for letter in sample_letters(kind):
            subject, text, html = render(letter)
            if dark:  # a frame without an origin does not follow the page's scheme
                html = html.replace("@media (prefers-color-scheme: dark)", "@media all")
            mails.append({"to": letter.reader.get_user_type_display(), "subject": subject, "text": text, "html": html})
        return super().get_context_data(
            **kwargs,
            kinds=[{"value": each.value, "label": each.label, "on": each == kind} for each in NotificationType],
            kind=kind,
            mails=mails,
            dark=dark,
        )
