//! Samples as rows, which are added to what other hubs, or this one before, wrote of the same stretch.

use gatepost_wire::CameraId;

use super::Key;
use crate::store::column::nanos;
use crate::store::sql::{Row, Sql};
use crate::telemetry::{Amount, BoxSample, CameraSample};

/// A camera's row.
pub(super) type CameraRow<'a> = (&'a Key, &'a CameraId, &'a CameraSample);

/// What is measured, as its columns begin.
pub(super) const AMOUNTS: [&str; 5] = ["temperature", "inference", "load", "queued", "disk"];

/// In the order of [`AMOUNTS`].
fn amounts(sample: &BoxSample) -> [&Amount; 5] {
    [&sample.temperature, &sample.inference, &sample.load, &sample.queued, &sample.disk]
}

/// The columns of every amount, with commas.
pub(super) fn columns() -> String {
    let of = |name: &str| format!("{name}_count, {name}_sum, {name}_min, {name}_max");
    AMOUNTS.map(of).join(", ")
}

/// Adds rows of boxes.
pub(super) fn add_boxes(rows: &[(&Key, &BoxSample)]) -> Sql {
    let mut query =
        Sql::new("INSERT INTO telemetry_box (edge, width_s, start, reports, last_time, boot, uptime_ms, ");
    query.push(&columns()).push(") ");
    query.push_rows(rows, |row, (key, sample)| {
        bind_key(row, key);
        row.bind(sample.reports)
            .bind(nanos(sample.last))
            .bind(sample.boot.to_string())
            .bind(sample.uptime_ms);
        for Amount { count, sum, bounds } in amounts(sample) {
            row.bind(*count)
                .bind(*sum)
                .bind(bounds.map(|(least, _)| least))
                .bind(bounds.map(|(_, most)| most));
        }
    });
    query.push(" ON CONFLICT (edge, width_s, start) DO UPDATE SET ");
    let mut columns = vec![added("telemetry_box", "reports")];
    columns.extend(["boot", "uptime_ms", "last_time"].map(|column| of_the_last("telemetry_box", column)));
    for name in AMOUNTS {
        columns.extend(["count", "sum"].map(|part| added("telemetry_box", &format!("{name}_{part}"))));
        columns.push(bound("telemetry_box", &format!("{name}_min"), "<"));
        columns.push(bound("telemetry_box", &format!("{name}_max"), ">"));
    }
    query.push(&columns.join(", "));
    query
}

/// Adds rows of cameras.
pub(super) fn add_cameras(rows: &[CameraRow<'_>]) -> Sql {
    let mut query = Sql::new(
        "INSERT INTO telemetry_camera (edge, width_s, start, camera, reports, streaming, last_time, sampled, looked_at) ",
    );
    query.push_rows(rows, |row, (key, camera, sample)| {
        bind_key(row, key);
        row.bind(camera.as_str()).bind(sample.reports).bind(sample.streaming);
        row.bind(nanos(sample.last)).bind(sample.sampled).bind(sample.looked_at);
    });
    query.push(" ON CONFLICT (edge, width_s, start, camera) DO UPDATE SET ");
    let mut columns = Vec::from(["reports", "streaming"].map(|column| added("telemetry_camera", column)));
    let last = ["sampled", "looked_at", "last_time"];
    columns.extend(last.map(|column| of_the_last("telemetry_camera", column)));
    query.push(&columns.join(", "));
    query
}

fn bind_key(row: &mut Row<'_>, (edge, width, start): &Key) {
    row.bind(edge.as_str()).bind(width.seconds()).bind(nanos(*start));
}

fn added(table: &str, column: &str) -> String {
    format!("{column} = {table}.{column} + excluded.{column}")
}

/// What the later report says.
fn of_the_last(table: &str, column: &str) -> String {
    format!(
        "{column} = CASE WHEN excluded.last_time >= {table}.last_time THEN excluded.{column} ELSE {table}.{column} END"
    )
}

/// The one that is less or greater; none is neither.
fn bound(table: &str, column: &str, than: &str) -> String {
    format!(
        "{column} = CASE WHEN {table}.{column} IS NULL OR excluded.{column} {than} {table}.{column} \
         THEN excluded.{column} ELSE {table}.{column} END"
    )
}
