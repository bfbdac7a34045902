//! How much memory a network needs.

use crate::layers::Layer;
use crate::{Contents, Kernel};

impl Contents<'_> {
    /// The bytes of memory for states, and for what a step needs beside them, with a target's kernel.
    /// [`Model::workspace`](crate::Model::workspace) is this for the target of the build, remembered words and alignment
    /// added.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().memory(kilornn::Kernel::Wide), 32 + 8 * 32); // on a Cortex-M0
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn memory(&self, kernel: Kernel) -> usize {
        4 * words(self, kernel)
    }

    /// The least `UNITS` of a [`Classifier`](crate::Classifier) that runs the network on every target.
    ///
    /// For a single SimpleRNN it is the number of inputs of a step: hidden units and, if the embedding is projected, the
    /// numbers of its row. For other networks it is the memory that they need, in units of what a classifier has for each of
    /// its `UNITS`; a [`Session`](crate::Session) needs no more memory than the network does.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().inputs(), 32);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inputs(&self) -> u32 {
        match self.layers.simple_rnn() {
            Some(rnn) => rnn.units.saturating_add(self.width()),
            #[cfg(kilornn_gates)]
            None => classifier_units(self),
            #[cfg(not(kilornn_gates))]
            None => u32::MAX,
        }
    }
}

/// The words of memory for the shares of all layers.
pub(crate) fn state_words(contents: &Contents<'_>, kernel: Kernel) -> usize {
    let mut width = contents.width();
    let words = contents.layers.iter().map(|layer| {
        let share = layer.share(width, kernel);
        width = layer.units();
        share.words
    });
    words.sum()
}

/// The words of memory for the shares of all layers, and for the list of inputs that steps of its SimpleRNNs share.
pub(crate) fn words(contents: &Contents<'_>, kernel: Kernel) -> usize {
    let (mut width, mut list) = (contents.width(), 0);
    for layer in contents.layers.iter() {
        match layer {
            Layer::SimpleRnn(rnn) => {
                list = kernel.list_bytes(rnn.units.saturating_add(width) as usize).max(list);
            }
            #[cfg(kilornn_gates)]
            _ => {}
        }
        width = layer.units();
    }
    state_words(contents, kernel) + list.div_ceil(4)
}

/// The least `UNITS` of a state that holds a network's on every target: for each of them it has eight bytes where the kernel
/// is [`Kernel::Wide`], and elsewhere six.
#[cfg(kilornn_gates)]
fn classifier_units(contents: &Contents<'_>) -> u32 {
    let units = |kernel, bytes| (4 * words(contents, kernel)).div_ceil(bytes) as u32;
    units(Kernel::Wide, 8).max(units(Kernel::Dsp, 6))
}
