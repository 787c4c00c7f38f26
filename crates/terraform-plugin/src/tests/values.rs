//! Golden tests of what goes over the wire.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use serde_json::json;

use crate::testing::{object, server_schema, shown};
use crate::{Number, Object, Type, Value};

fn read(hex: &str, ty: &Type) -> Value {
    let hex = hex.replace(' ', "");
    Value::from_msgpack(&HEX.decode(hex.as_bytes()).unwrap(), ty).unwrap()
}

fn written(value: Value, ty: &Type) -> String {
    HEX.encode(&value.to_msgpack(ty))
}

/// The bytes are those that Terraform's own encoder (go-cty) writes.
#[test]
fn each_kind_of_value_is_read_and_written_as_terraform_does() {
    let number = |text: &str| Value::Number(Number::parse(text).unwrap());
    let list = || Type::String.list();
    for (hex, ty, value) in [
        ("c0", Type::String, Value::Null),
        ("d40000", Type::String, Value::Unknown),
        ("c3", Type::Bool, true.into()),
        ("a26f6b", Type::String, "ok".into()),
        ("05", Type::Number, number("5")),
        ("fb", Type::Number, number("-5")),
        ("cb3ff8000000000000", Type::Number, number("1.5")),
        ("cfffffffffffffffff", Type::Number, number("18446744073709551615")),
        (
            "bd3132333435363738393031323334353637383930313233343536373839",
            Type::Number,
            number("12345678901234567890123456789"),
        ),
        ("92a161a162", list(), vec!["a", "b"].into()),
        ("90", list(), Value::List(Vec::new())),
        (
            "82a16bc0a16cd40000",
            Type::String.map(),
            Object::from([("k".into(), Value::Null), ("l".into(), Value::Unknown)]).into(),
        ),
    ] {
        assert_eq!(read(hex, &ty), value, "{hex}");
        assert_eq!(written(value, &ty), hex);
    }
}

#[test]
fn a_number_is_the_same_however_it_comes() {
    for hex in ["05", "ca40a00000", "cb4014000000000000", "a135", "a3352e30"] {
        assert_eq!(read(hex, &Type::Number), 5_u64.into(), "{hex}");
    }
    // One tenth is no float: it comes as text, and stays what it is.
    let tenth = read("a3302e31", &Type::Number);
    assert_eq!(tenth, Value::Number(Number::parse("0.1").unwrap()));
}

#[test]
fn an_unknown_with_a_hint_of_what_it_will_be_is_unknown() {
    // ext 12: a refinement map {1: false}, "will not be null".
    assert!(read("c7030c8101c2", &Type::String).is_unknown());
}

#[test]
fn a_set_has_one_order_and_each_element_once() {
    let set = Type::String.set();
    let value = read("93a162a161a162", &set);
    assert_eq!(value, vec!["a", "b"].into());
    assert_eq!(value, read("92a161a162", &set));
    // Two unknown elements may be two different ones.
    let unknowns = read("92d40000d40000", &set);
    assert_eq!(unknowns.as_list().unwrap().len(), 2);
}

#[test]
fn what_is_not_of_its_type_is_refused_with_its_path() {
    let ty = &server_schema().ty;
    let disks = Value::List(vec![Object::from([("size".to_owned(), Value::from("much"))]).into()]);
    let loose = Type::Object(vec![crate::Attribute::optional(
        "disks",
        Type::String.map().list(),
        "x",
    )]);
    let bytes = Value::Object(Object::from([("disks".to_owned(), disks)])).to_msgpack(&loose);
    let error = Value::from_msgpack(&bytes, ty).unwrap_err();
    assert_eq!(error.to_string(), "disks[0].size: expected number");
    let unknown = Value::Object(Object::from([("colour".to_owned(), Value::Null)]));
    let loose = Type::Object(vec![crate::Attribute::optional("colour", Type::String, "x")]);
    let error = Value::from_msgpack(&unknown.to_msgpack(&loose), ty).unwrap_err();
    assert_eq!(error.to_string(), "colour: no such attribute");
    for bytes in [&b""[..], b"\xc4", b"\xc0\xc0", &[0x91; 200]] {
        assert!(Value::from_msgpack(bytes, ty).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_stored_state_of_another_version_is_read_exactly() {
    let stored =
        br#"{"id":"i-1","name":"a","colour":"red","revision":12345678901234567890123456789,"disks":[{"size":1}]}"#;
    let state = Value::from_stored_json(stored, &server_schema().ty).unwrap();
    assert_eq!(
        state.get("revision"),
        &Value::Number(Number::parse("12345678901234567890123456789").unwrap())
    );
    assert_eq!(state.get("labels"), &Value::Null);
    assert_eq!(shown(state.get("disks")), json!([{"size": 1}]));
    assert!(state.as_object().unwrap().get("colour").is_none());
}

#[test]
fn a_field_of_an_api_finds_its_attribute() {
    let schema = server_schema();
    for (field, path) in [
        ("name", "name"),
        ("disks[1].size", "disks[1].size"),
        ("disks[1].colour", "disks[1]"),
        ("labels.a b.c", "labels[\"a b.c\"]"),
        ("zones[0]", "zones"),
    ] {
        assert_eq!(schema.locate(field).unwrap().to_string(), path);
    }
    assert_eq!(schema.locate("colour"), None);
}

#[test]
fn a_schema_that_terraform_would_refuse_says_why() {
    assert_eq!(server_schema().faults(), Vec::<String>::new());
    let bad = crate::Schema::new(
        "x",
        vec![
            crate::Attribute::computed("Id", Type::String, "x").write_only(),
            crate::Attribute::optional(
                "set",
                Type::Object(vec![crate::Attribute::computed("inner", Type::String, "")]).set(),
                "x",
            ),
        ],
    );
    insta::assert_snapshot!(bad.faults().join("\n"), @r"
    Id: a name has a-z, 0-9 and _
    Id: what is write-only is set by the user
    set.inner: it is not described
    set.inner: in a set nothing can be computed: elements are known by all that is in them
    ");
}

#[test]
fn an_object_has_every_attribute() {
    let object = object(&json!({"name": "a"}));
    assert_eq!(object.len(), server_schema().attributes().len());
}
