"""Draws the growth curves of results.json. It runs in the environment of the peers, so it imports none of our code.

python bench/plots.py RESULTS FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def main() -> None:
    """Draw times and bytes by size."""
    results, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    growth = results["parts"].get("growth", {}).get("figures", {})
    if not growth:
        print("no plots: growth was not measured")
        return
    folder.mkdir(parents=True, exist_ok=True)
    totals = {name: curve for name, curve in growth.items() if not curve["of_one"]}
    ones = {name: curve for name, curve in growth.items() if curve["of_one"]}
    draw(folder / "growth-work.png", "Work in proportion: the time of all of it", totals, "milliseconds", "ms")
    draw(
        folder / "growth-ledger.png", "One operation, by how many bookings the ledger holds", ones, "milliseconds", "ms"
    )
    draw(folder / "growth-bytes.png", "Redis bytes", growth, "redis_bytes", "bytes")
    print(f"plots in {folder.name}/")


def draw(path: Path, title: str, curves: dict[str, Any], what: str, unit: str) -> None:
    """Draw curves on logarithmic scales: proportional growth has a slope of one, no growth is level."""
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for name, curve in curves.items():
        points = sorted((int(size), value) for size, value in curve[what].items())
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", label=f"{name} ({curve['factor']:.2f}×)")
    axes.set(title=title, xlabel="size", ylabel=unit, xscale="log", yscale="log")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize=8)
    # No date and no version in the file: the same results give the same picture.
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
