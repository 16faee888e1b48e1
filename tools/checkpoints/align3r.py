"""Trains the demo's Align3R: point maps of pairs of frames from pictures and wrong depth.

The loss is that of Wang et al., "DUSt3R" (CVPR 2024, section 3.2), which Align3R keeps. The
official network has learnt on real pictures what is where in the other picture before it is shown
pairs; here a guide that is thrown away asks its tokens for just that, from the first step on.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from stages.geometry import se3
from stages.stage1_align3r.alignment.single_pictures import camera, focal_px
from stages.stage1_align3r.network import PATCH_PX, Align3rConfig, Align3rNet, PairMaps
from stages.stage1_align3r.network.blocks import Block, DecoderBlock
from stages.weights.sized import save_sized
from tools.checkpoints.flow_clips import as_filmed
from tools.checkpoints.megasam_tracker import SIZE
from tools.checkpoints.pair_clips import (
    FARTHEST_M,
    PairClips,
    Truth,
    guessed,
    mirrored,
    ordered_pairs,
    pair_clips,
    prior_maps,
    rays,
    truth_of,
)
from tools.checkpoints.sample_stock import Stock
from tools.checkpoints.samples import Footage, full_precision

CONFIG = Align3rConfig(
    encoder_width=192, encoder_depth=3, decoder_width=192, decoder_depth=6,
    layers=(24, 32, 48, 64), features=32, last=16, long_side_px=SIZE[1],
)  # fmt: skip
FRAMES, STOCK, NEW_CLIPS = 5, 2000, 24
STEPS_A_RENDER = 16
CLIPS, SEEN = 24, 3
"""Of a batch: clips, and frames of each, which all make pairs with each other."""

SURENESS = 0.2
"""What being sure is worth: alpha of DUSt3R."""

GUIDE_LOSS, GUIDE_CELL_PX = 0.05, 4
"""The guide: a pixel's weight, and the squares of pixels that it tells places of."""

AIM_LOSS = 0.1
"""Of points that are not seen in the pixel that they belong to, by the logarithm of 1 plus how many
pixels they are off: between frames next to each other all that tells of the camera's motion is
smaller than the errors of depth."""

MOST_PX, NEAREST_M = 60.0, 0.1
"""What is farther off or nearer is hopeless."""

_BEGIN = 0.7
"""Logarithm of one plus the distance that an untrained head gives."""


_PRIOR_GAIN = 8.0
"""Of the first weights that read the prior: its numbers hardly differ within a patch."""


class Guided(nn.Module):
    """The network, and what is asked of both decoders' last tokens in training only."""

    def __init__(self, config: Align3rConfig = CONFIG) -> None:
        super().__init__()
        self.network = Align3rNet(config)
        outputs = 2 * (PATCH_PX // GUIDE_CELL_PX) ** 2
        self.guide_first = nn.Linear(config.decoder_width, outputs)
        self.guide_second = nn.Linear(config.decoder_width, outputs)
        _begin(self)
        net = self.network
        # What blocks add to stays in float32 where they multiply in half precision.
        for module in (net.patch_embed, net.patch_embed_point_cloud, net.decoder_embed):
            module.register_forward_hook(lambda *called: called[-1].float())

    def forward(
        self, shown: Float[Tensor, "n 3 h w"], prior: Tensor, pairs: Int[Tensor, "e 2"]
    ) -> tuple[PairMaps, Float[Tensor, "2 e h w 2"]]:
        """Point maps; and how far what cells show lies from there in the other picture, in px."""
        net, read = self.network, self.network.config.read_after
        with torch.autocast(shown.device.type, torch.bfloat16, enabled=shown.is_cuda):
            tokens = net.look_at(shown, prior)
            one, two = net.decode(tokens[pairs[:, 0]], tokens[pairs[:, 1]])
            guided = torch.stack([self.guide_first(one[-1]), self.guide_second(two[-1])])
        # What a head gives is finer than bfloat16.
        first, second = ([found[k].float() for k in read] for found in (one, two))
        maps = PairMaps(
            *net.downstream_head1(first, tokens.rows), *net.downstream_head2(second, tokens.rows)
        )
        cells = guided.float().unflatten(2, (tokens.rows, -1)).permute(0, 1, 4, 2, 3)
        places = F.pixel_shuffle(cells.flatten(0, 1), PATCH_PX // GUIDE_CELL_PX)
        return maps, PATCH_PX * places.movedim(1, -1).unflatten(0, cells.shape[:2])


@torch.no_grad()
def _begin(model: Guided) -> None:
    """Numbers from which it learns soon: all that is known arrives, and nothing has moved."""
    net = model.network
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    net.patch_embed_point_cloud.proj.weight.mul_(_PRIOR_GAIN)
    for module in net.zero_convs.modules():
        if isinstance(module, nn.Conv1d) and module.bias is not None:
            nn.init.dirac_(module.weight)
            nn.init.zeros_(module.bias)
    for guide in (model.guide_first, model.guide_second):
        nn.init.zeros_(guide.weight)
    for head in (net.downstream_head1, net.downstream_head2):
        bias = head.get_parameter(f"dpt.head.{len(head.dpt.head) - 1}.bias")
        bias.copy_(torch.tensor([0, 0, _BEGIN, 0]))


class Align3rTask:
    """See `training.Task`."""

    name = "align3r"
    learning_rate = 6e-4
    weight_decay = 0.02

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = Guided()
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        self._stock: Stock[PairClips] = Stock(1 if smoke else STOCK)

    def compile(self) -> None:
        """Block by block, which is compiled once for all of a kind."""
        for module in self.model.modules():
            if isinstance(module, Block | DecoderBlock):
                module.compile()

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        new = 1 if self.smoke else NEW_CLIPS
        due = step % STEPS_A_RENDER == 0 and not self.smoke
        least = 1 if self.smoke else STOCK // 10
        self._stock.refill(lambda: self._clips(self.footage, new), least, due)
        clips = _some_frames(self._stock.draw(1 if self.smoke else CLIPS), SEEN)
        if step % 2:
            clips = mirrored(clips)
        return losses(self.model, clips, as_filmed(clips.pictures))

    def _clips(self, footage: Footage, count: int) -> PairClips:
        return pair_clips(footage, count, SEEN if self.smoke else FRAMES, SIZE)

    def evaluate(self, full: bool) -> dict[str, float]:
        """On held-out clips: medians of errors, and of what there would be without the network.

        Depth of the first picture's points in % after one scale a pair; of the second picture's
        points in that scale the distance from their place, in % of the middle depth; its camera
        by the stage's own way from points to cameras.
        """
        found: list[dict[str, Tensor]] = []
        for _ in range(1 if self.smoke else 12 if full else 3):
            clips = self._clips(self.held_out, 1 if self.smoke else 4)
            pairs = ordered_pairs(clips.depth_m)
            with full_precision():
                truth = truth_of(clips, pairs)
            depth = guessed(clips.depth_m).flatten(0, 1)
            shown = clips.pictures.flatten(0, 1).float() / 127.5 - 1
            maps, _ = self.model(shown, prior_maps(depth), pairs)
            found.append(errors(maps, truth, depth[pairs[:, 0]]))
        return {
            name: float(torch.cat([each[name] for each in found]).nanmedian()) for name in found[0]
        }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        about = {"made_by": "tools/checkpoints", "trained_on": "rendered demo scenes"}
        save_sized(self.model.network, folder / "align3r.safetensors", about)


def losses(
    model: Guided, clips: PairClips, filmed: Float[Tensor, "C T 3 H W"]
) -> dict[str, Tensor]:
    """Of all ordered pairs of the clips' frames, as pictures from 0 to 255 show them."""
    with full_precision():
        pairs = ordered_pairs(clips.depth_m)
        truth = truth_of(clips, pairs)
        wanted, counts = guide_truth(truth)
    shown = filmed.flatten(0, 1) / 127.5 - 1
    maps, guided = model(shown, prior_maps(guessed(clips.depth_m).flatten(0, 1)), pairs)
    parts = point_losses(maps, truth)
    off = (guided - wanted).abs().sum(-1)
    parts["guide"] = (off * counts).sum() / counts.sum().clamp(min=1)
    total = parts["points"] + AIM_LOSS * parts["aim"] + GUIDE_LOSS * parts["guide"]
    return {"total": total, **parts}


def _some_frames(clips: PairClips, count: int) -> PairClips:
    """`count` frames of each clip, drawn anew."""
    device = clips.depth_m.device
    chosen = torch.rand(clips.depth_m.shape[:2], device=device).argsort(1)[:, :count]
    clip = torch.arange(len(clips), device=device)[:, None]
    return PairClips(
        clips.pictures[clip, chosen],
        clips.focal_px,
        clips.T_camera_world[clip, chosen],
        clips.depth_m[clip, chosen],
    )


def point_losses(maps: PairMaps, truth: Truth) -> dict[str, Tensor]:
    """Distances of points, over the mean distance of both pictures' own, weighed by confidence.

    What has no depth is to be unsure. Points are to be seen in their pixels besides.
    """
    points, confidence = (
        torch.stack([getattr(maps, f"{name}_{side}") for side in ("first", "second")], 1)
        for name in ("points", "confidence")
    )
    wanted = torch.stack([truth.points_first, truth.points_second], 1)
    known = torch.stack([truth.known_first, truth.known_second], 1)
    distance, true_distance = _mean_distances(points, known), _mean_distances(wanted, known)
    off = (points / distance - wanted / true_distance).norm(dim=-1)
    sure = confidence.log()
    each = known * (confidence * off - SURENESS * sure) + (1 - known) * SURENESS * sure
    aim, counts = _aim(points * (true_distance / distance), known, truth)
    return {
        "points": each.mean(),
        "aim": (aim.log1p() * counts).sum() / counts.sum().clamp(min=1),
        "off": (known * off).sum() / known.sum().clamp(min=1),
        "sure": (known * confidence).sum() / known.sum().clamp(min=1),
    }


def _mean_distances(
    points: Float[Tensor, "n 2 h w 3"], known: Float[Tensor, "n 2 h w"]
) -> Float[Tensor, "n 1 1 1 1"]:
    """Of a pair's known points from the first camera."""
    distance = (known * points.norm(dim=-1)).sum((1, 2, 3)) / known.sum((1, 2, 3)).clamp(min=1)
    return distance.clamp(min=1e-6)[:, None, None, None, None]


def _aim(
    points_m: Float[Tensor, "n 2 h w 3"], known: Float[Tensor, "n 2 h w"], truth: Truth
) -> tuple[Float[Tensor, "n 2 h w"], Float[Tensor, "n 2 h w"]]:
    """How far from its pixel each point is seen by its own picture's true camera, in px, and
    whether that counts."""
    first, second = points_m.unbind(1)
    other = se3.inverse(truth.T_first_second)[:, None, None]
    seen = torch.stack([first, se3.act(other, second)], 1)
    here = rays(points_m.shape[2], points_m.shape[3], truth.focal_px)[:, None, ..., :2]
    level = seen[..., :2] / seen[..., 2:].clamp(min=NEAREST_M)
    off = truth.focal_px[:, None, None, None] * (level - here).abs().sum(-1)
    hopeful = (off.detach() < MOST_PX) & (seen[..., 2] > NEAREST_M)
    return off, known * hopeful


def guide_truth(truth: Truth) -> tuple[Float[Tensor, "2 n h w 2"], Float[Tensor, "2 n h w"]]:
    """In cells of both pictures: how far from its pixel the point lies in the other one, in px, and
    whether that counts; everything as if it stood still between the pictures."""
    half = GUIDE_CELL_PX // 2
    few = (slice(None), slice(half, None, GUIDE_CELL_PX), slice(half, None, GUIDE_CELL_PX))
    high, wide = truth.known_first.shape[1:]
    here = rays(high, wide, truth.focal_px)[few]
    other = se3.inverse(truth.T_first_second)[:, None, None]
    first = se3.act(other, _or_far(truth.points_first[few], truth.known_first[few], here))
    far = se3.act(truth.T_first_second[:, None, None], FARTHEST_M * here)
    second = _or_far(truth.points_second[few], truth.known_second[few], far / FARTHEST_M)
    points = torch.stack([first, second])
    level = points[..., :2] / points[..., 2:].clamp(min=NEAREST_M)
    off = (level - here[..., :2]) * truth.focal_px[:, None, None, None]
    return off, ((points[..., 2] > NEAREST_M) & (off.norm(dim=-1) < MOST_PX)).float()


def _or_far(points: Tensor, known: Tensor, directions: Tensor) -> Tensor:
    return torch.where(known[..., None] > 0, points, FARTHEST_M * directions)


def errors(
    maps: PairMaps, truth: Truth, prior: Float[Tensor, "n h w"]
) -> dict[str, Float[Tensor, " n"]]:
    """Of every pair; nan where the points give no camera."""
    depth = torch.where(truth.known_first > 0, truth.points_first[..., 2], torch.nan)
    ratio = maps.points_first[..., 2] / depth
    scale = 1 / ratio.flatten(1).nanmedian(1).values
    guess = prior / depth
    guess = guess / guess.flatten(1).nanmedian(1).values[:, None, None]
    middle = depth.flatten(1).nanmedian(1).values
    away = scale[:, None, None, None] * maps.points_second - truth.points_second
    away = torch.where(truth.known_second > 0, away.norm(dim=-1), torch.nan)
    cameras = _cameras(maps, scale)
    R, t = se3.rotation_matrix(truth.T_first_second), truth.T_first_second[:, :3]
    turned = (cameras[..., :3].mT @ R).diagonal(dim1=1, dim2=2).sum(1)
    found, far = cameras[..., 3], t.norm(dim=1)
    cosine = F.cosine_similarity(found, t)
    focal = focal_px(maps.points_first)
    true_turn = ((R.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1).acos()
    return {
        "depth_percent": _percent(scale[:, None, None] * ratio - 1),
        "prior_depth_percent": _percent(guess - 1),
        "second_points_percent": 100 * away.flatten(1).nanmedian(1).values / middle,
        "rotation_deg": ((turned - 1) / 2).clamp(-1, 1).acos().rad2deg(),
        "true_rotation_deg": true_turn.rad2deg(),
        "direction_deg": cosine.clamp(-1, 1).acos().rad2deg(),
        "camera_off_percent": 100 * (found - t).norm(dim=1) / middle,
        "true_way_percent": 100 * far / middle,
        "way_off_percent": 100 * (found.norm(dim=1) / far.clamp(min=1e-6) - 1).abs(),
        "focal_percent": 100 * (focal / truth.focal_px - 1).abs(),
        "sure_share": (maps.confidence_first > 3).float().mean((1, 2)),
    }


def _percent(off: Float[Tensor, "n h w"]) -> Float[Tensor, " n"]:
    return 100 * off.abs().flatten(1).nanmedian(1).values


def _cameras(maps: PairMaps, scale: Float[Tensor, " n"]) -> Float[Tensor, "n 3 4"]:
    """T_first_second, by the surer half of the second picture's points."""
    middle = maps.confidence_second.flatten(1).median(1).values
    nowhere = torch.full((3, 4), torch.nan, device=scale.device)
    found = []
    for k, focal in enumerate(focal_px(maps.points_first).tolist()):
        usable = maps.confidence_second[k] >= middle[k]
        T = camera(scale[k] * maps.points_second[k], usable, focal, 30)
        found.append(nowhere if T is None else T)
    return torch.stack(found)
