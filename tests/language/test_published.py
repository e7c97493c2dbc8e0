"""Our losses and their gradients against those of TRL, on the same numbers. Skipped without it."""

from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from torch import Tensor

from pgcourse.language.config import LanguageConfig
from pgcourse.language.sampling import Answers, answer_log_prob
from pgcourse.language.transformer import Transformer
from pgcourse.language.update import update

pytest.importorskip("transformers", reason="needs TRL")
grpo_trainer = pytest.importorskip("trl.trainer.grpo_trainer", reason="needs TRL")
# TRL's names for what is averaged.
LOSS_TYPES = {"answer": "grpo", "token": "bnpo", "constant": "dr_grpo"}


def loss_of_trl(answers: Answers, log_prob: Tensor, given: Tensor, reference: Tensor, config: LanguageConfig) -> Tensor:
    """What GRPOTrainer would minimise, with the model's log-probabilities handed to it. Args: given: advantages [B]."""
    trainer = MagicMock()
    settings: dict[str, Any] = {
        "_get_per_token_logps_and_entropies": lambda *_, **__: (log_prob, torch.zeros_like(log_prob), None),
        "aux_loss_enabled": False,
        "top_entropy_quantile": 1.0,
        "off_policy_mask_threshold": None,
        "importance_sampling_level": config.ratio,
        "beta": config.kl_coef,
        "loss_type": LOSS_TYPES[config.average],
        "epsilon_low": config.clip_coef,
        "epsilon_high": config.clip_coef,
        "use_vllm": False,
        "current_gradient_accumulation_steps": 1,
        "max_completion_length": log_prob.shape[1],
        "_entropy_bonus_enabled": False,
    }
    for name, value in settings.items():
        setattr(trainer, name, value)
    trainer.args.delta, trainer.args.use_bias_correction_kl = None, False
    trainer.accelerator.gather = lambda tensor: tensor
    inputs = {
        "prompt_ids": answers.prompts,
        "prompt_mask": torch.ones_like(answers.prompts),
        "completion_ids": answers.tokens,
        "completion_mask": answers.mask.to(torch.int64),
        "advantages": given,
        "old_per_token_logps": answers.log_prob,
        "ref_per_token_logps": reference,
        "num_items_in_batch": answers.mask.sum(),
    }
    loss: Tensor = grpo_trainer.GRPOTrainer._compute_loss(trainer, trainer.model, inputs)
    return loss


@pytest.mark.parametrize("average", LOSS_TYPES)
@pytest.mark.parametrize("ratio", ["token", "sequence"])
@pytest.mark.parametrize("kl_coef", [0.0, 0.3])
def test_the_loss_and_its_gradient_are_those_of_trl(
    tiny: Transformer, everything: Answers, average: Any, ratio: Any, kl_coef: float
) -> None:
    torch.manual_seed(0)
    # As if the answers were drawn by another model than the one that is trained, so that many ratios are clipped.
    answers = everything._replace(
        log_prob=everything.log_prob + 0.3 * torch.randn(everything.log_prob.shape) * everything.mask
    )
    reference = (everything.log_prob + 0.3 * torch.randn(everything.log_prob.shape)) * everything.mask
    given = torch.randn(len(answers.tokens), dtype=torch.float64)
    config = LanguageConfig(average=average, ratio=ratio, kl_coef=kl_coef, update_epochs=1, max_grad_norm=None)
    parameters = list(tiny.parameters())
    theirs = loss_of_trl(answers, answer_log_prob(tiny, answers), given, reference, config)
    expected = torch.autograd.grad(theirs, parameters)
    before = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    per_token = given.unsqueeze(-1).expand_as(answers.log_prob)
    metrics = update(tiny, optimizer, answers, per_token, config, reference_log_prob=reference)
    assert float(metrics["losses/policy_loss"]) == pytest.approx(float(theirs.detach()), rel=1e-9, abs=1e-12)
    assert float(metrics["losses/clipfrac"]) > 0.1
    for old, new, gradient in zip(before, parameters, expected, strict=True):
        torch.testing.assert_close(old - new.detach(), gradient, rtol=1e-9, atol=1e-12)
