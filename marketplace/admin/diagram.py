"""The state diagram, drawn from the transitions in the code: where each status stands, and the lines between them.

Statuses stand below each other in their order. A step to the next one or the one before is an arrow between the two;
steps over a longer way share a lane beside the column, on the left when they lead back, on the right when they lead on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marketplace.enums import Status
from marketplace.models import ServiceRequest

WIDTH, HEIGHT, GAP = 236, 62, 54
"""Of a status, and between two, in units of the drawing."""
ROOM = 118
"""Beside the column, for the words of a lane."""
LANE = 18
"""Between two lanes."""
LINE = 13
"""Between two lines of words."""
PORT = 15
"""Between two lines that meet a status on one side."""
TOP = 8
KINDS = ("on", "back", "end")
"""Lines that lead on, lead back, and end it all."""
END = Status.CANCELLED
COLUMN = [status for status in Status if status != END]


@dataclass(frozen=True)
class Move:
    """One step of the workflow from one status to another; `target` None keeps the status."""

    step: str
    source: str
    target: str | None
    by: str
    unless: tuple[str, ...] = ()


def name_of(step: str) -> str:
    """A step for people: set_final_cost -> Set final cost."""
    return step.replace("_", " ").capitalize()


def moves() -> list[Move]:
    """Every transition of the code, one line each way it can end."""
    found = []
    status: Any = ServiceRequest._meta.get_field("status")
    for each in status.get_all_transitions(ServiceRequest):
        targets = getattr(each.target, "allowed_states", None) or [each.target]
        unless = tuple(condition.detail for condition in each.conditions)
        for target in targets:
            goes = None if target in (None, each.source) else str(Status(target).value)
            found.append(Move(each.name, str(Status(each.source).value), goes, str(each.permission), unless))
    order = list(Status)
    return sorted(found, key=lambda move: (order.index(Status(move.source)), order.index(Status(move.target or END))))


@dataclass
class Node:
    """A status as it is drawn."""

    status: Status
    x: int
    y: int
    keeps: list[str] = field(default_factory=list)
    """Steps that leave a request in it."""

    @property
    def middle(self) -> int:
        """Where arrows run, from left to right."""
        return self.x + WIDTH // 2


@dataclass(frozen=True)
class Edge:
    """A line with an arrow at its end, and the words along it: x, y and text."""

    steps: list[str]
    sources: tuple[Status, ...]
    target: Status
    path: str
    words: list[tuple[int, int, str]]
    anchor: str
    kind: str

    @property
    def title(self) -> str:
        """What it says when pointed at."""
        names = ", ".join(map(name_of, self.steps))
        return f"{names}: from {', '.join(source.label for source in self.sources)} to {self.target.label}"


@dataclass(frozen=True)
class Diagram:
    """Everything to draw, in a box of `width` by `height`."""

    width: int
    height: int
    nodes: list[Node]
    edges: list[Edge]
    node_width: int = WIDTH
    node_height: int = HEIGHT


def draw() -> Diagram:
    """Lay it out."""
    return _Drawing(moves()).diagram()


class _Drawing:
    def __init__(self, steps: list[Move]) -> None:
        between: dict[tuple[str, str], list[str]] = {}
        keeps: dict[str, list[str]] = {}
        for move in steps:
            into = keeps.setdefault(move.source, []) if move.target is None else between.setdefault(
                (move.source, move.target), []
            )  # fmt: skip
            if move.step not in into:
                into.append(move.step)
        self.short, self.long = self._sorted(between)
        self.lanes = {side: sum(1 for key in self.long if key[0] == side) for side in ("left", "right")}
        left = 16 + self.lanes["left"] * LANE + ROOM
        self.nodes = {s: Node(s, left, TOP + i * (HEIGHT + GAP)) for i, s in enumerate(COLUMN)}
        self.nodes[END] = Node(END, left + WIDTH + ROOM - 60, self.nodes[COLUMN[-1]].y)
        for status, names in keeps.items():
            self.nodes[Status(status)].keeps = [name_of(name) for name in names]
        self.ports: dict[tuple[Status, str], int] = {}

    def _sorted(self, between: dict[tuple[str, str], list[str]]) -> tuple[Any, Any]:
        """Arrows between neighbours, and lanes: the same steps to the same status share one."""
        short: dict[tuple[Status, Status], list[str]] = {}
        by_step: dict[tuple[str, Status, str], list[Status]] = {}
        order = list(Status)
        for (a, b), names in between.items():
            source, target = Status(a), Status(b)
            away = order.index(target) - order.index(source)
            if abs(away) == 1 and END not in (source, target):
                short[source, target] = names
                continue
            side = "left" if away < 0 else "right"
            for name in names:
                by_step.setdefault((side, target, name), []).append(source)
        lanes: dict[tuple[str, Status, tuple[Status, ...]], list[str]] = {}
        for (side, target, name), sources in by_step.items():
            lanes.setdefault((side, target, tuple(sources)), []).append(name)
        # The lane that reaches furthest lies outermost, and those into the end of all outside of them.
        reach = {
            key: (key[1] == END, max(abs(order.index(s) - order.index(key[1])) for s in key[2]), len(key[2]))
            for key in lanes
        }
        return short, dict(sorted(lanes.items(), key=lambda item: reach[item[0]]))

    def diagram(self) -> Diagram:
        edges = [self._arrow(a, b, names) for (a, b), names in self.short.items()]
        used = {"left": 0, "right": 0}
        for (side, target, sources), names in self.long.items():
            edges.append(self._lane(side, target, sources, names, used[side]))
            used[side] += 1
        end = self.nodes[END]
        return Diagram(end.x + WIDTH + 16, end.y + HEIGHT + TOP, [self.nodes[s] for s in Status], edges)

    def _arrow(self, source: Status, target: Status, names: list[str]) -> Edge:
        a, b = self.nodes[source], self.nodes[target]
        down = b.y > a.y
        x = a.middle + (-14 if down else 14)
        start, stop = (a.y + HEIGHT, b.y) if down else (a.y, b.y + HEIGHT)
        first = (start + stop) // 2 - (len(names) - 1) * LINE // 2 + 4
        words = [(x + (-8 if down else 8), first + i * LINE, name_of(name)) for i, name in enumerate(names)]
        return Edge(
            names,
            (source,),
            target,
            path=f"M{x} {start}V{stop}",
            words=words,
            anchor="end" if down else "start",
            kind="on" if down else "back",
        )

    def _lane(self, side: str, target: Status, sources: tuple[Status, ...], names: list[str], number: int) -> Edge:
        sign = -1 if side == "left" else 1
        edge = self.nodes[COLUMN[0]].x + (0 if side == "left" else WIDTH)
        lane = edge + sign * (ROOM + number * LANE)
        label = ", ".join(map(name_of, names)).capitalize()
        exits = [self._port(source, side) for source in sources]
        if target == END:  # from above, into its top
            stop = self.nodes[END].y
            path = "".join(f"M{edge} {y}H{lane}" for y in exits) + f"M{lane} {min(exits)}V{stop}"
            words = [(edge + 8, min(exits) - 4, label)]
            return Edge(names, sources, target, path, words, "start", "end")
        enters = self._port(target, side)
        ys = [*exits, enters]
        path = "".join(f"M{edge} {y}H{lane}" for y in exits)
        path += f"M{lane} {min(ys)}V{max(ys)}M{lane} {enters}H{edge}"
        words = [(edge + sign * 10, enters - 4, label)]
        anchor = "end" if side == "left" else "start"
        return Edge(names, sources, target, path, words, anchor, "back" if side == "left" else "on")

    def _port(self, status: Status, side: str) -> int:
        """Where the next line meets a status."""
        number = self.ports.get((status, side), 0)
        self.ports[status, side] = number + 1
        return self.nodes[status].y + 16 + number * PORT
