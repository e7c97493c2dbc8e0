"""The progress page says what stands in the progress file."""

from typing import Any

from pgcourse.checks import progress
from pgcourse.checks.exercise import exercises
from pgcourse.show.page.progress_page import progress_page, standings


def test_an_untouched_course_has_all_its_points_and_minutes_left(shown: list[Any]) -> None:
    progress_page()
    (bundle,) = shown
    known = exercises()
    total = sum(exercise.points for exercise in known)
    minutes = sum(exercise.minutes for exercise in known)
    assert f"0 of {len(known)} exercises, 0 of {total} points, about {minutes} minutes left" in bundle["text/html"]
    assert all(f"<code>{exercise.id}</code>" in bundle["text/html"] for exercise in known)
    assert "<details open>" not in bundle["text/html"]


def test_what_was_done_stands_in_the_page(shown: list[Any]) -> None:
    first, second = [exercise for exercise in exercises() if exercise.unit == "01"][:2]
    progress.record_check(first.id, "not yet")
    progress.record_check(first.id, "correct")
    progress.record_check(second.id, "not yet")
    progress.record_hint(second.id, 2)
    progress.record_solution(second.id)
    progress.record_answer("q", "a", 0.5, True)
    by_id = {row.id: row for row in standings()}
    done, open_one = by_id[first.id], by_id[second.id]
    assert (done.status, done.earned, done.minutes_left, done.tries) == ("correct", first.points, 0, 2)
    assert (open_one.status, open_one.earned, open_one.minutes_left) == ("not yet", 0, second.minutes)
    progress_page()
    page = shown[0]["text/html"]
    assert page.count("<details open>") == 1, "the unit that is begun is open"
    assert "not yet (solution seen)" in page and "Questions answered: 1, 1 of them right" in page
    assert f"01 ✓ {first.id}: {first.points} of {first.points} points" in shown[0]["text/plain"]
