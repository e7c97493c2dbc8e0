"""approx_kl(log_prob, old_log_prob): how far the policy has moved, from the samples alone."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal, rewritten
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.unit_04.ratios import call_with_ratios, mistakes_in_the_ratio
from pgcourse.diagnostics import approx_kl


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_prob": torch.tensor([0.5]).log(), "old_log_prob": torch.tensor([0.25]).log()}
    yield {"log_prob": torch.tensor([0.5, 0.3]).log(), "old_log_prob": torch.tensor([0.25, 0.6]).log()}
    yield {"log_prob": torch.tensor([0.2, 0.7, 0.5]).log(), "old_log_prob": torch.tensor([0.2, 0.7, 0.5]).log()}
    yield {"log_prob": torch.tensor([-200.0, -199.0]), "old_log_prob": torch.tensor([-200.0, -200.0])}
    # A ratio of e^-199: 0 in float32, so that its logarithm has to come from the difference.
    yield {"log_prob": torch.tensor([-200.0, -1.0]), "old_log_prob": torch.tensor([-1.0, -1.0])}
    source = generator(seed)
    old = -normal(source, 10).abs() - 0.2
    yield {"log_prob": old + 0.5 * normal(source, 10), "old_log_prob": old}
    old = -normal(source, 7, dtype=torch.float64).abs() - 0.2
    yield {"log_prob": old - 0.3 + 0.3 * normal(source, 7, dtype=torch.float64), "old_log_prob": old}
    # Probabilities that are 0 in float32, a ratio that is, and one of thousands.
    old = -200 + normal(source, 4)
    yield {"log_prob": old + torch.tensor([0.0, 1.0, 8.0, -150.0]) + 0.5 * normal(source, 4), "old_log_prob": old}
    new = -torch.rand(2, generator=source)
    yield {"log_prob": new, "old_log_prob": new - 25 - torch.rand(2, generator=source)}


def written_out(log_prob, old_log_prob):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    with torch.no_grad():
        log_ratio = log_prob - old_log_prob
        ratio = log_ratio.exp()
        rows = ratio - 1 - log_ratio
        return rows.mean()


mistake = edits_of(written_out)

EXERCISE = Exercise.listed(
    "approx_kl",
    cases=cases,
    observe=Call("log_prob, old_log_prob", constant=("log_prob", "old_log_prob")),
    tolerance=Tolerance(number_for_scalar=True),
    reference=approx_kl,
    # In another precision: a plain number is as good in any.
    also_correct=(
        rewritten(written_out, {"mean()": "mean().double()"}),
        rewritten(written_out, {"mean()": "mean().float()"}),
    ),
    show_case=call_with_ratios("approx_kl", "log_prob, old_log_prob"),
    hints=(
        "Work the first case by hand: the ratio is 2. What is (rho - 1) - log rho, and what would -log rho alone have been?",
        "log rho is the difference of the two log-probabilities and rho its exponential. Put both into (rho - 1) - log rho for "
        "each row, then take the mean. Under torch.no_grad, because nobody trains on it.",
        "with torch.no_grad(): log_ratio = log_prob - old_log_prob; return ((log_ratio.exp() - 1) - log_ratio).mean()",
    ),
    misconceptions=(
        mistake(
            "plain-estimator",
            "You returned the mean difference of the log-probabilities, the estimator k1 or minus it: right on average, but "
            "on one batch it can come out negative, and a divergence cannot. Adding rho - 1, whose mean is 0, mends that.",
            {"ratio - 1 - log_ratio": "-log_ratio"},
            {"ratio - 1 - log_ratio": "log_ratio"},
        ),
        mistake(
            "plain-estimator-kept-positive",
            "You kept the plain estimator from going negative, with an absolute value or a maximum. That makes it positive, but "
            "no longer an estimate of the divergence: it is of the order of the step, the divergence of its square.",
            {"ratio - 1 - log_ratio": "log_ratio.abs()"},
            {"ratio - 1 - log_ratio": "log_ratio", "mean()": "mean().abs()"},
            {"ratio - 1 - log_ratio": "-log_ratio", "mean()": "mean().clamp(min=0)"},
            {"ratio - 1 - log_ratio": "(-log_ratio).clamp(min=0)"},
        ),
        mistake(
            "squared-difference",
            "You returned the mean squared difference, or half of it, the estimator k2. The half is close to this one for small "
            "steps and biased for larger ones. The contract asks for mean((rho - 1) - log rho).",
            {"ratio - 1 - log_ratio": "log_ratio.square() / 2"},
            {"ratio - 1 - log_ratio": "log_ratio.square()"},
        ),
        mistake(
            "other-direction",
            "You estimated the divergence the other way round, KL(pi || pi_old), by weighting with rho. The contract asks for "
            "KL(pi_old || pi): the data are from pi_old, and mean((rho - 1) - log rho) needs no weights.",
            {"ratio - 1 - log_ratio": "ratio * log_ratio"},
            {"ratio - 1 - log_ratio": "ratio * log_ratio - (ratio - 1)"},
        ),
        mistake(
            "logarithm-of-the-ratio",
            "You took the exponential first and the logarithm of the result again. A ratio of e^-199 is 0 in float32, and its "
            "logarithm -inf, or that of a small number that was added. log rho is log_prob - old_log_prob, which you had before.",
            {"1 - log_ratio": "1 - (ratio + 1e-8).log()"},
            {"1 - log_ratio": "1 - ratio.log()"},
        ),
        mistake(
            "mean-before-the-formula",
            "You averaged first, the ratios or their logarithms, and put the mean into the formula. Rows that became likelier "
            "then cancel rows that became rarer. Compute (rho - 1) - log rho for each row, and take the mean last.",
            {"log_ratio.exp()": "log_ratio.exp().mean()", "1 - log_ratio": "1 - ratio.log()"},
            {"log_prob - old_log_prob": "(log_prob - old_log_prob).mean()"},
        ),
        *mistakes_in_the_ratio(mistake, {"1 - log_ratio": "1 - ratio.log()"}),
    ),
)
