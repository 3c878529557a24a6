"""docs/analytics.md and the code know the same words."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from django.conf import settings

from marketplace import analytics
from marketplace.analytics.overview import overview
from marketplace.api.analytics import RevenueOut
from marketplace.api.schemas.analytics import OperationsOut

DOCUMENT = (Path(settings.BASE_DIR) / "docs" / "analytics.md").read_text()


def words(heading):
    """The first column of the table under a heading."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def names(kind):
    return [each.name for each in fields(kind)]


def test_money():
    assert words("Money") == [*names(analytics.Revenue), "take_rate", "payable"]


def test_operations():
    assert words("Operations") == names(analytics.Operations)


def test_servicemen_and_categories():
    assert words("Servicemen") == list(analytics.servicemen().query.annotations)
    assert words("Categories") == list(analytics.categories().query.annotations)


def test_the_api_answers_every_word_once():
    shown = [*RevenueOut.model_fields, *OperationsOut.model_fields]
    assert sorted(shown) == sorted(words("Money") + words("Operations"))


@pytest.mark.django_db
def test_an_overview_has_every_word(boss):
    from core import clock

    found = overview(clock.today(), clock.today())
    for each in (found.totals, found.before, found.periods[clock.today()]):
        assert sorted(each) == sorted(words("Money") + words("Operations"))


def test_each_word_is_defined_in_the_code_as_well():
    import ast
    import inspect

    for kind in (analytics.Revenue, analytics.Operations):
        (tree,) = ast.parse(inspect.getsource(kind)).body
        for field, following in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign):
                assert isinstance(following, ast.Expr), field.target.id
                assert isinstance(following.value.value, str)
