"""The root of all URLs: the one place of core that knows the marketplace."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path

from core import console
from core.problems import no_such_route
from marketplace.admin import search
from marketplace.admin.passwords import change_own_password
from marketplace.api import api, files, pages

urlpatterns = [
    path("admin/login/", console.sign_in),
    path("admin/password_change/", admin.site.admin_view(change_own_password, cacheable=True)),
    path("admin/search/", admin.site.admin_view(search.results)),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    # After the API: whatever it does not know is a problem document too, not a page, and not a redirect to a slash.
    re_path(r"^api(?:/|$)", no_such_route),
    *pages.urlpatterns,
    *files.urlpatterns,
]
handler403 = "core.refusals.forbidden"
handler404 = "core.refusals.not_found"
handler500 = "core.refusals.broken"
if settings.PAYSTACK_SANDBOX:
    urlpatterns.append(path("sandbox/paystack/", include("marketplace.sandbox.urls")))
