//! Which disk: what the plan says is what the apply allows.

use thirdboot_terraform_plugin::Value;

/// What will be wiped, as far as is known: for people. A host that is not there yet may still name a disk of its own.
pub(super) fn wipes(disk: Option<&str>, wipe: &Value, is_host_there: bool, host: &str) -> String {
    let text = match (disk, is_host_there) {
        (Some(disk), _) => format!("the disk {disk} of {host}"),
        (None, true) => format!("the only eligible disk of {host}: which one is known when it boots"),
        (None, false) => format!("the disk that the description of {host} names, or else its only eligible one"),
    };
    let listed = wipe.as_list().unwrap_or_default().iter();
    let listed: Vec<&str> = listed.filter_map(Value::as_str).collect();
    if !listed.is_empty() {
        return format!("{text}, and whatever is recognisable on {}", listed.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_as_much_as_is_known() {
        assert!(wipes(None, &Value::Null, true, "a").starts_with("the only eligible disk of a"));
        assert!(wipes(None, &Value::Null, false, "a").starts_with("the disk that the description of a names"));
        let wipe = vec!["/dev/disk/by-id/old"].into();
        assert_eq!(
            wipes(Some("S2"), &wipe, true, "a"),
            "the disk S2 of a, and whatever is recognisable on /dev/disk/by-id/old"
        );
    }
}
