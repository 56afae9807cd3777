//! What a sweep leaves behind: a journal while it runs, then tables, pictures and a page.

mod journal;
mod page;
mod pictures;
mod tables;
mod terminal;
mod words;

use std::fs;
use std::path::Path;

use anyhow::Context;

pub use journal::Journal;
pub use tables::summary;
pub use terminal::terminal;

use super::{Plot, save};
use crate::study::sweep::Results;

/// Writes the files of a finished sweep into its folder.
fn fill(folder: &Path, results: &Results, reproduce: &str) -> anyhow::Result<()> {
    let pictures = pictures::all(results);
    let parquet = results.sweep.parquet;
    tables::sweep(results)?.save(folder, "sweep", parquet)?;
    tables::sensitivity(results)?.save(folder, "sensitivity", parquet)?;
    save(folder, "sweep.html", page::page(results, &pictures, reproduce)?.as_bytes())?;
    save_plots(folder, &pictures)
}

fn save_plots(folder: &Path, plots: &[Plot]) -> anyhow::Result<()> {
    fs::create_dir_all(folder.join("plots")).with_context(|| format!("cannot create {}/plots", folder.display()))?;
    for plot in plots {
        save(folder, &format!("plots/{}.svg", plot.name), plot.svg.as_bytes())?;
    }
    #[cfg(feature = "png")]
    {
        let rasteriser = super::plot::png::Rasteriser::new();
        for plot in plots {
            save(folder, &format!("plots/{}.png", plot.name), &rasteriser.png(&plot.svg)?)?;
        }
    }
    Ok(())
}
