"""A correction note is known in many languages, and led back to the sentence that it speaks of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from wirewatch.diff import compare
from wirewatch.extract.reading import read_page
from wirewatch.model import Capture, Claim, Reason, Source, Verdict, Wording
from wirewatch.significance import judge

STAMP = Claim(
    kind="modified", at=datetime(2026, 3, 16, 14, 21, tzinfo=UTC), where="text", zone="configured", raw="14:21"
)


def verdict(old: Wording, new: Wording) -> Verdict:
    return judge(compare(old, new), old, new, old_stamp=STAMP, new_stamp=STAMP)


def linked(found: Verdict) -> list[Reason]:
    return [reason for reason in found.reasons if reason.kind == "corrected"]


NOTES = {
    "en": "An earlier version of this article gave a wrong price for the boat.",
    "de": "Korrektur: In einer früheren Version war der Preis falsch angegeben.",
    "fr": "Une version précédente de cet article indiquait un prix erroné.",
    "es": "Fe de errores: el precio del barco era incorrecto.",
    "pt": "Uma versão anterior deste texto trazia um preço errado.",
    "it": "Errata corrige: il prezzo del battello era sbagliato.",
    "nl": "Correctie: in een eerdere versie van dit artikel stond een verkeerde prijs.",
    "sv": "Rättelse: i en tidigare version av artikeln var priset fel.",
    "pl": "Sprostowanie: w poprzedniej wersji podano błędną cenę.",
    "ru": "Исправление: в предыдущей версии была указана неверная цена.",
    "uk": "Виправлення: у попередній версії була неправильна ціна.",
    "tr": "Düzeltme: bu haberin önceki sürümünde fiyat yanlıştı.",
    "ar": "تصحيح: ورد خطأ في سعر السفينة.",
    "ja": "【訂正】船の価格に誤りがありました。",
    "zh": "更正：本文此前版本的价格有误。",
    "ko": "정정: 배의 가격이 잘못 표기되었습니다.",
    "hi": "भूल सुधार: नाव की कीमत गलत थी।",
}


@pytest.mark.parametrize("language", NOTES)
@pytest.mark.parametrize("where", ["as the page's own note", "in the text", "in place of a stamp"])
def test_a_new_note_is_a_correction_in_any_language(language: str, where: str) -> None:
    old, new = Wording(body="12:40 · 16.3.2026\n\nA B C."), Wording(body=f"{NOTES[language]}\n\nA B C.")
    if where == "in the text":
        old, new = Wording(body="A B C."), Wording(body=f"A B C.\n\n{NOTES[language]}")
    if where == "as the page's own note":
        old, new = Wording(body="A B C."), Wording(body="A B C.", correction=NOTES[language])
    found = verdict(old, new)
    assert (found.signal, found.disclosure, found.significance_class) == ("correction", "disclosed", "major")
    assert found.reasons[0].kind == "correction"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("A B C.", "A B C. Correction officers met.", id="a trade"),
        pytest.param("A B C.", "A B C.\n\nCorrection officers met at the pier.", id="a trade, as a paragraph"),
        pytest.param("A B C.", "A B C.\n\nThe market saw a correction of 5%.", id="a market's"),
        pytest.param(f"{NOTES['en']}\n\nA B C.", f"{NOTES['en']}\n\nA B D.", id="a note that stays"),
        pytest.param(f"{NOTES['en']}\n\nA B C.", "A B C.", id="a note that goes"),
        pytest.param(NOTES["en"], NOTES["en"].replace("wrong", "false"), id="a note in other words"),
        pytest.param(f"A B C.\n\n{NOTES['en']}", f"{NOTES['en']}\n\nA B C.", id="a note that moves"),
    ],
)
def test_what_is_no_new_note_is_an_update(old: str, new: str) -> None:
    assert verdict(Wording(body=old), Wording(body=new)).signal == "update"


@pytest.mark.parametrize(
    ("note", "signal"),
    [
        pytest.param("Correction: the sum was 4.7 million. The name was Quill.", "correction", id="grew"),
        pytest.param("Correction: Odo Reeve is no harbour master.", "correction", id="says something else"),
        pytest.param("Correction: the sum was 4.7 m.", "update", id="is shortened"),
        pytest.param(None, "update", id="vanished"),
    ],
)
def test_a_note_that_says_more_is_a_correction_again(note: str | None, signal: str) -> None:
    old = Wording(body="A B C.", correction="Correction: the sum was 4.7 million.")
    found = verdict(old, Wording(body="A B C.", correction=note))
    assert (found.signal, found.significance_class) == (signal, "major")


@pytest.mark.parametrize("shape", ["text", "list", "object"])
def test_a_note_that_only_json_ld_states_is_a_correction(shape: str) -> None:
    note = "The subsidy is 4.7 million, not 4.2 million."
    stated: Any = {"text": note, "list": [note], "object": {"@type": "CorrectionComment", "text": note}}[shape]
    found = verdict(page({}), page({"correction": stated}))
    assert (found.signal, found.disclosure) == ("correction", "disclosed")


def page(more: dict[str, Any]) -> Wording:
    """Return what is read from a page of our own invention."""
    sentences = (
        "<p>The harbour council met on Monday evening to talk about the ferry and its future in the town.</p>" * 4
    )
    data = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": "Council meets again"} | more
    html = (
        f'<html lang="en"><head><title>Council meets again</title><script type="application/ld+json">{json.dumps(data)}'
        f"</script></head><body><article><h1>Council meets again</h1>{sentences}</article></body></html>"
    )
    capture = Capture(
        url="https://courier.example/a",
        observed=datetime(2026, 3, 16, 15, tzinfo=UTC),
        status=200,
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=html.encode(),
        final_url="https://courier.example/a",
    )
    wording = read_page(capture, Source()).wording
    assert wording is not None
    return wording


FIRST = "The harbour council met on Monday."
SUM = "The subsidy for the ferry is 4.7 million."
LAST = "Mayor Marta Quill praised the plan."
NOTE = "Correction: An earlier version of this article said the subsidy was 4.2 million."


def test_a_note_is_linked_to_the_sentence_that_was_changed() -> None:
    old = Wording(body=f"{FIRST} {SUM.replace('4.7', '4.2')} {LAST}")
    (link,) = linked(verdict(old, Wording(body=f"{FIRST} {SUM} {LAST}", correction=NOTE)))
    assert link == Reason(kind="corrected", field="body", hunk=0, new=SUM, start=len(FIRST) + 1)


def test_a_note_that_comes_later_is_linked_to_the_sentence_all_the_same() -> None:
    old = Wording(body=f"{FIRST} {SUM} {LAST}")
    note = "Correction: The subsidy is 4.7 million, not less."
    (link,) = linked(verdict(old, Wording(body=f"{FIRST} {SUM} {LAST}", correction=note)))
    assert (link.field, link.new, link.start, link.hunk) == ("body", SUM, len(FIRST) + 1, 0)


def test_a_note_is_linked_by_a_name() -> None:
    old = Wording(body=f"{FIRST} {SUM} {LAST.replace('Quill', 'Quil')}")
    note = "Correction: A previous version of this story misspelt the name of Marta Quill."
    (link,) = linked(verdict(old, Wording(body=f"{FIRST} {SUM} {LAST}\n\n{note}")))
    assert (link.new, link.start) == (LAST, len(FIRST) + len(SUM) + 2)


def test_a_note_is_linked_to_the_headline_that_it_speaks_of() -> None:
    old = Wording(headline="Subsidy of 3 million", body=FIRST)
    note = "Correction: An earlier headline of this story gave 3 million in place of 5 million."
    (link,) = linked(verdict(old, Wording(headline="Subsidy of 5 million", body=FIRST, correction=note)))
    assert (link.field, link.new, link.start) == ("headline", "Subsidy of 5 million", 0)


def test_a_note_without_number_or_name_is_linked_to_nothing() -> None:
    new = Wording(body=f"{FIRST} {SUM}", correction="Correction: an earlier version was wrong.")
    assert linked(verdict(Wording(body=f"{FIRST} {SUM}"), new)) == []
