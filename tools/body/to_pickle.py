"""``python -m tools.body.to_pickle``: the demo body as a .pkl, which `smplx.SMPL` opens by path.

`smplx` reads SMPL from pickles only. Name the file ``SMPL_NEUTRAL.pkl`` for `smplx.create`.
"""

from pathlib import Path

import click
import numpy as np
import scipy.sparse

from stages.artifacts.pickles import dumped

SMPL_KEYS = [
    "v_template", "shapedirs", "posedirs", "J_regressor", "J", "weights", "f", "kintree_table",
    "bs_type", "bs_style",
]  # fmt: skip


def write_smpl_pickle(body: Path, output: Path) -> None:
    """Write what SMPL's own files have: arrays, and the joints' regressor as a sparse matrix."""
    with np.load(body, allow_pickle=False) as file:
        data = {name: file[name] for name in SMPL_KEYS}
    data["J_regressor"] = scipy.sparse.csc_matrix(data["J_regressor"])
    output.write_bytes(dumped(data))


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--body", type=click.Path(path_type=Path), default="data/bodies/demo_body.npz")
def main(output: Path, body: Path) -> None:
    """Write BODY to OUTPUT as a pickle in SMPL's layout (18 MB)."""
    write_smpl_pickle(body, output)
    click.echo(f"{output}: written")


if __name__ == "__main__":
    main()
