//! ONVIF: what cameras tell of their own inputs and of what they noticed themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::Seconds;
use super::name::name;

/// Where a device's own service is, unless its address says otherwise (ONVIF Core Specification, 5.5.1).
const DEVICE_SERVICE: &str = "/onvif/device_service";

name! {
    /// Name of an ONVIF device whose events are pulled.
    OnvifDeviceId
}

/// A device whose events are pulled.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnvifDevice {
    /// Name of the device, unique among those of this box.
    pub id: OnvifDeviceId,
    /// `http://host:port`, without user and password; with a path where its device service is not at the usual one.
    pub url: OnvifUrl,
    /// User name the device asks for.
    pub username: Option<String>,
    /// File that holds the password, on its first line. Only a digest of it travels.
    pub password_file: Option<PathBuf>,
}

/// What a device tells of a sensor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "OnvifKeys")]
#[schemars(with = "OnvifKeys")]
pub struct OnvifPoint {
    /// The device.
    pub device: OnvifDeviceId,
    /// The topic of its messages.
    pub topic: OnvifTopic,
    /// What their source has to be.
    pub source: BTreeMap<String, String>,
    /// The value that tells, and when it is tripped; none where each message is an alarm.
    pub item: Option<(String, Vec<String>)>,
    /// It says when it trips, but not when it rests: so long after that it does.
    pub rests_after_s: Option<Seconds<1, 3600>>,
}

/// A topic, `tns1:Device/Trigger/DigitalInput`. Prefixes of namespaces do not count: each device chooses its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct OnvifTopic(Vec<String>);

impl OnvifTopic {
    /// Is this the topic a device names so?
    pub fn is(&self, named: &str) -> bool {
        segments(named).eq(self.0.iter().map(String::as_str))
    }
}

impl TryFrom<String> for OnvifTopic {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let segments: Vec<String> = segments(&text).map(str::to_owned).collect();
        if segments.iter().any(|it| it.is_empty() || it.contains(['*', '|', '.'])) {
            return Err("a topic is a path without wildcards, such as tns1:Device/Trigger/DigitalInput");
        }
        if segments.iter().any(|it| identifies_somebody(it)) {
            return Err(
                "this topic tells who somebody is, or whose a vehicle is: Gatepost protects places and identifies nobody",
            );
        }
        Ok(Self(segments))
    }
}

/// Topics of faces and plates: `tns1:RuleEngine/Recognition` and what makers add beside it.
fn identifies_somebody(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase();
    ["recognition", "face", "plate", "anpr", "lpr"].iter().any(|word| segment.contains(word))
}

fn segments(topic: &str) -> impl Iterator<Item = &str> {
    topic.trim().split('/').map(|segment| segment.split_once(':').map_or(segment, |(_, name)| name))
}

/// Address of a device's service, never with a password in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct OnvifUrl(Url);

impl OnvifUrl {
    /// The address.
    pub const fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for OnvifUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for OnvifUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let mut url =
            Url::parse(&text).map_err(|e| format!("no ONVIF address: {e}; http://host is needed"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("no user or password in the address: use `username` and `password_file`".into());
        }
        if url.scheme() != "http" || url.host_str().is_none() {
            return Err(format!(
                "an ONVIF device is reached by http://host (there is no TLS yet), not {}://",
                url.scheme()
            ));
        }
        if url.path() == "/" {
            url.set_path(DEVICE_SERVICE);
        }
        Ok(Self(url))
    }
}

/// What a device tells of a sensor, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnvifKeys {
    /// The device.
    device: OnvifDeviceId,
    /// The topic of its messages, `tns1:Device/Trigger/DigitalInput`.
    topic: OnvifTopic,
    /// Values the messages' source must have, `{ InputToken = "1" }`; any source unless given.
    #[serde(default)]
    source: BTreeMap<String, String>,
    /// Name of the value that tells, `LogicalState`.
    item: Option<String>,
    /// What it is while the sensor is tripped; `true` or `1` unless given.
    any_of: Option<Vec<String>>,
    /// For messages that tell only of a moment: seconds after which the sensor is at rest again.
    rests_after_s: Option<Seconds<1, 3600>>,
}

impl TryFrom<OnvifKeys> for OnvifPoint {
    type Error = &'static str;
    fn try_from(keys: OnvifKeys) -> Result<Self, Self::Error> {
        let OnvifKeys { device, topic, source, item, any_of, rests_after_s } = keys;
        let item = match (item, any_of) {
            (Some(_), Some(values)) if values.is_empty() => {
                return Err("`any_of` without a value never holds");
            }
            (Some(item), values) => Some((item, values.unwrap_or_else(|| vec!["true".into(), "1".into()]))),
            (None, Some(_)) => return Err("`any_of` needs the `item` it is asked of"),
            (None, None) if rests_after_s.is_none() => {
                return Err(
                    "it needs the `item` that tells, or `rests_after_s` where each message is an alarm",
                );
            }
            (None, None) => None,
        };
        Ok(Self { device, topic, source, item, rests_after_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_the_same_whatever_their_prefixes() {
        let topic = OnvifTopic::try_from("tns1:Device/Trigger/DigitalInput".to_owned()).unwrap();
        assert!(
            topic.is("tns1:Device/Trigger/DigitalInput")
                && topic.is(" ns2:Device/tnsx:Trigger/DigitalInput\n")
        );
        assert!(!topic.is("tns1:Device/Trigger") && !topic.is("tns1:Device/Trigger/Relay"));
        for bad in ["", "tns1:Device//.", "tns1:Device/*", "a|b"] {
            assert!(OnvifTopic::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        for who in [
            "tns1:RuleEngine/Recognition/Face",
            "tns1:RuleEngine/tnsx:FaceDetect",
            "tns1:VideoAnalytics/LicensePlate",
        ] {
            assert!(OnvifTopic::try_from(who.to_owned()).unwrap_err().contains("identifies nobody"), "{who}");
        }
    }

    #[test]
    fn the_device_service_is_where_it_usually_is() {
        let url = |text: &str| OnvifUrl::try_from(text.to_owned()).map(|url| url.to_string());
        assert_eq!(url("http://192.0.2.10").unwrap(), "http://192.0.2.10/onvif/device_service");
        assert_eq!(url("http://192.0.2.10:8080/dev").unwrap(), "http://192.0.2.10:8080/dev");
        assert!(url("https://192.0.2.10").unwrap_err().contains("no TLS yet"));
        let secret = url("http://admin:hunter2@192.0.2.10").unwrap_err();
        assert!(secret.contains("password_file") && !secret.contains("hunter2"));
    }

    #[test]
    fn a_point_tells_by_a_value_or_by_each_message() {
        let point = |keys: &str| {
            let text = format!("device = 'gate'\ntopic = 'tns1:RuleEngine/LineDetector/Crossed'\n{keys}");
            toml::from_str::<OnvifPoint>(&text).map_err(|error| error.to_string())
        };
        assert_eq!(point("item = 'State'").unwrap().item.unwrap().1, ["true", "1"]);
        assert!(point("rests_after_s = 10").unwrap().item.is_none());
        assert!(point("").unwrap_err().contains("rests_after_s"));
        assert!(point("any_of = ['1']").unwrap_err().contains("needs the `item`"));
    }
}
