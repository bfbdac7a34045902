"""Records models of EdgeML's FastGRNN, and what they answer, into import/torch-fastgrnn*: for `kilornn import torch`.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python edgeml_import.py

As `torch_import.py` does for PyTorch's own modules; texts and answers are in `import/edgeml.json`. The package
`edgeml_pytorch` computes W·x, EdgeML's repository x·W: the second model is written as the repository's would be.
"""

import json

import numpy as np
import torch
from edgeml_pytorch.graph.rnn import FastGRNN
from torch import nn

from torch_import import FOLDER, PACKED, packed_texts, padded_texts, padded_toml, write


class Classifier(nn.Module):
    def __init__(self, rows, width, units, outputs, layers, **recurrent):
        super().__init__()
        self.embedding = nn.Embedding(rows, width)
        widths = [width] + [units] * layers
        self.rnns = nn.ModuleList(
            FastGRNN(read, units, batch_first=True, **recurrent) for read in widths[:-1]
        )
        self.linear = nn.Linear(units, outputs)
        for name, parameter in self.named_parameters():
            if not name.endswith(("zeta", "nu")):
                nn.init.normal_(parameter, std=0.6)
        for number, rnn in enumerate(self.rnns):
            nn.init.constant_(rnn.cell.zeta, 0.5 + number)
            nn.init.constant_(rnn.cell.nu, -2.5 - number)

    def forward(self, ids):
        states = self.embedding(ids)
        for rnn in self.rnns:
            states = rnn(states)
        return self.linear(states[:, -1])


def arrays(model, transposed):
    """Both names of a parameter, as in the `state_dict`; safetensors has no tensors that share memory."""
    def form(name, value):
        is_matrix = name.rsplit(".", 1)[1] in {"W", "W1", "W2", "U", "U1", "U2"}
        return (value.t() if transposed and is_matrix else value).clone().contiguous()

    return {name: form(name, value) for name, value in model.state_dict().items()}


@torch.no_grad()
def main():
    torch.manual_seed(5)
    # Texts of any length, each by itself.
    lines, asked, texts, lengths = packed_texts(np.random.default_rng(41))
    model = Classifier(len(lines), 8, 10, 1, layers=1)
    answers = torch.cat([model(text[None, :length]) for text, length in zip(texts, lengths)])
    cases = [write("fastgrnn", lines, PACKED, arrays(model, False), asked, logits=answers)]
    lines, asked, texts = padded_texts(np.random.default_rng(42), 14)
    model = Classifier(len(lines) + 1, 6, 9, 3, layers=2, wRank=4, uRank=5)
    state = arrays(model, True)
    cases.append(write("fastgrnn-fastgrnn", lines, padded_toml(14), state, asked, logits=model(texts)))
    (FOLDER / "edgeml.json").write_text(json.dumps(cases, indent=0) + "\n")


main()
