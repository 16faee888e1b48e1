"""Binary glTF 2.0 of meshes, skins and one animation: what a file of it holds, and its bytes."""

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

FLOAT, UINT32, UINT8 = 5126, 5125, 5121
_KINDS = {np.dtype(np.float32): FLOAT, np.dtype(np.uint32): UINT32, np.dtype(np.uint8): UINT8}
_SHAPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_JSON, _BIN = 0x4E4F534A, 0x004E4942
Z_UP = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]
"""Turns a world of z up into glTF's of y up; x, y, z, w."""


@dataclass
class Gltf:
    """A file that grows: nodes hang on one root, which turns z up into y up."""

    content: dict[str, Any] = field(
        default_factory=lambda: {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"name": "world_z_up", "rotation": Z_UP, "children": []}],
            "meshes": [],
            "materials": [],
            "accessors": [],
            "bufferViews": [],
        }
    )
    data: bytearray = field(default_factory=bytearray)

    def add_array(self, values: np.ndarray) -> int:
        """The number of an accessor. MAT4 is given as rows and stored as columns."""
        values = np.ascontiguousarray(values.swapaxes(-1, -2) if values.ndim == 3 else values)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes}
        self.data += values.tobytes() + b"\0" * (-values.nbytes % 4)
        accessor = {
            "bufferView": self._append("bufferViews", view),
            "componentType": _KINDS[values.dtype],
            "count": len(values),
            "type": _SHAPES[values.shape[1:]],
        }
        if values.dtype == np.float32 and values.ndim < 3:
            bounds = values.reshape(len(values), -1)
            accessor |= {"min": bounds.min(axis=0).tolist(), "max": bounds.max(axis=0).tolist()}
        return self._append("accessors", accessor)

    def add_mesh(
        self,
        vertices: Float[np.ndarray, "V 3"],
        faces: Int[np.ndarray, "F 3"],
        rgb: tuple[float, float, float],
        **attributes: np.ndarray,
    ) -> int:
        """The number of a mesh; more attributes of its vertices, such as JOINTS_0."""
        arrays = {"POSITION": vertices.astype(np.float32), **attributes}
        shown = {"baseColorFactor": [*rgb, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.9}
        material = {"pbrMetallicRoughness": shown, "doubleSided": True}
        primitive = {
            "attributes": {name: self.add_array(values) for name, values in arrays.items()},
            "indices": self.add_array(faces.astype(np.uint32).ravel()),
            "material": self._append("materials", material),
        }
        return self._append("meshes", {"primitives": [primitive]})

    def add_node(self, name: str, **more: Any) -> int:
        """The number of a node below the root."""
        number = self._append("nodes", {"name": name, **more})
        self.content["nodes"][0]["children"].append(number)
        return number

    def add_skin(self, joints: list[int], inverse_bind: Float[np.ndarray, "J 4 4"]) -> int:
        """The number of a skin whose bones are nodes."""
        matrices = self.add_array(inverse_bind.astype(np.float32))
        return self._append("skins", {"joints": joints, "inverseBindMatrices": matrices})

    def animate(
        self,
        times: int,
        node: int,
        p: Float[np.ndarray, "T 3"],
        xyzw: Float[np.ndarray, "T 4"],
    ) -> None:
        """Moves a node of the root.

        Args:
            times: accessor of the moments in seconds.
        """
        (animation,) = self.content.setdefault("animations", [{"samplers": [], "channels": []}])
        for path, values in (("translation", p), ("rotation", xyzw)):
            output = self.add_array(values.astype(np.float32))
            animation["samplers"].append({"input": times, "output": output})
            sampler = len(animation["samplers"]) - 1
            animation["channels"].append(
                {"sampler": sampler, "target": {"node": node, "path": path}}
            )

    def to_bytes(self) -> bytes:
        """The file."""
        content = {**self.content, "buffers": [{"byteLength": len(self.data)}]}
        text = json.dumps(content).encode()
        text += b" " * (-len(text) % 4)
        chunks = [(_JSON, text), (_BIN, bytes(self.data))]
        body = b"".join(struct.pack("<II", len(part), kind) + part for kind, part in chunks)
        return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body

    def _append(self, kind: str, value: Any) -> int:
        self.content.setdefault(kind, []).append(value)
        return len(self.content[kind]) - 1
