"""How far honest people and browsers stay from the limits of OG803 and OG303: `python benchmarks/calibration.py`.

OG803: windows of 30 heartbeat intervals out of `measured/browser_timers.csv` (a real browser and video, see
`measure_browser_timers.py`), measured as the rule does. OG303: simulated reaction times. `--write` writes
docs/calibration.md.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markdown import Markdown

from online_guard.faces.proportions import Proportion
from online_guard.policy import DEFAULT_POLICY, load_policy
from online_guard.rules.checks.og303_scripted_answers import FEWEST_ANSWERS
from online_guard.rules.checks.og803_mechanical_telemetry import FEWEST, LIMIT_MS

HERE = Path(__file__).resolve().parent
SAMPLES = HERE / "measured" / "browser_timers.csv"
PAGE = HERE.parent / "docs" / "calibration.md"
SEED = 303
LEARNERS = 200_000
Floats = NDArray[np.float64]
TEXT = """# 校准 · Calibration

由 `make bench-calibration ARGS=--write` 生成，不改动政策包的数值。
Made by that command; it changes no number of the policy.

## OG803 机械化遥测

**结论：实测数据与 2 ms 的界限相矛盾。** 较空闲的电脑上，真实浏览器 1 秒心跳的 30 区间窗口约四分之三到九成会被标
记，5 秒心跳约六到八成，10 秒心跳较少；忙碌或满载时较少。Δt 的四分位距没有区分力（诚实者常为 0 或 1 ms）；伪造者
恰为 0，诚实者最小值也是 0，因此没有余量。规则只要求复核，不会拒绝，但会把许多诚实学习者送去复核。建议：单独命中时
仅作提示，或与其他疑点并用。

样本：{browser}，{day}，每组 {minutes} 分钟，{cores} 核，五分钟平均负载 {loads}（与他人共用，真正空闲的电脑多半更
规则）。页面播放真实 `<video>`，以整毫秒取整。窗口不相互独立，区间偏窄；没有 15 秒周期、手机或其他浏览器的数据。
hidden：浏览器停播了静音视频，随后每分钟只唤醒一次定时器，仅说明第一分钟。

**The data contradict the limit of 2 ms.** On a fairly idle computer three quarters to nine tenths of the windows
of 30 intervals with a heartbeat a second would be flagged, about six to eight tenths at 5 s, few at 10 s, fewer
when busy or loaded. The spread of Δt tells nothing (honest ones often have 0 or 1 ms); a forger has exactly 0
and so has the steadiest honest window: there is no margin. OG803 only asks for a review, but of many honest
learners. Proposal: a note when it stands alone, or together with other findings only.

Samples: {browser}, {day}, {minutes} minutes each, {cores} cores, load average over 5 min {loads} (a shared
machine; an idle one is probably steadier still). A real `<video>`, rounded to whole ms as events are. Windows aren't
independent, so the intervals are too narrow; nothing was measured at 15 s, on phones or in other browsers.
hidden: the browser stopped the muted clip and then woke timers once a minute, so this is the first minute only.

{timers}

## OG303 脚本作答

**结论：读题再点的学员很少被标记，熟练者接近千分之五至八。**“至少两次”不随作答数放宽：48 次作答时，熟练者（中位
1 秒）约 0.8 % 会被标记；6 次作答时，离散 0.2 的约 0.6 %。300 ms 高于对光点的简单反应（约 213–231 ms， Woods 等
2015；Luce 1986），点击还要加上阅读和移动指针的时间（距离越远越久，Fitts 1954）。例外：手停在确认键上、不读内容就
按的人会被标记；弹窗时刻随机，长时间如此守候不易，但若允许按键确认则可能发生。6 次作答时，个人离散 0.1 的学员有 7
% 会被标记；反应时标准差大致与均值成正比（Wagenmakers 与 Brown 2007），通常比这大。分布与参数是假设，不是实测；每
格 {learners} 名模拟学员，种子 {seed}。OG303 只要求复核。建议：作答多时提高“两次”的界限，规律性检验改为至少 12
次作答。

**Learners who read before they click are rarely flagged, practised ones in five to eight of a thousand
sessions.** "At least two" does not grow with the number of answers: with 48 of them about 0.8 % of practised
learners (median 1 s) are flagged; with 6 answers about 0.6 % of those with a spread of 0.2. 300 ms is more than a
simple reaction to a light (about 213 to 231 ms: Woods et al. 2015; Luce 1986); a click adds reading and a
movement that takes longer the further the button is (Fitts 1954). Exception: someone who rests a hand on the
button and doesn't read is flagged nearly always; pop-ups come at random, so waiting like that is hard, but
possible where a key answers. With 6 answers and a spread of 0.1, 7 % are flagged; spreads are usually larger, and
grow about with the mean (Wagenmakers and Brown 2007). Distribution and parameters are assumptions, not measured;
{learners} simulated learners a cell, seed {seed}. OG303 asks for a review only. Proposal: more than two fast
answers where there are many, and twelve answers for the test of regularity.

{answers}

- Fitts, P. M. (1954). The information capacity of the human motor system. J. Exp. Psychology 47, 381–391.
- Luce, R. D. (1986). Response Times. Oxford University Press.
- Wagenmakers, E.-J., Brown, S. (2007). On the linear relation between the mean and the standard deviation of a response
  time distribution. Psychological Review 114, 830–841.
- Woods, D. L. et al. (2015). Factors influencing the latency of simple reaction time. Frontiers in Human
  Neuroscience 9, 131.
"""

PEOPLE: tuple[tuple[str, str, float, float, float], ...] = (
    ("普通：读完再点", "ordinary: reads, then clicks", 2_200, 0.45, 0.35),
    ("熟练：看到就点", "practised: clicks at once", 1_000, 0.30, 0.25),
    ("熟练且很稳", "practised and very steady", 1_000, 0.20, 0.25),
    ("稳得不像人", "steadier than people are", 1_000, 0.10, 0.25),
    ("手停在按钮上等（简单反应）", "waits with the hand on the button (simple reaction)", 231, 0.20, 0.10),
)
"""Label, median reaction of the median learner in ms, log-normal spread within and between learners."""


def share(hits: int, of: int) -> str:
    """Return a share and its 95 % interval, in per cent."""
    low, high = Proportion(hits, of).interval or (0.0, 1.0)
    return f"{_per_cent(hits / of)} ({_per_cent(low)}–{_per_cent(high)})"


def _per_cent(share: float) -> str:
    """Return a share in per cent: one decimal, small ones with two figures that count."""
    return f"{100 * share:.1f}" if share >= 0.01 or share == 0 else f"{100 * share:.2g}"


def windows() -> dict[tuple[str, str, int], list[tuple[float, float]]]:
    """Return by condition, source and period the interquartile ranges (Δt, step less Δt; ms) of each window."""
    players: dict[tuple[str, str, int, str], list[tuple[float, float]]] = defaultdict(list)
    with SAMPLES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (row["condition"], row["source"], int(row["period_s"]), row["player"])
            players[key].append((float(row["at_ms"]), float(row["position_ms"])))
    found: dict[tuple[str, str, int], list[tuple[float, float]]] = defaultdict(list)
    for (condition, source, period_s, _), beats in players.items():
        at_ms, position_ms = np.array(sorted(beats)).T
        delta_ms = np.diff(np.round(at_ms))  # events carry whole milliseconds
        step_ms = np.diff(np.round(position_ms)) - delta_ms
        for first in range(0, len(delta_ms) - FEWEST + 1, FEWEST):
            part = slice(first, first + FEWEST)
            found[condition, source, period_s].append((spread(delta_ms[part]), spread(step_ms[part])))
    return found


def spread(values: Floats) -> float:
    """Return the interquartile range, linear interpolation."""
    low, high = np.percentile(values, [25, 75])
    return float(high - low)


def timer_table() -> Iterator[str]:
    """Yield the Markdown lines about OG803."""
    yield (
        "| 条件 condition | 来源 source | 周期 period | 窗口 windows | Δt 四分位距 IQR: min / median / max ms "
        "| (步长−Δt) 四分位距 IQR: min / median / max ms | 会被标记 flagged % (95 %) |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for (condition, source, period_s), found in sorted(windows().items()):
        spreads = np.array(found)
        flagged = int((spreads < LIMIT_MS).all(axis=1).sum())
        cells = [" / ".join(f"{value:.2f}" for value in np.percentile(spreads[:, n], [0, 50, 100])) for n in (0, 1)]
        yield (
            f"| {condition} | {source} | {period_s} s | {len(found)} | {cells[0]} | {cells[1]} "
            f"| {share(flagged, len(found))} |"
        )


def reactions(median_ms: float, within: float, between: float, answers: int, rng: np.random.Generator) -> Floats:
    """Return reaction times, learners × answers, in whole ms: log-normal within and between learners."""
    own_ms = median_ms * np.exp(between * rng.standard_normal((LEARNERS, 1)))
    return np.rint(own_ms * np.exp(within * rng.standard_normal((LEARNERS, answers))))


def answer_table() -> Iterator[str]:
    """Yield the Markdown lines about OG303."""
    limit_ms = load_policy(DEFAULT_POLICY).popup.min_reaction_ms
    rng = np.random.default_rng(SEED)
    yield (
        f"| 学员 learner | 中位 median | 个人离散 σ within | 作答数 answers | 至少两次 < {limit_ms} ms, % (95 %) "
        "| 五分之四在中位数 ±5 % 内 four fifths near the median, % (95 %) |"
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for label_zh, label_en, median_ms, within, between in PEOPLE:
        for answers in (FEWEST_ANSWERS, 48):
            given = reactions(median_ms, within, between, answers, rng)
            fast = int(((given < limit_ms).sum(axis=1) >= 2).sum())
            middle = np.median(given, axis=1, keepdims=True)
            regular = int(((np.abs(given - middle) <= 0.05 * middle).mean(axis=1) >= 0.8).sum())
            yield (
                f"| {label_zh} · {label_en} | {median_ms:.0f} ms | {within} | {answers} "
                f"| {share(fast, LEARNERS)} | {share(regular, LEARNERS)} |"
            )


def page() -> str:
    """Return docs/calibration.md."""
    about = json.loads(SAMPLES.with_suffix(".json").read_text(encoding="utf-8"))
    facts = {
        "browser": about["browser"], "day": about["day"], "minutes": about["minutes"], "cores": about["cores"],
        "loads": "; ".join(about["load_average_5_min"]), "learners": LEARNERS, "seed": SEED,
    }  # fmt: skip
    return TEXT.format(timers="\n".join(timer_table()), answers="\n".join(answer_table()), **facts)


def main() -> None:
    """Print the page, or write it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", action="store_true", help="write docs/calibration.md")
    text = page()
    if arguments.parse_args().write:
        PAGE.write_text(text, encoding="utf-8")
    Console(width=180).print(Markdown(text))


if __name__ == "__main__":
    main()
