"""How likely at least one of k answers is right, estimated from n >= k of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidInput


def pass_at_k(right: ArrayLike, num_answers: int, k: int) -> NDArray[np.float64]:
    """1 - C(n - c, k) / C(n, k) for each prompt: the share of the sets of k among n answers that hold a right one.

    It is unbiased; 1 - (1 - c/n)^k is not, it says too little. Args: right: c of each prompt, integers of any shape.
    Raises: InvalidInput unless 1 <= k <= num_answers. Source: Chen et al. (2021), "Evaluating large language models trained
    on code".
    """
    if not 1 <= k <= num_answers:
        raise InvalidInput(f"k={k} with num_answers={num_answers}; use 1 <= k <= num_answers")
    wrong = num_answers - np.asarray(right)
    # The k draws, one after the other, without putting back: all are wrong with probability prod (wrong - i) / (n - i).
    drawn = np.arange(k)
    return np.asarray(1 - np.prod(np.maximum(wrong[..., None] - drawn, 0) / (num_answers - drawn), axis=-1))
