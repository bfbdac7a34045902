//! Circular dependencies between the modules of a crate: none are allowed among modules that have the same parent.
//!
//! The check reads paths that begin with `crate`, `super` or `self`, as a person would: comments, strings and test
//! modules do not count. A parent and its own children may use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::{Context as _, Result, bail};

/// A module's path, from the crate's root on: `["data", "formats"]`. The root's is empty.
type Module = Vec<String>;

/// One module's use of another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    file: PathBuf,
    line: usize,
    path: String,
}

/// Modules of one parent that use each other in a circle, with a place for each step of it.
#[derive(Debug, PartialEq, Eq)]
struct Circle(Vec<(Module, Use)>);

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (module, Use { file, line, path }) in &self.0 {
            writeln!(f, "  {} uses {path} ({}:{line})", module.join("::"), file.display())?;
        }
        Ok(())
    }
}

/// Fails if modules of the crate whose root file lies in the folder `src` of `root` depend on each other in a circle.
pub(super) fn check(root: &Path, src: &str) -> Result<()> {
    let mut files = BTreeMap::new();
    collect(&root.join(src), &Vec::new(), &mut files)?;
    for (path, _) in files.values_mut() {
        *path = path.strip_prefix(root).unwrap_or(path).to_owned();
    }
    let mut text = String::new();
    for circle in circles(&files) {
        text += &format!("\n  modules that depend on each other in a circle:\n{circle}");
    }
    if !text.is_empty() {
        bail!("{src}:{}", text.trim_end());
    }
    Ok(())
}

/// The source of every module below a folder. Files of tests are left out.
fn collect(folder: &Path, parent: &Module, files: &mut BTreeMap<Module, (PathBuf, String)>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_stem().map(|name| name.to_string_lossy().into_owned()) else { continue };
        if name == "tests" || name == "bin" {
            continue;
        }
        let mut module = parent.clone();
        if path.is_dir() {
            module.push(name);
            collect(&path, &module, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            if !matches!(name.as_str(), "mod" | "lib" | "main") {
                module.push(name);
            }
            let source =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.entry(module).or_insert((path, source));
        }
    }
    Ok(())
}

/// For every module that is part of a circle: the shortest one through it, unless a circle before shows it already.
fn circles(files: &BTreeMap<Module, (PathBuf, String)>) -> Vec<Circle> {
    let mut uses: BTreeMap<Module, BTreeMap<Module, Use>> = BTreeMap::new();
    for (module, (file, source)) in files {
        for (line, path) in paths(source) {
            let Some(target) = resolve(module, &path, files) else { continue };
            let common = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if common < module.len() && common < target.len() {
                let place = Use { file: file.clone(), line, path: path.join("::") };
                uses.entry(module[..=common].to_vec())
                    .or_default()
                    .entry(target[..=common].to_vec())
                    .or_insert(place);
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for start in uses.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(circle) = shortest(start, &uses) {
            seen.extend(circle.0.iter().map(|(module, _)| module.clone()));
            found.push(circle);
        }
    }
    found
}

/// The shortest way from a module back to itself.
fn shortest(start: &Module, uses: &BTreeMap<Module, BTreeMap<Module, Use>>) -> Option<Circle> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut row = vec![start];
    while !row.is_empty() {
        let mut next = Vec::new();
        for from in row {
            for to in uses.get(from).into_iter().flat_map(BTreeMap::keys) {
                if to == start {
                    let mut way = vec![from];
                    while let Some(before) = way.last().and_then(|module| came_from.get(*module)) {
                        way.push(before);
                    }
                    way.reverse();
                    let after = way.iter().skip(1).copied().chain([start]);
                    let steps = way.iter().zip(after);
                    return Some(Circle(
                        steps.map(|(from, to)| ((*from).clone(), uses[*from][to].clone())).collect(),
                    ));
                }
                if to != start && !came_from.contains_key(to) {
                    came_from.insert(to, from);
                    next.push(to);
                }
            }
        }
        row = next;
    }
    None
}

/// The module that a path leads to: its longest beginning that is one.
fn resolve(from: &Module, path: &[String], files: &BTreeMap<Module, (PathBuf, String)>) -> Option<Module> {
    let mut module = match path.first()?.as_str() {
        "crate" => Vec::new(),
        _ => from.clone(),
    };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => {
                module.pop()?;
            }
            _ => {
                module.push(name.clone());
                if !files.contains_key(&module) {
                    module.pop();
                    // An item that the module has from one of its children is the child's.
                    if let Some(child) = files.get(&module).and_then(|(_, source)| origin(source, name)) {
                        module.push(child);
                        if !files.contains_key(&module) {
                            module.pop();
                        }
                    }
                    break;
                }
            }
        }
    }
    Some(module)
}

/// The child from which a module's source takes a name: `pub use child::{Name, ..}`.
fn origin(source: &str, name: &str) -> Option<String> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    for at in 1..tokens.len() {
        if tokens[at - 1].1 == "use" {
            spread(&tokens, at, &[], &mut found);
        }
    }
    let path = found
        .into_iter()
        .map(|(_, path)| path)
        .find(|path| path.len() > 1 && path.last().is_some_and(|last| last == name))?;
    path.into_iter().find(|part| part != "self")
}

/// Every path of a source that begins with `crate`, `super` or `self`, with its line; groups in braces are spread out.
fn paths(source: &str) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_start = matches!(tokens[at].1, "crate" | "super" | "self")
            && (at == 0 || tokens[at - 1].1 != "::")
            && tokens.get(at + 1).is_some_and(|token| token.1 == "::");
        at = if is_start { spread(&tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads one path, or one part of a group, and returns where it ends.
fn spread(
    tokens: &[(usize, &str)],
    mut at: usize,
    before: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut path = before.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.0);
    loop {
        match tokens.get(at).map(|token| token.1) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.1 != "}") {
                    // A comma, or something that no path begins with.
                    at = spread(tokens, at, &path, found).max(at + 1);
                }
                return at + 1;
            }
            Some(name) if name.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
                path.push(name.to_owned());
                at += 1;
            }
            _ => break,
        }
        if tokens.get(at).map(|token| token.1) != Some("::") {
            break;
        }
        at += 1;
    }
    if path.len() > before.len() {
        found.push((line, path));
    }
    at
}

/// Names, `::`, and single other characters, each with its line. Ends where a test module begins.
fn tokens(source: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let line_number = index + 1;
        if line.trim_start().starts_with("#[cfg(test)]") {
            let rest = source.lines().skip(line_number).find(|line| !line.trim_start().starts_with("#["));
            if rest.is_some_and(|line| line.starts_with("mod ")) {
                break;
            }
        }
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = if rest.starts_with("//") {
                break;
            } else if rest.starts_with("::") {
                2
            } else if first == '"' {
                string(rest)
            } else if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let token = &rest[..length];
            if !token.starts_with(char::is_whitespace) && !token.starts_with('"') {
                tokens.push((line_number, token));
            }
            rest = &rest[length..];
        }
    }
    tokens
}

/// How long the string is that a line begins with; one that goes on in the next line ends with this one.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(files: &[(&str, &str)]) -> BTreeMap<Module, (PathBuf, String)> {
        let module =
            |path: &str| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        files
            .iter()
            .map(|(path, source)| (module(path), (PathBuf::from(format!("{path}.rs")), (*source).to_owned())))
            .collect()
    }

    fn modules(circle: &Circle) -> Vec<String> {
        circle.0.iter().map(|(module, _)| module.join("::")).collect()
    }

    #[test]
    fn siblings_that_use_each_other_are_found_with_their_places() {
        let files = crate_of(&[
            ("", "mod a; mod b; mod c;"),
            ("a", "use std::fs;\nuse crate::{b::{Thing, Other}, c};"),
            ("b", ""),
            ("b::inner", "fn f() { crate::a::g(); }"),
            ("c", "use super::b;"),
        ]);
        let found = circles(&files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(modules(&found[0]), ["a", "b"]);
        assert_eq!(modules(&found[1]), ["c", "b", "a"]);
        assert_eq!(
            found[0].to_string(),
            "  a uses crate::b::Thing (a.rs:2)\n  b uses crate::a::g (b::inner.rs:1)\n"
        );
    }

    #[test]
    fn a_longer_circle_inside_a_room_is_found() {
        let files = crate_of(&[
            ("", ""),
            ("room", "pub use x::X;"),
            ("room::x", "use super::y::Y;"),
            ("room::y", "use super::z::Z;"),
            ("room::z", "use crate::room::x::X;"),
        ]);
        assert_eq!(modules(&circles(&files)[0]), ["room::x", "room::y", "room::z"]);
    }

    #[test]
    fn parents_comments_strings_and_tests_do_not_count() {
        let files = crate_of(&[
            ("", "use a::A;"),
            (
                "a",
                "// crate::b\nconst S: &str = \"crate::b\";\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}",
            ),
            ("b", "use crate::a::A;\nuse crate::a::inner::I;"),
            ("a::inner", "use super::A; use crate::Root;"),
        ]);
        assert_eq!(circles(&files), []);
    }
}
