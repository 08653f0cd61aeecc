use super::*;
use crate::store::Database;

/// A hub that has run once: a database, keys, a devices file.
async fn hub(folder: &Path) -> (Config, Store) {
    let file = folder.join("hub.toml");
    fs::write(&file, "data_dir = \"data\"\n").unwrap();
    let config = crate::config::load(&file).unwrap();
    let store = Store::open(&config.database).await.unwrap();
    crate::authority::Authority::open(&config.tls.authority).unwrap();
    fs::write(config.data_dir.join(DEVICES), "[devices]\n").unwrap();
    (config, store)
}

#[tokio::test]
async fn what_comes_back_is_what_was_there_and_only_its_owner_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let (config, store) = hub(dir.path()).await;
    let (backup, back) = (dir.path().join("backup"), dir.path().join("back"));
    let taken = take(&config, &store, &backup, Timestamp::now()).await.unwrap();
    fs::create_dir(&back).unwrap();
    let (manifest, restored) = restore(&backup, &back).unwrap();
    assert_eq!((taken.files, taken.bytes), (restored.files, restored.bytes));
    assert_eq!(manifest.files.len(), 5, "{manifest:?}");
    for name in ["keys/authority.key", "keys/command.key", "keys/authority.pem", "devices.toml"] {
        assert_eq!(fs::read(back.join(name)).unwrap(), fs::read(config.data_dir.join(name)).unwrap());
        for place in [&backup, &back] {
            assert_eq!(fs::metadata(place.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
    for place in [&backup, &back] {
        assert_eq!(fs::metadata(place).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let again = Store::open(&Database::File(back.join(DATABASE))).await.unwrap();
    assert_eq!(again.last_change().await.unwrap(), store.last_change().await.unwrap());
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_damaged_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (config, store) = hub(dir.path()).await;
    let backup = dir.path().join("backup");
    take(&config, &store, &backup, Timestamp::now()).await.unwrap();
    let refused = take(&config, &store, &backup, Timestamp::now()).await.unwrap_err();
    assert!(matches!(refused, BackupError::Taken(_)), "{refused}");
    assert!(matches!(restore(&backup, &config.data_dir).unwrap_err(), BackupError::Taken(_)));

    let back = dir.path().join("back");
    let key = backup.join("keys/command.key");
    let good = fs::read(&key).unwrap();
    let mut bad = good.clone();
    bad[40] ^= 1;
    fs::write(&key, &bad).unwrap();
    let refused = restore(&backup, &back).unwrap_err();
    assert!(matches!(&refused, BackupError::Damaged(path) if *path == key), "{refused}");
    fs::remove_file(&key).unwrap();
    assert!(matches!(restore(&backup, &back).unwrap_err(), BackupError::File { .. }));
    let inside: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!back.exists() && inside.len() == 3, "nothing half restored is left: {inside:?}");
    fs::write(&key, &good).unwrap();
    restore(&backup, &back).unwrap();
}
