"""Measures how regular a real browser's heartbeats are: `python benchmarks/measure_browser_timers.py --out FILE.csv`.

A local page plays a clip in many small players and notes, at each heartbeat, the monotonic clock and the media
position. Heartbeats come from `setInterval`, from a chain of `setTimeout`, and from `timeupdate` (the first one that
comes a period after the last heartbeat). Conditions, one browser each:

- quiet: in front, the browser at a high priority (so that a shared machine is as good as an idle one, where permitted);
- busy: in front, with other work on the page's own thread (up to 60 ms at a time);
- loaded: in front, at low priority, while two processes burn the processor;
- hidden: another tab in front of it.

Needs `chromium` and `ffmpeg` (Debian packages); `benchmarks/calibration.py` reads the file.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONDITIONS = ("quiet", "busy", "loaded", "hidden")
PLAYERS = {1: 2, 5: 4, 10: 8}
"""Players by period in seconds, for each of the three sources of heartbeats: long periods need more of them."""
NICE = {"quiet": -10, "busy": -10, "hidden": -10, "loaded": 5}
COLUMNS = ("condition", "source", "period_s", "player", "at_ms", "position_ms")

PAGE = """<!doctype html><meta charset="utf-8"><title>timers</title><body><script>
const given = new URLSearchParams(location.search), condition = given.get('condition');
const players = JSON.parse(given.get('players'));
let rows = [], number = 0;
function beat(source, period, id, video) {
  const now = performance.now(), position = video.currentTime;
  rows.push([condition, source, period, id, now.toFixed(1), (position * 1000).toFixed(2)]);
}
function begin(source, period, id, video) {
  if (source === 'interval') setInterval(() => beat(source, period, id, video), period * 1000);
  if (source === 'timeout') {
    const next = () => { beat(source, period, id, video); setTimeout(next, period * 1000); };
    setTimeout(next, period * 1000);
  }
  if (source === 'timeupdate') {
    let last = performance.now();
    video.addEventListener('timeupdate', () => {
      if (performance.now() - last >= period * 1000) { last = performance.now(); beat(source, period, id, video); }
    });
  }
}
for (const source of ['interval', 'timeout', 'timeupdate'])
  for (const [period, count] of Object.entries(players))
    for (let n = 0; n < count; n++) {
      const id = number++, video = document.createElement('video');
      video.src = '/clip.webm'; video.muted = true; video.width = 64; video.loop = false;
      document.body.append(video);
      setTimeout(() => video.play().then(() => begin(source, Number(period), id, video)), Math.random() * 5000);
    }
if (condition === 'busy') {
  const work = () => {
    const until = performance.now() + Math.random() * 60;
    while (performance.now() < until);
    setTimeout(work, Math.random() * 300);
  };
  work();
}
const send = () => {
  const batch = {rows, state: document.visibilityState, agent: navigator.userAgent};
  rows = [];
  fetch('/samples', {method: 'POST', body: JSON.stringify(batch)});
};
setInterval(send, 20000);
if (condition === 'hidden') setTimeout(() => window.open('/front.html'), 8000);
</script>"""


class Collector(SimpleHTTPRequestHandler):
    """Serves page and clip, and keeps the samples that come back."""

    rows: list[list[object]] = []  # noqa: RUF012 - one for all requests
    states: set[str] = set()  # noqa: RUF012
    agents: set[str] = set()  # noqa: RUF012

    def do_POST(self) -> None:
        """Keep a batch of samples."""
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if batch["rows"]:
            self.states.add(f"{batch['rows'][0][0]}: {batch['state']}")
        self.agents.add(batch["agent"])
        self.rows.extend(batch["rows"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


def make_site(folder: Path, seconds: int) -> None:
    """Write the page and a clip with picture and sound, long enough for the measurement."""
    (folder / "page.html").write_text(PAGE, "utf-8")
    (folder / "front.html").write_text("<!doctype html><title>front</title>in front", "utf-8")
    picture, sound = f"testsrc=size=64x36:rate=5:duration={seconds}", f"sine=frequency=300:duration={seconds}"
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "libvpx",
         "-deadline", "realtime", "-cpu-used", "8", "-b:v", "20k", "-c:a", "libopus", "-b:a", "8k", "-g", "25",
         str(folder / "clip.webm")],
        check=True,
    )  # fmt: skip


def start_browser(condition: str, port: int, profile: Path) -> subprocess.Popen[bytes]:
    """Start a browser of its own for a condition and return its process."""
    players = json.dumps(PLAYERS, separators=(",", ":"))
    command = [
        "nice", "-n", str(NICE[condition]),  # without the right to raise a priority it says so and goes on
        shutil.which("chromium") or "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--autoplay-policy=no-user-gesture-required", "--disable-popup-blocking", f"--user-data-dir={profile}",
        f"http://127.0.0.1:{port}/page.html?condition={condition}&players={players}",
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def burn(seconds: float) -> None:
    """Keep one core busy for some time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def measure(conditions: list[str], minutes: float, folder: Path, port: int) -> None:
    """Run the browsers of some conditions at the same time and end them afterwards."""
    browsers = [start_browser(one, port, folder / f"profile-{one}") for one in conditions]
    burners = [multiprocessing.Process(target=burn, args=(60 * minutes,)) for _ in range(2)]
    try:
        for process in burners if "loaded" in conditions else ():
            process.start()
        time.sleep(60 * minutes)
    finally:
        for browser in browsers:
            os.killpg(browser.pid, signal.SIGTERM)
            browser.wait()
        for process in burners:
            if process.pid is not None:
                process.terminate()


def main() -> None:
    """Measure each group of conditions in turn and write the samples."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, required=True, help="CSV file of samples")
    arguments.add_argument("--minutes", type=float, default=6.5, help="how long each group of conditions is measured")
    given = arguments.parse_args()
    loads = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_site(folder, round(60 * given.minutes) + 60)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Collector, directory=scratch))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for group in (["quiet", "hidden"], ["busy"], ["loaded"]):
            measure(group, given.minutes, folder, server.server_port)
            loads.append(f"{'+'.join(group)} {os.getloadavg()[1]:.1f}")
        server.shutdown()
    order = {name: number for number, name in enumerate(CONDITIONS)}
    rows = sorted(Collector.rows, key=lambda row: (order[str(row[0])], int(str(row[3])), float(str(row[4]))))
    with given.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    version = subprocess.run(["chromium", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    about = {
        "browser": version,
        "user_agents": sorted(Collector.agents),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "minutes": given.minutes,
        "load_average_5_min": loads,
        "pages": sorted(Collector.states),
        "day": time.strftime("%Y-%m-%d"),
        "rows": len(rows),
    }
    given.out.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    print(json.dumps(about, indent=1))


if __name__ == "__main__":
    main()
