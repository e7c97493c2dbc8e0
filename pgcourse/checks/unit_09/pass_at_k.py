"""pass_at_k(num_answers, num_right, k): how likely k of n answers hold a right one, when c of the n are right."""

import math
from collections.abc import Iterator

from pgcourse.checks.authoring import Call, Case, Exercise, Misconception, edits_of, generator, integers
from pgcourse.checks.rewritten import Edits


def pass_at_k(num_answers: int, num_right: int, k: int) -> float:
    """1 - C(n - c, k) / C(n, k). Source: Chen et al. (2021), "Evaluating large language models trained on code"."""
    if k < 1 or k > num_answers:
        raise ValueError(f"k is {k}, expected 1 to {num_answers}")
    wrong = num_answers - num_right
    none_right = math.comb(wrong, k) / math.comb(num_answers, k)
    return 1 - none_right


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    for n, c, k in (
        (3, 1, 2),
        (4, 2, 2),
        (5, 1, 1),
        (3, 0, 2),
        (3, 3, 3),
        (3, 2, 2),  # one wrong answer, so no two that are wrong
        (1, 0, 1),
        (5, 1, 5),
        (3, 1, 4),  # refused
        (3, 1, 0),  # refused
        (3, 1, -1),  # refused
        (2, 0, 3),  # refused
        (10, 2, 3),
        (1000, 1, 500),
        (1000, 500, 1),
        (1000, 3, 300),
        (1000, 990, 20),
    ):
        yield {"num_answers": n, "num_right": c, "k": k}
    source = generator(seed)
    for most in (20, 100):
        n = 12 + int(integers(source, most))
        yield {"num_answers": n, "num_right": 2 + int(integers(source, 3)), "k": 2 + int(integers(source, 5))}
    n, c, k = (int(integers(source, most)) for most in (40, 3, 200))
    yield {"num_answers": 1000 - n, "num_right": 1 + c, "k": 300 + k}
    n = 5 + n
    for k in (n - 1 - c, n, n - c, n + 1 + c, 0):  # as many as are wrong; all, and more than are wrong; refused
        yield {"num_answers": n, "num_right": 1 + c, "k": k}


RAISE = 'raise ValueError(f"k is {k}, expected 1 to {num_answers}")'
BAD = "k < 1 or k > num_answers"
SHARE = "math.comb(wrong, k) / math.comb(num_answers, k)"
PRODUCT = "math.prod((wrong - drawn) / (num_answers - drawn) for drawn in range(k))"
SHRINKING = "math.prod(1 - k / i for i in range(wrong + 1, num_answers + 1))"
ANSWER = "1 - none_right"
UNGUARDED = {BAD: "False"}


def float_factorials(n: int, k: int) -> float:
    """C(n, k) from factorials that are floats."""
    return math.gamma(n + 1) / (math.gamma(k + 1) * math.gamma(n - k + 1)) if k <= n else 0


def divided_factorials(n: int, k: int) -> float:
    """C(n, k) from whole factorials, divided one after the other into floats."""
    return math.factorial(n) / math.factorial(k) / math.factorial(n - k) if k <= n else 0


def quotient_of_factors(n: int, k: int) -> float:
    """C(n, k) as two products of floats."""
    above, below = (math.prod(map(float, range(*ends))) for ends in ((n - k + 1, n + 1), (1, k + 1)))
    return above / below if k <= n else 0


edited = edits_of(
    pass_at_k,
    float_factorials=float_factorials,
    divided_factorials=divided_factorials,
    quotient_of_factors=quotient_of_factors,
)


def mistake(id: str, explanation: str, *edits: Edits) -> Misconception:
    """A misconception about the formula, of those who refuse a k out of range and of those who forget to."""
    return edited(id, explanation, *({**more, **each} for each in edits for more in ({}, UNGUARDED)))


EXERCISE = Exercise.listed(
    "pass_at_k",
    cases=cases,
    observe=Call("num_answers, num_right, k"),
    reference=pass_at_k,
    hints=(
        "Write down the three pairs of three answers of which one is right. How many of the pairs hold none that is right, and "
        "why is that the easier thing to count?",
        "There are C(n, k) sets of k answers, and C(n - c, k) of them are made of wrong answers alone. math.comb counts both, "
        "exactly, and gives 0 where there are too few wrong ones. Before that, refuse a k below 1 or above n.",
        "if k < 1 or k > num_answers: raise ValueError(...); "
        "return 1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k)",
    ),
    misconceptions=(
        mistake(
            "with-replacement",
            "You computed 1 - (1 - c/n)^k, as if an answer could be drawn twice. The k answers are different ones: after a "
            "wrong one is drawn, fewer wrong ones are left. Your number comes out too small.",
            {SHARE: "(1 - num_right / num_answers) ** k"},
        ),
        mistake(
            "k-left-out",
            "You returned the share of right answers, c/n. That is pass@1. With more tries a right one becomes likelier: count "
            "the sets of k answers that hold one.",
            {ANSWER: "num_right / num_answers"},
        ),
        mistake(
            "shares-added",
            "You added the share c/n once for each of the k tries. A set that holds two right answers is then counted twice. "
            "Count the sets that hold none, and take their share off from 1.",
            {ANSWER: "min(1.0, k * num_right / num_answers)"},
            {ANSWER: "k * num_right / num_answers"},
        ),
        mistake(
            "exactly-one",
            "You counted the sets with exactly one right answer. Asked for is at least one: sets with two or more count as "
            "well. It is easier to count the sets with none.",
            {ANSWER: "num_right * math.comb(wrong, k - 1) / math.comb(num_answers, k)"},
            {ANSWER: "k * num_right / num_answers * (wrong / num_answers) ** (k - 1)"},
        ),
        mistake(
            "right-for-wrong",
            "You counted the sets of right answers alone. Their share is how often all k are right, and 1 minus it how often "
            "one or more is wrong. The sets that hold no right answer come from the n - c wrong ones.",
            {ANSWER: "math.comb(num_right, k) / math.comb(num_answers, k)"},
            {"comb(wrong, k)": "comb(num_right, k)"},
            {ANSWER: "(num_right / num_answers) ** k"},
        ),
        mistake(
            "share-of-failures",
            "You returned how often none of the k answers is right. Asked for is the opposite: take that share off from 1.",
            {ANSWER: "none_right"},
        ),
        mistake(
            "order-counted-once",
            "You counted one number with regard to the order of the answers and the other without, or left C(n, k) "
            "out. Either both count the order or neither does: math.comb above and below.",
            {"math.comb(wrong": "math.perm(wrong"},
            {"math.comb(num_answers": "math.perm(num_answers"},
            {SHARE: "math.comb(wrong, k) / num_answers**k"},
            {SHARE: "math.comb(wrong, k)"},
        ),
        edited(
            "k-made-to-fit",
            "You changed a k that is out of range, or answered for it with a number. pass@k of fewer than k answers is not "
            "known, and a number that looks like it goes into a table unnoticed. Raise ValueError.",
            {RAISE: "k = min(max(k, 1), num_answers)"},
            {BAD: "k < 1", "wrong =": "k = min(k, num_answers)\n    wrong ="},
            {RAISE: "return 1.0 if num_right and k > 0 else 0.0"},
            *({RAISE: f"return {given}"} for given in ("0.0", "1.0", "0", "1", "math.nan", "num_right / num_answers")),
        ),
        edited(
            "k-not-refused",
            "A k that is out of range is not refused with ValueError, or only on one side. A k of 0 gives 0, and a k above n "
            "gives 1 or a division by 0; the numbers look like results. Compare k with 1 and with n before anything else.",
            UNGUARDED,
            {BAD: "k < 1"},
            {BAD: "k < 0"},
            {BAD: "k > num_answers"},
            {BAD: "k < 0 or k > num_answers"},
            *(
                {BAD: guard, SHARE: product}
                for guard in ("False", "k < 1", "k > num_answers")
                for product in (PRODUCT, f"0.0 if wrong < k else {PRODUCT}", f"0.0 if wrong < k else {SHRINKING}")
            ),
        ),
        edited(
            "k-equal-to-n-refused",
            "You refuse a k equal to n. All n answers may be drawn: then a right one is among them wherever there is one, and "
            "pass@n is 1 or 0.",
            {BAD: "k < 1 or k >= num_answers"},
        ),
        mistake(
            "too-large-for-floats",
            "You computed factorials or long products as floats. 1000! has 2568 digits and a float has room for 309: "
            "Python raises an error, others give infinity or NaN. math.comb stays with whole numbers, and Python divides "
            "two of any size.",
            {SHARE: "divided_factorials(wrong, k) / divided_factorials(num_answers, k)"},
            {SHARE: "float_factorials(wrong, k) / float_factorials(num_answers, k)"},
            {SHARE: "quotient_of_factors(wrong, k) / quotient_of_factors(num_answers, k)"},
        ),
        mistake(
            "few-wrong-answers",
            "Where fewer than k answers are wrong your function fails or gives another number than 1. Then there is no set of "
            "wrong answers alone, so every set holds a right one: math.comb gives 0 there, formulas with factorials do not.",
            {
                SHARE: "math.factorial(wrong) * math.factorial(num_answers - k)"
                " / (math.factorial(wrong - k) * math.factorial(num_answers))"
            },
            {
                SHARE: "math.exp(math.lgamma(wrong + 1) - math.lgamma(wrong - k + 1)"
                " + math.lgamma(num_answers - k + 1) - math.lgamma(num_answers + 1))"
            },
            {"comb(wrong, k)": "comb(max(wrong, k), k)"},
            {"wrong =": "if num_answers - num_right < k:\n        return 0.0\n    wrong ="},
            {"wrong =": "if num_answers - num_right < k:\n        raise ValueError\n    wrong ="},
        ),
        mistake(
            "percent",
            "You returned percent. A probability is a number between 0 and 1: leave the factor 100 to whoever prints it.",
            {ANSWER: "100 * (1 - none_right)"},
        ),
    ),
)
