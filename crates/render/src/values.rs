//! A host's free text, parsed into what it has to be before it is written anywhere.

use std::fmt;

use thirdboot_lifecycle::Host;

use crate::RenderError;

/// The name of a served file: one path segment that no shell, URL or iPXE line reads as anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(Box<str>);

/// Text that is no file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a file name: expected 1 to 200 of A-Z a-z 0-9 . _ + -, not beginning with a dot")]
pub struct InvalidFileName(String);

impl FileName {
    /// Takes `text` as it is.
    ///
    /// # Errors
    /// Refuses whatever is not one plain path segment.
    pub fn parse(text: &str) -> Result<Self, InvalidFileName> {
        let is_plain = text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._+-".contains(&c));
        if is_plain && (1..=200).contains(&text.len()) && !text.starts_with('.') {
            Ok(Self(text.into()))
        } else {
            Err(InvalidFileName(text.chars().take(200).collect()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A kind of free text: what it must look like, and a check.
struct Form {
    expected: &'static str,
    is_good: fn(&str) -> bool,
}

/// No space (it would be two arguments), nothing that iPXE, a shell or YAML reads as syntax.
const KERNEL_ARGUMENT: Form = Form {
    expected: "one kernel argument of A-Z a-z 0-9 . _ : = , / @ + ~ -",
    is_good: |text| {
        (1..=256).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"._:=,/@+~-".contains(&c))
    },
};

const CONSOLE: Form = Form {
    expected: "a console such as tty0 or ttyS1,115200n8",
    is_good: |text| {
        let (device, options) = text.split_at(text.find(',').unwrap_or(text.len()));
        let is_plain = |part: &str| part.bytes().all(|c| c.is_ascii_alphanumeric());
        (1..=16).contains(&device.len())
            && device.starts_with(|c: char| c.is_ascii_alphabetic())
            && is_plain(device)
            && (options.is_empty() || (2..=16).contains(&options.len()) && is_plain(&options[1..]))
    },
};

const SSH_KEY: Form = Form {
    expected: "an OpenSSH public key on one line",
    is_good: |text| {
        let mut words = text.split(' ');
        let kinds = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];
        let has_kind = words.next().is_some_and(|kind| {
            kinds.iter().any(|known| kind.starts_with(known)) && kind.bytes().all(|c| c.is_ascii_graphic())
        });
        let has_key = words
            .next()
            .is_some_and(|key| key.len() >= 8 && key.bytes().all(|c| c.is_ascii_alphanumeric() || b"+/=".contains(&c)));
        has_kind && has_key && text.len() <= 16_384 && !text.chars().any(char::is_control)
    },
};

const PASSWORD_HASH: Form = Form {
    expected: "a crypt(5) hash such as $y$… or $6$…",
    is_good: |text| {
        text.starts_with('$')
            && (8..=512).contains(&text.len())
            && text
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"$./=,-".contains(&c))
    },
};

const TIME_SERVER: Form = Form {
    expected: "a host name or IP address",
    is_good: |text| {
        let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b".-".contains(&c));
        text.len() <= 253 && (is_name || text.parse::<std::net::Ipv6Addr>().is_ok())
    },
};

const PACKAGE: Form = Form {
    expected: "a package name of A-Z a-z 0-9 . _ + ~ : ^ -",
    is_good: |text| {
        (1..=200).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"._+~:^-".contains(&c))
    },
};

const VERSION: Form = Form {
    expected: "a version of A-Z a-z 0-9 . _ + -",
    is_good: |text| FileName::parse(text).is_ok(),
};

fn all<'a>(field: &str, values: &'a [String], form: &Form) -> Result<Vec<&'a str>, RenderError> {
    let one = |(at, value): (usize, &'a String)| {
        if (form.is_good)(value) {
            Ok(value.as_str())
        } else {
            Err(RenderError::value(format!("{field}[{at}]"), value, form.expected))
        }
    };
    values.iter().enumerate().map(one).collect()
}

fn one<'a>(field: &str, value: &'a str, form: &Form) -> Result<&'a str, RenderError> {
    if (form.is_good)(value) {
        Ok(value)
    } else {
        Err(RenderError::value(field, value, form.expected))
    }
}

/// The host's consoles, checked; those of its platform where it names none.
pub(crate) fn consoles(host: &Host) -> Result<Vec<&str>, RenderError> {
    if host.install.console.is_empty() {
        return Ok(host.platform.consoles().to_vec());
    }
    all("install.console", &host.install.console, &CONSOLE)
}

/// The host's kernel arguments, checked.
pub(crate) fn kernel_arguments(host: &Host) -> Result<Vec<&str>, RenderError> {
    all(
        "install.kernel_arguments",
        &host.install.kernel_arguments,
        &KERNEL_ARGUMENT,
    )
}

/// The host's SSH keys, checked.
pub(crate) fn ssh_keys(host: &Host) -> Result<Vec<&str>, RenderError> {
    all("ssh_keys", &host.ssh_keys, &SSH_KEY)
}

/// The host's console password hash, checked.
pub(crate) fn password_hash(host: &Host) -> Result<Option<&str>, RenderError> {
    let hash = host.console_password_hash.as_deref();
    hash.map(|hash| {
        one("console_password_hash", hash, &PASSWORD_HASH)
            // A mistyped hash may be a password: it is not repeated.
            .map_err(|_| RenderError::value("console_password_hash", "…", PASSWORD_HASH.expected))
    })
    .transpose()
}

/// The host's time servers, checked.
pub(crate) fn time_servers(host: &Host) -> Result<Vec<&str>, RenderError> {
    all("time_servers", &host.time_servers, &TIME_SERVER)
}

/// Names of packages, checked: for the API, when a role's are saved.
///
/// # Errors
/// Names the first that is none, at this field.
pub fn check_packages<'a>(field: &str, packages: &'a [String]) -> Result<Vec<&'a str>, RenderError> {
    all(field, packages, &PACKAGE)
}

/// A version of the operating system, checked.
pub(crate) fn version<'a>(field: &str, text: &'a str) -> Result<&'a str, RenderError> {
    one(field, text, &VERSION)
}

/// Whether everything of this host can be rendered: for the API, when a host is saved.
///
/// # Errors
/// Names the first field that cannot be used.
pub fn check_host(host: &Host) -> Result<(), RenderError> {
    consoles(host)?;
    kernel_arguments(host)?;
    ssh_keys(host)?;
    password_hash(host)?;
    time_servers(host)?;
    check_packages("packages", &host.packages)?;
    if let Some(pinned) = &host.install.version {
        version("install.version", pinned)?;
    }
    crate::keyfile::keyfiles(host)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(form: &Form, texts: &[&str]) {
        for text in texts {
            assert!(!(form.is_good)(text), "{text:?}");
        }
    }

    fn taken(form: &Form, texts: &[&str]) {
        for text in texts {
            assert!((form.is_good)(text), "{text:?}");
        }
    }

    #[test]
    fn a_kernel_argument_is_one_word_without_syntax() {
        taken(
            &KERNEL_ARGUMENT,
            &["quiet", "mitigations=auto,nosmt", "ip=dhcp", "net.ifnames=0", "a=b:c/d"],
        );
        refused(
            &KERNEL_ARGUMENT,
            &[
                "",
                "a b",
                "a\nb",
                "${net0/mac}",
                "&&",
                "||",
                "#x",
                "a;b",
                "\"a\"",
                "a'b",
                "a\\b",
                "-a",
            ],
        );
    }

    #[test]
    fn a_console_has_a_device_and_perhaps_options() {
        taken(&CONSOLE, &["tty0", "ttyS1,115200n8", "ttyAMA0", "hvc0"]);
        refused(
            &CONSOLE,
            &["", ",9600", "ttyS0,", "tty S0", "ttyS0,1 2", "../tty0", "ttyS0,9600,x"],
        );
    }

    #[test]
    fn the_other_forms_refuse_what_could_break_out() {
        taken(&SSH_KEY, &["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA a person, at a place"]);
        refused(
            &SSH_KEY,
            &[
                "",
                "ssh-ed25519",
                "ssh-ed25519 AAAA\nssh-rsa BBBB",
                "command=\"x\" ssh-rsa AAAAAAAA",
            ],
        );
        taken(
            &PASSWORD_HASH,
            &["$y$j9T$abc./DEF$0123456789", "$6$rounds=5000$abc$def"],
        );
        refused(&PASSWORD_HASH, &["", "password", "$6$a\n", "$6$a:b:c:d"]);
        taken(&TIME_SERVER, &["0.pool.ntp.org", "192.0.2.1", "2001:db8::1"]);
        refused(&TIME_SERVER, &["", "a b", "a\nserver b", "-x", "a;b"]);
        taken(&PACKAGE, &["k3s-selinux", "vim-enhanced-2:9.0", "g++"]);
        refused(
            &PACKAGE,
            &["", "--uninstall=x", "a b", "https://x/y.rpm", "a\nb", "/tmp/x.rpm"],
        );
    }

    #[test]
    fn a_refused_value_names_its_field_and_a_password_is_not_repeated() {
        let mut host = crate::samples::host("node1");
        host.install.kernel_arguments = vec!["quiet".into(), "a b".into()];
        let error = check_host(&host).unwrap_err();
        assert_eq!(error.field(), Some("install.kernel_arguments[1]"));
        insta::assert_snapshot!(
            error,
            @r#"install.kernel_arguments[1]: "a b" cannot be used: expected one kernel argument of A-Z a-z 0-9 . _ : = , / @ + ~ -"#
        );
        host.install.kernel_arguments.clear();
        host.console_password_hash = Some("hunter2".into());
        assert!(!check_host(&host).unwrap_err().to_string().contains("hunter2"));
    }
}
