"""ppo_clip_loss(log_prob, old_log_prob, advantages, *, clip_coef): the clipped surrogate, as a loss."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.checks.unit_04.ratios import call_with_ratios, mistakes_in_the_ratio
from pgcourse.losses import ppo_clip_loss
from pgcourse.returns import normalize


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. No ratio lies on the edge of the interval, where two gradients would both be right."""
    yield _from_ratios([1.1], [2.0], clip_coef=0.2)
    yield _from_ratios([1.5, 1.5], [2.0, -2.0], clip_coef=0.2)
    yield _from_ratios([0.5, 0.5, 1.5, 1.5], [1.0, -2.0, 4.0, -3.0], clip_coef=0.2)
    yield _from_ratios([1.1, 0.1], [50.0, -6.0], clip_coef=0.2)
    # Here the unclipped mean is the smaller one, and means taken first differ from the clipped ratio alone.
    yield _from_ratios([1.5, 0.5], [-3.0, 1.0], clip_coef=0.2)
    # The first minibatch of an update: the policy is still the old one, and one advantage is 0.
    yield _from_ratios([1.0, 1.0, 1.0, 1.0], [3.0, 0.0, -1.0, 4.0], clip_coef=0.2)
    yield {
        "log_prob": torch.tensor([-200.0, -200.0, -199.0, -198.0, -200.0]),
        "old_log_prob": torch.tensor([-200.0, -200.0, -200.0, -200.0, -1.0]),
        "advantages": torch.tensor([1.0, -2.0, 3.0, -2.0, -1.0]),
        "clip_coef": 0.3,
    }
    # Nothing bounds what a bad action costs that became likelier by far.
    yield {
        "log_prob": torch.tensor([-1.0, -2.0]),
        "old_log_prob": torch.tensor([-26.0, -14.0]),
        "advantages": torch.tensor([-1.0, -1.0]),
        "clip_coef": 0.2,
    }
    source = generator(seed)
    yield _random(source, 16, clip_coef=0.7)
    yield _random(source, 12, clip_coef=0.05, dtype=torch.float64)
    further = generator(seed + 1000)
    new = -torch.rand(2, generator=further)
    yield {
        "log_prob": new,
        "old_log_prob": new - 25 - torch.rand(2, generator=further),
        "advantages": torch.tensor([-1.0, -2.0]),
        "clip_coef": 0.2,
    }
    # Probabilities that are 0 in float32, and ratios that are not.
    old = -200 + normal(source, 5)
    yield {
        "log_prob": old + torch.tensor([0.0, 0.1, 1.0, 5.0, -150.0]) + 0.1 * torch.rand(5, generator=source),
        "old_log_prob": old,
        "advantages": torch.tensor([1.0, -2.0, 3.0, -2.0, -1.0]),
        "clip_coef": 0.3,
    }


def _from_ratios(ratios: list[float], advantages: list[float], *, clip_coef: float) -> Case:
    old = torch.linspace(0.2, 0.5, len(ratios), dtype=torch.float64)
    return {
        "log_prob": (old * torch.tensor(ratios, dtype=torch.float64)).log().float(),
        "old_log_prob": old.log().float(),
        "advantages": torch.tensor(advantages),
        "clip_coef": clip_coef,
    }


def _random(source: torch.Generator, batch: int, *, clip_coef: float, dtype: torch.dtype = torch.float32) -> Case:
    old = -normal(source, batch, dtype=torch.float64).abs() - 0.3
    # Ratios below, inside and above the interval in turn, away from its edges; each side meets both signs of A.
    side = torch.arange(batch) % 3 - 1.0
    distance = 0.2 + 0.6 * torch.rand(batch, generator=source, dtype=torch.float64)
    ratio = 1 + side * (clip_coef + distance * (1 - clip_coef)) + (side == 0) * clip_coef * (distance - 0.4)
    advantages = normal(source, batch, dtype=torch.float64).abs() * (1 - 2 * (torch.arange(batch) // 3 % 2)) * 2
    return {
        "log_prob": (old + ratio.log()).to(dtype),
        "old_log_prob": old.to(dtype),
        "advantages": advantages.to(dtype),
        "clip_coef": clip_coef,
    }


def written_out(log_prob, old_log_prob, advantages, *, clip_coef):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    old_log_prob, advantages = old_log_prob.detach(), advantages.detach()
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    plain, cut = ratio * advantages, clipped * advantages
    return -torch.minimum(plain, cut).mean()


mistake = edits_of(written_out, normalize=normalize)

EXERCISE = Exercise.listed(
    "ppo_clip_loss",
    cases=cases,
    observe=Call(
        "log_prob, old_log_prob, advantages, *, clip_coef",
        differentiable=("log_prob",),
        constant=("old_log_prob", "advantages"),
    ),
    reference=ppo_clip_loss,
    show_case=call_with_ratios("ppo_clip_loss", "log_prob, old_log_prob, advantages, *, clip_coef"),
    hints=(
        "Take a ratio of 1.5, a clip of 0.2 and work two actions by hand, a good one with A = 2 and a bad one with "
        "A = -2. Which of rho * A and clip(rho) * A is the smaller, and for which of the two does a gradient remain?",
        "Three steps: the ratio [B]; two objectives [B], one with the ratio as it is and one with the ratio clamped to "
        "1 - clip_coef ... 1 + clip_coef, each times the advantage; the smaller of the two element by element. Then the "
        "mean over the batch, and a minus. Detach advantages and old log-probabilities.",
        "ratio = (log_prob - old_log_prob.detach()).exp(); advantages = advantages.detach(); return "
        "-torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()",
    ),
    misconceptions=(
        mistake(
            "minus-sign-missing",
            "The minus is missing: an optimizer minimises, so good actions become rarer, and the clip guards the wrong side.",
            {"-torch": "torch"},
        ),
        mistake(
            "larger-of-the-two",
            "You took the larger of the two objectives, which keeps pushing where the policy has moved too far. Take the "
            "smaller one: going beyond the interval never pays, a way back always does. (With losses, it is the larger.)",
            {"minimum": "maximum"},
        ),
        mistake(
            "clipped-ratio-alone",
            "You used the clipped ratio alone. Look at ratio 1.5 with a negative advantage: a bad action has become more "
            "likely, and your gradient is 0, so nothing brings it back. The minimum with the unclipped objective does.",
            {"torch.minimum(plain, cut)": "cut"},
        ),
        mistake(
            "not-clipped",
            "Your loss is not clipped anywhere. Its first step is right, but after several epochs on the same data the "
            "ratio runs away: nothing says that the data are only about policies near the old one.",
            {"torch.minimum(plain, cut)": "plain"},
        ),
        mistake(
            "rows-outside-left-out",
            "You left out the rows whose ratio is outside of the interval. Some of them have moved against their advantage, and "
            "these need their gradient to come back; the others count with the clipped ratio. The minimum decides which.",
            {"torch.minimum(plain, cut)": "(plain[ratio == clipped] if (ratio == clipped).any() else 0 * ratio)"},
            {"torch.minimum(plain, cut)": "(plain * (ratio == clipped))"},
        ),
        mistake(
            "one-sided-clip",
            "You limited the ratio on one side only. With a positive advantage it must not go above 1 + clip_coef, with a "
            "negative one not below 1 - clip_coef: the interval has two ends.",
            {"1 - clip_coef, 1": "max=1"},
            {"1 - clip_coef, 1 + clip_coef": "min=1 - clip_coef"},
        ),
        mistake(
            "interval-of-another-width",
            "Your interval has another width. clip_coef is half of it: on each side of 1 the ratio may go clip_coef far, from "
            "1 - clip_coef to 1 + clip_coef.",
            {"1 - clip_coef, 1 + clip_coef": "1 - clip_coef / 2, 1 + clip_coef / 2"},
            {"1 - clip_coef, 1 + clip_coef": "1 - 2 * clip_coef, 1 + 2 * clip_coef"},
            {"1 - clip_coef, 1 + clip_coef": "0.8, 1.2"},
        ),
        mistake(
            "product-clipped",
            "You clipped the ratio times the advantage. The interval is for the ratio alone, around 1; with an advantage "
            "of 50 no product is inside it. Clip the ratio first, then multiply by the advantage.",
            {"clipped * advantages": "(ratio * advantages).clamp(1 - clip_coef, 1 + clip_coef)"},
            {"torch.minimum(plain, cut)": "plain.clamp(1 - clip_coef, 1 + clip_coef)"},
            {"clipped * advantages": "(ratio * advantages).clamp(0.8, 1.2)"},
            {"torch.minimum(plain, cut)": "plain.clamp(0.8, 1.2)"},
        ),
        mistake(
            "logarithm-clipped",
            "You clipped the difference of the log-probabilities. An interval that is symmetric there is not symmetric around 1: "
            "exp(0.2) is 1.22 and exp(-0.2) is 0.82. Take the exponential first and clip the ratio.",
            {"ratio.clamp(1 - clip_coef, 1 + clip_coef)": "log_ratio.clamp(-clip_coef, clip_coef).exp()"},
            {"1 - clip_coef, ": "1 / (1 + clip_coef), "},
        ),
        mistake(
            "means-before-the-minimum",
            "You took the means first, so all rows decide together who is clipped. Take the minimum row by row, the mean last.",
            {"plain, cut)": "plain.mean(), cut.mean())"},
        ),
        mistake(
            "minimum-before-the-advantage",
            "You took the smaller of the two ratios and multiplied it by the advantage afterwards. A negative advantage turns "
            "smaller into larger: multiply both ratios first, then take the smaller product.",
            {"(plain, cut)": "(ratio, clipped).mul(advantages)"},
        ),
        mistake(
            "advantages-normalised-inside",
            "You normalised the advantages inside the loss. That is the update's business, minibatch by minibatch; the loss "
            "uses them as they are given, so that it can be tested and used without.",
            {"advantages.detach()": "normalize(advantages.detach())"},
            {"advantages.detach()": "advantages.detach().sub(advantages.mean()) / (advantages.std() + 1e-8)"},
        ),
        *mistakes_in_the_ratio(mistake),
    ),
)
