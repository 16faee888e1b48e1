"""One clip batch through SAM 2's own tracking step, as training and evaluation need it.

The official `training` package is not part of the installed one; its part that matters here is
short: image features once, the first frame prompted, every later frame tracked from memory.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

NO_OBJECT_BELOW = 0.0
BY_BOX, BY_OWN_MASK, BY_TRUE_MASK = 0, 1, 2


@dataclass
class Tracked:
    """Predictions for T frames of B clips; frame 0 is the prompted one.

    mask_logits at the network's picture size; overlap: what the network believes its mask's IoU is;
    object_score: logit of the object being in view. Where that is negative, SAM 2 itself replaces
    masks by a constant; `mask_logits` here are the ones before, so that they learn.
    """

    mask_logits: Float[Tensor, "T B S S"]
    overlap: Float[Tensor, "T B"]
    object_score: Float[Tensor, "T B"]


def features_of_frames(
    model: Any, pictures: Float[Tensor, "T B 3 S S"]
) -> list[tuple[list[Tensor], list[Tensor], list[tuple[int, int]]]]:
    """Image features of every frame, from one pass of the image encoder over all of them."""
    frames, clips = pictures.shape[:2]
    out = model.forward_image(pictures.flatten(0, 1))
    _, features, positions, sizes = model._prepare_backbone_features(out)
    per_frame = []
    for t in range(frames):
        piece = slice(t * clips, (t + 1) * clips)
        per_frame.append(([f[:, piece] for f in features], [p[:, piece] for p in positions], sizes))
    return per_frame


def box_prompt(boxes: Float[Tensor, "B 4"]) -> dict[str, Tensor]:
    """A box (left, top, right, bottom in picture pixels) as SAM 2's two labelled points."""
    labels = torch.arange(2, 4, dtype=torch.int32, device=boxes.device)
    return {
        "point_coords": boxes.view(-1, 2, 2),
        "point_labels": labels.expand(len(boxes), 2),
    }


def decode(
    model: Any, pixels: Tensor, fine: list[Tensor], points: dict[str, Tensor] | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """SAM's heads without the replacement of masks: logits (B 1 s s), IoU, token, object score."""
    batch, device = len(pixels), pixels.device
    if points is None:
        coords = torch.zeros(batch, 1, 2, device=device)
        labels = -torch.ones(batch, 1, dtype=torch.int32, device=device)
    else:
        coords, labels = points["point_coords"], points["point_labels"]
    sparse, dense = model.sam_prompt_encoder(points=(coords, labels), boxes=None, masks=None)
    masks, overlap, tokens, score = model.sam_mask_decoder(
        image_embeddings=pixels,
        image_pe=model.sam_prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=False,
        repeat_image=False,
        high_res_features=fine,
    )
    return masks.float(), overlap.float(), tokens[:, 0], score.float()


def track(
    model: Any,
    pictures: Float[Tensor, "T B 3 S S"],
    boxes: Float[Tensor, "B 4"],
    first_masks: Bool[Tensor, "B S S"],
    prompt: Int[Tensor, " B"],
) -> Tracked:
    """Finds the mask in a box in frame 0, remembers it, and tracks the later frames.

    prompt: what the later frames remember of frame 0, as the product has all three: BY_BOX the box
    and the mask found in it, BY_OWN_MASK that mask given anew as a mask prompt, BY_TRUE_MASK
    `first_masks` as a mask prompt.
    """
    frames, side = pictures.shape[0], pictures.shape[-1]
    per_frame = features_of_frames(model, pictures)
    memory: dict[str, dict[int, dict[str, Tensor]]] = {
        "cond_frame_outputs": {},
        "non_cond_frame_outputs": {},
    }
    results = []
    for t, (features, positions, sizes) in enumerate(per_frame):
        fine = [
            x.permute(1, 2, 0).reshape(x.shape[1], x.shape[2], *size)
            for x, size in zip(features[:-1], sizes[:-1], strict=True)
        ]
        pixels = model._prepare_memory_conditioned_features(
            frame_idx=t,
            is_init_cond_frame=t == 0,
            current_vision_feats=features[-1:],
            current_vision_pos_embeds=positions[-1:],
            feat_sizes=sizes[-1:],
            output_dict=memory,
            num_frames=10**6,
        )
        masks, overlap, token, score = decode(
            model, pixels, fine, box_prompt(boxes) if t == 0 else None
        )
        large = F.interpolate(masks, size=(side, side), mode="bilinear", align_corners=False)
        results.append((large[:, 0], overlap[:, 0], score[:, 0]))
        if t == frames - 1:
            break
        entry = remember(model, features, sizes, large, token, score)
        if t == 0:
            true = (prompt == BY_TRUE_MASK)[:, None, None]
            given = torch.where(true, first_masks, large.detach()[:, 0] > 0)
            by_mask = model.track_step(
                frame_idx=0,
                is_init_cond_frame=True,
                current_vision_feats=features,
                current_vision_pos_embeds=positions,
                feat_sizes=sizes,
                point_inputs=None,
                mask_inputs=given[:, None].float(),
                output_dict=memory,
                num_frames=10**6,
            )
            memory["cond_frame_outputs"][0] = chosen_by(prompt == BY_BOX, entry, by_mask)
        else:
            memory["non_cond_frame_outputs"][t] = entry
    logits, overlaps, scores = zip(*results, strict=True)
    return Tracked(torch.stack(logits), torch.stack(overlaps), torch.stack(scores))


def chosen_by(first: Bool[Tensor, " B"], a: dict[str, Tensor], b: dict[str, Tensor]) -> dict:
    """The memory entry `a` of the clips that `first` marks, `b` of the others."""
    return {
        "maskmem_features": torch.where(
            first[:, None, None, None], a["maskmem_features"], b["maskmem_features"]
        ),
        "maskmem_pos_enc": a["maskmem_pos_enc"],
        "obj_ptr": torch.where(first[:, None], a["obj_ptr"], b["obj_ptr"]),
    }


def remember(
    model: Any,
    features: list[Tensor],
    sizes: list[tuple[int, int]],
    large: Tensor,
    token: Tensor,
    score: Tensor,
) -> dict[str, Tensor]:
    """Memory entry of a tracked frame: encoded mask and object pointer, empty where unseen."""
    seen = score > NO_OBJECT_BELOW
    masks = torch.where(seen[:, :, None, None], large, torch.full_like(large, -1024.0))
    pointer = model.obj_ptr_proj(token) * seen + model.no_obj_ptr * ~seen
    encoded, positions = model._encode_new_memory(
        current_vision_feats=features,
        feat_sizes=sizes,
        pred_masks_high_res=masks,
        object_score_logits=score,
        is_mask_from_pts=False,
    )
    return {"maskmem_features": encoded, "maskmem_pos_enc": positions, "obj_ptr": pointer}


def clip_losses(tracked: Tracked, truth: Bool[Tensor, "T B S S"]) -> dict[str, Tensor]:
    """Mask, IoU and presence losses, weighted as by Ravi et al., "SAM 2" (2024): 20, 1, 1, 1.

    Masks and IoU count where the person is in view. The mask term is focal plus plain cross
    entropy: focal alone leaves edges soft. Small people count as much as large ones in dice.
    """
    logits, target = tracked.mask_logits, truth.float()
    in_view = truth.flatten(2).any(-1)
    weight = in_view / in_view.sum().clamp(min=1)
    p = logits.sigmoid()
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    hit = p * target + (1 - p) * (1 - target)
    focal = ((1 - hit) ** 2 * cross * (0.25 * target + 0.75 * (1 - target))).flatten(2).mean(-1)
    area = target.flatten(2).sum(-1)
    plain = cross.flatten(2).sum(-1) / area.clamp(min=400)
    shared = (p * target).flatten(2).sum(-1)
    dice = 1 - (2 * shared + 1) / (p.flatten(2).sum(-1) + area + 1)
    found = logits.detach() > 0
    union = (found | truth).flatten(2).sum(-1)
    overlap = (found & truth).flatten(2).sum(-1) / union.clamp(min=1)
    parts = {
        "focal": (focal * weight).sum(),
        "cross": (plain * weight).sum(),
        "dice": (dice * weight).sum(),
        "iou": ((tracked.overlap - overlap).abs() * weight).sum(),
        "seen": F.binary_cross_entropy_with_logits(tracked.object_score, in_view.float()),
    }
    parts["total"] = (
        20 * parts["focal"] + parts["cross"] + 2 * parts["dice"] + parts["iou"] + parts["seen"]
    )
    parts["mean_iou"] = (overlap * weight).sum()
    return parts
