"""Which solutions are alike, whatever their names."""

from pgcourse.grading.marks import similarity


def test_renamed_copies_are_alike_and_other_solutions_are_not() -> None:
    one = (
        "def f(rewards, gamma):\n    '''Text.'''\n    out = torch.empty_like(rewards)\n    acc = 0.0\n"
        "    for t in reversed(range(len(rewards))):\n        acc = rewards[t] + gamma * acc\n        out[t] = acc\n"
        "    mean, std = out.mean(), out.std()\n    return (out - mean) / (std + 1e-8)\n"
    )
    copy = one.replace("out", "result").replace("acc", "running").replace("'''Text.'''", "# mine")
    other = (
        "def f(rewards, gamma):\n    n = len(rewards)\n    powers = gamma ** torch.arange(n)\n    total = []\n"
        "    for start in range(n):\n        total.append((powers[: n - start] * rewards[start:]).sum(0))\n"
        "    both = torch.stack(total)\n    return standardize(both, eps=1e-8, dim=0, keepdim=True)\n"
    )
    handed_in = {"anna": one, "ben": copy, "carl": other, "dora": "def f(): pass"}
    pairs = similarity.pairs("f", {who: similarity.form_of(source) for who, source in handed_in.items()})
    assert [(pair.first, pair.second, pair.similarity) for pair in pairs] == [("anna", "ben", 1.0)]
