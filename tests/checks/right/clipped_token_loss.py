"""Right answers to clipped_token_loss in other styles."""

import torch


def right_token_by_token(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    total = 0 * log_prob[0, 0]
    for b in range(log_prob.shape[0]):
        weight = advantages[b].item()
        for t in range(log_prob.shape[1]):
            if mask[b, t]:
                ratio = torch.exp(log_prob[b, t] - old_log_prob[b, t].item())
                total = total + min(ratio * weight, ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight)
    return -total / (log_prob.shape[0] * log_prob.shape[1])


def right_by_sign(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    # The minimum as a limit that depends on the advantage's sign.
    weight = advantages.detach()[:, None]
    ratio = (log_prob - old_log_prob.detach()).exp()
    bound = torch.where(weight > 0, ratio.clamp(max=1 + clip_coef), ratio.clamp(min=1 - clip_coef))
    return torch.mean(-bound * weight * mask)


def right_maximum_of_losses(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    with torch.no_grad():
        old, weight = old_log_prob.clone(), advantages.view(-1, 1).expand_as(log_prob).clone()
    ratio = (log_prob - old)[mask].exp()  # [N], the tokens alone
    clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
    return torch.max(-weight[mask] * ratio, -weight[mask] * clipped).sum() / log_prob.numel()


def right_with_einsum_in_double_precision(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    weight = advantages.detach().double()
    ratio = (log_prob.double() - old_log_prob.detach().double()).exp()
    cut = ratio.clip(1 - clip_coef, 1 + clip_coef)
    worse = torch.where(weight[:, None] >= 0, torch.minimum(ratio, cut), torch.maximum(ratio, cut))
    total = torch.einsum("b,bt,bt->", weight, worse, mask.double())
    return (-total / mask.numel()).to(log_prob.dtype)


def right_answer_by_answer(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    # The mean over the answers of what their tokens are worth, each over T.
    losses = []
    for new, old, weight, kept in zip(log_prob, old_log_prob.detach(), advantages.detach(), mask, strict=True):
        ratio = (new - old).exp()
        pair = torch.stack([ratio * weight, ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight])  # [2, T]
        losses.append((-pair.min(dim=0).values).masked_fill(~kept, 0).mean())
    return torch.stack(losses).mean()
