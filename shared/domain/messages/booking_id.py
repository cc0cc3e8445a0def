"""How a booking's id is compared: an id that looks the same is the same booking. Pure."""

import unicodedata


def booking_id_of(text: str) -> str:
    """Return an id as it is kept: without blanks around it, composed by Unicode's form NFC.

    Letters with accents have two spellings that nobody can see, and systems pass on either. Full-width letters stay
    other letters: they look different, and so are they in the booking system.
    """
    return unicodedata.normalize("NFC", text.strip())
