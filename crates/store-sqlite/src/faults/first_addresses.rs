//! Addresses and ports that an earlier version wrote belong to their hosts from the next start on.

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use thirdboot_lifecycle::Host;
use thirdboot_store::{Actor, Store, StoreError};

use super::open;

/// Two hosts with one address, as an earlier version allowed.
const ROWS: &str = r#"
    INSERT INTO meta (id, epoch, permit_seq, last_time, last_event, last_host) VALUES (1, 'first', 3, 1800000000000, 0, 2);
    INSERT INTO hosts (id, version, name, host) VALUES
        (1, 1, 'node-1', '{"name":"node-1","macs":["52:54:00:00:00:01"],"network":{
            "uplink":{"method":"static","addresses":["10.1.0.5/24"],"gateways":["10.1.0.1"]},
            "bond":{"mode":"802.3ad","ports":["52:54:00:00:00:01","52:54:00:00:00:99"],"lacp_rate":"fast"},
            "vlans":[{"id":7,"addresses":["fd00::5/64"],"mtu":null}]}}'),
        (2, 1, 'node-2', '{"name":"node-2","network":{"uplink":{"method":"static","addresses":["10.1.0.5/24"],"gateways":[]}}}');
    INSERT INTO identifiers (kind, value, host_id) VALUES ('mac', '52:54:00:00:00:01', 1);
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_wrote_belongs_to_its_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let at = SqliteConnectOptions::new()
        .filename(folder.path().join("thirdboot.db"))
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(at).await.unwrap();
    sqlx::migrate!("../../migrations/sqlite")
        .run_to(1, &pool)
        .await
        .unwrap();
    sqlx::raw_sql(ROWS).execute(&pool).await.unwrap();
    pool.close().await;
    let file = r#"{"epoch":"first","permit_seq":3,"last_host":2}"#;
    std::fs::write(folder.path().join("epoch"), file).unwrap();

    for _ in 0..2 {
        let (store, _) = open(folder.path()).await;
        for (wants, value) in [
            (
                r#""network":{"vlans":[{"id":9,"addresses":["10.1.0.5/16"]}]}"#,
                "10.1.0.5",
            ),
            (
                r#""network":{"vlans":[{"id":9,"addresses":["fd00::5/64"]}]}"#,
                "fd00::5",
            ),
            (r#""macs":["52:54:00:00:00:99"]"#, "52:54:00:00:00:99"),
        ] {
            let host: Host = serde_json::from_str(&format!(r#"{{"name":"node-3",{wants}}}"#)).unwrap();
            match store.add_hosts(vec![host], Actor::Server).await {
                Err(StoreError::Taken {
                    value: taken, owner, ..
                }) => {
                    assert_eq!((taken.as_str(), owner.as_str()), (value, "node-1"));
                }
                other => panic!("{value} is taken, and the answer was {other:?}"),
            }
        }
        store.close().await;
    }
}
