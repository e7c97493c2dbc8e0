"""Characters as tokens: text to numbers and back."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import InvalidInput

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxNESWFLRM >="
END = len(ALPHABET)  # the token that ends an answer; it also fills the rows of shorter ones
VOCABULARY_SIZE = len(ALPHABET) + 1


def encode(texts: Sequence[str]) -> Tensor:
    """Texts of one length as tokens [B, L]. Raises: InvalidInput for other characters, and for lengths that differ."""
    foreign = sorted({character for text in texts for character in text} - set(ALPHABET))
    if foreign:
        raise InvalidInput(f"no token for {', '.join(map(repr, foreign))}; the alphabet is {ALPHABET!r}")
    lengths = {len(text) for text in texts}
    if len(lengths) > 1:
        raise InvalidInput(
            f"texts of {min(lengths)} to {max(lengths)} characters; fill them up with spaces to one length"
        )
    return torch.tensor([[ALPHABET.index(character) for character in text] for text in texts])


def encode_answers(texts: Sequence[str], length: int) -> tuple[Tensor, Tensor]:
    """Answers as tokens [B, length], each followed by END and filled up with it, and the mask of what belongs to them.

    Returns: tokens, and mask [B, length] bool, True up to the first END, which is a token of the answer as the others are.
    Raises: InvalidInput where an answer and its END are longer.
    """
    longest = max(map(len, texts)) + 1
    if longest > length:
        raise InvalidInput(f"an answer of {longest} tokens with its END, where {length} fit")
    tokens = torch.full((len(texts), length), END)
    for row, text in zip(tokens, texts, strict=True):
        row[: len(text)] = encode([text])[0] if text else END
    return tokens, answer_mask(tokens)


def answer_mask(tokens: Tensor, end: int = END) -> Tensor:
    """Which tokens [..., T] belong to the answer: all up to the first END, that one too; all where there is none."""
    ended = tokens == end
    return ended.cumsum(-1) - ended.to(torch.int64) == 0


def decode(tokens: Tensor) -> list[str]:
    """The text of each row [B, T] up to its first END."""
    texts = []
    for row in tokens.tolist():
        length = row.index(END) if END in row else len(row)
        texts.append("".join(ALPHABET[token] for token in row[:length]))
    return texts
