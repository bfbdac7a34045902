//! Recurrent layers of another library: which cell one is, and which models have no layers that can be imported.

use super::Weights;
use crate::network::{Array, Cell, Unfit};
use crate::recipe::{Activation, CellKind, MOST_LAYERS};

/// What a person says of the activation of SimpleRNN layers (nn.RNN), which their weights do not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// The activation, if it is given.
    pub(super) activation: Option<Activation>,
    /// How it is given.
    pub(super) option: &'static str,
}

impl Told {
    /// The cell of a layer, by its recurrent kernel, `units × gates·units`.
    pub(super) fn cell(&self, recurrent_kernel: &Array) -> Result<Cell, Unfit> {
        let gates = match recurrent_kernel.shape[..] {
            [units, columns] if units > 0 && columns % units == 0 => columns / units,
            _ => 0,
        };
        match (gates, self.activation) {
            (1, Some(activation)) => {
                Ok(Cell::SimpleRnn { activation: activation.into(), limit: f32::INFINITY })
            }
            (1, None) => Err(Unfit(format!(
                "{} is of a SimpleRNN (nn.RNN) layer, whose activation the weights do not say: give {}",
                recurrent_kernel.name, self.option
            ))),
            (3, _) => Ok(Cell::Gru),
            (4, _) => Ok(Cell::Lstm),
            _ => Err(Unfit(format!(
                "{} is of shape {}, which is no recurrent kernel: that of a SimpleRNN has as many columns as rows, that \
                 of a GRU three times and that of an LSTM four times as many",
                recurrent_kernel.name,
                recurrent_kernel.shape_shown()
            ))),
        }
    }

    /// Refuses layers that compute with another activation than the device's.
    pub(super) fn check(&self, weights: &Weights) -> Result<(), Unfit> {
        let simple = weights.layers.iter().any(|layer| layer.cell.kind() == CellKind::SimpleRnn);
        match self.activation {
            Some(Activation::Relu) if !simple => Err(Unfit(
                "has no SimpleRNN (nn.RNN) layer, but the activation that is given is relu: other cells can be imported \
                 with tanh only, the default of their libraries; train it with that, and leave the activation out here"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

/// Refuses so many recurrent layers, if a device cannot run them.
pub(super) fn check_count(layers: usize) -> Result<(), Unfit> {
    match layers {
        0 => Err(Unfit(
            "has no recurrent layer: it needs one to four, SimpleRNN, GRU, LSTM or FastGRNN".to_owned(),
        )),
        1..=MOST_LAYERS => Ok(()),
        _ => Err(Unfit(format!(
            "has {layers} recurrent layers, but a device runs at most {MOST_LAYERS}: train a network of fewer, and wider, layers"
        ))),
    }
}

/// An array of zeros: a bias that a layer has not.
pub(super) fn zeros(name: &str, shape: Vec<usize>) -> Array {
    Array { name: name.to_owned(), values: vec![0.0; shape.iter().product()], shape }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(activation: Option<Activation>, shape: &[usize]) -> Result<Cell, String> {
        let array = zeros("arr_2", shape.to_vec());
        Told { activation, option: "--activation" }.cell(&array).map_err(|Unfit(reason)| reason)
    }

    #[test]
    fn a_recurrent_kernel_says_its_cell() {
        assert_eq!(cell(None, &[5, 15]), Ok(Cell::Gru));
        assert_eq!(cell(Some(Activation::Relu), &[5, 20]), Ok(Cell::Lstm));
        let found = cell(Some(Activation::Tanh), &[5, 5]).unwrap();
        let tanh = kilornn::layers::Activation::Tanh;
        assert_eq!(found, Cell::SimpleRnn { activation: tanh, limit: f32::INFINITY });
        assert!(cell(None, &[5, 5]).unwrap_err().ends_with("give --activation"));
        for shape in [&[5, 10][..], &[5], &[2, 5, 15], &[15, 5]] {
            assert!(cell(None, shape).unwrap_err().contains("which is no recurrent kernel"), "{shape:?}");
        }
    }

    #[test]
    fn one_to_four_layers_can_run() {
        assert!((1..=4).all(|layers| check_count(layers).is_ok()));
        assert!(check_count(0).unwrap_err().to_string().contains("no recurrent layer"));
        assert!(check_count(5).unwrap_err().to_string().contains("has 5 recurrent layers"));
    }
}
