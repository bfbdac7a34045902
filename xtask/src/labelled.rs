//! Predictions with the names of their classes, and where those of board and host differ.

use kilornn_host::OwnedPrediction;
use kilornn_host::compare::{self, Difference};

/// A prediction, and the name of its class.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Labelled {
    pub(crate) label: String,
    pub(crate) prediction: OwnedPrediction,
}

/// Where the board says something else than the host, its score included; empty if it says the same.
pub(crate) fn differences(host: &Labelled, board: &Labelled) -> Vec<String> {
    let mut found = compare::differences(&host.prediction, &board.prediction);
    let mut compare = |what, host: String, device: String| {
        if host != device {
            found.push(Difference { what, host, device });
        }
    };
    compare("label", host.label.clone(), board.label.clone());
    compare("score", host.prediction.score.to_string(), board.prediction.score.to_string());
    let told = found
        .into_iter()
        .map(|Difference { what, host, device }| format!("{what}: device {device}, host {host}"));
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_named() {
        let labelled = |label: &str, score, logits, words| Labelled {
            label: label.into(),
            prediction: OwnedPrediction { class: 1, score, words, known_words: 5, logits },
        };
        let host = labelled("very good", 0.9312, vec![345], 7);
        assert!(differences(&host, &labelled("very good", 0.9312, vec![-345, 345], 7)).is_empty());
        let many = labelled("very good", 0.9312, vec![-120, 345], 7);
        assert!(differences(&many, &many).is_empty());
        assert_eq!(differences(&host, &many).len(), 1, "the first logit is not the other's negative");
        assert_eq!(differences(&host, &labelled("bad", 0.9311, vec![-346, 346], 8)).len(), 4);
    }
}
