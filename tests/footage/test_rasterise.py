import torch

from tools.footage.rasterise import NOTHING, barycentric, visible_triangles

HEIGHT, WIDTH = 24, 32


def random_triangles(count: int, size_px: float, seed: int):
    generator = torch.Generator().manual_seed(seed)
    middle = torch.rand(2, count, 1, 2, generator=generator) * torch.tensor([WIDTH, HEIGHT])
    corners = middle + size_px * torch.randn(2, count, 3, 2, generator=generator)
    depth = 1 + 4 * torch.rand(2, count, 3, generator=generator)
    faces = torch.arange(3 * count).view(count, 3)
    return corners.flatten(1, 2), depth.flatten(1), faces


def brute_force(points, depth, faces):
    """Every triangle against every pixel, in double precision."""
    grid_y, grid_x = torch.meshgrid(
        torch.arange(HEIGHT).double(), torch.arange(WIDTH).double(), indexing="ij"
    )
    at = torch.stack([grid_x, grid_y], -1).view(-1, 2)
    face_at = torch.full((len(points), len(at)), NOTHING)
    nearest = torch.full((len(points), len(at)), torch.inf, dtype=torch.float64)
    for image in range(len(points)):
        for number, face in enumerate(faces):
            a, b, c = points[image, face].double()
            area = torch.linalg.det(torch.stack([b - a, c - a]))
            weights = [
                torch.linalg.det(torch.stack([(q - p).expand_as(at), at - p], -2)) / area
                for p, q in ((b, c), (c, a), (a, b))
            ]
            z = 1 / sum(w / d for w, d in zip(weights, depth[image, face].double(), strict=True))
            inside = torch.stack(weights).amin(0) >= 0
            closer = inside & (z < nearest[image])
            face_at[image][closer] = number
            nearest[image][closer] = z[closer]
    shape = (len(points), HEIGHT, WIDTH)
    return face_at.view(shape), torch.where(nearest.isinf(), 0, nearest).view(shape)


def assert_same_picture(points, depth, faces):
    face, z = visible_triangles(points, depth, faces, HEIGHT, WIDTH)
    expected_face, expected_z = brute_force(points, depth, faces)
    assert (face == expected_face).float().mean() > 0.998  # centres on an edge may go either way
    same = face == expected_face
    torch.testing.assert_close(z[same].double(), expected_z[same], rtol=1e-4, atol=1e-4)


def test_small_triangles_match_a_brute_force_reference():
    assert_same_picture(*random_triangles(60, 1.5, seed=1))


def test_triangles_larger_than_the_image_match_a_brute_force_reference():
    assert_same_picture(*random_triangles(12, 60.0, seed=2))


def test_a_triangle_behind_the_camera_is_left_out():
    points = torch.tensor([[[0.0, 0], [20, 0], [0, 20]]])
    face, depth = visible_triangles(
        points, torch.tensor([[1.0, -1.0, 1.0]]), torch.tensor([[0, 1, 2]]), HEIGHT, WIDTH
    )
    assert (face == NOTHING).all() and (depth == 0).all()


def test_only_the_asked_side_is_drawn():
    points = torch.tensor([[[0.0, 0], [20, 0], [0, 20]]])
    faces, depth = torch.tensor([[0, 1, 2]]), torch.ones(1, 3)
    front, _ = visible_triangles(points, depth, faces, 9, 9, facing=torch.tensor([1.0]))
    back, _ = visible_triangles(points, depth, faces, 9, 9, facing=torch.tensor([-1.0]))
    assert (front == 0).any() and (back == NOTHING).all()


def test_triangles_that_an_image_lacks_are_not_drawn():
    points, depth, faces = random_triangles(5, 20.0, seed=3)
    present = torch.zeros(2, 5, dtype=torch.bool)
    present[1, 2] = True
    face, _ = visible_triangles(points, depth, faces, HEIGHT, WIDTH, face_present=present)
    assert (face[0] == NOTHING).all()
    assert set(face[1].unique().tolist()) <= {NOTHING, 2} and (face[1] == 2).any()


def test_weights_are_perspective_correct():
    corners = torch.tensor([[[0.0, 0], [10, 0], [0, 10]]])
    depth = torch.tensor([[1.0, 3.0, 1.0]])
    weights = barycentric(corners, depth, torch.tensor([[5.0, 0.0]]))
    # Half-way in the image is a quarter of the way to a corner three times as far.
    torch.testing.assert_close(weights, torch.tensor([[0.75, 0.25, 0.0]]))
