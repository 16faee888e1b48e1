"""Trains the demo's Grounding DINO: "person." on rendered stills."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tools.checkpoints import detection_loss as loss_of
from tools.checkpoints import grounding_dino_model as net
from tools.checkpoints import pictures
from tools.checkpoints.samples import Footage, Shots

BATCH, STOCK_BATCHES, REUSED = 64, 6, 2
SMALLEST_PX, SMALLEST_HEIGHT_PX = 250, 30
FOUND_AT_IOU = 0.5
BOX_THRESHOLD = 0.25


@dataclass
class Stills:
    """Pictures 0..1 at the network's size; boxes as centre and size in 0..1."""

    pictures: Float[Tensor, "B 3 h w"]
    boxes: Float[Tensor, "B M 4"]
    present: Bool[Tensor, "B M"]

    def part(self, index: Tensor) -> "Stills":
        return Stills(self.pictures[index], self.boxes[index], self.present[index])

    def mirrored(self) -> "Stills":
        boxes = self.boxes.clone()
        boxes[..., 0] = 1 - boxes[..., 0]
        return Stills(self.pictures.flip(-1), boxes, self.present)


def stills_of(shots: Shots) -> Stills:
    """People of whom enough is seen, at the network's picture size."""
    height, width = shots.rgb.shape[1:3]
    small = pictures.resized(pictures.as_float(shots.rgb), net.HEIGHT_PX, net.WIDTH_PX)
    size = torch.tensor([width, height], device=small.device)
    low, high = shots.boxes[..., :2] / size, (shots.boxes[..., 2:] + 1) / size
    tall = shots.boxes[..., 3] - shots.boxes[..., 1] >= SMALLEST_HEIGHT_PX
    boxes = torch.cat([(low + high) / 2, high - low], -1)
    return Stills(small, boxes, (shots.visible_px >= SMALLEST_PX) & tall)


class GroundingDinoTask:
    """See `training.Task`."""

    name = "grounding-dino"
    learning_rate = 5e-4
    weight_decay = 0.02

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = net.build()
        self.footage, self.held_out = footage, held_out
        self.batch = 2 if smoke else BATCH
        self.stock_batches = 1 if smoke else STOCK_BATCHES
        self.tests = 4 if smoke else 512
        self._stock: list[Stills] = []
        ids = net.prompt_ids(net.PROMPT)
        self.ids = ids
        counted = torch.zeros(self.model.config.max_text_len, dtype=torch.bool)
        counted[: len(ids)] = True
        self.counted = counted
        self.phrase = torch.zeros_like(counted)
        self.phrase[1] = True  # [CLS] person . [SEP]
        self.centres = net.cell_centres(net.HEIGHT_PX, net.WIDTH_PX)

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        if not self._stock:
            self._stock = self._fresh()
        stills = self._stock.pop()
        coloured = pictures.compressed(pictures.recoloured(stills.pictures))
        return self.losses(pictures.normalised(coloured), stills.boxes, stills.present)

    def losses(
        self,
        normalised: Float[Tensor, "B 3 h w"],
        truth: Float[Tensor, "B M 4"],
        present: Bool[Tensor, "B M"],
    ) -> dict[str, Tensor]:
        """Every decoder layer one-to-one, the two-stage head one-to-many."""
        device = normalised.device
        phrase, counted = self.phrase.to(device), self.counted.to(device)
        layers, (dense_logits, dense_boxes) = self.predictions(normalised)
        costs = [loss_of.matching_cost(logits[..., 1], boxes, truth) for logits, boxes in layers]
        chosen = loss_of.assign_one_to_one([c.detach() for c in costs], present)
        total = torch.zeros((), device=device)
        last: tuple[Tensor, Tensor, Tensor] | None = None
        for number, (logits, boxes) in enumerate(layers):
            last = loss_of.layer_losses(
                logits, boxes, chosen[number], truth, present, phrase, counted
            )
            total = total + loss_of.weighted(last)
        dense = loss_of.dense_losses(
            dense_logits, dense_boxes, self.centres.to(device), truth, present, phrase, counted
        )
        total = total + loss_of.weighted(dense)
        assert last is not None
        return {"total": total, "class": last[0], "l1": last[1], "giou": last[2], "dense": dense[0]}

    def predictions(
        self, normalised: Float[Tensor, "B 3 h w"]
    ) -> tuple[list[tuple[Tensor, Tensor]], tuple[Tensor, Tensor]]:
        """Logits (B Q L) and boxes (B Q 4) of every decoder layer, and of the two-stage head.

        The same heads that the model's own `forward` applies, which returns the last layer only.
        """
        model = self.model
        ids = self.ids.to(normalised.device)[None].expand(len(normalised), -1)
        out = model.model(pixel_values=normalised, input_ids=ids)
        seen = torch.ones_like(ids, dtype=torch.bool)
        layers = []
        for level in range(out.intermediate_hidden_states.shape[1]):
            hidden = out.intermediate_hidden_states[:, level]
            reference = (
                out.init_reference_points
                if level == 0
                else out.intermediate_reference_points[:, level - 1]
            )
            logits = model.class_embed[level](
                vision_hidden_state=hidden,
                text_hidden_state=out.encoder_last_hidden_state_text,
                text_token_mask=seen,
            )
            boxes = model.bbox_embed[level](hidden) + torch.special.logit(reference, eps=1e-5)
            layers.append((logits.float(), boxes.float().sigmoid()))
        dense = out.enc_outputs_class.float(), out.enc_outputs_coord_logits.float().sigmoid()
        return layers, dense

    def _fresh(self) -> list[Stills]:
        """A stock of batches, rendered at once, each used as it is and mirrored, in mixed order."""
        parts = [stills_of(self.footage.shots(self.batch)) for _ in range(self.stock_batches)]
        stills = Stills(
            torch.cat([p.pictures for p in parts]),
            torch.cat([p.boxes for p in parts]),
            torch.cat([p.present for p in parts]),
        )
        stock = []
        for again in range(REUSED):
            order = torch.randperm(len(stills.pictures), device=stills.pictures.device)
            for piece in order.split(self.batch):
                batch = stills.part(piece)
                stock.append(batch.mirrored() if again else batch)
        return stock[::-1]

    def evaluate(self, full: bool) -> dict[str, float]:
        """At the production threshold of 0.25: people found, false boxes, and the scores' gap."""
        tests = self.tests if full else max(self.tests // 4, 4)
        at_once = min(self.batch, tests)
        people = found = false = empty = 0
        overlaps, hit_scores, miss_scores = [], [], []
        for _ in range(tests // at_once):
            stills = stills_of(self.held_out.shots(at_once))
            layers, _ = self.predictions(pictures.normalised(stills.pictures))
            logits, boxes = layers[-1]
            score = logits[..., : len(self.ids)].amax(-1).sigmoid()
            for image in range(at_once):
                truth = loss_of.corners(stills.boxes[image][stills.present[image]])
                guess = loss_of.corners(boxes[image])
                match = _greedy(guess, score[image], truth)
                confident = score[image] > BOX_THRESHOLD
                hit = match >= FOUND_AT_IOU
                people += len(truth)
                found += int((hit & confident).sum())
                false += int((~hit & confident).sum())
                empty += 1
                overlaps.append(match[hit & confident])
                hit_scores.append(score[image][hit])
                miss_scores.append(score[image][~hit])
        hits, misses = torch.cat(hit_scores), torch.cat(miss_scores)
        return {
            "found": found / max(people, 1),
            "false_a_picture": false / max(empty, 1),
            "iou": float(torch.cat(overlaps).mean()) if found else 0.0,
            "score_of_hits": float(hits.mean()) if len(hits) else 0.0,
            "hits_10th": float(hits.quantile(0.1)) if len(hits) else 0.0,
            "misses_99.5th": float(misses.quantile(0.995)),
            "people": float(people),
        }

    def save(self, folder: Path) -> None:
        net.save(self.model, folder)


def _greedy(
    guess: Float[Tensor, "Q 4"], score: Float[Tensor, " Q"], truth: Float[Tensor, "M 4"]
) -> Float[Tensor, " Q"]:
    """Each guess's IoU with the true box that it wins, best scores first; 0 for the rest."""
    won = torch.zeros_like(score)
    if len(truth) == 0:
        return won
    low = torch.maximum(guess[:, None, :2], truth[None, :, :2])
    high = torch.minimum(guess[:, None, 2:], truth[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = (guess[:, 2:] - guess[:, :2]).prod(-1)[:, None] + (truth[:, 2:] - truth[:, :2]).prod(-1)
    overlap = (shared / (area - shared).clamp(min=1e-9)).cpu()
    free = torch.ones(len(truth), dtype=torch.bool)
    out = torch.zeros(len(score))
    for q in score.cpu().argsort(descending=True).tolist():
        best = (overlap[q] * free).argmax()
        if overlap[q, best] >= FOUND_AT_IOU and free[best]:
            free[best] = False
            out[q] = overlap[q, best]
    return out.to(score.device)
