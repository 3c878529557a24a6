"""Where uploads are kept: the disk, or S3 by one address, by links that soon die."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from core import storage


def test_by_default_it_is_the_disk():
    assert storage.of("") == {"BACKEND": "django.core.files.storage.FileSystemStorage"}


def test_s3_keeps_private_files_behind_signed_links(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    made = storage.of("s3://pictures/jobs?region=eu-west-1&endpoint=https://s3.example.com")
    address = urlsplit(import_string(made["BACKEND"])(**made["OPTIONS"]).url("tap.jpg"))
    assert (address.hostname, address.path) == ("s3.example.com", "/pictures/jobs/tap.jpg")
    signed = parse_qs(address.query)
    assert signed["X-Amz-Expires"] == ["600"]
    assert "eu-west-1" in signed["X-Amz-Credential"][0]


@pytest.mark.parametrize("address", ["ftp://files", "s3://", "/srv/files", "s3://pictures?zone=1"])
def test_nonsense_is_refused_by_name(address):
    with pytest.raises(ImproperlyConfigured, match="FILES_URL"):
        storage.of(address)


def test_s3_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(storage, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match="uv sync --extra s3"):
        storage.of("s3://pictures")
