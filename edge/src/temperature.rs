//! How warm the box is, where Linux knows it.

use std::collections::BTreeMap;
use std::path::Path;

/// Where Linux says so.
const THERMAL: &str = "/sys/class/thermal";

/// What each thermal zone is called and how warm it is, °C; empty where Linux knows of none. Of two of one name the warmer counts.
pub(crate) fn zones() -> BTreeMap<String, f64> {
    read(Path::new(THERMAL))
}

/// How warm the warmest of them is, °C.
pub(crate) fn warmest() -> Option<f64> {
    zones().into_values().reduce(f64::max)
}

fn read(folder: &Path) -> BTreeMap<String, f64> {
    let mut zones = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return zones };
    for zone in entries.flatten().map(|entry| entry.path()) {
        let value = |file: &str| std::fs::read_to_string(zone.join(file)).ok();
        let millis = value("temp").and_then(|text| text.trim().parse::<i32>().ok());
        // Cooling devices stand there too, without a temperature; a zone that is off gives an error.
        if let (Some(name), Some(millis)) = (value("type"), millis) {
            let (name, celsius) = (name.trim().to_owned(), f64::from(millis) / 1000.0);
            let known = zones.entry(name).or_insert(celsius);
            *known = known.max(celsius);
        }
    }
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warmer_of_two_counts_and_what_gives_no_number_does_not() {
        let folder = tempfile::tempdir().unwrap();
        for (zone, name, temp) in [
            ("thermal_zone0", "cpu\n", Some("41250\n")),
            ("thermal_zone1", "cpu\n", Some("39000\n")),
            ("thermal_zone2", "modem\n", Some("off\n")),
            ("cooling_device0", "fan\n", None),
        ] {
            let zone = folder.path().join(zone);
            std::fs::create_dir(&zone).unwrap();
            std::fs::write(zone.join("type"), name).unwrap();
            if let Some(temp) = temp {
                std::fs::write(zone.join("temp"), temp).unwrap();
            }
        }
        assert_eq!(read(folder.path()), BTreeMap::from([("cpu".to_owned(), 41.25)]));
        assert!(read(&folder.path().join("none")).is_empty());
    }
}
