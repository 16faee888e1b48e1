"""Frames of video files, on a steady clock."""
