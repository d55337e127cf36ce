"""Figures of a training run and of what it leaves behind."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cyclegan_lib.plots import style

BLACK, PURPLE = style.OTHER_COLOURS[:2]


def training_curves(
    history: Sequence[dict[str, float]], names: tuple[str, str], best_epoch: int | None = None
) -> Figure:
    """Held-out distance and losses over epochs; the chosen one, `best_epoch`, is marked.

    `history` holds each epoch's `epoch` and the figures that training logs; `names` are the devices A and B.
    """
    a, b = names
    panels = {
        "distance to held-out recordings (chooses)": {
            "val_distance_AB": (f"{a} → {b}", style.COLOUR_TRANSLATED, "-"),
            "val_distance_BA": (f"{b} → {a}", style.COLOUR_TRANSLATED, "--"),
            "val_distance": ("mean", BLACK, "-."),
        },
        "cycle-consistency loss (lowest for a map that does nothing)": {
            "val_cycle_A": (f"{a}, held out", style.COLOUR_A, style.LINES[0]),
            "val_cycle_B": (f"{b}, held out", style.COLOUR_B, style.LINES[1]),
            "train_cycle": ("training", BLACK, "-."),
        },
        "other training losses": {
            "train_adversarial": ("generators, adversarial", BLACK, "-"),
            "train_identity": ("generators, identity", PURPLE, "--"),
            "train_discriminator": ("discriminators", BLACK, "-."),
        },
    }
    figure, axes = style.new_figure(9, 6, 3, sharex=True)
    for axis, (what, curves) in zip(axes, panels.items(), strict=True):
        for key, (label, colour, line) in curves.items():
            points = [(h["epoch"], h[key]) for h in history if key in h]
            if points:
                axis.plot(*zip(*points, strict=True), line, color=colour, label=label, linewidth=1.4)
        if best_epoch is not None:
            axis.axvline(best_epoch, color=BLACK, linestyle=":", linewidth=1)
        axis.set_ylim(bottom=0)
        style.title(axis, what)
        style.legend(axis, loc="center left", bbox_to_anchor=(1.0, 0.5))
    chosen = [h["val_distance"] for h in history if h["epoch"] == best_epoch and "val_distance" in h]
    if chosen:
        axes[0].plot(best_epoch, chosen[0], "o", color=BLACK, label=f"chosen: epoch {best_epoch}")
        style.legend(axes[0], loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    return figure


def file_sizes(sizes: dict[str, float]) -> Figure:
    """Files as bars with their sizes; {file: size in MB}. The first is the checkpoint that holds them all."""
    figure, (axis,) = style.new_figure(9, 0.7 + 0.32 * len(sizes), 1)
    colours = [style.COLOUR_OTHER if i == 0 else style.COLOUR_TRANSLATED for i in range(len(sizes))]
    # as long as its label says: a checkpoint names its folder, and so differs by some bytes from run to run
    lengths = [round(size, 2) for size in sizes.values()]
    bars = axis.barh(list(sizes), lengths, color=colours)
    axis.bar_label(bars, [f"{size:.2f}" for size in lengths], padding=3, fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("size (MB)")
    return figure
