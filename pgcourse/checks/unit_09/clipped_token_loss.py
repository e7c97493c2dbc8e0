"""clipped_token_loss(log_prob, old_log_prob, advantages, mask, *, clip_coef): the clipped loss, token by token."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.checks.observe import split_signature
from pgcourse.checks.unit_04.ratios import mistakes_in_the_ratio
from pgcourse.checks.wording import value

SIGNATURE = "log_prob, old_log_prob, advantages, mask, *, clip_coef"
MOST = 8  # ratios to show; more are no help


def clipped_token_loss(
    log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, mask: Tensor, *, clip_coef: float
) -> Tensor:
    """Minus the sum of min(rho A, clip(rho) A) over the mask's tokens, divided by B T. [B, T] and advantages [B] -> 0-d."""
    ratio = (log_prob - old_log_prob.detach()).exp()  # [B, T]
    of_answer = advantages.detach().unsqueeze(1)  # [B, 1]
    objective = torch.minimum(ratio * of_answer, ratio.clamp(1 - clip_coef, 1 + clip_coef) * of_answer)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. No ratio lies on the edge of the interval, where two gradients would both be right."""
    yield from_ratios([[1.1]], [2.0], ["1"], clip_coef=0.2)
    yield {
        "log_prob": torch.tensor([[-1.0, -0.5945], [-1.0, -1.0]]),
        "old_log_prob": -torch.ones(2, 2),
        "advantages": torch.tensor([1.0, -2.0]),
        "mask": torch.tensor([[True, True], [True, False]]),
        "clip_coef": 0.2,
    }
    yield from_ratios([[1.5, 0.5]], [-3.0], ["11"], clip_coef=0.2)
    yield from_ratios([[0.5, 1.5], [0.5, 1.5]], [4.0, -1.0], ["11", "11"], clip_coef=0.2)
    # Answers of 3 tokens and of 1; behind the second stand ratios that would count much.
    yield from_ratios([[1.1, 0.9, 1.4], [1.1, 7.0, 0.1]], [2.0, 3.0], ["111", "100"], clip_coef=0.3)
    # Single tokens leave the interval, the product over the answer does not; and the other way round.
    yield from_ratios([[2.0, 0.5, 1.0], [1.15, 1.15, 1.15]], [-6.0, 50.0], ["111", "111"], clip_coef=0.2)
    # The first minibatch of an update: the policy is still the old one, and one advantage is 0.
    yield from_ratios([[1.0] * 3] * 3, [3.0, 0.0, -1.0], ["110", "111", "100"], clip_coef=0.2)
    # The second column fills up, in every row.
    yield from_ratios([[1.5, 3.0], [0.6, 0.2], [1.1, 1.0]], [1.0, -2.0, 4.0], ["10", "10", "10"], clip_coef=0.2)
    yield {
        "log_prob": torch.tensor([[-200.0, -199.0, -198.0], [-200.0, -200.0, -1.0]]),
        "old_log_prob": torch.tensor([[-200.0, -200.0, -200.0], [-1.0, -200.0, -2.0]]),
        "advantages": torch.tensor([-2.0, 3.0]),
        "mask": torch.tensor([[True, True, True], [True, True, False]]),
        "clip_coef": 0.3,
    }
    # A token of a bad answer that has become likelier by far: nothing bounds what it costs.
    yield {
        "log_prob": torch.tensor([[-1.0, -2.0]]),
        "old_log_prob": torch.tensor([[-26.0, -14.0]]),
        "advantages": torch.tensor([-1.0]),
        "mask": torch.ones(1, 2, dtype=torch.bool),
        "clip_coef": 0.2,
    }
    source = generator(seed)
    yield random_case(source, [5, 2, 3, 1], clip_coef=0.7)
    yield random_case(source, [3, 3, 2], clip_coef=0.1)
    yield random_case(source, [4, 1, 2], clip_coef=0.05, dtype=torch.float64)
    # Probabilities that are 0 in float32, and ratios that are not. The third column fills up, in every row.
    old = -200 + normal(source, 2, 3)
    yield {
        "log_prob": old
        + torch.tensor([[0.0, 5.0, 2.0], [0.1, -150.0, 1.0]])
        + 0.1 * torch.rand(2, 3, generator=source),
        "old_log_prob": old,
        "advantages": torch.tensor([-2.0, 3.0]),
        "mask": torch.tensor([[True, True, False], [True, False, False]]),
        "clip_coef": 0.3,
    }
    new = -torch.rand(2, 2, generator=source)
    yield {
        "log_prob": new,
        "old_log_prob": new - 35 - torch.rand(2, 2, generator=source),
        "advantages": torch.tensor([-1.0, -2.0]),
        "mask": torch.tensor([[True, True], [True, False]]),
        "clip_coef": 0.2,
    }


def from_ratios(ratios: list[list[float]], advantages: list[float], answers: list[str], *, clip_coef: float) -> Case:
    """Masks written as text, 1 on the tokens of an answer."""
    wanted = torch.tensor(ratios, dtype=torch.float64)
    old = torch.linspace(0.1, 0.14, wanted.numel(), dtype=torch.float64).view(wanted.shape)
    return {
        "log_prob": (old * wanted).log().float(),
        "old_log_prob": old.log().float(),
        "advantages": torch.tensor(advantages),
        "mask": torch.tensor([[digit == "1" for digit in row] for row in answers]),
        "clip_coef": clip_coef,
    }


def random_case(
    source: torch.Generator, lengths: list[int], *, clip_coef: float, dtype: torch.dtype = torch.float32
) -> Case:
    """One answer of each length; ratios below, inside and above the interval in turn, away from its edges."""
    batch, longest = len(lengths), max(lengths)
    old = -normal(source, batch, longest, dtype=torch.float64).abs() - 1
    side = (torch.arange(longest) + torch.arange(batch)[:, None]) % 3 - 1.0
    distance = 0.2 + 0.6 * torch.rand(batch, longest, generator=source, dtype=torch.float64)
    ratio = 1 + side * (clip_coef + distance * (1 - clip_coef)) + (side == 0) * clip_coef * (distance - 0.4)
    advantages = (normal(source, batch, dtype=torch.float64).abs() + 0.5) * (1 - 2 * (torch.arange(batch) % 2))
    return {
        "log_prob": (old + ratio.log()).to(dtype),
        "old_log_prob": old.to(dtype),
        "advantages": advantages.to(dtype),
        "mask": torch.arange(longest) < torch.tensor(lengths)[:, None],
        "clip_coef": clip_coef,
    }


def call_with_ratios(case: Case) -> str:
    """The call that a learner can type, and behind it the ratios of all places."""
    positional, keyword = split_signature(SIGNATURE)
    parts = [value(case[name]) for name in positional] + [f"{name}={value(case[name])}" for name in keyword]
    call = f"clipped_token_loss({', '.join(parts)})"
    ratio = (case["log_prob"].double() - case["old_log_prob"].double()).exp().float()
    return f"{call} (ratios {value(ratio)})" if ratio.numel() <= MOST else call


def written_out(log_prob, old_log_prob, advantages, mask, *, clip_coef):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    old_log_prob, advantages = old_log_prob.detach(), advantages.detach()
    advantages = advantages.unsqueeze(1)  # [B, 1]
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    plain, cut = ratio * advantages, clipped * advantages
    objective = torch.minimum(plain, cut)
    kept = torch.where(mask, objective, 0.0)
    return -kept.sum() / mask.numel()


mistake = edits_of(written_out)
SMALLER = "torch.minimum(plain, cut)"
KEPT = "torch.where(mask, objective, 0.0)"
AVERAGE = "kept.sum() / mask.numel()"
OF_ANSWER = "torch.where(mask, log_ratio, 0.0).sum(1, keepdim=True)"

EXERCISE = Exercise.listed(
    "clipped_token_loss",
    cases=cases,
    observe=Call(SIGNATURE, differentiable=("log_prob",), constant=("old_log_prob", "advantages")),
    reference=clipped_token_loss,
    show_case=call_with_ratios,
    hints=(
        "It is the clipped loss of unit 04 at each place of a table [B, T]. Which shape must the advantages [B] have so that "
        "each meets the tokens of its own row, and what should a place outside the mask add to the sum?",
        "Four steps: the ratios [B, T]; the advantages as [B, 1]; the smaller of the two objectives at each place; 0 where "
        "the mask is False. Then the sum of all, divided by the number of places, and a minus. Detach advantages and old "
        "log-probabilities.",
        "ratio = (log_prob - old_log_prob.detach()).exp(); a = advantages.detach().unsqueeze(1); objective = "
        "torch.minimum(ratio * a, ratio.clamp(1 - clip_coef, 1 + clip_coef) * a); return "
        "-torch.where(mask, objective, 0.0).sum() / mask.numel()",
    ),
    misconceptions=(
        mistake(
            "minus-sign-missing",
            "The minus is missing: an optimizer minimises, so the tokens of good answers become rarer, and the clip guards "
            "the wrong side.",
            {"-kept": "kept"},
        ),
        mistake(
            "larger-of-the-two",
            "You took the larger of the two objectives, which keeps pushing where a token's ratio has moved too far. Take "
            "the smaller one: going beyond the interval never pays, a way back always does. (With losses, it is the larger.)",
            {"minimum": "maximum"},
        ),
        mistake(
            "clipped-ratio-alone",
            "You used the clipped ratio alone. Look at a ratio of 1.5 with a negative advantage: a token of a bad answer has "
            "become likelier, and your gradient is 0, so nothing brings it back. The minimum with the unclipped objective does.",
            {SMALLER: "cut"},
        ),
        mistake(
            "not-clipped",
            "Your loss is not clipped anywhere. Its first step is right, but after several epochs on the same answers the "
            "ratios run away: nothing says that the data are only about policies near the old one.",
            {SMALLER: "plain"},
        ),
        mistake(
            "logarithm-clipped",
            "You clipped the difference of the log-probabilities. An interval that is symmetric there is not symmetric around "
            "1: exp(0.2) is 1.22 and exp(-0.2) is 0.82. Take the exponential first and clip the ratio.",
            {"ratio.clamp(1 - clip_coef, 1 + clip_coef)": "log_ratio.clamp(-clip_coef, clip_coef).exp()"},
        ),
        mistake(
            "clip-of-its-own",
            "You clip at 0.8 and 1.2, whatever clip_coef says. The interval reaches from 1 - clip_coef to 1 + clip_coef.",
            {"1 - clip_coef, 1 + clip_coef": "0.8, 1.2"},
        ),
        mistake(
            "minimum-before-the-advantage",
            "You took the smaller of the two ratios and multiplied it by the advantage afterwards. A negative advantage "
            "turns smaller into larger: multiply both ratios first, then take the smaller product.",
            {SMALLER: "torch.minimum(ratio, clipped) * advantages"},
        ),
        mistake(
            "ratio-of-the-whole-answer",
            "You gave all tokens of an answer one ratio, the product or a mean over the answer. Here each token has its own, "
            "and is clipped by itself: a single token that has moved far does not show in a mean, and a product leaves the "
            "interval although every token is inside.",
            {"log_ratio.exp()": f"{OF_ANSWER}.exp().expand_as(mask)"},
            {"log_ratio.exp()": f"({OF_ANSWER} / mask.sum(1, keepdim=True)).exp().expand_as(mask)"},
            {"log_ratio.exp()": "log_ratio.sum(1, keepdim=True).exp().expand_as(mask)"},
            {"log_ratio.exp()": "log_ratio.mean(1, keepdim=True).exp().expand_as(mask)"},
            {"log_ratio.exp()": f"{OF_ANSWER}.exp()", KEPT: "objective", AVERAGE: "kept.mean()"},
            {
                "log_ratio.exp()": f"({OF_ANSWER} / mask.sum(1, keepdim=True)).exp()",
                KEPT: "objective",
                AVERAGE: "kept.mean()",
            },
        ),
        mistake(
            "length-of-the-answer-divided-by",
            "You divided by the length of each answer, in a mean over its tokens or in its advantage. A token of a long "
            "answer then counts less than one of a short answer. Here every token counts the same: sum over all, and divide by "
            "B T once.",
            {AVERAGE: "(kept.sum(1) / mask.sum(1)).mean()"},
            {"advantages.unsqueeze(1)": "(advantages / mask.sum(1)).unsqueeze(1)"},
            {AVERAGE: "(kept.sum(1) / mask.sum(1)).sum()"},
        ),
        mistake(
            "divided-by-another-number",
            "You divided by another number than B T: by the tokens of the mask, by the answers alone, or by none. With the "
            "tokens of the mask, one longer answer makes the tokens of all others count less; B T is the same for every batch.",
            {AVERAGE: "kept.sum() / mask.sum()"},
            {AVERAGE: "kept.sum() / len(mask)"},
            {AVERAGE: "kept.sum() / mask.shape[1]"},
            {AVERAGE: "kept.sum()"},
        ),
        mistake(
            "mask-without-effect",
            "Places outside the mask count in your loss. What fills a row up was never chosen by the policy, and its advantage "
            "is that of another token. Setting the log-probabilities to 0 there is not enough: a ratio of 1 still brings in A.",
            {KEPT: "objective"},
            {KEPT: "objective", "log_prob - old_log_prob": "(log_prob - old_log_prob) * mask"},
            {KEPT: "objective", AVERAGE: "kept.sum() / mask.sum()"},
            {KEPT: "torch.where(mask, 0.0, objective)"},
        ),
        mistake(
            "advantages-along-the-tokens",
            "Your advantages [B] lie along the tokens: broadcasting puts a tensor [B] along the last axis, so token t gets "
            "the advantage of answer t, or the shapes do not fit. unsqueeze(1) makes it [B, 1], one for each row.",
            {"advantages.unsqueeze(1)": "advantages.unsqueeze(0)"},
            {"advantages.unsqueeze(1)": "advantages.repeat(mask.shape[1]).view(mask.shape)"},
        ),
        mistake(
            "advantages-normalised-inside",
            "You normalised the advantages inside the loss. They say already how an answer compares with the others to its "
            "prompt; the loss uses them as they are given, so that each way to get them can be tried.",
            {"advantages.detach()": "advantages.detach() - advantages.detach().mean()"},
            *(
                {"advantages.detach()": f"advantages.detach().sub(advantages.mean()) / (advantages.std({of}) + {eps})"}
                for of in ("", "correction=0")
                for eps in ("1e-8", "1e-4")
            ),
        ),
        *mistakes_in_the_ratio(mistake),
    ),
)
