"""The web process under ASGI: the event stream."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
application = get_asgi_application()

from core.checks import refuse_unsafe_start  # noqa: E402 - needs the settings

refuse_unsafe_start()
