//! What runs a model: the core, and the engine around the model.

use super::{CORES, Cells, Core, Engine};
use crate::error::InputError;
use crate::numbers::grouped;

/// A core and an engine, as arguments of the command line. They make sense only together with a limit, so they require the
/// group of arguments `limits`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Platform {
    /// The device's core: m4 (also M7), m3 (also M33), m0 (also M23), m0plus (M0+) or rv32 (RV32IMAC)
    #[arg(long, value_name = "CORE", default_value = "m4", value_parser = core, requires = "limits")]
    pub core: &'static Core,
    /// The engine whose code is in the flash beside the model
    #[arg(long, value_enum, default_value = "full", requires = "limits")]
    pub engine: Engine,
}

fn core(name: &str) -> Result<&'static Core, String> {
    Core::find(name).ok_or_else(|| {
        let names = CORES.each_ref().map(|core| core.name);
        format!("no core is called `{name}`; there are {}", names.join(", "))
    })
}

impl Platform {
    /// Bytes that the engine, if it is to run these cells, leaves of so many bytes of flash.
    ///
    /// # Errors
    ///
    /// If it leaves none.
    pub fn left_of(&self, flash: usize, cells: Cells) -> Result<usize, InputError> {
        let code = self.engine.code(self.core, cells);
        flash.checked_sub(code).filter(|&left| left > 0).ok_or_else(|| {
            InputError::new(format!(
                "--flash {}: the {} engine alone takes {} bytes on {}{}",
                grouped(flash),
                self.engine,
                grouped(code),
                self.core.name,
                self.smaller(0, cells),
            ))
        })
    }

    /// A list of the smaller engines with their bytes, each with so many bytes `besides`, for a message.
    pub fn smaller(&self, besides: usize, cells: Cells) -> String {
        let smaller = Engine::ALL.iter().skip_while(|&&engine| engine != self.engine).skip(1);
        let each = smaller.map(|engine| {
            let bytes = engine.code(self.core, cells) + besides;
            format!("; with --engine {engine} {}", grouped(bytes))
        });
        each.collect()
    }
}
