"""How the methods of continuous control descend from each other, and what they need on one task."""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import FuncFormatter

from ...study.claims import load_claims
from ..page.style import COLOURS, LINE_STYLES, PALETTE, new_figure
from .curves import claimed_band

METHOD_BOX = (2.25, 1.12)  # width, height
GAP = 0.75
OFF_POLICY = PALETTE[3]


@dataclass(frozen=True)
class Method:
    """A box: the method's name and year, and what is new in it."""

    name: str
    adds: str
    colour: str


SCORE_FUNCTION = (
    Method("REINFORCE, 1992", "score × return", COLOURS["reinforce"]),
    Method("A3C and A2C, 2016", "a critic V(s):\nscore × advantage", COLOURS["a2c"]),
    Method("PPO, 2017", "many steps on one\nrollout, ratio clipped", COLOURS["ppo"]),
)
LEARNED_Q = (
    Method("DDPG, 2016", "one action per state, a = μ(s);\nascend Q(s, μ(s))", OFF_POLICY),
    Method("TD3, 2018", "two critics, the lower counts;\nactor updated less often", OFF_POLICY),
    Method("SAC, 2018", "a tanh-Gaussian again;\nentropy in the objective", OFF_POLICY),
)
LANES = {
    "On-policy: raise log π of the actions that turned out well. Data are used for one update and thrown away.":
        SCORE_FUNCTION,
    "Off-policy: learn Q(s, a), and let its slope in a tell the actor where to go. Data stay in a replay buffer.":
        LEARNED_Q,
}  # fmt: skip

# Curve of claims/off_policy.json -> label, colour, line style.
MEASURED = {
    "sac": ("SAC", OFF_POLICY, "-"),
    "td3": ("TD3", "pg:orange", "-."),
    "ddpg": ("DDPG", "pg:sky", ":"),
    "ppo": ("ppo.PENDULUM", COLOURS["ppo"], "-"),
    "sb3_ppo": ("Stable-Baselines3's PPO", COLOURS["ppo"], "--"),
}


def family_figure() -> Figure:
    """Two rows of boxes from left to right, each arrow a step in time; the lower row is what comes after this course."""
    figure, ax = new_figure(width=9.5, height=3.5)
    for (sentence, methods), top in zip(LANES.items(), (2.75, 0.75), strict=True):
        ax.text(0, top + METHOD_BOX[1] + 0.16, sentence, fontsize=10.5)
        for index, method in enumerate(methods):
            left = index * (METHOD_BOX[0] + GAP)
            draw_box(ax, method, left, top)
            if index:
                arrow = {"arrowstyle": "-|>", "color": "#444444", "linewidth": 1.5}
                middle = top + METHOD_BOX[1] / 2
                ax.annotate("", (left - 0.02, middle), (left - GAP + 0.02, middle), arrowprops=arrow)
    ax.set(xlim=(-0.1, 3 * METHOD_BOX[0] + 2 * GAP + 0.1), ylim=(0.65, 4.25))
    ax.axis("off")
    return figure


def steps_and_seconds_figure(threshold: float = -200) -> Figure:
    """Held-out return on Pendulum of on-policy and off-policy methods: by environment steps, and by seconds of training."""
    curves = load_claims("off_policy")["curves"]
    figure, axes = new_figure(columns=2, width=9.5, height=3.9, sharey=True)
    for ax, suffix, unit in zip(axes, ("", "/seconds"), ("environment steps", "seconds of training"), strict=True):
        for name, (label, colour, style) in MEASURED.items():
            claimed_band(ax, curves[name + suffix], label=label, colour=colour, style=style)
        ax.axhline(threshold, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"], label="solved")
        ax.set(xscale="log", xlabel=f"{unit}, logarithmic")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes[0].set_ylabel("held-out return")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
    return figure


def draw_box(ax: Axes, method: Method, left: float, bottom: float) -> None:
    """A rounded box with the method's name above what it adds."""
    colour = method.colour
    _rounded(ax, left, bottom, METHOD_BOX, corner=0.12, facecolor=colour + "22", edgecolor=colour, linewidth=1.8)
    middle = left + METHOD_BOX[0] / 2
    ax.text(middle, bottom + METHOD_BOX[1] - 0.12, method.name, ha="center", va="top", weight="bold")
    ax.text(middle, bottom + 0.12, method.adds, ha="center", va="bottom", fontsize=9.5, linespacing=1.25)


def _rounded(
    ax: Axes, left: float, bottom: float, size: tuple[float, float], *, corner: float = 0.1, **look: Any
) -> None:
    style = f"round,pad=0,rounding_size={corner}"
    ax.add_patch(FancyBboxPatch((left, bottom), *size, boxstyle=style, **look))
