"""How many are assessed under each task of Annex 1, against its target."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from online_guard.assessment.documents.papers import Papers
from online_guard.assessment.documents.typesetting import typeset
from online_guard.assessment.roster import Roster
from online_guard.printing import Made


@dataclass(frozen=True)
class Counted:
    """A line of the table: a row of Annex 1, the classes that name none, or the sum.

    Args:
        no: 序号, of a row of Annex 1.
        task: 工作任务.
        lead: 牵头单位.
        target: 人次 to be trained in the year; None where there is no target.
        in_window: Candidates of this roster, 人次.
        in_year: Those of the year's windows up to this one.
    """

    no: int | None
    task: str
    lead: str
    target: int | None
    in_window: int
    in_year: int

    @property
    def share(self) -> float | None:
        """Return the year's number over the target; None without a target."""
        return self.in_year / self.target if self.target else None


def counted(papers: Papers) -> tuple[Counted, ...]:
    """Return the rows of Annex 1 in its order, 未注明 for the classes that name none of them, and the sum."""
    tasks = papers.tasks
    known = {task.no for task in tasks}

    def numbers(*rosters: Roster) -> Counter[int | None]:
        named = (papers.task_of_class.get(one.class_id) for roster in rosters for one in roster.candidates)
        return Counter(no if no in known else None for no in named)

    window, year = numbers(papers.roster), numbers(*papers.earlier, papers.roster)
    return (
        *(Counted(task.no, task.name, task.lead, task.target, window[task.no], year[task.no]) for task in tasks),
        Counted(None, "未注明 not stated", "", None, window[None], year[None]),
        Counted(None, "总计 sum", "", sum(task.target for task in tasks), window.total(), year.total()),
    )


def statistics_pdf(papers: Papers) -> Made:
    """Return the table on one page, with a bar for what is reached of each target."""
    rows = [
        {
            "no": "" if one.no is None else str(one.no),
            "task": one.task,
            "lead": one.lead,
            "target": "" if one.target is None else f"{one.target:,}",
            "in_window": f"{one.in_window:,}",
            "in_year": f"{one.in_year:,}",
            "share": one.share,
            "percent": "" if one.share is None else f"{one.share:.2%}",
        }
        for one in counted(papers)
    ]
    return typeset(papers, "statistics", {"rows": rows})
