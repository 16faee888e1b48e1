"""The page of the data set: table, outliers, failures, totals, and where all of it comes from."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from stages import catalogue
from stages.artifacts.curation import Decision, decisions_of
from stages.artifacts.verdicts import Measure, Verdicts
from stages.report import clip_page, judgement
from stages.report.charts import outliers
from stages.report.figures import FIGURES, Figure
from stages.report.judgement import FAILED, MARKS, NOT_JUDGED
from stages.report.pages import rendered
from stages.running import ledger
from stages.weights.licences import WEIGHTS_SUFFIXES, licence_of

CLIPS, INDEX = "clips", "index.html"
MOST_REASONS = 4
Entries = list[dict[str, Any]]


def index(root: Path, report: Path, videos: list[str], entries: Entries, verdicts: Verdicts) -> str:
    """The page, of the clips' summaries as they are now.

    Args:
        root: the data folder.
        videos: all of it, whether or not their pages were made.
        entries: the ledger.
        verdicts: on whatever was judged.
    """
    latest = {video: last_entries(entries, video) for video in videos}
    decisions = decisions_of(root)
    clips = [
        {
            **_row(root, report, video, latest[video], verdicts),
            "decision": _decision(root, video, decisions.get(video, Decision())),
        }
        for video in videos
    ]
    kinds: list[Figure | Measure] = [*FIGURES, *verdicts.measures]
    columns = [kind for kind in kinds if any(kind.name in clip["measures"] for clip in clips)]
    return rendered(
        "index.html",
        name=root.resolve().name,
        built=ledger.now(),
        totals=_totals(root, clips, entries),
        clips=clips,
        verdicts=sorted({clip["verdict"] for clip in clips}),
        columns=columns,
        plots=[_plot(figure, clips) for figure in columns],
        failures=[
            {**one, "video": video} for video in videos for one in clip_page.failures(latest[video])
        ],
        stages=_stages(latest),
        versions=_versions(latest),
        weights=_weights(latest),
        commands=sorted({str(e["command"]) for e in entries if e.get("command")}),
    )


def last_entries(entries: Entries, video: str) -> dict[str, dict[str, Any]]:
    """The last entry of each stage about a video that says what it did, in the chain's order."""
    last: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.get("video") == video and entry.get("outcome") != "skipped":
            last[str(entry.get("stage"))] = entry
    names = [stage.name for stage in catalogue.STAGES]
    return {name: last[name] for name in [*names, *(set(last) - set(names))] if name in last}


def _row(
    root: Path,
    report: Path,
    video: str,
    latest: dict[str, dict[str, Any]],
    verdicts: Verdicts,
) -> dict[str, Any]:
    summary = clip_page.read_summary(report / CLIPS / video)
    failed = clip_page.failures(latest)
    judged = judgement.current(root, video, verdicts)
    measured = judgement.measured(verdicts, judged)
    reasons = [f"{one['stage']}: {one.get('reason', '')}" for one in failed]
    reasons += judged.reasons if judged else []
    verdict = FAILED if failed else judged.verdict if judged else NOT_JUDGED
    place = f"{CLIPS}/{quote(video)}"
    return {
        "video": video,
        "verdict": verdict,
        "mark": MARKS[verdict],
        "rank": list(MARKS).index(verdict),
        "reasons": reasons[:MOST_REASONS],
        "more": len(reasons) - MOST_REASONS,
        "beyond": {one["name"]: one for one in measured if one["kind"]},
        "frames": summary.get("frames", 0),
        "seconds": summary.get("seconds", 0.0),
        "measures": {
            **summary.get("measures", {}),
            **{one["name"]: one["value"] for one in measured},
        },
        "page": f"{place}/{clip_page.PAGE}" if summary else "",
        "thumbnail": f"{place}/{clip_page.THUMBNAIL}" if summary.get("thumbnail") else "",
    }


def _decision(root: Path, video: str, decision: Decision) -> str:
    """What somebody decided, and whether the clip has another result since."""
    if decision == Decision():
        return ""
    parts = [decision.verdict + (f": {decision.note}" if decision.note else ""), *decision.tags]
    if decision.is_trimmed:
        last = "the last" if decision.last_frame is None else decision.last_frame
        parts.append(f"frames {decision.first_frame or 0} to {last}")
    if decision.person is not None:
        parts.append(f"person {decision.person}")
    if decision.has_changed(root, video):
        parts.append("the clip has changed since")
    return "; ".join(parts)


def _plot(figure: Any, clips: list[dict[str, Any]]) -> dict[str, str]:
    points = [
        (number, clip)
        for number, clip in enumerate(clips, 1)
        if figure.name in clip["measures"] and clip["page"]
    ]
    svg = outliers(
        figure.title,
        figure.unit,
        [number for number, _ in points],
        [clip["measures"][figure.name] for _, clip in points],
        [clip["page"] for _, clip in points],
        [clip["verdict"] for _, clip in points],
        [clip["video"] for _, clip in points],
    )
    return {"title": figure.title, "meaning": figure.meaning, "svg": svg}


def _totals(root: Path, clips: list[dict[str, Any]], entries: Entries) -> list[tuple[str, str]]:
    done = [entry for entry in entries if entry.get("outcome") == "done"]
    stored = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
    return [
        (f"{len(clips)}", "clips"),
        (f"{sum(clip['frames'] for clip in clips)}", "frames"),
        (f"{sum(clip['seconds'] for clip in clips) / 60:.2f}", "minutes of video"),
        (f"{sum(float(e.get('seconds', 0)) for e in done) / 60:.1f}", "minutes of stages' time"),
        (
            f"{max((float(e.get('peak_memory_mb', 0)) for e in done), default=0):.0f} MB",
            "most memory",
        ),
        (f"{stored / 1e6:.0f} MB", "stored"),
    ]


def _stages(latest: dict[str, dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    found = []
    for stage in catalogue.STAGES:
        done = [
            entries[stage.name]
            for entries in latest.values()
            if entries.get(stage.name, {}).get("outcome") == "done"
        ]
        if done:
            found.append(
                {
                    "stage": stage.name,
                    "videos": len(done),
                    "seconds": sum(float(entry.get("seconds", 0)) for entry in done),
                    "memory": max(float(entry.get("peak_memory_mb", 0)) for entry in done),
                }
            )
    return found


def _versions(latest: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    found = set()
    for entries in latest.values():
        for entry in entries.values():
            found |= {f"{name} {version}" for name, version in entry.get("versions", {}).items()}
            found.add(f"device {entry.get('device', 'unknown')}")
    return sorted(found)


def _weights(latest: dict[str, dict[str, dict[str, Any]]]) -> list[dict[str, str]]:
    """A row for each checkpoint that a stage used: the first of its files stands for all."""
    used: dict[tuple[str, str], dict[str, str]] = {}
    for entries in latest.values():
        for stage, entry in entries.items():
            for file, checksum in entry.get("weights_sha256", {}).items():
                model, _, rest = file.partition("/")
                if not rest or rest.endswith(WEIGHTS_SUFFIXES):
                    used[stage, checksum] = {
                        "stage": stage,
                        "file": model,
                        "sha256": checksum,
                        "licence": licence_of(checksum),
                    }
    return [used[key] for key in sorted(used)]
