"""Training steps of the seed's shapes in Keras, on TensorFlow. The same lines in, the same lines out as trainer/benches/work.rs."""

import os
import resource
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy

from texts import padded, read

ROWS, WORDS, TEXTS = 88_582, 100, 128


# By the name of the work: the tutorial's model as it is, and with other cells as Keras makes them.
CELLS = {
    "seed": lambda: keras.layers.SimpleRNN(100, activation="relu"),
    "gru": lambda: keras.layers.GRU(100),
    "lstm": lambda: keras.layers.LSTM(100),
}


def steps_of(cell, folder):
    """The tutorial's model with this cell, as a person would train it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((WORDS,), dtype="int32"),
        keras.layers.Embedding(ROWS, 128),
        CELLS[cell](),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    texts, classes = read(folder, "seed")
    words, classes = padded(texts, WORDS), numpy.array(classes, dtype="float32")

    def run(steps):
        rows = numpy.arange(steps * TEXTS) % len(words)
        x, y = words[rows], classes[rows]
        started = time.perf_counter()
        model.fit(x, y, batch_size=TEXTS, epochs=1, shuffle=False, verbose=0)
        return (time.perf_counter() - started) * 1e3

    return run


def main():
    folder, works = sys.argv[1], {}
    for line in sys.stdin:
        match line.split():
            case [cell, steps] if cell in CELLS:
                if cell not in works:
                    works[cell] = steps_of(cell, folder)
                print(f"{works[cell](int(steps)):.3f}", flush=True)
            case ["memory"]:
                print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
            case _:
                sys.exit(f"unknown work: {line}")


main()
