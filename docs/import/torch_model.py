"""Trains a classifier with PyTorch and saves what `kilornn import torch` reads."""

import csv
import sys
from collections import Counter

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_sequence

data = sys.argv[1]
FILTERS = str.maketrans({c: " " for c in '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'})


def words(text):
    """As the device does it, unless `filters`, `lowercase` or `char_level` say otherwise."""
    return [word for word in text.lower().translate(FILTERS).split(" ") if word]


def read(part):
    with open(f"{data}/{part}.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [words(text) for _, text in rows], torch.tensor([[float(label)] for label, _ in rows])


texts, classes = read("train")
vocabulary = ["<unk>"] + [word for word, _ in Counter(word for text in texts for word in text).most_common(2000)]
ids = {word: id for id, word in enumerate(vocabulary)}


def encode(texts):
    return [torch.tensor([ids.get(word, 0) for word in text]) for text in texts]


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary), 16)
        self.rnn = nn.RNN(16, 24, nonlinearity="tanh")
        self.linear = nn.Linear(24, 1)

    def forward(self, texts):
        packed = pack_sequence([self.embedding(text) for text in texts], enforce_sorted=False)
        _, last = self.rnn(packed)  # the state behind each text's last word
        return self.linear(last[0])


torch.manual_seed(1)
model, loss_of = Classifier(), nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), 0.005)
encoded = encode(texts)
for epoch in range(10):
    total = 0.0
    for batch in torch.randperm(len(encoded)).split(64):
        loss = loss_of(model([encoded[i] for i in batch]), classes[batch])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1}: loss {total / len(encoded):.4f}")
texts, classes = read("test")
with torch.no_grad():
    logits = model(encode(texts))
print(f"test loss {loss_of(logits, classes):.4f}, accuracy {((logits > 0) == (classes > 0)).float().mean():.4f}")

save_file(model.state_dict(), "torch.safetensors")
with open("torch.txt", "w", encoding="utf-8", newline="\n") as file:
    file.writelines(f"{word}\n" for word in vocabulary)
with open("torch.toml", "w", encoding="utf-8") as file:
    file.write('vocabulary = "torch.txt"\nunknown = "<unk>"\npadding = "masked"\nactivation = "tanh"\n')
