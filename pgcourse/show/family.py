"""Where the methods of continuous control come from: two families, and what each method adds to the one before."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from .style import COLOURS, PALETTE, new_figure

BOX = (2.25, 1.12)  # width, height
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
    Method("A2C, 2016", "a critic V(s):\nscore × advantage", COLOURS["a2c"]),
    Method("PPO, 2017", "many steps on one\nrollout, ratio clipped", COLOURS["ppo"]),
)
LEARNED_Q = (
    Method("DDPG, 2016", "one action per state, a = μ(s);\nascend Q(s, μ(s))", OFF_POLICY),
    Method("TD3, 2018", "two critics, the lower counts;\nactor updated less often", OFF_POLICY),
    Method("SAC, 2018", "a tanh-Gaussian again;\nentropy in the objective", OFF_POLICY),
)
LANES = (
    (
        SCORE_FUNCTION,
        "On-policy: raise log π of the actions that turned out well. Data are used for one update and thrown away.",
    ),
    (
        LEARNED_Q,
        "Off-policy: learn Q(s, a), and let its slope in a tell the actor where to go. Data stay in a replay buffer.",
    ),
)


def family_figure() -> Figure:
    """Two rows of boxes from left to right, each arrow a step in time; the lower row is what comes after this course."""
    figure, ax = new_figure(width=9.5, height=3.5)
    for (methods, sentence), top in zip(LANES, (2.75, 0.75), strict=True):
        ax.text(0, top + BOX[1] + 0.16, sentence, fontsize=10.5)
        for index, method in enumerate(methods):
            left = index * (BOX[0] + GAP)
            draw_box(ax, method, left, top)
            if index:
                arrow = {"arrowstyle": "-|>", "color": "#444444", "linewidth": 1.5}
                middle = top + BOX[1] / 2
                ax.annotate("", (left - 0.02, middle), (left - GAP + 0.02, middle), arrowprops=arrow)
    ax.set(xlim=(-0.1, 3 * BOX[0] + 2 * GAP + 0.1), ylim=(0.65, 4.25))
    ax.axis("off")
    return figure


def draw_box(ax: Axes, method: Method, left: float, bottom: float) -> None:
    """A rounded box with the method's name above what it adds."""
    box = FancyBboxPatch(
        (left, bottom), *BOX, boxstyle="round,pad=0,rounding_size=0.12", facecolor=method.colour + "22",
        edgecolor=method.colour, linewidth=1.8,
    )  # fmt: skip
    ax.add_patch(box)
    middle = left + BOX[0] / 2
    ax.text(middle, bottom + BOX[1] - 0.12, method.name, ha="center", va="top", weight="bold")
    ax.text(middle, bottom + 0.12, method.adds, ha="center", va="bottom", fontsize=9.5, linespacing=1.25)
