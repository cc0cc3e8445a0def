"""Tables for people. Pure."""

from collections.abc import Sequence

from bench.targets import Target


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an aligned table; the first column to the left, the others to the right."""
    cells = [list(head), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "  ".join(
            text.rjust(width) if column else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return "\n".join([lines[0].rstrip(), "-" * len(lines[0]), *(line.rstrip() for line in lines[1:])])


def shown(cell: object) -> str:
    """Return a figure with as many decimals as its size needs; None as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return str(cell)
    size = abs(cell)
    if size >= 100 or cell == int(cell):
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if size >= 10 else f"{cell:.2f}" if size >= 0.1 else f"{cell:.3f}"


def verdicts(targets: Sequence[Target]) -> str:
    """Return the targets, what was measured, and whether that is enough."""
    rows = [
        (
            each.what,
            each.got if each.got is not None else each.why or None,
            f"{'≥' if each.sense == 'at least' else '≤'} {shown(each.limit)}{' ' + each.unit if each.unit else ''}",
            each.verdict,
        )
        for each in targets
    ]
    return table(("target", "measured", "limit", "verdict"), rows)
