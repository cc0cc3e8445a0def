"""How ids of bookings are compared: two ids that look the same are the same. Pure."""

import unicodedata


def booking_id_of(text: str) -> str:
    """Return an id as it is kept: without blanks around it, and in Unicode's form NFC.

    A letter with an accent has two encodings that look the same, and systems pass on either. Full-width letters are not
    changed: they look different.
    """
    return unicodedata.normalize("NFC", text.strip())
