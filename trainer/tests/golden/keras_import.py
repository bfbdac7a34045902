"""Records models of Keras, and what they answer, into import/keras-*: for `kilornn import keras`.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python keras_import.py

For each case `import/keras-CASE.npz` (`np.savez` of the weights), `import/keras-CASE.json` (`tokenizer.to_json()`) and,
all in one, `import/keras.json`: settings, texts and probabilities. `trainer/tests/import.rs` reads them. Weights are
random and large enough for the answers to differ; a few words of the texts are unknown to the tokenizer.
"""

import json
import os
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
from keras.src.legacy.preprocessing.text import Tokenizer

from texts import make_texts

FOLDER = Path(__file__).parent / "import"
CASES = {
    # The tokenizer's settings; maxlen, truncating and mask_zero; activation and outputs; rows beyond the last id.
    "seed": (dict(), 12, "pre", False, "relu", 1, 0),
    "limited": (dict(num_words=20), 9, "post", False, "tanh", 3, 0),
    "oov": (dict(num_words=25, oov_token="<OOV>"), None, "pre", True, "tanh", 3, 7),
    "oov-in-texts": (dict(oov_token="the", num_words=30), 10, "pre", True, "relu", 1, 100),
    "characters": (dict(char_level=True, lower=False, oov_token="?"), 40, "pre", True, "relu", 2, 0),
}


def record(name, tokenizer, maxlen, truncating, mask, activation, outputs, more, rng):
    tokenizer = Tokenizer(**tokenizer)
    fitted, asked = make_texts(rng)
    tokenizer.fit_on_texts(fitted)
    rows = (tokenizer.num_words or len(tokenizer.word_index) + 1) + more
    units, width = 12, 8
    model = keras.Sequential([
        keras.layers.Embedding(rows, width, mask_zero=mask),
        keras.layers.SimpleRNN(units, activation=activation),
        keras.layers.Dense(outputs, activation="sigmoid" if outputs == 1 else "softmax"),
    ])
    model.build((None, None))
    model.set_weights([
        rng.normal(size=(rows, width)),
        rng.normal(size=(width, units)) * 0.4,
        np.linalg.qr(rng.normal(size=(units, units)))[0] * 0.8,
        rng.normal(size=units) * 0.2,
        rng.normal(size=(units, outputs)) * 0.4,
        rng.normal(size=outputs) * 0.2,
    ])
    ids = keras.utils.pad_sequences(tokenizer.texts_to_sequences(asked), maxlen=maxlen, truncating=truncating)
    probabilities = model.predict(ids, verbose=0)
    print(name, rows, "rows; mean probabilities", probabilities.mean(0), "deviations", probabilities.std(0))
    # Counts of documents come in the order of a set, which Python changes from run to run.
    tokenizer.word_docs = dict(sorted(tokenizer.word_docs.items()))
    tokenizer.index_docs = dict(sorted(tokenizer.index_docs.items()))
    np.savez(FOLDER / f"keras-{name}.npz", *model.get_weights())
    (FOLDER / f"keras-{name}.json").write_text(tokenizer.to_json() + "\n")
    return dict(
        name=name, maxlen=maxlen or 0, truncating=truncating, padding="masked" if mask else "tokens",
        activation=activation, texts=asked, probabilities=[[float(p) for p in row] for row in probabilities],
    )


def main():
    FOLDER.mkdir(exist_ok=True)
    cases = [record(name, *case, np.random.default_rng(seed)) for seed, (name, case) in enumerate(CASES.items())]
    (FOLDER / "keras.json").write_text(json.dumps(cases, indent=0) + "\n")


main()
