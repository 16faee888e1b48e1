"""Whether the packages that only some have, GeoCalib and NKSR, import beside this PyTorch.

`python -m stages.stage3_postprocess.packages geocalib` ends with 1 and one line where it does not.
torchvision, which GeoCalib imports, fits the PyTorch of one release and of one CUDA only.
"""

import sys
from importlib import import_module, metadata

_LONGEST = 90
"""Of what an import said, so that the line stays below 200 characters."""


def fault(package: str) -> str:
    """What is wrong, in one line; empty if the package imports."""
    try:
        import_module(package)
    except Exception as error:  # Libraries that do not fit fail in any way.
        said = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
        beside = f"PyTorch {_version('torch')}, torchvision {_version('torchvision')}"
        return f"{package} cannot be imported ({said}); {beside} must be of one index and release"
    return ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(none)"


def main(packages: list[str]) -> int:
    faults = [said for said in map(fault, packages) if said]
    for said in faults:
        print(said, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
