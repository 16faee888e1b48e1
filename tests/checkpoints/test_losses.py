"""What the trainers' losses reward."""

import torch

from tools.checkpoints import detection_loss as detection
from tools.checkpoints.sam2_clips import Tracked, clip_losses
from tools.checkpoints.vitpose import decoded, heatmap_losses, heatmap_targets

PHRASE = torch.tensor([False, True, False, False])
COUNTED = torch.tensor([True, True, True, True])


def test_overlap_of_equal_boxes_is_one_and_of_distant_boxes_negative() -> None:
    box = torch.tensor([0.1, 0.1, 0.3, 0.4])
    far = torch.tensor([0.7, 0.7, 0.9, 0.9])
    assert torch.isclose(detection.generalised_iou(box, box), torch.tensor(1.0))
    assert detection.generalised_iou(box, far) < 0


def test_each_person_gets_the_query_with_its_box() -> None:
    truth = torch.tensor([[[0.3, 0.5, 0.1, 0.4], [0.7, 0.5, 0.1, 0.4]]])
    boxes = torch.cat([torch.full((1, 1, 4), 0.5), truth.flip(1)], 1)
    cost = detection.matching_cost(torch.zeros(1, 3), boxes, truth)
    chosen = detection.assign_one_to_one([cost], torch.tensor([[True, True]]))
    assert chosen[0, 0].tolist() == [2, 1]


def test_a_confident_right_detection_costs_next_to_nothing_and_an_absent_person_nothing() -> None:
    truth = torch.tensor([[[0.3, 0.5, 0.1, 0.4], [0.0, 0.0, 0.0, 0.0]]])
    present = torch.tensor([[True, False]])
    logits = torch.full((1, 2, 4), -12.0)
    logits[0, 1, 1] = 12.0
    boxes = torch.stack([torch.full((4,), 0.5), truth[0, 0]])[None]
    chosen = torch.tensor([[1, 0]])
    losses = detection.layer_losses(logits, boxes, chosen, truth, present, PHRASE, COUNTED)
    assert all(float(loss) < 1e-4 for loss in losses)


def test_a_false_detection_costs_even_where_nobody_is() -> None:
    logits = torch.full((1, 2, 4), -12.0)
    logits[0, 0, 1] = 4.0
    nobody = torch.zeros(1, 1, dtype=torch.bool)
    loss, _, _ = detection.layer_losses(
        logits, torch.full((1, 2, 4), 0.5), torch.zeros(1, 1, dtype=torch.long),
        torch.zeros(1, 1, 4), nobody, PHRASE, COUNTED,
    )  # fmt: skip
    assert float(loss) > 1


def test_dense_cells_are_given_to_the_person_around_them() -> None:
    centres = torch.tensor([[0.1 * i + 0.05, 0.5] for i in range(10)])
    truth = torch.tensor([[[0.25, 0.5, 0.3, 0.5]]])
    logits = torch.zeros(1, 10, 4, requires_grad=True)
    boxes = truth[:, 0:1].expand(1, 10, 4)
    loss, l1, _ = detection.dense_losses(
        logits, boxes, centres, truth, torch.tensor([[True]]), PHRASE, COUNTED
    )
    loss.backward()
    raised = (logits.grad[0, :, 1] < 0).nonzero()[:, 0].tolist()
    assert {1, 2, 3} & set(raised) and float(l1) == 0


def test_keypoints_come_back_from_their_heat_maps_within_a_third_of_a_cell() -> None:
    points = torch.rand(2, 133, 2) * torch.tensor([150.0, 210.0]) + 20
    found, score = decoded(heatmap_targets(points))
    assert (found - points).abs().max() < 4 / 3
    assert score.min() > 0.9


def test_the_true_heat_maps_have_the_least_loss() -> None:
    points = torch.rand(1, 133, 2) * torch.tensor([150.0, 210.0]) + 20
    known = torch.ones(1, 133, dtype=torch.bool)
    target = heatmap_targets(points)
    best = heatmap_losses(target, points, known)["total"]
    assert best < heatmap_losses(target.roll(2, -1), points, known)["total"]
    assert best < heatmap_losses(0.8 * target, points, known)["total"]


def test_a_point_outside_the_crop_wants_an_empty_map() -> None:
    points = torch.full((1, 133, 2), 60.0)
    unknown = torch.zeros(1, 133, dtype=torch.bool)
    empty = torch.zeros(1, 133, 64, 48)
    assert float(heatmap_losses(empty, points, unknown)["total"]) == 0
    assert float(heatmap_losses(heatmap_targets(points), points, unknown)["total"]) > 0


def _tracked(truth: torch.Tensor, certainty: float) -> Tracked:
    logits = torch.where(truth, certainty, -certainty)
    seen = truth.flatten(2).any(-1)
    return Tracked(logits, torch.ones(truth.shape[:2]), torch.where(seen, 9.0, -9.0))


def test_right_masks_cost_little_and_their_absence_much() -> None:
    truth = torch.zeros(2, 1, 64, 64, dtype=torch.bool)
    truth[:, :, 10:50, 20:40] = True
    right = clip_losses(_tracked(truth, 10.0), truth)
    wrong = clip_losses(_tracked(~truth, 10.0), truth)
    assert float(right["total"]) < 0.02 < 5 < float(wrong["total"])
    assert float(right["mean_iou"]) == 1


def test_masks_of_a_person_out_of_view_do_not_count_but_the_score_does() -> None:
    truth = torch.zeros(1, 2, 64, 64, dtype=torch.bool)
    truth[0, 0, 10:50, 20:40] = True
    tracked = _tracked(truth, 10.0)
    before = clip_losses(tracked, truth)
    tracked.mask_logits[0, 1] = 10.0
    assert torch.isclose(clip_losses(tracked, truth)["total"], before["total"])
    tracked.object_score[0, 1] = 9.0
    assert clip_losses(tracked, truth)["total"] > before["total"] + 1
