//! Clients at full rate, each of which knows what its own documents hold.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crate::client::{Answer, Client};
use crate::dice::Dice;
use crate::mixture::{content, document, folder};

/// What a document may hold, of those that a client has changed; none: it is not there. More than one where nobody was
/// told whether a write was made.
pub type Known = BTreeMap<usize, Vec<Option<Vec<u8>>>>;

/// The server has gone in the middle of a request.
struct Gone;

/// A client that is the only one to write some of the documents.
pub struct Worker {
    client: Client,
    own: Vec<usize>,
    dice: Dice,
    pub known: Known,
    /// How many requests were answered as they should be.
    pub requests: usize,
    /// Those of them that listed a folder.
    pub listings: usize,
    /// A condition that only another server's migration has broken is not held against anybody: the client reads again.
    is_one_of_several: bool,
}

impl Worker {
    pub fn new(client: Client, own: Vec<usize>, seed: u64, known: Known) -> Self {
        Self {
            client,
            own,
            dice: Dice(seed),
            known,
            requests: 0,
            listings: 0,
            is_one_of_several: false,
        }
    }

    /// Beside servers on the same store.
    pub fn of_several(mut self) -> Self {
        self.is_one_of_several = true;
        self
    }

    /// Goes on until it is done, or the server has gone.
    pub fn until(mut self, done: &AtomicBool) -> Self {
        while !done.load(SeqCst) && self.request().is_ok() {}
        self
    }

    /// One of some kind.
    fn request(&mut self) -> Result<(), Gone> {
        let number = self.own[self.dice.roll(self.own.len())];
        let path = document(number);
        let new = format!("{{\"number\":{number},\"request\":{}}}", self.requests).into_bytes();
        match self.dice.roll(40) {
            0 => self.list(&folder(number)),
            1..=4 => self.put(number, &new, &[], &[204]),
            5..=9 => match self.read(number)? {
                Some(read) => {
                    let is = [("If-Match", read.tag())];
                    self.put(number, &new, &is, &[204])?;
                    self.put(number, b"[]", &is, &[412])
                }
                None => self.put(number, &new, &[("If-None-Match", "*")], &[204]),
            },
            10..=14 => match self.read(number)? {
                Some(read) => {
                    let is = [("If-Match", read.tag())];
                    let no_condition = self.dice.roll(2) == 0;
                    self.delete(number, if no_condition { &[] } else { &is })
                }
                None => self
                    .answered(self.client.try_delete_if(&path, &[]), &[404])
                    .map(drop),
            },
            _ => self.read(number).map(drop),
        }
    }

    fn read(&mut self, number: usize) -> Result<Option<Answer>, Gone> {
        let path = document(number);
        let answer = self.answered(self.client.try_get(&path), &[200, 404])?;
        let found = (answer.status == 200).then(|| answer.content.clone());
        check(number, &found, &self.known);
        // It is known again from now on.
        if let Some(may) = self.known.get_mut(&number) {
            *may = vec![found.clone()];
        }
        Ok(found.map(|_| answer))
    }

    /// What is there of its own documents, and nothing that is none.
    fn list(&mut self, below: &str) -> Result<(), Gone> {
        let answer = self.client.try_get(&format!("{below}/"));
        let answer = self.answered(answer, &[200])?;
        let listed: Vec<String> = serde_json::from_slice(&answer.content).unwrap();
        let is_foreign = |path: &String| !path.starts_with(below) || path.contains("iamseal");
        assert!(!listed.iter().any(is_foreign), "{listed:?}");
        for &number in self.own.iter().filter(|number| folder(**number) == below) {
            let is_listed = listed.contains(&document(number));
            let may = self.known.get(&number);
            let is_right = match may {
                Some(may) => may.iter().any(|may| may.is_some() == is_listed),
                None => is_listed,
            };
            assert!(is_right, "{number}: {is_listed} {may:?}");
        }
        self.listings += 1;
        Ok(())
    }

    fn put(
        &mut self,
        number: usize,
        new: &[u8],
        headers: &[(&str, &str)],
        expected: &[u16],
    ) -> Result<(), Gone> {
        self.may(number).push(Some(new.to_vec()));
        let answer = self.client.try_put_if(&document(number), new, headers);
        self.written(number, answer, expected)
    }

    fn delete(&mut self, number: usize, headers: &[(&str, &str)]) -> Result<(), Gone> {
        self.may(number).push(None);
        let answer = self.client.try_delete_if(&document(number), headers);
        self.written(number, answer, &[204])
    }

    fn written(
        &mut self,
        number: usize,
        answer: Option<Answer>,
        expected: &[u16],
    ) -> Result<(), Gone> {
        let expected = match self.is_one_of_several {
            true => &[expected, &[412]].concat(),
            false => expected,
        };
        let is_made = self.answered(answer, expected)?.status == 204;
        let may = self.may(number);
        match is_made {
            true => drop(may.drain(..may.len() - 1)),
            false => drop(may.pop()),
        }
        Ok(())
    }

    fn answered(&mut self, answer: Option<Answer>, expected: &[u16]) -> Result<Answer, Gone> {
        let answer = answer.ok_or(Gone)?;
        let text = String::from_utf8_lossy(&answer.content);
        assert!(
            expected.contains(&answer.status),
            "{} {text}",
            answer.status
        );
        self.requests += 1;
        Ok(answer)
    }

    fn may(&mut self, number: usize) -> &mut Vec<Option<Vec<u8>>> {
        let first = || vec![Some(content(number))];
        self.known.entry(number).or_insert_with(first)
    }
}

/// Whether a document holds what it may.
#[track_caller]
pub fn check(number: usize, found: &Option<Vec<u8>>, known: &Known) {
    let is_right = match known.get(&number) {
        Some(may) => may.contains(found),
        None => *found == Some(content(number)),
    };
    let text = found.as_deref().map(String::from_utf8_lossy);
    assert!(is_right, "{number}: {text:?}");
}
