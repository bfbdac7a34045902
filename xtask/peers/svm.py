"""A linear SVM over tf-idf, untuned: what a classifier that knows no order of words reaches without a size to keep to.

    python svm.py FOLDER [--characters] [--without CLASS]

Words and pairs of words (with --characters runs of one to three characters, for texts without spaces) that stand in at
least two texts, with sublinear term frequencies; C is 1, and 0.3 for two classes. Trains on FOLDER/train.tsv and prints
the number of test texts and the accuracy on FOLDER/test.tsv as JSON (.tsv.gz is read as well). --without leaves out the
texts of a class, which is a name of FOLDER/labels.txt, from both.
"""

import argparse
import json
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from sets import rows


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--characters", action="store_true")
    arguments.add_argument("--without", metavar="CLASS")
    arguments = arguments.parse_args()

    out = None
    if arguments.without is not None:
        out = str((arguments.folder / "labels.txt").read_text(encoding="utf-8").split("\n").index(arguments.without))
    parts = [[row for row in rows(arguments.folder, part) if row[0] != out] for part in ["train", "test"]]
    (train_labels, train_texts), (test_labels, test_texts) = (zip(*part) for part in parts)

    analyzer, ngrams = ("char", (1, 3)) if arguments.characters else ("word", (1, 2))
    features = TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, min_df=2, sublinear_tf=True)
    svm = LinearSVC(C=0.3 if len(set(train_labels)) == 2 else 1.0, random_state=0)
    svm.fit(features.fit_transform(train_texts), train_labels)
    accuracy = svm.score(features.transform(test_texts), test_labels)
    print(json.dumps({"examples": len(test_texts), "accuracy": round(accuracy, 4)}))


main()
