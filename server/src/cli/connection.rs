//! Which server, and with which token: from flags, from the environment, or from a profile.

use std::path::{Path, PathBuf};

use clap::Args;
use thirdboot_api::{Client, ClientError, Token};

use super::Failure;
use super::output::Output;
use super::profile::{Profile, Profiles};

/// Where a server listens that was told nothing else.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:8081";

/// Variables that the client side of the binary reads.
pub const VARIABLES: [&str; 6] = [
    "THIRDBOOT_CA",
    "THIRDBOOT_ENDPOINT",
    "THIRDBOOT_TOKEN",
    "THIRDBOOT_TOKEN_FILE",
    "THIRDBOOT_PROFILE",
    "THIRDBOOT_PROFILES",
];

/// Which server, with which token, and how it is shown.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// Base URL of the server's control plane: this flag, else the variable `THIRDBOOT_ENDPOINT`, else the profile, else
    /// <http://127.0.0.1:8081>.
    #[arg(long, value_name = "URL", global = true)]
    endpoint: Option<String>,
    /// File with the API token; the server's first start writes one to `admin-token` in its data folder. Else the variable
    /// `THIRDBOOT_TOKEN_FILE`, or `THIRDBOOT_TOKEN` with the token itself, else the profile.
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// The token itself. Everyone on the machine can read a command line: use the file or the environment.
    #[arg(long, value_name = "TOKEN", hide = true, global = true)]
    token: Option<String>,
    /// File with the CA (PEM) that vouches for an https endpoint, and no other; a server's own is `tls/ca.pem` in its
    /// data folder. None means what the operating system trusts.
    #[arg(long, env = "THIRDBOOT_CA", value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
    /// Server and token that `thirdboot login` kept under this name, whatever the environment says. Without it the
    /// variable `THIRDBOOT_PROFILE`, or the default profile.
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) profile: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

/// A variable that is set, and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl Connection {
    /// A client of that server.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let environment = |name: &str| variable(name);
        let profiles = || Profiles::load(&super::profile::file()?);
        let server = self.resolve(&environment, &profiles)?;
        connect(&server.endpoint, server.token, server.ca.as_deref())
    }

    /// The endpoint that was named, apart from profiles.
    pub(super) fn named_endpoint(&self) -> String {
        let named = self.endpoint.clone().or_else(|| variable("THIRDBOOT_ENDPOINT"));
        named.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned())
    }

    /// The token of a file that was named, if any.
    pub(super) fn named_token(&self) -> Result<Option<Token>, Failure> {
        match (&self.token, &self.token_file) {
            (Some(token), _) => token_of(token).map(Some),
            (None, Some(file)) => read_token("--token-file", file).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn resolve(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
        profiles: &dyn Fn() -> Result<Profiles, Failure>,
    ) -> Result<Server, Failure> {
        // A profile that was named on the command line goes before the environment: whoever types it means it.
        let profile = match &self.profile {
            Some(name) => Some(profiles()?.named(name)?.clone()),
            None => None,
        };
        let from_environment = |name: &str| environment(name).filter(|_| profile.is_none());
        let fallback = || -> Result<Option<Profile>, Failure> {
            let profiles = profiles()?;
            match environment("THIRDBOOT_PROFILE") {
                Some(name) => profiles.named(&name).cloned().map(Some),
                None => Ok(profiles.chosen().cloned()),
            }
        };
        let known_endpoint = self.endpoint.clone().or_else(|| from_environment("THIRDBOOT_ENDPOINT"));
        let known_token = match self.named_token()? {
            Some(token) => Some(token),
            None => match (
                from_environment("THIRDBOOT_TOKEN"),
                from_environment("THIRDBOOT_TOKEN_FILE"),
            ) {
                (Some(token), _) => Some(token_of(&token)?),
                (None, Some(file)) => Some(read_token("THIRDBOOT_TOKEN_FILE", Path::new(&file))?),
                (None, None) => None,
            },
        };
        if let (Some(endpoint), Some(token)) = (&known_endpoint, &known_token) {
            return Ok(Server {
                endpoint: endpoint.clone(),
                token: token.clone(),
                ca: self.ca.clone(),
            });
        }
        // A profile that cannot be read is no reason to fail while nothing of it is needed.
        let profile = match (profile, &known_token) {
            (Some(profile), _) => Some(profile),
            (None, None) => fallback()?,
            (None, Some(_)) => fallback().ok().flatten(),
        };
        let endpoint = known_endpoint
            .or_else(|| profile.as_ref().map(|profile| profile.endpoint.clone()))
            .unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let token = match known_token {
            Some(token) => token,
            None => token_of_profile(profile.as_ref(), &endpoint)?,
        };
        let of_profile = profile.filter(|profile| is_same(&profile.endpoint, &endpoint));
        let ca = self.ca.clone().or_else(|| of_profile.and_then(|profile| profile.ca));
        Ok(Server { endpoint, token, ca })
    }

    /// The file with the CA that was named, from anywhere.
    pub(super) fn named_ca(&self) -> Result<Option<PathBuf>, Failure> {
        let Some(file) = &self.ca else { return Ok(None) };
        let found = file.canonicalize().map_err(|error| ca_refused(file, &error))?;
        Ok(Some(found))
    }
}

/// A server, and what it is asked with.
struct Server {
    endpoint: String,
    token: Token,
    ca: Option<PathBuf>,
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

fn ca_refused(file: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("--ca {}: {why}", file.display()))
}

/// A client of this server, which the CA of a file vouches for, where one is named.
pub(super) fn connect(endpoint: &str, token: Token, ca: Option<&Path>) -> Result<Client, Failure> {
    let Some(file) = ca else {
        return Ok(Client::new(endpoint, token)?);
    };
    let pem = std::fs::read(file).map_err(|error| ca_refused(file, &error))?;
    Client::trusting(endpoint, token, &pem).map_err(|error| match error {
        ClientError::BadCa | ClientError::Setup(_) => ca_refused(file, &error),
        error => error.into(),
    })
}

/// A profile's token goes to the profile's server and to no other.
fn token_of_profile(profile: Option<&Profile>, endpoint: &str) -> Result<Token, Failure> {
    match profile {
        Some(profile) if is_same(&profile.endpoint, endpoint) => token_of(&profile.token),
        Some(profile) => Err(Failure::Usage(format!(
            "no token for {endpoint}: the profile's is for {}; expected --token-file FILE or THIRDBOOT_TOKEN",
            profile.endpoint
        ))),
        None => Err(Failure::Usage(
            "no token: expected THIRDBOOT_TOKEN, THIRDBOOT_TOKEN_FILE, --token-file FILE or `thirdboot login` \
             (the server's first start writes one to admin-token in its data folder)"
                .to_owned(),
        )),
    }
}

/// A token as a file or a variable has it.
pub(super) fn token_of(text: &str) -> Result<Token, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::Usage("the token is empty".to_owned()));
    }
    Ok(Token::new(text))
}

fn read_token(named_by: &str, file: &Path) -> Result<Token, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("{named_by} {}: {error}", file.display())))?;
    token_of(&text)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        connection: Connection,
    }

    /// Endpoint and token, as a line, an environment and a file of profiles have them.
    fn resolved(line: &str, environment: &[(&str, &str)]) -> Result<(String, String), String> {
        let words = std::iter::once("x").chain(line.split_whitespace());
        let connection = Line::try_parse_from(words).unwrap().connection;
        let lookup = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let profiles = || {
            Ok(toml::from_str(
                "default = \"lab\"\n[profiles.lab]\nendpoint = \"http://lab\"\ntoken = \"lab-token\"\n\
                 [profiles.far]\nendpoint = \"http://far\"\ntoken = \"far-token\"\n",
            )
            .unwrap())
        };
        match connection.resolve(&lookup, &profiles) {
            Ok(server) => Ok((server.endpoint, server.token.reveal().to_owned())),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn flags_go_before_the_environment_and_that_before_the_default_profile() {
        let all = [("THIRDBOOT_ENDPOINT", "http://env"), ("THIRDBOOT_TOKEN", "env-token")];
        let pair = |endpoint: &str, token: &str| Ok((endpoint.to_owned(), token.to_owned()));
        assert_eq!(resolved("", &[]), pair("http://lab", "lab-token"));
        assert_eq!(resolved("", &all), pair("http://env", "env-token"));
        assert_eq!(
            resolved("--endpoint http://flag --token t", &all),
            pair("http://flag", "t")
        );
        assert_eq!(
            resolved("", &[("THIRDBOOT_PROFILE", "far")]),
            pair("http://far", "far-token")
        );
        assert_eq!(
            resolved("", &[("THIRDBOOT_TOKEN", "env-token")]),
            pair("http://lab", "env-token")
        );
    }

    #[test]
    fn a_profile_that_is_named_goes_before_the_environment() {
        let all = [("THIRDBOOT_ENDPOINT", "http://env"), ("THIRDBOOT_TOKEN", "env-token")];
        let pair = ("http://far".to_owned(), "far-token".to_owned());
        assert_eq!(resolved("--profile far", &all), Ok(pair));
        assert!(
            resolved("--profile fra", &all)
                .unwrap_err()
                .contains("expected far, lab")
        );
    }

    #[test]
    fn a_profiles_token_goes_to_no_other_server() {
        let error = resolved("--endpoint http://evil", &[]).unwrap_err();
        assert!(
            error.contains("no token for http://evil") && !error.contains("lab-token"),
            "{error}"
        );
    }
}
