"""Which family of methods for which task, and how the methods of continuous control descend from each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ...errors import InvalidInput
from ..live.sliders import Choice, explore
from ..page.style import COLOURS, PALETTE, new_figure

YES, NO = True, False
LAST = "Policy gradients:\nPPO first"
BOX = (3.5, 0.72)  # width, height
ROW, ADVICE_AT = 1.02, 5.0
METHOD_BOX = (2.25, 1.12)  # width, height
GAP = 0.75
OFF_POLICY = PALETTE[3]


@dataclass(frozen=True)
class Step:
    """A question, and what to use where the answer is `leaves`; else the next question comes."""

    question: str
    leaves: bool
    advice: str


@dataclass(frozen=True)
class Case:
    """A task: the answers to the questions as far as they are asked, and a sentence of why."""

    answers: tuple[bool, ...]
    because: str


STEPS = (
    Step("Does an action change\nwhat comes next?", NO, "Supervised learning\nor a bandit"),
    Step("Do you have a model that you can\nplan with fast enough?", YES, "Plan: search, or\ncontrol by a model"),
    Step(
        "Does the reward turn up when\nyou act at random for a while?",
        NO,
        "First: demonstrations, a curriculum,\nshaping, or exploration bonuses",
    ),
    Step("Are steps cheap: a simulator,\nmillions an hour?", NO, "Off-policy: SAC, TD3; DQN\nfor discrete actions"),
    Step(
        "Few parameters, and many\noptima far from each other?",
        YES,
        "Random restarts, evolution\nstrategies, Bayesian search",
    ),
)
CASES: Mapping[str, Case] = {
    "robot arm, in a fast simulator": Case(
        (YES, NO, YES, YES, NO),
        "Torques are continuous and steps cost little: PPO's ground. Vary the simulator, so that the arm survives reality.",
    ),
    "robot arm, the real one": Case(
        (YES, NO, YES, NO),
        "A thousand episodes are days of wear. Keep every step in a buffer and learn from it many times.",
    ),
    "video game from pixels": Case(
        (YES, NO, YES, YES, NO),
        "Emulators run fast and in parallel. PPO works; where you may only have few frames, value methods with a replay buffer.",
    ),
    "limited data, a fixed log": Case(
        (YES, NO, YES, NO),
        "On-policy means new data for every update, and there are none. Look at offline RL; begin by imitating the log.",
    ),
    "sparse reward, never seen": Case(
        (YES, NO, NO),
        "Where all returns are equal the expected gradient is 0. An entropy bonus does not mend that; first find successes.",
    ),
    "a model at hand: chess, a known crane": Case(
        (YES, YES),
        "Searching or solving the model beats learning its consequences by trial. Learned policies may then speed up the search.",
    ),
    "many optima: design of an antenna": Case(
        (YES, NO, YES, YES, YES),
        "A gradient climbs the hill that it starts on. With twenty parameters, restarts and populations look at many hills.",
    ),
    "which advertisement to show": Case(
        (NO,),
        "The next visitor does not depend on what you showed the last one: a contextual bandit, no credit to assign over time.",
    ),
}


def path_of(case: Case) -> tuple[int, str]:
    """Number of questions asked, and the advice at the end. Raises: InvalidInput for answers that do not fit."""
    for number, (step, answer) in enumerate(zip(STEPS, case.answers, strict=False), start=1):
        if answer == step.leaves:
            if number != len(case.answers):
                raise InvalidInput(f"{case.answers} goes on after it has left at question {number}; cut it there")
            return number, step.advice
    if len(case.answers) != len(STEPS):
        raise InvalidInput(f"{case.answers} stops before its end; answer {len(STEPS)} questions")
    return len(STEPS), LAST


def guide_figure(case: str) -> Figure:
    """All questions from top to bottom, advice on the right; the way of a case of CASES in colour."""
    if case not in CASES:
        raise InvalidInput(f"no case {case!r}; use one of {', '.join(CASES)}")
    asked, advice = path_of(CASES[case])
    figure, ax = new_figure(width=9.0, height=6.4)
    for row, step in enumerate(STEPS):
        bottom = -row * ROW
        used, leaving = row < asked, row + 1 == asked and advice == step.advice
        _box(ax, 0, bottom, step.question, on=used)
        _box(ax, ADVICE_AT, bottom, step.advice, on=leaving, advice=True)
        out, on = ("yes", "no") if step.leaves else ("no", "yes")
        middle = bottom + BOX[1] / 2
        _arrow(ax, (BOX[0], middle), (ADVICE_AT, middle), out, on=leaving)
        _arrow(ax, (BOX[0] / 2, bottom), (BOX[0] / 2, bottom - ROW + BOX[1]), on, on=used and not leaving)
    _box(ax, 0, -len(STEPS) * ROW, LAST, on=advice == LAST, advice=True)
    words = CASES[case].because.split(". ", 1)
    ax.text(BOX[0] + 0.25, -len(STEPS) * ROW + BOX[1] / 2, ".\n".join(words), va="center", fontsize=9.5, wrap=True)
    ax.set(xlim=(-0.1, ADVICE_AT + BOX[0] + 0.1), ylim=(-len(STEPS) * ROW - 0.15, BOX[1] + 0.1))
    ax.set_title(case, loc="left")
    ax.axis("off")
    return figure


def explore_guide() -> None:
    """The guide with a menu of cases."""
    explore(
        guide_figure,
        alt="Five questions from top to bottom, each with an exit to the right that names a family of methods; who takes no exit "
        "arrives at policy gradients. The way of the chosen case is coloured.",
        caption="Choose a case, guess where it leaves, then look. The order of the questions is the point: cheap ways out first.",
        case=Choice(list(CASES), next(iter(CASES)), label="case"),
    )


def _box(ax: Axes, left: float, bottom: float, text: str, *, on: bool, advice: bool = False) -> None:
    colour = (PALETTE[1] if advice else PALETTE[0]) if on else "pg:grey"
    _rounded(
        ax,
        left,
        bottom,
        BOX,
        edgecolor=colour,
        facecolor=to_rgba(colour, 0.13 if on else 0.03),
        linewidth=2.2 if on else 1,
    )
    look: dict[str, Any] = {"weight": "bold" if on and advice else "normal", "color": "#000000" if on else "#666666"}
    ax.text(left + BOX[0] / 2, bottom + BOX[1] / 2, text, ha="center", va="center", fontsize=10, **look)


def _rounded(
    ax: Axes, left: float, bottom: float, size: tuple[float, float], *, corner: float = 0.1, **look: Any
) -> None:
    style = f"round,pad=0,rounding_size={corner}"
    ax.add_patch(FancyBboxPatch((left, bottom), *size, boxstyle=style, **look))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], text: str, *, on: bool) -> None:
    colour = PALETTE[0] if on else "pg:grey"
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.2 if on else 1.0})
    across = start[1] == end[1]
    place = ((start[0] + end[0]) / 2, start[1] + 0.06) if across else (start[0] + 0.1, (start[1] + end[1]) / 2)
    align: dict[str, Any] = {"ha": "center", "va": "bottom"} if across else {"ha": "left", "va": "center"}
    ax.text(*place, text, fontsize=9.5, color="#000000" if on else "#666666", **align)


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


def draw_box(ax: Axes, method: Method, left: float, bottom: float) -> None:
    """A rounded box with the method's name above what it adds."""
    colour = method.colour
    _rounded(ax, left, bottom, METHOD_BOX, corner=0.12, facecolor=colour + "22", edgecolor=colour, linewidth=1.8)
    middle = left + METHOD_BOX[0] / 2
    ax.text(middle, bottom + METHOD_BOX[1] - 0.12, method.name, ha="center", va="top", weight="bold")
    ax.text(middle, bottom + 0.12, method.adds, ha="center", va="bottom", fontsize=9.5, linespacing=1.25)
