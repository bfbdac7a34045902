"""The seed's training step in Keras, on TensorFlow. The same lines in, the same lines out as trainer/benches/work.rs."""

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


def seed(folder):
    """The tutorial's model, as a person would train it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((WORDS,), dtype="int32"),
        keras.layers.Embedding(ROWS, 128),
        keras.layers.SimpleRNN(100, activation="relu"),
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
    folder, work = sys.argv[1], None
    for line in sys.stdin:
        match line.split():
            case ["seed", steps]:
                work = work or seed(folder)
                print(f"{work(int(steps)):.3f}", flush=True)
            case ["memory"]:
                print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
            case _:
                sys.exit(f"unknown work: {line}")


main()
