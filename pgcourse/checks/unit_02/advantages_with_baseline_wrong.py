"""Wrong answers to advantages_with_baseline."""

from __future__ import annotations

from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_02.guards import Formula, checked, refusing_softly, returning_the_error, spellings


def _with(*formulas: Formula) -> tuple[Formula, tuple[Formula, ...]]:
    """The formulas in every spelling, as the last two arguments of a Misconception."""
    first, *others = (spelling for formula in formulas for spelling in spellings(formula, detach=1))
    return first, tuple(others)


def _standardised(correction: int) -> Formula:
    def formula(returns: Tensor, values: Tensor) -> Tensor:
        advantages = returns - values
        return (advantages - advantages.mean()) / (advantages.std(correction=correction) + 1e-8)

    return formula


def _in_place(returns: Tensor, values: Tensor) -> Tensor:
    returns -= values.detach()
    return returns


MISCONCEPTIONS = (
    Misconception(
        "bare-subtraction",
        "The subtraction is right and both guards are missing. Values of shape [B, 1] broadcast to [B, B] without "
        "an error, every return against every value; and a gradient flows into values, so that the policy's loss "
        "would pull at the critic.",
        lambda returns, values: returns - values,
        variants=(lambda returns, values: returns.detach() - values,),
    ),
    Misconception(
        "values-not-detached",
        "The numbers are right, but a gradient flows into values. The policy's loss would then train the critic "
        "to make good actions look bad. The baseline counts as a constant: detach the values, not the returns.",
        checked(lambda returns, values: returns - values),
        variants=(checked(lambda returns, values: returns.detach() - values),),
    ),
    Misconception(
        "broadcast-unnoticed",
        "Values of shape [B, 1] against returns [B] broadcast to [B, B]: every return minus every value. No error "
        "says so, and the mean over it looks plausible. Compare the shapes first and raise ValueError; the number of "
        "elements or of rows says nothing, it is the same.",
        lambda returns, values: returns - values.detach(),
    ),
    Misconception(
        "squeezed-instead-of-refused",
        "You made values [B, 1] fit by squeezing or reshaping. The numbers are right, but here the caller made a "
        "mistake and should hear of it: the same values go into the critic's loss as well, and there nobody "
        "squeezes them. Raise ValueError.",
        lambda returns, values: returns - values.detach().squeeze(-1),
        variants=(
            lambda returns, values: returns - values.detach().reshape(returns.shape),
            lambda returns, values: returns - values.squeeze(-1),
            lambda returns, values: returns - values.reshape(returns.shape),
            lambda returns, values: returns - values.detach().squeeze(),
            lambda returns, values: (returns - values.detach().squeeze()).reshape(-1),
        ),
    ),
    Misconception(
        "another-error",
        "You refuse values [B, 1] with another error than ValueError. Python drops assert under the flag -O, and "
        "callers that catch a wrong value look for ValueError: raise that.",
        checked(lambda returns, values: returns - values.detach(), AssertionError),
        variants=tuple(
            checked(formula, error)
            for error in (AssertionError, TypeError, RuntimeError, IndexError, Exception)
            for formula in (lambda returns, values: returns - values.detach(), lambda returns, values: returns - values)
        ),
    ),
    Misconception(
        "refused-without-an-error",
        "For values [B, 1] your function returns None, perhaps after a message. Whoever called it goes on with that "
        "None and fails somewhere else, or not at all. Raise ValueError: it stops the caller at the right place.",
        refusing_softly(lambda returns, values: returns - values.detach()),
        variants=(refusing_softly(lambda returns, values: returns - values),),
    ),
    returning_the_error(lambda returns, values: returns - values.detach(), lambda returns, values: returns - values),
    Misconception(
        "sign-flipped",
        "You computed value minus return. What went better than expected would then count as bad, and the policy "
        "would unlearn it. The advantage is positive where the return is above the value.",
        *_with(lambda returns, values: values - returns),
    ),
    Misconception(
        "returns-taken-as-advantages",
        "You returned the returns as they are: the values are never used. That is REINFORCE without a baseline.",
        *_with(lambda returns, values: returns),
    ),
    Misconception(
        "values-taken-as-advantages",
        "You returned what the critic said. It knows the state and not the action: which action was better than "
        "expected is in the difference.",
        *_with(lambda returns, values: values),
    ),
    Misconception(
        "one-baseline-for-all",
        "You subtracted one number, the mean of the values, from every return. That is a constant baseline. The "
        "critic gives one value for each state: subtract them element by element.",
        *_with(lambda returns, values: returns - values.mean()),
    ),
    Misconception(
        "mean-return-as-baseline",
        "You subtracted the mean return and never used the values. That is a constant baseline, the same for every "
        "state. The critic gives one value for each state: subtract them element by element.",
        *_with(lambda returns, values: returns - returns.mean()),
    ),
    Misconception(
        "standardised",
        "You standardised the advantages as well. That comes later, over the whole batch, and it is a step of its "
        "own: this function returns them in units of reward.",
        *_with(_standardised(0), _standardised(1)),
    ),
    Misconception(
        "centred",
        "You subtracted the mean of the advantages too. Centring comes later, with the standardising. Here the "
        "mean says something: above 0, the critic is too pessimistic.",
        *_with(lambda returns, values: returns - values - (returns - values).mean()),
    ),
    Misconception(
        "relative",
        "You divided by the value. Dividing is no baseline: only what is subtracted leaves the expected gradient "
        "as it is, and values near 0 would make the result explode.",
        *_with(lambda returns, values: (returns - values) / values, lambda returns, values: returns / values),
    ),
    Misconception(
        "sign-lost",
        "You took the absolute value or the square. Whether it went better or worse than expected is the very "
        "thing the policy learns from; squares belong into the critic's loss.",
        *_with(
            lambda returns, values: (returns - values).abs(),
            lambda returns, values: (returns - values) ** 2,
            lambda returns, values: 0.5 * (returns - values) ** 2,
        ),
    ),
    Misconception(
        "only-the-good-ones",
        "You cut the negative advantages off at 0. Actions that went worse than expected should become less "
        "likely, and without them the estimate is biased.",
        *_with(lambda returns, values: (returns - values).clamp(min=0)),
    ),
    Misconception(
        "changed-in-place",
        "The numbers are right, but you wrote them into the caller's returns: the critic is to be fitted to those "
        "afterwards. Make a new tensor.",
        checked(_in_place),
        variants=(_in_place,),
    ),
)
