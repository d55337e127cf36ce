"""How things show themselves: in a notebook their facts and a small picture, in a terminal their facts."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape

import numpy as np

WIDTH, HEIGHT = 240, 60  # of the picture, px
COLOURS = ("#0072B2", "#D55E00")  # told apart by colour-blind readers


class Shown(ABC):
    """Shows itself by what `glance` returns instead of by a dump of its arrays."""

    @abstractmethod
    def glance(self) -> tuple[str, Mapping[str, object], list[np.ndarray]]:
        """A title, facts by their names, and curves of finite numbers, (n,) each, on one scale."""

    def __repr__(self) -> str:
        title, facts, _ = self.glance()
        return f"{title}: " + "; ".join(f"{name} {value}" for name, value in facts.items())

    def _repr_html_(self) -> str:
        title, facts, curves = self.glance()
        rows = "".join(f"<tr><th>{escape(n)}</th><td>{escape(str(v))}</td></tr>" for n, v in facts.items())
        return f"<b>{escape(title)}</b><table>{rows}</table>{_picture(curves)}"


class Text(str):
    """Text of several lines that a notebook shows as it is."""

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self)}</pre>"


def _picture(curves: list[np.ndarray]) -> str:
    if not curves:
        return ""
    low, high = min(map(np.min, curves)), max(map(np.max, curves))
    lines = ""
    for curve, colour in zip(curves, COLOURS, strict=False):
        x = np.linspace(0, WIDTH, len(curve))
        y = HEIGHT - HEIGHT * (curve - low) / max(high - low, 1e-12)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines += f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img">{lines}</svg> {low:.3g} to {high:.3g}'
