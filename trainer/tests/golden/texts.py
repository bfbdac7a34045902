"""Small texts for the scripts beside this file."""

WORDS = """the a film book plot music actor good bad fine dull great awful not never very quite it was is I liked
hated and but so don't can't wonderful terrible scene end story I'd watch again no yes Paris 1999 café""".split()
RARE = "xylem quorble zzyzx Ulm unk 42 naïve".split()
BETWEEN = [" ", " ", " ", " ", " ", ", ", "... ", " - ", "<br />", "  ", "!"]


def make_texts(rng, fitted=60, asked=40):
    """Texts to fit a tokenizer to, and texts to ask about, some of whose words are in none of the former."""

    def text(words):
        length = rng.integers(1, 25)
        weights = 1 / (2 + rng.permutation(len(words)) + 3 * len(words) * (rng.random(len(words)) < 0.1))
        chosen = rng.choice(words, length, p=weights / weights.sum())
        return "".join(str(word) + str(rng.choice(BETWEEN)) for word in chosen).capitalize()

    return (
        [text(WORDS) for _ in range(fitted)],
        ["", "  ?! ", "quorble", *(text(WORDS + RARE) for _ in range(asked - 3))],
    )
