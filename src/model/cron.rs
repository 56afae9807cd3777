//! The schedule of a CronJob: five fields, as Kubernetes reads them (robfig/cron v3
//! `ParseStandard`, which `pkg/controller/cronjob` uses).

use jiff::ToSpan;
use jiff::civil::Date;

use crate::time::{Instant, Span};

/// Minutes at which a CronJob starts a Job. Days have 24 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// As it was written.
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// 0 = Sunday.
    weekdays: u64,
    /// Neither of day and weekday is `*`: one of them is enough.
    either_day: bool,
    /// The day of time zero.
    start: Date,
}

/// The day of time zero of a scenario without a date: a Monday.
pub const MONDAY: Date = jiff::civil::date(2024, 1, 1);

/// Longest time between two matches that is searched: eight years, over which 29 February comes.
const SEARCH_DAYS: u32 = 8 * 366;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Cron {
    /// Reads a schedule; without a `start` time zero is a Monday.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str, start: Option<Date>) -> Result<Self, String> {
        let expanded = MACROS.iter().find(|(name, _)| *name == text.trim()).map_or(text, |(_, fields)| fields);
        let fields: Vec<&str> = expanded.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(format!("a cron schedule has five fields, not {}", fields.len()));
        };
        let (days, any_day) = field(day, "day of the month", 1, 31, &[])?;
        let (weekdays, any_weekday) = field(weekday, "day of the week", 0, 6, &WEEKDAYS)?;
        let cron = Self {
            text: text.trim().to_owned(),
            minutes: field(minute, "minute", 0, 59, &[])?.0,
            hours: field(hour, "hour", 0, 23, &[])?.0,
            days,
            months: field(month, "month", 1, 12, &MONTHS)?.0,
            weekdays,
            either_day: !any_day && !any_weekday,
            start: start.unwrap_or(MONDAY),
        };
        match cron.not_before(Instant::ZERO) {
            Some(_) => Ok(cron),
            None => Err("it never comes".to_owned()),
        }
    }

    /// The schedule as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first of its minutes that does not begin before `at`.
    #[must_use]
    pub fn not_before(&self, at: Instant) -> Option<Instant> {
        let minute = at.0.div_ceil(Span::mins(1).0);
        let (first, mut from) = (minute / (24 * 60), (minute % (24 * 60)) as u32);
        let mut date = self.start.checked_add(i64::try_from(first).ok()?.days()).ok()?;
        for day in 0..SEARCH_DAYS {
            if self.on(date)
                && let Some(minute) = (from..24 * 60).find(|&minute| self.at(minute))
            {
                return Some(Instant::ZERO + Span::days(first + u64::from(day)) + Span::mins(u64::from(minute)));
            }
            date = date.tomorrow().ok()?;
            from = 0;
        }
        None
    }

    fn on(&self, date: Date) -> bool {
        let day = has(self.days, date.day() as u32);
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset() as u32);
        has(self.months, date.month() as u32) && if self.either_day { day || weekday } else { day && weekday }
    }

    fn at(&self, minute: u32) -> bool {
        has(self.hours, minute / 60) && has(self.minutes, minute % 60)
    }
}

fn has(set: u64, n: u32) -> bool {
    set >> n & 1 == 1
}

/// The set of numbers of a field, and whether it is all of them by `*`.
fn field(text: &str, what: &str, least: u32, most: u32, names: &[&str]) -> Result<(u64, bool), String> {
    let (mut set, mut any) = (0, false);
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => match step.parse::<u32>() {
                Ok(step) if step > 0 => (range, Some(step)),
                _ => return Err(format!("`{step}` is no step of the {what}")),
            },
            None => (part, None),
        };
        let number = |text: &str| {
            let named = names.iter().position(|name| text.eq_ignore_ascii_case(name)).map(|i| i as u32 + least);
            match named.or_else(|| text.parse().ok()) {
                Some(n) if (least..=most).contains(&n) => Ok(n),
                _ => Err(format!("`{text}` is no {what}: it is {least} to {most}")),
            }
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" || range == "?" => {
                any |= step.is_none_or(|step| step == 1);
                (least, most)
            }
            // `5/10` is `5-59/10`.
            None => (number(range)?, if step.is_some() { most } else { number(range)? }),
        };
        if from > to {
            return Err(format!("the range `{range}` of the {what} runs backwards"));
        }
        for n in (from..=to).step_by(step.unwrap_or(1) as usize) {
            set |= 1 << n;
        }
    }
    Ok((set, any))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first minutes of a schedule in the year 2026, in words.
    fn first(text: &str, n: usize) -> Vec<String> {
        let start = jiff::civil::date(2026, 12, 1);
        let cron = Cron::parse(text, Some(start)).expect("it is right");
        let mut at = Instant::ZERO;
        let mut found = Vec::new();
        for _ in 0..n {
            let next = cron.not_before(at).expect("it comes");
            let minutes = next.0 / Span::mins(1).0;
            let time = start.at(0, 0, 0, 0).checked_add(i64::try_from(minutes).expect("a few years").minutes());
            found.push(time.expect("a date").strftime("%a %d %b %Y %H:%M").to_string());
            at = next + Span(1);
        }
        found
    }

    #[test]
    fn fields_are_numbers_ranges_steps_lists_and_names() {
        assert_eq!(first("0 2 * * *", 2), ["Tue 01 Dec 2026 02:00", "Wed 02 Dec 2026 02:00"]);
        assert_eq!(first("*/20 0 * * *", 3).last().map(String::as_str), Some("Tue 01 Dec 2026 00:40"));
        assert_eq!(first("50/5 23 * * *", 2), ["Tue 01 Dec 2026 23:50", "Tue 01 Dec 2026 23:55"]);
        assert_eq!(first("0 9-17/8 * * MON-fri", 3)[2], "Wed 02 Dec 2026 09:00");
        assert_eq!(first("0 0 1,15 jan *", 1), ["Fri 01 Jan 2027 00:00"]);
        assert_eq!(first("@hourly", 2), ["Tue 01 Dec 2026 00:00", "Tue 01 Dec 2026 01:00"]);
        assert_eq!(first("0 0 29 2 *", 1), ["Tue 29 Feb 2028 00:00"]);
    }

    /// Kubernetes' page on CronJobs and crontab(5): either day is enough if both are given.
    #[test]
    fn day_and_weekday_are_alternatives_if_both_are_given() {
        assert_eq!(first("0 0 13 * 5", 3), ["Fri 04 Dec 2026 00:00", "Fri 11 Dec 2026 00:00", "Sun 13 Dec 2026 00:00"]);
        assert_eq!(first("0 0 */2 * 5", 2), ["Tue 01 Dec 2026 00:00", "Thu 03 Dec 2026 00:00"]);
        assert_eq!(first("0 0 13 * *", 2), ["Sun 13 Dec 2026 00:00", "Wed 13 Jan 2027 00:00"]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let wrong = |text| Cron::parse(text, None).expect_err("it is wrong");
        assert_eq!(wrong("0 2 * *"), "a cron schedule has five fields, not 4");
        assert_eq!(wrong("60 * * * *"), "`60` is no minute: it is 0 to 59");
        assert_eq!(wrong("* * * * 7"), "`7` is no day of the week: it is 0 to 6");
        assert_eq!(wrong("9-3 * * * *"), "the range `9-3` of the minute runs backwards");
        assert_eq!(wrong("*/0 * * * *"), "`0` is no step of the minute");
        assert_eq!(wrong("0 0 30 2 *"), "it never comes");
        assert_eq!(wrong("@never"), "a cron schedule has five fields, not 1");
    }
}
