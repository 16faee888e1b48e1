"""What is shown, and how."""

from dataclasses import dataclass


@dataclass
class Settings:
    """Set by the panel; defaults are the original's, where it has them."""

    people: bool = True
    contacts: bool = True
    joints: bool = False
    robot: bool = True
    cameras: bool = True
    background: bool = True
    human: bool = True
    mesh: bool = False
    heights: bool = False
    follow: bool = False
    ego: bool = False
    confidence: float = 0.0
    gradient: float = 0.05
    """Metres a pixel."""
    point_size: float = 0.018
    """Metres; at the original's 0.01 every fourth pixel leaves floors full of holes."""
    frustum_scale: float = 0.15
    person: int = 0
    """The only person shown; 0: everybody."""
    step: int = 4
    """Every how manieth pixel is a point."""

    def wants(self, person: int) -> bool:
        return self.person in (0, person)
