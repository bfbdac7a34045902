//! The flash and RAM that a firmware takes, from the sections of its ELF file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kilornn::file;
use kilornn_app::store;
use kilornn_host::boards::{Board, Memory};
use object::{Object as _, ObjectSection as _, SectionFlags, elf};

use super::build;
use crate::{boards, setup};

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
    executable: bool,
    /// Has contents in the file, hence in flash.
    loaded: bool,
}

impl Size {
    /// Reads an ELF file.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        Ok(Self::sum(sections(path)?.into_iter()))
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

fn sections(path: &Path) -> Result<Vec<Section>> {
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = object::File::parse(data.as_slice())
        .with_context(|| format!("{} is not an ELF file", path.display()))?;
    // The RISC-V runtime makes a section of what is left for the stack.
    let used = file.sections().filter(|section| section.name() != Ok(".stack"));
    let sections = used.map(|section| {
        let flags = match section.flags() {
            SectionFlags::Elf { sh_flags } => sh_flags,
            _ => 0,
        };
        let is = |flag: u32| flags & u64::from(flag) != 0;
        Section {
            size: section.size(),
            allocated: is(elf::SHF_ALLOC),
            writable: is(elf::SHF_WRITE),
            executable: is(elf::SHF_EXECINSTR),
            loaded: section.kind() != object::SectionKind::UninitializedData,
        }
    });
    Ok(sections.collect())
}

/// What takes memory on a device, in the order of the table.
#[derive(PartialEq, Eq, Debug)]
struct Part {
    name: &'static str,
    flash: u64,
    ram: u64,
}

/// `cargo xtask size`: builds the firmware and shows what takes how much, against what the board has.
pub(crate) fn size(board: &Board, model: Option<&Path>) -> Result<()> {
    setup::target(&board.target)?;
    let elf = build(board, model)?;
    let model = model.map_or_else(|| boards::default_model(board), Path::to_path_buf);
    let model_bytes = fs::metadata(&model)?.len();
    let parts = parts(&elf, model_bytes)?;
    let Memory { flash, slots, ram } = &board.memory;
    let sum = |of: fn(&Part) -> u64| parts.iter().map(of).sum::<u64>();
    let (used_flash, used_ram) = (sum(|part| part.flash), sum(|part| part.ram));
    let program = used_flash - model_bytes;
    println!("\n  {:<44} {:>9} {:>9}", board.name, "flash", "RAM");
    for Part { name, flash, ram } in &parts {
        println!("  {name:<44} {flash:>9} {ram:>9}");
    }
    println!("  {:<44} {used_flash:>9} {used_ram:>9}", "together");
    println!("  {:<44} {:>9} {:>9}", "the board has", flash.length, ram.length);
    println!(
        "  {:<44} {:>9} {:>9}",
        "left (of RAM: for the stack)",
        flash.length.saturating_sub(used_flash),
        ram.length.saturating_sub(used_ram)
    );
    if let Some(slots) = slots {
        println!(
            "  {:<44} {:>9}",
            "beside it, two slots for models of",
            slots.length / 2 - u64::from(store::MODEL)
        );
    }
    println!("  {:<44} {program:>9}", "the program without its model");
    let limit = limit(board, &model)?;
    if let Some(most) = limit {
        println!("  {:<44} {most:>9}", "the most that it may take");
    }
    ensure_within(limit, program)?;
    println!("\nsize: PASS - {used_flash} of {} bytes of flash are in use", flash.length);
    Ok(())
}

/// Fails if a program with this model in it takes more than the board's row allows.
pub(crate) fn check_program(board: &Board, elf: &Path, model: &Path) -> Result<()> {
    let program = Size::of(elf)?.flash.saturating_sub(fs::metadata(model)?.len());
    ensure_within(limit(board, model)?, program)
}

/// The most bytes of a program with this model, where there is a limit: not for layers with gates.
fn limit(board: &Board, model: &Path) -> Result<Option<u64>> {
    let model = fs::read(model).with_context(|| format!("cannot read {}", model.display()))?;
    let has_gates = file::features(&file::decode(&model)?).any(|feature| feature != "unicode");
    Ok(board.program.filter(|_| !has_gates))
}

fn ensure_within(limit: Option<u64>, program: u64) -> Result<()> {
    let most = limit.unwrap_or(u64::MAX);
    ensure!(
        program <= most,
        "the program without its model takes {program} bytes of flash, but may take {most} (`program` in boards.toml): \
         {} too many",
        program - most
    );
    Ok(())
}

/// The parts of a program with a model of so many bytes in it.
fn parts(elf: &Path, model: u64) -> Result<Vec<Part>> {
    let mut parts = [
        ("code", 0, 0),
        ("constants", 0, 0),
        ("model", model, 0),
        ("variables with an initial value", 0, 0),
        ("variables that begin as zero", 0, 0),
    ]
    .map(|(name, flash, ram)| Part { name, flash, ram });
    let [code, constants, _, initial, zero] = &mut parts;
    for section in sections(elf)?.into_iter().filter(|section| section.allocated) {
        let size = section.size;
        match section {
            Section { executable: true, writable: false, .. } => code.flash += size,
            Section { writable: true, loaded: true, .. } => {
                (initial.flash, initial.ram) = (initial.flash + size, initial.ram + size)
            }
            Section { writable: true, .. } | Section { loaded: false, .. } => zero.ram += size,
            Section { .. } => constants.flash += size,
        }
    }
    constants.flash = constants.flash.saturating_sub(model);
    Ok(parts.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(size: u64, flags: &str) -> Section {
        Section {
            size,
            allocated: flags.contains('a'),
            writable: flags.contains('w'),
            executable: flags.contains('x'),
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
    fn a_program_above_its_limit_is_refused_with_both_numbers() {
        assert!(ensure_within(None, u64::MAX).is_ok() && ensure_within(Some(100), 100).is_ok());
        let said = ensure_within(Some(100), 103).unwrap_err().to_string();
        assert!(said.contains("103 bytes") && said.contains("may take 100 ") && said.ends_with("3 too many"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_real_file_has_both() {
        let size = Size::of(&std::env::current_exe().unwrap()).unwrap();
        assert!(size.flash > size.ram && size.ram > 0, "{size:?}");
        assert!(Size::of(Path::new("Cargo.toml")).unwrap_err().to_string().contains("not an ELF"));
    }
}
