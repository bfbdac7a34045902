//! An LSTM's weights in the file.

use kilornn::layers::{Begin, Lstm, LstmSum};

use super::{Incoming, Steps, Sum, filled};
use crate::network::{Layer, LayerGrid};

/// Kernel and rows of biases of an LSTM.
pub(super) fn weights(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>) -> Vec<u8> {
    let units = layer.units();
    let sum = |unit: usize, sum: LstmSum| {
        let column = |part: usize| part * units + unit;
        match sum {
            LstmSum::Input => Sum { column: column(0), sign: 1.0, even: None },
            LstmSum::Forget => Sum { column: column(1), sign: -1.0, even: None },
            LstmSum::Candidate => Sum { column: column(2), sign: 1.0, even: Some((column(0), 1.0)) },
            LstmSum::Output => Sum { column: column(3), sign: 1.0, even: Some((column(1), -1.0)) },
        }
    };
    let steps = Steps::new(layer, grid, incoming);
    let weight = |unit: usize, which: LstmSum, input: usize| match unit < units {
        true => sum(unit, which).in_256ths(|column| steps.at(input, column)),
        false => 0,
    };
    let begin = |unit: usize, which: LstmSum| match unit < units {
        true => {
            let sum = sum(unit, which);
            let folded = matches!(incoming, Incoming::Folded(_));
            let bias = if folded { 0.0 } else { layer.bias.values[sum.column] };
            sum.begin(bias, grid)
        }
        false => Begin { bias: 0, shift: 0 },
    };
    let filled = filled(units);
    let mut weights: Vec<u8> = Lstm::encode_kernel(filled, steps.inputs(units), begin, weight).collect();
    if let Incoming::Folded(rows) = incoming {
        let factors = grid.bias_factors();
        for row in rows {
            let bias = |unit: usize, which: LstmSum| match unit < units {
                true => sum(unit, which).in_256ths(|column| row[column] * factors[column]),
                false => 0,
            };
            weights.extend(Lstm::encode_biases(filled, bias));
        }
    }
    weights
}
