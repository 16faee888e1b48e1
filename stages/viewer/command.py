"""`viewer`: look at the results of a data folder in the browser, and choose what to keep."""

import os
import socket
from pathlib import Path

import click
import viser

from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import CALIBRATED
from stages.body.model import DEMO_BODY, load_body
from stages.robot.model import load_g1, load_robot
from stages.robot.urdf import RobotFileError
from stages.running.flags import data_folder
from stages.running.model_flags import BODY_VARIABLE
from stages.viewer.panel import Panel
from stages.viewer.player import Player
from stages.viewer.results import find_results
from stages.viewer.settings import Settings

PORT = 8081
"""The original's."""
PORTS_TRIED = 50
LOOPBACK = "127.0.0.1"


def free_port(host: str, first: int) -> int:
    """The first port from `first` that nobody listens on.

    Raises:
        OSError: none of so many, or the host is not one of this machine.
    """
    for port in range(first, first + PORTS_TRIED):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if port == first + PORTS_TRIED - 1:
                    raise OSError(f"{host}:{first} to {port}: none can be used ({error})") from None
                continue
            return port
    raise AssertionError


def tunnel(port: int) -> str:
    """How to reach the viewer from the machine that one came from over SSH; empty without SSH."""
    connection = os.environ.get("SSH_CONNECTION", "").split()
    if len(connection) < 4:
        return ""
    user = os.environ.get("USER", "")
    host = (f"{user}@" if user else "") + connection[2]
    ssh_port = "" if connection[3] == "22" else f" -p {connection[3]}"
    return f"ssh -N -L {port}:localhost:{port}{ssh_port} {host}"


@click.command()
@click.option(
    "--results-root-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: data_folder() / CALIBRATED,
    show_default=f"$MIMICMILL_DATA/{CALIBRATED}",
    help="The folder of results.",
)
@click.option("--pattern", default="", help="Only results whose path contains this.")
@click.option(
    "--bg-pc-downsample-factor",
    default=4,
    show_default=True,
    type=click.IntRange(1),
    help="Every how manieth pixel of a picture becomes a point.",
)
@click.option("--robot-name", default="g1", show_default=True, help="g1, or a URDF of one's own.")
@click.option("--start-idx", default=0, show_default=True, help="The first result, by name.")
@click.option("--end-idx", default=-1, show_default=True, help="One after the last; -1: all.")
@click.option(
    "--confidence-threshold",
    default=0.0,
    show_default=True,
    help="Points that are less sure are hidden.",
)
@click.option(
    "--gradient-threshold",
    default=0.05,
    show_default=True,
    help="Points where depth changes more from pixel to pixel (m) are hidden.",
)
@click.option(
    "--body-model",
    type=click.Path(path_type=Path),
    default=DEMO_BODY,
    envvar=BODY_VARIABLE,
    show_default="the demo's CC0 body",
    help="The body in SMPL's layout that stages used.",
)
@click.option(
    "--host",
    default=LOOPBACK,
    envvar="MIMICMILL_HOST",
    show_default=True,
    help="0.0.0.0 lets others in.",
)
@click.option("--port", default=PORT, show_default=True, help="The first port to try.")
def main(
    results_root_dir: Path,
    pattern: str,
    bg_pc_downsample_factor: int,
    robot_name: str,
    start_idx: int,
    end_idx: int,
    confidence_threshold: float,
    gradient_threshold: float,
    body_model: Path,
    host: str,
    port: int,
) -> None:
    """Look at results in the browser; decisions go to curation.jsonl in the data folder."""
    results = find_results(results_root_dir, pattern, start_idx, end_idx)
    if not results:
        raise click.UsageError(
            f"{results_root_dir} has no results matching '{pattern}'; run stage3-postprocess first"
        )
    settings = Settings(
        step=bg_pc_downsample_factor,
        confidence=confidence_threshold,
        gradient=gradient_threshold,
    )
    try:
        body = load_body(body_model)
        robot = load_g1() if robot_name == "g1" else load_robot(Path(robot_name))
        used = free_port(host, port)
    except (ArtifactError, RobotFileError, OSError) as error:
        raise click.UsageError(str(error)) from None
    server = viser.ViserServer(host=host, port=used, label="Mimicmill", verbose=False)
    server.scene.set_up_direction("+z")
    panel = Panel(server, results, results_root_dir.parent)
    panel.begin_with(settings)
    panel.attach(Player(server, body, robot, settings, panel.tell))
    shown = "localhost" if host in (LOOPBACK, "0.0.0.0") else host
    print(f"{len(results)} results at http://{shown}:{used}  (end with Ctrl-C)", flush=True)
    if command := tunnel(used):
        print(f"from your own machine: {command}", flush=True)
    try:
        server.sleep_forever()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
