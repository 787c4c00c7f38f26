//! Reading an iPXE script as far as Thirdboot's scripts go.

use anyhow::{Context, Result, bail, ensure};

/// What the second line of a script says it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Start the live system for this run.
    Install {
        /// The host's name.
        host: String,
        /// The run's number.
        run: u64,
    },
    /// Boot the local disk; no name for an unknown machine.
    Local {
        /// The host's name, when it is known.
        host: Option<String>,
    },
    /// Boot nothing, ask again.
    Hold {
        /// Why, in one word.
        reason: String,
    },
}

/// An image that the script loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initrd {
    /// The name it has for the kernel's `initrd=`.
    pub name: String,
    /// Where it is fetched.
    pub url: String,
}

/// A script, read.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it says it does.
    pub verdict: Verdict,
    /// The kernel's URL and its command line.
    pub kernel: Option<(String, Vec<String>)>,
    /// The images, in the order of their lines.
    pub initrds: Vec<Initrd>,
    /// The script as it came.
    pub text: String,
}

impl Script {
    /// Whether a text is the answer to a machine, and not the script that only gathers and
    /// chains.
    pub fn decides(text: &str) -> bool {
        text.lines().nth(1).is_some_and(|line| verdict(line).is_ok())
    }

    /// Reads a script of the boot plane.
    ///
    /// # Errors
    /// When it is no script, its second line is not Thirdboot's, or its lines contradict each
    /// other: a kernel in a script that does not install, an `initrd=` that names no image.
    pub fn read(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        ensure!(lines.next() == Some("#!ipxe"), "does not start with #!ipxe: {text:?}");
        let verdict = verdict(lines.next().unwrap_or_default())?;
        let mut kernel = None;
        let mut initrds = Vec::new();
        for line in text.lines().map(str::trim) {
            // `kernel … || goto retry`: what comes after the command is iPXE's flow.
            let command = line.split("||").next().unwrap_or_default();
            let words: Vec<&str> = command.split_whitespace().collect();
            match words.split_first() {
                Some((&"kernel", rest)) => kernel = Some(image(rest)?),
                Some((&"initrd", rest)) => initrds.push(initrd(rest)?),
                _ => {}
            }
        }
        let script = Self {
            verdict,
            kernel,
            initrds,
            text: text.to_owned(),
        };
        script.check()?;
        Ok(script)
    }

    fn check(&self) -> Result<()> {
        let installs = matches!(self.verdict, Verdict::Install { .. });
        ensure!(
            installs == self.kernel.is_some(),
            "a kernel and only an install: {}",
            self.text
        );
        let Some((_, arguments)) = &self.kernel else {
            return Ok(());
        };
        let named: Vec<&str> = arguments.iter().filter_map(|a| a.strip_prefix("initrd=")).collect();
        let loaded: Vec<&str> = self.initrds.iter().map(|i| i.name.as_str()).collect();
        // Under UEFI a name without its image fails the boot, an image without its name is lost.
        ensure!(named == loaded, "initrd= names {named:?}, images are {loaded:?}");
        Ok(())
    }

    /// The value of an argument on the kernel's command line.
    pub fn argument(&self, key: &str) -> Option<&str> {
        let (_, arguments) = self.kernel.as_ref()?;
        arguments.iter().find_map(|a| a.strip_prefix(key)?.strip_prefix('='))
    }
}

fn verdict(line: &str) -> Result<Verdict> {
    let said = line
        .strip_prefix("# thirdboot: ")
        .with_context(|| format!("second line {line:?}"))?;
    let mut words = said.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let fields: Vec<(&str, &str)> = words.filter_map(|w| w.split_once('=')).collect();
    let field = |key: &str| fields.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).to_owned());
    let needed = |key: &str| field(key).with_context(|| format!("no {key}= in {line:?}"));
    Ok(match kind {
        "install" => Verdict::Install {
            host: needed("host")?,
            run: needed("run")?.parse()?,
        },
        "local" => Verdict::Local { host: field("host") },
        "hold" => Verdict::Hold {
            reason: needed("reason")?,
        },
        other => bail!("unknown kind {other:?} in {line:?}"),
    })
}

/// The kernel's URL and what follows it.
fn image(words: &[&str]) -> Result<(String, Vec<String>)> {
    let (_, rest) = options(words);
    let (url, arguments) = rest.split_first().context("kernel without a URL")?;
    Ok(((*url).to_owned(), arguments.iter().map(|w| (*w).to_owned()).collect()))
}

fn initrd(words: &[&str]) -> Result<Initrd> {
    let (options, rest) = options(words);
    let name = options
        .iter()
        .find(|(option, _)| *option == "--name")
        .map(|(_, name)| *name);
    match (name, rest) {
        (Some(name), [url]) => Ok(Initrd {
            name: name.to_owned(),
            url: (*url).to_owned(),
        }),
        _ => bail!("initrd {words:?}: wants --name NAME and one URL"),
    }
}

/// Splits a command's leading options, each with its value, from the rest.
fn options<'w, 's>(words: &'w [&'s str]) -> (Vec<(&'s str, &'s str)>, &'w [&'s str]) {
    let mut options = Vec::new();
    let mut rest = words;
    while let [option, value, after @ ..] = rest {
        if !option.starts_with("--") {
            break;
        }
        options.push((*option, *value));
        rest = after;
    }
    (options, rest)
}

/// Replaces iPXE's `${setting}` and `${setting:type}` in a line; an unset one becomes empty.
pub fn expand(line: &str, setting: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, tail) = after.split_once('}').unwrap_or((after, ""));
        let (name, kind) = inside.split_once(':').unwrap_or((inside, ""));
        out.push_str(before);
        match kind {
            "uristring" => out.push_str(&percent_encoded(&setting(name))),
            _ => out.push_str(&setting(name)),
        }
        rest = tail;
    }
    out + rest
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALL: &str = "#!ipxe\n# thirdboot: install host=a1 run=3\n:kernel\n\
        kernel --timeout 9 http://s/k initrd=config initrd=main ignition.firstboot a=b || goto retry\n\
        initrd --timeout 9 --name config http://s/p.cpio || goto retry\ninitrd --name main http://s/i\nboot\n";

    #[test]
    fn reads_what_an_install_loads() {
        let script = Script::read(INSTALL).unwrap();
        assert_eq!(
            script.verdict,
            Verdict::Install {
                host: "a1".into(),
                run: 3
            }
        );
        assert_eq!(script.argument("a"), Some("b"));
        assert_eq!(script.initrds[0].url, "http://s/p.cpio");
    }

    #[test]
    fn refuses_an_image_that_the_kernel_is_not_told_of() {
        assert!(Script::read(&INSTALL.replace("initrd=config ", "")).is_err());
    }

    #[test]
    fn refuses_a_kernel_where_nothing_is_installed() {
        assert!(Script::read(&INSTALL.replace("install host=a1 run=3", "local host=a1")).is_err());
    }

    #[test]
    fn expands_settings_as_ipxe_does() {
        let line = "chain http://s/ipxe?mac=${net0/mac}&serial=${serial:uristring}&x=${unset}";
        let told = expand(line, |name| match name {
            "net0/mac" => "52:54:00:00:00:01".into(),
            "serial" => "To be filled/1".into(),
            _ => String::new(),
        });
        assert_eq!(
            told,
            "chain http://s/ipxe?mac=52:54:00:00:00:01&serial=To%20be%20filled%2F1&x="
        );
    }
}
