//! `cargo xtask bench accuracy --peers svm`: what a linear SVM over tf-idf comes to (`xtask/peers/svm.py`), on the data
//! sets by which the trainer's default is judged.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use kilornn_host::numbers::grouped;
use serde::{Deserialize, Serialize};

use crate::peers;
use crate::process::{output, root, target_dir};

/// A data set, and how the SVM reads it.
struct Set {
    /// Its folder.
    data: &'static str,
    /// A class that is left out, in training too.
    without: Option<&'static str>,
    /// Texts have no spaces between words.
    characters: bool,
}

const SETS: [Set; 9] = [
    words("snips"),
    words("banking77"),
    words("clinc150"),
    Set { without: Some("oos"), ..words("clinc150") },
    words("sms_spam"),
    words("mr"),
    words("sst2"),
    words("ag_news_subset"),
    Set { characters: true, ..words("chnsenticorp_htl") },
];

const fn words(data: &'static str) -> Set {
    Set { data, without: None, characters: false }
}

/// What the script prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    examples: usize,
    accuracy: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    data: &'static str,
    without: Option<&'static str>,
    examples: usize,
    accuracy: f64,
}

/// Trains an SVM on each of the data sets in `sets`, and prints its accuracy on the test part.
pub(crate) fn run(sets: &Path, json: bool) -> Result<()> {
    let python = peers::python(&target_dir(&root())?.join("bench-accuracy/svm"), "svm_requirements.txt")?;
    let script = peers::file("svm.py");
    let mut rows = Vec::new();
    for Set { data, without, characters } in SETS {
        let folder = sets.join(data);
        let seen = root().join(&folder);
        ensure!(seen.is_dir(), "there is no {}: --data names the folder of the data sets", folder.display());
        let mut svm = Command::new(&python);
        svm.current_dir(root()).arg(&script).arg(&folder);
        svm.args(characters.then_some("--characters"));
        svm.args(without.into_iter().flat_map(|class| ["--without", class]));
        let printed = output(&mut svm)?;
        let Answer { examples, accuracy } =
            serde_json::from_str(&printed).with_context(|| format!("svm.py printed {printed:?}"))?;
        let row = Row { data, without, examples, accuracy };
        if !json {
            println!("{}", line(&row));
        }
        rows.push(row);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!("bench: PASS - a linear SVM on the test parts of {} data sets", rows.len());
    }
    Ok(())
}

fn line(Row { data, without, examples, accuracy }: &Row) -> String {
    let name = without.map_or_else(|| (*data).to_owned(), |class| format!("{data} without {class}"));
    format!("  {name:<22}  {:>6} test texts  accuracy {accuracy:.4}", grouped(*examples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_what_is_left_out() {
        let row = Row { data: "clinc150", without: Some("oos"), examples: 4_500, accuracy: 0.9113 };
        assert_eq!(line(&row), "  clinc150 without oos     4,500 test texts  accuracy 0.9113");
        let row = Row { data: "mr", without: None, examples: 1_061, accuracy: 0.80490 };
        assert_eq!(line(&row), "  mr                       1,061 test texts  accuracy 0.8049");
    }
}
