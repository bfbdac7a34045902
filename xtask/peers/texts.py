"""Encoded texts, as trainer/benches/work.rs writes them."""

import pathlib

import numpy


def read(folder, name):
    """Lists of words, and classes."""
    numbers = numpy.fromfile(pathlib.Path(folder) / name, dtype="<u4")
    texts, classes, place = [], [], 0
    while place < len(numbers):
        label, length = int(numbers[place]), int(numbers[place + 1])
        texts.append(numbers[place + 2:place + 2 + length])
        classes.append(label)
        place += 2 + length
    return texts, classes


def padded(texts, length):
    """All in one array, behind zeros."""
    words = numpy.zeros((len(texts), length), dtype="int32")
    for row, text in zip(words, texts):
        row[length - len(text):] = text
    return words
