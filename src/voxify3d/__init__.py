"""voxify3d: turn a 3-D mesh into voxel art."""

__version__ = "0.1.0"
