//! The documents stay true: transcripts are run and compared, help texts are recorded, links and paths exist, and
//! README.md stays short.
//!
//! A transcript is a fenced block of kind `console` in one of [`PAGES`]. A line that begins with `$ ` is typed into a
//! shell, with the lines after it that begin with `> `; what follows is what is printed, standard error included. `[..]`
//! stands for anything in a line and `...` for any number of lines. A command must succeed, unless it ends with
//! `; echo $?`. All transcripts run one after the other in one folder, in the order of the pages, so that a later one
//! may use what an earlier one made. `SNAPSHOTS=overwrite cargo test --release -p kilornn-cli --test guide` writes what
//! was printed into the documents, without the wildcards.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use snapbox::Assert;
use snapbox::assert::Action;

mod desk;

use desk::Desk;

/// The documents with transcripts, in the order in which they are run.
const PAGES: [&str; 7] = [
    "README.md",
    "docs/start.md",
    "docs/train.md",
    "docs/numbers.md",
    "docs/recipes.md",
    "docs/budget.md",
    "docs/file-format.md",
];

/// The most bytes of README.md.
const README: u64 = 8_000;

/// Where links in pages of crates, which are read outside the repository, lead to.
const REPOSITORY: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// Folders of the repository: a path in a document that begins with one of them must exist.
const ROOMS: [&str; 6] = ["docs/", "firmware-example/", "models/", "runtime-nostd/", "trainer/", "xtask/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All documents of the repository, relative to its root.
fn documents() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
            let name = name.to_string_lossy();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "runs", "shared", "data"].contains(&&*name) {
                    walk(&path, found);
                }
            } else if name.ends_with(".md") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    found
}

fn read(page: impl AsRef<Path>) -> String {
    let page = page.as_ref();
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

fn parse(text: &str) -> pulldown_cmark::OffsetIter<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter()
}

/// Where the transcripts of a page stand in it.
fn transcripts(page: &str) -> Vec<Range<usize>> {
    let (mut found, mut inside) = (Vec::new(), false);
    for (event, range) in parse(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
                inside = &*kind == "console";
                if inside {
                    found.push(range.end..range.end);
                }
            }
            Event::Text(_) if inside => {
                let block = found.last_mut().unwrap();
                *block = block.start.min(range.start)..range.end;
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            _ => {}
        }
    }
    found
}

/// Runs the commands of a transcript; the transcript as it is now.
fn run(desk: &Desk, transcript: &str) -> String {
    let mut now = String::new();
    let mut lines = transcript.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("$ ") else { continue };
        let mut command = first.to_owned();
        now += &format!("{line}\n");
        while let Some(next) = lines.next_if(|line| line.starts_with("> ")) {
            command += &format!("\n{}", &next[2..]);
            now += &format!("{next}\n");
        }
        let output = desk.shell(&format!("exec 2>&1\n{command}\n"));
        now += std::str::from_utf8(&output.stdout).unwrap();
        if !output.status.success() {
            now += &format!("[exit code {}]\n", output.status.code().unwrap_or(-1));
        }
    }
    now
}

fn overwrites() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite")
}

#[cfg(unix)]
#[test]
fn transcripts_are_true() {
    let desk = Desk::empty();
    for folder in ["models", "trainer"] {
        std::os::unix::fs::symlink(root().join(folder), desk.path(folder)).unwrap();
    }
    let compare = Assert::new().action(Action::Verify).normalize_paths(false);
    let mut differences = String::new();
    for page in PAGES {
        let mut text = read(page);
        let mut edits = Vec::new();
        for range in transcripts(&text) {
            let expected = &text[range.clone()];
            let now = run(&desk, expected);
            if let Err(difference) = compare.try_eq(Some(&page), now.clone().into(), expected.into()) {
                edits.push((range, now));
                differences += &format!("{page}:\n{difference}\n");
            }
        }
        if overwrites() {
            for (range, now) in edits.into_iter().rev() {
                text.replace_range(range, &now);
            }
            fs::write(root().join(page), text).unwrap();
        }
    }
    assert!(differences.is_empty() || overwrites(), "{differences}");
}

#[test]
fn only_pages_that_are_run_have_transcripts() {
    for page in documents() {
        let has = !transcripts(&read(&page)).is_empty();
        assert!(!has || PAGES.iter().any(|run| page == Path::new(run)), "{}: not in PAGES", page.display());
    }
}

/// The help of a command and of those below it, each under its command line.
fn help(desk: &Desk, command: &[&str], all: &mut String) {
    let mut program = desk.command(&[command, &["--help"]].concat());
    let output = program.env_remove("COLUMNS").stdin(std::process::Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    *all += &format!("$ kilornn {}\n{}\n", [command, &["--help"]].concat().join(" "), text.trim_end());
    let names = text
        .lines()
        .skip_while(|line| !["Commands:", "Actions:"].contains(line))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !["", "help"].contains(name));
    for name in names {
        *all += "\n";
        help(desk, &[command, &[name]].concat(), all);
    }
}

#[test]
fn help_is_as_recorded() {
    let mut now = String::new();
    help(&Desk::empty(), &[], &mut now);
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help.txt");
    Assert::new()
        .action_env("SNAPSHOTS")
        .normalize_paths(false)
        .eq(now, snapbox::Data::read_from(&recorded, None));
}

#[test]
fn the_readme_is_short() {
    let bytes = fs::metadata(root().join("README.md")).unwrap().len();
    assert!(bytes <= README, "README.md has {bytes} bytes, more than {README}");
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let (mut found, mut heading) = (BTreeSet::new(), None::<String>);
    for (event, _) in parse(page) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                heading.iter_mut().for_each(|heading| heading.push_str(&text));
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let named = html.split_once("id=\"").and_then(|(_, rest)| rest.split_once('"'));
                found.extend(named.map(|(name, _)| name.to_owned()));
            }
            Event::End(TagEnd::Heading(_)) => {
                let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
                let anchor: String = heading.take().unwrap().to_lowercase().chars().filter(kept).collect();
                found.insert(anchor.replace(' ', "-"));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for page in documents() {
        let text = read(&page);
        let links = parse(&text).filter_map(|(event, _)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url),
            _ => None,
        });
        for link in links {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path.strip_prefix(REPOSITORY) {
                Some(path) => root().join(path),
                // To another site, or to an item of a crate's documentation.
                None if path.contains(":") => continue,
                None if path.is_empty() => root().join(&page),
                None => root().join(page.parent().unwrap()).join(path),
            };
            let anchored = || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
            if !target.exists() || !anchor.is_empty() && !anchored() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn paths_exist() {
    let mut missing = Vec::new();
    for page in documents() {
        let text = read(&page);
        for code in parse(&text).filter_map(|(event, _)| match event {
            Event::Code(code) => Some(code),
            _ => None,
        }) {
            let is_path = ROOMS.iter().any(|room| code.starts_with(room));
            // `NAME` stands for a name.
            let is_one = |c: char| c.is_alphanumeric() || "/._-".contains(c);
            let is_one_path = is_path && !code.contains("NAME") && code.chars().all(is_one);
            if is_one_path && !root().join(&*code).exists() {
                missing.push(format!("{}: {code}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "these paths do not exist:\n{}", missing.join("\n"));
}

#[test]
fn the_table_of_contents_has_every_page() {
    let contents = read("docs/SUMMARY.md");
    for page in documents().iter().filter_map(|page| page.strip_prefix("docs").ok()) {
        let page = page.to_str().unwrap();
        assert!(
            page == "SUMMARY.md" || contents.contains(&format!("]({page})")),
            "docs/SUMMARY.md lacks {page}"
        );
    }
}
