"""Other people's motions, as joints in space, for stage 4 to retarget."""
