//! Reading a device's profile, with faults named as in the configuration itself.

use std::collections::BTreeSet;
use std::path::Path;

use super::{ConfigError, Document};
use crate::config::{Condition, Profile, ProfilePoint, Register, RegisterId};

/// Reads and checks a profile.
pub(super) fn load(file: &Path) -> Result<Profile, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    parse(&text, file)
}

pub(super) fn parse(text: &str, file: &Path) -> Result<Profile, ConfigError> {
    let document = Document { text, file };
    let profile: Profile = document.read()?;
    document.check_profile(&profile)?;
    Ok(profile)
}

impl Document<'_> {
    fn check_profile(&self, profile: &Profile) -> Result<(), ConfigError> {
        if profile.source.trim().is_empty() {
            return Err(
                self.fault("source", "say where the registers are described: who mends it must find it")
            );
        }
        let mut names = BTreeSet::new();
        for (r, register) in profile.registers.iter().enumerate() {
            let key = format!("register[{r}]");
            self.unique(&mut names, &register.id, &key, "register")?;
            self.check_place(&profile.registers[..r], register, &key)?;
        }
        let mut points = BTreeSet::new();
        for (p, point) in profile.points.iter().enumerate() {
            let key = format!("point[{p}]");
            self.unique(&mut points, &point.id, &key, "point")?;
            self.check_point(profile, &names, point, &key)?;
        }
        if points.is_empty() {
            return Err(self.fault("point", "a profile needs at least one [[point]]"));
        }
        Ok(())
    }

    fn check_place(&self, others: &[Register], register: &Register, key: &str) -> Result<(), ConfigError> {
        match others.iter().find(|other| other.overlaps(register)) {
            Some(other) => {
                let message = format!(
                    "it overlaps register {:?}, which begins at {} and takes {}: one of the two is wrong",
                    other.id.as_str(),
                    other.address,
                    other.len()
                );
                Err(self.fault(format!("{key}.address"), message))
            }
            None => Ok(()),
        }
    }

    fn check_point(
        &self,
        profile: &Profile,
        names: &BTreeSet<&RegisterId>,
        point: &ProfilePoint,
        key: &str,
    ) -> Result<(), ConfigError> {
        let condition = |condition: &Condition, key: &str| -> Result<(), ConfigError> {
            self.known(names, &condition.register, format!("{key}.register"), "register", "this profile")?;
            let misfit = profile.register(&condition.register).and_then(|it| condition.misfit(it));
            misfit.map_or(Ok(()), |misfit| Err(self.fault(key, misfit)))
        };
        condition(&point.alarm, &format!("{key}.alarm"))?;
        if let Some(measure) = &point.measure {
            self.known(names, measure, format!("{key}.measure"), "register", "this profile")?;
        }
        for (f, fault) in point.faults.iter().enumerate() {
            let key = format!("{key}.fault[{f}].when");
            condition(&fault.when, &key)?;
            if point.conditions().take(f + 1).any(|other| other.contradicts(&fault.when)) {
                let message =
                    "the same value is an alarm or another fault already: it can mean only one thing";
                return Err(self.fault(key, message));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = 'M'\nsource = 'its manual'\n\
        [[register]]\nid = 'status'\ntable = 'input'\naddress = 0\n\
        [[register]]\nid = 'level'\ntable = 'input'\naddress = 1\ntype = 'f32'\n\
        [[register]]\nid = 'door'\ntable = 'discrete'\naddress = 0\n\
        [[point]]\nid = 'leak'\nalarm = { register = 'status', bit = 0 }\nmeasure = 'level'\n\
        [[point.fault]]\nkind = 'open'\nwhen = { register = 'status', bit = 1 }\ndetail = 'cut'\n\
        [[point]]\nid = 'loop'\nalarm = { register = 'level', at_least = 2.0, at_most = 3.0 }\n\
        [[point.fault]]\nkind = 'short'\nwhen = { register = 'level', at_most = 1.0 }\ndetail = 'bridged'\n\
        [[point]]\nid = 'door'\nalarm = { register = 'door' }\n";

    fn fault(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        parse(&GOOD.replacen(from, to, 1), Path::new("p.toml")).unwrap_err().to_string()
    }

    #[test]
    fn faults_name_file_line_and_key() {
        parse(GOOD, Path::new("p.toml")).unwrap();
        for (from, to, place, reason) in [
            (
                "address = 1\n",
                "address = 0\n",
                "p.toml:10: `register[1].address`",
                "overlaps register \"status\"",
            ),
            (
                "address = 0\n",
                "address = 2\n",
                "p.toml:10: `register[1].address`",
                "overlaps register \"status\"",
            ),
            ("'level'\ntable", "'status'\ntable", "p.toml:8: `register[1].id`", "another register"),
            ("address = 1\n", "address = 65535\n", "`register[1]`", "last address"),
            ("table = 'discrete'\n", "table = 'discrete'\nscale = 2.0\n", "`register[2]`", "on or off"),
            ("'status', bit = 0", "'sattus', bit = 0", "`point[0].alarm.register`", "no register \"sattus\""),
            ("'status', bit = 0", "'status', bit = 16", "`point[0].alarm`", "no bit 16"),
            ("'status', bit = 0", "'status'", "`point[0].alarm`", "is a number"),
            ("'status', bit = 0", "'door', bit = 0", "`point[0].alarm`", "on or off"),
            ("'status', bit = 0", "'level', any_of = [1]", "`point[0].alarm`", "at_least"),
            ("'status', bit = 0", "'status', bit = 0, at_most = 3.0", "`point[0].alarm`", "go with neither"),
            ("'status', bit = 0", "'status', any_of = []", "`point[0].alarm`", "never holds"),
            ("'status', bit = 1", "'status', bit = 0", "`point[0].fault[0].when`", "only one thing"),
            ("at_most = 1.0", "at_most = 2.5", "`point[1].fault[0].when`", "only one thing"),
            ("at_least = 2.0", "at_least = 4.0", "`point[1].alarm`", "never holds"),
            ("measure = 'level'", "measure = 'depth'", "`point[0].measure`", "no register \"depth\""),
            ("source = 'its manual'", "source = ''", "p.toml:2: `source`", "described"),
            (
                "bit = 1 }\ndetail = 'cut'",
                "bit = 1 }\ndetail = 'cut'\nlamp = 1",
                "`point[0].fault[0].lamp`",
                "unknown",
            ),
        ] {
            let said = fault(from, to);
            assert!(said.contains(place) && said.contains(reason), "{to}: {said}");
        }
    }

    #[test]
    fn the_shipped_profiles_are_valid() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../sensors"));
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "toml") {
                load(&file).unwrap_or_else(|error| panic!("{error}"));
                count += 1;
            }
        }
        assert!(count >= 3, "{count}");
    }
}
