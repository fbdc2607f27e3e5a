//! What every engine has to keep, tried on a case of its own.

use crate::engine::Engine;

/// A case that an engine is tried on.
#[derive(Clone, Debug)]
pub struct Case<E: Engine> {
    /// From what.
    pub input: E::Input,
    /// What is changed before which step.
    pub changes: Vec<(u32, E::Change)>,
    /// How many steps.
    pub steps: u32,
    /// Seconds a step.
    pub dt_s: f64,
}

impl<E: Engine> Case<E> {
    fn run(&self, engine: &mut E, from: u32, to: u32, threads: usize) {
        for step in from..to {
            for (_, change) in self.changes.iter().filter(|(at, _)| *at == step) {
                // A case is known to be right; what it changes is there.
                let _ = engine.change(change);
            }
            engine.advance(self.dt_s, threads);
        }
    }
}

/// Tries an engine; what it does not keep, in words. An engine that conforms gives none.
pub fn breaches<E: Engine>(case: &Case<E>) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |kept: bool, what: &str| {
        if !kept {
            found.push(format!("{}: {what}", E::NAME));
        }
    };
    let begin = || E::begin(&case.input);
    let (mut one, mut other) = match (begin(), begin()) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(why), _) | (_, Err(why)) => return vec![why.to_string()],
    };
    expect(one.state_hash() == other.state_hash(), "two beginnings from one input differ");
    let fresh = one.state_hash();
    case.run(&mut one, 0, case.steps, 1);
    for threads in [2, 8] {
        let Ok(mut parallel) = begin() else { continue };
        case.run(&mut parallel, 0, case.steps, threads);
        expect(
            parallel.state_hash() == one.state_hash(),
            &format!("{threads} threads give another state than one"),
        );
    }
    expect(one.state_hash() != fresh, "the case changes nothing, so it proves nothing");
    let end = f64::from(case.steps) * case.dt_s;
    expect((one.seconds() - end).abs() < 1e-6, "its clock is not where the steps lead");

    let half = case.steps / 2;
    case.run(&mut other, 0, half, 1);
    let at_half = other.state_hash();
    let saved = other.saved();
    match E::restored(&case.input, &saved) {
        Ok(mut restored) => {
            expect(restored.state_hash() == at_half, "what is restored is another state than what was saved");
            expect(restored.saved() == saved, "what is restored saves other bytes");
            case.run(&mut restored, half, case.steps, 1);
            expect(restored.state_hash() == one.state_hash(), "what is restored goes another way");
        }
        Err(why) => expect(false, &format!("what it saved it can't restore: {why}")),
    }
    let mut fork = other.clone();
    case.run(&mut fork, half, case.steps, 2);
    expect(other.state_hash() == at_half, "a fork changes what it was forked from");
    case.run(&mut other, half, case.steps, 1);
    expect(other.state_hash() == fork.state_hash(), "a fork goes another way");

    for cut in [0, 1, saved.len() / 2, saved.len().saturating_sub(1)] {
        expect(
            E::restored(&case.input, &saved[..cut.min(saved.len())]).is_err(),
            "it restores from bytes cut short",
        );
    }
    let mut spoilt = saved.clone();
    if let Some(byte) = spoilt.get_mut(saved.len() / 3) {
        *byte ^= 0x10;
    }
    expect(E::restored(&case.input, &spoilt).is_err(), "it restores from spoilt bytes");
    found
}
