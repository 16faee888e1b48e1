"""Whatever a data file holds, its reader gives what later stages can use, or one line."""

import io
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import read_image
from stages.artifacts.masks import mask_path, read_mask
from stages.artifacts.meshes import read_mesh
from stages.artifacts.pickles import read_pickle
from stages.artifacts.world import opened_world
from stages.robot.urdf import read_urdf
from tests.hostile import readers
from tests.hostile.readers import READERS

MUTATIONS = 3000
TOLERANT = {"stamp", "ledger", "decisions", "verdicts", "comparison"}
"""Readers of what is soon made again: damage is the same as nothing there."""


def test_mutated_files_are_refused_in_a_line_or_read_and_make_sense():
    """Bars: no other exception, nothing that takes 10 s or 2 GB, no process that ends."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.fuzz", "--count", str(MUTATIONS)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_pipes_devices_and_folders_are_not_opened(tmp_path, reader):
    path = reader.make(tmp_path)
    reader.read(path)

    def look() -> None:
        if reader.name in TOLERANT:
            reader.read(path)
            return
        with pytest.raises(ArtifactError, match=f"{path.name}.*expected a file"):
            reader.read(path)

    path.unlink()
    os.mkfifo(path)
    look()
    path.unlink()
    path.symlink_to("/dev/zero")
    look()
    path.unlink()
    path.mkdir()
    look()


def test_the_documentation_says_what_every_reader_checks():
    page = (Path(__file__).parents[2] / "docs" / "robustness.md").read_text()
    table = page[page.index("## What damaged and hostile files bring") :]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    listed = {each.strip() for row in rows for each in row.split(",")} - {"reader", "---"}
    assert listed == {reader.name for reader in READERS}


def external(group, other):
    group["rgbimg"] = h5py.ExternalLink(str(other), "/x")


def stored_elsewhere(group, other):
    raw = [(str(other), 0, 2304)]
    group.create_dataset("rgbimg", shape=(24, 32, 3), dtype="u1", external=raw)


def virtual(group, other):
    layout = h5py.VirtualLayout((24, 32, 3), "u1")
    layout[...] = h5py.VirtualSource(str(other), "x", (24, 32, 3))
    group.create_virtual_dataset("rgbimg", layout)


def huge(group, _other):
    group.create_dataset("rgbimg", shape=(100_000, 100_000), dtype="u1", chunks=(8, 8))


def huge_chunk(group, _other):
    chunks = (1, 30_000, 30_000)
    group.create_dataset("rgbimg", shape=(1, 1, 3), maxshape=(None,) * 3, dtype="u1", chunks=chunks)


def reference(group, _other):
    group.create_dataset("rgbimg", data=np.array([group.ref], dtype=h5py.ref_dtype))


def swelling(group, _other):
    """A chunk that unpacks to a thousand times what it should."""
    shape = (24, 32, 3)
    made = group.create_dataset("rgbimg", shape, "u1", chunks=shape, compression="gzip")
    made.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(50_000_000)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (external, "link to another file"),
        (stored_elsewhere, "lies in another file"),
        (virtual, "put together from other arrays"),
        (huge, "too large"),
        (huge_chunk, "too large"),
        (reference, "neither numbers nor text"),
        (swelling, "expected"),
    ],
)
def test_an_hdf5_file_that_leads_elsewhere_or_swells_is_refused(tmp_path, change, said):
    path, other = readers.make_world(tmp_path), tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.zeros((24, 32, 3), np.uint8)
    with h5py.File(path, "r+") as file:
        group = file["monst3r_ga_output/00001"]
        del group["rgbimg"]
        change(group, other)
    with pytest.raises(ArtifactError, match=rf"world\.h5: .*rgbimg.*{said}"):
        readers.read_world(path)


def test_a_file_that_keeps_hdf5_at_work_for_ever_ends_in_a_line_and_the_next_one_is_read(tmp_path):
    path = readers.make_joints(tmp_path)
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 24 : heap + 32] = bytes(8)  # An entry of no length, after which it comes again.
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=f"{path.name}: damaged .*does not come to an end"):
        readers.read_joints(path)
    readers.read_joints(readers.make_joints(tmp_path))


def test_a_stray_file_of_stage_2_stops_nothing_and_is_not_taken_for_a_result(tmp_path):
    from stages.running.reconstructions import names_in

    (tmp_path / "megahunter_backup.h5").write_bytes(b"old")
    (tmp_path / "megahunter_sfm_reconstruction_results_x_backup.h5").write_bytes(b"old")
    assert names_in(tmp_path) == []


def text(value: str) -> bytes:
    return b"S'" + value.encode() + b"'\n"


def name(module: str, what: str) -> bytes:
    return f"c{module}\n{what}\n".encode()


OBJECTS = name("numpy", "dtype") + b"(" + text("O") + b"tR"
POINTERS = b"B" + struct.pack("<I", 8) + b"A" * 8


def many_references(count: int = 40) -> bytes:
    """Lists that hold the one before twice."""
    made = b"\x80\x02]q\x000"
    for index in range(count):
        made += b"](h" + bytes([index]) + b"h" + bytes([index]) + b"eq" + bytes([index + 1]) + b"0"
    return made + b"h" + bytes([count]) + b"."


def sparse(kind: str, **parts: bytes) -> bytes:
    made = name("copyreg", "_reconstructor") + b"(" + name("scipy.sparse", kind)
    made += name("builtins", "object") + b"NtR}"
    return b"\x80\x02" + made + b"".join(text(k) + v + b"s" for k, v in parts.items()) + b"b."


def array(*numbers: float, dtype: str = "i4") -> bytes:
    return pickle.dumps(np.array(numbers, dtype), 2)[2:-1]


FAR = array(2**27)
ONE = array(1, dtype="f8")
P2 = b"\x80\x02"
BY_RECONSTRUCT = name("numpy.core.multiarray", "_reconstruct") + b"(" + name("numpy", "ndarray")
HOSTILE_PICKLES = {
    "pointers as an array": (
        P2 + name("numpy", "ndarray") + b"(I1\n\x85" + OBJECTS + POINTERS + b"tR."
    ),
    "pointers as a buffer": b"".join(
        (P2, name("numpy._core.numeric", "_frombuffer"), b"(", POINTERS, OBJECTS, b"I1\n\x85")
    )
    + text("C")
    + b"tR.",
    "pointers as a state": b"".join(
        (P2, BY_RECONSTRUCT, b"I0\n\x85", text("b"), b"tR(I1\nI1\n\x85", OBJECTS, b"\x89", POINTERS)
    )
    + b"tb.",
    "an index beyond a coo matrix": sparse(
        "coo_matrix", _shape=b"I24\nI6890\n\x86", row=FAR, col=array(0), data=ONE
    ),
    "an index beyond a csr matrix": sparse(
        "csr_matrix",
        _shape=b"I2\nI9\n\x86",
        indices=FAR,
        indptr=array(0, 1, 1),
        data=ONE,
        check_format=name("builtins", "object"),
    ),
    "pointers of a csr matrix that fall": sparse(
        "csr_matrix", _shape=b"I2\nI9\n\x86", indices=array(1), indptr=array(0, 9, 1), data=ONE
    ),
    "a matrix of a billion rows": sparse(
        "csc_matrix",
        _shape=b"I1000000000\nI1000000000\n\x86",
        indices=array(),
        indptr=array(),
        data=array(),
    ),
    "references that multiply": many_references(),
    "a list in itself": P2 + b"]q\x00h\x00a.",
    "seven gigabytes": P2 + name("builtins", "bytes") + b"(L%dL\ntR." % (7 * 2**30),
    "a type of two gigabytes": (
        P2 + name("numpy", "dtype") + b"(" + text(f"V{2**31 - 1}") + b"tR."
    ),
    "another encoding": (
        P2 + name("_codecs", "encode") + b"(" + text("a") + text("punycode") + b"tR."
    ),
    "a memo beyond memory": P2 + b"Nr\xff\xff\xff\x7fh\x00.",
    "a text longer than the file": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a.",
    "a long number": P2 + b"\x8b" + struct.pack("<i", 2**30) + b"1.",
    "many lists in lists": P2 + b"]" * 100_000 + b"a" * 99_999 + b".",
    "keys that collide": (
        P2 + b"}(" + b"".join(b"L%dL\nN" % (k * (2**61 - 1)) for k in range(1, 50_000)) + b"u."
    ),
}


@pytest.mark.parametrize("content", HOSTILE_PICKLES.values(), ids=HOSTILE_PICKLES)
def test_a_pickle_that_would_break_the_process_ends_in_a_line(tmp_path, content):
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    began = time.process_time()
    with pytest.raises(ArtifactError, match=r"a\.pkl"):
        read_pickle(path)
    assert time.process_time() - began < 5


def test_a_mask_of_gigabytes_in_a_small_file_is_not_unpacked(tmp_path):
    path = mask_path(tmp_path, "00001")
    path.parent.mkdir()
    header = io.BytesIO()
    shape = {"descr": "<u2", "fortran_order": False, "shape": (40_000, 40_000)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mask.npy", header.getvalue() + bytes(1_000_000))
    with pytest.raises(ArtifactError, match="too large"):
        read_mask(tmp_path, "00001")


def test_a_picture_of_more_pixels_than_memory_is_not_unpacked(tmp_path):
    side = 13_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    png = tmp_path / "00001.png"
    png.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    )
    jpeg = readers.make_picture("00001.jpg")(tmp_path)
    content = bytearray(jpeg.read_bytes())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    jpeg.write_bytes(content)
    for path in (png, jpeg):
        with pytest.raises(ArtifactError, match="pixels, expected no more than"):
            read_image(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("f 1 2 99999999", "out of bounds"),
        ("f -1 -2 -99", "mesh"),
        ("f 0 1 2", "vertex 0"),
        ("v nan 0 0\nf 1 2 4", "a vertex has what are no numbers"),
    ],
)
def test_a_mesh_that_makes_no_sense_is_refused(tmp_path, content, said):
    path = tmp_path / "a.obj"
    path.write_text(f"v 0 0 0\nv 1 0 0\nv 0 1 0\n{content}\n")
    with pytest.raises(ArtifactError, match=said):
        read_mesh(path)


def test_a_mesh_opens_no_file_that_it_names(tmp_path):
    secret = tmp_path / "secret.mtl"
    os.mkfifo(secret)  # Whoever opened it would wait.
    path = tmp_path / "a.obj"
    path.write_text("mtllib secret.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n")
    vertices, faces = read_mesh(path)
    assert len(vertices) == 3 and faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("entity", ['"ha"', 'SYSTEM "file:///etc/passwd"'])
def test_a_robot_that_declares_entities_is_refused(tmp_path, entity):
    path = tmp_path / "r.urdf"
    path.write_text(f"<!DOCTYPE r [<!ENTITY x {entity}>]><robot name='&x;'/>")
    with pytest.raises(ArtifactError, match=r"r\.urdf: not a readable URDF .*document type"):
        read_urdf(path)


def test_a_world_whose_times_fall_or_whose_heights_are_negative_is_refused(tmp_path):
    for place, attribute, value in (
        ("monst3r_ga_output/00002", "time_s", -1.0),
        ("/", "heights_m", [-1.8]),
    ):
        path = readers.make_world(tmp_path)
        with h5py.File(path, "r+") as file:
            file[place].attrs[attribute] = value
        with (
            pytest.raises(ArtifactError, match=rf"world\.h5: .*{attribute}"),
            opened_world(path) as (frames, _),
        ):
            frames.times_s  # noqa: B018


def test_what_goes_through_files_ends_with_a_process_that_is_killed(tmp_path):
    path = readers.make_world(tmp_path)
    script = (
        "import sys, time; from pathlib import Path; from stages.artifacts import h5_watch\n"
        "from stages.artifacts.world import opened_world\n"
        "with opened_world(Path(sys.argv[1])): print(h5_watch._running.process.pid, flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        probe = Path("/proc") / process.stdout.readline().strip()
        assert (probe / "cmdline").read_bytes()
        process.kill()
    until = time.monotonic() + 10
    while time.monotonic() < until and _is_alive(probe):
        time.sleep(0.02)
    assert not _is_alive(probe)


def _is_alive(process: Path) -> bool:
    try:
        return ") Z" not in (process / "stat").read_text()
    except OSError:
        return False
