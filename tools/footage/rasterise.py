"""Triangles to pixels: a z-buffer for many images at once, in plain torch operations.

Every triangle lists the pixels of its bounding window, all lists are laid end to end, and one
scatter-minimum on (depth, triangle) keys decides the visible triangle of each pixel. The work is
proportional to the summed window areas, so that a body of tiny triangles and one that fills the
frame both come out exact, without window-size limits.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

NEAR_M = 0.05
NOTHING = -1
_EMPTY = torch.iinfo(torch.int64).max
_WINDOW_PIXELS_AT_ONCE = 40_000_000


def visible_triangles(
    points_px: Float[Tensor, "B V 2"],
    depth: Float[Tensor, "B V"],
    faces: Int[Tensor, "F 3"],
    height: int,
    width: int,
    face_present: Tensor | None = None,
    perspective: bool = True,
    facing: Float[Tensor, " B"] | None = None,
) -> tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W"]]:
    """The nearest triangle at every pixel centre.

    points_px: vertex positions, pixel centres at integers. depth: z-depth of the vertices.
    Triangles with a vertex nearer than NEAR_M are left out (no clipping).
    face_present: bool (B, F), which triangles each image has. perspective: whether 1/depth (true)
    or depth (false, orthographic) is linear over the image. facing: keep only triangles whose
    signed image area (x right, y down) has this sign, one an image; all triangles if not given.
    Returns the face index (NOTHING where none) and its depth (0 where none).
    """
    batch, device = points_px.shape[0], points_px.device
    corners = points_px[:, faces]  # B F 3 2
    corner_depth = depth[:, faces]
    low, high = corners.amin(2).ceil(), corners.amax(2).floor()
    limit = torch.tensor([width - 1, height - 1], device=device, dtype=points_px.dtype)
    low, high = low.clamp(min=0), torch.minimum(high, limit)
    keep = ((high >= low).all(-1)) & (corner_depth.amin(-1) > NEAR_M)
    edge1, edge2 = corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0]
    area = edge1[..., 0] * edge2[..., 1] - edge1[..., 1] * edge2[..., 0]
    keep &= area != 0 if facing is None else area * facing[:, None] > 0
    if face_present is not None:
        keep &= face_present
    image, face = keep.nonzero(as_tuple=True)

    corners, corner_depth, area = corners[image, face], corner_depth[image, face], area[image, face]
    low, high = low[image, face], high[image, face]
    planes = _planes(corners, corner_depth, area, low, perspective)
    size = (high - low + 1).long()
    low = low.long()
    first_pixel = (image * height + low[:, 1]) * width + low[:, 0]
    buffer = torch.full((batch * height * width,), _EMPTY, dtype=torch.int64, device=device)
    windows = size[:, 0] * size[:, 1]
    for piece in _pieces(windows):
        _draw(buffer, planes[piece], face[piece], first_pixel[piece], size[piece, 0],
              windows[piece], width, perspective)  # fmt: skip
    seen = buffer != _EMPTY
    face_at = torch.where(seen, buffer & 0xFFFFFFFF, NOTHING)
    bits = torch.where(seen, buffer >> 32, 0).to(torch.int32)
    depth_at = bits.view(torch.float32)
    return face_at.view(batch, height, width), depth_at.view(batch, height, width)


def _planes(corners, corner_depth, area, origin, perspective) -> Float[Tensor, "M 9"]:
    """Two barycentric weights and (inverse) depth as planes a + b dx + c dy.

    dx, dy count from the window's corner, so that float32 keeps its precision far from the
    image's origin.
    """
    relative = corners - origin[:, None]
    x, y = relative[..., 0], relative[..., 1]

    def weight(i: int, j: int):  # zero on corner i and j's edge, one on the third corner
        slope_x, slope_y = (y[:, i] - y[:, j]) / area, (x[:, j] - x[:, i]) / area
        return torch.stack([-slope_x * x[:, i] - slope_y * y[:, i], slope_x, slope_y], -1)

    weight1, weight2 = weight(2, 0), weight(0, 1)
    value = 1 / corner_depth if perspective else corner_depth
    rise1, rise2 = value[:, 1] - value[:, 0], value[:, 2] - value[:, 0]
    plane = rise1[:, None] * weight1 + rise2[:, None] * weight2
    plane[:, 0] += value[:, 0]
    return torch.cat([weight1, weight2, plane], -1)


def _pieces(windows: Int[Tensor, " M"]) -> list[slice]:
    """Runs of triangles whose windows together stay within memory."""
    if len(windows) == 0:
        return []
    total = windows.cumsum(0)
    if int(total[-1]) <= _WINDOW_PIXELS_AT_ONCE:
        return [slice(0, len(windows))]
    marks = torch.arange(1, int(total[-1]) // _WINDOW_PIXELS_AT_ONCE + 1, device=total.device)
    cuts = torch.searchsorted(total, marks * _WINDOW_PIXELS_AT_ONCE).tolist()
    edges = [0, *cuts, len(windows)]
    return [slice(a, b) for a, b in pairwise(edges) if b > a]


def _draw(buffer, planes, face, first_pixel, columns, windows, width, perspective) -> None:
    owner = torch.repeat_interleave(windows)
    step = torch.arange(len(owner), device=owner.device) - (windows.cumsum(0) - windows)[owner]
    dy = torch.div(step, columns[owner], rounding_mode="floor")
    dx = step - dy * columns[owner]
    pixel = first_pixel[owner] + dy * width + dx
    plane = planes[owner]
    dx, dy = dx.to(plane.dtype), dy.to(plane.dtype)
    weight1 = plane[:, 0] + plane[:, 1] * dx + plane[:, 2] * dy
    weight2 = plane[:, 3] + plane[:, 4] * dx + plane[:, 5] * dy
    # The tolerance closes the seams between neighbours that rounding would leave open.
    inside = (weight1 >= -1e-5) & (weight2 >= -1e-5) & (weight1 + weight2 <= 1 + 1e-5)
    value = plane[:, 6] + plane[:, 7] * dx + plane[:, 8] * dy
    depth = (1 / value if perspective else value).float()
    # Bits of positive floats sort like the floats, so one integer minimum picks the nearest.
    inside &= depth > 0
    key = (depth.view(torch.int32).long() << 32) | face[owner]
    buffer.scatter_reduce_(0, pixel[inside], key[inside], "amin")


def barycentric(
    corners_px: Float[Tensor, "M 3 2"],
    corner_depth: Float[Tensor, "M 3"],
    at_px: Float[Tensor, "M 2"],
) -> Float[Tensor, "M 3"]:
    """Perspective-correct weights of the corners at pixel positions."""
    relative = corners_px - at_px[:, None]
    x, y = relative[..., 0], relative[..., 1]
    # Twice the areas of the triangles that the point makes with each edge.
    weights = torch.stack(
        [x[:, 1] * y[:, 2] - x[:, 2] * y[:, 1],
         x[:, 2] * y[:, 0] - x[:, 0] * y[:, 2],
         x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]], -1
    ) / corner_depth  # fmt: skip
    return weights / weights.sum(-1, keepdim=True)
