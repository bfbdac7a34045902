"""Records models of Keras, and what they answer, into import/keras-*: for `kilornn import keras`.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python keras_import.py

For each case `import/keras-CASE.npz` (`np.savez` of the weights), `import/keras-CASE.json` (`tokenizer.to_json()`) and,
all in one, settings, texts and answers: in `import/keras.json` for networks of one SimpleRNN, in
`import/keras-layers.json` for others. `trainer/tests/import.rs` reads them. Weights are random and large enough for the
answers to differ, and for gates to open and close; a few words of the texts are unknown to the tokenizer.

Of one SimpleRNN the answers are probabilities, a list for each text. Of other networks they are logits, from the same
model without an activation at its end, and `layers` has the cell and the units of each layer from the embedding on.
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
# The tokenizer's settings; maxlen, truncating and mask_zero; what is recurrent; outputs; rows beyond the last id.
SIMPLE = {
    # A SimpleRNN of this activation.
    "seed": (dict(), 12, "pre", False, "relu", 1, 0),
    "limited": (dict(num_words=20), 9, "post", False, "tanh", 3, 0),
    "oov": (dict(num_words=25, oov_token="<OOV>"), None, "pre", True, "tanh", 3, 7),
    "oov-in-texts": (dict(oov_token="the", num_words=30), 10, "pre", True, "relu", 1, 100),
    "characters": (dict(char_level=True, lower=False, oov_token="?"), 40, "pre", True, "relu", 2, 0),
}
LAYERS = {
    # Cells and units, with Keras's defaults.
    "gru": (dict(), 12, "pre", False, [("gru", 10)], 1, 0),
    "lstm": (dict(num_words=25, oov_token="<OOV>"), None, "pre", True, [("lstm", 10)], 3, 0),
    "gru-gru": (dict(oov_token="?"), None, "pre", True, [("gru", 10), ("gru", 6)], 1, 3),
    "lstm-gru": (dict(num_words=20), 9, "post", False, [("lstm", 6), ("gru", 10)], 3, 0),
    "simple-rnn-lstm": (dict(), 15, "pre", True, [("simple-rnn", 8), ("lstm", 6)], 1, 0),
}
KINDS = {"simple-rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}


def cell_weights(cell, inputs, units, rng):
    """Kernel, recurrent kernel (a multiple of an orthogonal matrix for each gate) and bias."""
    gates = {"simple-rnn": 1, "gru": 3, "lstm": 4}[cell]
    kernel = rng.normal(size=(inputs, gates * units)) * 0.4
    recurrent = [np.linalg.qr(rng.normal(size=(units, units)))[0] * 0.8 for _ in range(gates)]
    bias = rng.normal(size=(2, 3 * units) if cell == "gru" else gates * units) * 0.2
    return [kernel, np.concatenate(recurrent, axis=1), bias]


def record(name, tokenizer, maxlen, truncating, mask, recurrent, outputs, more, rng):
    simple = isinstance(recurrent, str)
    layers, activation = ([("simple-rnn", 12)], recurrent) if simple else (recurrent, "tanh")
    tokenizer = Tokenizer(**tokenizer)
    fitted, asked = make_texts(rng)
    tokenizer.fit_on_texts(fitted)
    rows = (tokenizer.num_words or len(tokenizer.word_index) + 1) + more
    width = 8
    last = len(layers) - 1
    model = keras.Sequential([
        keras.layers.Embedding(rows, width, mask_zero=mask),
        *(
            KINDS[cell](units, activation=activation, return_sequences=layer < last)
            for layer, (cell, units) in enumerate(layers)
        ),
        keras.layers.Dense(outputs, activation=("sigmoid" if outputs == 1 else "softmax") if simple else None),
    ])
    model.build((None, None))
    weights = [rng.normal(size=(rows, width))]
    for (cell, units), inputs in zip(layers, [width, *(units for _, units in layers)]):
        weights += cell_weights(cell, inputs, units, rng)
    weights += [rng.normal(size=(layers[-1][1], outputs)) * (0.4 if simple else 2.0), rng.normal(size=outputs) * 0.2]
    model.set_weights(weights)
    ids = keras.utils.pad_sequences(tokenizer.texts_to_sequences(asked), maxlen=maxlen, truncating=truncating)
    answers = model.predict(ids, verbose=0)
    print(name, rows, "rows; mean answers", answers.mean(0), "deviations", answers.std(0))
    # Counts of documents come in the order of a set, which Python changes from run to run.
    tokenizer.word_docs = dict(sorted(tokenizer.word_docs.items()))
    tokenizer.index_docs = dict(sorted(tokenizer.index_docs.items()))
    np.savez(FOLDER / f"keras-{name}.npz", *model.get_weights())
    (FOLDER / f"keras-{name}.json").write_text(tokenizer.to_json() + "\n")
    of_network = dict(activation=activation) if simple else dict(layers=layers)
    return dict(
        name=name, maxlen=maxlen or 0, truncating=truncating, padding="masked" if mask else "tokens", **of_network,
        texts=asked, **{"probabilities" if simple else "logits": [[float(a) for a in row] for row in answers]},
    )


def main():
    FOLDER.mkdir(exist_ok=True)
    for file, cases, seed in [("keras", SIMPLE, 0), ("keras-layers", LAYERS, 100)]:
        recorded = [record(name, *case, np.random.default_rng(seed + i)) for i, (name, case) in enumerate(cases.items())]
        (FOLDER / f"{file}.json").write_text(json.dumps(recorded, indent=0) + "\n")


main()
