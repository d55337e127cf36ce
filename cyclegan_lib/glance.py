"""How things show themselves: in a notebook their facts and a small picture, in a terminal their facts."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape

import numpy as np

WIDTH, HEIGHT = 240, 60  # of the picture, px
# told apart by colour-blind readers, and in grey by their dashes; seen on white and on black
LINES = {"solid": ("#0072B2", "none"), "dashed": ("#D55E00", "6 4")}
LEFT = "text-align:left"  # notebooks would have it right


class Shown(ABC):
    """Shows itself by what `glance` returns instead of by a dump of its arrays."""

    @abstractmethod
    def glance(self) -> tuple[str, Mapping[str, object], Mapping[str, np.ndarray]]:
        """A title, facts by their names, up to two curves by theirs, (n,) each, finite, on one scale."""

    def __repr__(self) -> str:
        title, facts, _ = self.glance()
        return f"{title}: " + "; ".join(f"{name} {value}" for name, value in facts.items())

    def _repr_html_(self) -> str:
        title, facts, curves = self.glance()
        rows = "".join(
            f'<tr><th style="{LEFT}">{escape(name)}</th><td style="{LEFT}">{escape(str(fact))}</td></tr>'
            for name, fact in facts.items()
        )
        return f"<b>{escape(title)}</b><table>{rows}</table>{_picture(curves)}"


class Text(str):
    """Text of several lines that a notebook shows as it is."""

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self)}</pre>"


def _picture(curves: Mapping[str, np.ndarray]) -> str:
    if not curves:
        return ""
    low, high = min(map(np.min, curves.values())), max(map(np.max, curves.values()))
    lines, said = "", []
    for (name, curve), (line, (colour, dashes)) in zip(curves.items(), LINES.items(), strict=False):
        x = np.linspace(0, WIDTH, len(curve))
        y = HEIGHT - HEIGHT * (curve - low) / max(high - low, 1e-12)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        look = f'fill="none" stroke="{colour}" stroke-dasharray="{dashes}" stroke-width="1.5"'
        lines += f'<polyline points="{points}" {look}/>'
        said.append(f"{line}: {name}" if len(curves) > 1 else name)
    picture = f'<svg width="{WIDTH}" height="{HEIGHT}" role="img">{lines}</svg>'
    return f"{picture} {escape(', '.join(said))}, {low:.3g} to {high:.3g}"
