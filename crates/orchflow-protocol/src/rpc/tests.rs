//! The examples of section 7 of the specification, as far as reading goes.

use super::*;

fn single(text: &str) -> Result<Request, Invalid> {
    match parse(text.as_bytes()) {
        Ok(Incoming::Single(one)) => one,
        other => panic!("not a single frame: {other:?}"),
    }
}

#[test]
fn a_request_and_a_notification_differ_by_their_id() {
    let request =
        single(r#"{"jsonrpc":"2.0","method":"system.info","params":{"a":1},"id":7}"#).unwrap();
    assert_eq!(
        request,
        Request { id: Some(Id::Number(7)), method: "system.info".into(), params: json!({"a": 1}) }
    );
    let notification = single(r#"{"jsonrpc":"2.0","method":"system.info"}"#).unwrap();
    assert_eq!((notification.id, notification.params), (None, Value::Null));
}

#[test]
fn what_is_no_json_or_no_request_is_told_apart() {
    let broken = parse(br#"{"jsonrpc":"2.0","method":"foobar, "params":"#).unwrap_err();
    assert_eq!((broken.id, broken.error.code), (Id::Null, -32700));
    for bad in [
        r#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#,
        "1",
        r#"{"method":"x","id":null}"#,
        r#""x""#,
    ] {
        assert_eq!(single(bad).unwrap_err().error.code, -32600, "{bad}");
    }
}

#[test]
fn a_batch_keeps_its_order_and_its_junk_and_an_empty_one_is_an_error() {
    assert_eq!(parse(b"[]").unwrap_err().error.code, -32600);
    let Ok(Incoming::Batch(items)) = parse(br#"[1,{"jsonrpc":"2.0","method":"a","id":"x"}]"#)
    else {
        panic!()
    };
    assert_eq!(items[0].as_ref().unwrap_err().error.code, -32600);
    assert_eq!(items[1].as_ref().unwrap().id, Some(Id::Text("x".into())));
}

#[test]
fn params_by_position_are_refused_with_the_way_to_give_them() {
    let error = params::<crate::method::Empty>("system.info", json!([1])).unwrap_err();
    assert_eq!(error.code, -32602);
    assert!(error.message.contains("by name"));
}
