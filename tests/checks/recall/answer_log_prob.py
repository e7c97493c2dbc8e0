"""Answers to answer_log_prob, written from the lesson and the stub alone."""

import math

import torch


def wrong_logits_at_the_token(logits, tokens, mask):
    """Reads the logits at the places of the answer itself, one place too late."""
    log_prob = logits[:, -tokens.shape[1] :].log_softmax(-1)
    picked = log_prob.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return picked.masked_fill(~mask, 0.0)


def wrong_from_the_start(logits, tokens, mask):
    """Takes the first T places, as if there were no prompt but one token of it."""
    log_prob = torch.log_softmax(logits[:, : tokens.shape[1]], dim=-1)
    return torch.where(mask, torch.gather(log_prob, 2, tokens[..., None])[..., 0], 0.0)


def wrong_one_place_too_early(logits, tokens, mask):
    """Shifts twice where the prompt has room for it."""
    length = tokens.shape[1]
    start = max(logits.shape[1] - length - 2, 0)
    log_prob = logits[:, start : start + length].log_softmax(-1)
    return torch.where(mask, log_prob.gather(-1, tokens.unsqueeze(-1)).squeeze(-1), 0.0)


def wrong_logits_as_log_probabilities(logits, tokens, mask):
    """Gathers the logits, and never normalises them."""
    length = tokens.shape[1]
    picked = logits[:, -length - 1 : -1].gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return torch.where(mask, picked, 0.0)


def wrong_probabilities(logits, tokens, mask):
    """Returns probabilities, and forgets the logarithm."""
    probs = logits[:, -tokens.shape[1] - 1 : -1].softmax(-1)
    return torch.where(mask, probs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1), 0.0)


def wrong_log_of_softmax(logits, tokens, mask):
    """Takes softmax first and the logarithm of it, which is minus infinity at 1e4."""
    probs = torch.softmax(logits[:, -tokens.shape[1] - 1 : -1], dim=-1)
    chosen = probs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return torch.where(mask, chosen.log(), 0.0)


def wrong_log_with_epsilon(logits, tokens, mask):
    """Saves the logarithm with 1e-8, so that nothing is less likely than -18.4."""
    probs = torch.softmax(logits[:, -tokens.shape[1] - 1 : -1], dim=-1)
    chosen = probs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return torch.where(mask, (chosen + 1e-8).log(), 0.0)


def wrong_softmax_over_places(logits, tokens, mask):
    """Normalises over the places of the text."""
    log_prob = logits[:, -tokens.shape[1] - 1 : -1].log_softmax(dim=1)
    return torch.where(mask, log_prob.gather(-1, tokens.unsqueeze(-1)).squeeze(-1), 0.0)


def wrong_no_mask(logits, tokens, mask):
    """Gives log-probabilities of the filling as well."""
    before = logits[:, -tokens.shape[1] - 1 : -1]
    return before.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)


def wrong_mask_inverted(logits, tokens, mask):
    """Keeps the filling and drops the answer, as with a padding mask of attention."""
    before = logits[:, -tokens.shape[1] - 1 : -1]
    return before.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1).masked_fill(mask, 0.0)


def wrong_mask_without_the_end(logits, tokens, mask):
    """Shifts the mask together with the logits, and so loses the token that ends the answer."""
    before = logits[:, -tokens.shape[1] - 1 : -1]
    log_prob = before.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    shifted = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], dim=1)
    return torch.where(shifted, log_prob, 0.0)


def wrong_cross_entropy_as_it_is(logits, tokens, mask):
    """Returns the cross-entropy, which has the other sign."""
    before = logits[:, -tokens.shape[1] - 1 : -1].transpose(1, 2)
    return torch.nn.functional.cross_entropy(before, tokens, reduction="none") * mask


def wrong_one_number_an_answer(logits, tokens, mask):
    """Sums over the tokens: the log-probability of the whole answer."""
    before = logits[:, -tokens.shape[1] - 1 : -1]
    log_prob = before.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return torch.where(mask, log_prob, 0.0).sum(1)


def wrong_filled_with_minus_infinity(logits, tokens, mask):
    """Fills with the logarithm of 0."""
    before = logits[:, -tokens.shape[1] - 1 : -1]
    log_prob = before.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return log_prob.masked_fill(~mask, -math.inf)


def wrong_detached(logits, tokens, mask):
    """Cuts the gradient, as is done for the log-probabilities of the policy that answered."""
    with torch.no_grad():
        before = logits[:, -tokens.shape[1] - 1 : -1]
        log_prob = before.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
        return torch.where(mask, log_prob, 0.0)


def wrong_likeliest_token(logits, tokens, mask):
    """Takes the largest log-probability at each place, whatever the token was."""
    log_prob = logits[:, -tokens.shape[1] - 1 : -1].log_softmax(-1)
    return torch.where(mask, log_prob.max(-1).values, 0.0)


def right_cross_entropy_with_ignored_tokens(logits, tokens, mask):
    """Lets the cross-entropy ignore the filling, and turns the sign."""
    answer = logits[:, -tokens.shape[1] - 1 : -1]
    labels = tokens.masked_fill(~mask, -100)
    return -torch.nn.functional.cross_entropy(answer.mT, labels, reduction="none", ignore_index=-100)


def right_logsumexp(logits, tokens, mask):
    """Chosen logit minus logsumexp, with P counted from the shapes."""
    rows, length = tokens.shape
    prompt = logits.shape[1] - length
    places = torch.arange(prompt - 1, prompt + length - 1)
    who = torch.arange(rows)[:, None]
    chosen = logits[who, places, tokens]
    return (chosen - logits[who, places].logsumexp(-1)).masked_fill(~mask, 0)


def right_loop_over_tokens(logits, tokens, mask):
    """Answer by answer and token by token, stacked at the end."""
    prompt = logits.shape[1] - tokens.shape[1]
    rows = []
    for i, answer in enumerate(tokens.tolist()):
        row = []
        for t, token in enumerate(answer):
            value = logits[i, prompt + t - 1].log_softmax(0)[token]
            row.append(value if mask[i, t] else 0 * value)
        rows.append(torch.stack(row))
    return torch.stack(rows)


def right_categorical(logits, tokens, mask):
    """Asks a distribution for every place, and multiplies a copy of the mask in."""
    length = tokens.shape[1]
    places = logits.narrow(1, logits.shape[1] - length - 1, length)
    return torch.distributions.Categorical(logits=places).log_prob(tokens) * mask.to(logits.dtype)


def right_one_hot(logits, tokens, mask):
    """Normalises the whole text, picks with a one-hot sum, and shifts last."""
    length, vocabulary = tokens.shape[1], logits.shape[2]
    everything = logits.log_softmax(-1)[:, :-1][:, -length:]
    picked = (everything * torch.nn.functional.one_hot(tokens, vocabulary)).sum(-1)
    return torch.where(mask, picked, torch.zeros_like(picked))
