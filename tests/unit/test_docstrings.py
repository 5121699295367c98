"""Whatever is public in `bot` and `handlers` says what it is for.

A name is public when it begins with no underscore, nor anything around it. An `@overload` says
nothing of its own, a setter is told of by its getter, and a `@command` says in its declaration what
it does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    str(path.relative_to(ROOT))
    for top in ("bot", "handlers")
    for path in (ROOT / top).rglob("*.py")
)
SILENT = {"overload", "setter", "deleter", "command"}

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(source: str) -> list[str]:
    """The public names of a module that have no docstring; `module` for the module itself."""
    tree = ast.parse(source)
    mute = [] if ast.get_docstring(tree) else ["module"]
    return mute + [name for name, found in _public(tree) if not ast.get_docstring(found)]


def _public(
    around: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, Definition]]:
    for found in _statements(around.body):
        if isinstance(found, Definition) and not found.name.startswith("_") and not _silent(found):
            yield prefix + found.name, found
            if isinstance(found, ast.ClassDef):
                yield from _public(found, f"{prefix}{found.name}.")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What stands there, also below an `if`."""
    for found in body:
        yield from (
            _statements([*found.body, *found.orelse]) if isinstance(found, ast.If) else [found]
        )


def _silent(found: Definition) -> bool:
    called = (one.func if isinstance(one, ast.Call) else one for one in found.decorator_list)
    decorators = {ast.unparse(one).rpartition(".")[2] for one in called}
    return bool(decorators & SILENT)


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_has_a_docstring(module: str) -> None:
    assert [] == undocumented((ROOT / module).read_text(encoding="utf-8"))


SOURCES = {
    "nothing at all": ("", ["module"]),
    "a function": ('"""M."""\ndef f(): ...', ["f"]),
    "a coroutine": ('"""M."""\nasync def f(): ...', ["f"]),
    "a class and its method": ('"""M."""\nclass A:\n    def f(self): ...', ["A", "A.f"]),
    "below an if": ('"""M."""\nif True:\n    def f(): ...', ["f"]),
    "a private one": ('"""M."""\ndef _f(): ...\nclass _A:\n    def f(self): ...', []),
    "magic": ('"""M."""\nclass A:\n    """A."""\n    def __len__(self): ...', []),
    "inside a function": ('"""M."""\ndef f():\n    """F."""\n    def g(): ...', []),
    "a command": ('"""M."""\n@command("f", does="F.")\nasync def f(): ...', []),
    "declared otherwise": ('"""M."""\n@other("f", does="F.")\nasync def f(): ...', ["f"]),
    "told": ('"""M."""\nclass A:\n    """A."""\n    def f(self):\n        """F."""', []),
}


@pytest.mark.parametrize(("source", "expected"), SOURCES.values(), ids=SOURCES)
def test_what_is_missing_is_found(source: str, expected: list[str]) -> None:
    assert expected == undocumented(source)
