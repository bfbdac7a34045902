//! Every row of the firmware's own table of boards. The published crate has neither the table nor this test.

use std::path::Path;

use kilornn_host::boards::{self, Emulation, Memory};

#[test]
fn every_row_of_the_firmware_s_table_makes_sense() {
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let boards = boards::read(&firmware).unwrap();
    assert!(boards.len() >= 9);
    for (index, board) in boards.iter().enumerate() {
        let name = &board.name;
        assert!(boards[..index].iter().all(|other| other.name != *name), "{name} stands there twice");
        assert!(!board.about.is_empty() && !board.target.is_empty(), "{name}");
        let cores = ["m4", "m3", "m0", "m0plus", "rv32"];
        assert!(cores.contains(&board.core.as_str()), "{name}: {}", board.core);
        assert!((1_000_000..1_000_000_000).contains(&board.clock), "{name}: {} Hz", board.clock);

        let model = firmware.join("../models").join(format!("{}.kilo", board.model));
        assert!(model.is_file(), "{name} has no model {}", board.model);
        let source = firmware.join("src/boards").join(name.replace('-', "_") + ".rs");
        assert!(source.is_file(), "{name} has no {}", source.display());

        assert_eq!(board.profile(), if board.program.is_some() { "small" } else { "release" }, "{name}");
        assert!(board.program.is_none_or(|most| most < board.memory.flash.length), "{name}");

        let Memory { flash, slots, ram } = board.memory;
        assert!(flash.length > 0 && ram.length > 0, "{name}");
        let apart = |a: boards::Region, b: boards::Region| {
            a.origin + a.length <= b.origin || b.origin + b.length <= a.origin
        };
        assert!(apart(flash, ram), "{name}");
        if let Some(slots) = slots {
            assert!(slots.length.is_multiple_of(2048), "{name}");
            assert!(apart(slots, flash) && apart(slots, ram), "{name}");
        }
        match &board.qemu {
            Some(Emulation { program, machine, tick_ns, .. }) => {
                assert!(program.starts_with("qemu-system-") && !machine.is_empty() && *tick_ns > 0, "{name}");
            }
            None => {
                let can_be_flashed = board.chip.is_some() || board.openocd.is_some();
                assert!(can_be_flashed, "{name} can neither run nor be flashed");
            }
        }
    }
}

#[cfg(feature = "client")]
#[test]
fn every_core_that_is_measured_has_its_board() {
    use kilornn_host::cores::{self, CORES, Core};

    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let boards = boards::read(&firmware).unwrap();
    for board in &boards {
        assert!(Core::find(&board.core).is_some(), "{}: no core is called {}", board.name, board.core);
    }
    for core in cores::measured() {
        let board = boards::find(&boards, core.board).unwrap();
        assert_eq!((board.core.as_str(), board.target.as_str()), (core.name, core.target), "{}", core.board);
        assert!(board.qemu.is_some(), "{} is measured in QEMU", core.board);
    }
    for core in &CORES {
        let measured = cores::measured().find(|other| other.board == core.board).unwrap();
        let instructions = |core: &Core| (core.target, core.costs, core.code, core.stack);
        assert_eq!(instructions(core), instructions(measured), "{}", core.name);
        let has = |board: &boards::Board| board.core == core.name && board.clock == core.clock;
        assert!(boards.iter().any(has), "no board runs {} at {} Hz", core.name, core.clock);
    }
}

#[cfg(feature = "qemu")]
#[test]
fn where_flash_is_scarce_the_firmware_has_what_its_model_needs_and_elsewhere_everything() {
    use kilornn_host::firmware::{Build, Program};

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let boards = boards::read(&folder).unwrap();
    let words = |board: &str, model: Option<&str>, program| -> String {
        let board = boards::find(&boards, board).unwrap();
        let model = model.map(|model| folder.join("..").join(model));
        let build = Build { folder: &folder, board: &board, model: model.as_deref(), program };
        assert!(build.elf().components().any(|part| part.as_os_str() == board.profile()));
        let command = build.command().unwrap();
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    };
    for (model, features) in [
        (None, "unicode,microbit"),
        (Some("runtime-nostd/docs/starter.kilo"), "microbit"),
        (Some("runtime-nostd/tests/golden/v4-gru.kilo"), "gru,microbit"),
        // No model: the build script says so.
        (Some("README.md"), "cells,unicode,microbit"),
    ] {
        let said = words("microbit", model, Program::Firmware);
        assert!(
            said.contains("--profile small") && said.contains(&format!("--features {features} ")),
            "{said}"
        );
        let said = words("microbit", model, Program::Bench);
        assert!(said.contains(&format!("--features bench,{features} ")), "{said}");
        let said = words("pico", model, Program::Firmware);
        assert!(said.contains("--profile release") && said.contains("cells,unicode,pico "), "{said}");
    }
}
