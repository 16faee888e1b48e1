"""``python -m tools.body``: build ``data/bodies/demo_body.npz`` anew."""

from pathlib import Path

import click

from tools.body.build import build, write


@click.command()
@click.option("--output", type=click.Path(path_type=Path), default="data/bodies/demo_body.npz")
@click.option("--samples", default=300, show_default=True, help="Adults to sample shapes from.")
@click.option("--seed", default=7, show_default=True)
def main(output: Path, samples: int, seed: int) -> None:
    """Build the CC0 demo body in SMPL's file layout (two minutes; longer the first time)."""
    arrays, quality = build(samples, seed)
    write(arrays, output)
    click.echo(
        f"{output}: {len(arrays['v_template'])} vertices, {output.stat().st_size / 1e6:.2f} MB; "
        f"shapes left out {quality.shape_left_out_m * 1e3:.1f} mm rms, "
        f"joint centres within {quality.joint_error_m * 1e3:.2f} mm"
    )


if __name__ == "__main__":
    main()
