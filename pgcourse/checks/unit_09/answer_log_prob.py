"""answer_log_prob(logits, tokens, mask): log-probability of each token of an answer, from one pass over prompt and answer."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, Misconception, edits_of, generator, integers, normal
from pgcourse.checks.rewritten import Edits


def answer_log_prob(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Log softmax of the logits one place earlier, at the token. logits [B, P + T, V], tokens and mask [B, T] -> [B, T]."""
    length = tokens.shape[1]
    before = logits[:, -length - 1 : -1]  # [B, T, V]
    log_prob = before.log_softmax(dim=-1)
    chosen = log_prob.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)  # [B, T]
    return torch.where(mask, chosen, 0.0)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. A row's mask begins with True; what fills it up is a token like any other."""
    three = math.log(3)
    yield from_lists([[[0, 0], [0, three], [5, 5]]], [[1, 1]], ["11"])
    # A prompt of two tokens. Neither its first place nor the text's last one decides over the answer.
    yield from_lists([[[9, 0], [three, 0], [0, 4]]], [[0]], ["1"])
    yield from_lists([[[0, three], [three, 0], [2, 0]], [[0, 0], [0, 1], [1, 0]]], [[0, 0], [1, 1]], ["11", "10"])
    # Equal logits: every token has probability 1/4.
    yield from_lists([[[1.0] * 4] * 4], [[2, 0, 3]], ["110"])
    # No ties among large logits: x - logsumexp(x) is right too, but float32 leaves it three digits of log 2 at 10,000.
    large = [[1e4, -1e4, 0], [-1e4, 0, 1e4], [0, 1e4, -1e4], [1e4, 0, -1e4]]
    yield from_lists([large, large[::-1]], [[0, 1], [2, 0]], ["11", "10"])
    yield from_lists([large], [[1, 2, 2]], ["111"])
    source = generator(seed)
    yield random_case(source, prompt=2, lengths=[4, 2, 1], vocabulary=5)
    yield random_case(source, prompt=1, lengths=[3, 1, 3], vocabulary=3)
    yield random_case(source, prompt=4, lengths=[1, 1], vocabulary=6)
    yield random_case(source, prompt=3, lengths=[2, 4], vocabulary=4, dtype=torch.float64)
    size = 5000 + int(integers(source, 5000))
    large = [[size, -size, 0], [-size, 0, size], [0, size, -size], [size, 0, -size]]
    small = normal(source, 4, 3).tolist()
    yield from_lists([large, large[::-1], small], [[1, 2, 2], [0, 1, 0], [2, 0, 1]], ["111", "110", "110"])


def from_lists(logits: list[list[list[float]]], tokens: list[list[int]], answers: list[str]) -> Case:
    """Masks written as text, 1 on the tokens of an answer."""
    mask = torch.tensor([[digit == "1" for digit in row] for row in answers])
    return {"logits": torch.tensor(logits, dtype=torch.float32), "tokens": torch.tensor(tokens), "mask": mask}


def random_case(
    source: torch.Generator, *, prompt: int, lengths: list[int], vocabulary: int, dtype: torch.dtype = torch.float32
) -> Case:
    """One answer of each length, filled up to the longest."""
    batch, longest = len(lengths), max(lengths)
    return {
        "logits": 2 * normal(source, batch, prompt + longest, vocabulary, dtype=dtype),
        "tokens": integers(source, vocabulary, batch, longest),
        "mask": torch.arange(longest) < torch.tensor(lengths)[:, None],
    }


mistake = edits_of(answer_log_prob)
PLACES = "-length - 1 : -1"
NORMALISED = "before.log_softmax(dim=-1)"
CHOSEN = "log_prob.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)"
MASKED = "torch.where(mask, chosen, 0.0)"


def mistake_in_formula(id: str, explanation: str, *spellings: Edits) -> Misconception:
    """A misconception about the log-probability, of those who apply the mask and of those who forget it."""
    return mistake(id, explanation, *({**each, **more} for more in ({}, {MASKED: "chosen"}) for each in spellings))


EXERCISE = Exercise.listed(
    "answer_log_prob",
    cases=cases,
    observe=Call("logits, tokens, mask", differentiable=("logits",)),
    reference=answer_log_prob,
    hints=(
        "Write the text of the example in a row, one prompt token and two answer tokens, and below each the logits that the "
        "model gave there. Which of the three decided over the answer's first token, and which over its last?",
        "The answer's T tokens were chosen from the T places that end one before the last: P - 1 to P + T - 2, where P is "
        "logits.shape[1] - T. Take these logits, then log_softmax over the vocabulary and gather at the tokens, as in unit "
        "00. The mask comes at the end.",
        "before = logits[:, -tokens.shape[1] - 1 : -1]; log_prob = before.log_softmax(-1).gather(-1, "
        "tokens.unsqueeze(-1)).squeeze(-1); return torch.where(mask, log_prob, 0.0)",
    ),
    misconceptions=(
        mistake_in_formula(
            "one-place-too-late",
            "You took the logits at the place of the token itself. There the model has read that token already, and its "
            "logits are for the next one. Each token was chosen from the logits one place before it.",
            {PLACES: "-length:"},
        ),
        mistake_in_formula(
            "one-place-too-early",
            "Your logits stand too early in the text: two places before the token, or at the beginning of the prompt. The "
            "first token of the answer was chosen from the logits at the prompt's last place, P - 1.",
            {PLACES: "-length - 2 : -2"},
            {PLACES: ":length"},
            {PLACES: "1 : length + 1"},
            {f"logits[:, {PLACES}]": "logits.roll(2, 1)[:, -length:]"},
            {f"logits[:, {PLACES}]": "torch.cat([0 * logits[:, :1], logits], 1)[:, -length - 2 : -2]"},
        ),
        mistake_in_formula(
            "probability-not-logarithm",
            "You returned probabilities. What is asked for is their natural logarithm, which is never positive: the log of "
            "1/2 is -0.693. Take log_softmax in place of softmax.",
            {"log_softmax": "softmax"},
        ),
        mistake_in_formula(
            "logarithm-of-rounded-probabilities",
            "You computed the probabilities first and took their logarithm. For large logits a probability rounds to 0, "
            "whose logarithm is -inf, or exp overflows; a small number against that gives another value. log_softmax never "
            "computes the probability.",
            {NORMALISED: "before.softmax(-1).log()"},
            {NORMALISED: "(before.softmax(-1) + 1e-8).log()"},
            {NORMALISED: "(before.softmax(-1) + 1e-10).log()"},
            {NORMALISED: "before.softmax(-1).clamp(min=1e-8).log()"},
            {NORMALISED: "before.softmax(-1).clamp(min=1e-10).log()"},
            {NORMALISED: "(before.exp() / before.exp().sum(-1, keepdim=True)).log()"},
            {NORMALISED: "before - before.exp().sum(-1, keepdim=True).log()"},
        ),
        mistake_in_formula(
            "logits-not-normalised",
            "You returned the logits of the tokens as they are. They become log-probabilities only after normalising: subtract "
            "the logarithm of the sum of the exponentials over the vocabulary, as log_softmax does.",
            {NORMALISED: "before"},
        ),
        mistake_in_formula(
            "normalised-along-another-axis",
            "You normalised over the places, over the batch or over everything at once. The model chooses one token at each "
            "place of each row: the probabilities that sum to 1 are those of the vocabulary, the last axis.",
            {"dim=-1": "dim=1"},
            {"dim=-1": "dim=0"},
            {NORMALISED: "logits.log_softmax(1)[:, -length - 1 : -1]"},
            {NORMALISED: "before.flatten().log_softmax(0).view(before.shape)"},
        ),
        mistake_in_formula(
            "likeliest-token",
            "You took the log-probability of the token that the model likes best. The answer was sampled, so it holds others "
            "too; what counts is the token that stands in it. Look up the entry that tokens names.",
            {CHOSEN: "log_prob.amax(-1)"},
        ),
        mistake_in_formula(
            "mean-over-the-vocabulary",
            "You averaged or summed over the vocabulary. Of the V log-probabilities at a place one alone is asked for, that "
            "of the token in the answer: gather takes it out.",
            {CHOSEN: "log_prob.mean(-1)"},
            {CHOSEN: "log_prob.sum(-1)"},
            {CHOSEN: "(log_prob.exp() * log_prob).sum(-1)"},
            {CHOSEN: "-(log_prob.exp() * log_prob).sum(-1)"},
        ),
        mistake(
            "added-up-over-the-answer",
            "You added up or averaged the tokens of each answer. Asked for is one number for each token, [B, T]: the losses "
            "of this unit clip and weigh every token by itself, and nobody can take a sum apart again.",
            {MASKED: f"{MASKED}.sum(-1)"},
            {MASKED: "chosen.sum(-1)"},
            {MASKED: f"{MASKED}.sum(-1) / mask.sum(-1)"},
            {MASKED: f"{MASKED}.mean(-1)"},
            {MASKED: "chosen.mean(-1)"},
            {MASKED: f"{MASKED}.cumsum(-1)"},
            {MASKED: "torch.where(mask, chosen.cumsum(-1), 0.0)"},
        ),
        mistake(
            "mask-applied-to-the-logits",
            "You applied the mask to the logits. A row of equal logits still gives each token the probability 1/V, whose "
            "logarithm is not 0, and a row of -inf gives NaN. Take the log-probability first, and put the 0 in last.",
            {PLACES + "]": PLACES + "] * mask.unsqueeze(-1)", MASKED: "chosen"},
            {PLACES + "]": PLACES + "].masked_fill(~mask.unsqueeze(-1), -1e8)", MASKED: "chosen"},
            {PLACES + "]": PLACES + "].masked_fill(~mask.unsqueeze(-1), float('-inf'))", MASKED: "chosen"},
        ),
        mistake(
            "mask-the-wrong-way-round",
            "Your mask is the wrong way round: the answer's own tokens have 0, and what fills the row up has a number. "
            "torch.where takes its second argument where the mask is True; masked_fill fills where it is given True.",
            {MASKED: "torch.where(mask, 0.0, chosen)"},
        ),
        mistake(
            "end-left-out",
            "The last token of each answer has 0 in your result. It is the one with which the model ends its answer, and it is "
            "chosen as the others are: without it, nothing ever teaches the model when to stop.",
            {MASKED: "torch.where(mask & torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1), chosen, 0.0)"},
        ),
        mistake(
            "mask-without-effect",
            "Where the mask is False your result is not 0. The tokens that fill a row up were never chosen, and whoever adds "
            "up log-probabilities would count them: put 0 there, no -inf and no large negative number.",
            {MASKED: "chosen"},
            {MASKED: "torch.where(mask, chosen, float('-inf'))"},
            {MASKED: "torch.where(mask, chosen, -1e8)"},
            {MASKED: "torch.where(mask, chosen, -1e9)"},
            {MASKED: "torch.where(mask, chosen, 1.0)"},
        ),
    ),
)
