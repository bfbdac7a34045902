//! The memory that a step of a SimpleRNN needs beside the state. The kernels in assembly and the one in plain Rust need it
//! in different forms.

/// Room for the inputs of one step; nothing is kept in it from one step to the next.
///
/// A list of active inputs takes eight bytes for each ([`ActiveInput`]). With DSP instructions it takes twelve bytes for
/// two of them ([`ActivePair`]), where the last pair may be half empty; in
/// [`Order::Pairs`](crate::layers::Order::Pairs) all inputs are there, with two bytes each. In plain Rust it takes four
/// bytes for each.
///
/// A [`State`](super::State) keeps layers with gates in it; these need six bytes for each unit or more, so that there is
/// so much also in plain Rust.
#[derive(Debug, Clone)]
#[repr(C, align(4))]
pub(crate) struct Scratch<const UNITS: usize> {
    room: [Room; UNITS],
    #[cfg(kilornn_assembly = "dsp")]
    last_half: Room,
}

#[cfg(all(kilornn_assembly, not(kilornn_assembly = "dsp")))]
type Room = [u32; 2];
#[cfg(any(kilornn_assembly = "dsp", all(not(kilornn_assembly), kilornn_gates)))]
type Room = [u16; 3];
#[cfg(all(not(kilornn_assembly), not(kilornn_gates)))]
type Room = [u16; 2];

/// The list of a step's inputs, whose form is the kernel's own.
#[cfg(kilornn_assembly)]
pub(crate) type List<'s> = *mut u32;
/// The list of a step's active inputs: where the input's column begins, in `i16`s from the start of the kernel, and what
/// multiplies it, as the bits of an `i16`.
#[cfg(not(kilornn_assembly))]
pub(crate) type List<'s> = &'s mut [[u16; 2]];

impl<const UNITS: usize> Scratch<UNITS> {
    pub(crate) const fn new() -> Self {
        Self {
            room: [[0; _]; UNITS],
            #[cfg(kilornn_assembly = "dsp")]
            last_half: [0; _],
        }
    }

    /// The list of a step with up to `UNITS` inputs.
    #[inline]
    pub(crate) fn list(&mut self) -> List<'_> {
        #[cfg(kilornn_assembly)]
        return (&raw mut *self).cast();
        #[cfg(not(kilornn_assembly))]
        self.room.as_flattened_mut().as_chunks_mut().0
    }

    /// As many whole words as there are.
    #[cfg(kilornn_gates)]
    pub(crate) fn words(&mut self) -> &mut [u32] {
        bytemuck::pod_align_to_mut(self.room.as_flattened_mut()).1
    }

    /// The same, to read.
    #[cfg(kilornn_gates)]
    pub(crate) fn as_words(&self) -> &[u32] {
        bytemuck::pod_align_to(self.room.as_flattened()).1
    }
}

/// The list in words that lie elsewhere; how many there are, the caller has checked.
#[inline]
pub(crate) fn list_in(words: &mut [u32]) -> List<'_> {
    #[cfg(kilornn_assembly)]
    return words.as_mut_ptr();
    #[cfg(not(kilornn_assembly))]
    bytemuck::try_cast_slice_mut::<u32, u16>(words).unwrap_or_default().as_chunks_mut().0
}

/// An active input: one that is not zero.
#[cfg(all(kilornn_assembly, not(kilornn_assembly = "dsp")))]
#[repr(C)]
pub(crate) struct ActiveInput {
    /// Where its column begins, in bytes from the start of the kernel.
    pub(crate) column: u32,
    /// What multiplies the column.
    pub(crate) multiplier: i32,
}

/// Two active inputs.
#[cfg(kilornn_assembly = "dsp")]
#[repr(C)]
pub(crate) struct ActivePair {
    /// Where their columns begin, in bytes from the row of biases.
    pub(crate) columns: [u32; 2],
    /// What multiplies the columns.
    pub(crate) multipliers: [i16; 2],
}
