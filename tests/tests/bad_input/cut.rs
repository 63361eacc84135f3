//! Objects that end too soon.

use iamseal_core::{Form, Policy};
use iamseal_tests::backend::{Backend, backends};
use iamseal_tests::errors::outcome;

use crate::samples::{PATH, STORE, Sample, all};

#[test]
fn an_object_cut_at_any_offset_is_refused_by_the_right_name() {
    for sample in all() {
        for backend in backends(&sample.keys, STORE) {
            cut_everywhere(&*backend, &sample);
        }
    }
}

fn cut_everywhere(backend: &dyn Backend, sample: &Sample) {
    for end in 0..sample.stored.len() {
        let cut = &sample.stored[..end];
        let opened = backend.unseal(PATH, cut, Policy::Compatible);
        let (_, wanted) = sample
            .cuts
            .iter()
            .find(|(range, _)| range.contains(&end))
            .unwrap();
        let what = format!("{}: {} cut at {end}", backend.name(), sample.name);
        assert_eq!(outcome(&opened), *wanted, "{what}");
        if let Ok(opened) = &opened {
            assert_eq!(opened.found.form, Form::Plaintext, "{what}");
            let strict = backend.unseal(PATH, cut, Policy::Sealed);
            assert_eq!(outcome(&strict), "form-refused", "{what}");
        }
        // What is seen without a key is never another damage than what is seen with it.
        if let Err(error) = backend.inspect(cut) {
            assert_eq!(opened.unwrap_err(), error, "{what}");
        }
    }
}
