"""bradley_terry_loss(chosen, rejected): how surprising preferences are under a score of each answer."""

from collections.abc import Iterator

import torch
from torch.nn import functional

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, integers, normal
from pgcourse.language.losses import bradley_terry_loss


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield _case([0.0], [0.0])
    yield _case([2.0, 0.0], [0.0, 0.0])
    yield _case([1.0], [3.0])
    yield _case([1.0, -2.0, 0.5], [-1.0, 0.0, 0.5])
    yield _case([101.0, 99.0], [100.0, 100.5])  # no score is right or wrong by itself
    yield _case([-1e4], [1e4])
    yield _case([1e4, -1e4, 0.0], [-1e4, 1e4, 1e4])
    source = generator(seed)
    yield {"chosen": 2 * normal(source, 8) + 0.5, "rejected": 2 * normal(source, 8)}
    yield {"chosen": normal(source, 5, dtype=torch.float64), "rejected": normal(source, 5, dtype=torch.float64)}
    large, (equal, other) = 5000.0 + int(integers(source, 5000)), normal(source, 2).tolist()
    yield _case([large, -large, 0.0, equal, other], [-large, large, large, equal, 0.0])


def _case(chosen: list[float], rejected: list[float]) -> Case:
    return {"chosen": torch.tensor(chosen), "rejected": torch.tensor(rejected)}


def written_out(chosen, rejected):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    difference = chosen - rejected
    surprise = -functional.logsigmoid(difference)
    return surprise.mean()


SURPRISE = "-functional.logsigmoid(difference)"
mistake = edits_of(written_out)

EXERCISE = Exercise.listed(
    "bradley_terry_loss",
    cases=cases,
    observe=Call("chosen, rejected", differentiable=("chosen", "rejected")),
    reference=bradley_terry_loss,
    hints=(
        "The model says that the first answer is preferred with probability sigmoid(its score - the other's score). How "
        "surprising is a pair of equal scores, in nats? And one in which the preferred answer has 2 more?",
        "Subtract pair by pair, take the logarithm of the sigmoid, then minus the mean. sigmoid(-20000) is 0 and its logarithm "
        "-inf: PyTorch has a function that does both steps at once and stays finite.",
        "return -torch.nn.functional.logsigmoid(chosen - rejected).mean()",
    ),
    misconceptions=(
        mistake(
            "rejected-minus-chosen",
            "You subtracted the preferred answer's score from the other's. The loss then falls as the rejected answers "
            "score higher, and the reward learns the opposite of what people said. It is chosen - rejected.",
            {"chosen - rejected": "rejected - chosen"},
        ),
        mistake(
            "infinite-for-large-scores",
            "You took the sigmoid, or an exponential, and then the logarithm. sigmoid(-20000) is 0, its logarithm -inf and its "
            "gradient NaN; a limit or a small number that is added gives a wrong loss and no gradient. Use logsigmoid.",
            {SURPRISE: "-difference.sigmoid().log()"},
            {SURPRISE: "(1 + (-difference).exp()).log()"},
            *({SURPRISE: f"-(difference.sigmoid() + {more}).log()"} for more in (1e-6, 1e-7, 1e-8, 1e-10, 1e-12)),
            *({SURPRISE: f"-difference.sigmoid().clamp(min={low}).log()"} for low in (1e-6, 1e-7, 1e-8, 1e-10, 1e-12)),
            {SURPRISE: "-(chosen.exp() / (chosen.exp() + rejected.exp())).log()"},
            {SURPRISE: "(1 + (rejected - chosen).exp()).log().nan_to_num(posinf=2e4)"},
            {SURPRISE: "-torch.where(difference > -50, difference.sigmoid().log(), difference)"},
            {SURPRISE: "functional.binary_cross_entropy(difference.sigmoid(), torch.ones_like(difference))"},
            {SURPRISE: "-functional.logsigmoid(difference.clamp(-20, 20))"},
            {SURPRISE: "-functional.logsigmoid(difference.clamp(-100, 100))"},
        ),
        mistake(
            "logarithm-left-out",
            "You left the logarithm out. A probability is bounded, so its gradient vanishes for the pairs that are most "
            "wrong; and only the logarithms of independent pairs add up. The loss is minus log sigmoid.",
            {SURPRISE: "-difference.sigmoid()"},
            {SURPRISE: "1 - difference.sigmoid()"},
            {SURPRISE: "(1 - difference.sigmoid()).square()"},
            {SURPRISE: "difference.sigmoid()"},
        ),
        mistake(
            "all-against-all",
            "You compared each preferred answer with every rejected one. People compared the two answers of a pair, and nothing "
            "is known of the others, which may be answers to other prompts. Both inputs are [B], and so is their difference.",
            {"chosen - rejected": "chosen[:, None] - rejected"},
            {"chosen - rejected": "chosen - rejected.mean()"},
            {"chosen - rejected": "chosen.mean() - rejected"},
        ),
        mistake(
            "corner-at-equal-scores",
            "The numbers are right, and where two scores are equal the gradient is not. Your formula takes the sign of the "
            "difference apart, with abs or clamp, and autograd does not know what happens at the corner. logsigmoid has none.",
            {SURPRISE: "(-difference).clamp(min=0) + (-difference.abs()).exp().log1p()"},
            {SURPRISE: "(-difference).relu() + (-difference.abs()).exp().log1p()"},
            {SURPRISE: "-difference.clamp(max=0) + (-difference.abs()).exp().log1p()"},
        ),
        mistake(
            "sigmoid-left-out",
            "You left the sigmoid out and use the difference itself. Nothing then stops the scores from growing apart, and "
            "pairs that are long right push as hard as wrong ones. The loss is minus log sigmoid of the difference.",
            {SURPRISE: "-difference"},
            {SURPRISE: "-difference.log()"},
        ),
        mistake(
            "margin",
            "You used a margin, as in a ranking loss: it is 0 as soon as the preferred answer leads by enough. The model of "
            "Bradley and Terry gives each difference a probability, and the surprise is never quite 0.",
            {SURPRISE: "(1 - difference).clamp(min=0)"},
            {SURPRISE: "(-difference).clamp(min=0)"},
        ),
        mistake(
            "squared-difference",
            "You squared a difference. A square makes the two scores equal, or a fixed distance apart. A comparison says only "
            "which of the two is better: take minus log sigmoid of chosen - rejected.",
            {SURPRISE: "difference.square()"},
            {SURPRISE: "0.5 * difference.square()"},
            {SURPRISE: "(1 - difference).square()"},
        ),
        mistake(
            "each-answer-by-itself",
            "You judged each answer by itself, the preferred one as a 1 and the other as a 0. Nobody said that an answer is "
            "good, only that it is better than its partner: the two meet in a difference before the sigmoid.",
            {SURPRISE: "-functional.logsigmoid(chosen) - functional.logsigmoid(-rejected)"},
            {SURPRISE: "-0.5 * (functional.logsigmoid(chosen) + functional.logsigmoid(-rejected))"},
            {SURPRISE: "-functional.logsigmoid(chosen)"},
            {SURPRISE: "-chosen.sigmoid().log() - (1 - rejected.sigmoid()).log()"},
        ),
        mistake(
            "sigmoid-before-the-difference",
            "You squashed each score first and subtracted afterwards. The model takes the sigmoid of the difference: scores of "
            "101 and 100 are as far apart as 1 and 0, and their sigmoids are equal.",
            {SURPRISE: "-functional.logsigmoid(chosen.sigmoid() - rejected.sigmoid())"},
            {SURPRISE: "-(chosen.sigmoid() - rejected.sigmoid()).log()"},
            {SURPRISE: "rejected.sigmoid() - chosen.sigmoid()"},
            {SURPRISE: "functional.logsigmoid(rejected) - functional.logsigmoid(chosen)"},
            {SURPRISE: "-functional.logsigmoid(functional.logsigmoid(chosen) - functional.logsigmoid(rejected))"},
        ),
        mistake(
            "mean-before-the-logarithm",
            "You averaged too early, the differences or their sigmoids. A pair that is badly wrong then hides behind others that "
            "are right. Take minus log sigmoid of every pair, and the mean last.",
            {SURPRISE: "-functional.logsigmoid(difference.mean())"},
            {SURPRISE: "-difference.sigmoid().mean().log()"},
        ),
        mistake(
            "pairs-counted",
            "You counted the pairs that come out right or wrong. That is how good the scores are, worth a curve of its own; as a "
            "loss it has no gradient, since a small change of a score changes no count.",
            {SURPRISE: "(difference < 0).to(chosen.dtype)"},
            {SURPRISE: "(difference <= 0).to(chosen.dtype)"},
            {SURPRISE: "(difference > 0).to(chosen.dtype)"},
            {SURPRISE: "-difference.sign()"},
        ),
    ),
)
