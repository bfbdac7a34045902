//! Where training is computed: `cpu`, `cuda` or `cuda:N`, as users of candle name it.

use std::str::FromStr;

use candle_core::Device;

use crate::error::InputError;

/// A processor by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Processor {
    /// All its cores.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number.
    Cuda(usize),
}

impl FromStr for Processor {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.split_once(':').unwrap_or((name, "0")) {
            ("cpu", "0") => Ok(Self::Cpu),
            ("cuda", number) => number
                .parse()
                .map(Self::Cuda)
                .map_err(|_| format!("`{number}` is no number of a GPU (cuda:0 is the first)")),
            _ => Err("there are cpu, cuda and cuda:N".to_owned()),
        }
    }
}

impl Processor {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// If it is not there, or this program was built without it.
    pub(crate) fn open(self) -> Result<Device, InputError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(_) if !cfg!(feature = "cuda") => Err(InputError::new(
                "this kilornn was built without CUDA: build it with `--features cuda`, which needs NVIDIA's CUDA \
                 toolkit, or leave --device out",
            )),
            Self::Cuda(number) => Device::new_cuda(number)
                .map_err(|error| InputError::new(format!("--device cuda:{number}: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_named_as_in_candle() {
        assert_eq!("cpu".parse(), Ok(Processor::Cpu));
        assert_eq!("cuda".parse(), Ok(Processor::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(Processor::Cuda(3)));
        for wrong in ["gpu", "cuda:", "cuda:x", "cpu:1", ""] {
            assert!(wrong.parse::<Processor>().is_err(), "{wrong}");
        }
        assert!(Processor::Cpu.open().unwrap().is_cpu());
    }
}
