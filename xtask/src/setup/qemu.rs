//! QEMU, through the system's package manager.

use std::env;
use std::io::{IsTerminal as _, stdin};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;

/// An emulator: its program, and the package that holds it in each system.
struct Row {
    program: &'static str,
    apt: &'static str,
    dnf: &'static str,
    pacman: &'static str,
    brew: &'static str,
}

const TABLE: [Row; 2] = [
    Row {
        program: "qemu-system-arm",
        apt: "qemu-system-arm",
        dnf: "qemu-system-arm-core",
        pacman: "qemu-system-arm",
        brew: "qemu",
    },
    Row {
        program: "qemu-system-riscv32",
        apt: "qemu-system-misc",
        dnf: "qemu-system-riscv-core",
        pacman: "qemu-system-riscv",
        brew: "qemu",
    },
];

fn find(program: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.program == program)
}

/// Whether the table has this program.
#[cfg(test)]
pub(super) fn is_known(program: &str) -> bool {
    find(program).is_some()
}

/// Makes sure that the emulator is on PATH.
pub(super) fn ensure(program: &str) -> Result<()> {
    let row = find(program).with_context(|| format!("boards.toml: no package is known for {program}"))?;
    println!("== emulator {}", row.program);
    if process::find(row.program).is_some() {
        println!("   already installed: {}", version(row)?);
        return Ok(());
    }
    let Some(become_root) = rights() else {
        bail!("{} is missing and installing it needs root's rights. {}", row.program, advice(row));
    };
    if process::find("apt-get").is_none() {
        bail!("{} is missing. {}", row.program, advice(row));
    }
    // Lists may be stale or partly unreachable; whether the package can be had is the next command's answer.
    if let Err(error) = process::run(&mut apt_get(&become_root, &["update"])) {
        println!("   going on with the package lists that there are: {error:#}");
    }
    install(&become_root, row)
        .with_context(|| format!("{} could not be installed. {}", row.program, advice(row)))?;
    println!("   ready: {}", version(row)?);
    Ok(())
}

fn install(become_root: &[&str], row: &Row) -> Result<()> {
    let install = |options: &[&str]| {
        apt_get(become_root, &[options, &["install", "-y", "--no-install-recommends", row.apt]].concat())
    };
    let plan = process::output(&mut install(&["--simulate"]))?;
    let foreign: Vec<&str> = removals(&plan).filter(|package| !package.starts_with("qemu")).collect();
    if !foreign.is_empty() {
        bail!("apt would remove {} for it, which is for a person to decide", foreign.join(", "));
    }
    process::run(&mut install(&[]))
}

/// The packages that `apt-get --simulate` would remove. Other versions of QEMU's own are in each other's way
/// and may go; anything else stays.
fn removals(plan: &str) -> impl Iterator<Item = &str> {
    plan.lines().filter_map(|line| line.strip_prefix("Remv ")?.split_whitespace().next())
}

fn version(row: &Row) -> Result<String> {
    let text = process::output(Command::new(row.program).arg("--version"))
        .with_context(|| format!("{} is on PATH but does not run", row.program))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// What must stand before a command so that it runs as root: nothing, or sudo; none if neither works.
fn rights() -> Option<Vec<&'static str>> {
    let user = process::output(Command::new("id").arg("-u")).ok()?;
    if user.trim() == "0" {
        return Some(Vec::new());
    }
    process::find("sudo")?;
    // Without a terminal nobody can type a password: fail instead of waiting.
    Some(if stdin().is_terminal() { vec!["sudo"] } else { vec!["sudo", "-n"] })
}

fn apt_get(become_root: &[&str], args: &[&str]) -> Command {
    // Through `env`, because sudo does not hand on variables; no question may stop the installation, and
    // another program that holds dpkg's lock is waited for.
    let words = [
        become_root,
        &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"],
        args,
    ]
    .concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// The sentence for a person whose system is not installed to by this program.
fn advice(row: &Row) -> String {
    let command = if env::consts::OS == "macos" {
        format!("brew install {}", row.brew)
    } else if process::find("apt-get").is_some() {
        format!("apt-get install --no-install-recommends {}", row.apt)
    } else if process::find("dnf").is_some() {
        format!("dnf install {}", row.dnf)
    } else if process::find("pacman").is_some() {
        format!("pacman -S {}", row.pacman)
    } else {
        return format!("Install QEMU so that `{}` is on PATH, and run this again.", row.program);
    };
    format!("Install it with `{command}` (as root where that is needed) and run this again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_a_command_or_the_program() {
        let row = &TABLE[0];
        assert!(advice(row).contains("qemu"));
    }

    #[test]
    fn removals_are_read_from_the_plan() {
        let plan = "Reading package lists...\nRemv qemu-utils [1:10.0]\nInst qemu-system-arm (1:7.2 Debian)\nRemv nano [7]\n";
        assert_eq!(removals(plan).collect::<Vec<_>>(), ["qemu-utils", "nano"]);
    }

    #[test]
    fn sudo_does_not_swallow_the_environment() {
        let command = apt_get(&["sudo", "-n"], &["update"]);
        assert_eq!(
            process::describe(&command),
            "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 update"
        );
    }
}
