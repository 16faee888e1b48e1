"""stage1-sfm: cameras by structure from motion, depth by multi-view stereo; no networks."""

import zlib as _zlib  # noqa: F401  # Loaded after pycolmap, it crashes: two copies get mixed.
