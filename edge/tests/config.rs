//! A configuration that cannot work: `check` and `run` refuse it with one line that names file, line and
//! key, or the path.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::process::Command;

use gatepost_testbed::footage::workspace_root;
use serde_json::Value;
use support::site::{
    CameraConfig, EVERYWHERE, PROGRAM, Site, changed_manifest, manifest_value, only_complaint,
};

const NO_BROKER: u16 = 9;

fn site() -> Site {
    let camera = CameraConfig::new("gate", "rtsp://127.0.0.1:9/none").zone(EVERYWHERE);
    Site::new(NO_BROKER).camera(camera)
}

/// `check` and `run` must say the same; gives the message without the program's name.
fn complaint(site: &Site, config: &str) -> String {
    let checked = only_complaint(&site.call_with("check", config));
    let ran = only_complaint(&site.call_with("run", config));
    assert_eq!(checked, ran);
    checked.strip_prefix("gatepost-edge: ").unwrap().to_owned()
}

/// Both refuse `config` and name the line where `needle` stands, the key and the reason.
fn assert_refused(config: &str, needle: &str, key: &str, reason: &str) {
    let site = site();
    let said = complaint(&site, config);
    let line = config[..config.find(needle).unwrap()].matches('\n').count() + 1;
    let place = format!("{}:{line}: `{key}`: ", site.path("edge.toml").display());
    assert!(said.starts_with(&place), "{said}\nmust start with {place}");
    assert!(said.contains(reason), "{said}\nmust say: {reason}");
}

fn good() -> String {
    site().config_text()
}

#[test]
fn a_good_configuration_passes() {
    let output = site().call("check");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
}

#[test]
fn an_unknown_key() {
    let config = good().replace("disk_reserve_mib", "disk_reserve_mb");
    assert_refused(&config, "disk_reserve_mb", "disk_reserve_mb", "unknown field");
    let config = good().replace("health_every_s", "health_evry_s");
    assert_refused(&config, "health_evry_s", "uplink.health_evry_s", "unknown field");
    let config = good().replace("analysis_fps", "anlysis_fps");
    assert_refused(&config, "anlysis_fps", "camera[0].anlysis_fps", "unknown field");
}

#[test]
fn an_unknown_key_in_a_rule() {
    // Rules are told apart by `kind` first, so the parser knows only which rule is wrong.
    let site = site();
    let said = complaint(&site, &site.config_text().replace("dwell_ms", "dwel_ms"));
    assert!(said.contains("edge.toml:") && said.contains("camera[0].rule[0]"), "{said}");
    assert!(said.contains("dwel_ms"), "{said}");
}

#[test]
fn a_polygon_with_two_points() {
    let corners = "[[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]";
    assert!(good().contains(corners));
    let config = good().replace(corners, "[[0.01, 0.01], [0.99, 0.01]]");
    assert_refused(&config, "polygon", "camera[0].zone[0].polygon", "at least 3 corners");
}

#[test]
fn clips_and_keys_that_cannot_be() {
    let clips = |keys: &str| good().replace("enabled = false", keys);
    assert_refused(&clips("before_s = 0"), "before_s", "clips.before_s", "1 to 20");
    assert_refused(&clips("keep_days = 400"), "keep_days", "clips.keep_days", "1 to 365");
    assert_refused(&clips("disk_percent = 95"), "disk_percent", "clips.disk_percent", "1 to 90");
    let keys = |key: &str| clips(&format!("[originals]\nrecipients = [\"{key}\"]"));
    assert_refused(&keys("age1nonsense"), "recipients", "originals.recipients[0]", "no public key of age");
    assert_refused(&keys("AGE-SECRET-KEY-1QQ"), "recipients", "originals.recipients[0]", "a secret key");
}

#[test]
fn a_zone_nobody_drew() {
    let config = good().replace("zone = \"zone-0\"", "zone = \"zone-7\"");
    assert_refused(&config, "zone = \"zone-7\"", "camera[0].rule[0].zone", "no zone \"zone-7\"");
}

#[test]
fn two_of_one_name() {
    let config = good();
    let camera = &config[config.find("[[camera]]").unwrap()..];
    let second = camera.replace("id = \"gate\"", "id = \"gate\" # again");
    assert_refused(&format!("{config}{second}"), "\"gate\" # again", "camera[1].id", "another camera named");
    let zone = "[[camera.zone]]\nid = \"zone-0\" # again\npolygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]\n";
    assert_refused(
        &format!("{config}{zone}"),
        "\"zone-0\" # again",
        "camera[0].zone[1].id",
        "another zone named",
    );
}

#[test]
fn a_line_and_a_zone_of_one_name() {
    let line = "[[camera.line]]\nid = \"zone-0\" # again\npoints = [[0.1, 0.1], [0.2, 0.1]]\n";
    assert_refused(
        &format!("{}{line}", good()),
        "\"zone-0\" # again",
        "camera[0].line[0].id",
        "another zone or line named",
    );
}

#[test]
fn a_line_that_is_none() {
    let line = |points: &str| format!("{}[[camera.line]]\nid = \"line\"\npoints = {points}\n", good());
    for (points, reason) in [
        ("[[0.1, 0.1]]", "at least 2 points, this one has 1"),
        ("[[0.1, 0.1], [0.1, 0.1]]", "the same"),
        ("[[0.1, 0.1], [0.1, 1.7]]", "outside the picture"),
    ] {
        assert_refused(&line(points), "points", "camera[0].line[0].points", reason);
    }
    let rule = "[[camera.rule]]\nid = \"over\"\nkind = \"line_crossing\"\nline = \"zone-0\"\n";
    assert_refused(
        &format!("{}{rule}", good()),
        "line = \"zone-0\"",
        "camera[0].rule[1].line",
        "no line \"zone-0\" in camera \"gate\"; it has: none",
    );
}

#[test]
fn a_schedule_nobody_wrote() {
    let config =
        good().replace("kind = \"zone_intrusion\"", "kind = \"zone_intrusion\"\nschedule = \"nihgt\"");
    assert_refused(
        &config,
        "schedule = \"nihgt\"",
        "camera[0].rule[0].schedule",
        "no schedule \"nihgt\" in this box; it has: none",
    );
}

#[test]
fn a_schedule_that_is_none() {
    let with = |schedule: &str| format!("{}[[schedule]]\nid = \"night\"\n{schedule}\n", good());
    assert_refused(&with("spans = []"), "spans", "schedule[0].spans", "never applies");
    assert_refused(&with("spans = [\"22-6\"]"), "\"22-6\"", "schedule[0].spans[0]", "no span of the day");
    assert_refused(
        &with("weekdays = [\"monday\"]"),
        "\"monday\"",
        "schedule[0].weekdays[0]",
        "unknown variant",
    );
    let config = format!("time_zone = \"Asia/Atlantis\"\n{}", good());
    assert_refused(&config, "time_zone", "time_zone", "an IANA name");
    let twice = format!("{}[[schedule]]\nid = \"night\" # again\n", with(""));
    assert_refused(&twice, "\"night\" # again", "schedule[1].id", "another schedule named");
}

#[test]
fn a_wrong_date_in_a_holiday_table() {
    let with = |schedule: &str| format!("{}[[schedule]]\nid = \"night\"\n{schedule}\n", good());
    let holidays = "holidays = [\n    \"2026-10-01\",\n    \"2026-02-30\",\n]";
    assert_refused(&with(holidays), "\"2026-02-30\"", "schedule[0].holidays[1]", "`2026-02` is invalid");
    assert_refused(&with("holidays = [\"1 October\"]"), "\"1 October\"", "schedule[0].holidays[0]", "year");
    let term = "terms = [{ from = \"2027-01-22\", to = \"2026-09-01\" }]";
    assert_refused(&with(term), "{ from", "schedule[0].terms[0]", "cannot end on 2026-09-01");
}

/// The good configuration with an area of one member.
fn with_area(area: &str, member: &str) -> String {
    format!("{}[[area]]\nid = \"yard\"\n{area}\n[[area.member]]\n{member}\n", good())
}

#[test]
fn an_area_of_what_is_not_there() {
    for (member, needle, key, reason) in [
        ("camera = \"gaet\"", "\"gaet\"", "camera", "no camera \"gaet\" in this box; it has: gate"),
        (
            "camera = \"gate\"\nzone = \"lawn\"",
            "\"lawn\"",
            "zone",
            "no zone or line \"lawn\" in camera \"gate\"",
        ),
        ("sensor = \"fence\"", "\"fence\"", "sensor", "no sensor \"fence\" in this box; it has: none"),
    ] {
        assert_refused(&with_area("", member), needle, &format!("area[0].member[0].{key}"), reason);
    }
    let both = "camera = \"gate\"\nsensor = \"fence\"";
    assert_refused(
        &with_area("", both),
        "[[area.member]]",
        "area[0].member[0]",
        "either `sensor` or `camera`",
    );
    let timetable = "timetable = [{ schedule = \"nihgt\", mode = \"armed_away\" }]";
    assert_refused(
        &with_area(timetable, "camera = \"gate\""),
        "\"nihgt\"",
        "area[0].timetable[0].schedule",
        "no schedule \"nihgt\" in this box",
    );
}

#[test]
fn an_area_that_cannot_work() {
    let member = "camera = \"gate\"";
    assert_refused(
        &with_area("entry_delay_s = 301", member),
        "301",
        "area[0].entry_delay_s",
        "301 seconds are not possible: 0 to 300",
    );
    // Maintenance has to end: no area can stand in it.
    assert_refused(
        &with_area("mode = \"maintenance\"", member),
        "\"maintenance\"",
        "area[0].mode",
        "unknown variant",
    );
    let twice =
        format!("{}[[area]]\nid = \"shed\"\nmember = [{{ camera = \"gate\" }}]\n", with_area("", member));
    assert_refused(&twice, "{ camera = \"gate\" }", "area[1].member[0]", "belongs to area \"yard\" already");
    let empty = format!("{}[[area]]\nid = \"shed\"\nmember = []\n", good());
    assert_refused(&empty, "member = []", "area[0].member", "at least one");
}

const PROFILE: &str = "name = 'M'\nsource = 'its manual'\n[[register]]\nid = 'di1'\ntable = 'discrete'\naddress = 0\n\
                       [[register]]\nid = 'level'\ntable = 'input'\naddress = 0\n\
                       [[point]]\nid = 'di1'\nalarm = { register = 'di1' }\n\
                       [[point]]\nid = 'high'\nalarm = { register = 'level', at_least = 9 }\n";

/// The good configuration with a Modbus line and a sensor on it.
fn with_sensor(sensor: &str, modbus: &str) -> String {
    let line = "[[modbus]]\nid = \"shed\"\nurl = \"tcp://192.0.2.40\"\n";
    format!("{}{line}[[sensor]]\nid = \"smoke\"\n{sensor}\n[sensor.modbus]\n{modbus}\n", good())
}

/// Calls `check` beside a profile; gives what it says.
fn check_with_profile(profile: &str, config: &str) -> Result<String, String> {
    let site = site();
    site.write("device.toml", profile);
    let output = site.call_with("check", config);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(only_complaint(&output)) }
}

#[test]
fn a_sensor_that_can_be_read() {
    let config =
        with_sensor("input = \"smoke\"", "line = \"shed\"\nprofile = \"device.toml\"\npoint = \"di1\"");
    let area = "[[area]]\nid = \"hall\"\n[[area.member]]\nsensor = \"smoke\"\nrole = \"always\"\n";
    let said = check_with_profile(PROFILE, &format!("{config}{area}")).unwrap();
    assert!(said.contains("1 camera(s), 1 sensor(s), nothing wrong"), "{said}");
    let perimeter = area.replace("always", "perimeter");
    let said = check_with_profile(PROFILE, &format!("{config}{perimeter}")).unwrap_err();
    assert!(said.contains("`area[0].member[0].role`") && said.contains("24-hour input (smoke)"), "{said}");
    let fusion = "[[fusion]]\nid = \"f\"\nseverity = 2\n\
                  part = [{ any = [{ sensor = \"smoke\" }] }, { any = [{ camera = \"gate\" }] }]\n";
    let said = check_with_profile(PROFILE, &format!("{config}{fusion}")).unwrap_err();
    assert!(said.contains("`fusion[0].part[0].any[0]`") && said.contains("nothing may grade"), "{said}");
}

#[test]
fn a_sensor_that_cannot() {
    let at = "line = \"shed\"\nprofile = \"device.toml\"\npoint = \"di1\"";
    for (sensor, modbus, key, reason) in [
        ("input = \"smok\"", at, "sensor[0].input", "unknown variant"),
        (
            "input = \"fence\"",
            "line = \"sehd\"\nprofile = \"p\"\npoint = \"di1\"",
            "sensor[0].modbus.line",
            "no Modbus line",
        ),
        ("input = \"fence\"", &at.replace("di1", "di2"), "sensor[0].modbus.point", "it has: di1, high"),
        ("input = \"fence\"", &format!("{at}\nunit = 248"), "sensor[0].modbus.unit", "1 to 247"),
        (
            "input = \"level\"",
            &format!("{}\ncontact = \"normally_closed\"", at.replace("di1", "high")),
            "sensor[0].modbus.contact",
            "no contact",
        ),
    ] {
        let said = check_with_profile(PROFILE, &with_sensor(sensor, modbus)).unwrap_err();
        assert!(said.contains(&format!("`{key}`")) && said.contains(reason), "{said}");
    }
    let serial = with_sensor("input = \"fence\"", at)
        .replace("192.0.2.40\"", "192.0.2.40\"\nserial = { baud = 9600 }");
    let said = check_with_profile(PROFILE, &serial).unwrap_err();
    assert!(said.contains("`modbus[0].serial`") && said.contains("serial:// only"), "{said}");
    let unreached = format!("{}[[sensor]]\nid = \"smoke\"\ninput = \"smoke\"\n", good());
    assert_refused(&unreached, "[[sensor]]", "sensor[0]", "how is it reached");
    let second = with_sensor("input = \"fence\"", at) + "[[sensor]]\nid = \"smoke\"\ninput = \"smoke\"\n";
    let said = check_with_profile(PROFILE, &second).unwrap_err();
    let line = second[..second.rfind("[[sensor]]").unwrap()].matches('\n').count() + 1;
    assert!(said.contains(&format!("edge.toml:{line}: `sensor[1]`: how is it reached")), "{said}");
    let missing = check_with_profile("", &with_sensor("input = \"fence\"", &at.replace("device", "nowhere")))
        .unwrap_err();
    assert!(missing.contains("nowhere.toml: cannot be read"), "{missing}");
    let overlap = PROFILE.replace("table = 'input'", "table = 'discrete'");
    let said = check_with_profile(&overlap, &with_sensor("input = \"fence\"", at)).unwrap_err();
    assert!(said.contains("device.toml:10: `register[1].address`: it overlaps register \"di1\""), "{said}");
}

#[test]
fn sensors_that_are_in_each_others_way() {
    let contact = |id: &str, keys: &str| {
        format!(
            "[[sensor]]\nid = \"{id}\"\ninput = \"contact\"\n[sensor.gpio]\nchip = \"/dev/gpiochip0\"\n{keys}\n"
        )
    };
    let twice = format!("{}{}{}", good(), contact("door", "line = 4"), contact("gate", "line = 4 # again"));
    assert_refused(&twice, "4 # again", "sensor[1].gpio.line", "is that of sensor \"door\" already");
    let two_ways = format!(
        "{}zigbee = {{ broker = \"b\", device = \"d\" }}\n",
        good()
            + "[[sensor]]\nid = \"door\"\ninput = \"contact\"\ngpio = { chip = \"/dev/gpiochip0\", line = 4 }\n"
    );
    assert_refused(&two_ways, "[[sensor]]", "sensor[0]", "and no other");
    let fence = format!(
        "{}[[mqtt]]\nid = \"b\"\nurl = \"mqtt://127.0.0.1:9\"\n[[sensor]]\nid = \"fence\"\ninput = \"fence\"\nzigbee = {{ broker = \"b\", device = \"d\" }}\n",
        good()
    );
    assert_refused(&fence, "[[sensor]]", "sensor[0]", "no property for fence");
    let nowhere =
        fence.replace("\"fence\"\nzigbee = { broker = \"b\"", "\"smoke\"\nzigbee = { broker = \"c\"");
    assert_refused(&nowhere, "[[sensor]]", "sensor[0]", "no broker \"c\" in this box; it has: b");
    let far = fence.replace("127.0.0.1:9", "192.0.2.9:1883");
    assert!(complaint(&site(), &far).contains("only loopback is allowed"));
}

#[test]
fn onvif_that_cannot_work() {
    let config = format!(
        "{}[[onvif]]\nid = \"gate\"\nurl = \"http://192.0.2.10\"\n[[sensor]]\nid = \"shutter\"\ninput = \"contact\"\n\
         onvif = {{ device = \"gate\", topic = \"tns1:Device/Trigger/DigitalInput\", item = \"LogicalState\" }}\n",
        good()
    );
    assert!(site().call_with("check", &config).status.success());
    let nowhere = config.replace("device = \"gate\"", "device = \"yard\"");
    assert_refused(&nowhere, "[[sensor]]", "sensor[0]", "no ONVIF device \"yard\" in this box; it has: gate");
    let half = config.replace("192.0.2.10\"\n", "192.0.2.10\"\nusername = \"admin\"\n");
    assert_refused(&half, "[[onvif]]", "onvif[0]", "give both or neither");
    let twice =
        config.replace("[[sensor]]", "[[onvif]]\nid = \"gate\"\nurl = \"http://192.0.2.11\"\n[[sensor]]");
    assert!(complaint(&site(), &twice).contains("ONVIF device"));
    let who = config.replace("Device/Trigger/DigitalInput", "RuleEngine/Recognition/Face");
    assert_refused(&who, "tns1:", "sensor[0].onvif.topic", "identifies nobody");
}

#[test]
fn the_schema_of_profiles_takes_those_that_are_shipped() {
    let output = Command::new(PROGRAM).args(["schema", "--profile"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let valid = |text: &str| schema.is_valid(&toml::from_str::<Value>(text).unwrap());
    for file in fs::read_dir(workspace_root().join("sensors")).unwrap() {
        assert!(valid(&fs::read_to_string(file.unwrap().path()).unwrap()));
    }
    assert!(valid(PROFILE) && !valid(&PROFILE.replace("table = 'input'", "table = 'register'")));
    assert!(!valid(&PROFILE.replace("at_least", "at_lest")));
}

#[test]
fn fusion_that_cannot_work() {
    let with = |parts: &str| format!("{}[[fusion]]\nid = \"f\"\nseverity = 2\npart = [{parts}]\n", good());
    let camera = "{ any = [{ camera = \"gate\" }] }";
    let zone = "{ any = [{ camera = \"gate\", zone = \"zone-0\" }] }";
    assert_refused(&with(camera), "part = [", "fusion[0].part", "at least two parts");
    assert_refused(
        &with(&format!("{zone}, {zone} ")),
        "{ camera = \"gate\", zone = \"zone-0\" }] } ",
        "fusion[0].part[1].any[0]",
        "cannot confirm itself",
    );
    let graver = "{ any = [{ camera = \"gate\" }], alone = 1 }";
    assert_refused(
        &with(&format!("{zone}, {graver}")),
        "alone = 1",
        "fusion[0].part[1].alone",
        "graver than together",
    );
    let unknown = "{ any = [{ sensor = \"fence\" }] }";
    assert_refused(
        &with(&format!("{zone}, {unknown}")),
        "\"fence\"",
        "fusion[0].part[1].any[0].sensor",
        "no sensor",
    );
    let none = "{ any = [] }";
    assert_refused(
        &with(&format!("{zone}, {none}")),
        "any = []",
        "fusion[0].part[1].any",
        "at least one input",
    );
}

#[test]
fn a_rule_that_cannot_work() {
    let with = |rule: &str| format!("{}[[camera.rule]]\nid = \"r\"\nzone = \"zone-0\"\n{rule}\n", good());
    assert_refused(
        &with("kind = \"vehicle_stopped\"\nclasses = [\"person\"]"),
        "classes = [\"person\"]",
        "camera[0].rule[1].classes",
        "a person is no vehicle",
    );
    assert_refused(
        &with("kind = \"overcrowding\"\nlimit = 2\nhysteresis = 3"),
        "hysteresis",
        "camera[0].rule[1].hysteresis",
        "more than the limit of 2",
    );
}

#[test]
fn a_broker_over_the_network_in_the_clear() {
    let config = good().replace("mqtt://127.0.0.1:9", "mqtt://192.0.2.7:1883");
    assert_refused(&config, "mqtt://192.0.2.7", "uplink.broker", "only loopback is allowed");
}

#[test]
fn a_password_in_an_address() {
    let config = good().replace("mqtt://", "mqtt://gate:hunter2@");
    assert_refused(&config, "mqtt://", "uplink.broker", "no user or password in the address");
    let config = good().replace("rtsp://", "rtsp://admin:hunter2@");
    assert_refused(&config, "rtsp://", "camera[0].url", "no user or password in the address");
    assert!(!complaint(&site(), &config).contains("hunter2"), "a secret must not be repeated");
}

#[test]
fn no_such_file() {
    let site = site();
    let missing = site.path("nowhere.toml");
    for command in ["check", "run"] {
        let output = Command::new(PROGRAM).args([command, "--config"]).arg(&missing).output().unwrap();
        assert!(only_complaint(&output).contains("nowhere.toml: cannot be read"));
    }
}

#[test]
fn a_model_of_another_hash() {
    let mut site = site();
    let folder = site.path("models");
    fs::create_dir(&folder).unwrap();
    let hash = manifest_value(&site.manifest, "sha256");
    let file = manifest_value(&site.manifest, "file");
    site.manifest = changed_manifest(&site.manifest, &folder, &hash, &"0".repeat(64));
    let said = complaint(&site, &site.config_text());
    assert!(said.starts_with(&format!("{}: `sha256`: ", site.manifest.display())), "{said}");
    assert!(said.contains(&file) && said.contains(&hash), "{said}");
}

#[test]
fn no_manifest_and_no_weights() {
    let mut site = site();
    let folder = site.path("models");
    fs::create_dir(&folder).unwrap();
    let file = manifest_value(&site.manifest, "file");
    site.manifest = changed_manifest(&site.manifest, &folder, &file, "weights/gone.onnx");
    let said = complaint(&site, &site.config_text());
    assert!(said.contains("gone.onnx: cannot be read") && said.contains("setup/install.sh model"), "{said}");
    site.manifest = folder.join("gone.toml");
    let said = complaint(&site, &site.config_text());
    assert!(said.contains("gone.toml: cannot be read"), "{said}");
}

#[test]
fn no_runtime_library() {
    let mut site = site();
    site.runtime = site.path("libnowhere.so");
    let said = complaint(&site, &site.config_text());
    assert!(said.contains("libnowhere.so") && said.contains("`model.runtime`"), "{said}");
    assert!(said.contains("no such file"), "{said}");
}

#[test]
fn a_runtime_that_is_no_library() {
    let mut site = site();
    site.runtime = site.write("libtext.so", "this is no library");
    let said = complaint(&site, &site.config_text());
    assert!(
        said.contains("libtext.so: ONNX Runtime cannot be loaded") && said.contains("`model.runtime`"),
        "{said}"
    );
    assert!(said.contains("setup/install.sh onnxruntime"), "{said}");
}

#[test]
fn a_manifest_that_names_another_tensor() {
    let mut site = site();
    let folder = site.path("models");
    fs::create_dir(&folder).unwrap();
    site.manifest = changed_manifest(&site.manifest, &folder, "\"heatmap\"", "\"hetmap\"");
    let said = complaint(&site, &site.config_text());
    assert!(said.starts_with(&format!("{}: `decoder.heatmap`", site.manifest.display())), "{said}");
    assert!(said.contains("no tensor \"hetmap\"; it has: "), "{said}");
}

#[test]
fn no_password_file() {
    // Only `check` refuses it: a box that runs goes on watching, and reads the file at each connection.
    let mut site = site();
    let complaint = |site: &Site, config: &str| only_complaint(&site.call_with("check", config));
    site.password = Some("hunter2".into());
    let config = site.config_text();
    fs::remove_file(site.path("uplink.password")).unwrap();
    let said = complaint(&site, &config);
    assert!(said.contains("uplink.password: the password cannot be read"), "{said}");
    site.write("uplink.password", "\n");
    let said = complaint(&site, &config);
    assert!(said.contains("uplink.password: the password file is empty"), "{said}");
    let camera =
        format!("username = \"admin\"\npassword_file = {:?}\n[[camera.zone]]", site.path("camera.password"));
    let config = site.config_text().replace("[[camera.zone]]", &camera);
    let said = complaint(&site, &config);
    assert!(said.contains("camera.password: the password cannot be read"), "{said}");
}

fn example() -> String {
    fs::read_to_string(workspace_root().join("config/edge.example.toml")).unwrap()
}

#[test]
fn the_example_passes_once_its_paths_exist() {
    let site = site();
    let password = site.write("uplink.password", "hunter2\n");
    let real = |path: &std::path::Path| path.display().to_string();
    let config = example()
        .replace("/usr/share/gatepost/models/centernet-512.toml", &real(&site.manifest))
        .replace("/usr/lib/gatepost/libonnxruntime.so", &real(&site.runtime))
        .replace("/etc/gatepost/uplink.password", &real(&password));
    let output = site.call_with("check", &config);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("1 camera(s), 0 sensor(s), nothing wrong"), "{said}");
}

#[test]
fn the_schema_takes_the_example_and_refuses_what_the_program_refuses() {
    let output = Command::new(PROGRAM).arg("schema").output().unwrap();
    assert!(output.status.success());
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let valid = |text: &str| schema.is_valid(&toml::from_str::<Value>(text).unwrap());
    assert!(valid(&example()));
    assert!(valid(&good()));
    for (from, to) in [
        ("data_dir", "data_dri"),
        ("dwell_ms", "dwel_ms"),
        ("analysis_fps = 5", "analysis_fps = 0"),
        ("severity = 2", "severity = 7"),
        (", [0.75, 0.95], [0.30, 0.95]]", "]"),
        ("kind = \"zone_intrusion\"", "kind = \"rain\""),
        ("points = [[0.20, 0.60], [0.28, 0.90]]", "points = [[0.20, 0.60]]"),
        ("22:00-06:00", "22-6"),
        ("on_holidays = \"all_day\"", "on_holidays = \"sometimes\""),
        ("edge = \"gate-1\"", "edge = \"Gate 1\""),
    ] {
        let wrong = example().replace(from, to);
        assert_ne!(wrong, example(), "{from}");
        assert!(!valid(&wrong), "the schema takes {to}");
    }
}
