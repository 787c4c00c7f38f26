//! A log that is longer than one search looks at.

use thirdboot_store::{EventPage, EventSearch, HostId, Store as _, Watching as _};

use super::{added, change_behind_its_back, hold, open};
use crate::SqliteStore;
use crate::watching::LOOKED_AT;

/// `node-1` was added; then much happened to `node-2`, and last both were held.
async fn long_log(folder: &std::path::Path) -> (std::sync::Arc<SqliteStore>, [HostId; 2]) {
    let (store, _) = open(folder).await;
    let (one, two) = (added(&store, 1).await.id, added(&store, 2).await.id);
    let lines = LOOKED_AT + 500;
    change_behind_its_back(
        folder,
        &format!(
            "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {lines}) \
             INSERT INTO events SELECT 2 + i, host_id, at, entry FROM events, n WHERE number = 2; \
             UPDATE meta SET last_event = 2 + {lines}; COMMIT;"
        ),
    )
    .await;
    for host in [one, two] {
        store.submit(host, hold("the fan is loud")).await.unwrap();
    }
    (store, [one, two])
}

async fn held(store: &SqliteStore, host: Option<HostId>, after: u64) -> EventPage {
    let search = EventSearch {
        host,
        kinds: vec!["hold".into()],
        after,
        limit: 10,
        ..EventSearch::default()
    };
    store.search_events(&search).await.unwrap()
}

#[tokio::test]
async fn a_search_ends_after_so_many_lines_says_how_far_it_came_and_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [one, two]) = long_log(folder.path()).await;
    let bound = LOOKED_AT.unsigned_abs();

    let first = held(&store, None, 0).await;
    assert_eq!((first.items.len(), first.searched_to, first.more), (0, bound, true));
    let second = held(&store, None, first.searched_to).await;
    let hosts: Vec<&str> = second.items.iter().map(|item| item.host_name.as_str()).collect();
    assert_eq!((hosts, second.more), (vec!["node-1", "node-2"], false));
    let last = second.searched_to;
    assert_eq!(second.items[1].event.number, last);

    // Of a host its own lines alone are looked at.
    let few = held(&store, Some(one), 0).await;
    assert_eq!((few.items.len(), few.searched_to, few.more), (1, last, false));
    let many = held(&store, Some(two), 0).await;
    assert_eq!((many.items.len(), many.searched_to, many.more), (0, bound + 1, true));
    assert_eq!(held(&store, Some(two), many.searched_to).await.items.len(), 1);
}

#[tokio::test]
async fn a_search_since_a_time_begins_there_however_long_the_log_is() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = long_log(folder.path()).await;
    let number = held(&store, None, LOOKED_AT.unsigned_abs()).await.items[0].event.number;
    change_behind_its_back(
        folder.path(),
        &format!("UPDATE events SET at = at + 5000 WHERE number >= {number}"),
    )
    .await;
    let since = EventSearch {
        since: Some(store.now() + jiff::SignedDuration::from_secs(1)),
        limit: 10,
        ..EventSearch::default()
    };
    let found = store.search_events(&since).await.unwrap();
    assert_eq!((found.items.len(), found.more), (2, false));
}
