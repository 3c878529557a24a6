"""Mutation testing of the arithmetic of money: `uv run python benchmarks/mutation.py`.

Breaks one thing at a time (an operator, a bound, a figure, a member of a table, a returned value), runs the module's
unit tests on it, and fails below 90 % found. mutmut leaves module-level figures and tables alone, and those are most of
what there is to break here; cosmic-ray starts a process, hence Django, for every mutant.
"""

import ast
import contextlib
import copy
import gc
import importlib
import io
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
# No test here needs a database: the file is never made, and no PostgreSQL is started.
os.environ["DATABASE_URL"] = f"sqlite:///{tempfile.gettempdir()}/never-made.sqlite3"

MODULES: dict[str, tuple[str, ...]] = {f"marketplace.{name}": () for name in ("money", "policy", "deadlines")}
"""What is broken, and in which functions; all of the module where none is named."""
MODULES["marketplace.services.pricing"] = ("_is_version", "_checked")
ENOUGH = 90
Mutant = tuple[str, int, str, str]
"""The module, the line, the new source, and what was broken there."""

SWAPS = {
    "Add": "Sub", "Sub": "Add", "Mult": "Div", "Div": "Mult", "And": "Or", "Or": "And", "In": "NotIn", "NotIn": "In",
    "Lt": "LtE GtE", "LtE": "Lt Gt", "Gt": "GtE LtE", "GtE": "Gt Lt", "Eq": "NotEq", "NotEq": "Eq", "Is": "IsNot",
    "IsNot": "Is", "min": "max", "max": "min", "hours": "minutes", "minutes": "hours", "days": "hours",
    "ROUND_HALF_UP": "'ROUND_HALF_EVEN' 'ROUND_DOWN'",
}  # fmt: skip
ENUMS = ("Fate", "Stage", "Side", "Status", "S", "PaymentType")


def swaps(name: str) -> list[str]:
    return SWAPS.get(name, "").split()


def operators(op: ast.AST) -> list[ast.AST]:
    return [getattr(ast, name)() for name in swaps(type(op).__name__)]


def code(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def changed(node: ast.AST, **fields: Any) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def constants(node: ast.Constant) -> list[Any]:
    if isinstance(node.value, bool):
        return [ast.Constant(not node.value)]
    return [ast.Constant(node.value + step) for step in (1, -1)] if isinstance(node.value, int) else []


def figures(node: ast.Call) -> list[Any]:
    """The last digit of Decimal("0.015")."""
    if ast.unparse(node.func) != "Decimal" or not isinstance(getattr(node.args[0], "value", None), str):
        return []
    said = ast.unparse(node)
    return [code(f"{said} {sign} Decimal((0, (1,), {said}.as_tuple().exponent))") for sign in "+-"]


def members(node: ast.Attribute) -> list[Any]:
    enum = ast.unparse(node.value)
    return (
        [code(f"[*{enum}][[*{enum}].index({enum}.{node.attr}) - 1]")] if enum in ENUMS and node.attr.isupper() else []
    )


BREAKS: dict[type, Callable[[Any], list[Any]]] = {
    ast.BinOp: lambda n: [changed(n, op=op) for op in operators(n.op)],
    ast.BoolOp: lambda n: [changed(n, op=op) for op in operators(n.op)],
    ast.Compare: lambda n: [
        changed(n, ops=[*n.ops[:at], op, *n.ops[at + 1 :]]) for at, old in enumerate(n.ops) for op in operators(old)
    ],
    ast.UnaryOp: lambda n: [n.operand],
    ast.Constant: constants,
    ast.Call: figures,
    ast.Attribute: members,
    ast.Name: lambda n: [code(name) for name in swaps(n.id)],
    ast.keyword: lambda n: [changed(n, arg=name) for name in swaps(n.arg or "")],
    ast.IfExp: lambda n: [changed(n, body=n.orelse, orelse=n.body)],
    ast.If: lambda n: [changed(n, test=ast.UnaryOp(ast.Not(), n.test))],
    ast.Return: lambda n: [changed(n, value=None)] if n.value else [],
    ast.Raise: lambda _: [ast.Pass()],
}


def source_of(name: str) -> str:
    return Path(importlib.import_module(name).__file__ or "").read_text()


def mutants(name: str) -> Iterator[Mutant]:
    tree = ast.parse(source_of(name))
    tops = [top for top in tree.body if not MODULES[name] or getattr(top, "name", "") in MODULES[name]]
    places = [(parent, *each) for top in tops for parent in ast.walk(top) for each in ast.iter_fields(parent)]
    for parent, field, value in places:
        for at, old in enumerate(value if isinstance(value, list) else [value]):
            for new in BREAKS.get(type(old), lambda _: [])(old):
                setattr(parent, field, [*value[:at], new, *value[at + 1 :]] if isinstance(value, list) else new)
                what = "  ->  ".join(" ".join(ast.unparse(node).split())[:90] for node in (old, new))
                yield name, getattr(old, "lineno", 0), ast.unparse(tree), what
        setattr(parent, field, value)


def is_found(mutant: Mutant) -> bool:
    """Whether a test fails on it. Runs in a process of its own, forked after Django was loaded."""
    name, _, source, _ = mutant
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(120)  # what never ends is found as well: pytest takes it for Ctrl-C
    module = importlib.import_module(name)
    before = dict(vars(module))
    try:
        exec(compile(source, name, "exec"), vars(module))
    except Exception:  # noqa: BLE001  (it does not even load)
        return True
    new = {id(old): vars(module)[key] for key, old in before.items() if vars(module)[key] is not old}
    for other in [other for key, other in sys.modules.items() if key.startswith("marketplace.")]:
        for key, value in list(vars(other).items()):
            if id(value) in new and not key.startswith("__"):
                setattr(other, key, new[id(value)])
    return run_tests(name) != 0


def run_tests(name: str) -> int:
    import pytest

    options = [
        "-c",
        os.devnull,
        f"--rootdir={ROOT}",
        "-xq",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
    ]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return int(pytest.main([*options, f"marketplace/tests/test_{name.rpartition('.')[2]}.py"]))


def main() -> int:
    os.chdir(ROOT)
    importlib.import_module("core.tests.environment")
    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    importlib.import_module("django").setup()
    from hypothesis import Phase, settings

    once = [Phase.explicit, Phase.generate]  # whether it fails is all we ask: nothing is made smaller
    settings.register_profile("mutation", database=None, derandomize=True, deadline=None, max_examples=30, phases=once)
    settings.load_profile("mutation")
    began, every = time.monotonic(), [mutant for name in MODULES for mutant in mutants(name)]
    # On the code as it is first, here: what the tests import is then there for all who are forked.
    if any(run_tests(name) for name in MODULES):
        sys.exit("The tests fail on the code as it is.")
    for name in [name for name in sys.modules if name.startswith("marketplace.tests.")]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()  # or each process walks, and thereby copies, all that Django has made
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool:
        found = pool.map(is_found, every, chunksize=1)
    for name in MODULES:
        of_it = [hit for hit, mutant in zip(found, every, strict=True) if mutant[0] == name]
        print(f"{name}: {sum(of_it)} of {len(of_it)}")
    for name, line, _, what in [mutant for hit, mutant in zip(found, every, strict=True) if not hit]:
        print(f"survived  {name.replace('.', '/')}.py:{line}  {what}")
    share = 100 * sum(found) / len(every)
    print(f"killed {sum(found)} of {len(every)}, {share:.1f} %, in {time.monotonic() - began:.0f} s")
    return int(share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
