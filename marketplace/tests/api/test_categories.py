"""/api/categories/."""

import pytest

from marketplace.models import Category

PATH = "/api/categories/"
BODY = {"name": "Carpentry", "description": "Doors and shelves."}


def test_anybody_lists_what_can_be_booked_by_name(as_, plumbing):
    Category.objects.create(name="Cleaning", description="Floors.")
    Category.objects.create(name="Alchemy", description="Gold.", is_active=False)
    answer = as_().get(PATH)
    assert [item["name"] for item in answer.json()["items"]] == ["Cleaning", "Plumbing"]
    one = as_().get(f"{PATH}{plumbing.pk}/").json()
    assert set(one) == {"id", "name", "description", "icon_url", "is_active", "created_at", "updated_at"}
    assert one in answer.json()["items"]


def test_what_is_inactive_or_unknown_is_not_there(as_, plumbing):
    Category.objects.filter(pk=plumbing.pk).update(is_active=False)
    for path in (f"{PATH}{plumbing.pk}/", f"{PATH}{plumbing.pk}/servicemen/", f"{PATH}999999/"):
        assert as_().get(path).status_code == 404


def test_an_admin_adds_one(as_, boss):
    answer = as_(boss).post(PATH, BODY | {"icon_url": "https://example.com/saw.svg"})
    assert answer.status_code == 201, answer.content
    assert answer["Location"] == f"{PATH}{answer.json()['id']}/"
    assert as_().get(answer["Location"]).json() == answer.json()
    assert answer.json()["icon_url"] == "https://example.com/saw.svg"
    history = Category.objects.get(name="Carpentry").history.get()
    assert history.history_user == boss


def test_an_admin_changes_what_he_sends_and_no_more(as_, boss, plumbing):
    answer = as_(boss).patch(f"{PATH}{plumbing.pk}/", {"is_active": False})
    assert answer.status_code == 200, answer.content
    changed = answer.json()
    assert (changed["is_active"], changed["name"], changed["description"]) == (False, "Plumbing", plumbing.description)
    # An admin finds it again by its id, though nobody else does.
    assert as_(boss).patch(f"{PATH}{plumbing.pk}/", {"is_active": True}).json()["is_active"] is True


@pytest.mark.parametrize("name", ["Plumbing", "plumbing", " PLUMBING "])
def test_a_name_is_taken_whatever_its_case(as_, boss, plumbing, name):
    answer = as_(boss).post(PATH, BODY | {"name": name})
    assert (answer.status_code, answer.json()["code"]) == (422, "name_taken")
    assert answer.json()["errors"][0]["loc"] == "name"
    assert as_(boss).patch(f"{PATH}{plumbing.pk}/", {"name": name}).status_code == 200
    other = Category.objects.create(**BODY)
    assert as_(boss).patch(f"{PATH}{other.pk}/", {"name": name}).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", None),
        ("description", " "),
        ("icon_url", "javascript:alert(1)"),
        ("icon_url", ""),
        ("is_active", "false!"),
        ("slug", "carpentry"),
    ],
)
def test_a_bad_value_names_its_field(as_, boss, plumbing, field, value):
    for answer in (
        as_(boss).post(PATH, BODY | {field: value}),
        as_(boss).patch(f"{PATH}{plumbing.pk}/", {field: value}),
    ):
        assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])
    assert Category.objects.count() == 1


def test_only_admins_who_may_manage_the_catalog(as_, ada, tunde, make_admin, plumbing):
    for person in (ada, tunde, make_admin("pricing"), make_admin("viewer")):
        assert as_(person).post(PATH, BODY).status_code == 403
        assert as_(person).patch(f"{PATH}{plumbing.pk}/", {"name": "Pipes"}).status_code == 403
    assert as_().post(PATH, BODY).status_code == 401
    assert as_(make_admin("dispatcher")).post(PATH, BODY).status_code == 201
    assert as_(make_admin("dispatcher", name="second")).patch(f"{PATH}999999/", {"name": "X"}).status_code == 404
