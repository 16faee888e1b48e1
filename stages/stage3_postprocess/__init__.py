"""Gravity up, point clouds and a mesh of the place."""
