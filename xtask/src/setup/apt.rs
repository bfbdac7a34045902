//! One package of a given version from the Debian mirror that this system's apt already uses.
//!
//! apt runs with sources, lists and cache of its own in a temporary folder: the system's package lists and
//! installed packages stay as they are, and signatures are checked with the keys that the system trusts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;

/// Trusted for Debian's mirrors when the system's sources name no key of their own.
const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One mirror from apt's configuration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Source {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
    /// A path, a fingerprint or a whole key; written to the private sources as it was read.
    signed_by: Option<String>,
}

/// Downloads `package` in the upstream version `version` into `dir` and returns the file.
pub(super) fn download(package: &str, version: &str, dir: &Path) -> Result<PathBuf> {
    for tool in ["apt-get", "apt-cache", "apt-config", "dpkg-deb"] {
        if process::find(tool).is_none() {
            bail!("{tool} is not on PATH, and only Debian's package {package} can be fetched without rustup");
        }
    }
    let codename = codename(&fs::read_to_string("/etc/os-release").unwrap_or_default());
    let sources = read_sources()?;
    let mirror = mirror(&sources, &codename).with_context(|| {
        format!("apt's configuration names no Debian mirror (a source with `{codename}` and `main`)")
    })?;
    println!("   looking for the Debian package {package} {version} on {}", mirror.uri);

    let apt = PrivateApt::new(dir)?;
    let mut tried = Vec::new();
    for suite in suites(&codename) {
        match apt.find(&mirror, &suite, package, version) {
            Ok(Some(full)) => {
                println!("   found {package} {full} in {suite}");
                return apt.download(package, &full);
            }
            Ok(None) => tried.push(format!("{suite} (another version)")),
            Err(error) => {
                println!("   {suite}: {error:#}");
                tried.push(format!("{suite} (not readable)"));
            }
        }
    }
    bail!("{} has no {package} {version}; tried {}", mirror.uri, tried.join(", "))
}

/// apt with its state in one temporary folder.
struct PrivateApt {
    dir: PathBuf,
}

impl PrivateApt {
    fn new(dir: &Path) -> Result<Self> {
        let apt = Self { dir: dir.join("apt") };
        for sub in ["lists/partial", "cache/archives/partial", "parts"] {
            fs::create_dir_all(apt.dir.join(sub))?;
        }
        fs::write(apt.dir.join("private.conf"), apt.configuration())?;
        // As root, apt fetches as a user of its own, who must be able to enter.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
        }
        Ok(apt)
    }

    fn configuration(&self) -> String {
        let mut text: String = [
            ("Dir::Etc::sourcelist", "private.sources"),
            ("Dir::Etc::sourceparts", "parts"),
            ("Dir::State::Lists", "lists"),
            ("Dir::Cache", "cache"),
        ]
        .iter()
        .map(|(option, place)| format!("{option} \"{}\";\n", self.dir.join(place).display()))
        .collect();
        // Neither translations nor histories of the package list are of use here.
        text += "Acquire::Languages \"none\";\nAcquire::PDiffs \"false\";\n";
        text
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.dir).args(["-c", "private.conf"]);
        command
    }

    /// The full version (`1.90.0+dfsg1-1`) of `package` in `suite` whose upstream version is `version`.
    fn find(&self, mirror: &Source, suite: &str, package: &str, version: &str) -> Result<Option<String>> {
        fs::write(self.dir.join("private.sources"), private_sources(mirror, suite))?;
        process::run(self.command("apt-get").args(["-q", "update"]))?;
        let listing = process::output(self.command("apt-cache").args(["madison", package]))?;
        Ok(matching_version(&listing, version).map(str::to_owned))
    }

    fn download(&self, package: &str, full_version: &str) -> Result<PathBuf> {
        let mut command = self.command("apt-get");
        // The folder belongs to root; apt would say so in a warning and then do the same.
        command.args(["-o", "APT::Sandbox::User=root", "-q", "download"]);
        process::run(command.arg(format!("{package}={full_version}")))?;
        for entry in fs::read_dir(&self.dir)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "deb") {
                return Ok(file);
            }
        }
        bail!("apt-get left no package file")
    }
}

fn private_sources(mirror: &Source, suite: &str) -> String {
    let mut text = format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n", mirror.uri);
    let keys =
        mirror.signed_by.clone().or_else(|| Path::new(DEBIAN_KEYS).exists().then(|| DEBIAN_KEYS.to_owned()));
    if let Some(keys) = keys {
        text += &format!("Signed-By: {keys}\n");
    }
    text
}

/// Where to look, the small lists first: backports carry new compilers, and their package lists are short.
fn suites(codename: &str) -> Vec<String> {
    let mut suites: Vec<String> = Vec::new();
    for suite in [
        &format!("{codename}-backports"),
        "trixie-backports",
        "forky-backports",
        codename,
        "trixie",
        "forky",
        "sid",
    ] {
        if !suites.iter().any(|known| known == suite) {
            suites.push(suite.to_owned());
        }
    }
    suites
}

fn codename(os_release: &str) -> String {
    os_release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map_or_else(|| "stable".to_owned(), |name| name.trim_matches('"').to_owned())
}

/// The source that holds the system's own release.
fn mirror(sources: &[Source], codename: &str) -> Option<Source> {
    let rolling = ["stable", "oldstable", "testing", "unstable", "sid"];
    sources
        .iter()
        .find(|source| {
            source.components.iter().any(|component| component == "main")
                && source.suites.iter().any(|suite| suite == codename || rolling.contains(&suite.as_str()))
        })
        .cloned()
}

/// From lines of `apt-cache madison`: `rust-src | 1.90.0+dfsg1-1~bpo13+1 | http://... suite/main Packages`.
fn matching_version<'a>(listing: &'a str, version: &str) -> Option<&'a str> {
    listing.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim).find(|full| {
        full.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-', '~']))
    })
}

/// Reads the files that apt itself would read.
fn read_sources() -> Result<Vec<Source>> {
    let shell = process::output(Command::new("apt-config").args([
        "shell",
        "LIST",
        "Dir::Etc::sourcelist/f",
        "PARTS",
        "Dir::Etc::sourceparts/d",
    ]))?;
    let mut files = Vec::new();
    for line in shell.lines() {
        match line.split_once('=') {
            Some(("LIST", path)) => files.push(PathBuf::from(path.trim_matches('\''))),
            Some(("PARTS", path)) => {
                let mut parts: Vec<PathBuf> = fs::read_dir(path.trim_matches('\''))
                    .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
                    .unwrap_or_default();
                parts.sort();
                files.extend(parts);
            }
            _ => {}
        }
    }
    let mut sources = Vec::new();
    for file in files {
        // Names with another ending are switched off; apt passes over them as well.
        let parse = match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => parse_list,
            Some("sources") => parse_deb822,
            _ => continue,
        };
        if let Ok(text) = fs::read_to_string(&file) {
            sources.extend(parse(&text));
        }
    }
    Ok(sources)
}

/// The one-line form: `deb [signed-by=/k.gpg] http://mirror/debian bookworm main contrib`.
fn parse_list(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t', '['])) else {
            continue;
        };
        let rest = rest.trim_start();
        let (options, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((options, rest)) => (options, rest),
            None => ("", rest),
        };
        let signed_by = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .map(str::to_owned);
        let mut words = rest.split_whitespace().map(str::to_owned);
        let (Some(uri), Some(suite)) = (words.next(), words.next()) else {
            continue;
        };
        sources.push(Source { uri, suites: vec![suite], components: words.collect(), signed_by });
    }
    sources
}

/// The stanza form of `.sources` files.
fn parse_deb822(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    // A comment may stand anywhere, even inside a stanza, and does not end it. The last empty line ends the last one.
    for line in text.lines().filter(|line| !line.starts_with('#')).chain([""]) {
        if line.trim().is_empty() {
            sources.extend(stanza_sources(&fields));
            fields.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sources
}

/// One source for each address of a stanza that is switched on and holds binary packages.
fn stanza_sources(fields: &[(String, String)]) -> Vec<Source> {
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let words = |name: &str| -> Vec<String> {
        field(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let off = field("enabled").is_some_and(|value| value.eq_ignore_ascii_case("no"));
    if off || !words("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    words("uris")
        .into_iter()
        .map(|uri| Source {
            uri,
            suites: words("suites"),
            components: words("components"),
            signed_by: field("signed-by").map(str::to_owned),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANZAS: &str = "Types: deb\n# a comment\nURIs: http://mirror.test/debian-security\nSuites: bookworm-security\n\
        Components: main\n\nTypes: deb deb-src\nUris: http://mirror.test/debian http://second.test/debian\n\
        Suites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /keys/debian.gpg\n\n\
        Types: deb\nEnabled: no\nURIs: http://off.test/debian\nSuites: bookworm\nComponents: main\n\n\
        Types: deb-src\nURIs: http://src.test/debian\nSuites: bookworm\nComponents: main\n";

    #[test]
    fn stanzas_give_one_source_an_address() {
        let sources = parse_deb822(STANZAS);
        let uris: Vec<&str> = sources.iter().map(|source| source.uri.as_str()).collect();
        assert_eq!(
            uris,
            ["http://mirror.test/debian-security", "http://mirror.test/debian", "http://second.test/debian"]
        );
        assert_eq!(sources[1].suites, ["bookworm", "bookworm-updates"]);
        assert_eq!(sources[1].components, ["main", "contrib"]);
        assert_eq!(sources[1].signed_by.as_deref(), Some("/keys/debian.gpg"));
    }

    #[test]
    fn a_key_inside_a_stanza_is_written_back_as_it_was() {
        let text = "Types: deb\nURIs: http://m.test/d\nSuites: s\nComponents: main\nSigned-By:\n -----BEGIN\n .\n AbC=\n";
        let source = &parse_deb822(text)[0];
        let written = private_sources(source, "trixie-backports");
        assert_eq!(parse_deb822(&written)[0].signed_by, source.signed_by);
        assert!(written.contains("Suites: trixie-backports\n"));
        assert!(written.contains("\n -----BEGIN\n .\n AbC=\n"));
    }

    #[test]
    fn one_line_sources_are_read_with_their_options() {
        let sources = parse_list(
            "# deb http://off.test/debian bookworm main\ndeb-src http://src.test/debian bookworm main\n\
             deb [arch=amd64 signed-by=/keys/d.gpg] http://mirror.test/debian bookworm main contrib # ours\n\
             deb http://plain.test/debian bookworm-updates main\ndebris\n",
        );
        assert_eq!(sources.len(), 2);
        assert_eq!(sources[0].uri, "http://mirror.test/debian");
        assert_eq!(sources[0].signed_by.as_deref(), Some("/keys/d.gpg"));
        assert_eq!(sources[0].components, ["main", "contrib"]);
        assert_eq!(sources[1].suites, ["bookworm-updates"]);
    }

    #[test]
    fn the_mirror_is_the_one_with_the_release_itself() {
        let sources = parse_deb822(STANZAS);
        assert_eq!(
            mirror(&sources, "bookworm").map(|source| source.uri).as_deref(),
            Some("http://mirror.test/debian")
        );
        assert_eq!(mirror(&sources[..1], "bookworm"), None);
        let rolling = parse_list("deb http://mirror.test/debian stable main\n");
        assert!(mirror(&rolling, "bookworm").is_some());
    }

    #[test]
    fn versions_match_as_a_whole() {
        let listing = "  rust-src | 1.90.0+dfsg1-1 | http://m.test/debian sid/main amd64 Packages\n  \
            rust-src | 1.9.0+dfsg1-1~bpo13+1 | http://m.test/debian b/main amd64 Packages\n";
        assert_eq!(matching_version(listing, "1.9.0"), Some("1.9.0+dfsg1-1~bpo13+1"));
        assert_eq!(matching_version(listing, "1.90.0"), Some("1.90.0+dfsg1-1"));
        assert_eq!(matching_version(listing, "1.9"), None);
        assert_eq!(matching_version("", "1.9.0"), None);
    }

    #[test]
    fn the_release_is_read_and_no_suite_is_tried_twice() {
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=trixie\n"), "trixie");
        assert_eq!(codename("ID=debian\n"), "stable");
        assert_eq!(suites("bookworm")[..2], ["bookworm-backports", "trixie-backports"]);
        assert_eq!(suites("trixie").iter().filter(|suite| *suite == "trixie-backports").count(), 1);
    }
}
