"""stage4-retarget: people's motion on the terrain becomes the G1's."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

from stages.artifacts import layout, meshes
from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.calibrated_keypoints import MADE_BY
from stages.artifacts.images import write_image
from stages.artifacts.people_and_world import MEGAHUNTER_FILE
from stages.artifacts.robot_motion import (
    MULTI_FILE,
    SINGLE_FILE,
    read_robot_motion,
    write_robot_motions,
    write_robot_parts,
)
from stages.geometry.rotations import matrix_from_wxyz
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.running import (
    Input,
    InputPaths,
    PeopleFlags,
    Processed,
    VideoError,
    folder,
    stage_command,
)
from stages.running.fingerprints import PICTURES
from stages.running.inputs import clock, contacts, track_summary
from stages.running.model_flags import robot_flag
from stages.running.reconstructions import current, names_in, world_flag, world_folders
from stages.solving import use_compilation_cache
from stages.stage4_retarget.drawing import picture
from stages.stage4_retarget.gaps import LONGEST_GAP_S, SHORTEST_ROWS, Part
from stages.stage4_retarget.quality import measure
from stages.stage4_retarget.record import Solved, joined, robot_motion
from stages.stage4_retarget.retarget import retarget
from stages.stage4_retarget.shared_timeline import on_one_timeline
from stages.stage4_retarget.sources import Clip, read_clip
from stages.stage4_retarget.weights import CostWeights


@dataclass(kw_only=True)
class RetargetStage(CostWeights, PeopleFlags):
    """Turn people's motion into the robot's, on the terrain that it happened on.

    Writes retarget_poses_g1.h5 (with --multihuman also retarget_poses_g1_multiperson.h5) into
    each folder <postprocessed-base-dir>/<name>. Of somebody who is missing for long it holds the
    longest motion; the others lie beside it as retarget_poses_g1_part<n>.h5.
    """

    postprocessed_base_dir: Path = folder(
        layout.CALIBRATED, "Folder of stage 3's results.", is_output=True
    )
    contact_base_dir: Path = folder(layout.CONTACTS, "Folder of people's contacts.")
    world: str = world_flag()
    robot_file: Path = robot_flag()

    name = "stage4-retarget"

    @property
    def source_folder(self) -> Path:
        return self.postprocessed_base_dir

    def videos_with_input(self) -> list[str]:
        return sorted({name.video for name in names_in(self.postprocessed_base_dir)})

    def _current(self, video: str) -> layout.WorldName | None:
        data = self.data_folder
        folders = [
            *world_folders(data),
            data / layout.PEOPLE_AND_WORLD,
            self.postprocessed_base_dir,
        ]
        return current(data, folders, video, self.world)

    def variant(self, video: str) -> str:
        name = self._current(video)
        return name.method if name else ""

    def _calibrated_dir(self, video: str) -> Path:
        name = self._current(video)
        stem = name.megahunter_stem if name else f"megahunter_*_{video}_*"
        return self.postprocessed_base_dir / stem

    def inputs(self, video: str) -> list[Input]:
        calibrated, data = self._calibrated_dir(video), self.data_folder
        return [
            Input("keypoints", calibrated / KEYPOINTS_FILE, MADE_BY),
            Input("people_and_world", calibrated / MEGAHUNTER_FILE, MADE_BY),
            Input("mesh", calibrated / meshes.MESH_FILE, MADE_BY, required=False),
            contacts(self.contact_base_dir, video),
            clock(data / layout.IMAGES, video),
            replace(track_summary(data / layout.MASKS, video), required=False),
        ]

    def outputs(self, video: str) -> list[Path]:
        calibrated = self._calibrated_dir(video)
        return [calibrated / name for name in [SINGLE_FILE, MULTI_FILE][: 1 + self.multihuman]]

    @property
    def cost_weights(self) -> CostWeights:
        return CostWeights(**{each.name: getattr(self, each.name) for each in fields(CostWeights)})

    def notice(self) -> str:
        robot = load_g1(self.robot_file)
        return f"robot {robot.name} with {len(robot.joint_names)} joints"

    def load(self) -> None:
        use_compilation_cache()
        self.robot = load_g1(self.robot_file)

    def process(self, video: str, inputs: InputPaths) -> Processed:
        calibrated = self._calibrated_dir(video)
        clip = read_clip(inputs)
        people = list(clip.people.items())
        wanted = people[: self.top_k or None] if self.multihuman else people[:1]
        if not wanted:
            raise VideoError(
                f"{inputs['keypoints']} holds nobody who is there in {SHORTEST_ROWS} frames in a"
                " row; use a longer video or look at stage 2's outcome"
            )
        solved = {
            person: [self._one(clip, person, part) for part in parts] for person, parts in wanted
        }
        motions = {person: [each.motion for each in parts] for person, parts in solved.items()}
        write_robot_parts(calibrated, next(iter(motions.values())))
        notes, details = list(clip.remarks), {}
        if self.multihuman:
            together = {
                person: joined(motion, solved[person])
                for person, motion in on_one_timeline(motions).items()
            }
            write_robot_motions(calibrated / MULTI_FILE, together)
        elif (calibrated / MULTI_FILE).exists():
            # Viewers prefer it to the new file, whose motion it does not have.
            (calibrated / MULTI_FILE).unlink()
            notes.append(f"removed the older {MULTI_FILE}")
        for person, parts in solved.items():
            if len(parts) > 1:
                notes.append(
                    f"person {person} is missing for over {LONGEST_GAP_S:g} s: {len(parts)} motions"
                )
            for each in parts:
                name = f"person {person}" + (each.frames if len(parts) > 1 else "")
                notes.append(f"{name}: {each.note}")
                details[name] = each.details
        return Processed("; ".join(notes), details)

    def draw(self, video: str, inputs: InputPaths) -> None:
        calibrated, clip = self._calibrated_dir(video), read_clip(inputs)
        robot = load_g1(self.robot_file)
        motion = read_robot_motion(calibrated / SINGLE_FILE)
        parts = next(iter(clip.people.values()))
        part = next(p for p in parts if p.frame_numbers[0] == motion.frame_numbers[0])
        R_world_root = matrix_from_wxyz(motion.root_quat_xyzw[:, [3, 0, 1, 2]])
        links = link_trajectories(robot, R_world_root, motion.root_pos, motion.joints)
        place = clip.terrain
        drawn = picture(
            robot, *links, part.motion.joints, motion.times_s, place.vertices, place.faces
        )
        write_image(calibrated / PICTURES / "robot.jpg", drawn)

    def _one(self, clip: Clip, person: int, part: Part) -> Solved:
        found = retarget(self.robot, part.motion, clip.terrain, self.cost_weights)
        quality = measure(
            self.robot,
            found.R_world_root,
            found.p_world_root,
            found.joints,
            found.contacts,
            part.motion.times_s,
            clip.terrain,
            part.motion.joints,
        )
        motion = robot_motion(self.robot, person, part, found, quality, clip.fps)
        return Solved(motion, found, quality)


main = stage_command(RetargetStage)
