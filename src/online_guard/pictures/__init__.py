"""Facts of sessions, classes and rules → SVG as text: pure functions, no script, no style attribute, nothing loaded.

Every picture is to stand in an HTML page: an `<svg class="picture …" role="img">` with a title and a description in
words. Its look comes from `pictures.css` (`stylesheet()`), whose colours are the custom properties of `page/page.css`,
light and dark. The language is a parameter (`words.Language`).

How a script zooms and pans a session's timeline: the outer `<svg>` holds the texts, signs and thumbnails, an inner
`<svg class="zoomed" preserveAspectRatio="none">` everything that stretches. Zooming to the stretch [x, x + w] of
[0, `data-width`] is

    inner.setAttribute("viewBox", `${x} 0 ${w} ${inner.dataset.height}`)
    for (const one of outer.querySelectorAll("[data-x]")) {
      const at = (one.dataset.x - x) * width / w               // width = Number(outer.dataset.width)
      one.setAttribute("transform", `translate(${Number(outer.dataset.left) + at} ${one.dataset.y})`)
      one.classList.toggle("out", at < 0 || at > width)
    }

and from a zoom of 6 on `outer.classList.add("near")` shows finer moments. `outer.dataset.axis` is JSON,
`[[first_ms, last_ms, first_x, last_x], …]` (service clock, ms since the epoch, without the times that are cut out):
places to moments. Each finding is a `<g id="{prefix}finding-{n}" class="finding …" data-finding="{finding_id}"
data-start data-end data-x1 data-x2>` in the zoomed svg, with n from 1 in the order of their moments; data-start and
data-end are ms, data-x1 and data-x2 places as above. The class `current` lifts one out.
"""

from __future__ import annotations

from importlib.resources import files


def stylesheet() -> str:
    """Return the CSS of all pictures, to be served or put into a page beside `page.css`."""
    return files(__name__).joinpath("pictures.css").read_text(encoding="utf-8")
