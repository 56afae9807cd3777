//! Rows for programs: as CSV, and in typed columns as Parquet.

use std::path::Path;

use anyhow::Context;

#[cfg(feature = "parquet")]
use super::parquet::parquet as as_parquet;
use super::save;

/// What stands in a column. Whatever it is, a field may be empty: it does not apply to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a word, an address.
    Text,
    /// A whole number.
    Count,
    /// Any number; `inf` and `never` are infinite.
    Number,
    /// `true` or `false`.
    Flag,
    /// A date and time on the scenario's calendar, which has no time zone.
    DateTime,
}

/// A column by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    #[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "CSV has no types"))]
    pub kind: Kind,
}

/// Rows with a header, in memory as CSV.
#[derive(Debug)]
pub(super) struct Dataset {
    columns: Vec<Column>,
    csv: csv::Writer<Vec<u8>>,
}

impl Dataset {
    /// No rows yet.
    ///
    /// # Errors
    /// Never, as it is in memory.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Kind)>) -> anyhow::Result<Self> {
        let columns = columns.into_iter().map(|(name, kind)| Column { name: name.into(), kind });
        let columns: Vec<Column> = columns.collect();
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(columns.iter().map(|column| &column.name))?;
        Ok(Self { columns, csv })
    }

    /// Adds a row; fields at its end that do not apply may be left out.
    ///
    /// # Errors
    /// If it has more fields than there are columns.
    pub fn row<T: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = T>) -> anyhow::Result<()> {
        let mut missing = self.columns.len();
        for field in fields {
            self.csv.write_field(field.as_ref())?;
            missing = missing.checked_sub(1).context("a row has more fields than its table has columns")?;
        }
        for _ in 0..missing {
            self.csv.write_field("")?;
        }
        Ok(self.csv.write_record(None::<&[u8]>)?)
    }

    /// The rows as Parquet.
    ///
    /// # Errors
    /// If this program was built without.
    pub fn parquet(&mut self) -> anyhow::Result<Vec<u8>> {
        self.csv.flush()?;
        as_parquet(&self.columns, self.csv.get_ref())
    }

    /// The rows as CSV, with a header.
    ///
    /// # Errors
    /// Never, as they are in memory.
    pub fn into_csv(self) -> anyhow::Result<Vec<u8>> {
        Ok(self.csv.into_inner()?)
    }

    /// Writes `name.csv`, and with `parquet` the same rows as `name.parquet`, into a folder.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn save(mut self, folder: &Path, name: &str, parquet: bool) -> anyhow::Result<()> {
        if parquet {
            save(folder, &format!("{name}.parquet"), &self.parquet()?)?;
        }
        save(folder, &format!("{name}.csv"), &self.into_csv()?)
    }
}

/// A scenario that asks for Parquet is refused by a program without.
#[cfg(not(feature = "parquet"))]
fn as_parquet(_: &[Column], _: &[u8]) -> anyhow::Result<Vec<u8>> {
    anyhow::bail!("this brimline was built without the feature `parquet`")
}
