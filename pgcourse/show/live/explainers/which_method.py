"""Which family of methods for which task: five questions, answered one after the other for a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....errors import InvalidInput
from .. import chart
from ..explainer import Choice, Explainer, Slider

YES, NO = True, False
LAST = "Policy gradients: PPO first"
LEFT, RIGHT, HALF = (0.0, 4.7), (5.9, 10.0), 0.36


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
    Step("Does an action change what comes next?", NO, "Supervised learning or a bandit"),
    Step("Do you have a model that you can plan with fast enough?", YES, "Plan: search, or control by a model"),
    Step(
        "Does the reward turn up when you act at random for a while?",
        NO,
        "First: demonstrations, a curriculum, shaping, or exploration bonuses",
    ),
    Step("Are steps cheap: a simulator, millions an hour?", NO, "Off-policy: SAC, TD3; DQN for discrete actions"),
    Step(
        "Few parameters, and many optima far from each other?",
        YES,
        "Random restarts, evolution strategies, Bayesian search",
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
    "a language model, and a verifier": Case(
        (YES, NO, NO),
        "A fresh model is never right by chance, so it imitates first. Then policy gradients: lesson 09.",
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


def figure(case: str, answered: float, data: dict[str, Any]) -> chart.Chart:
    """All questions from top to bottom, advice on the right; the way of the case as far as it is answered in colour."""
    steps, chosen = data["steps"], data["cases"][case]
    asked, advice, count = chosen["asked"], chosen["advice"], int(answered)
    arrived = count >= asked
    marks = []
    for row, step in enumerate(steps):
        y = float(len(steps) - row)
        reached = row <= count and row < asked
        leaving = arrived and row + 1 == asked and advice == step["advice"]
        on = reached and row < count and not leaving
        out, further = ("yes", "no") if step["leaves"] else ("no", "yes")
        marks += [
            chart.box(LEFT, [y - HALF, y + HALF], step["question"], "blue" if reached else "grey", strong=reached),
            chart.box(RIGHT, [y - HALF, y + HALF], step["advice"], "vermillion" if leaving else "grey", strong=leaving),
            chart.arrow([LEFT[1], RIGHT[0]], [y, y], "vermillion" if leaving else "grey", width=3 if leaving else 1),
            chart.arrow([2, 2], [y - HALF, y - 1 + HALF], "blue" if on else "grey", width=3 if on else 1),
            chart.text(5.3, y + 0.16, out, "ink" if leaving else "grey", anchor="middle"),
            chart.text(2.2, y - 0.5, further, "ink" if on else "grey"),
        ]
    end = arrived and advice == data["last"]
    marks.append(chart.box(LEFT, [-HALF, HALF], data["last"], "vermillion" if end else "grey", strong=end))
    if arrived:
        words = f"{case}: {advice}. {chosen['because']}"
    else:
        words = f"{case}. What is your answer to question {count + 1}? {steps[count]['question']}"
    return chart.chart(
        chart.panel(chart.axis("", -0.1, 10.1), chart.axis("", -0.5, len(steps) + 0.5), *marks, bare=True, height=430),
        words=words,
    )


WHICH_METHOD = Explainer(
    "explainers/which_method",
    figure,
    {
        "case": Choice(tuple(CASES), next(iter(CASES)), "case"),
        "answered": Slider(0, len(STEPS), 0, 1, "questions answered"),
    },
    data={
        "steps": [vars(step) for step in STEPS],
        "cases": {
            name: dict(zip(("asked", "advice"), path_of(case), strict=True)) | {"because": case.because}
            for name, case in CASES.items()
        },
        "last": LAST,
    },
    alt="Five questions from top to bottom, each with an exit to the right that names a family of methods; who "
    "takes no exit arrives at policy gradients. The way of the chosen case is coloured as far as its questions "
    "are answered.",
    caption="Choose a case, guess where it leaves, then answer one question after the other. The order of the "
    "questions is the point: cheap ways out first.",
    size=(9.0, 6.0),
)
