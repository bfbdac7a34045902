//! nn.RNN, nn.GRU and nn.LSTM.

use super::{Names, Tensors};
use crate::import::layers::{Told, check_count, zeros};
use crate::network::{Array, Cell, LayerArrays, Unfit};

/// The layers, from the lowest up. What is missing is said of these modules, where no other is there.
pub(super) fn layers(
    tensors: &mut Tensors,
    names: &Names,
    told: &Told,
) -> Result<Option<Vec<LayerArrays>>, Unfit> {
    tensors.refuse_other_forms()?;
    const OWN: [&str; 4] = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];
    // Of what module, if there is only one.
    let mut modules = tensors.0.keys().filter_map(|name| name.strip_suffix(OWN[0]));
    let module = modules.next().filter(|_| modules.next().is_none()).unwrap_or("rnn.").to_owned();
    let given = [&names.weight_ih, &names.weight_hh, &names.bias_ih, &names.bias_hh];
    let lowest: Vec<String> = given
        .into_iter()
        .zip(OWN)
        .map(|(given, own)| given.clone().unwrap_or_else(|| format!("{module}{own}")))
        .collect();
    let index = |name: &String| {
        let of_layers = lowest.iter().filter_map(|lowest| lowest.strip_suffix('0'));
        of_layers.filter_map(|stem| name.strip_prefix(stem)?.parse::<usize>().ok()).max()
    };
    let count = tensors.0.keys().filter_map(index).max().unwrap_or(0).saturating_add(1);
    check_count(count)?;
    let of_layer = |lowest: &String, layer: usize| match lowest.strip_suffix('0') {
        Some(stem) => format!("{stem}{layer}"),
        None => lowest.clone(),
    };
    // nn.RNN, nn.GRU and nn.LSTM have biases in all layers or, with bias=False, in none.
    let is_bias =
        |name: &String| lowest[2..].iter().any(|of| (0..count).any(|layer| of_layer(of, layer) == *name));
    let has_bias = tensors.0.keys().any(is_bias);
    let layers = (0..count)
        .map(|layer| {
            let [ih, hh, bias_ih, bias_hh] = std::array::from_fn(|part| of_layer(&lowest[part], layer));
            tensors.layer([&ih, &hh], has_bias.then_some([&bias_ih, &bias_hh]), told)
        })
        .collect::<Result<_, _>>()?;
    Ok(Some(layers))
}

impl Tensors {
    /// Refuses recurrent modules of a form that the device has not.
    fn refuse_other_forms(&self) -> Result<(), Unfit> {
        let find = |what: fn(&str) -> bool| self.names().into_iter().find(|name| what(name));
        if let Some(name) = find(|name| name.ends_with("_reverse")) {
            return Err(Unfit(format!(
                "holds {name}, of a bidirectional layer: a device reads a text once, from its beginning; train with \
                 bidirectional=False"
            )));
        }
        if let Some(name) = find(|name| name.contains("weight_hr_l")) {
            return Err(Unfit(format!(
                "holds {name}, the projection of an nn.LSTM with proj_size: the device has none; train with proj_size=0, \
                 PyTorch's default, and with fewer units"
            )));
        }
        Ok(())
    }

    fn layer(
        &mut self,
        [ih, hh]: [&str; 2],
        biases: Option<[&str; 2]>,
        told: &Told,
    ) -> Result<LayerArrays, Unfit> {
        let (mut kernel, mut recurrent_kernel) = (self.transposed(ih)?, self.transposed(hh)?);
        let cell = told.cell(&recurrent_kernel)?;
        let columns = recurrent_kernel.shape[1];
        let shape = cell.bias_shape(columns);
        let mut bias = match biases {
            None => zeros("a bias of zeros", shape),
            Some(names) => {
                let [of_inputs, of_states] = [self.take(names[0])?, self.take(names[1])?];
                for bias in [&of_inputs, &of_states] {
                    if bias.shape != [columns] {
                        return Err(Unfit(format!(
                            "{} is of shape {}, but {hh} needs ({columns})",
                            bias.name,
                            bias.shape_shown()
                        )));
                    }
                }
                let (of_inputs, of_states) = (of_inputs.values, of_states.values);
                let values = match cell.bias_rows() {
                    1 => of_inputs.iter().zip(of_states).map(|(a, b)| a + b).collect(),
                    // A GRU's: only the second one is multiplied by the reset gate.
                    _ => [of_inputs, of_states].concat(),
                };
                Array { name: names.join(" and "), shape, values }
            }
        };
        if cell == Cell::Gru {
            [&mut kernel, &mut recurrent_kernel, &mut bias].into_iter().for_each(update_first);
        }
        Ok(LayerArrays { cell, kernel, recurrent_kernel, bias, further: Vec::new() })
    }
}

/// From PyTorch's order of a GRU's gates, r, z, n, to Keras's, z, r, n: in each row of an array.
fn update_first(array: &mut Array) {
    let columns = array.shape.last().copied().unwrap_or_default();
    for row in array.values.chunks_exact_mut(columns.max(1)) {
        let gates = columns / 3;
        row[..2 * gates].rotate_left(gates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_of_a_gru_are_put_in_order() {
        let values = b"rrzznnRRZZNN".iter().map(|&gate| f32::from(gate)).collect();
        let mut array = Array { name: "kernel".into(), shape: vec![2, 6], values };
        update_first(&mut array);
        let gates: Vec<u8> = array.values.iter().map(|&gate| gate as u8).collect();
        assert_eq!(gates, *b"zzrrnnZZRRNN");
    }
}
