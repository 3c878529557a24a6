"""The pytest plugin with axe-core, which finds what keeps people out of a page. For tests marked `browser`.

It is the package of the npm registry, fetched once into pytest's cache and held to the digest the registry names.
"""

import base64
import hashlib
import io
import os
import tarfile
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
URL = f"https://registry.npmjs.org/axe-core/-/axe-core-{VERSION}.tgz"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""The tags of WCAG 2.2, levels A and AA."""
ADVICE = ("best-practice",)
"""What is good beyond it."""
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules whose verdict a colour scheme can change."""


@dataclass(frozen=True)
class Finding:
    """One element that breaks one rule."""

    rule: str
    impact: str
    selector: str
    html: str
    why: str
    is_advice: bool

    def __str__(self) -> str:
        return f"{self.impact} {self.rule} at {self.selector}\n      {self.html}\n      {self.why}"


Look = Callable[..., list[Finding]]


def _package() -> bytes:
    try:
        with urllib.request.urlopen(URL, timeout=60) as answer:
            package = answer.read()
    except OSError as problem:
        pytest.fail(f"axe-core cannot be fetched from {URL}: {problem}")
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != SHA512:
        pytest.fail(f"{URL} is not the axe-core it should be: its SHA-512 differs.")
    return package


def _script(folder: Path) -> str:
    kept = folder / f"axe-{VERSION}.min.js"
    if not kept.exists():
        with tarfile.open(fileobj=io.BytesIO(_package())) as package:
            member = package.extractfile("package/axe.min.js")
            assert member
            # Moved into place whole: another worker may look for it at this moment.
            fresh = kept.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(member.read())
        fresh.replace(kept)
    return kept.read_text()


RUN = """async ([rules, tags]) => {
    const runOnly = rules.length ? { type: "rule", values: rules } : { type: "tag", values: tags };
    const found = await axe.run(document, { runOnly, resultTypes: ["violations"], iframes: false });
    return found.violations.flatMap(({ id, tags, nodes }) => nodes.map((node) => [
        id, node.impact ?? "minor", node.target.flat().join(" "), node.html.slice(0, 300), node.failureSummary,
        tags.includes("best-practice"),
    ]));
}"""


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> Look:
    """`axe(page)`: what breaks WCAG 2.2 AA in the page as it stands; `rules=COLOURS` looks for nothing else."""
    script = _script(pytestconfig.cache.mkdir("axe-core"))  # type: ignore[union-attr]

    def look(page: "Page", *, rules: Sequence[str] = (), tags: Sequence[str] = WCAG) -> list[Finding]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(script)
        return [Finding(*each) for each in page.evaluate(RUN, [list(rules), list(tags)])]

    return look
