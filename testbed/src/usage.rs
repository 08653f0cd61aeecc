//! What a process has used of the machine, as the kernel counts it (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::{Error, Result};

/// Time on a processor since it started, over all threads, those that ended too.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let file = format!("/proc/{pid}/stat");
    let stat = read(&file)?;
    // The name before it is in parentheses and may hold anything.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<u64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).ok_or_else(|| strange(&file))?;
    Ok(Duration::from_secs_f64((user + system) as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Time on a processor of the threads that run, by their names without numbers.
pub fn cpu_by_thread(pid: u32) -> Result<BTreeMap<String, Duration>> {
    let tasks = format!("/proc/{pid}/task");
    let mut times = BTreeMap::new();
    for task in fs::read_dir(&tasks).map_err(Error::io(tasks.as_str()))?.flatten() {
        // A thread may end between listing and reading.
        let read = |name| fs::read_to_string(task.path().join(name)).ok();
        let Some((name, schedstat)) = read("comm").zip(read("schedstat")) else { continue };
        let name: String = name.trim().chars().filter(|c| !c.is_ascii_digit()).collect();
        let time_ns = schedstat.split(' ').next().and_then(|ns| ns.parse().ok());
        let time = Duration::from_nanos(time_ns.ok_or_else(|| strange("schedstat"))?);
        *times.entry(name).or_insert(Duration::ZERO) += time;
    }
    Ok(times)
}

/// A process and its children.
pub fn family(pid: u32) -> Result<Vec<u32>> {
    let is_child = |other: &u32| {
        // A process may end between listing and reading.
        let stat = read(format!("/proc/{other}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        parent == Some(pid)
    };
    let all = fs::read_dir("/proc").map_err(Error::io("/proc"))?.flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(std::iter::once(pid).chain(all.filter(is_child)).collect())
}

/// Physical memory it has now, bytes; what it shares with others counts in parts.
pub fn pss_bytes(pid: u32) -> Result<u64> {
    kib_field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// Most physical memory it ever had, bytes.
pub fn peak_rss_bytes(pid: u32) -> Result<u64> {
    kib_field(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// How many threads it has now.
pub fn threads(pid: u32) -> Result<usize> {
    let tasks = format!("/proc/{pid}/task");
    Ok(fs::read_dir(&tasks).map_err(Error::io(tasks.as_str()))?.count())
}

fn kib_field(file: &str, field: &str) -> Result<u64> {
    let status = read(file)?;
    let kib = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    let kib: Option<u64> = kib.and_then(|kib| kib.trim().parse().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| strange(file))
}

fn read(file: impl AsRef<Path>) -> Result<String> {
    let file = file.as_ref();
    fs::read_to_string(file).map_err(Error::io(file.display().to_string()))
}

fn strange(file: &str) -> Error {
    Error::io(file)(std::io::Error::other("it is not as proc(5) says"))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn time_and_memory_of_this_process() {
        let own = std::process::id();
        let before = cpu_time(own).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while cpu_time(own).unwrap() < before + Duration::from_millis(50) {
            assert!(Instant::now() < deadline);
        }
        assert!(cpu_by_thread(own).unwrap().values().sum::<Duration>() > Duration::ZERO);
        assert!((1 << 20..=peak_rss_bytes(own).unwrap()).contains(&pss_bytes(own).unwrap()));
        assert!(threads(own).unwrap() > 1, "the test has one, and the harness another");
    }

    #[test]
    fn children_are_of_the_family() {
        let own = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let family = family(own).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(family[0] == own && family.contains(&child.id()) && !family.contains(&1), "{family:?}");
    }

    #[test]
    fn a_process_that_is_not_there() {
        assert!(cpu_time(u32::MAX).is_err() && pss_bytes(u32::MAX).is_err());
    }
}
