"""Traced solvers on disk, so that a second process need not trace them again.

JAX's own cache spares a process compiling but not tracing, which is most of the time to the first
result once that cache is full. A program is found again by all that it was traced from: this
project's code, the data that the problem's functions close over, shapes and types, JAX's version.
"""

import functools
import hashlib
import os
import pickle
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np
from jax import export

from stages.solving.problem import Problem

FOLDER = "traced"
# A program takes up to 200 kB.
_MOST_PROGRAMS = 200

Program = Callable[..., Any]
_ready: dict[Any, Program] = {}


def cached_program(
    minimise: Callable[..., Any], options: dict[str, Any] | None, problem: Problem, arguments: Any
) -> Program:
    """`minimise(problem, ...)`, compiled with options, for arguments of these shapes.

    Programs are cached below JAX's cache folder (`use_compilation_cache`). Without one, or for
    problems that do not say what they close over, JAX traces as usual.
    """
    leaves, tree = jax.tree.flatten(arguments)
    folder, digest = jax.config.values["jax_compilation_cache_dir"], problem.closure_digest
    types = [jax.dtypes.canonicalize_dtype(leaf.dtype) for leaf in leaves]
    shapes = tuple((leaf.shape, str(type_)) for leaf, type_ in zip(leaves, types, strict=True))
    key = (problem, tree, shapes, folder)
    if key not in _ready:
        if folder is None or digest is None:
            _ready[key] = jax.jit(functools.partial(minimise, problem), compiler_options=options)
        else:
            traced_from = repr((digest, str(tree), shapes, *_environment()))
            name = hashlib.sha256(traced_from.encode()).hexdigest()
            path = Path(folder) / FOLDER / name
            _ready[key] = _from_disk(path, leaves, options) or _to_disk(
                path, functools.partial(minimise, problem), tree, leaves, options
            )
    return _ready[key]


def digest_of(anything: Any) -> str:
    """Digest of data that functions close over, arrays included."""
    return hashlib.sha256(pickle.dumps(anything)).hexdigest()


def _to_disk(path: Path, function: Any, tree: Any, leaves: list[Any], options: Any) -> Program:
    structure: list[Any] = []

    def flat(*leaves: Any) -> list[Any]:
        found, found_tree = jax.tree.flatten(function(*jax.tree.unflatten(tree, leaves)))
        structure[:] = [jax.tree.unflatten(found_tree, range(len(found)))]
        return found

    try:
        exported = export.export(jax.jit(flat))(*leaves)
        stored = exported.serialize()
    except (ValueError, NotImplementedError):  # A device whose programs cannot be stored.
        return jax.jit(function, compiler_options=options)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(pickle.dumps((bytes(stored), structure[0])))
        unfinished.replace(path)
        programs = [p for p in path.parent.iterdir() if not p.name.startswith(".")]
        for old in sorted(programs, key=lambda p: p.stat().st_mtime)[:-_MOST_PROGRAMS]:
            old.unlink(missing_ok=True)
    except OSError:
        pass  # A full disk: the next process traces again.
    return _compiled(exported, structure[0], leaves, options)


def _own_bytes(path: Path) -> bytes:
    """A file that only this user can have written.

    Raises:
        OSError, PermissionError: there is none, or others could have written it or put it there.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        for status in (path.parent.lstat(), os.fstat(file.fileno())):
            is_open = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if status.st_uid != os.getuid() or is_open:
                raise PermissionError(f"{path} may be somebody else's")
        if not stat.S_ISREG(status.st_mode):
            raise PermissionError(f"{path} is no file")
        return file.read()


def _from_disk(path: Path, leaves: list[Any], options: Any) -> Program | None:
    """The program, or None where there is none or it is damaged."""
    try:
        stored, structure = pickle.loads(_own_bytes(path))
        exported = export.deserialize(bytearray(stored))
    except Exception:  # Whatever a damaged file leads to: it is made anew.
        return None
    _load_linear_algebra()
    return _compiled(exported, structure, leaves, options)


def _compiled(
    exported: export.Exported, structure: Any, leaves: list[Any], options: Any
) -> Program:
    """Compiled now: left to the first call, it would be again for arrays that JAX has made."""

    def minimise(*leaves: Any) -> list[Any]:
        return exported.call(*leaves)

    run = jax.jit(minimise, compiler_options=options).lower(*leaves).compile()

    def program(*arguments: Any) -> Any:
        found = run(*jax.tree.leaves(arguments))
        return jax.tree.map(lambda place: found[place], structure)

    return program


@functools.cache
def _load_linear_algebra() -> None:
    """Programs call LAPACK through pointers that JAX fills in when it first lowers such a call."""
    jax.jit(jax.lax.linalg.cholesky).lower(np.eye(1, dtype=np.float32))


@functools.cache
def _environment() -> tuple[str, ...]:
    """What every program depends on: this project's code, JAX, the device."""
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        code.update(path.read_bytes())
    device = jax.devices()[0].device_kind
    return code.hexdigest(), jax.__version__, jaxlib.__version__, device
