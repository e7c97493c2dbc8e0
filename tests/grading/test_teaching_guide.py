"""docs/teaching.md and the two tests beside it: hours that add up, keys that are right, commands that are accepted."""

import math
import re
from pathlib import Path

import pytest
import torch

from pgcourse import diagnostics, losses, returns
from pgcourse.cli import main
from pgcourse.cli.assignment import parse_units
from pgcourse.grading.release.notebooks import units

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (\d+) \|$", re.MULTILINE)
PART = re.compile(r"(\d\d)(?: \w+)?, (\d+) h")


@pytest.fixture
def guide(repository: Path) -> str:
    return (repository / "docs/teaching.md").read_text()


def minutes_of_readme(repository: Path) -> dict[str, tuple[int, int, int]]:
    """Unit -> minutes of the core path, of what is folded and of the exercises, from the README's table of units."""
    found = {}
    for line in (repository / "README.md").read_text().splitlines():
        if re.match(r"\| \d\d ", line):
            core, further, exercises = map(int, re.findall(r"-->(\d+)<!--", line))
            found[line[2:4]] = core, further, exercises
    assert len(found) == 10
    return found


@pytest.mark.parametrize(("weeks", "word", "optional"), [(4, "Four", False), (8, "Eight", False), (12, "Twelve", True)])
def test_each_plan_has_time_for_lesson_and_exercises_of_every_unit_in_order(
    repository: Path, guide: str, weeks: int, word: str, optional: bool
) -> None:
    table = re.split(rf"^\*\*{word} weeks\*\*", guide, flags=re.MULTILINE)[1].split("**", 1)[0]
    rows = ROW.findall(table)
    assert [int(week) for week, _, _ in rows] == list(range(1, weeks + 1))
    spent: dict[str, int] = {}
    for _, parts, total in rows:
        found = PART.findall(parts)
        assert len(found) == len(parts.split(";"))
        assert sum(int(hours) for _, hours in found) == int(total)
        for unit, hours in found:
            spent[unit] = spent.get(unit, 0) + int(hours)
    wanted = minutes_of_readme(repository)
    if not optional:
        del wanted["08"], wanted["09"]
    assert list(spent) == sorted(spent) == sorted(wanted)
    for unit, (core, further, exercises) in wanted.items():
        assert core + exercises <= 60 * spent[unit] <= core + further + exercises + 90, unit


def test_learning_goals_are_there_for_every_unit(repository: Path, guide: str) -> None:
    table = guide.split("## Learning goals")[1].split("## ")[0]
    assert re.findall(r"^\| (\d\d) \|", table, re.MULTILINE) == sorted(minutes_of_readme(repository))


def test_the_commands_of_the_guide_name_what_exists(guide: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["assignment", "make", "--help"])
    known = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    for command in re.findall(r"pgcourse assignment make [^\n`]*", guide):
        assert set(re.findall(r"--[\w-]+", command)) <= known | {"--help"}
        for text in re.findall(r"--units (\S+)", command):
            assert set(parse_units(text)) <= set(units())


def test_links_of_the_guide_lead_somewhere(repository: Path, guide: str) -> None:
    for text, target in re.findall(r"\[([^\]]+)\]\(([^)#]+)[^)]*\)", guide):
        assert target.startswith("http") or (repository / "docs" / target).exists(), text


def test_the_concept_test_has_a_key_for_every_question_and_no_favourite_letter(repository: Path) -> None:
    questions, key = (repository / "docs/concept_test.md").read_text().split("## Key")
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\*\* \(unit 0\d\)", questions, re.MULTILINE)]
    assert numbers == list(range(1, 17))
    for block in re.split(r"^\*\*\d+\*\* ", questions, flags=re.MULTILINE)[1:]:
        assert re.findall(r"^- ([A-D]) ", block, re.MULTILINE) == ["A", "B", "C", "D"]
    answers = re.findall(r"^\| (\d+) \| ([A-D]) \| .+ \|$", key, re.MULTILINE)
    assert [int(number) for number, _ in answers] == numbers
    letters = [letter for _, letter in answers]
    assert all(3 <= letters.count(letter) <= 5 for letter in "ABCD")


def test_the_numbers_of_the_concept_test_are_right() -> None:
    # 1: three arms, the worst is pulled and pays 1; its probability rises.
    logits = torch.zeros(3)
    step = logits + 0.1 * 1.0 * (torch.tensor([1.0, 0.0, 0.0]) - logits.softmax(-1))
    assert step.softmax(-1)[0] > 1 / 3
    # 2
    assert returns.discounted_returns(torch.tensor([0.0, 0.0, 6.0]), gamma=0.5)[0] == 1.5
    # 5
    values = torch.tensor([3.0, 8.0, 4.0])
    assert diagnostics.explained_variance(values - 100, values) == 1
    # 6
    spread = torch.zeros(4, 1, requires_grad=True)
    ((spread - torch.tensor([1.0, 2.0, 3.0, 6.0])) ** 2).mean().backward()
    assert spread.grad is not None
    assert torch.allclose(spread.grad, spread.grad[0].expand(4, 1))
    # 9: -3 counts, and a gradient remains; with a positive advantage the clip would have taken it.
    log_prob = torch.tensor([math.log(1.5)], requires_grad=True)
    loss = losses.ppo_clip_loss(log_prob, torch.zeros(1), torch.tensor([-2.0]), clip_coef=0.2)
    loss.backward()
    assert (round(loss.item(), 4), log_prob.grad is not None and log_prob.grad.item() != 0) == (3.0, True)
    # 10: at ratio 1 the gradient is that of -mean(A log pi).
    log_prob = torch.tensor([-1.0, -2.0], requires_grad=True)
    advantages = torch.tensor([2.0, -3.0])
    losses.ppo_clip_loss(log_prob, log_prob.detach(), advantages, clip_coef=0.2).backward()
    assert log_prob.grad is not None
    assert torch.allclose(log_prob.grad, -advantages / 2)
    # 12
    assert round(float(torch.distributions.Normal(0.0, 0.04).log_prob(torch.tensor(0.0))), 1) == 2.3
    # 14, 15
    assert round(1000 * 20 / 2048, 1) == 9.8
    assert (sum((480, 490, 200)) / 3, sum((400, 410, 420)) / 3) == (390, 410)


def test_the_key_of_the_prerequisite_test_is_right(repository: Path) -> None:
    questions, key = (repository / "docs/prerequisite_test.md").read_text().split("## Key")
    answers = dict(re.findall(r"^(\d)\. (.+)$", key, re.MULTILINE))
    assert list(answers) == re.findall(r"^(\d)\. ", questions, re.MULTILINE) == list("123456789")
    assert answers["1"] == f"`{[x * x for x in range(4) if x % 2]}`"
    assert answers["2"].startswith(f"`{list((torch.zeros(5, 1) - torch.zeros(5)).shape)}`")
    x = torch.tensor(3.0, requires_grad=True)
    for number in ("3", "4"):
        (x**2).backward()
        assert x.grad is not None
        assert answers[number].startswith(f"{x.grad.item():g}")
    pay, probability = torch.tensor([4.0, 0.0]), torch.tensor([0.25, 0.75])
    mean = (pay * probability).sum()
    assert answers["6"].startswith(f"Mean {mean:g}, variance {((pay**2) * probability).sum() - mean**2:g}")
    assert torch.allclose(torch.tensor([0.0, math.log(3)]).softmax(-1), torch.tensor([0.25, 0.75]))
    assert answers["8"] == "1/4 and 3/4"
    assert answers["9"] == f"{5 / math.sqrt(100):g}"
