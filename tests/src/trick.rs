//! How a store in memory can be told to misbehave.

/// How a store misbehaves.
#[derive(Clone, PartialEq, Eq)]
pub enum Trick {
    /// Every listing fails at once.
    ListFails,
    /// A listing fails after its first page.
    SecondPageFails,
    /// Listings go through these paths in this order, whatever is there.
    Lists(Vec<&'static str>),
    /// Listings repeat their first page without end.
    ListsForEver,
    /// Reading this object fails.
    ReadFails(&'static str),
    /// Somebody else puts these bytes in the place of this object as soon as drafts are staged: the
    /// last ones at the first time, the first ones at the last.
    ChangesMeanwhile(&'static str, Vec<Vec<u8>>),
    /// Somebody else removes this object as soon as drafts are staged.
    VanishesMeanwhile(&'static str),
    /// Staging this object fails, as on a full disk.
    StageFails(&'static str),
    /// Staging this object says that it is another version.
    StageConflicts(&'static str),
    /// Staging answers for one draft less than it was given.
    StagesTooFew,
    /// Reading this draft back fails.
    ReadBackFails(&'static str),
    /// This draft reads back as these bytes.
    ReadsBack(&'static str, Vec<u8>),
    /// Committing this object fails.
    CommitFails(&'static str),
    /// Committing answers for one draft less than it was given, and did not do it.
    CommitsTooFew,
}
