"""Finds calls in the project's own modules by their syntax trees, for pages about what only the code lists."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
PACKAGES = ("receiver", "shared", "worker")


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its path in the project, and its tree."""

    path: str
    tree: ast.Module


def read_modules(packages: Sequence[str] = PACKAGES) -> Iterator[Module]:
    """Read all modules of some packages."""
    for package in packages:
        for path in sorted((PROJECT / package).rglob("*.py")):
            yield Module(path.relative_to(PROJECT).as_posix(), ast.parse(path.read_text()))


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """Yield every call."""
    return (each for each in ast.walk(node) if isinstance(each, ast.Call))


def texts_of(node: ast.expr) -> list[str]:
    """Return the texts that an expression may give: a literal, or both sides of a choice; none where it is computed."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return [*texts_of(one), *texts_of(other)]
        case _:
            return []


def texts_by_name(module: Module) -> dict[str, list[str]]:
    """Return, by name, the texts that a module assigns to it anywhere."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(module.tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                found.setdefault(name, []).extend(texts_of(value))
            case _:
                pass
    return found


def wording_of(node: ast.expr) -> str:
    """Return a text as a person reads it, with `…` for what isn't known before it runs."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(wording_of(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return wording_of(left) + wording_of(right)
        case _:
            return "…"
