"""Wrong answers to value_loss."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_02.guards import Formula, checked, refusing_softly, returning_the_error, spellings


def _mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception in all formulas, each with both guards, either, or none."""
    wrong, *variants = (spelling for formula in formulas for spelling in spellings(formula, detach=1))
    return Misconception(id, explanation, wrong, tuple(variants))


def _right(values: Tensor, returns: Tensor) -> Tensor:
    return 0.5 * (values - returns).square().mean()


def _squeezing(values: Tensor, returns: Tensor) -> Tensor:
    return _right(values.reshape(-1), returns.detach().reshape(-1))


_SQUEEZES: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda x: x.squeeze(-1),
    lambda x: x.squeeze(),
    lambda x: x.reshape(-1),
)


def _values_only(values: Tensor, returns: Tensor) -> Tensor:
    if values.ndim > 1:
        raise ValueError("values must be [B]")
    return _right(values, returns)


MISCONCEPTIONS = (
    Misconception(
        "both-guards-missing",
        "The formula is right and both guards are missing. [B] against [B, 1] broadcasts to [B, B] without an error: "
        "every value is drawn to every return, and the critic learns one mean for all states. And a gradient flows "
        "into returns, which are the target.",
        _right,
        variants=(lambda values, returns: functional.mse_loss(values, returns) / 2,),
    ),
    Misconception(
        "gradient-into-the-returns",
        "The number is right, but a gradient flows into returns. They are the target and count as data; from unit 03 "
        "on they are computed from the critic itself, and then the target would move towards the guess. Detach them.",
        checked(_right),
    ),
    Misconception(
        "broadcast-unnoticed",
        "[B] against [B, 1] broadcasts to [B, B] without an error: the mean then runs over every value against every "
        "return, and the critic learns one mean for all states. Compare the shapes with each other and raise "
        "ValueError; the number of elements or of rows says nothing, it is the same.",
        lambda values, returns: _right(values, returns.detach()),
    ),
    Misconception(
        "only-one-side-checked",
        "You refuse values [B, 1] and let returns [B, 1] pass, or the other way round. Either of them broadcasts: "
        "compare the two shapes with each other.",
        lambda values, returns: _values_only(values, returns.detach()),
        variants=(
            _values_only,
            lambda values, returns: _values_only(returns.detach(), values),
            lambda values, returns: _values_only(returns, values),
        ),
    ),
    Misconception(
        "squeezed-instead-of-refused",
        "You made [B, 1] fit by squeezing or reshaping. But the caller made a mistake and should hear of it: the same "
        "tensor goes into other formulas as well, and there nobody squeezes it. Raise ValueError.",
        _squeezing,
        variants=(
            lambda values, returns: _right(values.reshape(-1), returns.reshape(-1)),
            *(
                spelling
                for squeeze in _SQUEEZES
                for spelling in (
                    lambda values, returns, squeeze=squeeze: _right(squeeze(values), returns.detach()),
                    lambda values, returns, squeeze=squeeze: _right(squeeze(values), returns),
                    lambda values, returns, squeeze=squeeze: _right(values, squeeze(returns).detach()),
                    lambda values, returns, squeeze=squeeze: _right(squeeze(values), squeeze(returns).detach()),
                )
            ),
            lambda values, returns: _right(values.reshape(returns.shape), returns.detach()),
            lambda values, returns: _right(values, returns.detach().reshape(values.shape)),
        ),
    ),
    returning_the_error(lambda values, returns: _right(values, returns.detach()), _right),
    Misconception(
        "another-error",
        "You refuse unequal shapes with another error than ValueError. Python drops assert under the flag -O, and "
        "callers that catch a wrong value look for ValueError: raise that.",
        checked(lambda values, returns: _right(values, returns.detach()), AssertionError),
        variants=tuple(
            checked(formula, error)
            for error in (AssertionError, TypeError, RuntimeError, IndexError, Exception)
            for formula in (lambda values, returns: _right(values, returns.detach()), _right)
        ),
    ),
    Misconception(
        "refused-without-an-error",
        "For unequal shapes your function returns None, perhaps after a message. Whoever called it goes on with that "
        "None and fails somewhere else. Raise ValueError: it stops the caller at the right place.",
        refusing_softly(lambda values, returns: _right(values, returns.detach())),
        variants=(refusing_softly(_right),),
    ),
    _mistake(
        "half-missing",
        "This is twice what is asked for: the half is missing. With it the gradient is the error itself, not twice the "
        "error, and learning rates from papers mean the same here.",
        lambda values, returns: (values - returns).square().mean(),
        functional.mse_loss,
    ),
    _mistake(
        "sum-for-mean",
        "You summed where the mean is asked for. The critic's step would then grow with the length of the episodes, "
        "and they are ten times longer at the end of training than at its start.",
        lambda values, returns: 0.5 * (values - returns).square().sum(),
        lambda values, returns: (values - returns).square().sum(),
    ),
    _mistake(
        "cut-off-from-the-critic",
        "The number is right, but it is cut off from values: no gradient reaches the critic, and it never learns. Only "
        "the returns are to be detached.",
        lambda values, returns: _right(values.detach(), returns),
        lambda values, returns: _right(values, returns).detach(),
    ),
    _mistake(
        "python-number",
        "You returned a Python number. It remembers nothing of how it was computed, so backward cannot start from it. "
        "Return the 0-d tensor.",
        lambda values, returns: _right(values, returns).item(),
    ),
    _mistake(
        "not-reduced",
        "You returned one number for each step. backward needs a single one: take the mean.",
        lambda values, returns: 0.5 * (values - returns).square(),
        lambda values, returns: (values - returns).square(),
    ),
    _mistake(
        "squared-after-averaging",
        "You averaged the errors and squared the result. Errors of opposite sign then cancel: a critic that is 10 too "
        "high here and 10 too low there would have no loss. Square each error first.",
        lambda values, returns: 0.5 * (values - returns).mean().square(),
        lambda values, returns: (values - returns).mean().square(),
    ),
    _mistake(
        "not-squared",
        "You averaged the errors without squaring them. That has no smallest value: the critic would drift to minus "
        "infinity, or to plus.",
        lambda values, returns: 0.5 * (values - returns).mean(),
        lambda values, returns: 0.5 * (returns - values).mean(),
        lambda values, returns: (values - returns).mean(),
        lambda values, returns: (returns - values).mean(),
    ),
    _mistake(
        "absolute-error",
        "You used the absolute error. It is least at the median of the returns, not at their mean, and V(s) is defined "
        "as the mean. Square the errors.",
        lambda values, returns: (values - returns).abs().mean(),
        lambda values, returns: 0.5 * (values - returns).abs().mean(),
    ),
    _mistake(
        "huber",
        "You used the Huber loss. It equals the asked one for errors below 1 and grows only linearly beyond, so with "
        "returns of 100 it is mostly an absolute error, which is least at the median and not at the mean.",
        functional.smooth_l1_loss,
        lambda values, returns: 0.5 * functional.smooth_l1_loss(values, returns),
    ),
    _mistake(
        "root-of-the-mean-square",
        "You took a square root at the end. That is the error in units of reward, good to look at; as a loss its "
        "gradient is divided by the error, and where the critic is exact it is 0 / 0.",
        lambda values, returns: (values - returns).square().mean().sqrt(),
        lambda values, returns: 0.5 * (values - returns).square().mean().sqrt(),
    ),
    _mistake(
        "variance-of-the-error",
        "You took the variance of the errors. It does not see a constant offset: a critic that is 100 too low "
        "everywhere would have no loss. The mean of the squares sees it.",
        lambda values, returns: 0.5 * (values - returns).var(correction=0),
        lambda values, returns: (values - returns).var(correction=0),
        lambda values, returns: 0.5 * (values - returns).var(),
        lambda values, returns: (values - returns).var(),
    ),
    _mistake(
        "sign-flipped",
        "Your loss is negative. An optimizer makes it smaller still, so the critic would run away from the returns.",
        lambda values, returns: -_right(values, returns),
        lambda values, returns: -(values - returns).square().mean(),
    ),
)
