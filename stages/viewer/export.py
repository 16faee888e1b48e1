"""A clip as one page that plays without a server."""

from stages.artifacts.atomic import write_text
from stages.viewer.player import Player

PAGE = "viewer.html"
LONGEST_RATE = 15.0
"""Frames a second of a page; more make it larger than what can be sent around."""


def save_page(player: Player) -> str:
    """Writes the page beside the data folder's results, with what is shown now; says where."""
    with player.lock:
        clip = player.clip
        if clip is None:
            return "no clip is open"
        every = max(1, round(clip.fps / LONGEST_RATE))
        shown = player.index
        player.show(0)
        recording = player.server.get_scene_serializer()
        for index in range(0, len(clip.names), every):
            player.show(index)
            recording.insert_sleep(every / clip.fps)
        page = recording.as_html()
        player.show(shown)
        path = clip.result.folder / PAGE
        write_text(path, page)
    return f"{path} ({len(page) / 1e6:.0f} MB)"
