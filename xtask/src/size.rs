//! The flash and RAM that a firmware takes, from the sections of its ELF file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use object::{Object as _, ObjectSection as _, SectionFlags, elf};

use crate::firmware;

/// Bytes of a firmware.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Size {
    /// Code, constants and the initial values of variables.
    pub(crate) flash: u64,
    /// Variables, with and without an initial value. The stack is what remains of the RAM.
    pub(crate) ram: u64,
}

/// What a section's header says, as far as it matters here.
struct Section {
    size: u64,
    /// Takes memory on the device (debug information does not).
    allocated: bool,
    writable: bool,
    /// Has contents in the file, hence in flash.
    loaded: bool,
}

impl Size {
    /// Reads an ELF file.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = object::File::parse(data.as_slice())
            .with_context(|| format!("{} is not an ELF file", path.display()))?;
        Ok(Self::sum(file.sections().map(|section| {
            let flags = match section.flags() {
                SectionFlags::Elf { sh_flags } => sh_flags,
                _ => 0,
            };
            Section {
                size: section.size(),
                allocated: flags & u64::from(elf::SHF_ALLOC) != 0,
                writable: flags & u64::from(elf::SHF_WRITE) != 0,
                loaded: section.kind() != object::SectionKind::UninitializedData,
            }
        })))
    }

    fn sum(sections: impl Iterator<Item = Section>) -> Self {
        let mut sum = Self::default();
        for section in sections.filter(|section| section.allocated) {
            if section.loaded {
                sum.flash += section.size;
            }
            if section.writable || !section.loaded {
                sum.ram += section.size;
            }
        }
        sum
    }
}

/// `cargo xtask size`.
pub(crate) fn run(elf: Option<PathBuf>) -> Result<()> {
    let elf = match elf {
        Some(elf) => elf,
        None => firmware::elf()?,
    };
    let size = Size::of(&elf)?;
    println!("{}", elf.display());
    println!("size: flash {} bytes, RAM {} bytes and the stack", size.flash, size.ram);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(size: u64, flags: &str) -> Section {
        Section {
            size,
            allocated: flags.contains('a'),
            writable: flags.contains('w'),
            loaded: flags.contains('l'),
        }
    }

    #[test]
    fn initial_values_count_twice_and_debug_information_never() {
        let sections = [
            section(1000, "al"),  // code and constants
            section(10, "awl"),   // .data: its image in flash, itself in RAM
            section(200, "aw"),   // .bss
            section(99_999, "l"), // debug information
        ];
        assert_eq!(Size::sum(sections.into_iter()), Size { flash: 1010, ram: 210 });
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_real_file_has_both() {
        let size = Size::of(&std::env::current_exe().unwrap()).unwrap();
        assert!(size.flash > size.ram && size.ram > 0, "{size:?}");
        assert!(Size::of(Path::new("Cargo.toml")).unwrap_err().to_string().contains("not an ELF"));
    }
}
