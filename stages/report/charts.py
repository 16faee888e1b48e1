"""Charts in SVG. Lines and bars differ by hatches, dashes and places, not by colour alone."""

import re
from collections.abc import Mapping
from io import StringIO
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stages.artifacts.clock import ASSUMED_FPS, read_clock
from stages.artifacts.contacts import read_contacts
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import LEDGER
from stages.drawing import colours
from stages.report.clip import Clip
from stages.robot.model import load_g1

matplotlib.rcParams.update(
    {
        "svg.fonttype": "path",
        "svg.hashsalt": "report",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "hatch.color": "white",
    }
)
PAPER = colours.PAPER
BLUE, ORANGE, GREY = "#1f5fa8", "#b35900", "#5a5f66"
MARKS = {"keep": ("o", "#1b6e3c"), "doubt": ("^", "#8a5a00"), "reject": ("s", "#a3262a")}
OTHER_MARK = ("D", BLUE)
JOINT_COLUMNS = 4
DASHES = ("-", ":", "-.")
"""Of the people's lines, in turn; limits are dashed."""
Layout = Literal["constrained"] | None
Series = tuple[str, np.ndarray, np.ndarray]
"""Label, times in seconds, and whether the foot stands."""


def contacts(clip: Clip) -> bytes:
    """When feet stand, by the people's contacts and in the robot's motion."""
    found = _found_contacts(clip)
    try:
        robots = clip.robots
    except ArtifactError:
        if not found:
            raise
        robots = {}
    for person, parts in robots.items():
        name = f"robot {person}" if len(robots) > 1 else "robot"
        times_s = np.concatenate([part.times_s for part in parts])
        for side in ("left", "right"):
            on = [getattr(part, f"{side}_foot") & part.present for part in parts]
            found.append((f"{name}, {side}", times_s, np.concatenate(on)))
    figure = _figure(8, 0.4 * len(found) + 0.9)
    axes = figure.subplots()
    for row, (label, times_s, stands) in enumerate(found):
        bars = _spans(times_s, stands)
        left = label.endswith("left")
        axes.broken_barh(
            bars,
            (row - 0.35, 0.7),
            facecolor=BLUE if left else ORANGE,
            hatch="" if left else "////",
            edgecolor="none" if left else "white",
            linewidth=0,
        )
    axes.set_yticks(range(len(found)), [label for label, *_ in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlabel("time in s")
    return _svg(figure).encode()


def joints(clip: Clip) -> bytes:
    """The angle of each of the robots' joints over time, between its limits."""
    robots, robot = clip.robots, load_g1()
    names = next(iter(robots.values()))[0].joint_names
    rows = -(-len(names) // JOINT_COLUMNS)
    figure = _figure(10, 1.25 * rows, layout=None)  # The constrained one takes seconds here.
    figure.subplots_adjust(0.06, 0.07, 0.99, 0.97, 0.25, 0.6)
    axes = figure.subplots(rows, JOINT_COLUMNS, sharex=True).ravel()
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    for index, (axis, name) in enumerate(zip(axes, names, strict=False)):
        joint = robot.joint(name)
        low, high = np.degrees([robot.lower[joint], robot.upper[joint]])
        for turn, (person, parts) in enumerate(robots.items()):
            line = {"linestyle": DASHES[turn % len(DASHES)], "color": _line_colour(person, robots)}
            for part in parts:
                angle = np.where(part.present, np.degrees(part.joints[:, index]), np.nan)
                axis.plot(part.times_s, angle, linewidth=1.2, label=f"robot {person}", **line)
        for limit in (low, high):
            axis.axhline(limit, color=ORANGE, linestyle="--", linewidth=0.9)
        axis.set_title(name.removesuffix("_joint").replace("_", " "), fontsize=8, loc="left")
        axis.set_yticks([round(low), 0, round(high)] if low < -5 and high > 5 else [low, high])
        axis.tick_params(labelsize=7)
    if len(robots) > 1:
        lines = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
        figure.legend(lines.values(), lines, loc="lower right", fontsize=8, frameon=False)
    figure.supxlabel("time in s", fontsize=8)
    figure.supylabel("angle in degrees", fontsize=8)
    return _svg(figure).encode()


def _line_colour(person: int, robots: Mapping[int, object]) -> Any:
    return BLUE if len(robots) == 1 else colours.darker(colours.of_person(person))


def terms(clip: Clip) -> bytes:
    """What the solvers noted of each of their terms."""
    found: list[tuple[str, dict[str, float]]] = []
    for stage, entry in clip.entries.items():
        details = entry.get("details") or {}
        for about, part in {"": details, **details}.items():
            if isinstance(part, Mapping) and isinstance(part.get("residuals"), Mapping):
                found.append((f"{stage} {about}".strip(), dict(part["residuals"])))
    if not found:
        raise ArtifactError(clip.data.root / LEDGER, "no solver has noted its terms")
    longest = max(len(values) for _, values in found)
    figure = _figure(5 * len(found), 0.22 * longest + 0.9)
    for axis, (title, values) in zip(
        figure.subplots(1, len(found), squeeze=False)[0], found, strict=True
    ):
        names = sorted(values, key=lambda name: values[name])
        axis.barh(names, [max(values[name], 1e-9) for name in names], color=BLUE)
        axis.set_xscale("log")
        axis.set_xlim(left=1e-4)
        axis.set_title(title, fontsize=9, loc="left")
        axis.set_xlabel("remaining cost")
    return _svg(figure).encode()


def outliers(
    title: str,
    unit: str,
    numbers: list[int],
    values: list[float],
    links: list[str],
    verdicts: list[str],
    names: list[str],
) -> str:
    """One measure of all clips, by the clips' numbers in the table; a point is a link to its page.

    Returns:
        SVG to be put into a page, each link with the clip's name for its title.
    """
    figure = _figure(4.2, 2.3)
    axes = figure.subplots()
    for number, value, link, verdict in zip(numbers, values, links, verdicts, strict=True):
        mark, colour = MARKS.get(verdict, OTHER_MARK)
        point = axes.scatter([number], [value], marker=mark, s=55, color=colour, zorder=3)
        point.set_urls([link])
    if values:
        axes.axhline(float(np.median(values)), color=GREY, linestyle=":", linewidth=1)
    axes.set_title(f"{title}, {unit}" if unit else title, fontsize=9, loc="left")
    axes.set_xlim(min(numbers, default=1) - 0.7, max(numbers, default=1) + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.set_xlabel("clip")
    svg = _svg(figure)
    labels = iter(zip(names, values, strict=True))

    def labelled(match: re.Match[str]) -> str:
        name, value = next(labels)
        text = _escaped(f"{name}: {value:.3g} {unit}".strip())
        return f'<a href="{match[1]}" aria-label="{text}"><title>{text}</title>'

    svg = re.sub(r'<a xlink:href="([^"]*)"[^>]*>', labelled, svg)
    return svg[svg.index("<svg") :]


def _found_contacts(clip: Clip) -> list[Series]:
    numbers: dict[int, dict[int, tuple[bool, bool]]] = {}
    images = []
    try:
        images = clip.images
    except ArtifactError:
        pass  # Frames may be gone while later results are there.
    for image in images:
        for person, contact in (
            read_contacts(clip.data.contacts(clip.video), image.name) or {}
        ).items():
            numbers.setdefault(person, {})[image.number] = (contact.left_foot, contact.right_foot)
    if not numbers:
        return []
    clock = read_clock(clip.data.images(clip.video) / "frames.json")
    found = []
    for person, stands in sorted(numbers.items()):
        times_s = clock.times_s(np.array(list(stands)))
        for column, side in enumerate(("left", "right")):
            on = np.array([feet[column] for feet in stands.values()])
            found.append((f"person {person}, {side}", times_s, on))
    return found


def _spans(times_s: np.ndarray, stands: np.ndarray) -> list[tuple[float, float]]:
    """Start and length of each time without a break in which a foot stands."""
    if not len(times_s):
        return []
    step = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1 / ASSUMED_FPS
    edges = np.flatnonzero(np.diff(np.concatenate([[False], stands, [False]]).astype(int)))
    spans = zip(edges[::2], edges[1::2] - 1, strict=True)
    return [(float(times_s[a]), float(times_s[b] - times_s[a]) + step) for a, b in spans]


def _figure(width: float, height: float, layout: Layout = "constrained") -> Figure:
    return Figure(figsize=(width, height), layout=layout, facecolor=PAPER)


def _svg(figure: Figure) -> str:
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _escaped(text: str) -> str:
    for raw, safe in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;")):
        text = text.replace(raw, safe)
    return text
