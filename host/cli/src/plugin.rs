//! `iamseal plugin`: whether a component is fit to be loaded.

use std::path::Path;
use std::process::ExitCode;

use iamseal::{ComponentDescription, Error};
use serde_json::json;

use crate::arguments::{Common, PluginCommand, PluginFile};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::report::{notes, words};
use crate::{load, output};

pub async fn run(common: &Common, command: &PluginCommand) -> Result<ExitCode, Failure> {
    match command {
        PluginCommand::Inspect(PluginFile { file }) => inspect(common, file).await,
        PluginCommand::Test(PluginFile { file }) => test(common, file).await,
    }
}

async fn inspect(common: &Common, file: &Path) -> Result<ExitCode, Failure> {
    let seen = load::from_file(common, file).describe().await?;
    let identity = &seen.identity;
    let worlds = worlds(&seen);
    if common.json {
        let line = json!({
            "file": file.display().to_string(),
            "sha256": identity.digest(),
            "version": identity.version(),
            "licences": identity.licences(),
            "source": identity.source(),
            "revision": identity.revision(),
            "worlds": worlds,
            "not_plugin": seen.no_plugin,
            "not_auditor": seen.no_auditor,
            "interfaces": seen.interfaces,
        });
        output::line(&words::json_line(&line))?;
    } else {
        let name = iamseal::harmless(identity.name());
        output::line(&output::table(&["", &name], rows(&seen)))?;
    }
    match worlds.is_empty() {
        false => Ok(ExitCode::SUCCESS),
        true => Err(Failure::new(
            Cause::Plugin,
            format!("{identity} is for neither world of iamseal:plugin@0.1.0"),
        )),
    }
}

/// Tests it in the world that it is for; if for none, says why it is no plugin.
async fn test(common: &Common, file: &Path) -> Result<ExitCode, Failure> {
    // Nothing of the operator's is lent: the tests have keys of their own, which are published.
    let candidate = || load::from_file(common, file);
    let (world, identity) = match candidate().load().await {
        Ok(plugin) => {
            plugin.self_test().await?;
            ("plugin", plugin.identity().clone())
        }
        Err(no_plugin @ Error::Incompatible { .. }) => {
            let auditor = candidate().load_auditor().await;
            let auditor = auditor.map_err(|_| no_plugin)?;
            auditor.self_test().await?;
            ("auditor", auditor.identity().clone())
        }
        Err(error) => return Err(error.into()),
    };
    output::line(&if common.json {
        let digest = identity.digest();
        let file = file.display().to_string();
        words::json_line(&json!({"file": file, "sha256": digest, "fit": world}))
    } else {
        let verdict = output::verdict("fit", false);
        format!(
            "{verdict}  {identity} passed the tests of the world {world}\n    {}",
            notes::tested(identity.digest())
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn worlds(seen: &ComponentDescription) -> Vec<&'static str> {
    let fits = [("plugin", &seen.no_plugin), ("auditor", &seen.no_auditor)];
    let fits = fits
        .into_iter()
        .filter(|(_, difference)| difference.is_none());
    fits.map(|(world, _)| world).collect()
}

fn rows(seen: &ComponentDescription) -> Vec<Vec<String>> {
    let identity = &seen.identity;
    let stated = [
        ("version", identity.version()),
        ("licences", identity.licences()),
        ("source", identity.source()),
        ("revision", identity.revision()),
    ];
    let mut rows = vec![("sha256", identity.digest().to_owned())];
    rows.extend(
        stated
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?.to_owned()))),
    );
    for (world, difference) in [("plugin", &seen.no_plugin), ("auditor", &seen.no_auditor)] {
        rows.push((
            world,
            match difference {
                None => "fits".to_owned(),
                Some(difference) => format!("no: {difference}"),
            },
        ));
    }
    rows.push(("interfaces", seen.interfaces.join("\n")));
    rows.into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect()
}
