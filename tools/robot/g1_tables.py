"""Numbers of the Unitree G1 (29 joints, wrists frozen: 23 actuated), as published with the robot.

Kinematics, limits, masses and centres of mass are facts of the machine. Shapes are not: they are
capsules and boxes fitted by hand inside the published bounds, because meshes are not needed here.
Only the left side is written out; `write_g1` mirrors it across the x-z plane.
"""

from tools.robot.parts import ZERO, Box, Capsule, Joint, Link, Part, Sphere, Vector


def _motor(
    name: str,
    parent: str,
    child: str,
    xyz: Vector,
    rpy: Vector,
    axis: str,
    limits: tuple[float, float],
    effort: float,
    velocity: float,
    frozen: bool = False,
) -> Joint:
    axes: dict[str, Vector] = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
    return Joint(name, parent, child, xyz, rpy, axes[axis], limits, effort, velocity, frozen)


_TRUNK_ON_TORSO: Vector = (0.0039635, 0.0, -0.054)

# The sole: where the robot's own contact spheres sit on the ankle roll link (m).
SOLE_RADIUS_M = 0.005
SOLE_HEEL: tuple[Vector, Vector] = ((-0.05, 0.025, -0.03), (-0.05, -0.025, -0.03))
SOLE_TOE: tuple[Vector, Vector] = ((0.12, 0.03, -0.03), (0.12, -0.03, -0.03))

# The foot link marks the front of the foot, midway between the two front sole spheres and oriented
# like the ankle roll link. A person's toe-base joint put there leaves the robot's shorter foot
# inside the person's footprint: heel under heel, toes behind the toe tips, so that a foot that
# stands on a step does not reach over its edge.
FOOT_ON_ANKLE: Vector = (0.12, 0.0, -0.03)

PELVIS = Part(
    (
        (
            None,
            Link(
                "pelvis",
                3.813,
                (0.0, 0.0, -0.07605),
                (0.010549, 0.0093089, 0.0079184),
                visuals=(Box((0.0, 0.0, -0.05), (0.11, 0.10, 0.10)),),
                dark=True,
            ),
        ),
        (
            Joint("pelvis_contour_joint", "pelvis", "pelvis_contour_link"),
            Link(
                "pelvis_contour_link",
                0.001,
                visuals=(Capsule((0.0, -0.035, -0.075), (0.0, 0.035, -0.075), 0.06),),
                collisions=(Capsule((0.0, -0.035, -0.075), (0.0, 0.035, -0.075), 0.06),),
            ),
        ),
    )
)

LEFT_LEG = Part(
    (
        (
            _motor(
                "left_hip_pitch_joint",
                "pelvis",
                "left_hip_pitch_link",
                (0.0, 0.064452, -0.1027),
                ZERO,
                "y",
                (-2.5307, 2.8798),
                88.0,
                32.0,
            ),
            Link(
                "left_hip_pitch_link",
                1.35,
                (0.002741, 0.047791, -0.02606),
                (0.001811, 0.0014193, 0.0012812),
                visuals=(Capsule((0.0, 0.025, -0.01), (0.0, 0.06, -0.03), 0.045),),
                collisions=(Capsule((0.0, 0.035, -0.015), (0.0, 0.055, -0.03), 0.045),),
                dark=True,
            ),
        ),
        (
            _motor(
                "left_hip_roll_joint",
                "left_hip_pitch_link",
                "left_hip_roll_link",
                (0.0, 0.052, -0.030465),
                (0.0, -0.1749, 0.0),
                "x",
                (-0.5236, 2.9671),
                88.0,
                32.0,
            ),
            Link(
                "left_hip_roll_link",
                1.52,
                (0.029812, -0.001045, -0.087934),
                (0.0023773, 0.0024123, 0.0016595),
                visuals=(Capsule((0.005, 0.0, -0.03), (0.02, 0.0, -0.11), 0.045),),
                collisions=(Capsule((0.005, 0.0, -0.03), (0.02, 0.0, -0.11), 0.045),),
            ),
        ),
        (
            _motor(
                "left_hip_yaw_joint",
                "left_hip_roll_link",
                "left_hip_yaw_link",
                (0.025001, 0.0, -0.12412),
                ZERO,
                "z",
                (-2.7576, 2.7576),
                88.0,
                32.0,
            ),
            Link(
                "left_hip_yaw_link",
                1.702,
                (-0.057709, -0.010981, -0.15078),
                (0.0057774, 0.0076124, 0.003149),
                visuals=(Capsule((-0.03, 0.0, 0.02), (-0.066, 0.002, -0.14), 0.052),),
                collisions=(Capsule((-0.03, 0.0, 0.02), (-0.066, 0.002, -0.14), 0.052),),
            ),
        ),
        (
            _motor(
                "left_knee_joint",
                "left_hip_yaw_link",
                "left_knee_link",
                (-0.078273, 0.0021489, -0.17734),
                (0.0, 0.1749, 0.0),
                "y",
                (-0.087267, 2.8798),
                139.0,
                20.0,
            ),
            Link(
                "left_knee_link",
                1.932,
                (0.005457, 0.003964, -0.12074),
                (0.011329, 0.011277, 0.0015168),
                visuals=(Capsule((0.01, 0.0, -0.03), (0.0, 0.0, -0.26), 0.042),),
                collisions=(Capsule((0.01, 0.0, -0.03), (0.0, 0.0, -0.26), 0.042),),
            ),
        ),
        (
            _motor(
                "left_ankle_pitch_joint",
                "left_knee_link",
                "left_ankle_pitch_link",
                (0.0, -9.4445e-05, -0.30001),
                ZERO,
                "y",
                (-0.87267, 0.5236),
                50.0,
                37.0,
            ),
            Link(
                "left_ankle_pitch_link",
                0.074,
                (-0.007269, 0.0, 0.011137),
                (8.4e-06, 1.89e-05, 1.26e-05),
                visuals=(Sphere(ZERO, 0.022),),
                dark=True,
            ),
        ),
        (
            _motor(
                "left_ankle_roll_joint",
                "left_ankle_pitch_link",
                "left_ankle_roll_link",
                (0.0, 0.0, -0.017558),
                ZERO,
                "x",
                (-0.2618, 0.2618),
                50.0,
                37.0,
            ),
            Link(
                "left_ankle_roll_link",
                0.608,
                (0.026505, 0.0, -0.016425),
                (0.0002231, 0.0016161, 0.0016667),
                visuals=(Box((0.038, 0.0, -0.02), (0.208, 0.076, 0.03)),),
                collisions=(
                    Capsule((-0.036, 0.0, -0.005), (0.112, 0.0, -0.005), 0.03),
                    *(Sphere(point, SOLE_RADIUS_M) for point in (*SOLE_HEEL, *SOLE_TOE)),
                ),
                dark=True,
            ),
        ),
        (
            Joint("left_foot_joint", "left_ankle_roll_link", "left_foot_link", FOOT_ON_ANKLE),
            Link("left_foot_link", visuals=(Sphere(ZERO, 0.005),), dark=True),
        ),
    )
)

TRUNK = Part(
    (
        (
            _motor(
                "waist_yaw_joint",
                "pelvis",
                "waist_yaw_link",
                ZERO,
                ZERO,
                "z",
                (-2.618, 2.618),
                88.0,
                32.0,
            ),
            Link(
                "waist_yaw_link",
                0.244,
                (0.003964, 0.0, 0.018769),
                (9.9587e-05, 0.00012411, 0.00015586),
                visuals=(Capsule((0.0, 0.0, 0.005), (0.0, 0.0, 0.025), 0.04),),
            ),
        ),
        (
            _motor(
                "waist_roll_joint",
                "waist_yaw_link",
                "waist_roll_link",
                (-0.0039635, 0.0, 0.035),
                ZERO,
                "x",
                (-0.52, 0.52),
                50.0,
                37.0,
            ),
            Link(
                "waist_roll_link",
                0.047,
                (0.0, -0.000236, 0.010111),
                (7.515e-06, 6.398e-06, 3.988e-06),
                visuals=(Sphere((0.0, 0.0, 0.01), 0.035),),
            ),
        ),
        (
            _motor(
                "waist_pitch_joint",
                "waist_roll_link",
                "torso_link",
                (0.0, 0.0, 0.019),
                ZERO,
                "y",
                (-0.52, 0.52),
                50.0,
                37.0,
            ),
            Link(
                "torso_link",
                8.562,
                (0.002601, 0.000257, 0.153719),
                (0.065674966, 0.053535188, 0.030808125),
                visuals=(Box((0.002, 0.0, 0.15), (0.15, 0.19, 0.25)),),
                collisions=(
                    Capsule((0.002, -0.02, 0.09), (0.002, -0.02, 0.21), 0.075),
                    Capsule((0.002, 0.02, 0.09), (0.002, 0.02, 0.21), 0.075),
                ),
            ),
        ),
        (
            Joint("logo_joint", "torso_link", "logo_link", _TRUNK_ON_TORSO),
            Link(
                "logo_link",
                0.001,
                visuals=(Box((0.075, 0.0, 0.26), (0.008, 0.06, 0.03)),),
                dark=True,
            ),
        ),
        (
            Joint("head_joint", "torso_link", "head_link", _TRUNK_ON_TORSO),
            Link(
                "head_link",
                1.036,
                (0.005267, 0.000299, 0.449869),
                (0.004085051, 0.004185212, 0.001807911),
                visuals=(Capsule((0.008, 0.0, 0.41), (0.008, 0.0, 0.465), 0.065),),
                collisions=(Capsule((0.008, 0.0, 0.41), (0.008, 0.0, 0.465), 0.065),),
                dark=True,
            ),
        ),
        (
            Joint("waist_support_joint", "torso_link", "waist_support_link", _TRUNK_ON_TORSO),
            Link(
                "waist_support_link",
                0.001,
                visuals=(Capsule((0.0, 0.0, 0.03), (0.0, 0.0, 0.06), 0.035),),
            ),
        ),
        (
            Joint("imu_joint", "torso_link", "imu_link", (-0.03959, -0.00224, 0.13792)),
            Link("imu_link"),
        ),
        (
            Joint(
                "d435_joint",
                "torso_link",
                "d435_link",
                (0.0576235, 0.01753, 0.41987),
                (0.0, 0.8307767239493009, 0.0),
            ),
            Link("d435_link"),
        ),
        (
            Joint(
                "mid360_joint",
                "torso_link",
                "mid360_link",
                (0.0002835, 0.00003, 0.40618),
                (0.0, 0.04014257279586953, 0.0),
            ),
            Link("mid360_link"),
        ),
    )
)

LEFT_ARM = Part(
    (
        (
            _motor(
                "left_shoulder_pitch_joint",
                "torso_link",
                "left_shoulder_pitch_link",
                (0.0039563, 0.10022, 0.23778),
                (0.27931, 5.4949e-05, -0.00019159),
                "y",
                (-3.0892, 2.6704),
                25.0,
                37.0,
            ),
            Link(
                "left_shoulder_pitch_link",
                0.718,
                (0.0, 0.035892, -0.011628),
                (0.0004291, 0.000453, 0.000423),
                visuals=(Capsule((-0.01, 0.035, -0.01), (0.01, 0.035, -0.01), 0.032),),
                collisions=(Capsule((-0.01, 0.04, -0.01), (0.01, 0.04, -0.01), 0.03),),
            ),
        ),
        (
            _motor(
                "left_shoulder_roll_joint",
                "left_shoulder_pitch_link",
                "left_shoulder_roll_link",
                (0.0, 0.038, -0.013831),
                (-0.27925, 0.0, 0.0),
                "x",
                (-1.5882, 2.2515),
                25.0,
                37.0,
            ),
            Link(
                "left_shoulder_roll_link",
                0.643,
                (-0.000227, 0.00727, -0.063243),
                (0.0006177, 0.0006912, 0.0003894),
                visuals=(Capsule((-0.002, 0.006, -0.02), (-0.002, 0.006, -0.08), 0.034),),
                collisions=(Capsule((-0.004, 0.006, -0.038), (-0.004, 0.006, -0.068), 0.03),),
            ),
        ),
        (
            _motor(
                "left_shoulder_yaw_joint",
                "left_shoulder_roll_link",
                "left_shoulder_yaw_link",
                (0.0, 0.00624, -0.1032),
                ZERO,
                "z",
                (-2.618, 2.618),
                25.0,
                37.0,
            ),
            Link(
                "left_shoulder_yaw_link",
                0.734,
                (0.010773, -0.002949, -0.072009),
                (0.0009988, 0.0010605, 0.0004354),
                visuals=(Capsule((0.0, 0.0, 0.0), (0.012, 0.0, -0.07), 0.033),),
                collisions=(Capsule((0.0, 0.0, 0.0), (0.012, 0.0, -0.07), 0.033),),
            ),
        ),
        (
            _motor(
                "left_elbow_joint",
                "left_shoulder_yaw_link",
                "left_elbow_link",
                (0.015783, 0.0, -0.080518),
                ZERO,
                "y",
                (-1.0472, 2.0944),
                25.0,
                37.0,
            ),
            Link(
                "left_elbow_link",
                0.6,
                (0.064956, 0.004454, -0.010062),
                (0.0002891, 0.0004152, 0.0004197),
                visuals=(Capsule((0.015, 0.0, -0.005), (0.09, 0.002, -0.01), 0.031),),
                collisions=(Capsule((0.015, 0.0, -0.005), (0.09, 0.002, -0.01), 0.031),),
            ),
        ),
        (
            _motor(
                "left_wrist_roll_joint",
                "left_elbow_link",
                "left_wrist_roll_link",
                (0.1, 0.00188791, -0.01),
                ZERO,
                "x",
                (-1.97222, 1.97222),
                25.0,
                37.0,
                frozen=True,
            ),
            Link(
                "left_wrist_roll_link",
                0.08544498,
                (0.01713945, 0.00053759, 0.0),
                (4.82154e-05, 3.72290e-05, 5.48211e-05),
                visuals=(Capsule((0.0, 0.0, 0.0), (0.03, 0.0, 0.0), 0.027),),
                dark=True,
            ),
        ),
        (
            _motor(
                "left_wrist_pitch_joint",
                "left_wrist_roll_link",
                "left_wrist_pitch_link",
                (0.038, 0.0, 0.0),
                ZERO,
                "y",
                (-1.61443, 1.61443),
                5.0,
                22.0,
                frozen=True,
            ),
            Link(
                "left_wrist_pitch_link",
                0.48404956,
                (0.0229999, -0.00111685, -0.00111658),
                (1.657965e-04, 4.295406e-04, 4.295370e-04),
                visuals=(Capsule((0.0, 0.0, 0.0), (0.04, 0.0, 0.0), 0.03),),
                collisions=(Capsule((0.0, 0.0, 0.0), (0.04, 0.0, 0.0), 0.03),),
            ),
        ),
        (
            _motor(
                "left_wrist_yaw_joint",
                "left_wrist_pitch_link",
                "left_wrist_yaw_link",
                (0.046, 0.0, 0.0),
                ZERO,
                "z",
                (-1.61443, 1.61443),
                5.0,
                22.0,
                frozen=True,
            ),
            Link(
                "left_wrist_yaw_link",
                0.08457647,
                (0.02200382, 0.00049485, 0.00053861),
                (4.92913e-05, 5.97334e-05, 3.92808e-05),
                visuals=(Capsule((0.0, 0.0, 0.0), (0.03, 0.0, 0.0), 0.025),),
                dark=True,
            ),
        ),
        (
            Joint(
                "left_hand_palm_joint",
                "left_wrist_yaw_link",
                "left_rubber_hand",
                (0.0415, 0.003, 0.0),
            ),
            Link(
                "left_rubber_hand",
                0.17,
                (0.05361311, -0.00295905, 0.00215413),
                (1.009949e-04, 2.813587e-04, 2.189477e-04),
                visuals=(Capsule((0.0, -0.003, 0.002), (0.09, -0.003, 0.002), 0.028),),
                collisions=(Capsule((0.0, -0.003, 0.002), (0.09, -0.003, 0.002), 0.028),),
            ),
        ),
    )
)

# The one number of the right side that is no mirror image of the left.
RIGHT_SHOULDER_Y_M = -0.10021
