//! A person's way through the desk, with a real database.

use std::collections::BTreeSet;

use super::*;
use crate::access::{PersonChange, ProviderName, Role, Roles, Scope, Site, Subject};
use crate::store::testing::fresh;

const GOOD: &str = "correct horse battery";
const HERE: &str = "127.0.0.1";

struct Hub {
    _dir: tempfile::TempDir,
    store: Store,
    desk: Desk,
}

async fn hub() -> Hub {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    let desk = Desk::new(store.clone());
    Hub { _dir: dir, store, desk }
}

fn name(text: &str) -> PersonName {
    text.parse().unwrap()
}

fn password(text: &str) -> Password {
    serde_json::from_value(text.into()).unwrap()
}

fn person(text: &str, roles: &[Role]) -> Person {
    let roles: BTreeSet<Role> = roles.iter().copied().collect();
    Person::invited(name(text), "王丽".parse().unwrap(), Roles::try_from(roles).unwrap(), None)
}

impl Hub {
    async fn add(&self, text: &str, roles: &[Role]) -> (Token, Session) {
        self.store.add_person(&person(text, roles), "command line", Timestamp::now()).await.unwrap();
        let link = Desk::invite(&self.store, &name(text), "command line").await.unwrap();
        self.desk.accept(&link.token, password(GOOD), HERE).await.unwrap()
    }

    async fn try_in(&self, text: &str, secret: &str) -> Result<(Token, Session), AccessError> {
        self.desk.sign_in(text, password(secret), None, HERE).await
    }

    async fn is_in(&self, token: &Token) -> bool {
        self.desk.session(token).await.unwrap().is_some()
    }

    async fn log(&self) -> Vec<Action> {
        let (records, _) = self.store.access_records(None, 100).await.unwrap();
        records.into_iter().rev().map(|record| record.action).collect()
    }
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_the_password_lets_in() {
    let hub = hub().await;
    hub.store.add_person(&person("wang.li", &[Role::Operator]), "root", Timestamp::now()).await.unwrap();
    assert!(
        matches!(hub.try_in("wang.li", GOOD).await, Err(AccessError::WrongPassword)),
        "no password is set"
    );
    let lost = Desk::invite(&hub.store, &name("wang.li"), "root").await.unwrap();
    let link = Desk::invite(&hub.store, &name("wang.li"), "root").await.unwrap();
    let accept =
        async |link: &Invitation, text: &str| hub.desk.accept(&link.token, password(text), HERE).await;
    assert!(matches!(accept(&lost, GOOD).await, Err(AccessError::UselessLink)), "a newer one was made");
    assert!(matches!(accept(&link, "short").await, Err(AccessError::Unfit(PasswordError::Short))));
    let (first, session) = accept(&link, GOOD).await.unwrap();
    assert!(matches!(accept(&link, GOOD).await, Err(AccessError::UselessLink)), "it was used");
    assert_eq!((session.person.name.as_str(), session.person.state), ("wang.li", PersonState::Active));
    assert!(hub.is_in(&first).await);
    let (second, _) = hub.try_in("wang.li", GOOD).await.unwrap();
    hub.desk.sign_out(&session, HERE).await.unwrap();
    assert!(!hub.is_in(&first).await && hub.is_in(&second).await);
    assert!(!hub.is_in(&Token::shown("x")).await);
    use Action::{Invited, PasswordSet, PersonAdded, SignInFailed, SignedIn, SignedOut};
    assert_eq!(
        hub.log().await,
        [PersonAdded, SignInFailed, Invited, Invited, PasswordSet, SignedIn, SignedIn, SignedOut]
    );

    // Somebody has lost the password: the way back is a link, and it ends what the finder may have opened.
    let link = Desk::invite(&hub.store, &name("wang.li"), "li.na").await.unwrap();
    assert!(hub.is_in(&second).await, "a link alone changes nothing");
    accept(&link, "another good one").await.unwrap();
    assert!(!hub.is_in(&second).await);
    assert!(matches!(hub.try_in("wang.li", GOOD).await, Err(AccessError::WrongPassword)));
}

#[tokio::test]
async fn who_guesses_waits_and_learns_nothing() {
    let hub = hub().await;
    let (token, _) = hub.add("wang.li", &[Role::Operator]).await;
    for who in ["wang.li", "nobody"] {
        for _ in 0..5 {
            assert!(matches!(hub.try_in(who, "wrong wrong wrong").await, Err(AccessError::WrongPassword)));
        }
        let Err(AccessError::Wait(wait)) = hub.try_in(who, GOOD).await else { panic!("{who} need not wait") };
        assert!(wait > Duration::from_secs(10) && wait <= Duration::from_secs(15), "{wait:?}");
    }
    assert!(matches!(hub.try_in("No Name", GOOD).await, Err(AccessError::WrongPassword)));
    assert!(hub.is_in(&token).await, "who is in stays in");
    let failures = hub.log().await.into_iter().filter(|action| *action == Action::SignInFailed).count();
    assert_eq!(failures, 5, "what strangers make up does not fill the log");
    hub.store.forgive(&name("wang.li")).await.unwrap();
    hub.try_in("wang.li", GOOD).await.unwrap();
}

#[tokio::test]
async fn attempts_at_once_are_all_counted() {
    let hub = hub().await;
    hub.add("wang.li", &[Role::Operator]).await;
    let tries = (0..12).map(|_| hub.try_in("wang.li", "wrong wrong wrong"));
    let answers = futures_util::future::join_all(tries).await;
    let looked_at = answers.iter().filter(|answer| matches!(answer, Err(AccessError::WrongPassword))).count();
    assert_eq!(looked_at, 5, "{answers:?}");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_its_codes_count_once() {
    let hub = hub().await;
    let (_, session) = hub.add("wang.li", &[Role::Supervisor]).await;
    let who = &session.person.name;
    let wrong = hub.desk.want_factor(who, password("wrong wrong wrong"), HERE).await;
    assert!(matches!(wrong, Err(AccessError::WrongPassword)));
    assert!(matches!(hub.desk.confirm_factor(who, "000000", HERE).await, Err(AccessError::NothingToConfirm)));
    let key = hub.desk.want_factor(who, password(GOOD), HERE).await.unwrap();
    hub.try_in("wang.li", GOOD).await.expect("it is not confirmed yet");
    let now = Timestamp::now().as_second() / 30;
    let first = key.code(now);
    hub.desk.confirm_factor(who, &first, HERE).await.unwrap();
    let with = async |code: &str| hub.desk.sign_in("wang.li", password(GOOD), Some(code), HERE).await;
    assert!(matches!(hub.try_in("wang.li", GOOD).await, Err(AccessError::CodeNeeded)));
    assert!(matches!(with(&first).await, Err(AccessError::CodeWrong)), "it was used to confirm");
    let next = key.code(now + 1);
    assert!(with(&next).await.unwrap().1.person.second_factor);
    assert!(matches!(with(&next).await, Err(AccessError::CodeWrong)));
    hub.desk.remove_factor(who, password(GOOD), HERE).await.unwrap();
    hub.try_in("wang.li", GOOD).await.unwrap();
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let hub = hub().await;
    let (here, session) = hub.add("wang.li", &[Role::Operator]).await;
    let (elsewhere, _) = hub.try_in("wang.li", GOOD).await.unwrap();
    let change = async |old: &str, new: &str| {
        hub.desk.change_password(&session, password(old), password(new), HERE).await
    };
    assert!(matches!(change("wrong wrong wrong", "another good one").await, Err(AccessError::WrongPassword)));
    assert!(matches!(change(GOOD, "wang.li").await, Err(AccessError::Unfit(_))));
    change(GOOD, "another good one").await.unwrap();
    assert!(hub.is_in(&here).await && !hub.is_in(&elsewhere).await);
}

#[tokio::test]
async fn accounts_change_and_one_administrator_is_left() {
    let hub = hub().await;
    let (admin, _) = hub.add("admin", &[Role::Administrator]).await;
    let (operator, _) = hub.add("wang.li", &[Role::Operator]).await;
    let now = Timestamp::now();
    let again = hub.store.add_person(&person("wang.li", &[Role::Auditor]), "admin", now).await;
    assert!(matches!(again, Err(PersonError::Taken(_))));
    let change = async |who: &str, change: PersonChange| {
        hub.store.change_person(&name(who), change, "admin", Timestamp::now()).await
    };
    let disabled = || PersonChange { disabled: Some(true), ..PersonChange::default() };
    assert!(matches!(change("admin", disabled()).await, Err(PersonError::LastAdministrator(_))));
    assert!(hub.is_in(&admin).await);
    assert!(matches!(change("nobody", disabled()).await, Err(PersonError::Unknown(_))));
    assert_eq!(change("wang.li", disabled()).await.unwrap().state, PersonState::Disabled);
    assert!(!hub.is_in(&operator).await, "at once");
    assert!(matches!(hub.try_in("wang.li", GOOD).await, Err(AccessError::WrongPassword)));
    let link = Desk::invite(&hub.store, &name("wang.li"), "admin").await.unwrap();
    let useless = hub.desk.accept(&link.token, password(GOOD), HERE).await;
    assert!(matches!(useless, Err(AccessError::UselessLink)));
    let enabled = PersonChange { disabled: Some(false), ..PersonChange::default() };
    assert_eq!(change("wang.li", enabled).await.unwrap().state, PersonState::Active);
    hub.try_in("wang.li", GOOD).await.unwrap();
}

#[tokio::test]
async fn sites_limit_and_are_not_left_dangling() {
    let hub = hub().await;
    let now = Timestamp::now();
    let school: crate::access::SiteId = "school-3".parse().unwrap();
    let limited = Some([school.clone()].into_iter().collect::<BTreeSet<_>>());
    let add = async |text: &str, roles: &[Role]| {
        let person = Person { sites: limited.clone(), ..person(text, roles) };
        hub.store.add_person(&person, "admin", Timestamp::now()).await
    };
    assert!(matches!(add("wang.li", &[Role::Operator]).await, Err(PersonError::UnknownSite(_))));
    let site = |id: &str, edges: &[&str]| Site {
        site: id.parse().unwrap(),
        label: "第三小学".to_owned().try_into().unwrap(),
        edges: edges.iter().map(|edge| edge.parse().unwrap()).collect(),
        deadlines: crate::incident::SiteDeadlines::default(),
    };
    hub.store.put_site(&site("school-3", &["gate-1", "gate-2"]), "admin", now).await.unwrap();
    hub.store.put_site(&site("school-4", &["gate-2"]), "admin", now).await.unwrap();
    let (sites, _) = hub.store.sites().await.unwrap();
    assert_eq!(sites, [site("school-3", &["gate-1"]), site("school-4", &["gate-2"])], "a box moves");
    add("wang.li", &[Role::Operator]).await.unwrap();
    assert!(matches!(add("zhao", &[Role::Auditor]).await, Err(PersonError::NeedsAllSites(Role::Auditor))));
    let kept = hub.store.account(&name("wang.li")).await.unwrap().unwrap().person;
    assert_eq!(kept.sites, limited);
    let edges = hub.store.edges_within(&kept.scope()).await.unwrap();
    assert_eq!(edges, Some(["gate-1".parse().unwrap()].into_iter().collect()));
    assert_eq!(hub.store.edges_within(&Scope::All).await.unwrap(), None);
    let removed = hub.store.remove_site(&school, "admin", now).await;
    assert!(matches!(removed, Err(crate::store::SiteError::InUse { .. })), "{removed:?}");
    hub.store.remove_site(&"school-4".parse().unwrap(), "admin", now).await.unwrap();
    assert_eq!(hub.store.sites().await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn who_first_comes_by_a_name_of_the_provider_is_the_one_for_good() {
    let hub = hub().await;
    let subject = |text: &str| Subject::new("https://id.example", text).unwrap();
    let called = |text: &str| text.parse::<ProviderName>().unwrap();
    let linked = person("wang.li", &[Role::Operator]).linked(Some(called("Wang.Li@x")));
    hub.store.add_person(&linked, "root", Timestamp::now()).await.unwrap();
    let again = person("li.na", &[Role::Operator]).linked(Some(called("Wang.Li@x")));
    let taken = hub.store.add_person(&again, "root", Timestamp::now()).await;
    assert!(matches!(taken, Err(PersonError::ProviderNameTaken(_))), "{taken:?}");
    assert_eq!(hub.store.people().await.unwrap().len(), 1, "nothing is left of who was refused");

    let admit = async |who: &str, name: &str| hub.desk.admit(&subject(who), Some(&called(name)), HERE).await;
    assert!(hub.desk.recognise(&subject("1"), HERE).await.unwrap().is_none());
    assert!(matches!(admit("1", "wang.li@x").await, Err(Stranger::Nobody)), "to the letter");
    assert!(matches!(hub.desk.admit(&subject("1"), None, HERE).await, Err(Stranger::Nobody)));
    let (token, session) = admit("1", "Wang.Li@x").await.unwrap();
    assert_eq!((session.person.state, session.person.password), (PersonState::Active, false));
    assert!(hub.is_in(&token).await);
    assert!(matches!(admit("2", "Wang.Li@x").await, Err(Stranger::Another)));
    assert!(hub.desk.recognise(&subject("1"), HERE).await.unwrap().is_some());
    let elsewhere = Subject::new("https://id.example/", "1").unwrap();
    assert!(hub.desk.recognise(&elsewhere, HERE).await.unwrap().is_none(), "another provider's 1 is another");
    assert!(matches!(hub.try_in("wang.li", GOOD).await, Err(AccessError::WrongPassword)));

    let change = async |change: PersonChange| {
        hub.store.change_person(&name("wang.li"), change, "root", Timestamp::now()).await.unwrap()
    };
    change(PersonChange { provider: Some(Some(called("Wang.Li@x"))), ..PersonChange::default() }).await;
    assert!(hub.is_in(&token).await, "the same name changes nothing");
    let renamed =
        change(PersonChange { provider: Some(Some(called("wang"))), ..PersonChange::default() }).await;
    assert_eq!((renamed.state, renamed.provider.unwrap().bound), (PersonState::Invited, None));
    assert!(!hub.is_in(&token).await, "another name unbinds");
    assert!(hub.desk.recognise(&subject("1"), HERE).await.unwrap().is_none());
    let (token, _) = admit("2", "wang").await.unwrap();
    change(PersonChange { disabled: Some(true), ..PersonChange::default() }).await;
    assert!(!hub.is_in(&token).await);
    assert!(matches!(hub.desk.recognise(&subject("2"), HERE).await, Err(Stranger::Disabled)));
    change(PersonChange { unbind: true, ..PersonChange::default() }).await;
    assert!(matches!(admit("2", "wang").await, Err(Stranger::Disabled)), "nobody is bound to it");
    change(PersonChange { disabled: Some(false), provider: Some(None), ..PersonChange::default() }).await;
    assert!(matches!(admit("2", "wang").await, Err(Stranger::Nobody)));

    use Action::{
        PersonAdded, PersonChanged, PersonDisabled, PersonEnabled, ProviderBound, ProviderUnbound,
        SignInFailed, SignedIn,
    };
    assert_eq!(
        hub.log().await,
        [
            PersonAdded,
            SignInFailed,
            SignInFailed,
            ProviderBound,
            SignedIn,
            SignInFailed,
            SignedIn,
            SignInFailed,
            PersonChanged,
            ProviderUnbound,
            ProviderBound,
            SignedIn,
            PersonDisabled,
            SignInFailed,
            ProviderUnbound,
            SignInFailed,
            PersonChanged,
            PersonEnabled,
            SignInFailed,
        ]
    );
}

/// Somebody signs in by the provider at the very moment an administrator unbinds the account.
#[tokio::test]
async fn who_was_unbound_meanwhile_gets_no_session() {
    let hub = hub().await;
    let subject = Subject::new("https://id.example", "1").unwrap();
    let called: ProviderName = "wang".parse().unwrap();
    let linked = person("wang.li", &[Role::Operator]).linked(Some(called.clone()));
    hub.store.add_person(&linked, "root", Timestamp::now()).await.unwrap();
    let (_, session) = hub.desk.admit(&subject, Some(&called), HERE).await.unwrap();
    let unbind = PersonChange { unbind: true, ..PersonChange::default() };
    hub.store.change_person(&name("wang.li"), unbind, "root", Timestamp::now()).await.unwrap();
    let entry = Entry::about(&name("wang.li"), Action::SignedIn);
    assert!(!hub.store.begin_session(&session, Proof::Provider(&subject), &entry).await.unwrap());
}
