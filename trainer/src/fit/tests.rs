//! Trainings that end and go on, and trainings that stop early.

use rand::SeedableRng;

use super::*;
use crate::recipe::Recipe;

const WORDS: u32 = 12;

/// Words that are not frequent.
const RARE: u32 = 60;

/// Texts whose class is that of their last word but one, and their classes.
fn texts(count: u32, classes: usize, seed: u64) -> (Vec<Vec<u32>>, Vec<usize>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| {
            let text: Vec<u32> = (0..rng.random_range(2..9)).map(|_| rng.random_range(1..WORDS)).collect();
            let class = text[text.len() - 2] as usize % classes;
            (text, class)
        })
        .unzip()
}

/// Six epochs of a small network, with some keys changed.
fn recipe(toml: &str) -> Recipe {
    let toml: toml::Table = toml.parse().unwrap();
    let small = "units = 8\nembedding = 6\nbatch = 16\nepochs = 6\nunknown = \"row\"\n\
                 recurrent_initializer = \"identity\"";
    let mut table: toml::Table = small.parse().unwrap();
    table.extend(toml);
    Recipe::from_toml(&table.to_string()).unwrap()
}

/// Trains; if asked to, with an end after every epoch, from which a checkpoint leads on.
fn train(recipe: &Recipe, classes: usize, interrupted: bool) -> (Network, TrainingState) {
    train_on(texts(200, classes, 1), texts(100, classes, 2), recipe, classes, interrupted, None)
}

/// The same, with a rare word of [`RARE`] in front of each text, of which every second is a pair with a frequent word.
/// Rows that a batch does not touch wait, or do not.
fn train_with_rare_words(
    recipe: &Recipe,
    classes: usize,
    interrupted: bool,
    lazy: bool,
) -> (Network, TrainingState) {
    let with_rare = |(mut texts, classes): (Vec<Vec<u32>>, Vec<usize>), seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        texts.iter_mut().for_each(|text| text.insert(0, WORDS + 1 + rng.random_range(0..RARE)));
        (texts, classes)
    };
    let (train, validation) = (with_rare(texts(200, classes, 1), 5), with_rare(texts(100, classes, 2), 6));
    train_on(train, validation, recipe, classes, interrupted, Some(lazy))
}

fn train_on(
    train: (Vec<Vec<u32>>, Vec<usize>),
    validation: (Vec<Vec<u32>>, Vec<usize>),
    recipe: &Recipe,
    classes: usize,
    interrupted: bool,
    rare_and_lazy: Option<bool>,
) -> (Network, TrainingState) {
    let rows = WORDS + 1 + rare_and_lazy.map_or(0, |_| RARE);
    let pairs = |row| (row > WORDS && row % 2 == 0).then_some(1 + row % (WORDS - 1));
    let ties = rare_and_lazy.map(|_| Ties::new((0..rows).map(pairs).collect()));
    let task = Task {
        recipe,
        objective: Objective {
            class_weights: recipe.class_weight.of_classes(classes, &train.1).unwrap(),
            label_smoothing: recipe.label_smoothing,
            l2: recipe.l2,
        },
        seed: 3,
        unknown: Some(WORDS),
        ties: ties.as_ref(),
        train: Examples { texts: &train.0, classes: &train.1, opinions: None },
        validation: Some(Examples { texts: &validation.0, classes: &validation.1, opinions: None }),
        processor: Device::Cpu,
    };
    let outputs = if classes == 2 { 1 } else { classes };
    let network = || {
        let mut network = Network::new(recipe, rows as usize, outputs, &mut Stream::Weights.rng(3));
        ties.iter().for_each(|ties| ties.begin(&mut network.embedding));
        network
    };
    let mut net = network();
    let mut state = TrainingState::new(&task, &net);
    if let Some(lazy) = rare_and_lazy {
        state.optimizers = Optimizers::with(recipe, &net, lazy);
    }
    if !interrupted {
        let state = fit(&mut net, &task, state, &Interrupt::default(), |_, _| Ok(())).unwrap();
        return (net, state);
    }
    let asked = checkpoint::Asked::of(&task).unwrap();
    let path = std::path::Path::new("checkpoint");
    for _ in 0..=recipe.epochs {
        let interrupt = Interrupt::default();
        let mut kept = None;
        let result = fit(&mut net, &task, state, &interrupt, |net, state| {
            let mut bytes = Vec::new();
            checkpoint::write(&mut bytes, &asked, net, state)?;
            kept = Some(bytes);
            interrupt.interrupt();
            Ok(())
        });
        match result {
            Ok(state) => return (net, state),
            Err(error) => assert!(error.is::<Interrupted>(), "{error:#}"),
        }
        // Nothing but the checkpoint is left of it.
        net = network();
        state = checkpoint::read(path, &kept.unwrap(), &asked, &mut net).unwrap();
    }
    panic!("training did not end");
}

#[test]
fn an_interrupted_training_ends_where_an_uninterrupted_one_does() {
    let regularized = "embedding_dropout = 0.2\nword_dropout = 0.1\ndropout = 0.2\nrecurrent_dropout = 0.2\n\
                       l2 = 0.001\nlabel_smoothing = 0.1\nclass_weight = \"balanced\"\n";
    for (toml, classes) in [
        ("optimizer = \"rmsprop\"\n", 2),
        ("optimizer = \"adam\"\nschedule = \"plateau\"\nplateau_patience = 1\nplateau_factor = 0.5\n", 3),
        ("optimizer = \"adamw\"\nschedule = \"cosine\"\nquantized_epochs = 3\nbucket_by_length = true\n", 2),
        ("optimizer = \"sgd\"\nmomentum = 0.9\nnesterov = true\nclip_norm = 1.0\nquantized_epochs = 2\n", 3),
        (
            "optimizer = \"adam\"\nlearning_rate = 0.05\nearly_stopping = \"val_accuracy\"\n\
          early_stopping_patience = 1\nquantized_epochs = 3\n",
            2,
        ),
        ("cell = \"gru\"\noptimizer = \"adam\"\nquantized_epochs = 3\n", 2),
        (
            "cell = \"fastgrnn\"\noptimizer = \"adamw\"\nquantized_epochs = 2\nfold = \"never\"\nembedding = 8\n",
            2,
        ),
        ("cell = \"lstm\"\noptimizer = \"rmsprop\"\nquantized_epochs = 2\nfold = \"always\"\n", 3),
        (
            "cell = [\"gru\", \"simple-rnn\", \"lstm\"]\nunits = [5, 8, 4]\noptimizer = \"adamw\"\nlayer_dropout = 0.2\n\
             quantized_epochs = 3\nembedding = 8\nfold = \"never\"\n",
            3,
        ),
    ] {
        let recipe = recipe(&format!("{regularized}{toml}"));
        let (whole, state) = train(&recipe, classes, false);
        let (resumed, resumed_state) = train(&recipe, classes, true);
        assert_eq!(whole, resumed, "{toml}");
        assert_eq!((state.grid, state.best_epoch), (resumed_state.grid, resumed_state.best_epoch), "{toml}");
        let history =
            |history: &[Epoch]| history.iter().map(|e| Epoch { seconds: 0.0, ..*e }).collect::<Vec<_>>();
        assert_eq!(history(&state.history), history(&resumed_state.history), "{toml}");
    }
}

/// Every kind of optimizer, with steps of few texts, so that rare words wait for many steps.
const WAITING: [&str; 4] = [
    "optimizer = \"adamw\"\nweight_decay = 0.01\nlearning_rate = 0.01\nschedule = \"cosine\"",
    "optimizer = \"adam\"\nlearning_rate = 0.01\nschedule = \"plateau\"\nplateau_patience = 1",
    "optimizer = \"sgd\"\nmomentum = 0.9\nlearning_rate = 0.01\nclip_norm = 1.0",
    "optimizer = \"rmsprop\"",
];

#[test]
fn an_interrupted_training_in_which_rows_wait_ends_where_an_uninterrupted_one_does() {
    for toml in WAITING {
        let recipe = recipe(&format!("batch = 4\nword_dropout = 0.1\nquantized_epochs = 2\n{toml}"));
        let [(whole, state), (resumed, resumed_state)] =
            [false, true].map(|interrupted| train_with_rare_words(&recipe, 3, interrupted, true));
        assert_eq!(whole, resumed, "{toml}");
        assert_eq!(state.grid, resumed_state.grid, "{toml}");
    }
}

#[test]
fn training_is_the_same_whether_rows_wait_or_not() {
    for toml in WAITING {
        let recipe = recipe(&format!("batch = 4\nword_dropout = 0.1\n{toml}"));
        let [(_, dense), (_, lazy)] =
            [false, true].map(|lazy| train_with_rare_words(&recipe, 3, false, lazy));
        for (dense, lazy) in dense.history.iter().zip(&lazy.history) {
            let off = (dense.val_loss.unwrap() - lazy.val_loss.unwrap()).abs();
            assert!(off < 1e-4, "{toml}: {dense:?}, {lazy:?}");
            assert_eq!(dense.val_accuracy, lazy.val_accuracy, "{toml}");
        }
        assert!(lazy.history.last().unwrap().loss < 0.9 * lazy.history[0].loss, "{toml} learned nothing");
    }
}

#[test]
fn early_stopping_leaves_the_best_network_of_either_part() {
    let recipe = recipe(
        "epochs = 40\nquantized_epochs = 15\noptimizer = \"adam\"\nlearning_rate = 0.1\n\
         early_stopping = \"val_loss\"\nearly_stopping_patience = 2",
    );
    let (network, state) = train(&recipe, 3, false);
    let (float, quantized): (Vec<&Epoch>, Vec<&Epoch>) = state.history.iter().partition(|e| e.epoch <= 25);
    assert!(float.len() < 25 && !quantized.is_empty(), "{} epochs before the grid's", float.len());
    let best = quantized.iter().min_by(|a, b| a.val_loss.unwrap().total_cmp(&b.val_loss.unwrap())).unwrap();
    assert_eq!(state.best_epoch, Some(best.epoch));
    let (texts, classes) = texts(100, 3, 2);
    let score = evaluate::float(&network, &texts, &classes, 0.0, None, state.grid.as_ref()).unwrap();
    assert_eq!(Some(score.mean_loss()), best.val_loss, "the network is not that of its best epoch");
    assert_eq!(quantized[0].epoch, 26, "the grid's epochs begin where the schedule has them");
}

#[test]
fn recurrent_networks_learn_with_every_optimizer() {
    for toml in [
        "optimizer = \"rmsprop\"\nlearning_rate = 0.01",
        "optimizer = \"adam\"\nlearning_rate = 0.02",
        "optimizer = \"adamw\"\nlearning_rate = 0.02",
        "optimizer = \"sgd\"\nlearning_rate = 0.1\nmomentum = 0.9\nclip_norm = 1.0",
    ] {
        let recipe = recipe(&format!("epochs = 30\n{toml}"));
        let (_, state) = train(&recipe, 3, false);
        let last = state.history.last().unwrap();
        assert!(last.accuracy > 0.6, "{toml}: {last:?}");
    }
}

#[test]
fn a_checkpoint_of_another_training_or_a_damaged_one_is_refused() {
    let (train, path) = (texts(20, 2, 1), std::path::Path::new("checkpoint.bin"));
    let task = |recipe, seed, count: usize| Task {
        recipe,
        objective: Objective::plain(2),
        seed,
        unknown: None,
        ties: None,
        train: Examples { texts: &train.0[..count], classes: &train.1[..count], opinions: None },
        validation: None,
        processor: Device::Cpu,
    };
    let (mine, other) = (recipe(""), recipe("dropout = 0.5"));
    let network = Network::new(&mine, WORDS as usize + 1, 1, &mut Stream::Weights.rng(3));
    let before = task(&mine, 1, 20);
    let asked = checkpoint::Asked::of(&before).unwrap();
    let mut bytes = Vec::new();
    checkpoint::write(&mut bytes, &asked, &network, &TrainingState::new(&before, &network)).unwrap();
    let fresh = Network::new(&mine, WORDS as usize + 1, 1, &mut Stream::Weights.rng(4));
    let mut restored = fresh.clone();
    checkpoint::read(path, &bytes, &asked, &mut restored).unwrap();
    assert_eq!(restored, network);

    let fault = |bytes: &[u8], task: &Task<'_>| {
        let asked = checkpoint::Asked::of(task).unwrap();
        let mut untouched = fresh.clone();
        let error = checkpoint::read(path, bytes, &asked, &mut untouched).unwrap_err();
        assert_eq!(untouched, fresh, "{error}");
        error.to_string()
    };
    assert!(fault(&bytes, &task(&mine, 2, 20)).contains("it has --seed 1, not 2"));
    assert!(fault(&bytes, &task(&other, 1, 20)).contains("it has dropout = 0.0, not 0.5"));
    assert!(fault(&bytes, &task(&mine, 1, 19)).contains("its texts or labels were others"));
    assert!(fault(&bytes[..bytes.len() - 1], &before).contains("damaged or cut short"));
    assert!(fault(&bytes[..5], &before).contains("cut short"));
    assert!(fault(b"something else entirely", &before).contains("not a checkpoint"));
    for index in [8, 20, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[index] ^= 4;
        assert!(fault(&damaged, &before).contains("damaged or cut short"), "byte {index}");
    }
}
