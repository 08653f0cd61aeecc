//! Accounts from the command line: the first one, and the way back in when nobody has one.

use std::collections::BTreeSet;

use anyhow::Context as _;
use clap::Subcommand;
use gatepost_hub::access::{
    Desk, DisplayName, Person, PersonChange, PersonName, PersonState, ProviderName, Role, Roles, SiteId,
};
use gatepost_hub::config::{self, Config};
use gatepost_wire::Timestamp;

use super::{BY, with_store};
use crate::ConfigFile;

#[derive(Subcommand)]
pub enum PersonCommand {
    /// Makes an account and prints a one-time link by which its person sets a password
    Add {
        /// By what the person signs in, e.g. wang.li
        name: PersonName,
        /// What others call the person, e.g. 王丽
        #[arg(long, value_name = "NAME")]
        display_name: DisplayName,
        /// operator, handler, supervisor, maintainer, technician, auditor or administrator; more than once for more
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<Role>,
        /// A site the person is limited to; more than once for more
        #[arg(long = "site", value_name = "SITE")]
        sites: Vec<SiteId>,
        /// What the OpenID Connect provider calls the person, exactly as it writes it: they sign in by it, and need no link
        #[arg(long, value_name = "NAME")]
        provider_name: Option<ProviderName>,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Lists everybody who has an account
    List(ConfigFile),
    /// Prints a new one-time link, for who has lost the password or the second factor
    Link {
        /// By what the person signs in
        name: PersonName,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Shuts a person out, at once
    Disable {
        /// By what the person signs in
        name: PersonName,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Lets a person in again
    Enable {
        /// By what the person signs in
        name: PersonName,
        #[command(flatten)]
        config: ConfigFile,
    },
}

impl PersonCommand {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add { name, display_name, roles, sites, provider_name, config: file } => {
                let roles: BTreeSet<Role> = roles.into_iter().collect();
                let roles = Roles::try_from(roles).map_err(anyhow::Error::msg)?;
                let sites = (!sites.is_empty()).then(|| sites.into_iter().collect());
                let person = Person::invited(name, display_name, roles, sites).linked(provider_name);
                add(&config::load(&file.config)?, &person)
            }
            Self::List(file) => list(&config::load(&file.config)?),
            Self::Link { name, config: file } => link(&config::load(&file.config)?, &name),
            Self::Disable { name, config: file } => set_disabled(&config::load(&file.config)?, &name, true),
            Self::Enable { name, config: file } => set_disabled(&config::load(&file.config)?, &name, false),
        }
    }
}

fn add(config: &Config, person: &Person) -> anyhow::Result<()> {
    with_store(config, async |store| Ok(store.add_person(person, BY, Timestamp::now()).await?))?;
    match &person.provider {
        None => link(config, &person.name),
        Some(_) => {
            eprintln!("{} signs in by the provider at {}", person.name, config.web.page(&config.tls.names));
            Ok(())
        }
    }
}

fn link(config: &Config, name: &PersonName) -> anyhow::Result<()> {
    let invitation = with_store(config, async |store| Ok(Desk::invite(store, name, BY).await?))?;
    eprintln!(
        "{name} sets a password by this link, once, until {}; it is shown only here:",
        invitation.until
    );
    println!("{}/#welcome={name}:{}", config.web.page(&config.tls.names), invitation.token.reveal());
    Ok(())
}

fn list(config: &Config) -> anyhow::Result<()> {
    for person in with_store(config, async |store| Ok(store.people().await?))? {
        let state = match person.state {
            PersonState::Invited => "invited, not signed in yet",
            PersonState::Active if person.second_factor => "active, with second factor",
            PersonState::Active => "active",
            PersonState::Disabled => "disabled",
        };
        let provider = match &person.provider {
            None => String::new(),
            Some(link) => format!("; at the provider: {}", link.name.as_str()),
        };
        println!(
            "{:<24} {state}; {} ({}){provider}",
            person.name,
            person.display_name.as_str(),
            person.roles
        );
    }
    Ok(())
}

fn set_disabled(config: &Config, name: &PersonName, disabled: bool) -> anyhow::Result<()> {
    let change = PersonChange { disabled: Some(disabled), ..PersonChange::default() };
    with_store(config, async |store| {
        let changed = store.change_person(name, change, BY, Timestamp::now()).await;
        changed.map(|_| ()).with_context(|| format!("person {name}"))
    })?;
    let now = if disabled { "shut out" } else { "let in again" };
    eprintln!("{name} is {now}.");
    Ok(())
}
