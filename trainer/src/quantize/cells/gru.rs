//! A GRU's weights in the file.

use kilornn::layers::{Begin, Gru, GruSum};

use super::{Incoming, Steps, Sum, filled};
use crate::network::{Layer, LayerGrid};

/// Kernel and rows of biases of a GRU. The second row of its bias is in what sums begin with, also where the first is in the rows
/// of a folded embedding.
pub(super) fn weights(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>) -> Vec<u8> {
    let (units, columns) = (layer.units(), layer.kernel.shape[1]);
    let sum = |unit: usize, sum: GruSum| {
        let column = |part: usize, unit: usize| part * units + unit;
        match sum {
            GruSum::Update => Sum { column: column(0, unit), sign: -1.0, even: None },
            GruSum::Reset => Sum { column: column(1, unit), sign: 1.0, even: Some((column(0, unit), -1.0)) },
            GruSum::Input | GruSum::State => {
                let even = (unit % 2 == 1).then(|| (column(2, unit - 1), 1.0));
                Sum { column: column(2, unit), sign: 1.0, even }
            }
        }
    };
    let steps = Steps::new(layer, grid, incoming);
    let weight = |unit: usize, which: GruSum, input: usize| match unit < units {
        true => sum(unit, which).in_256ths(|column| steps.at(input, column)),
        false => 0,
    };
    let begin = |unit: usize, which: GruSum| match unit < units {
        true => {
            let sum = sum(unit, which);
            let folded = matches!(incoming, Incoming::Folded(_));
            let of_inputs = if folded { 0.0 } else { layer.bias.values[sum.column] };
            let of_states = layer.bias.values[columns + sum.column];
            let bias = match which {
                GruSum::Update | GruSum::Reset => of_inputs + of_states,
                GruSum::Input => of_inputs,
                GruSum::State => of_states,
            };
            sum.begin(bias, grid)
        }
        false => Begin { bias: 0, shift: 0 },
    };
    let filled = filled(units);
    let mut weights: Vec<u8> = Gru::encode_kernel(filled, steps.inputs(units), begin, weight).collect();
    if let Incoming::Folded(rows) = incoming {
        let factors = grid.bias_factors();
        for row in rows {
            let bias = |unit: usize, which: GruSum| match unit < units {
                true => sum(unit, which).in_256ths(|column| row[column] * factors[column]),
                false => 0,
            };
            weights.extend(Gru::encode_biases(filled, bias));
        }
    }
    weights
}
