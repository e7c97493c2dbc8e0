"""Right answers to answer_log_prob in other styles."""

import torch


def right_token_by_token(logits, tokens, mask):
    prompt = logits.shape[1] - tokens.shape[1]
    rows = []
    for b in range(len(tokens)):
        row = []
        for t in range(tokens.shape[1]):
            before = logits[b, prompt + t - 1]
            row.append(before.log_softmax(0)[tokens[b, t]] if mask[b, t] else 0 * before[0])
        rows.append(torch.stack(row))
    return torch.stack(rows)


def right_with_cross_entropy(logits, tokens, mask):
    before = logits[:, :-1][:, -tokens.shape[1] :]
    surprise = torch.nn.functional.cross_entropy(before.transpose(1, 2), tokens, reduction="none")
    return -surprise * mask


def right_with_categorical(logits, tokens, mask):
    before = logits[:, logits.shape[1] - tokens.shape[1] - 1 : -1]
    return torch.distributions.Categorical(logits=before).log_prob(tokens).masked_fill(~mask, 0)


def right_with_one_hot_and_einsum(logits, tokens, mask):
    log_prob = torch.log_softmax(logits, dim=2).roll(1, dims=1)[:, -tokens.shape[1] :]
    one_hot = torch.nn.functional.one_hot(tokens, logits.shape[2]).to(logits.dtype)
    return torch.einsum("btv,btv,bt->bt", log_prob, one_hot, mask.to(logits.dtype))


def right_with_logsumexp_in_double_precision(logits, tokens, mask):
    before = logits.double()[:, -tokens.shape[1] - 1 : -1]
    rows, places = torch.arange(len(tokens))[:, None], torch.arange(tokens.shape[1])
    log_prob = before[rows, places, tokens] - before.logsumexp(-1)
    return torch.where(mask, log_prob, torch.zeros_like(log_prob)).to(logits.dtype)
