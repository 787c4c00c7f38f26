//! Reading an iPXE script as far as the boot plane's scripts go.

use std::collections::BTreeMap;

use crate::wire::Trouble;

/// What a script does, by its second line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Script {
    /// Starts the live system.
    Install(Install),
    /// Boots the disk.
    Local,
    /// Boots nothing and asks again, for this reason.
    Hold(String),
    /// Gathers what the machine is and goes on to this URL.
    Chain(String),
}

/// What an install script loads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Install {
    /// Where the kernel is.
    pub(crate) kernel: String,
    /// The kernel's command line.
    pub(crate) arguments: Vec<String>,
    /// Where the images are, in the order of their lines.
    pub(crate) initrds: Vec<String>,
}

impl Install {
    /// The value of an argument on the command line.
    pub(crate) fn argument(&self, key: &str) -> Option<&str> {
        self.arguments
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

impl Script {
    /// Reads a script; `setting` gives iPXE's own settings.
    pub(crate) fn read(text: &str, setting: impl Fn(&str) -> String) -> Result<Self, Trouble> {
        let unreadable = |why: &str| Trouble::unreadable("script", why);
        let mut lines = text.lines();
        if lines.next().map(str::trim_end) != Some("#!ipxe") {
            return Err(unreadable("it does not begin with #!ipxe"));
        }
        let said = lines.next().and_then(|line| line.strip_prefix("# thirdboot: "));
        let mut words = said.unwrap_or_default().split_whitespace();
        match words.next() {
            Some("local") => Ok(Self::Local),
            Some("hold") => {
                let reason = words.find_map(|word| word.strip_prefix("reason="));
                Ok(Self::Hold(reason.unwrap_or("unknown").to_owned()))
            }
            Some("install") => {
                let install = Commands::read(text, setting).install;
                if install.kernel.is_empty() {
                    return Err(unreadable("it installs without a kernel"));
                }
                Ok(Self::Install(install))
            }
            _ => {
                let chain = Commands::read(text, setting).chain;
                let why = "it neither says what it does nor chains";
                chain.map(Self::Chain).ok_or_else(|| unreadable(why))
            }
        }
    }
}

/// What the commands of a script load.
#[derive(Default)]
struct Commands {
    install: Install,
    chain: Option<String>,
}

impl Commands {
    fn read(text: &str, setting: impl Fn(&str) -> String) -> Self {
        let mut own: BTreeMap<String, String> = BTreeMap::new();
        let mut commands = Self::default();
        for line in text.lines() {
            // `kernel … || goto retry`: what comes after the command is iPXE's flow.
            let command = line.split("||").next().unwrap_or_default();
            let lookup = |name: &str| own.get(name).cloned().unwrap_or_else(|| setting(name));
            let expanded = expand(command, lookup);
            let mut words = expanded.split_whitespace();
            let verb = words.next().unwrap_or_default();
            let rest: Vec<&str> = words.collect();
            match (verb, without_options(&rest)) {
                ("set", [name, value @ ..]) => {
                    own.insert((*name).to_owned(), value.join(" "));
                }
                ("kernel", [url, arguments @ ..]) => {
                    (*url).clone_into(&mut commands.install.kernel);
                    commands.install.arguments = arguments.iter().map(|&word| word.to_owned()).collect();
                }
                ("initrd", [url, ..]) => commands.install.initrds.push((*url).to_owned()),
                ("chain", [url, ..]) => commands.chain = Some((*url).to_owned()),
                _ => {}
            }
        }
        commands
    }
}

/// The words after a command's options; `--name`, `--timeout` take a value.
fn without_options<'a>(words: &'a [&'a str]) -> &'a [&'a str] {
    match words {
        ["--name" | "-n" | "--timeout" | "-t", _, rest @ ..] => without_options(rest),
        [first, rest @ ..] if first.starts_with('-') => without_options(rest),
        _ => words,
    }
}

/// Replaces `${setting}` and `${setting:type}`; an unset one becomes empty.
fn expand(line: &str, setting: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, tail) = after.split_once('}').unwrap_or((after, ""));
        let (name, kind) = inside.split_once(':').unwrap_or((inside, ""));
        out.push_str(before);
        let value = setting(name);
        match kind {
            "uristring" => out.extend(value.bytes().map(percent_encoded)),
            _ => out.push_str(&value),
        }
        rest = tail;
    }
    out + rest
}

fn percent_encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &str) -> String {
        match name {
            "net0/mac" => "52:54:00:00:00:01".into(),
            "serial" => "a b/1".into(),
            _ => String::new(),
        }
    }

    fn read(text: &str) -> Result<Script, Trouble> {
        Script::read(text, setting)
    }

    #[test]
    fn an_install_names_kernel_arguments_and_images() {
        let text = "#!ipxe\n# thirdboot: install host=a run=3\nset base http://s/assets\n:retry\n\
            kernel ${base}/k initrd=config initrd=main coreos.live.rootfs_url=${base}/r || goto retry\n\
            initrd --name config http://s/p.cpio || goto retry\ninitrd -n main ${base}/i || goto retry\nboot\n";
        let Script::Install(install) = read(text).unwrap() else {
            panic!("{text}");
        };
        assert_eq!(install.kernel, "http://s/assets/k");
        assert_eq!(install.argument("coreos.live.rootfs_url"), Some("http://s/assets/r"));
        assert_eq!(install.initrds, ["http://s/p.cpio", "http://s/assets/i"]);
    }

    #[test]
    fn the_first_script_chains_with_what_the_machine_is() {
        let text = "#!ipxe\n# thirdboot: boot\n:try\nchain --replace http://s/ipxe?mac=${net0/mac}&serial=${serial:uristring}&x=${x} || goto again\n";
        let url = "http://s/ipxe?mac=52:54:00:00:00:01&serial=a%20b%2F1&x=";
        assert_eq!(read(text).unwrap(), Script::Chain(url.into()));
    }

    #[test]
    fn disk_and_hold_are_told_by_the_second_line() {
        assert_eq!(read("#!ipxe\n# thirdboot: local\nexit\n").unwrap(), Script::Local);
        let hold = "#!ipxe\n# thirdboot: hold reason=attempts \nsleep 30\nchain http://s/ipxe\n";
        assert_eq!(read(hold).unwrap(), Script::Hold("attempts".into()));
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "",
            "<html>",
            "#!ipxe\n",
            "#!ipxe\n# thirdboot: dance\n",
            "#!ipxe\n# thirdboot: install host=a run=1\nboot\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
