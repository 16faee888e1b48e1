"""Body models in SMPL's file layout: loading, kinematics, names, shape fitting."""
