"""The tutorial itself, in Keras: what `kilornn train DATA --recipe seed --seed N` reproduces.

    python keras_seed.py DATA N [tensorflow | torch]        (in an environment with requirements.txt)

On its PyTorch backend Keras's RMSprop is the one of its own `rmsprop.py`, which ours follows; on TensorFlow it squares the
gradient of an embedding otherwise (`trainer/tests/golden/keras_training.py`).
"""

import gzip
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = sys.argv[3] if len(sys.argv) > 3 else "tensorflow"
import keras
import numpy
from keras.src.legacy.preprocessing.text import Tokenizer


def read(path):
    """Texts and classes of a file `label<TAB>text` with a header."""
    lines = gzip.open(path, "rt", encoding="utf-8", newline="\n").read().split("\n")[1:-1]
    rows = [line.split("\t", 1) for line in lines]
    return [text for _, text in rows], numpy.array([int(label) for label, _ in rows], dtype="float32")


def main():
    data, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    keras.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = (read(data / f"{part}.tsv.gz") for part in ("train", "test"))
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(x_train)

    def encoded(texts):
        return keras.utils.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=100)

    model = keras.Sequential([
        keras.layers.Embedding(len(tokenizer.word_index) + 1, 128),
        keras.layers.SimpleRNN(100, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(encoded(x_train), y_train, batch_size=128, epochs=10, validation_split=0.2, verbose=2)
    score, accuracy = model.evaluate(encoded(x_test), y_test, batch_size=128, verbose=0)
    print(f"{keras.backend.backend()}, seed {seed}: Test score: {score:.4f}  Test accuracy: {accuracy:.4f}")


main()
