"""What students write in their own words: one experiment a unit, a variation of the lesson's, with its rubric.

The cell in which they run it does nothing until the seeds are filled in.

The lessons hold model answers, so the marks are for what is the student's own: a prediction made beforehand, numbers
from own seeds, the mechanism, and what so few seeds cannot show. `expected` is for the teacher's key alone.
"""

from dataclasses import dataclass

from pgcourse.grading.release.manifest import ManualCell, RubricItem

SEEDS = (
    "Use three seeds of your own: the last three digits of your student number, and the two numbers after it. "
    "With 417 these are `seeds=(417, 418, 419)`."
)
PREDICTION = RubricItem(1, "A prediction for each setting, with a reason, written before the run.")
NUMBERS = RubricItem(1, "Your own numbers: every setting, every seed, the seeds named.")
TEMPLATE = """\
# Fill in your seeds and your own setting, then run.
from dataclasses import replace

from pgcourse import {module}
from pgcourse.show import page
from pgcourse.show.figures import curves
from pgcourse.study.seeds import run_seeds

seeds = ()  # yours, such as (417, 418, 419)
settings = {{
{settings}
}}
if seeds:
    runs = run_seeds(settings, seeds=seeds, progress=False)
    figure = curves.learning_curves(runs, x="{x}", window=20)
    page.figure(figure, alt="Learning curves of each setting.", caption="My experiment.")
    for name, group in runs.items():
        print(name)
        for run in group:
            late = run.episodes["episodic_return"][-50:].mean()
{numbers}"""
ELSEWHERE = "# Work in a copy of the lesson, and bring your numbers here: a table, or the lists that you print."


@dataclass(frozen=True)
class Starter:
    """What the cell of one unit runs. Fields: settings: name -> its changes of the preset. all: changes of every setting."""

    preset: str
    settings: dict[str, str]
    all: str
    metrics: tuple[str, ...] = ()
    x: str = "episode"

    def code(self) -> str:
        """The cell."""
        changed = [
            f'    "{name}": replace({self.preset}, {change}, {self.all}),' for name, change in self.settings.items()
        ]
        lines = ['            print(f"  seed {run.seed}: last 50 episodes {late:.0f}", end="")']
        for metric in self.metrics:
            short = metric.partition("/")[2]
            numbers = "first 10 {values[:10].mean():.3g}, last 10 {values[-10:].mean():.3g}"
            lines.append(f'            values = run.metrics["{metric}"]')
            lines.append(f'            print(f"; {short}: {numbers}", end="")')
        lines.append("            print()")
        module = self.preset.partition(".")[0]
        return TEMPLATE.format(module=module, settings="\n".join(changed), x=self.x, numbers="\n".join(lines))


@dataclass(frozen=True)
class Experiment:
    """One manually graded task.

    Fields: unit: its number. task: what to do, markdown. mechanism, limits: the rubric's other two lines.
    expected: what a full answer says, for the key. starter: of the cell in which it runs; None: in a copy of the lesson.
    """

    unit: int
    title: str
    task: str
    mechanism: str
    limits: str
    expected: str
    starter: Starter | None = None
    seeds: str = SEEDS

    def code(self) -> str:
        """The cell in which a student runs it."""
        return self.starter.code() if self.starter else ELSEWHERE

    def cell(self) -> ManualCell:
        """The experiment as a manual cell of a release: four points."""
        rubric = (PREDICTION, NUMBERS, RubricItem(1, self.mechanism), RubricItem(1, self.limits))
        points = sum(item.points for item in rubric)
        return ManualCell(f"experiment-{self.unit:02}", points, self.title, rubric)


EXPERIMENTS = {
    each.unit: each
    for each in (
        Experiment(
            0,
            "A shift of every reward",
            "Repeat the lesson's experiment (section *Your experiment*) with `shifts = [0.0, -1.5, 10.0]` and two "
            "learning rates: 0.05 and 0.5. The cell needs the lesson's definitions: work in a copy of the lesson.",
            "Why the shift leaves the expected push as it is, and what it changes instead.",
            "What your runs cannot decide, and what you would run to decide it.",
            "The score's mean is zero, so a constant times it adds nothing on average. The size of a single push "
            "grows with the size of the rewards; a lucky arm is then pulled until nothing else is tried. A shift of "
            "-1.5 centres the rewards for the undecided agent, so its pushes are smaller.",
            seeds="Call `run_bandit` with your own seed, the last three digits of your student number: `seed=417`.",
        ),
        Experiment(
            1,
            "How far the agent looks ahead",
            "Run `reinforce.CARTPOLE_NO_BASELINE` for 150 episodes with three discounts: 0.5, 0.99 and one of your "
            "choice between them.",
            "Which weights the steps of one episode get with each discount, after standardising, and what this "
            "tells the agent.",
            "Between which of your settings three seeds can tell a difference, and between which not.",
            "With 0.5 nearly all steps carry the same weight, and only the last few before the fall another: the "
            "push that caused the fall came earlier. With 0.99 the whole fall is in view. Where the seeds of two "
            "settings overlap, no winner may be named.",
            Starter(
                "reinforce.CARTPOLE_NO_BASELINE", {"γ = 0.5": "gamma=0.5", "γ = 0.99": "gamma=0.99"}, "num_episodes=150"
            ),
        ),
        Experiment(
            2,
            "How fast a critic should learn",
            "Run `reinforce.CARTPOLE` for 120 episodes with `critic_lr` of 3e-4, 5e-3 and one value of your choice. "
            "Show the gap between the mean of V and the mean of G, the explained variance, and the return.",
            "What each of the three panels says about a critic that is too slow, and one that is too fast.",
            "Why the return need not rank the critics, and what three seeds say about it.",
            "A slow critic stays behind the returns and explains nothing; a fast one meets them and is restless. "
            "Standardising subtracts the gap, so the return hardly cares; the seeds overlap.",
            Starter(
                "reinforce.CARTPOLE", {"critic 3e-4": "critic_lr=3e-4", "critic 5e-3": "critic_lr=5e-3"}, "num_episodes=120",
                metrics=("charts/value_mean", "charts/return_mean", "losses/explained_variance"),
            ),
        ),
        Experiment(
            3,
            "The entropy bonus",
            "Run `a2c.CARTPOLE` for 250 episodes with `anneal_lr=False` and `ent_coef` of 0, 0.01 and one value of "
            "your choice of at least 0.1. Show the return and the entropy.",
            "How the bonus acts on the gradient, and why a large one shows in the entropy and a small one does not.",
            "For which pair of settings your seeds show a difference, and for which they show none.",
            "0 and 0.01 cannot be told apart with three seeds (nor with ten). With a large coefficient the entropy "
            "stays near log 2 and the return climbs more slowly.",
            Starter(
                "a2c.CARTPOLE", {"β = 0": "ent_coef=0", "β = 0.01": "ent_coef=0.01"}, "num_episodes=250, anneal_lr=False",
                metrics=("losses/entropy",),
            ),
        ),
        Experiment(
            4,
            "Without the clip",
            "Run `ppo.CARTPOLE` with `clip_coef=None` for 50 x 1024 steps, with `update_epochs` of 20 and one smaller "
            "number of your choice. Show the return and the approximate KL (logarithmic axis).",
            "Why the KL shows the trouble before the return does, and what the number of epochs has to do with it.",
            "What your seeds show, and what the lesson's ten seeds add to it.",
            "Without the clip an update goes further, the more so the more often the batch is used. While the "
            "policy is poor that costs little; later an update that overshoots throws the policy back, and the next "
            "batch comes from there. With few epochs there is less to clip.",
            Starter(
                "ppo.CARTPOLE", {"20 epochs": "clip_coef=None, update_epochs=20"}, "total_timesteps=50 * 1024",
                metrics=("losses/approx_kl",), x="env_step",
            ),
        ),
        Experiment(
            5,
            "The width of the first guess",
            "Run `ppo.PENDULUM` for 40,000 steps with `initial_std` of 2.0, 0.1 and one value of your choice. Show the "
            "return, and the entropy or the standard deviation.",
            "Why a narrow start fails although its gradients are large, and which number tells it early.",
            "For which of your settings three seeds are enough, and why.",
            "A policy that hardly moves the rod sees only a hanging rod; no advantage can praise what was never "
            "tried. It lacks experience, not signal. The entropy says so from the first update.",
            Starter(
                "ppo.PENDULUM", {"σ = 2": "initial_std=2.0", "σ = 0.1": "initial_std=0.1"}, "total_timesteps=40_000",
                metrics=("losses/entropy",), x="env_step",
            ),
        ),
        Experiment(
            6,
            "The file of one patient",
            "Choose one patient of the clinic and write its file: what you saw in the panels, which three bugs could "
            "look like this, the one run or value that told them apart, and the patch. Show the panels of your own run "
            "before and after the patch.",
            "Why this bug gives these panels: from the changed line to the number on the axis.",
            "What you would see if your diagnosis were wrong, and which other bug your evidence does not exclude.",
            "The file names the bug, the line, and an observation that the two rivals do not give. The prediction is "
            "the diagnosis made from the panels before the code was opened.",
        ),
        Experiment(
            7,
            "A claim put to the test",
            "Take one sentence about policy gradients from a book, a blog or a paper, name its source, and test it on "
            "CartPole or Pendulum: two settings, interquartile mean and a 95 % interval.",
            "What would have to be true for the claim to hold here, and whether your figures say so.",
            "Your verdict (holds, fails, depends), how far it reaches, and what would change it.",
            "A verdict that follows from the intervals, not from the means. One thing is changed. Held-out start "
            "states, or a word on why the training return will do.",
            seeds="Use ten seeds of your own: they start at the last three digits of your student number.",
        ),
        Experiment(
            8,
            "A wider region",
            "Run `trpo.CARTPOLE` for 60 x 1024 steps with `max_kl` of 0.01, 0.1 and one value of your choice, or 0.1 "
            "with `num_steps=256`. Show the return and the KL of the updates.",
            "Whether the updates use the room, and why more room does not make the step better.",
            "What your seeds show, and what the lesson's ten seeds add to it.",
            "The updates do use it. Line search and gradient see the same batch, so a longer step fits more of that "
            "batch's noise, and the next batch's states differ more from those for which the surrogate was right.",
            Starter(
                "trpo.CARTPOLE", {"limit 0.01": "max_kl=0.01", "limit 0.1": "max_kl=0.1"}, "total_timesteps=60 * 1024",
                metrics=("losses/approx_kl",), x="env_step",
            ),
        ),
        Experiment(
            9,
            "Where the zero lies",
            'Train the lesson\'s `imitated("dial")` for 50 updates with `advantage` of "none" and "leave_one_out", once with '
            "marks of 0 and 1 and once with a number of your choice added to both: `reward_fn=lambda prompts, answers: "
            "verifier(DIAL)(prompts, answers) + shift`. Show the share of right answers (`charts/success`). Work in a copy of "
            "the lesson.",
            "Which answers are pushed with each shift, in which direction, and what the group subtracts.",
            "What seeds that all begin with one imitated model cannot show, and what you would run to show it.",
            "With marks of 0 and 1 and no baseline, wrong answers get no push. A positive shift pushes up whatever was said, "
            "right or wrong, and the scatter grows with the shift; a negative one pushes it down, and probability flows to "
            "what was not said. With leave-one-out the shift cancels: the curves are the same up to rounding. One model is one "
            "imitation; in the lesson two of ten learnt little with any advantage.",
        ),
    )
}  # fmt: skip
