"""Robots: URDF to kinematics in JAX, collision shapes, human correspondence, terrain."""
