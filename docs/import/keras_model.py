"""Trains a classifier with Keras and saves what `kilornn import keras` reads."""

import csv
import sys

import keras
import numpy as np
from keras.src.legacy.preprocessing.text import Tokenizer

data = sys.argv[1]


def read(part):
    with open(f"{data}/{part}.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [text for _, text in rows], np.array([[int(label)] for label, _ in rows], "float32")


texts, classes = read("train")
tokenizer = Tokenizer(num_words=2000, oov_token="<OOV>")
tokenizer.fit_on_texts(texts)


def encode(texts):
    return keras.utils.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=40)


keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.layers.Embedding(2000, 16, mask_zero=True),
    keras.layers.SimpleRNN(24, activation="relu"),
    keras.layers.Dropout(0.3),  # has no weights, and nothing to do outside training
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(encode(texts), classes, batch_size=64, epochs=8, verbose=2)
texts, classes = read("test")
print("test loss and accuracy:", model.evaluate(encode(texts), classes, verbose=0))

np.savez("keras.npz", *model.get_weights())
with open("keras.json", "w", encoding="utf-8") as file:
    file.write(tokenizer.to_json())
