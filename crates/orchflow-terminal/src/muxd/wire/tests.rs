//! Frames read back as they were written, and junk is refused.

use orchflow_types::id::Id;

use super::*;

fn pane() -> PaneId {
    PaneId::from_uuid(uuid::Uuid::from_u128(7))
}

async fn through(mut bytes: &[u8]) -> Vec<u8> {
    read(&mut bytes).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_call_carries_its_environment_byte_by_byte() {
    let odd = OsString::from_vec(b"\xff\n=x".to_vec());
    let environ = vec![("A".into(), odd), ("EMPTY".into(), OsString::new())];
    let frame = ToHolder::Call { id: 3, call: Call::List, environ: environ.clone() }.encode();
    let Some(ToHolder::Call { id: 3, call: Call::List, environ: read }) =
        ToHolder::decode(&through(&frame).await).unwrap()
    else {
        panic!("another frame")
    };
    assert_eq!(read, environ);
}

#[tokio::test]
async fn growth_carries_trouble_only_when_there_is_some() {
    let grown = |trouble| ToManager::Grown {
        pane: pane(),
        stream: Stream::Errors,
        len: 1 << 40,
        ended: true,
        trouble,
    };
    let trouble = Trouble { lost: vec![1..4, 9..10], failing: Some("no room".into()) };
    assert_eq!(grown(Trouble::default()).encode().len(), 4 + 1 + 16 + 1 + 8 + 1);
    let read = ToManager::decode(&through(&grown(trouble.clone()).encode()).await).unwrap();
    let Some(ToManager::Grown { len, ended: true, trouble: read, .. }) = read else {
        panic!("another frame")
    };
    assert_eq!((len, read), (1 << 40, trouble));
}

#[tokio::test]
async fn what_a_later_version_may_say_is_skipped_and_what_none_would_say_is_refused() {
    assert!(ToHolder::decode(b"?later").unwrap().is_none());
    assert!(ToHolder::decode(b"i\x01\x00").is_err());
    assert!(ToHolder::decode(b"").is_err());
    assert!(ToManager::decode(b"a\x01\x00\x00\x00{not json").is_err());
    let mut endless: &[u8] = &u32::MAX.to_be_bytes();
    assert!(read(&mut endless).await.is_err());
    assert!(read(&mut &b""[..]).await.unwrap().is_none());
}
