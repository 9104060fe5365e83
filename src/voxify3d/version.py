"""The version, without the package around it: the manifest needs it too."""

__version__ = "0.1.0"
