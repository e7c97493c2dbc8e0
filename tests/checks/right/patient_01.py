"""Right answers to patient_01 in other styles."""

import torch


def right_with_loop(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    rows, terms = [], []
    for row, action, old, advantage in zip(obs, actions, old_log_prob.tolist(), advantages.tolist(), strict=False):
        rows.append(policy(row[None]).log_prob(action)[0] - old)
        ratio = torch.exp(rows[-1])
        terms.append(torch.min(ratio * advantage, ratio.clip(1 - clip_coef, 1 + clip_coef) * advantage))
    return -torch.stack(terms).mean(), torch.stack(rows).detach()


def right_in_double_precision(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    log_prob = policy(obs).log_prob(actions)
    weight = advantages.double()
    ratio = (log_prob.double() - old_log_prob.double()).exp()
    losses = torch.stack([-ratio * weight, -ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight])
    return losses.amax(0).mean().to(obs.dtype), (log_prob.data - old_log_prob).clone()


def right_by_sign(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    log_ratio = policy(obs).log_prob(actions) - old_log_prob
    ratio = log_ratio.exp()
    capped = torch.where(advantages > 0, ratio.clamp(max=1 + clip_coef), ratio.clamp(min=1 - clip_coef))
    with torch.no_grad():
        report = log_ratio.clone()
    return -(capped * advantages).mean(), report
