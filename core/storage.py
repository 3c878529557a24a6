"""Where uploads are kept, from one address in the environment. Imported by the settings: knows nothing of Django's."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured

LINK_SECONDS = 600
"""How long a link that S3 signs works; as long as those of our own."""
OPTIONS = {"region": "region_name", "endpoint": "endpoint_url"}
"""What may follow the bucket, and django-storages' names for it."""


def of(address: str) -> dict[str, Any]:
    """The storage of FILES_URL for Django's STORAGES. Raises ImproperlyConfigured naming what is wrong with it."""
    if not address:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.hostname:
        raise ImproperlyConfigured("FILES_URL: leave it empty, or write s3://bucket?region=..&endpoint=..")
    given = dict(parse_qsl(parts.query))
    if strange := sorted(set(given) - set(OPTIONS)):
        raise ImproperlyConfigured(f"FILES_URL: unknown option {strange[0]}; there are {', '.join(OPTIONS)}.")
    if not find_spec("storages") or not find_spec("boto3"):
        raise ImproperlyConfigured("FILES_URL names S3: install it with uv sync --extra s3")
    options = {OPTIONS[name]: value for name, value in given.items()}
    # Private: who wants to see a file is handed a signed link.
    kept = {"bucket_name": parts.hostname, "default_acl": None, "file_overwrite": False, "signature_version": "s3v4"}
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {**kept, "querystring_expire": LINK_SECONDS, "location": parts.path.strip("/"), **options},
    }
