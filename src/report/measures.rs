//! What can be measured in a scenario, and what conditions can look at.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use crate::model::{Model, Reading};
use crate::time::{Instant, Span};

/// Every reading and level of a model with its unit and definition, `columns` wide where names, which are
/// to be copied, leave room for that.
#[must_use]
pub fn measures(model: &Model, columns: usize) -> String {
    let over = Reading::WaitedOver { over: Span::secs(60), before: Instant::NEVER };
    let mut readings = model.readings();
    let after_pods = readings.iter().rposition(|(_, reading)| matches!(reading, Reading::Pods(_)));
    readings.insert(after_pods.map_or(0, |at| at + 1), ("pods.waiting_over(60s)".to_owned(), over));
    let readings = readings.into_iter().map(|(name, reading)| [name, reading.unit().to_owned(), reading.definition()]);
    let levels = model.levels().into_iter().map(|(name, level)| [name, level.unit().to_owned(), level.definition()]);
    format!(
        "Measures, for --measure, policies and `sweep`. In P(…) they make probabilities:\n\
         `P(pods.wait.p99 > 60s)`, `P(any vswitch is full before 30d)`.\n\n{}\n\n\
         Levels, for conditions of actions such as `vsw-AAA.free < 200`\n\n{}",
        table(readings, columns),
        table(levels, columns)
    )
}

fn table(rows: impl Iterator<Item = [String; 3]>, columns: usize) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if let Ok(columns) = u16::try_from(columns) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
    }
    table.set_header(["name", "unit", "what it is"]);
    rows.for_each(|row| {
        table.add_row(row);
    });
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        if column.index < 2 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_where_columns_are_few() {
        let name = "vsw-with-a-long-name-of-pods.unschedulable.mean";
        let text = table(std::iter::once([name, "addresses", "What it is."].map(str::to_owned)), 60);
        assert!(text.contains(name), "{text}");
    }
}
