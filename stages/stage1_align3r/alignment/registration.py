"""The similarity between two point maps of the same pixels."""

import torch
from jaxtyping import Float
from torch import Tensor


def registration(
    source: Float[Tensor, "k h w 3"],
    target: Float[Tensor, "k h w 3"],
    weight: Float[Tensor, "k h w"],
) -> tuple[Float[Tensor, " k"], Float[Tensor, "k 3 4"]]:
    """Scales s and rigid transforms (R, t) of least weighted squares of target - s R source - t.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns"
    (1991), with weights.
    """
    a, b = source.flatten(1, 2), target.flatten(1, 2)
    share = weight.flatten(1)[..., None]
    share = share / share.sum(dim=1, keepdim=True)
    mean_a, mean_b = (share * a).sum(dim=1), (share * b).sum(dim=1)
    a, b = a - mean_a[:, None], b - mean_b[:, None]
    covariance = (b.mT @ (share * a)).double()
    u, singular, vt = torch.linalg.svd(covariance)
    # A reflection would fit mirrored points better; it is no motion.
    signs = torch.ones_like(singular)
    signs[:, 2] = torch.linalg.det(u @ vt).sign()
    R = (u * signs[:, None]) @ vt
    variance = (share * a.square()).sum(dim=(1, 2)).double()
    scale = (singular * signs).sum(dim=1) / variance
    t = mean_b - scale[:, None] * (R @ mean_a.double()[..., None])[..., 0]
    return scale.to(source), torch.cat([R, t[..., None]], dim=-1).to(source)
