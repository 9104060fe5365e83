"""USD skins: points where the joints of a skeleton put them."""

# usd-core comes without types.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass
from typing import Any

from pxr import Sdf, Usd, UsdSkel

from voxify3d.mesh.usd_layers import NOW, RefusedError


@dataclass(frozen=True, slots=True)
class Skin:
    """How a mesh follows a skeleton.

    Attributes:
        skeleton: Query of the skeleton; points that follow it are in its frame.
        target: Query of the mesh's joints and weights.
    """

    skeleton: UsdSkel.SkeletonQuery
    target: UsdSkel.SkinningQuery


def skins_below(root: Usd.Prim) -> dict[Sdf.Path, Skin]:
    """Return which meshes below a `SkelRoot` follow which skeleton, by their paths."""
    cache = UsdSkel.Cache()
    rules = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)
    skel_root = UsdSkel.Root(root)
    cache.Populate(skel_root, rules)
    skins = {}
    for binding in cache.ComputeSkelBindings(skel_root, rules):
        skeleton = cache.GetSkelQuery(binding.GetSkeleton())
        for target in binding.GetSkinningTargets():
            skins[target.GetPrim().GetPath()] = Skin(skeleton, target)
    return skins


def move_to_joints(skin: Skin, points: Any) -> None:  # noqa: ANN401
    """Move points in place to where the joints put them, in the skeleton's frame.

    Args:
        skin: What the points follow.
        points: A mesh's points as stored, in its own frame; a `Vt.Vec3fArray`.

    Raises:
        RefusedError: The joints or weights do not fit the points.
    """
    matrices = skin.skeleton.ComputeSkinningTransforms(NOW)
    if not skin.target.ComputeSkinnedPoints(matrices, points, NOW):
        raise RefusedError(f"the skin of {skin.target.GetPrim().GetPath()} is damaged.")
