"""Colours (sRGB from 0 to 1) of what pictures show."""

Colour = tuple[float, float, float]

PAPER: Colour = (0.97, 0.97, 0.98)
INK: Colour = (0.16, 0.17, 0.19)
PLACE: Colour = (0.74, 0.75, 0.77)
ROBOT: Colour = (0.25, 0.45, 0.80)
CAMERA: Colour = (0.20, 0.55, 0.95)
PEOPLE: tuple[Colour, ...] = (
    (0.95, 0.60, 0.35),
    (0.35, 0.65, 0.45),
    (0.80, 0.40, 0.60),
    (0.55, 0.50, 0.80),
    (0.85, 0.75, 0.30),
)


def of_person(number: int) -> Colour:
    """The colour of a person, by id."""
    return PEOPLE[(number - 1) % len(PEOPLE)]


def darker(colour: Colour) -> Colour:
    """A colour for what belongs to something, such as its path."""
    red, green, blue = colour
    return 0.6 * red, 0.6 * green, 0.6 * blue


def in_bytes(colour: Colour) -> tuple[int, int, int]:
    """The colour in whole numbers up to 255."""
    red, green, blue = colour
    return round(255 * red), round(255 * green), round(255 * blue)
