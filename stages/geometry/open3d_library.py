"""Open3D, importable also where the system has no libusb.

Open3D's library links libusb for depth cameras, which this project never touches, and fails to
load without it. A package that carries libusb stands in.
"""

import ctypes
import ctypes.util
from importlib import import_module
from typing import Any

import libusb_package

if ctypes.util.find_library("usb-1.0") is None:
    ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)

# Its type stubs refuse NumPy arrays where the library takes them.
o3d: Any = import_module("open3d")
