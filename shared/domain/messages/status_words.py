# ruff: noqa: RUF001 - words of many scripts
"""What a word says of a booking: that it stands, that it is cancelled, or nothing that is known here. Pure.

No list can have the words for a cancellation of all languages. So a message passes only if its word is known to say
that the booking stands. Any other word is `UNKNOWN`, and a person decides. The words for a cancellation are listed only
so that people are told that it is one.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from enum import Enum, auto
from typing import Final

from shared.domain.masking import REMOVED
from shared.domain.quoting import LONGEST_QUOTE


class Meaning(Enum):
    """What a text under the name of a status says of the booking."""

    STANDS = auto()
    """It is booked, or changed; or nothing is said (`reservation`)."""
    CANCELLED = auto()
    GONE = auto()
    """It doesn't stand, though nobody cancelled it: a no-show, one that expired."""
    UNKNOWN = auto()


_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_NO_LETTER: Final = re.compile(r"[\W_]+")
_SEGMENT: Final = re.compile(r"[.:/#]+")
_MOST_TOGETHER: Final = 3
# Accents, and marks without a width: a word means the same without them.
_LEFT_OUT: Final = frozenset({"Mn", "Cf"})


def plain_text(text: str) -> str:
    """Return a text without what is written in several ways: case, accents, full width, the Turkish dotless i."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in parts if unicodedata.category(letter) not in _LEFT_OUT)
    return unicodedata.normalize("NFKC", bare).replace("\u0131", "i")


def _words(text: str) -> list[str]:
    """Return the plain words of a text; `bookingCancelled` is two."""
    return _LETTERS.findall(plain_text(_HUMP.sub(" ", unicodedata.normalize("NFKC", text))))


def _listed(*lines: str) -> frozenset[str]:
    return frozenset(plain_text(word) for line in lines for word in line.split())


_CANCELLED: Final = _listed(
    "cancel canceled cancelled cancels cancelling canceling cancelation cancellation cancellations",
    "delete deleted deletion void voided annul annulled cxl cxld canx cncl cnx",
    "storno stornos abgesagt absage annulliert annullierung gelöscht",  # German
    "annulé annulée annulés annulées annulation annule supprimé supprimée",  # French
    "cancelado cancelada cancelados canceladas cancelar cancelación anulado anulada anulación",  # Spanish
    "cancelamento",  # Portuguese
    "cancellato cancellata annullato annullata annullamento cancellazione disdetto disdetta",  # Italian
    "geannuleerd annulering avbokad avbokning avbestilt kansellert aflyst annulleret afbestilt",
    "peruttu peruutettu peruutus tühistatud atcelts atcelta atsaukta atšaukta",
    "anulat anulată huy batal dibatalkan pembatalan lemondva lemondott törölve törölt",
)
# How words of these languages begin, whatever follows.
_CANCELLED_BEGINS: Final = _listed(
    "storn cancelad annul anulow anulov odwołan zrušen otkaz poništ preklican iptal",
    "отмен аннулир анулир скасова скасов анульова отказ ακυρω ακυρο",
    "בוטל מבוטל ביטול ملغ الغا",
)
# In scripts that are written without blanks a word may stand anywhere.
_CANCELLED_ANYWHERE: Final = _listed(
    "キャンセル 取消 取り消 取りけし 作废 作廢 退订 退訂 注销 註銷 解约 解約 취소 ยกเลิก रद्द ملغى الغاء",
)
# Parts of a name that speaks of the terms of a cancellation, not of one: `cancellation_policy`, `cancel_by`.
_OF_TERMS: Final = re.compile(
    r"polic|deadline|fee|free|until|before|allow|possible|able|terms|rule|condition|url|uri|link|href|token|insurance"
    r"|protection|window|cutoff|penalt|charge|count|total|cancelby|cancelwithin|refund"
)
_GONE: Final = _listed(
    "noshow noshows didnotarrive declined decline rejected reject denied deny refused refuse expired expire lapsed",
    "withdrawn inactive terminated aborted abandoned removed",
    "remove revoked released release refunded refund refunding",
    "disabled invalid dropped forfeited unconfirmed notconfirmed calledoff",
    "abgelehnt verfallen zurückgezogen refusé refusée rechazado rechazada rifiutato rifiutata recusado recusada",
)
_STANDS: Final = _listed(
    "created create creates creation new added add adds inserted insert made make placed place submitted received",
    "confirmed confirm confirms confirmation booked book reserved reserve accepted accept accepts approved approve",
    "updated update updates modified modify modifies modification changed change changes amended amend amendment",
    "edited edit rescheduled reschedule moved move extended",
    "extend shortened upserted upsert replaced saved save sync",
    "synced commit committed active activated activate valid enabled live ok okay yes true current upcoming future",
    "guaranteed guarantee definite definitive def fixed firm final finalized finalised ongoing reinstated reinstate",
    "paid prepaid invoiced settled complete completed processed started registered assigned allocated",
    "arriving arrival arrived expected due duein dueout checkin checkedin checkout checkedout inhouse staying",
    "departing departure departed finished past",
    "bestätigt bestaetigt bestätigung gebucht buchung angelegt",
    "erstellt geändert geaendert änderung aktiv reserviert neu",
    "neue bezahlt garantiert eingecheckt ausgecheckt angereist abgereist gültig fest fix",  # German
    "confirmé confirmée confirmés confirmées confirmation nouveau",
    "nouvelle créé créée modifié modifiée réservé réservée",
    "actif payé payée garanti garantie validé validée",  # French
    "confirmado confirmada confirmadas nuevo nueva creado creada modificado modificada actualizado actualizada",
    "reservado reservada activo activa pagado pagada",  # Spanish
    "novo nova criado criada alterado alterada atualizado atualizada ativo ativa pago paga",  # Portuguese
    "confermato confermata nuovo nuova creato creata modificato modificata aggiornato aggiornata prenotato prenotata",
    "attivo attiva pagato pagata",  # Italian
    "bevestigd nieuw nieuwe geboekt gereserveerd gewijzigd aangemaakt actief betaald",  # Dutch
    "bekräftad bekreftet bekræftet bokad ny nytt bestilt",
    "ändrad endret ændret aktiv aktiivinen vahvistettu uusi varattu",
    "potwierdzona potwierdzone potwierdzony nowa nowe nowy",
    "zmieniona zmienione potvrzeno potvrzena potvrzená potvrzené",
    "nová nové nový potvrđeno potvrđena potvrdeno confirmat confirmată nou nouă megerősítve megerősített új",
    "onaylandı onaylı yeni güncellendi rezerve kesin",  # Turkish
    "подтверждено подтверждена подтвержден подтверждён подтверждённая новое",
    "новая новый создано создана создан изменено",
    "изменена изменен обновлено обновлена забронировано забронирована активно активна активный оплачено оплачена",
    "підтверджено підтверджена нове нова новий змінено потвърдена потвърдено нова",
    "επιβεβαιωμένη επιβεβαιωμένο επιβεβαιώθηκε νέα νέο",
    "מאושר מאושרת אושר חדש חדשה مؤكد مؤكدة جديد جديدة",
    "確定 確認 確認済 確認済み 確定済 確定済み 新規 変更",
    "予約 予約確定 予約済 予約済み 予約確認 予約変更 新規予約 更新",
    "确认 已确认 確認 已確認 确定 已确定 新建 新增 修改 已修改",
    "更新 已更新 预订 已预订 預訂 已預訂 有效 已付款 已入住 变更",
    "확정 예약확정 예약완료 확인 신규 신규예약 변경 예약변경 예약 완료",
    "ยืนยัน ยืนยันแล้ว पुष्टि dikonfirmasi terkonfirmasi",
)
# What a booking is called: an event has one of these in its name (`com.acme.reservation.created`).
_BOOKING: Final = _listed(
    "booking bookings reservation reservations order orders stay stays rental rentals",
    "buchung reservierung réservation réservations reserva reservas prenotazione reservering rezerwacja rezervace",
    "rezervasyon бронь бронирование",
)
# Words that change nothing of what stands beside them; and kinds of bookings.
_BESIDE: Final = _listed(
    "event message notification webhook callback data dto payload entity object record model item resource json hook",
    "status state type guest room unit by the is was has been a an",
    "and in on at from via of for com org net io app api",
    "v www http https pms hotel property host owner",
    "admin system user online ota direct manual manually automatic auto",
    "automatically instant fully web mobile group individual single vacation leisure business corporate family",
    "transient block allotment long short term night nights day guaranty details info dates date time",
)
_KNOWN: Final = _STANDS | _BOOKING | _BESIDE


def meaning_of(text: str, own: Collection[str] = ()) -> Meaning:
    """Return what a status, a type or the name of an event says of the booking.

    `own` are words of the booking system that say that a booking stands, as `status_key` returns them: they go first.
    """
    text = text[: LONGEST_QUOTE + 1].strip()
    if text == REMOVED:
        # The value itself was taken out, as it may be a PIN. It doesn't mean that the booking was removed.
        return Meaning.UNKNOWN
    if not text or status_key(text) in own:
        return Meaning.STANDS
    words = _words(text)
    if says_cancelled(words):
        return Meaning.CANCELLED
    if any(together in _GONE for together in _together(words)):
        return Meaning.GONE
    if len(text) <= LONGEST_QUOTE and (_are_known(words) or _names_an_event(text)):
        return Meaning.STANDS
    return Meaning.UNKNOWN


def status_key(text: str) -> str:
    """Return a word of a booking system's own as it is compared: without blanks, hyphens and the like."""
    return _NO_LETTER.sub("", plain_text(text))


def says_cancelled(words: Iterable[str]) -> bool:
    """Say whether one of these plain words is a word for a cancellation."""
    return any(
        word in _CANCELLED
        or word.startswith(tuple(_CANCELLED_BEGINS))
        or any(each in word for each in _CANCELLED_ANYWHERE)
        for word in words
    )


def names_a_cancellation(name: str) -> bool:
    """Say whether a field of this name tells of a cancellation that took place: `cancelled_by`, `stornodatum`."""
    words = _words(name[:LONGEST_QUOTE])
    tells = says_cancelled(words) or any(word.startswith("cancel") for word in words)
    return tells and _OF_TERMS.search("".join(words)) is None


def is_status_word(text: str) -> bool:
    """Say whether it is made of words for a state alone, so that it can't be a PIN or a name."""
    words = _words(text[:LONGEST_QUOTE])
    is_letters = bool(words) and len(text) <= LONGEST_QUOTE and not any(letter.isdigit() for letter in text)
    return is_letters and (
        says_cancelled(words)
        or any(each in _GONE for each in _together(words))
        or all(each in _STANDS for each in words)
    )


def is_word_for_cancelled(name: str) -> bool:
    """Say whether a field's whole name is a word for a cancellation, in any language: `storniert`."""
    words = _words(name[:LONGEST_QUOTE])
    return len(words) == 1 and says_cancelled(words)


def _together(words: list[str]) -> Iterable[str]:
    """Yield each word, and up to three that follow each other as one: `no show`."""
    for most in range(1, _MOST_TOGETHER + 1):
        for place in range(len(words) - most + 1):
            yield "".join(words[place : place + most])


def _are_known(words: list[str]) -> bool:
    """Say whether all words are known; `check in` is one."""
    place = 0
    while place < len(words):
        for most in range(_MOST_TOGETHER, 0, -1):
            if place + most <= len(words) and "".join(words[place : place + most]) in _KNOWN:
                place += most
                break
        else:
            return False
    return bool(words)


def _names_an_event(text: str) -> bool:
    """Say whether it is a name such as `com.acme.reservation.created`: what follows the booking's word is known."""
    segments = [_words(segment) for segment in _SEGMENT.split(text)]
    for place, words in enumerate(segments):
        if not _BOOKING.isdisjoint(words):
            before = [word for segment in segments[:place] for word in segment]
            return all(word.isascii() for word in before) and all(map(_are_known, filter(None, segments[place:])))
    return False
