//! What became of objects that a run goes through batch by batch, and how it is told.

use iamseal::Auditor;
use serde_json::{Map, Value};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::loadable::Loadable;
use crate::progress::Progress;
use crate::put::{Put, put};
use crate::report::why::Why;
use crate::report::words;
use crate::run::Run;
use crate::tally::Tally;

pub const FAILED: &str = "failed";
/// How the outcomes of a dry run begin that a person wants to read of.
const WOULD: &str = "would-";

/// What became of an object.
pub struct Step {
    pub path: Vec<u8>,
    /// What JSON says of it besides.
    pub about: Map<String, Value>,
    pub outcome: &'static str,
    pub failure: Option<Why>,
    /// Whether it, or that it is not there, was looked at by the run.
    pub is_read: bool,
    /// Whether the run has changed it.
    pub is_written: bool,
}

impl Step {
    /// Of one that was read and not changed.
    pub fn new(path: Vec<u8>, outcome: &'static str) -> Self {
        Self {
            path,
            about: Map::new(),
            outcome,
            failure: None,
            is_read: true,
            is_written: false,
        }
    }

    #[must_use]
    pub fn written(mut self) -> Self {
        self.is_written = true;
        self
    }

    #[must_use]
    pub fn failed(mut self, why: Why) -> Self {
        self.outcome = FAILED;
        self.failure = Some(why);
        self.is_written = false;
        self
    }

    /// A line for what a person wants to see: failures, and what a dry run would do. In JSON each has one.
    pub fn line(&self, common: &Common) -> Option<String> {
        if common.json {
            return Some(self.json());
        }
        match &self.failure {
            Some(why) => Some(words::failure_lines(self.outcome, why, &self.path)),
            None if self.outcome.starts_with(WOULD) => {
                Some(words::object_line(self.outcome, "", "", &self.path))
            }
            None => None,
        }
    }

    pub fn json(&self) -> String {
        let mut fields = words::path_fields(&self.path);
        fields.extend(self.about.clone());
        fields.insert("outcome".into(), self.outcome.into());
        let error = self.failure.as_ref().map(words::error_json);
        fields.extend(error.map(|error| ("error".to_owned(), error)));
        words::json_line(&Value::Object(fields))
    }
}

/// Writes what was prepared, each with its place among the steps, which say then what became of it. A dry run has
/// no `run`, and nothing is written.
pub async fn write(
    run: Option<&Run>,
    opener: &Auditor,
    loadable: &Loadable,
    prepared: Vec<(usize, Put)>,
    mut steps: Vec<Step>,
) -> Vec<Step> {
    let Some(run) = run else {
        return steps;
    };
    let (places, puts): (Vec<_>, Vec<_>) = prepared.into_iter().unzip();
    let written = put(&run.store_of_other_content(), opener, loadable, puts).await;
    let places = places.into_iter().zip(written);
    let mut places = places.peekable();
    for (place, step) in steps.iter_mut().enumerate() {
        let Some((_, failure)) = places.next_if(|(of, _)| *of == place) else {
            continue;
        };
        match failure {
            None => step.is_written = true,
            Some(failure) => {
                step.outcome = FAILED;
                step.failure = Some(Why::from(&failure));
            }
        }
    }
    steps
}

/// Tells of steps, and knows why it is no use to go on.
pub struct Telling<'a> {
    common: &'a Common,
    /// None of a dry run.
    run: Option<&'a Run>,
    progress: Progress,
    tally: Tally,
    stopped: Option<Failure>,
}

impl<'a> Telling<'a> {
    pub fn new(common: &'a Common, run: Option<&'a Run>, objects: usize, tally: Tally) -> Self {
        Self {
            common,
            run,
            progress: Progress::new(common, Some(objects as u64)),
            tally,
            stopped: None,
        }
    }

    /// Stops for this, unless it has stopped already. Returns whether it goes on.
    pub fn goes_on(&mut self, failure: Option<Failure>) -> bool {
        self.stopped = self.stopped.take().or(failure);
        self.stopped.is_none()
    }

    /// Writes down, counts and prints what became of a batch.
    pub async fn batch(&mut self, steps: &[Step]) {
        if let Some(run) = self.run {
            let said = steps.iter().filter(|step| step.is_read);
            run.report(said.map(|step| (&*step.path, step.outcome, step.is_written)))
                .await;
        }
        for step in steps {
            let cause = step.failure.as_ref().map(|why| why.cause);
            match cause {
                Some(cause) => self.tally.failed(step.outcome, cause),
                None => self.tally.plain(step.outcome),
            }
            // What is done is counted even where nobody reads of it.
            if let Some(line) = step.line(self.common).filter(|_| self.stopped.is_none()) {
                self.stopped = self.progress.object(cause, &line).err();
            }
        }
        self.progress.advance(steps.len());
        self.goes_on(self.run.and_then(Run::gives_up));
    }

    /// The counts, and why it was stopped, if it was.
    pub fn end(mut self) -> (Tally, Option<Failure>) {
        if self.stopped.is_none() {
            self.stopped = self.progress.unnamed().err();
        }
        self.progress.finish();
        (self.tally, self.stopped)
    }
}
