//! Sentences for the demo and the tests of the firmware.

/// Praise and blame, negations, contrasts that end on either side, a long text, and
/// words that no model knows.
pub(crate) const SENTENCES: [&str; 8] = [
    "What a wonderful film, I loved every minute of it.",
    "The soup was cold, the waiter was rude and we left hungry.",
    "I didn't like the book.",
    "This app is anything but reliable.",
    "The food was terrible, but the service won me over.",
    "I loved the music, but the film let me down.",
    "Not only was the room small and the street loud, the breakfast was cold too, and when I asked for help nobody \
     at the desk could be bothered to listen.",
    "Xylem quorble zzyzx.",
];
