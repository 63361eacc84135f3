//! `iamseal keys`: which keys everything in a store needs, by what names them. No key is taken for it.

pub mod figures;
pub mod look;
mod report;
pub mod stays;

use std::process::ExitCode;

use crate::arguments::{Common, Keys};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::store::Access;
use crate::{output, store};

use self::figures::Figures;
use self::look::Look;

pub async fn run(common: &Common, command: &Keys) -> Result<ExitCode, Failure> {
    let store = store::open_whole(common, &command.store, Access::Read).await?;
    let progress = Progress::new(common, None);
    let mut figures = Figures::default();
    let mut interrupt = Interrupt::listen()?;
    let looked = {
        let mut look = Look::new(
            common,
            &store,
            &command.store,
            Some(&progress),
            &mut figures,
        );
        interrupt.unless(look.everywhere()).await
    };
    let stopped = match looked {
        Ok(Ok(())) => progress.unnamed().err(),
        Ok(Err(failure)) | Err(failure) => Some(failure),
    };
    progress.finish();
    let is_whole = store::tell(common, &*store).await;
    if !is_whole {
        figures.fail(Cause::Storage);
    }
    let is_all = is_whole && stopped.is_none();
    let text = match common.json {
        true => report::json(&figures, is_all, stopped.is_some()),
        false => report::text(&figures, is_all),
    };
    let printed = output::summary(&text);
    match stopped {
        Some(stopped) => Err(stopped),
        None => printed.map(|()| figures.exit_code().into()),
    }
}
