"""Every operation of the backoffice by everybody: in for the roles this table names, 401 or 403 for all others."""

import pytest

from marketplace.tests.api.test_every_operation import OPERATIONS

pytestmark = pytest.mark.django_db

ROLES = ("dispatcher", "pricing", "finance", "viewer", "superuser")
# operation -> dispatcher, pricing, finance, viewer, superuser
TABLE = {
    "GET /admin/pending-assignments/": "xxxxx",
    "GET /admin/pricing-review/": "xxxxx",
    "GET /admin/servicemen/": "xxxxx",
    "POST /admin/assign-serviceman/": "x---x",
    "PATCH /admin/service-requests/{request_id}/emergency/": "x---x",
    "PATCH /admin/update-final-cost/": "-x--x",
    "POST /admin/servicemen/{user_id}/approve/": "x---x",
    "POST /admin/servicemen/{user_id}/reject/": "x---x",
    "POST /admin/notifications/": "x---x",
    "GET /admin/analytics/revenue/": "--x-x",
    "GET /admin/analytics/operations/": "--x-x",
    "GET /admin/analytics/servicemen/": "--x-x",
    "GET /admin/analytics/categories/": "--x-x",
    # Of admins too, though their path does not say so
    "POST /categories/": "x---x",
    "PATCH /categories/{category_id}/": "x---x",
    "POST /negotiations/{negotiation_id}/check-with-serviceman/": "-x--x",
    "POST /service-requests/{request_id}/verify-completion/": "x---x",
    "POST /service-requests/{request_id}/return-to-work/": "x---x",
    "POST /service-requests/{request_id}/issues/{issue_id}/resolve/": "x---x",
}


def test_every_operation_of_the_backoffice_stands_in_the_table():
    found = {f"{method} {path}" for method, path, _ in OPERATIONS}
    assert {operation for operation in found if " /admin/" in operation} <= set(TABLE) <= found


@pytest.mark.parametrize("person", [*ROLES, "clerk", "client", "serviceman", "stranger"])
def test_an_operation_is_open_to_its_roles_alone(person, as_, ada, tunde, boss, make_admin):
    known = {"superuser": boss, "client": ada, "serviceman": tunde}
    if person in ROLES:
        known.setdefault(person, None)
        caller = as_(known[person] or make_admin(person))
    else:
        caller = as_() if person == "stranger" else as_(known.get(person) or make_admin())
    wrong = {}
    for operation, marks in TABLE.items():
        method, path = operation.split()
        for name in ("request_id", "user_id", "category_id", "negotiation_id", "issue_id"):
            path = path.replace(f"{{{name}}}", "999999")
        status = getattr(caller, method.lower())(f"/api{path}").status_code
        may = person in ROLES and marks[ROLES.index(person)] == "x"
        refused = 401 if person == "stranger" else 403
        if (status in (401, 403)) if may else (status != refused):
            wrong[operation] = status
    assert wrong == {}
