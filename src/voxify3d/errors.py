"""The errors a user can cause, and what each means for the exit code."""


class VoxifyError(Exception):
    """Base of the errors below: catch this to catch them all.

    The message is one line: subject, value, what was expected, next step.
    """


class ConfigError(VoxifyError, ValueError):
    """A setting outside its range, or two that contradict each other."""


class MeshError(VoxifyError):
    """A mesh file that cannot be read, or holds nothing to turn into voxels."""


class ExportError(VoxifyError):
    """A result that cannot be written where or as it was asked for."""


class MissingExtraError(VoxifyError, ImportError):
    """An optional dependency that is not installed."""


class WeightsError(VoxifyError):
    """Pretrained weights that are not on this machine, or cannot be read safely."""
