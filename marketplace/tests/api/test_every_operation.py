"""What holds for every operation of the API, whoever writes it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import pydantic
import pytest
from ninja.operation import Operation

from marketplace.api import api

WITHOUT_KEY = ("/auth/", "/payments/webhook/")
"""POSTs that take no Idempotency-Key."""
OPERATIONS: list[tuple[str, str, Operation]] = [
    (method, f"/{bound.prefix}/{path}".replace("//", "/").replace("//", "/"), operation)
    for bound in api._get_bound_routers()
    for path, view in bound.path_operations.items()
    for operation in view.operations
    for method in operation.methods
]
every_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[f"{method} {path}" for method, path, _ in OPERATIONS]
)


def models_in(kind: Any) -> Iterator[type[pydantic.BaseModel]]:
    """The models an annotation is made of, nested ones too."""
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from models_in(field.annotation)
    for part in get_args(kind):
        yield from models_in(part)


@every_operation
def test_what_comes_in_is_strict_to_its_leaves(method, path, operation):
    for source in operation.models:
        for field in source.model_fields.values():
            loose = [model for model in models_in(field.annotation) if model.model_config.get("extra") != "forbid"]
            assert not loose


@every_operation
def test_a_post_takes_an_idempotency_key(method, path, operation):
    marked = getattr(operation.view_func, "is_idempotent", False)
    assert marked == (method == "POST" and not path.startswith(WITHOUT_KEY))


@every_operation
def test_its_refusals_are_declared(method, path, operation):
    assert {400, 401, 403, 404, 409, 413, 422, 429, 503} <= set(operation.response_models)


@every_operation
def test_it_ends_with_a_slash_and_has_a_summary(method, path, operation):
    assert path.endswith("/")
    assert operation.summary


def test_no_path_hides_another():
    """Two files that define one path: Django takes the first, and the methods of the other answer 405."""
    places = {(path, id(view)) for bound in api._get_bound_routers() for path, view in _full_paths(bound)}
    assert not [path for path, count in Counter(path for path, _ in places).items() if count > 1]


def _full_paths(bound):
    for path, view in bound.path_operations.items():
        yield f"/{bound.prefix}/{path}".replace("//", "/").replace("//", "/"), view


def test_operation_ids_are_unique():
    ids = Counter(api.get_openapi_operation_id(operation) for _, _, operation in OPERATIONS)
    assert not [name for name, count in ids.items() if count > 1]
