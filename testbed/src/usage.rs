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

/// Physical memory it has now, bytes.
pub fn rss_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// Most physical memory it ever had, bytes.
pub fn peak_rss_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, field: &str) -> Result<u64> {
    let file = format!("/proc/{pid}/status");
    let status = read(&file)?;
    let kib = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    let kib: Option<u64> = kib.and_then(|kib| kib.trim().parse().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| strange(&file))
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
        assert!((1 << 20..=peak_rss_bytes(own).unwrap()).contains(&rss_bytes(own).unwrap()));
    }

    #[test]
    fn a_process_that_is_not_there() {
        assert!(cpu_time(u32::MAX).is_err() && rss_bytes(u32::MAX).is_err());
    }
}
