"""What the viewer reads, shows and writes, without a browser."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import viser

from bench.made_clip import write_clip
from stages.artifacts.curation import Decision, decisions_of
from stages.artifacts.layout import CALIBRATED
from stages.artifacts.people_and_world import MEGAHUNTER_FILE, WORLD
from stages.artifacts.robot_motion import SINGLE_FILE, write_robot_motion
from stages.artifacts.verdicts import Judged, Measure, Verdicts, write_verdicts
from stages.body.model import DEMO_BODY, load_body
from stages.geometry.depth_maps import camera_depth
from stages.robot.model import load_g1
from stages.running.curation import save_decision
from stages.running.fingerprints import Fingerprint
from stages.running.stamps import Stamp, stamp_path, write_stamp
from stages.stage3_postprocess.filtering import trusted
from stages.viewer import export, points
from stages.viewer.clip import open_clip
from stages.viewer.command import free_port, tunnel
from stages.viewer.panel import Panel
from stages.viewer.player import Player
from stages.viewer.points import GROWN_PX
from stages.viewer.results import find_results, orders
from stages.viewer.settings import Settings


@pytest.fixture
def server():
    server = viser.ViserServer(host="127.0.0.1", port=free_port("127.0.0.1", 8500), verbose=False)
    yield server
    server.stop()


def panel_of(server, data) -> Panel:
    panel = Panel(server, find_results(data / CALIBRATED), data)
    panel.begin_with(Settings())
    panel.attach(Player(server, load_body(DEMO_BODY), load_g1(), Settings(), panel.tell))
    return panel


def test_results_are_chosen_by_pattern_and_slice(data):
    root = data / CALIBRATED
    assert [r.name.video for r in find_results(root)] == ["first", "second"]
    assert [r.name.video for r in find_results(root, "SECOND")] == ["second"]
    assert [r.name.video for r in find_results(root, "", 1)] == ["second"]
    assert [r.name.video for r in find_results(root, "", 0, 1)] == ["first"]


def test_higher_thresholds_of_confidence_and_lower_ones_of_gradient_leave_fewer_points(data):
    clip = open_clip(find_results(data / CALIBRATED)[0])
    cloud = points.background(clip, 1)
    kept = [cloud.chosen(c, 10).sum() for c in (0.0, 0.3, 0.6)]
    assert kept[0] > kept[1] > kept[2] > 0
    assert cloud.chosen(0, 0.05).sum() < cloud.chosen(0, 10).sum()
    people = points.frame_points(clip.frame(0), True, 1)
    assert 0 < len(people.points) < clip.frame(0).dynamic.sum() + 1
    np.testing.assert_allclose(people.points[:, 1], 3.0, atol=0.05)
    clip.close()


def test_a_decision_is_in_the_file_at_once_and_shown_by_the_next_viewer(data, server):
    panel = panel_of(server, data)
    panel.decision.verdict.value = "reject"
    panel.decision.first.value = 2
    panel.decision.tags.value = "dark, far"
    panel.decision.note.value = "feet slide"
    line = (data / "curation.jsonl").read_text().splitlines()[0]
    assert json.loads(line)["video"] == "first"
    last = decisions_of(data)["first"]
    assert (last.verdict, last.first_frame, last.last_frame) == ("reject", 2, None)
    assert (last.tags, last.note) == (["dark", "far"], "feet slide")
    panel.step(1)
    assert panel.decision.verdict.value == "undecided"
    again = panel_of(server, data)
    assert (again.decision.verdict.value, again.decision.first.value) == ("reject", 2)
    assert (again.decision.tags.value, again.decision.note.value) == ("dark, far", "feet slide")
    assert len(decisions_of(data)) == 1


def test_a_person_whom_the_result_does_not_have_stays_chosen(data, server):
    save_decision(data, "first", Decision("keep", person=7))
    panel = panel_of(server, data)
    assert panel.decision.robot_of.value == "7" and "7" in panel.decision.robot_of.options
    panel.decision.note.value = "dark"
    assert decisions_of(data)["first"].person == 7


SINKS = Measure("sinks_cm", "Feet sink", "cm", "small", "depth below the mesh")
FILLS = Measure("fills", "Fills mask", "IoU", "large", "overlap")


def test_the_list_sorts_by_verdict_and_by_any_measure_the_worst_first(data, server):
    clips = {
        "first": Judged("keep", [], {SINKS.name: 1.0, FILLS.name: 0.4}),
        "second": Judged("doubt", ["Feet sink: 7 cm"], {SINKS.name: 7.0, FILLS.name: 0.9}),
    }
    write_verdicts(data, Verdicts([SINKS, FILLS], {}, clips))
    panel = panel_of(server, data)
    assert panel.judged.content.startswith("**keep**")

    def sorted_by(order: str) -> list[str]:
        panel.order.value = order
        return [result.name.video for result in panel.results]

    assert sorted_by("verdict, worst first") == ["second", "first"]
    assert sorted_by("Fills mask, worst first") == ["first", "second"]
    assert sorted_by("Feet sink, worst first") == ["second", "first"]
    panel.open(panel.results[0])
    assert panel.judged.content == "**doubt**\n\n- Feet sink: 7 cm"


def test_clips_without_a_verdict_come_last(data):
    clips = {"second": Judged("keep", [], {SINKS.name: 1.0})}
    results = find_results(data / CALIBRATED)
    for order in list(orders(Verdicts([SINKS], {}, clips)).values())[-2:]:
        assert [r.name.video for r in sorted(results, key=order)] == ["second", "first"]
    assert list(orders(Verdicts())) == ["name", "newest first", "longest first"]


def test_a_torn_line_of_decisions_costs_nothing_but_itself(data):
    save_decision(data, "first", Decision("keep"))
    with open(data / "curation.jsonl", "a") as file:
        file.write('{"video": "second", "verd')
    save_decision(data, "second", Decision("reject"))
    assert {name: d.verdict for name, d in decisions_of(data).items()} == {
        "first": "keep",
        "second": "reject",
    }


def test_a_trim_that_ends_before_it_begins_is_not_saved(data, server):
    panel = panel_of(server, data)
    panel.decision.last.value = 1
    panel.decision.first.value = 4
    assert "Not saved" in panel.decision.saved.content
    assert decisions_of(data)["first"].first_frame is None


@pytest.mark.parametrize("content", [None, b"", b"\x89HDF\r\n\x1a\n half"])
def test_a_broken_result_says_so_and_the_next_one_opens(data, server, content):
    broken = find_results(data / CALIBRATED)[0].folder / MEGAHUNTER_FILE
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    panel = panel_of(server, data)
    assert "broken or still being written" in panel.status.content
    panel.step(1)
    assert "broken" not in panel.status.content
    assert panel.player.clip.result.name.video == "second"


def test_frames_go_round_the_ends(data, server):
    panel = panel_of(server, data)
    panel.playback.move(-1)
    assert panel.playback.frame.value == 5
    assert panel.player.index == 5
    panel.playback.move(1)
    assert panel.player.index == 0


def test_of_clicks_that_come_at_once_each_is_a_frame_or_a_result(tmp_path, server):
    """viser calls each click in a thread of its own."""
    for video in ("a", "b", "c", "d", "e"):
        write_clip(tmp_path, video, frames=5, height=36, width=64)
    panel = panel_of(server, tmp_path)
    frames, results = panel.playback.frame, panel.results
    for _ in range(40):
        at = int(frames.value)
        with ThreadPoolExecutor(3) as clicks:
            list(clicks.map(panel.playback.move, (1, 1, 1)))
        assert int(frames.value) == (at + 3) % 5
    at = results.index(panel.current)
    with ThreadPoolExecutor(3) as clicks:
        list(clicks.map(panel.step, (1, 1, 1)))
    assert results.index(panel.current) == (at + 3) % 5


def test_what_is_large_is_read_only_when_it_is_shown(data, server):
    panel = panel_of(server, data)
    assert panel.player.loaded.wait(20)
    nodes = panel.player.scene.nodes
    assert "background" in nodes and "place" not in nodes
    panel.elements.checks["mesh"].value = True
    assert panel.player.loaded.wait(20)
    assert nodes["place"].visible
    panel.elements.checks["mesh"].value = False
    assert not nodes["place"].visible


def test_the_ego_view_of_every_frame_is_saved_under_the_originals_names(data, server):
    panel = panel_of(server, data)
    assert "6 frames" in panel.player.save_ego()
    folder = panel.current.folder / "ego_view"
    assert len(list(folder.glob("rgbimg_*.png"))) == len(list(folder.glob("depthimg_*.png"))) == 6


def test_a_clip_is_saved_as_one_page(data, server):
    panel = panel_of(server, data)
    said = export.save_page(panel.player)
    page = (panel.current.folder / export.PAGE).read_text()
    assert export.PAGE in said
    assert "__VISER_EMBED_DATA__" in page


def test_a_second_viewer_takes_the_next_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) < port + 50


def test_over_ssh_the_command_of_the_tunnel_is_told(monkeypatch):
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert tunnel(8081) == ""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 5000 10.0.0.2 2222")
    monkeypatch.setenv("USER", "ann")
    assert tunnel(8081) == "ssh -N -L 8081:localhost:8081 -p 2222 ann@10.0.0.2"


@pytest.mark.parametrize(("confidence", "gradient"), [(0.0, 0.05), (0.4, 0.05), (0.0, 0.01)])
def test_the_thresholds_take_the_pixels_that_stage_3_takes(data, confidence, gradient):
    clip = open_clip(find_results(data / CALIBRATED)[0])
    frame = clip.frame(0)
    depth_m = 2 * camera_depth(frame.points, frame.T_world_camera)
    taken = trusted(depth_m, frame.confidence, frame.dynamic, 2 * gradient, confidence, GROWN_PX)
    cloud = points.frame_points(frame, False, 1)
    ours = cloud.points[cloud.chosen(confidence, gradient)]
    assert 0 < len(ours) < len(cloud.points)
    np.testing.assert_array_equal(ours, frame.points[taken])
    clip.close()


def test_a_clip_that_is_made_anew_meanwhile_says_so_and_opens_again(data, server):
    panel = panel_of(server, data)
    assert not panel.player.has_changed()
    write_robot_motion(panel.current.folder / SINGLE_FILE, panel.player.clip.robots[1][0])
    assert wait_for(lambda: "first (sfm) has changed on disk" in panel.status.content)
    panel.open(panel.current)
    assert panel.status.content == "" and not panel.player.has_changed()


def test_a_decision_says_when_the_clip_was_made_anew_since(data, server):
    def made(content: str) -> None:
        outputs = {"motion": Fingerprint(content, ())}
        stamp = Stamp(True, {}, {}, {}, {}, [], outputs)
        write_stamp(stamp_path(data, "stage4-retarget", "first", "sfm"), stamp)

    made("once")
    panel = panel_of(server, data)
    panel.decision.verdict.value = "keep"
    panel.open(panel.current)
    assert (
        panel.decision.saved.content.startswith("Decided 2")
        and "since" not in panel.decision.saved.content
    )
    made("anew")
    panel.open(panel.current)
    assert panel.decision.verdict.value == "keep"
    assert panel.decision.saved.content.endswith("**the clip has changed since**")


def test_a_stage_that_has_begun_and_not_finished_is_named(data, server):
    stamp = Stamp(False, {}, {}, {}, {}, [], {})
    write_stamp(stamp_path(data, "stage4-retarget", "first", "sfm"), stamp)
    panel = panel_of(server, data)
    assert panel.status.content == "stage4-retarget has begun on it and not finished"
    panel.step(1)
    assert panel.status.content == ""


def test_a_damaged_frame_says_so_and_the_others_are_shown(data, server):
    panel = panel_of(server, data)
    folder = panel.current.folder
    panel.player.close()
    with h5py.File(folder / MEGAHUNTER_FILE, "r+") as file:
        points_of = file[WORLD]["00001"]["pts3d"]
        points_of.id.write_direct_chunk((0, 0, 0), b"no zlib")
    panel.open(panel.current)
    said = panel.status.content
    assert said.startswith("cannot be shown: ") and "00001/pts3d: Error -3" in said
    panel.playback.move(1)
    assert len(panel.player.scene.clouds["human"].points) > 0


def test_of_several_people_all_or_one_are_shown_each_with_a_robot(tmp_path, server):
    write_clip(tmp_path, "both", frames=3, height=48, width=64, people=2)
    panel = panel_of(server, tmp_path)
    shown = {"people/1", "people/2", "robot/1", "robot/2", "contacts/1", "contacts/2"}
    assert shown <= visible(panel)
    panel.elements.person.value = "2"
    assert shown & visible(panel) == {"people/2", "robot/2", "contacts/2"}
    panel.decision.robot_of.value = "2"
    assert decisions_of(tmp_path)["both"].person == 2


def test_a_key_that_is_pressed_during_a_switch_is_about_the_result_that_comes(data, server):
    panel = panel_of(server, data)
    with panel.switching:
        key = threading.Thread(
            target=panel.by_key, args=(lambda: setattr(panel.decision.verdict, "value", "reject"),)
        )
        key.start()
        key.join(0.2)
        panel.step(1)
    key.join()
    assert {video: d.verdict for video, d in decisions_of(data).items()} == {"second": "reject"}


def test_a_frame_that_is_chosen_while_widgets_are_filled_is_shown(data, server):
    panel = panel_of(server, data)
    with panel.switching, panel.filling:
        person = threading.Thread(target=lambda: setattr(panel.playback.frame, "value", 3))
        person.start()
        person.join(0.2)
    person.join()
    assert panel.player.index == panel.playback.frame.value == 3


def test_a_note_that_is_written_during_a_switch_is_no_decision_about_the_next(data, server):
    panel = panel_of(server, data)
    with panel.switching:
        person = threading.Thread(target=lambda: setattr(panel.decision.note, "value", "dark"))
        person.start()
        person.join(0.2)
        panel.step(1)
    person.join()
    assert panel.decision.note.value == "" and decisions_of(data) == {}


def visible(panel: Panel) -> set[str]:
    return {name for name, node in panel.player.scene.nodes.items() if node.visible}


def wait_for(condition, seconds: float = 10) -> bool:
    ends = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends:
        time.sleep(0.05)
    return condition()
