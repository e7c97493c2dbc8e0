"""A causal transformer over characters, small enough to be read and trained in one sitting.

Each block adds to the stream of every position: what attention fetches from this and earlier positions, then what a small
network makes of the result. Sources: Vaswani et al. (2017), "Attention is all you need"; layer norms before each part as in
Radford et al. (2019), "Language models are unsupervised multitask learners".
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..networks import NETWORKS
from .text import VOCABULARY_SIZE

Cache = list[tuple[Tensor, Tensor]]  # of each block: keys and values [B, heads, positions so far, width / heads]


class Block(nn.Module):
    """Attention over the positions so far, then a network for each position; both added to the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.network_norm = nn.LayerNorm(width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Streams [B, L, width] of L new positions, after those whose keys and values are `past`.

        Returns: streams [B, L, width]; keys and values of all positions so far.
        """
        batch, length, width = x.shape
        projected = self.queries_keys_values(self.attention_norm(x))
        queries, keys, values = projected.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        # Without a past, position t sees positions 0 to t; a single new position sees all that are there.
        found = functional.scaled_dot_product_attention(queries, keys, values, is_causal=past is None)
        x = x + self.attended(found.transpose(1, 2).reshape(batch, length, width))
        return x + self.network(self.network_norm(x)), (keys, values)


class Transformer(nn.Module):
    """tokens [B, L] -> logits [B, L, V] of the next token at each position; what comes later has no influence.

    Args: context: positions at most. With `values=True` the output is one number a position [B, L], as a critic's.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        layers: int = 2,
        heads: int = 4,
        context: int = 48,
        vocabulary_size: int = VOCABULARY_SIZE,
        values: bool = False,
    ) -> None:
        super().__init__()
        self.arguments: dict[str, Any] = {
            "width": width,
            "layers": layers,
            "heads": heads,
            "context": context,
            "vocabulary_size": vocabulary_size,
            "values": values,
        }
        self.token = nn.Embedding(vocabulary_size, width)
        self.position = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1 if values else vocabulary_size)
        self.values = values
        for embedding in (self.token, self.position):
            nn.init.normal_(embedding.weight, std=0.1)  # the default of 1 drowns what the blocks add
        nn.init.normal_(self.head.weight, std=0.02)  # first answers nearly uniform, first values nearly 0
        nn.init.zeros_(self.head.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.extend(tokens)[0]

    def extend(self, tokens: Tensor, past: Cache | None = None) -> tuple[Tensor, Cache]:
        """Outputs for new positions alone, L of them without a past and 1 with it, and the cache for the next call."""
        before: Sequence[tuple[Tensor, Tensor] | None] = past or [None] * len(self.blocks)
        start = past[0][0].shape[2] if past else 0
        places = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        x = self.token(tokens) + self.position(places)
        cache = []
        for block, seen in zip(self.blocks, before, strict=True):
            x, after = block(x, seen)
            cache.append(after)
        out = self.head(self.norm(x))
        return out.squeeze(-1) if self.values else out, cache


NETWORKS[Transformer.__name__] = Transformer
