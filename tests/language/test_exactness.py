"""Estimators against exact gradients, summed over all answers to a prompt: no sampling, so no sampling error."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pgcourse.language import advantages, losses
from pgcourse.language.sampling import Answers, answer_log_prob
from pgcourse.language.transformer import Transformer
from pgcourse.language.update import critic_advantages

REWARDS = torch.tensor([0.0, 1, 0, 0, 2, 0, -1, 0, 0, 1, 0, 0, 3, 0, 1], dtype=torch.float64)


def gradient(value: Tensor, model: Transformer) -> Tensor:
    """Of a scalar, all parameters in one vector."""
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, list(model.parameters()))])


def exact(model: Transformer, answers: Answers, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Gradient of a function of the answers' log-probabilities [B]."""
    return gradient(function(answer_log_prob(model, answers).sum(-1)), model)


def test_the_answers_are_all_there(everything: Answers) -> None:
    assert everything.tokens.shape == (15, 3)
    assert float(everything.log_prob.sum(-1).exp().sum()) == pytest.approx(1, abs=1e-12)


def mean_advantage(advantage: Callable[[Tensor], Tensor], probability: Tensor, group: int) -> Tensor:
    """E[advantage of the first answer | it is a] for each answer a, over all that the others of its group can be [B]."""
    count = len(REWARDS)
    others = torch.cartesian_prod(*[torch.arange(count)] * (group - 1)).view(-1, group - 1)
    weight = probability[others].prod(-1)
    found = []
    for first in range(count):
        rewards = torch.cat([REWARDS[first].expand(len(others), 1), REWARDS[others]], dim=1)  # [tuples, M]
        found.append((weight * torch.stack([advantage(row)[0] for row in rewards])).sum())
    return torch.stack(found)


@pytest.mark.parametrize(
    ("name", "share"),
    [("none", 1.0), ("leave_one_out", 1.0), ("group_mean", 2 / 3), ("batch_mean", 2 / 3)],
)
def test_the_mean_gradient_is_the_exact_one_times_what_the_lesson_derives(
    tiny: Transformer, everything: Answers, name: str, share: float
) -> None:
    """1 for leave-one-out and no baseline, 1 - 1/M where an answer is in its own baseline."""
    log_prob = everything.log_prob.sum(-1)
    weights = mean_advantage(advantages.BY_NAME[name], log_prob.exp(), 3)
    estimate = exact(tiny, everything, lambda new: (log_prob.exp() * weights * new).sum())
    truth = exact(tiny, everything, lambda new: (new.exp() * REWARDS).sum())
    torch.testing.assert_close(estimate, share * truth, rtol=1e-9, atol=1e-12)


def test_dividing_by_the_deviation_changes_the_direction(tiny: Transformer, everything: Answers) -> None:
    log_prob = everything.log_prob.sum(-1)
    weights = mean_advantage(advantages.group_normalized, log_prob.exp(), 3)
    estimate = exact(tiny, everything, lambda new: (log_prob.exp() * weights * new).sum())
    truth = exact(tiny, everything, lambda new: (new.exp() * REWARDS).sum())
    cosine = float(torch.nn.functional.cosine_similarity(estimate, truth, dim=0))
    assert 0 < cosine < 0.999


def test_dividing_by_the_length_misses_by_the_lengths(tiny: Transformer, everything: Answers) -> None:
    """The mean over an answer's tokens gives each answer 1 / length of its due; the sum over a constant gives it all."""
    log_prob = everything.log_prob.sum(-1)
    probability = log_prob.exp()
    truth = exact(tiny, everything, lambda new: (new.exp() * REWARDS).sum())

    def estimated(how: losses.Average) -> Tensor:
        # An answer as often as it is drawn: its loss alone, times its probability.
        total = torch.zeros(())
        ratio = losses.log_ratio(answer_log_prob(tiny, everything), everything.log_prob, everything.mask, of="token")
        loss = losses.clipped_loss(ratio, REWARDS.unsqueeze(-1).expand_as(ratio), clip_coef=0.2)
        for row in range(len(REWARDS)):
            one = slice(row, row + 1)
            total = total + probability[row] * losses.average(loss[one], everything.mask[one], how)
        return -gradient(total, tiny)

    torch.testing.assert_close(3 * estimated("constant"), truth, rtol=1e-9, atol=1e-12)
    by_length = exact(tiny, everything, lambda new: (probability * REWARDS / everything.lengths * new).sum())
    torch.testing.assert_close(estimated("answer"), by_length, rtol=1e-9, atol=1e-12)
    assert float(torch.nn.functional.cosine_similarity(by_length, truth, dim=0)) < 0.999


@pytest.fixture
def reference(everything: Answers) -> tuple[Tensor, Tensor]:
    """Another model's log-probabilities of the same answers: by token [B, T], by answer [B]."""
    torch.manual_seed(1)
    other = Transformer(width=8, layers=1, heads=2, context=8, vocabulary_size=3).double()
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    tokens = answer_log_prob(other, everything).detach()
    return tokens, tokens.sum(-1)


def test_what_the_estimators_of_kl_give_as_values(everything: Answers, reference: tuple[Tensor, Tensor]) -> None:
    p, q = everything.log_prob.sum(-1), reference[1]
    truth = float((p.exp() * (p - q)).sum())
    means = {name: float((p.exp() * estimator(p, q)).sum()) for name, estimator in losses.KL_BY_NAME.items()}
    assert means["k1"] == pytest.approx(truth, rel=1e-12)
    assert means["k3"] == pytest.approx(truth, rel=1e-12)
    assert means["k2"] != pytest.approx(truth, rel=1e-2)
    assert (losses.k3(p, q) >= 0).all()
    assert (losses.k1(p, q) < 0).any()


def test_what_the_estimators_of_kl_give_as_gradients(
    tiny: Transformer, everything: Answers, reference: tuple[Tensor, Tensor]
) -> None:
    """Differentiated as they stand, on samples that do not move: k1 nothing, k2 KL(p || q), k3 KL(q || p)."""
    p, q = everything.log_prob.sum(-1), reference[1]
    forward = exact(tiny, everything, lambda new: (new.exp() * (new - q)).sum())
    backward = exact(tiny, everything, lambda new: (q.exp() * (q - new)).sum())
    through = {
        name: exact(tiny, everything, lambda new, f=estimator: (p.exp() * f(new, q)).sum())  # type: ignore[misc]
        for name, estimator in losses.KL_BY_NAME.items()
    }
    torch.testing.assert_close(through["k1"], torch.zeros_like(forward), atol=1e-12, rtol=0)
    torch.testing.assert_close(through["k2"], forward, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(through["k3"], backward, rtol=1e-9, atol=1e-12)
    assert (forward - backward).norm() > 0.01 * forward.norm()


def test_kl_in_the_reward_gives_the_gradient_of_kl(
    tiny: Transformer, everything: Answers, reference: tuple[Tensor, Tensor]
) -> None:
    """k1 as a number in the reward, behind the score function, is exact."""
    p, q = everything.log_prob.sum(-1), reference[1]
    in_reward = exact(tiny, everything, lambda new: (p.exp() * losses.k1(p, q) * new).sum())
    torch.testing.assert_close(
        in_reward, exact(tiny, everything, lambda new: (new.exp() * (new - q)).sum()), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("values", ["wrong", "right"])
def test_a_critic_with_lambda_one_is_a_baseline(tiny: Transformer, everything: Answers, values: str) -> None:
    """Whatever it says of the text so far, the mean gradient is the exact one; with lambda 0 only a right one is harmless."""
    log_prob = everything.log_prob.sum(-1)
    probability = log_prob.exp()
    expected = torch.zeros(everything.tokens.shape, dtype=torch.float64)  # E[reward | the text before token t]
    for row, tokens in enumerate(everything.tokens):
        for t in range(3):
            same = (everything.tokens[:, :t] == tokens[:t]).all(-1)
            expected[row, t] = (probability * REWARDS)[same].sum() / probability[same].sum()
    said = expected if values == "right" else (expected * 0.3 - 1)

    class Says(torch.nn.Module):
        def forward(self, text: Tensor) -> Tensor:
            return torch.cat([torch.zeros(len(text), 1, dtype=torch.float64), said], dim=1)

    of_tokens = torch.zeros_like(said)
    of_tokens[torch.arange(15), everything.lengths - 1] = REWARDS
    truth = exact(tiny, everything, lambda new: (new.exp() * REWARDS).sum())

    def estimated(gae_lambda: float) -> Tensor:
        found, _ = critic_advantages(Says(), everything, of_tokens, gae_lambda=gae_lambda)
        each = (found * answer_log_prob(tiny, everything) * everything.mask).sum(-1)
        return gradient((probability * each).sum(), tiny)

    torch.testing.assert_close(estimated(1.0), truth, rtol=1e-9, atol=1e-12)
    online = (estimated(0.0) - truth).norm() / truth.norm()
    assert online < 1e-9 if values == "right" else online > 0.01
