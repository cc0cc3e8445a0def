"""Markdown, as the reference pages use it."""

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Cells are Markdown; what would end a cell or a line is taken out of them."""
    lines = [_row(headings), _row(["---"] * len(headings)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Return a text in the type of code; an empty one stays empty."""
    return f"`{text}`" if text else ""


def codes(texts: Iterable[str]) -> str:
    """Return several, separated by commas."""
    return ", ".join(code(text) for text in texts)


def page(title: str, *parts: str) -> str:
    """Return a page of several parts, a blank line between them."""
    return "\n\n".join([f"# {title}", *(part.strip("\n") for part in parts)]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
