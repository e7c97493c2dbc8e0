"""Right answers to rewards_with_kl in other styles."""

import torch


def right_with_loops(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    result = torch.zeros_like(log_prob)
    for b in range(mask.shape[0]):
        length = int(mask[b].sum())
        for t in range(length):
            result[b, t] = -kl_coef * (log_prob[b, t].item() - reference_log_prob[b, t].item())
        result[b, length - 1] += rewards[b].item()
    return result


def right_with_the_next_mask(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    # The last token is the one behind which the mask is False.
    following = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], dim=1)
    last = mask & ~following
    price = kl_coef * (log_prob.detach() - reference_log_prob.detach())
    return torch.where(mask, -price, 0.0) + last * rewards.detach().unsqueeze(1)


def right_with_scatter(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    with torch.no_grad():
        price = (kl_coef * (reference_log_prob - log_prob)).masked_fill(~mask, 0)
        last = mask.long().sum(dim=1, keepdim=True) - 1
        return price.scatter_add(1, last, rewards.unsqueeze(1))


@torch.no_grad()
def right_in_double_precision(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    place = torch.arange(mask.shape[1])
    last = place == (mask * place).amax(1, keepdim=True)
    wide = mask.double() * kl_coef * (reference_log_prob.double() - log_prob.double())
    return (wide + last.double() * rewards.double()[:, None]).to(log_prob.dtype)


def right_case_by_case(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    rows = []
    for mark, log_p, log_q, kept in zip(rewards, log_prob, reference_log_prob, mask, strict=True):
        row = kl_coef * (log_q[kept] - log_p[kept])
        filling = torch.zeros(len(kept) - len(row), dtype=row.dtype)
        rows.append(torch.cat([row[:-1], row[-1:] + mark, filling]))
    return torch.stack(rows).detach()
