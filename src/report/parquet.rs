//! Tables as Parquet: the rows of a CSV file in typed columns, compressed.

use std::sync::Arc;

use anyhow::Context;
use csv::StringRecord;
use parquet::basic::{Compression, LogicalType, TimeUnit, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::dataset::{Column, Kind};

/// Rows that are kept in memory at a time; a reader can skip as many.
const GROUP_ROWS: usize = 1 << 17;

/// The rows of `csv`, whose header is `columns`, as a Parquet file: each column of the type of its kind, compressed with Snappy;
/// an empty field is null.
///
/// # Errors
/// If a field is not of its column's kind.
pub(super) fn parquet(columns: &[Column], csv: &[u8]) -> anyhow::Result<Vec<u8>> {
    let fields = columns.iter().map(field).collect::<anyhow::Result<_>>()?;
    let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("brimline ", env!("CARGO_PKG_VERSION")).to_owned());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
    let mut reader = csv::Reader::from_reader(csv);
    let mut records = reader.records().peekable();
    while records.peek().is_some() {
        let rows = records.by_ref().take(GROUP_ROWS).collect::<Result<Vec<_>, _>>()?;
        let mut group = file.next_row_group()?;
        for (i, column) in columns.iter().enumerate() {
            let mut writer = group.next_column()?.context("there is a writer for each column")?;
            write(&mut writer, column.kind, rows.iter().map(|row: &StringRecord| &row[i]))
                .with_context(|| format!("column {}", column.name))?;
            writer.close()?;
        }
        group.close()?;
    }
    Ok(file.into_inner()?)
}

fn field(column: &Column) -> anyhow::Result<Arc<Type>> {
    let (physical, logical) = match column.kind {
        Kind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Count => (PhysicalType::INT64, None),
        Kind::Number => (PhysicalType::DOUBLE, None),
        Kind::Flag => (PhysicalType::BOOLEAN, None),
        // On the scenario's calendar, which has no time zone.
        Kind::DateTime => (PhysicalType::INT64, Some(LogicalType::timestamp(false, TimeUnit::MILLIS))),
    };
    let field = Type::primitive_type_builder(&column.name, physical).with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

fn write<'a>(
    writer: &mut SerializedColumnWriter,
    kind: Kind,
    fields: impl Iterator<Item = &'a str>,
) -> anyhow::Result<()> {
    match kind {
        Kind::Text => values::<ByteArrayType>(writer, fields, |field| Ok(ByteArray::from(field))),
        Kind::Count => values::<Int64Type>(writer, fields, |field| Ok(field.parse()?)),
        // A time that never comes is infinite.
        Kind::Number => values::<DoubleType>(writer, fields, |field| match field {
            "never" => Ok(f64::INFINITY),
            number => Ok(number.parse()?),
        }),
        Kind::Flag => values::<BoolType>(writer, fields, |field| Ok(field.parse()?)),
        Kind::DateTime => values::<Int64Type>(writer, fields, |field| {
            let at: jiff::civil::DateTime = field.parse()?;
            Ok(at.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_millisecond())
        }),
    }
}

/// Writes what is there of a column; what is empty is null.
fn values<'a, D: DataType>(
    writer: &mut SerializedColumnWriter,
    fields: impl Iterator<Item = &'a str>,
    read: impl Fn(&str) -> anyhow::Result<D::T>,
) -> anyhow::Result<()> {
    let (mut values, mut is_there) = (Vec::new(), Vec::new());
    for field in fields {
        is_there.push(i16::from(!field.is_empty()));
        if !field.is_empty() {
            values.push(read(field).with_context(|| format!("`{field}`"))?);
        }
    }
    writer.typed::<D>().write_batch(&values, Some(&is_there), None)?;
    Ok(())
}
