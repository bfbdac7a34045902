"""Records what Keras's own Tokenizer answers into keras_tokenizer.txt.

    python -m venv venv && venv/bin/pip install numpy==2.3.4 && venv/bin/pip install --no-deps keras==3.12.0
    venv/bin/python keras_tokenizer.py

Only Keras's `legacy/preprocessing/text.py` is loaded, since Keras itself wants a backend. The tests that read
the fixture are `runtime-nostd/tests/runtime/keras.rs` (words) and `trainer/tests/keras.rs` (word index and
sequences); `src/lib.rs` reads the format.

Format, line by line (fields are separated by tabs, lists by spaces):

    [words lower=1 char_level=0 filters=...]    texts and their words, by these settings
    t <TAB> text <TAB> words
    [final-sigma ...]                           the same, where `str.lower` looks at a letter's neighbours
    [fit lower=1 ... num_words=0 oov=1]         one fitted tokenizer (num_words=0: no limit)
    d <TAB> text                                a text it was fitted to
    i <TAB> words                               its word_index without the oov token, in the order of ids
    q <TAB> text <TAB> ids                      texts_to_sequences of one text
    [lower]                                     `str.lower` of each code point that it changes
    l <TAB> code point <TAB> code points        in hexadecimal

A character outside printable ASCII that is no letter is written \\u{HEX}, a backslash too; so is a space in a
list of words.
"""

import hashlib
import importlib.metadata
import importlib.util
import pathlib
import platform
import random
import sys
import types
import unicodedata


def load_keras_text():
    """Keras's own module, without the rest of Keras: all it takes from there is a decorator."""
    api_export = types.ModuleType("keras.src.api_export")
    api_export.keras_export = lambda *_: lambda thing: thing
    for name in ("keras", "keras.src"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["keras.src.api_export"] = api_export
    path = importlib.metadata.distribution("keras").locate_file("keras/src/legacy/preprocessing/text.py")
    spec = importlib.util.spec_from_file_location("keras_text", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


TEXT, DIGEST = load_keras_text()
DEFAULT = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
RANDOM = random.Random(20)

# Sentences of our own, in several scripts.
SENTENCES = [
    "What a wonderful film, I loved every minute of it.",
    "The soup was cold, the waiter was rude and we left hungry.",
    "I didn't like the book; my sister's review (two stars!) says it all.",
    "It's 5 o'clock on the 3rd of May, 1999: rock 'n' roll isn't dead.",
    "\"Quoted\" and 'quoted' and `quoted` and “quoted” and ‘quoted’ and «quoted».",
    "well-known, semi_detached, either/or, and/or, e.g. this, i.e. that, etc...",
    "Visit https://example.org/a?b=c&d=e#f or write to someone@example.org!",
    "100% of $5.00 is €5,00; 2+2=4, 3*3=9, 2^10=1024, ~50 < 60 > 40.",
    "<br /><br />I rented this one rainy night...<br />and WOW -- what a mess!!!",
    "Ein schöner Film – Größe, Straße, ÜBERRASCHUNG, STRASSE, STRAẞE.",
    "L'été, c'est à la plage; l'hôtel où j'étais n'était PAS BON. ÇA VA?",
    "El niño comió piñas. ¿Qué? ¡NO! El PINGÜINO tiene frío.",
    "Žluťoučký KŮŇ úpěl ďábelské ÓDY; PŘÍLIŠ.",
    "Zażółć gęślą jaźń, ŁÓDŹ i Kraków.",
    "ÅSA og ØYVIND spiser BLÅBÆR på tirsdag.",
    "Þetta er ÍSLENSKA, ÐAÐ er GOTT.",
    "Türkçe: İSTANBUL, Iğdır, ılık, ŞİŞLİ, ÇOCUK, GÜZEL.",
    "Фильм хороший, НО ДЛИННЫЙ; ЁЖИК и Йод, ЩЁТКА, объявление.",
    "Київ, ЇЖАК, ЄДНІСТЬ, ҐАНОК, ЌЕ, ЏЕП, ЉУБАВ, ЊЕГА.",
    "Η ταινία ήταν ΥΠΕΡΟΧΗ, αλλά μεγάλη· ΕΛΛΑΔΑ.",
    "Հայերեն ԵՐԵՎԱՆ և Գյումրի.",
    "ქართული ენა ᲗᲑᲘᲚᲘᲡᲘ.",
    "这部电影很好看,我喜欢。真的!",
    "この映画は、とても面白かったです。ＡＢＣ",
    "영화가 정말 재미있었어요.",
    "כל הסרט היה טוב מאוד!",
    "كان الفيلم جيدًا جدًا.",
    "फ़िल्म बहुत अच्छी थी।",
    "หนังเรื่องนี้ดีมาก",
    "Great 😀😀 film 👍🏽 ❤️ 👨‍👩‍👧 #film @home",
    "e\u0301 E\u0301 \u00c9 A\u030a \u212b \u212a \u2126 o\u0308 O\u0308",
    "camelCaseWORDS snake_case kebab-case SCREAMING_CASE x86_64 IPv6",
    "don't DON'T Don’t DON’T dont o'neil O'NEIL 'tis ''' '' '",
    "first line\nsecond line\r\nthird line\rfourth line",
    "tabs\tand\x0bvertical tabs\x0cand form feeds\x1cand separators\x85and\u2028lines\u2029paragraphs",
    "no\u00a0break em\u2003space ideographic\u3000space zero\u200bwidth word\u2060joiner bom\ufeff.",
    "en–dash em—dash hy\u2010phen minus\u2212sign soft\u00adhyphen ellipsis… bullet•",
    "The film isn't bad. The actors aren't bad. It could've been worse, couldn't it?",
    "a an the A AN THE aN tHE",
    "Not only was the room small and the street loud, the breakfast was cold too.",
]

# Beyond what the blocks below enumerate.
SPECIAL = [
    "", " ", "  ", "\t", "\n", "\r", "\r\n", "\x0b", "\x0c", "\x00", "\u00a0", "\u3000", "\ufeff", " \t\n ",
    "'", "''", " ' ", "'a", "a'", "a''b", "0", "007", "3.14", "1,000", "1e-7", "-1", "½", "²", "Ⅷ", "ⅷ", "Ⓐ",
    "a\r\nb c\u00a0d\u3000e\x0bf", "İ", "İİ", "Iİıi", "ß", "ẞ", "SS", "ẞß", "ΐ", "ŉ", "ǰ", "ﬀ", "ﬃ", "Ŀ", "ĿL",
    "Ǆ", "ǅ", "ǆ", "Ǉ", "ǈ", "Ǌ", "ǋ", "Ǳ", "ǲ", "ᾈ", "ᾼ", "ῼ", "Ω", "Å", "K", "ſ", "K", "µ", "Ά", "Ώ",
    "σ", "ς", "ας", "Σ", "ΣΑ", "ΑΣΑ", "Σσς", "I\u0307", "i\u0307", "J\u030c", "N\u0303", "A\u0300\u0301",
    "\u0300", "\u0301a", "a\u0345", "\u1e9e", "Ꭰ", "ꭰ", "𐐀", "𐐨", "𝐀", "Ⰰ", "Ⲁ", "Ა", "Ꙁ", "Ꞩ", "𞤀", "𑢠",
    "‘a’", "“a”", "’", "a’b", "„a“", "‚a‘", "«a»", "‹a›", "–", "a–b", "—", "a—b", "…", "a…b", "•", "·", "¡", "¿",
    "，", "。", "！", "、", "（a）", "😀", "a😀b", "👨‍👩‍👧", "🇩🇪", "❤️", "\U0010ffff", "\ufffd", "\ufffe",
]

# Where `str.lower` looks at the neighbours of a capital sigma; the device cannot.
FINAL_SIGMA = [
    "ΟΔΟΣ", "ΑΣ", "ΑΣ.", "ΑΣ Β", "ΟΔΥΣΣΕΥΣ", "ΠΑΠΑΣ, ΜΑΜΑΣ", "Ο ΛΟΓΟΣ ΤΟΥ ΘΕΟΥ", "aΣ", "AΣ\u0301", "Α'Σ", "ΑΣ'", "ΆΣ!",
    "Σίσυφος ΣΙΣΥΦΟΣ", "ΤΟΥΣ ΦΙΛΟΥΣ ΜΑΣ", "Α\u00adΣ", "ÉΣ", "ЖΣ", "ΑΣ\u200b", "ΑΣ-ΑΣ", "xΣ1",
]


def escaped(text, also=""):
    """Letters and printable ASCII as they are, everything else as \\u{HEX}."""

    def one(c):
        plain = (" " <= c <= "~" and c != "\\") or (c > "~" and unicodedata.category(c)[0] == "L")
        return c if plain and c not in also else f"\\u{{{ord(c):x}}}"

    return "".join(map(one, text))


def joined(words):
    return " ".join(escaped(word, also=" ") for word in words)


def settings(lower=True, char_level=False, filters=DEFAULT):
    return {"lower": lower, "char_level": char_level, "filters": filters}


def heading(name, config, **more):
    fields = {"lower": int(config["lower"]), "char_level": int(config["char_level"]), **more}
    fields["filters"] = escaped(config["filters"], also=" []")
    return f"[{name} " + " ".join(f"{key}={value}" for key, value in fields.items()) + "]"


def words(text, config):
    """The words as Keras's Tokenizer counts them, in order."""
    if config["char_level"]:
        seen = []
        tokenizer = TEXT.Tokenizer(**config)
        tokenizer.fit_on_texts([text])
        for index in tokenizer.texts_to_sequences([text])[0]:
            seen.append(tokenizer.index_word[index])
        return seen
    return TEXT.text_to_word_sequence(text, filters=config["filters"], lower=config["lower"])


def by_neighbours(text):
    return text.lower() != "".join(c.lower() for c in text)


def block(name, config, texts):
    texts = list(dict.fromkeys(texts))
    if config["lower"]:
        texts = [text for text in texts if by_neighbours(text) == (name == "final-sigma")]
    lines = [f"t\t{escaped(text)}\t{joined(words(text, config))}" for text in texts]
    return [heading(name, config), *lines], len(lines)


def capitals():
    """Upper-case and title-case letters: one text each for Latin, Greek and Cyrillic, eight a text for others."""
    others = []
    for code in range(0x80, 0x110000):
        c = chr(code)
        if c.lower() == c:
            continue
        if unicodedata.name(c, "").startswith(("LATIN", "GREEK", "CYRILLIC")):
            yield f"{c}b {c}"
        else:
            others.append(c)
    for start in range(0, len(others), 8):
        yield "".join(others[start : start + 8])


def every_ascii_character():
    for code in range(128):
        c = chr(code)
        yield from (c, f"a{c}b", f"A {c} B", f"{c}{c}don't{c}")


def mixtures(count):
    """Random rows of pieces that have met nowhere else."""
    pieces = ["a", "B", "the", "The", "THE", "don't", "O'Neil", "10", "İ", "ß", "ẞ", "ǅ", "É", "e\u0301", "Ж", "ё", "中"]
    gaps = [" ", " ", " ", "", "  ", *DEFAULT, "'", "’", "\r", "\r\n", "\x0b", "\u00a0", "\u3000", "—", "…", "😀"]
    for _ in range(count):
        yield "".join(RANDOM.choice(pieces) + RANDOM.choice(gaps) for _ in range(RANDOM.randrange(1, 7)))


def word_blocks():
    mixed = list(mixtures(450))
    some = SENTENCES + SPECIAL + mixed[:60]
    yield block("words", settings(), [*every_ascii_character(), *SPECIAL, *capitals(), *SENTENCES, *mixed])
    yield block("final-sigma", settings(), FINAL_SIGMA)
    yield block("words", settings(lower=False), [*some, *FINAL_SIGMA])
    yield block("words", settings(filters=""), some)
    yield block("words", settings(filters=".,!?"), SENTENCES + mixed[60:100])
    # Lower-casing comes first: filters of small letters take the capitals too, those of capitals nothing.
    yield block("words", settings(filters="aeiouAEIOU'\r"), SENTENCES)
    yield block("words", settings(filters="abcABC", lower=False), SENTENCES)
    yield block("words", settings(char_level=True), [*SPECIAL, *SENTENCES[:4], *SENTENCES[18:26], *mixed[:40]])
    yield block("words", settings(char_level=True, lower=False), [*SPECIAL[:60], *mixed[40:60]])
    yield block("final-sigma", settings(char_level=True), FINAL_SIGMA[:6])


def fits():
    """Fitted tokenizers: ties, limits, unknown words."""
    vocabulary = "a b c d e The the THE it's its 1 two é É".split()
    for number in range(48):
        config = [
            settings(), settings(), settings(), settings(lower=False), settings(filters=".,"), settings(char_level=True),
        ][number % 6]
        oov = number % 2 == (number // 6) % 2
        # Fewer than this keep no word at all, which a recipe cannot ask for.
        num_words = RANDOM.choice([0, 0, 2 + oov, 3 + oov, 5, 9, 1000])
        if number < 6:
            documents = RANDOM.sample([s for s in SENTENCES if not by_neighbours(s)], 6)
        else:
            documents = [" ".join(RANDOM.choices(vocabulary, k=RANDOM.randrange(0, 9))) for _ in range(4)]
        queries = [*documents[:2], "", "  ", "a unheard b, THE end", "É x è", RANDOM.choice(SENTENCES[:12])]
        tokenizer = TEXT.Tokenizer(num_words=num_words, oov_token="<OOV>" if oov else None, **config)
        tokenizer.fit_on_texts(documents)
        index = sorted(tokenizer.word_index, key=tokenizer.word_index.get)
        lines = [heading("fit", config, num_words=num_words, oov=int(oov))]
        lines += [f"d\t{escaped(text)}" for text in documents]
        lines.append(f"i\t{joined(index[1:] if oov else index)}")
        for text in queries:
            ids = " ".join(map(str, tokenizer.texts_to_sequences([text])[0]))
            lines.append(f"q\t{escaped(text)}\t{ids}")
        yield lines, len(queries)


def main():
    blocks = list(word_blocks())
    fitted = list(fits())
    changed = [code for code in range(0x110000) if chr(code).lower() != chr(code)]
    text_cases, fit_cases = sum(n for _, n in blocks), sum(n for _, n in fitted)
    lines = [
        "# What Keras's Tokenizer answers, recorded by keras_tokenizer.py, which describes the format. Do not edit.",
        f"# keras {importlib.metadata.version('keras')}, keras/src/legacy/preprocessing/text.py sha256 {DIGEST}",
        f"# Python {platform.python_version()}, Unicode {unicodedata.unidata_version}",
        f"# {text_cases} texts with their words, {len(fitted)} fitted tokenizers with {fit_cases} sequences",
    ]
    lines += [line for block, _ in blocks + fitted for line in block]
    lines.append("[lower]")
    lines += [f"l\t{code:x}\t{' '.join(f'{ord(c):x}' for c in chr(code).lower())}" for code in changed]
    path = pathlib.Path(__file__).with_suffix(".txt")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{path.name}: {lines[3][2:]}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
