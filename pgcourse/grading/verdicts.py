"""One exercise of one submission: its judgement, what of it needs a person, what else it depends on."""

from __future__ import annotations

from dataclasses import replace

from pgcourse.grading.cells import Cell, Plan, used_names
from pgcourse.grading.collect import Collected
from pgcourse.grading.judge import Answers, Judgement, decoded
from pgcourse.grading.review import review


def remarks_on(cell: Cell) -> list[tuple[int, str]]:
    """What of a learner's cell a person should look at."""
    return [] if cell.id.startswith("released-") else review(cell.source)


def cell_name(cell: str) -> str:
    """A cell's id in words."""
    return cell.replace("released-", "(as handed out) ")


def judge_exercise(
    answers: Answers, id: str, planned: Plan, collected: Collected, strange: list[str], problem: str
) -> Judgement:
    """Judge one exercise of a submission; withhold what a person has to look at (`review.py` says why)."""
    if problem:
        return Judgement("not attempted", 0.0, f"{id}: not attempted\n{problem}")
    errors = [collected.cell_errors[cell] for cell in planned.solutions[id] if cell in collected.cell_errors]
    seen = decoded(collected.seen.get(id, []))
    judgement = answers.judge(
        seen, collected.stopped.get(id, ""), errors[-1] if errors else "", collected.printed.get(id, [])
    )
    # Who changes a library may change what the observer sees: that an input stayed as it was, that no gradient flows.
    patched = any(": changes " in remark for remark in strange)
    if strange and (answers.known_beforehand or patched) and judgement.share > 0:
        lines = [f"{id}: withheld", "A person looks at this exercise, because your code does what answers do not need:"]
        return Judgement("withheld", 0.0, "\n".join([*lines, *strange[:10]]))
    return judgement


def with_cause(id: str, judged: dict[str, Judgement], planned: Plan) -> Judgement:
    """The judgement; where it is not right and calls another exercise that is not right either, it says so."""
    own = [cell for cell in planned.cells if cell.id in planned.solutions.get(id, ())]
    called = {name for cell in own for name in used_names(cell.source)} & judged.keys() - {id}
    wrong = sorted(name for name in called if judged[name].status != "correct")
    if judged[id].status != "not yet" or not wrong:
        return judged[id]
    first, *rest = judged[id].message.split("\n")
    said = f"It calls {' and '.join(wrong)}, not right yet: mend that first."
    return replace(judged[id], message="\n".join([first, said, *rest]))
