"""What a change means, in pairs of sentences: which reason is found, and which class follows.

All sentences are invented. `not minor` marks the traps that have made others silent.
"""

from __future__ import annotations

import pytest

from wirewatch.diff import compare
from wirewatch.model import Verdict, Wording
from wirewatch.significance import judge


def verdict(old: str, new: str, field: str = "body") -> Verdict:
    before, after = Wording(**{field: old}), Wording(**{field: new})
    return judge(compare(before, after), before, after, old_stamp=None, new_stamp=None)


TRAPS = [
    ("The blast left 12 killed.", "The blast left 15 killed.", "number", "major"),
    ("12 killed", "15 killed", "number", "major"),
    ("The hearing is on March 4.", "The hearing is on April 9.", "date", "major"),
    ("He was jailed for 3 months.", "He was jailed for 30 months.", "number", "major"),
    ("It was sold for $1.5 million.", "It was sold for $15 million.", "money", "major"),
    ("It was -5 in the harbour.", "It was 5 in the harbour.", "number", "major"),
    ("-5", "5", "number", "major"),
    ("The mayor did it.", "The mayor did it?", "question", "notable"),
    ("did it.", "did it?", "question", "notable"),
    ("She posted bail in cash on Monday.", "She posted a libellous video on Monday.", "wording", "major"),
    ("posted bail in cash", "posted a libellous video", "wording", "major"),
    ("The council did agree.", "The council did not agree.", "negation", "major"),
    ("He was described as the therapist.", "He was described as the the rapist.", "grave", "major"),
    ("therapist", "the rapist", "grave", "major"),
    (
        "Updated March 4, 2026 10:15\n\nThe boat sank.",
        "Correction: An earlier version of this article gave a wrong place.\n\nThe boat sank.",
        "correction",
        "major",
    ),
]

ENGLISH = [
    ("The ferry sails at 14:21.", "The ferry sails at 15:24.", "time", "major"),
    ("The ferry sails at 9 pm.", "The ferry sails at 8 pm.", "time", "major"),
    ("The vote is on Monday.", "The vote is on Tuesday.", "date", "major"),
    ("It cost five million pounds.", "It cost six million pounds.", "money", "major"),
    ("It cost a million in all.", "It cost a billion in all.", "number", "major"),
    ("It rose by 5% last year.", "It rose by 5 last year.", "wording", "notable"),
    ("It rose 1.5 points.", "It rose 15 points.", "number", "major"),
    ("It opened in 1987 as a mill.", "It opened in 1978 as a mill.", "number", "major"),
    ("Two sailors were rescued.", "Three sailors were rescued.", "number", "major"),
    ("Mayor Marta Quill resigned.", "Mayor Odo Reeve resigned.", "name", "major"),
    ("It was paid by Ellery Ferries.", "It was paid by Pelham Ferries.", "name", "major"),
    ("A spokesman named Quil spoke.", "A spokesman named Quill spoke.", "name", "major"),
    ("Reeve said “we will pay” twice.", "Reeve said “we may pay” twice.", "quotation", "major"),
    ('Reeve said "we will pay" twice.', 'Reeve said "we can pay" twice.', "quotation", "major"),
    ("The firm said it was safe.", "The firm claimed it was safe.", "attribution", "notable"),
    ("The boat was old.", "The boat was old, according to police.", "attribution", "major"),
    ("The driver was drunk.", "The driver was allegedly drunk.", "hedge", "notable"),
    ("The keeper was found injured.", "The keeper was found dead.", "grave", "notable"),
    ("She was never there.", "She was there.", "negation", "major"),
    ("He isn't the owner.", "He is the owner.", "negation", "major"),
    ("It will no longer sail.", "It will sail.", "negation", "major"),
    ("The public hall was open.", "The pubic hall was open.", "wording", "notable"),
    ("He signed the contract.", "He signed the contact.", "wording", "notable"),
    ("The militants left town.", "The militant left town.", "wording", "notable"),
    ("The old pier was closed.", "The pier was closed.", "removed", "notable"),
    ("The pier was closed.", "The old pier was closed.", "added", "notable"),
    ("The pier was closed.", "The pier was closed. It reopens soon.", "added", "notable"),
    ("The goverment agreed.", "The government agreed.", "spelling", "minor"),
    ("They recieved a letter.", "They received a letter.", "spelling", "minor"),
    ("She closed teh door.", "She closed the door.", "spelling", "minor"),
    ("They did not see it.", "They didn't see it.", "spelling", "minor"),
    ("The colour was bright.", "The color was bright.", "spelling", "minor"),
    ("It took twelve boats.", "It took 12 boats.", "number_form", "minor"),
    ("It took 1,500 boats in all.", "It took 1500 boats in all.", "number_form", "minor"),
    ("The Council met on the pier.", "The council met on the pier.", "case", "minor"),
    ("It sank, slowly, at noon.", "It sank slowly at noon.", "punctuation", "minor"),
    ("It was a decision making body.", "It was a decision-making body.", "punctuation", "minor"),
    ("He called it “late”.", 'He called it "late".', "quote_marks", "minor"),
    ("It  sank at noon.", "It sank at noon.", "space", "minor"),
    ("It was late (again).", "It was late - again.", "punctuation", "minor"),
]

GERMAN = [
    ("Bei dem Brand starben 12 Menschen.", "Bei dem Brand starben 15 Menschen.", "number", "major"),
    ("Die Anhörung ist am 4. März.", "Die Anhörung ist am 9. April.", "date", "major"),
    ("Das Schiff kostete 1,5 Millionen Euro.", "Das Schiff kostete 15 Millionen Euro.", "money", "major"),
    ("Der Rat stimmte zu und zahlt.", "Der Rat stimmte nicht zu und zahlt.", "negation", "major"),
    ("Es gibt einen Plan für die Fähre.", "Es gibt keinen Plan für die Fähre.", "negation", "major"),
    ("Der Sprecher sagte, es sei sicher.", "Der Sprecher behauptete, es sei sicher.", "attribution", "notable"),
    ("Der Fahrer war betrunken.", "Der Fahrer war angeblich betrunken.", "hedge", "notable"),
    ("Das ist für Marta Quill ein Sieg.", "Das ist für Marta Reeve ein Sieg.", "name", "major"),
    ("Die Sitzung ist am Montag.", "Die Sitzung ist am Dienstag.", "date", "major"),
    ("Der Mann wurde verletzt.", "Der Mann wurde getötet.", "grave", "notable"),
    ("Er sagte: „Wir zahlen alles.“", "Er sagte: „Wir zahlen wenig.“", "quotation", "major"),
    ("Er wollte den Laden schließen.", "Er wollte den Laden schießen.", "wording", "notable"),
    ("Die Regirung hat das gesagt.", "Die Regierung hat das gesagt.", "spelling", "minor"),
    ("Er weiß, daß es spät ist.", "Er weiß, dass es spät ist.", "spelling", "minor"),
    ("Das Schiff, ist spät.", "Das Schiff ist spät.", "punctuation", "minor"),
    ("Er sagte „ja“ dazu.", "Er sagte «ja» dazu.", "quote_marks", "minor"),
]

FRENCH = [
    ("L'explosion a fait 12 morts.", "L'explosion a fait 15 morts.", "number", "major"),
    ("L'audience est fixée au 4 mars.", "L'audience est fixée au 9 avril.", "date", "major"),
    ("Le bateau a coûté 1,5 million d'euros.", "Le bateau a coûté 15 millions d'euros.", "number", "major"),
    ("Le maire a signé la lettre.", "Le maire n'a pas signé la lettre.", "negation", "major"),
    ("Il a déclaré que c'était sûr.", "Il a affirmé que c'était sûr.", "attribution", "notable"),
    ("Il est le voleur de la ville.", "Il est le voleur présumé de la ville.", "hedge", "notable"),
    ("Le policier tue dans la rue.", "Le policier tué dans la rue.", "grave", "notable"),
    ("La réunion est pour lundi.", "La réunion est pour mardi.", "date", "major"),
    ("Il a dit « nous payons » hier.", "Il a dit « nous partons » hier.", "quotation", "major"),
    ("C'est une décision de Marta Quill.", "C'est une décision de Marta Reeve.", "name", "major"),
    ("Le gouvernment a parlé.", "Le gouvernement a parlé.", "spelling", "minor"),
    ("Il y a un évènement dans la ville.", "Il y a un événement dans la ville.", "spelling", "minor"),
    ("Le bateau , est en retard.", "Le bateau, est en retard.", "space", "minor"),
]

SPANISH = [
    ("La explosión dejó 12 muertos.", "La explosión dejó 15 muertos.", "number", "major"),
    ("La audiencia es el 4 de marzo.", "La audiencia es el 9 de abril.", "date", "major"),
    ("El barco costó 1,5 millones de euros.", "El barco costó 15 millones de euros.", "number", "major"),
    ("El alcalde firmó la carta.", "El alcalde no firmó la carta.", "negation", "major"),
    ("El portavoz dijo que era seguro.", "El portavoz aseguró que era seguro.", "attribution", "notable"),
    ("Es el autor del robo.", "Es el presunto autor del robo.", "hedge", "notable"),
    ("El hombre fue absuelto por la corte.", "El hombre fue condenado por la corte.", "grave", "notable"),
    ("La reunión es el lunes.", "La reunión es el martes.", "date", "major"),
    ("Dijo: «No pagamos más».", "Dijo: «No viajamos más».", "quotation", "major"),
    ("Hoy habló con Marta Quill.", "Hoy habló con Marta Reeve.", "name", "major"),
    ("El hombre llegó con la carta.", "El hambre llegó con la carta.", "wording", "notable"),
    ("El goberno de la ciudad habló.", "El gobierno de la ciudad habló.", "spelling", "minor"),
    ("El numero de la casa es alto.", "El número de la casa es alto.", "spelling", "minor"),
    ("¿El barco es viejo?", "El barco es viejo.", "question", "notable"),
]

ARABIC = [
    ("أسفر الانفجار عن 12 قتيلا.", "أسفر الانفجار عن 15 قتيلا.", "number", "major"),
    ("أسفر الانفجار عن ١٢ قتيلا.", "أسفر الانفجار عن ١٥ قتيلا.", "number", "major"),
    ("الجلسة في 4 مارس في المدينة.", "الجلسة في 9 أبريل في المدينة.", "date", "major"),
    ("وقع الوزير على الرسالة.", "لم يوقع الوزير على الرسالة.", "negation", "major"),
    ("قال المتحدث إن السفينة آمنة.", "زعم المتحدث إن السفينة آمنة.", "attribution", "notable"),
    ("كان السائق في المدينة.", "ربما كان السائق في المدينة.", "hedge", "notable"),
    ("كان من بين الجرحى.", "كان من بين القتلى.", "grave", "notable"),
    ("التقى في المدينة السيد كريم.", "التقى في المدينة السيد سليم.", "name", "major"),
    ("الاجتماع في يوم الاثنين.", "الاجتماع في يوم الثلاثاء.", "date", "major"),
    ("قال «سوف ندفع كل شيء» أمس.", "قال «سوف نأخذ كل شيء» أمس.", "quotation", "major"),
    ("هل وصلت السفينة؟", "وصلت السفينة.", "question", "major"),
    ("أسفر عن ١٢ قتيلا.", "أسفر عن 12 قتيلا.", "number_form", "minor"),
    ("وصل الاعلام إلى المدينة.", "وصل الإعلام إلى المدينة.", "spelling", "minor"),
    ("وصلت السفينة، في المساء.", "وصلت السفينة في المساء.", "punctuation", "minor"),
]

JAPANESE = [
    ("爆発で12人が死亡した。", "爆発で15人が死亡した。", "number", "major"),
    ("爆発で三人が死亡した。", "爆発で五人が死亡した。", "number", "major"),
    ("公聴会は3月4日に開かれる。", "公聴会は4月9日に開かれる。", "date", "major"),
    ("船は150万円で売られた。", "船は1500万円で売られた。", "number", "major"),
    ("男は容疑を認めた。", "男は容疑を認めなかった。", "negation", "major"),
    ("市長は安全だと説明した。", "市長は安全だと主張した。", "attribution", "notable"),
    ("男が火をつけた。", "男が火をつけた疑いがある。", "hedge", "major"),
    ("乗員は負傷した。", "乗員は死亡した。", "grave", "notable"),
    ("会議は月曜に開かれる。", "会議は火曜に開かれる。", "wording", "notable"),
    ("昨日、山田氏が語った。", "昨日、川口氏が語った。", "name", "major"),
    ("彼は「必ず払う」と語った。", "彼は「必ず売る」と語った。", "quotation", "major"),
    ("船は無事だった。", "船は無事だった？", "question", "notable"),
    ("船は、無事だった。", "船は無事だった。", "punctuation", "minor"),
    ("爆発で１２人が負傷した。", "爆発で12人が負傷した。", "number_form", "minor"),
]

CHINESE = [
    ("爆炸造成12人死亡。", "爆炸造成15人死亡。", "number", "major"),
    ("爆炸造成三人死亡。", "爆炸造成五人死亡。", "number", "major"),
    ("听证会在3月4日举行。", "听证会在4月9日举行。", "date", "major"),
    ("这艘船的价格是150万元。", "这艘船的价格是1500万元。", "number", "major"),
    ("市长同意了这个计划。", "市长没有同意这个计划。", "negation", "major"),
    ("市长表示船是安全的。", "市长声称船是安全的。", "attribution", "notable"),
    ("他在城里放火。", "他涉嫌在城里放火。", "hedge", "notable"),
    ("船员在事故中受伤。", "船员在事故中死亡。", "grave", "notable"),
    ("昨天，李明先生到了港口。", "昨天，王强先生到了港口。", "name", "major"),
    ("他说：“我们会付钱。”", "他说：“我们会拿钱。”", "quotation", "major"),
    ("船已经到了。", "船已经到了？", "question", "notable"),
    ("他们在港口等船。", "他们在河边等船。", "wording", "notable"),
    ("船，已经到了。", "船已经到了。", "punctuation", "minor"),
]

RUSSIAN = [
    ("При взрыве погибли 12 человек.", "При взрыве погибли 15 человек.", "number", "major"),
    ("Слушание будет 4 марта.", "Слушание будет 9 апреля.", "date", "major"),
    ("Судно стоило 1,5 миллиона рублей.", "Судно стоило 15 миллиона рублей.", "money", "major"),
    ("Он признал вину в суде.", "Он не признал вину в суде.", "negation", "major"),
    ("Он сказал, что это так.", "Он утверждал, что это так.", "attribution", "notable"),
    ("Он был в городе.", "Он якобы был в городе.", "hedge", "notable"),
    ("Капитан был ранен на судне.", "Капитан был убит на судне.", "grave", "notable"),
    ("Об этом написал Иван Петров.", "Об этом написал Иван Сидоров.", "name", "major"),
    ("Он пришёл во вторник или позже.", "Он пришёл в понедельник или позже.", "date", "major"),
    ("Он сказал: «Мы заплатим».", "Он сказал: «Мы уйдём».", "quotation", "major"),
    ("Суд осудил это решение.", "Суд обсудил это решение.", "wording", "notable"),
    ("Правителство города это знало.", "Правительство города это знало.", "spelling", "minor"),
    ("Он пришел в город.", "Он пришёл в город.", "spelling", "minor"),
    ("Судно, было старым.", "Судно было старым.", "punctuation", "minor"),
]

HINDI = [
    ("धमाके में 12 लोग घायल हुए।", "धमाके में 15 लोग घायल हुए।", "number", "major"),
    ("धमाके में तीन लोग घायल हुए।", "धमाके में पांच लोग घायल हुए।", "number", "major"),
    ("मंत्री ने पत्र पर दस्तखत किए।", "मंत्री ने पत्र पर दस्तखत नहीं किए।", "negation", "major"),
    ("नाव की कीमत 15 लाख रुपये है।", "नाव की कीमत 25 लाख रुपये है।", "money", "major"),
    ("वह चोर है।", "वह कथित चोर है।", "hedge", "notable"),
    ("बैठक सोमवार को है।", "बैठक मंगलवार को है।", "date", "major"),
    ("उस नाव में लोग घायल थे।", "उस नाव में लोग मृत थे।", "grave", "notable"),
    ("वह शहर में श्री मोहन से मिला।", "वह शहर में श्री सोहन से मिला।", "name", "major"),
    ("नाव, शहर में है।", "नाव शहर में है।", "punctuation", "minor"),
    ("धमाके में १२ लोग थे।", "धमाके में 12 लोग थे।", "number_form", "minor"),
]

PAIRS = [
    pytest.param(*pair, id=f"{language}: {pair[0][:20]!r} {pair[2]}")
    for language, pairs in {
        "trap": TRAPS,
        "en": ENGLISH,
        "de": GERMAN,
        "fr": FRENCH,
        "es": SPANISH,
        "ar": ARABIC,
        "ja": JAPANESE,
        "zh": CHINESE,
        "ru": RUSSIAN,
        "hi": HINDI,
    }.items()
    for pair in pairs
]


@pytest.mark.parametrize(("old", "new", "kind", "expected"), PAIRS)
def test_a_change_has_its_reason_and_class(old: str, new: str, kind: str, expected: str) -> None:
    found = verdict(old, new)
    assert (found.significance_class, kind) == (expected, kind), found
    assert kind in {reason.kind for reason in found.reasons}, found


@pytest.mark.parametrize(("old", "new", "kind", "expected"), PAIRS)
def test_no_change_becomes_minor_by_being_taken_back(old: str, new: str, kind: str, expected: str) -> None:
    found = verdict(new, old)
    assert (found.significance_class == "minor") <= (expected == "minor"), (kind, found)


@pytest.mark.parametrize(("old", "new", "kind", "expected"), TRAPS)
def test_no_trap_is_minor_in_a_headline(old: str, new: str, kind: str, expected: str) -> None:
    found = verdict(old, new, field="headline")
    assert found.significance_class == "major", (kind, expected, found)
    assert "headline" in {reason.kind for reason in found.reasons}


def test_there_are_enough_pairs_to_trust_the_table() -> None:
    assert len(PAIRS) >= 120
