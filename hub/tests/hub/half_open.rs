//! A connection to PostgreSQL that nobody ends and on which nothing arrives any more.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use gatepost_testbed::http::{self, wait_until};
use gatepost_testbed::postgres::{PASSWORD, Postgres};
use gatepost_testbed::proxy::{Network, Proxy};

use crate::process::{Home, Hub, PATIENCE};

const DATABASE: &str = "far_away";

/// Longer than the hub itself waits for the server, in whichever state it is.
const PATIENCE_OF_A_PAGE: Duration = Duration::from_secs(90);

/// A server behind a network that can fail.
struct Site {
    server: Postgres,
    proxy: Proxy,
    home: Home,
}

impl Site {
    fn new() -> Self {
        let server = Postgres::start().unwrap();
        server.execute("postgres", &format!("CREATE DATABASE {DATABASE}")).unwrap();
        let proxy = Proxy::before(server.port()).unwrap();
        let url = server.url_by_port(DATABASE).replace(&server.port().to_string(), &proxy.port().to_string());
        let home =
            Home::embedded().with_store(&format!("[store]\nurl = {url:?}\npassword_file = \"password\"\n"));
        std::fs::write(std::path::Path::new(&home.config()).with_file_name("password"), PASSWORD).unwrap();
        Self { server, proxy, home }
    }

    fn query(&self, sql: &str) -> String {
        self.server.execute(DATABASE, sql).unwrap().trim().to_owned()
    }

    /// The server's process that has a page's question, while it waits for somebody who changes the table.
    fn waiting(&self) -> Option<String> {
        let pid = self.query(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'gatepost-hub' AND wait_event_type = 'Lock' \
             AND query LIKE '%FROM viewing%' LIMIT 1",
        );
        (!pid.is_empty()).then_some(pid)
    }

    fn is_there(&self, pid: &str) -> bool {
        self.query(&format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}")) == "1"
    }
}

/// The status of a list, however long it takes, and what came with it.
fn ask(hub: &Hub) -> (u16, String) {
    let address = hub.web.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE_OF_A_PAGE)).unwrap();
    let request = format!(
        "GET /api/v1/viewings HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        hub.cookie
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the page waits for ever");
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_answered_although_the_server_is_not_heard_of_any_more() {
    let site = Site::new();
    let hub = site.home.start();
    assert_eq!(ask(&hub).0, 200);
    let pid = std::thread::scope(|scope| {
        // One question is at the server, which has it wait, when the network falls silent.
        let changing = "BEGIN; LOCK TABLE viewing; SELECT pg_sleep(6); COMMIT";
        scope.spawn(|| site.query(changing));
        wait_until("the table locked", PATIENCE, || {
            let held = "SELECT count(*) FROM pg_locks WHERE relation = 'viewing'::regclass AND mode = 'AccessExclusiveLock' AND granted";
            (site.query(held) == "1").then_some(())
        })
        .unwrap();
        let under_way = scope.spawn(|| ask(&hub));
        let pid = wait_until("a question under way", PATIENCE, || site.waiting()).unwrap();
        site.proxy.set(Network::Silent);
        // What asks then finds connections that seem to be whole.
        for (status, answer) in [ask(&hub), under_way.join().unwrap()] {
            assert!(status == 503 && answer.contains("the database cannot be read or written"), "{answer}");
        }
        pid
    });
    // Silent for long enough that the hub gives up the connection as well.
    assert_eq!(ask(&hub).0, 503);
    site.proxy.set(Network::Whole);
    wait_until("an answer", PATIENCE_OF_A_PAGE, || (ask(&hub).0 == 200).then_some(())).unwrap();
    // The network now tells the server, too, that nobody uses the connection of the question that was given up.
    wait_until("the end of its connection", PATIENCE, || (!site.is_there(&pid)).then_some(())).unwrap();
    assert_eq!(http::get(&hub.url("/api/v1/alerts")).unwrap().status, 200);
}
