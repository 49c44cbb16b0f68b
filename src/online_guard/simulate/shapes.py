"""The ways of cheating that public tools and audits show, each with its parameters and the rules that give it away.

`row` is the number of the shape in the project's list of 24, 0 for the simple cheats of `cheats`, one for each rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from online_guard.simulate import forged, tampered, wrong_faces
from online_guard.simulate.cheats import CHEATS, Cheat
from online_guard.simulate.honest import Desk
from online_guard.simulate.tampered import alone

Parameters = Mapping[str, float]


@dataclass(frozen=True)
class Shape:
    """A way of cheating.

    rules: at least one of them must be found about what was planted; empty where nothing in the bundle can show it,
    then `needs` says what would. parameters: the numbers that the tool was seen with. learners: how many desks take
    part, of which the first `innocent` do nothing wrong. platforms: the desks are one learner on so many platforms.
    lesson_no: the lesson that is cheated; those before it are studied honestly, unless `from_first`.
    """

    row: int
    name: str
    label_zh: str
    label_en: str
    rules: tuple[str, ...]
    run: Callable[[Sequence[Desk], int, Parameters], None]
    parameters: Parameters = field(default_factory=dict)
    learners: int = 1
    innocent: int = 0
    platforms: int = 1
    lesson_no: int = 3
    lessons: int = 1
    from_first: bool = False
    needs: str = ""


def _of_one_rule(name: str, cheat: Cheat) -> Shape:
    last = 2 if cheat.lessons == 2 else 3
    run = alone(lambda desk, lesson_no, _: cheat.run(desk, lesson_no))
    labels = (cheat.label_zh, cheat.label_en)
    return Shape(0, name, *labels, (cheat.rule,), run, lesson_no=last, lessons=cheat.lessons)


BULK = {"beats": 50, "step_s": 20, "period_ms": 15_000, "constant_seq": 1}
EARLY = {"report_ms": 30_000, "rate": 1.5, "declared": 1.5, "pause_ms": 60_000, "answer_ms": 2_000, "stop_share": 0.91}
SPEED = {"rate": 10, "declared": 1, "answer_ms": 2_000, "hidden": 1}
REPLAY = {"period_ms": 1_000, "first_gap_ms": 300, "second_gap_ms": 500, "third_gap_ms": 2}
ATTENTION = (
    "同时的另一会话（OG201）；是否在看，数据里没有 / "
    "another session at the same time (OG201); whether anyone looks isn't in the data"
)
CAMERA = "人脸检测结论（presented_attack、活体比对） / the face pipeline's facts"

_TOOLS = (
    Shape(1, "bulk_heartbeats", "批量伪造心跳", "bulk heartbeat forger", ("OG105",),
          alone(forged.bulk_heartbeats), BULK),
    Shape(1, "bulk_heartbeats_rising", "批量伪造心跳（序号递增）", "bulk forger, rising seq", ("OG101", "OG104"),
          alone(forged.bulk_heartbeats), BULK | {"constant_seq": 0}),
    Shape(2, "equal_steps", "等步长伪造进度", "equal-step forger", ("OG107", "OG702"), alone(forged.equal_steps),
          {"beats": 25, "send_ms": 600}),
    Shape(2, "equal_steps_fine", "等步长伪造进度（60 步）", "equal-step forger, 60 steps", ("OG104",),
          alone(forged.equal_steps), {"beats": 60, "send_ms": 600}),
    Shape(3, "session_replay", "会话重放", "session replayer", ("OG804", "OG803"), forged.replay, REPLAY, learners=2),
    Shape(4, "report_only", "只报结果", "report-only client", ("OG107", "OG201"), alone(forged.report_only),
          {"step_min_s": 30, "step_max_s": 90, "videos": 3}),
    Shape(5, "stop_early_client", "1.5 倍速、九一停播", "stop-early client", ("OG103",), alone(tampered.stop_early),
          EARLY),
    Shape(5, "stop_early_slow", "1 倍速、九一停播、固定 2 秒作答", "stop-early client at 1x", ("OG303", "OG702"),
          alone(tampered.stop_early), EARLY | {"rate": 1, "declared": 1}),
    Shape(6, "parallel_videos", "十个视频同时播放", "ten videos at once", ("OG201",), tampered.parallel,
          {"videos": 10}),
    Shape(6, "parallel_platforms", "两个平台同时播放", "two platforms at once", ("OG201",), tampered.parallel,
          {"videos": 1}, learners=2, platforms=2),
    Shape(7, "speed_script", "10 倍速脚本，谎报 1 倍", "10x userscript, declares 1x", ("OG101",),
          alone(tampered.speed_script), SPEED),
    Shape(7, "speed_script_16", "16 倍速脚本，如实上报", "16x userscript, declared", ("OG103",),
          alone(tampered.speed_script), SPEED | {"rate": 16, "declared": 16}),
    *(Shape(8, f"popup_clicker_{ms // 1000}s", f"弹窗自动点击（{ms // 1000} 秒）", f"pop-up clicker, {ms // 1000} s",
            ("OG303",), alone(tampered.popup_clicker), {"answer_ms": ms}) for ms in (4_000, 2_000, 1_000)),
    Shape(9, "popup_disabler", "禁用弹窗", "pop-up remover", ("OG301", "OG305"), alone(tampered.popup_remover)),
    Shape(10, "focus_spoofer", "伪装前台", "focus spoofer", (), alone(tampered.focus_spoofer), {"report_ms": 15_000},
          needs=ATTENTION),
    Shape(11, "timer_hook", "计时器加速", "timer hook", ("OG104",), alone(tampered.timer_hook), {"speed": 2}),
    Shape(12, "drag_swallower", "吞掉拖动记录（播放中）", "drag-log swallower, playing", ("OG101",),
          alone(tampered.drag_swallower), {"jump_s": 600, "paused": 0}),
    Shape(12, "drag_swallower_paused", "吞掉拖动记录（暂停中）", "drag-log swallower, paused", ("OG102", "OG107"),
          alone(tampered.drag_swallower), {"jump_s": 600, "paused": 1}),
    Shape(18, "slack_miner", "三倍速、每秒暂停再播", "slack miner", ("OG101",), alone(tampered.slack_miner),
          {"rate": 3, "period_ms": 1_000}),
    Shape(18, "same_millisecond", "同一毫秒两个事件", "two events in one millisecond", ("OG101",),
          alone(tampered.same_millisecond), {"jump_s": 1.9}),
    Shape(19, "fine_slicer", "切成 5–59 秒的会话", "slicer", ("OG304", "OG408"), alone(tampered.slicer),
          {"min_s": 5, "max_s": 59}),
    Shape(20, "player_rotator", "每 299 秒换播放器", "player rotator", ("OG301",), alone(tampered.player_rotator),
          {"period_s": 299}),
    Shape(21, "never_answers", "临结束才弹窗、从不作答", "never answers", ("OG304",), alone(tampered.never_answers),
          {"session_s": 250, "before_end_s": 2}),
    Shape(22, "blinker", "每 30 秒露面 0.1 秒", "blinker", ("OG203",), alone(tampered.blinker),
          {"period_s": 30, "visible_s": 0.1}),
    Shape(23, "clock_stepper", "每 10 秒把时钟拨回 1.9 秒", "clock stepper", ("OG105",), alone(tampered.clock_stepper),
          {"period_s": 10, "back_ms": 1_900}),
)  # fmt: skip

_FACES = (
    Shape(13, "reference_photo", "用登记照冒充（改几个像素）", "enrolment photo, pixels changed", ("OG604",),
          alone(wrong_faces.reference_photo), {"residual": 0.01}),
    Shape(13, "reference_blurred", "用登记照冒充（模糊压缩）", "enrolment photo, blurred", ("OG604",),
          alone(wrong_faces.reference_photo), {"residual": 0.035}),
    Shape(13, "capture_pool", "重发旧照片", "a pool of old captures", ("OG602",), alone(wrong_faces.capture_pool),
          {"residual": 0.02}),
    Shape(14, "virtual_camera", "虚拟摄像头（被检出）", "virtual camera, seen", ("OG402",),
          alone(wrong_faces.virtual_camera), {"seen": 1}),
    Shape(14, "virtual_camera_unseen", "虚拟摄像头（仅凭遥测）", "virtual camera, telemetry alone", (),
          alone(wrong_faces.virtual_camera), {"seen": 0}, needs=CAMERA),
    Shape(15, "recorded_clip", "回放录像（动作次序不符）", "recorded clip, wrong order", ("OG402",),
          alone(wrong_faces.recorded_clip), {"seen": 1, "lucky": 0}),
    Shape(15, "recorded_clip_lucky", "回放录像（次序碰巧相同）", "recorded clip, lucky order", ("OG602",),
          alone(wrong_faces.recorded_clip), {"seen": 1, "lucky": 1}),
    Shape(15, "recorded_clip_unseen", "回放录像（仅凭遥测）", "recorded clip, telemetry alone", (),
          alone(wrong_faces.recorded_clip), {"seen": 0, "lucky": 0}, needs=CAMERA),
    Shape(16, "proxy_learner", "他人代学", "proxy learner", ("OG404",), alone(wrong_faces.proxy_learner),
          {"distance": 0.75}),
    Shape(16, "proxy_alike", "相像的人代学", "a proxy who looks alike", ("OG407",), alone(wrong_faces.proxy_learner),
          {"distance": 0.58}),
    Shape(16, "proxy_unseen", "他人代学（仅凭遥测）", "proxy, telemetry alone", (), alone(wrong_faces.proxy_learner),
          {"distance": 0}, needs="与登记照的距离 / the distance to the reference"),
    Shape(16, "one_face", "一人多号", "one face for three learners", ("OG801",), wrong_faces.one_face, learners=3),
    Shape(16, "one_device", "一台设备刷多人", "one device for three learners", ("OG802",), wrong_faces.one_device,
          learners=3),
    Shape(17, "whole_class", "整班伪造", "a whole class from one template", ("OG901", "OG804"), forged.whole_class,
          {"period_ms": 15_000, "hour": 2}, learners=12, from_first=True),
    Shape(24, "photo_thief", "盗用他人照片（同一文件）", "photo thief, the same file", ("OG602",),
          wrong_faces.photo_thief, {"same_file": 1}, learners=2, innocent=1),
    Shape(24, "photo_thief_recoded", "盗用他人照片（重新编码）", "photo thief, re-encoded", ("OG602",),
          wrong_faces.photo_thief, {"same_file": 0}, learners=2, innocent=1),
)  # fmt: skip

SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        *sorted((*_TOOLS, *_FACES), key=lambda shape: shape.row),
        *(_of_one_rule(name, cheat) for name, cheat in CHEATS.items()),
    )
}
"""Every way of cheating by name, in the order of the list; then one for each rule."""
