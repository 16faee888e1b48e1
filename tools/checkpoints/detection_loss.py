"""The set loss of Grounding DINO for one prompt with one phrase, in plain tensor operations.

The loss that transformers ships gives the two-stage head no gradient and is slow; this one trains
every decoder layer one-to-one and the two-stage head one-to-many. Weights and matching costs are
those of Liu et al., "Grounding DINO" (2023), section 4.1 and its appendix.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

COST_CLASS, COST_L1, COST_GIOU = 2.0, 5.0, 2.0
LOSS_CLASS, LOSS_L1, LOSS_GIOU = 2.0, 5.0, 2.0
FOCAL_ALPHA, FOCAL_GAMMA = 0.25, 2.0
ANCHORS_PER_PERSON = 8


def corners(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Centre and size to left, top, right, bottom."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], -1)


def generalised_iou(a: Float[Tensor, "*n 4"], b: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n"]:
    """Generalised intersection over union of corner boxes; broadcasts."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    low, high = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    hull = (high - low).clamp(min=0).prod(-1).clamp(min=1e-7)
    return shared / union.clamp(min=1e-7) - (hull - union) / hull


def matching_cost(
    logits: Float[Tensor, "B Q"],
    boxes: Float[Tensor, "B Q 4"],
    truth: Float[Tensor, "B M 4"],
) -> Float[Tensor, "B Q M"]:
    """Cost of giving query q to person m; boxes as centre and size in 0..1."""
    p = logits.sigmoid()
    background = (1 - FOCAL_ALPHA) * p**FOCAL_GAMMA * -(1 - p + 1e-8).log()
    person = FOCAL_ALPHA * (1 - p) ** FOCAL_GAMMA * -(p + 1e-8).log()
    cost = COST_CLASS * (person - background)[..., None]
    cost = cost + COST_L1 * (boxes[:, :, None] - truth[:, None]).abs().sum(-1)
    return cost - COST_GIOU * generalised_iou(corners(boxes)[:, :, None], corners(truth)[:, None])


def focal(
    logits: Float[Tensor, "B Q L"], target: Float[Tensor, "B Q L"], counted: Bool[Tensor, " L"]
) -> Float[Tensor, ""]:
    """Summed focal loss over the text tokens that count."""
    logits = logits[..., counted]
    target = target[..., counted]
    p = logits.sigmoid()
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    hit = p * target + (1 - p) * (1 - target)
    weight = FOCAL_ALPHA * target + (1 - FOCAL_ALPHA) * (1 - target)
    return (weight * (1 - hit) ** FOCAL_GAMMA * cross).sum()


@torch.no_grad()
def assign_one_to_one(
    costs: list[Float[Tensor, "B Q M"]], present: Bool[Tensor, "B M"]
) -> Float[Tensor, "L B M"]:
    """For every layer and image the query of each person (0 where there is no person)."""
    sizes = [c.shape[1] for c in costs]
    table = torch.nan_to_num(torch.cat(costs, 1), nan=1e4, posinf=1e4, neginf=-1e4).cpu().numpy()
    who = present.cpu().numpy()
    chosen = torch.zeros(len(costs), *present.shape, dtype=torch.long)
    for image in range(len(who)):
        people = who[image].nonzero()[0]
        first = 0
        for layer, size in enumerate(sizes):
            if len(people):
                rows, columns = linear_sum_assignment(table[image, first : first + size][:, people])
                chosen[layer, image, people[columns]] = torch.as_tensor(rows)
            first += size
    return chosen.to(present.device, non_blocking=True)


def layer_losses(
    logits: Float[Tensor, "B Q L"],
    boxes: Float[Tensor, "B Q 4"],
    chosen: Tensor,
    truth: Float[Tensor, "B M 4"],
    present: Bool[Tensor, "B M"],
    phrase: Bool[Tensor, " L"],
    counted: Bool[Tensor, " L"],
) -> tuple[Tensor, Tensor, Tensor]:
    """Class, L1 and overlap losses of one decoder layer, a person; `phrase` marks its tokens."""
    hits = torch.zeros(logits.shape[:2], device=logits.device)
    hits.scatter_reduce_(1, chosen, present.float(), "amax")
    people = present.sum().clamp(min=1)
    own = torch.gather(boxes, 1, chosen[..., None].expand(-1, -1, 4))
    l1 = ((own - truth).abs().sum(-1) * present).sum() / people
    overlap = ((1 - generalised_iou(corners(own), corners(truth))) * present).sum() / people
    return focal(logits, hits[..., None] * phrase, counted) / people, l1, overlap


def dense_losses(
    logits: Float[Tensor, "B Q L"],
    boxes: Float[Tensor, "B Q 4"],
    centres: Float[Tensor, "Q 2"],
    truth: Float[Tensor, "B M 4"],
    present: Bool[Tensor, "B M"],
    phrase: Bool[Tensor, " L"],
    counted: Bool[Tensor, " L"],
) -> tuple[Tensor, Tensor, Tensor]:
    """The same for the two-stage head: each person gets its cheapest cells, centres in its box."""
    with torch.no_grad():
        cost = matching_cost(logits[..., phrase].amax(-1), boxes, truth)
        away = (centres[None, :, None] - truth[:, None, :, :2]).abs()
        outside = (away > truth[:, None, :, 2:] / 2).any(-1)
        cost = torch.nan_to_num(cost, nan=1e3, posinf=1e3, neginf=-1e3) + 100.0 * outside
        cost = cost + 1e4 * ~present[:, None]
        best = torch.topk(cost, ANCHORS_PER_PERSON, dim=1, largest=False).indices
        given = torch.zeros_like(cost, dtype=torch.bool).scatter_(1, best, True) & present[:, None]
        owner = cost.masked_fill(~given, 1e6).argmin(2)
        hit = given.any(2)
        target = truth.gather(1, owner[..., None].expand(-1, -1, 4))
    count = hit.sum().clamp(min=1)
    boxes = torch.where(hit[..., None], boxes, target)
    l1 = ((boxes - target).abs().sum(-1) * hit).sum() / count
    overlap = ((1 - generalised_iou(corners(boxes), corners(target))) * hit).sum() / count
    return focal(logits, hit[..., None].float() * phrase, counted) / count, l1, overlap


def weighted(parts: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    return LOSS_CLASS * parts[0] + LOSS_L1 * parts[1] + LOSS_GIOU * parts[2]
