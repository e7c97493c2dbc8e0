"""`pgcourse grade`: first every child of the class runs, then, when all are dead, the marks are worked out.

Between the two, what the attempts did lies in `OUT/observations`, one file a notebook: a run that was interrupted, or a
later one, runs only what is missing or has changed. No right answer is in these files.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pgcourse.checks.exercise import Exercise
from pgcourse.grading import again, regrade
from pgcourse.grading.folders import make_folder, open_to_all, require_no_file
from pgcourse.grading.marks import history, marked_answers, report, similarity
from pgcourse.grading.marks.gradebook import Student, Tables, read_tables, require_tables, student
from pgcourse.grading.marks.judge import Answers, Judged, judge_notebook
from pgcourse.grading.quarantine import cgroups
from pgcourse.grading.quarantine.folders import shown
from pgcourse.grading.quarantine.found import Found
from pgcourse.grading.quarantine.prepare import ClassWork, Work, prepare, reader_of
from pgcourse.grading.quarantine.process import Limits
from pgcourse.grading.quarantine.reading import Reading, ReadJob, read_all, stamp_job
from pgcourse.grading.quarantine.running import Collected, Job, collect, withheld
from pgcourse.grading.quarantine.submissions import Submission, find
from pgcourse.grading.release import manifest
from pgcourse.grading.release.exercises import checks_digest, exercises_of
from pgcourse.grading.release.manifest import Release
from pgcourse.grading.roster import Roster, read_roster
from pgcourse.grading.settings import Settings
from pgcourse.grading.tables import locked
from pgcourse.storage import atomic_write, write_json
from pgcourse.study.workers import run_jobs

Observed = dict[tuple[str, str], Collected]
Progress = Callable[[int, int], None]
Reader = Callable[[str, str], ReadJob]  # (student, path) -> what a worker needs to read that notebook
JudgedClass = dict[str, dict[str, Judged]]  # student -> assignment -> what the notebook is worth


@dataclass
class ClassResult:
    """All marks, and what there is to say about the run. `ran`: notebooks that were run, not taken from an earlier run."""

    students: list[Student]
    remarks: list[str]
    ran: int
    similar: list[similarity.Pair] = field(default_factory=list)


def grade(settings: Settings, *, on_progress: Progress | None = None) -> ClassResult:
    """Grade a class and write everything into `settings.out`. Raises: InvalidInput for what the teacher gave wrongly."""
    with cgroups.run(settings.jobs):
        return _grade(settings, on_progress)


def _grade(settings: Settings, on_progress: Progress | None) -> ClassResult:
    require_no_file(settings.out)
    release = manifest.read(settings.release)
    exercises = exercises_of(release, settings.release)
    settings, used_again = again.with_kept_files(settings)
    roster = read_roster(settings.roster) if settings.roster else None
    require_tables(settings.out, settings.times, release)
    limits, kept = limits_of(settings), settings.out / "readings"
    assignments = {each.name: each for each in release.assignments}

    @cache
    def reader(name: str) -> Reader:
        return reader_of(assignments[name], settings.release, limits, kept)

    def stamped(files: Sequence[Found]) -> list[tuple[str, ...]]:
        """What bears an assignment's name is read as that at once: mostly it is, and it is read no second time."""
        make_folder(settings.out)
        wanted = [
            reader(each.assignment)(each.student, str(each.path))
            if each.assignment
            else stamp_job(each.path, settings.out / "stamps", limits)
            for each in files
        ]
        return [reading.stamp for reading in read_all(wanted, settings.jobs)]

    found, remarks = find(settings.submissions, [*assignments], roster, settings.only, stamped)
    remarks = [*used_again, *remarks]
    names = sorted({submission.student for submission in found})
    if settings.only:
        regrade.others(settings, release, names)
    if checks_digest(exercises.values()) != release.checks:
        remarks.append(f"The checks have changed since pgcourse {release.version} made the release: tell the class.")
    make_folder(settings.out)
    seed = again.keep(settings)
    work = class_work(settings, release, exercises, seed, found, reader)
    remarks += [f"{each.submission.student}: {said}" for each in work.works if (said := wrong_with(each)[0])]
    regrade.forget(settings, names if settings.only else ())
    observed, ran = observe(work, settings, on_progress)
    if why := {each.why_not_walled for each in observed.values()} - {""}:
        remarks.append(
            f"Weaker isolation: {'; '.join(sorted(why))}. What a child can read, reach and use then is said in "
            "docs/grading.md; prefer a container."
        )
        secret = (settings.release / "teacher", settings.submissions, settings.out / again.FILE)
        if seen := [str(path) for path in secret if open_to_all(path)]:
            remarks.append(
                f"Every account of this machine can read {', '.join(seen)}, and so may a notebook: chmod o-rx them."
            )
    judged = judge(work, observed)
    right = {
        (name, id)
        for name, notebooks in judged.items()
        for notebook in notebooks.values()
        for id, each in notebook.judgements.items()
        if each.status == "correct"
    }
    pairs = None if settings.only else similarity.of_class(work, right)
    present = sorted({submission.student for submission in found if submission.path})
    run = history.Run({(each.student, each.assignment): each.path for each in found}, seed)
    with locked(settings.out / report.TABLE):
        others = regrade.others(settings, release, names) if settings.only else []  # perhaps marked meanwhile
        further = [*(name for name in names if name not in present), *(other.name for other in others)]
        tables = read_tables(settings.out, settings.times, release, present, further)
        remarks += [*tables.remarks, *marked_answers.changed(settings.out / "manual.csv", answers(work))]
        students = marks(work, judged, tables, roster)
        students = report.write(settings.out, students, run, pairs=pairs, others=others)
    if strangers := report.strangers(settings.out / "students", students):
        remarks.append(
            f"{settings.out / 'students'} holds pages of nobody in the class, from an earlier run: {', '.join(strangers)}; "
            "remove them before you hand out feedback."
        )
    atomic_write(settings.out / "remarks.txt", "".join(f"{remark}\n" for remark in remarks))
    return ClassResult(students, remarks, ran, pairs or [])


def limits_of(settings: Settings) -> Limits:
    """What every child may use. Folders of the class are hidden from it, wherever they lie."""
    hidden = (settings.release, settings.submissions, settings.out)
    return Limits(
        seconds=settings.timeout,
        memory=settings.memory * 2**20,
        namespaces=settings.namespaces,
        hidden=tuple(str(folder.resolve()) for folder in hidden),
    )


def class_work(
    settings: Settings, release: Release, exercises: dict[str, Exercise], seed: int, found: Sequence[Submission],
    reader: Callable[[str], Reader],
) -> ClassWork:  # fmt: skip
    """Draw the hidden inputs, and have every submission read, each in a process of its own.

    What was read lies in `OUT/readings`, one file a notebook. Args: reader: assignment -> see `reader_of`. Raises:
    InvalidInput where a notebook of the release cannot be read.
    """
    prepared = {
        assignment.name: prepare(assignment, settings.release, exercises, seed, release.libraries)
        for assignment in release.assignments
    }
    readings = [Reading("No notebook was handed in.")] * len(found)
    places = [place for place, submission in enumerate(found) if submission.path]
    wanted = [reader(each.assignment)(each.student, each.path) for each in (found[place] for place in places)]
    for place, reading in zip(places, read_all(wanted, settings.jobs), strict=True):
        readings[place] = reading
    works = (Work(each, prepared[each.assignment], reading) for each, reading in zip(found, readings, strict=True))
    return ClassWork(settings.release, release, prepared, tuple(works))


def observe(work: ClassWork, settings: Settings, on_progress: Progress | None) -> tuple[Observed, int]:
    """What every notebook did, and how many were run: from OUT/observations where nothing has changed, else in a child."""
    limits = limits_of(settings)
    observed: Observed = {}
    missing: list[tuple[Path, str, Job]] = []
    for each in work.works:
        if not each.plan.cells or not any(each.plan.solutions.values()):
            observed[each.key] = Collected()
            continue
        job = each.job(limits)
        path, digest = settings.out / "observations" / job.student / f"{job.assignment}.json", _digest(job)
        if (kept := _kept(path, digest)) is not None:
            observed[each.key] = kept
        else:
            missing.append((path, digest, job))
    jobs = [job for _, _, job in missing]
    finished = run_jobs(collect, jobs, num_workers=settings.jobs, dask=settings.dask, failed=withheld)
    for count, (index, collected) in enumerate(finished, 1):
        path, digest, job = missing[index]
        if not collected.failed:
            write_json(path, {"digest": digest, **vars(collected)}, indent=None)
        observed[job.student, job.assignment] = collected
        if on_progress:
            on_progress(count, len(missing))
    return observed, len(missing)


def _digest(job: Job) -> str:
    """Of all that decides what a child does: another value means that the notebook must run again."""
    content = {**vars(job), "student": ""}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=vars).encode()).hexdigest()


def _kept(path: Path, digest: str) -> Collected | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Collected(**data) if data.pop("digest") == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def answers(work: ClassWork) -> dict[tuple[str, str], str]:
    """(student, cell that a person marks) -> fingerprint of what stands there."""
    return {
        (each.submission.student, id): fingerprint
        for each in work.works
        for id, fingerprint in each.reading.answers.items()
    }


def judge(work: ClassWork, observed: Observed) -> JudgedClass:
    """What every notebook is worth. Right answers are worked out here, and not before."""
    right = {id: Answers(e, p.inputs[id]) for p in work.prepared.values() for id, e in p.exercises.items()}
    judged: JudgedClass = {}
    for each in work.works:
        own = judged.setdefault(each.submission.student, {})
        own[each.submission.assignment] = judge_notebook(each, observed[each.key], right)
    return judged


def marks(work: ClassWork, judged: JudgedClass, tables: Tables, roster: Roster | None = None) -> list[Student]:
    """The marks of every student, with what people have written."""
    handed_in: dict[str, list[Work]] = {name: [] for name in sorted(judged)}
    for each in work.works:
        handed_in[each.submission.student].append(each)
    people = roster.by_student if roster else {}
    return [
        student(
            name,
            work.release,
            judged[name],
            tables,
            _missing(works),
            _note(name, works, roster),
            people[name].name if name in people else "",
        )
        for name, works in handed_in.items()
    ]


def wrong_with(work: Work) -> tuple[str, str]:
    """Why nothing of a notebook that was handed in can earn a point, as (a remark, a note for class.csv); else nothing."""
    given, reading = work.submission, work.reading
    if not given.path or reading.failed:
        return "", ""
    file = shown(Path(Path(given.path).name))
    if reading.problem:
        return f"{file}: {reading.problem}", f"{given.assignment} could not be read"
    if work.prepared.exercises and not any(work.plan.solutions.values()):
        said = f"{file} has no solution cell of {given.assignment}; ask for the notebook that was handed out."
        return said, "" if given.notes else f"{given.assignment} has no solution cell"
    return "", ""


def _missing(works: list[Work]) -> list[str]:
    """The assignments without a notebook."""
    return [each.submission.assignment for each in works if not each.submission.path]


def _note(name: str, works: list[Work], roster: Roster | None) -> str:
    """What class.csv says of a student besides marks."""
    notes = [note for each in works for note in (*each.submission.notes, wrong_with(each)[1]) if note]
    nothing = ["no notebook" if notes else "nothing handed in"] * (len(_missing(works)) == len(works))
    stranger = ["not in the roster"] * (roster is not None and name not in roster.by_student)
    return "; ".join(dict.fromkeys([*nothing, *notes, *stranger]))
