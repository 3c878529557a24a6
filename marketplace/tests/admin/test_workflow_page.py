"""The workflow's page: every transition of the code is drawn and told, and the counts are those of the lists."""

from datetime import timedelta

import pytest
from django.urls import reverse

from core import clock
from marketplace.admin.diagram import draw, moves, name_of
from marketplace.admin.workflow import step_lines
from marketplace.enums import Status
from marketplace.models import ServiceRequest
from marketplace.models.workflow import Workflow

pytestmark = pytest.mark.django_db

PAGE = "admin:insight_workflow"


def transitions():
    """(step, source, target or None) as django-fsm keeps them, read without the code of the page."""
    for name, method in vars(Workflow).items():
        if not hasattr(method, "_django_fsm"):
            continue
        for each in method._django_fsm.transitions.values():
            for target in getattr(each.target, "allowed_states", None) or [each.target]:
                yield name, Status(each.source), None if target in (None, each.source) else Status(target)


def test_every_transition_of_the_code_is_on_the_diagram_and_no_other():
    drawn = set()
    diagram = draw()
    for edge in diagram.edges:
        drawn |= {(step, source, edge.target) for step in edge.steps for source in edge.sources}
        words = ", ".join(text for _, _, text in edge.words)
        assert words.lower() == ", ".join(map(name_of, edge.steps)).lower()
        assert edge.path
    kept = {(step, node.status.label) for node in diagram.nodes for step in node.keeps}
    wanted = set(transitions())
    assert drawn == {(step, s, t) for step, s, t in wanted if t is not None}
    assert kept == {(name_of(step), s.label) for step, s, t in wanted if t is None}
    assert {step for step, _, _ in wanted} >= {"assign", "cancel", "verify_completion", "reassign", "rate"}


def test_nothing_is_drawn_over_anything_else():
    diagram = draw()
    boxes = [(node.x, node.y) for node in diagram.nodes]
    assert len(set(boxes)) == len(Status)
    for node in diagram.nodes:
        assert 0 <= node.x <= diagram.width - diagram.node_width
        assert 0 <= node.y <= diagram.height - diagram.node_height
    places = [(x, y) for edge in diagram.edges for x, y, _ in edge.words]
    assert len(set(places)) == len(places)
    assert all(0 < x < diagram.width and 0 < y < diagram.height for x, y in places)


def test_every_step_is_told_with_who_may_and_what_refuses_it(console, boss):
    lines = {line.name: line for line in step_lines(moves())}
    assert set(lines) == {name_of(step) for step, _, _ in transitions()}
    assert lines["Cancel"].sources == "Every open status"
    assert lines["Raise issue"].sources == "Every open status but Awaiting booking fee"
    assert lines["Verify completion"].by == "admin who may verify"
    assert lines["Verify completion"].unless == ("An issue is open: resolve it first.",)
    html = console(boss).get(reverse(PAGE)).content.decode()
    for line in lines.values():
        assert f"<b>{line.name}</b>" in html


def test_each_status_counts_what_its_list_shows(console, boss, request_in):
    for n, status in enumerate(Status):
        for _ in range(n % 3):
            request_in(status)
    request_in("COMPLETED", is_deleted=True, deleted_at=clock.now())
    request_in("AWAITING_PAYMENT", due_at=clock.now() - timedelta(hours=1))
    request_in("COMPLETED", due_at=clock.now() - timedelta(hours=1))
    client = console(boss)
    answer = client.get(reverse(PAGE))
    assert [node.status for node, _ in answer.context["nodes"]] == list(Status)
    for node, standing in answer.context["nodes"]:
        assert standing.status == node.status
        listed = client.get(standing.url).context["cl"].result_list
        assert len(listed) == standing.requests, standing
        assert standing.overdue == ServiceRequest.objects.overdue().filter(status=node.status).count()
    assert sum(standing.overdue for _, standing in answer.context["nodes"]) == 1
    assert answer.content.decode().count('<a class="c-node') == len(Status)
