"""German."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from wirewatch.redline import Labels
from wirewatch.wording.clauses import Clause, Place, Quote
from wirewatch.wording.language import Language, Span

_MONTHS: Final = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
_IN: Final = {
    "headline": "in der Überschrift",
    "standfirst": "im Vorspann",
    "byline": "in der Autorenzeile",
    "section": "im Ressort",
    "dateline": "in der Ortsmarke",
    "caption": "in der Bildunterschrift",
    "credit": "im Bildnachweis",
    "correction": "im Korrekturhinweis",
}
_UNITS: Final = {
    "minute": ("Minute", "Minuten", "Minuten"),
    "hour": ("Stunde", "Stunden", "Stunden"),
    "day": ("Tag", "Tage", "Tagen"),
}
_ZONES: Final = {"CET": "MEZ", "CEST": "MESZ"}


class German(Language):
    """Say it in German."""

    tag = "de"
    labels = Labels(
        headings={
            "headline": "Überschrift",
            "standfirst": "Vorspann",
            "byline": "Autorenzeile",
            "section": "Ressort",
            "dateline": "Ortsmarke",
            "body": "Text",
            "caption": "Bildunterschrift",
            "credit": "Bildnachweis",
            "correction": "Korrekturhinweis",
        },
        words="{} Wörter",
        more="{} weitere Änderungen",
        moved="verschoben",
    )
    words = {  # noqa: RUF012 (never written to)
        "article": "Artikel",
        "record": "Datensatz",
        "history": "Alle Fassungen",
        "show": "Alles ansehen",
        "published": "Veröffentlicht",
        "updated": "Aktualisiert",
        "stamp_was": "zuvor",
        "changed": "Geändert",
        "withdrawn": "Zurückgezogen",
        "returned": "Wieder da",
        "restamped": "Neu gestempelt",
        "first_seen": "Zuerst gesehen",
        "zone_assumed": "Zeitzone angenommen",
        "merged": "Zusammengeführt",
        "version": "Fassung",
        "rule": "Regel",
        "sent": "Gesendet von Wirewatch",
        "unsteady": "Diese Stelle der Seite ändert sich immer wieder; die Änderung bedeutet vielleicht nichts",
        "stale": "Die Seite zeigt wieder eine ältere Fassung, vielleicht eine alte Kopie",
        "operator": "Wirewatch",
    }

    def clause(self, clause: Clause, places: Sequence[Place]) -> str:
        where = self.listed([_in(place) for place in places])
        if clause.did == "moved":
            return f"verschob {self._quote(clause.old)} {self.listed([_to(place) for place in places])}"
        if clause.did == "added":
            return f"ergänzte {self._quote(clause.new)} {where}"
        if clause.did == "removed":
            return f"strich {self._quote(clause.old)} {where}"
        if clause.counted is not None and clause.old and clause.new:
            counted = f" {clause.counted}" if clause.counted else ""
            return f"änderte {clause.old.text} zu {clause.new.text}{counted} {where}"
        return f"änderte {self._quote(clause.old)} zu {self._quote(clause.new)} {where}"

    def _quote(self, quote: Quote | None) -> str:
        return self.quoted(quote) if quote else ""

    def quoted(self, quote: Quote) -> str:
        return f"„{quote.text}“ ({quote.words} Wörter)" if quote.words else f"„{quote.text}“"

    def more_changes(self, count: int) -> str:
        return "änderte eine weitere Stelle" if count == 1 else f"änderte {count} weitere Stellen"

    def only_form(self) -> str:
        return "änderte nur Leerräume oder Anführungszeichen"

    def nothing(self) -> str:
        return "änderte nichts"

    def listed(self, items: Sequence[str]) -> str:
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} und {items[-1]}"

    def moment(self, at: datetime, zone: ZoneInfo) -> str:
        local = at.astimezone(zone)
        return f"{_day(local)}, {local:%H:%M} Uhr {_zone(local)}"

    def window(self, begin: datetime | None, end: datetime, zone: ZoneInfo) -> str:
        last = end.astimezone(zone)
        if begin is None:
            return f"vor {self.moment(end, zone)}"
        first = begin.astimezone(zone)
        if first.date() == last.date():
            first_zone = "" if first.utcoffset() == last.utcoffset() else f" Uhr {_zone(first)}"
            return f"zwischen {first:%H:%M}{first_zone} und {last:%H:%M} Uhr {_zone(last)} am {_day(last)}"
        return f"zwischen {self.moment(begin, zone)} und {self.moment(end, zone)}"

    def after_publication(self, least: Span, most: Span) -> str:
        if least == most:
            return f"{_span(most)} nach der Veröffentlichung"
        if not least.count:
            return f"innerhalb von {_span(most, dative=True)} nach der Veröffentlichung"
        if least.unit == most.unit:
            return f"{least.count} bis {_span(most)} nach der Veröffentlichung"
        return f"{_span(least)} bis {_span(most)} nach der Veröffentlichung"

    def notice(self, disclosure: str, signal: str) -> str:
        if signal == "correction":
            return "mit Korrekturhinweis"
        return {"undisclosed": "ohne Hinweis", "disclosed": "mit neuem Zeitstempel"}.get(disclosure, "")

    def revised_times(self, count: int) -> str:
        return f"in {count} Schritten"

    def happened(self, happened: str, headline: str, detail: str) -> str:
        how = f" ({detail})" if detail else ""
        return {
            "published": f"veröffentlichte „{headline}“",
            "withdrawn": f"zog „{headline}“ zurück{how}",
            "returned": f"zeigt „{headline}“ wieder",
            "restamped": f"gab „{headline}“ einen neuen Zeitstempel und änderte kein Wort",
            "merged": f"führt „{headline}“ mit einem anderen Artikel zusammen",
        }.get(happened, f"überarbeitete „{headline}“")

    def group(self, publisher: str, articles: int, change: str) -> str:
        return f"{publisher}, die gleiche Änderung in {articles} Artikeln: {change}"

    def digest(self, first: str, others: int) -> str:
        return (
            f"{first}; {'ein weiterer Artikel wurde' if others == 1 else f'{others} weitere Artikel wurden'} geändert"
        )

    def taken_back(self, publisher: str, headline: str, change: str) -> str:
        what = f" ({change})" if change else ""
        return (
            f"Zurückgenommen: Was zu „{headline}“ von {publisher} gemeldet wurde{what}, ist so nicht geschehen;"
            " was seitdem gefunden wurde, zeigt andere Schritte"
        )

    def taken_back_together(self, publisher: str, headline: str, others: int) -> str:
        rest = "einem weiteren Artikel" if others == 1 else f"{others} weiteren Artikeln"
        return (
            f"Zurückgenommen: Was zu „{headline}“ von {publisher} und zu {rest} gemeldet wurde, ist so nicht geschehen"
        )

    def more(self, count: int, rule: str) -> str:
        return f"Und {count} weitere für die Regel „{rule}“ in dieser Stunde, die nicht einzeln gesendet wurden"

    def and_more(self, count: int) -> str:
        return f"und {count} weitere"

    def many_alike(self, count: int) -> str:
        return f"{count} Artikel der Website änderten sich gleich"


def _in(place: Place) -> str:
    return f"in Absatz {place.paragraph}" if place.field == "body" else _IN[place.field]


def _to(place: Place) -> str:
    return f"nach Absatz {place.paragraph}" if place.field == "body" else f"an eine andere Stelle {_IN[place.field]}"


def _span(span: Span, *, dative: bool = False) -> str:
    one, many, many_dative = _UNITS[span.unit]
    if span.count == 1:
        return f"1 {one}"
    return f"{span.count} {many_dative if dative else many}"


def _day(at: datetime) -> str:
    return f"{at.day}. {_MONTHS[at.month - 1]} {at.year}"


def _zone(at: datetime) -> str:
    name = at.strftime("%Z")
    return _ZONES.get(name, name)
