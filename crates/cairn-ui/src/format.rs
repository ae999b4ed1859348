// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes, times and durations as text.

#![expect(clippy::cast_precision_loss, reason = "one decimal place is shown")]

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Which time zone a time is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated universal time.
    Utc,
    /// The machine's time zone (`TZ`, `/etc/localtime`).
    Local,
}

/// Returns a size as dnf5 writes it: `512 B`, `1.5 KiB`, `12.3 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Returns a size as dnf4's tables write it: `512 `, `1.5 k`, `12 M`.
pub fn size_short(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value > 999.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} "),
        _ if value < 9.95 => format!("{value:.1} {}", UNITS[unit]),
        _ => format!("{value:.0} {}", UNITS[unit]),
    }
}

/// Returns a number with thin groups of three digits: `1 234 567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Returns a time (seconds since 1970) as `2026-11-22 23:04:05`; a time that no calendar has as its number.
pub fn date_time(unix: i64, zone: Zone) -> String {
    strftime(unix, zone, "%Y-%m-%d %H:%M:%S")
}

/// Returns the day of a time as `2026-11-22`.
pub fn date(unix: i64, zone: Zone) -> String {
    strftime(unix, zone, "%Y-%m-%d")
}

/// Returns a time in a format of strftime, in English; a time that no calendar has as its number.
pub fn strftime(unix: i64, zone: Zone, format: &str) -> String {
    let zone = match zone {
        Zone::Utc => TimeZone::UTC,
        Zone::Local => TimeZone::system(),
    };
    match Timestamp::from_second(unix) {
        Ok(timestamp) => timestamp.to_zoned(zone).strftime(format).to_string(),
        Err(_) => unix.to_string(),
    }
}

/// Returns the time (seconds since 1970) at which the day `YYYY-MM-DD` begins in UTC; `None` for what is no day.
pub fn start_of_day(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.parse().ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_second())
}

/// Returns a duration in seconds as `42s`, `3m 20s` or `2h 05m`.
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Returns `1 package` or `3 packages`.
pub fn counted(number: usize, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, long, short) in [
            (0, "0 B", "0 "),
            (999, "999 B", "999 "),
            (1023, "1023 B", "1.0 k"),
            (1024, "1.0 KiB", "1.0 k"),
            (1_500_000, "1.4 MiB", "1.4 M"),
            (12_900_000, "12.3 MiB", "12 M"),
            (1_048_575, "1.0 MiB", "1.0 M"),
            (u64::MAX, "16.0 EiB", "16 E"),
        ] {
            assert_eq!((size(bytes).as_str(), size_short(bytes).as_str()), (long, short));
        }
    }

    #[test]
    fn times_and_counts() {
        assert_eq!(date_time(1_700_000_000, Zone::Utc), "2023-11-14 22:13:20");
        assert_eq!(date(-1, Zone::Utc), "1969-12-31");
        assert_eq!(date(i64::MAX, Zone::Utc), i64::MAX.to_string());
        assert_eq!(strftime(0, Zone::Utc, "%a %b %d %H:%M:%S %Y"), "Thu Jan 01 00:00:00 1970");
        let spans = [59, 200, 7500].map(duration);
        assert_eq!(spans, ["59s", "3m 20s", "2h 05m"]);
        assert_eq!((count(1_234_567), count(12)), ("1 234 567".to_owned(), "12".to_owned()));
        assert_eq!(counted(1, "package", "packages"), "1 package");
    }
}
