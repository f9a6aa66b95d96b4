//! Values with a form of their own.

use std::{collections::BTreeSet, fmt, time::Duration};

use domain::{
    id::{PackageId, UserId},
    money::Credits,
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use crate::policy::Package;

/// A span of time, written as whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

impl Seconds {
    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

/// One text, or several: `"a,b"` in the environment, `["a", "b"]` in the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(Word),
    Many(Vec<Word>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Number(u64),
    Text(String),
}

impl Word {
    fn into_text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl Words {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, form: &str) -> Result<Vec<String>, D::Error> {
        // The library's own words would quote the value, which may be a secret.
        let words = match Self::deserialize(deserializer).map_err(|_| D::Error::custom(form))? {
            Self::One(word) => word.into_text().split(',').map(str::to_owned).collect(),
            Self::Many(words) => words.into_iter().map(Word::into_text).collect::<Vec<_>>(),
        };
        Ok(words.into_iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
    }
}

/// Names: `a,b` or `["a", "b"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameList(pub Vec<String>);

impl<'de> Deserialize<'de> for NameList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Words::read(deserializer, "write names separated by commas, such as hailuo-2.3,grok-imagine")
            .map(Self)
    }
}

/// Users: `5235703016,42` or `[5235703016, 42]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserList(pub Vec<UserId>);

impl<'de> Deserialize<'de> for UserList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FORM: &str = "write Telegram's numbers of users separated by commas, such as 5235703016";
        let words = Words::read(deserializer, FORM)?;
        let users = words.iter().map(|word| word.parse().ok().filter(|id| *id > 0).map(UserId::new));
        users.collect::<Option<_>>().map(Self).ok_or_else(|| D::Error::custom(FORM))
    }
}

/// Packages of credits: `small:10:100,large:50:450`, or a list of such texts: name, credits, Stars.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageList(pub Vec<Package>);

impl<'de> Deserialize<'de> for PackageList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FORM: &str = "write name:credits:stars for each package, separated by commas and under different names, such as \
                            small:10:100,large:50:450; one costs 1 to 10000 Stars";
        let words = Words::read(deserializer, FORM)?;
        let packages: Option<Vec<_>> = words.iter().map(|word| package(word)).collect();
        let mut names = BTreeSet::new();
        packages
            .filter(|packages| packages.iter().all(|package| names.insert(package.name.as_str().to_owned())))
            .map(Self)
            .ok_or_else(|| D::Error::custom(FORM))
    }
}

fn package(text: &str) -> Option<Package> {
    let mut parts = text.split(':').map(str::trim);
    let name = PackageId::new(parts.next()?).ok()?;
    let credits = parts.next()?.parse().ok().and_then(|credits| Credits::new(credits).ok())?;
    // The most a bot may ask for at once.
    let stars = parts.next()?.parse().ok().filter(|stars| (1..=10_000).contains(stars))?;
    (parts.next().is_none() && credits.value() > 0).then_some(Package { name, credits, stars })
}

/// Spans of time: `10,20,40` or `[10, 20, 40]`, in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondsList(pub Vec<Duration>);

impl<'de> Deserialize<'de> for SecondsList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FORM: &str = "write whole seconds separated by commas, such as 10,20,40";
        let words = Words::read(deserializer, FORM)?;
        let spans: Result<Vec<u64>, _> = words.iter().map(|word| word.parse()).collect();
        let spans = spans.map_err(|_| D::Error::custom(FORM))?;
        Ok(Self(spans.into_iter().map(Duration::from_secs).collect()))
    }
}

/// An `http://` or `https://` address. Credentials in it are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAddress(pub Url);

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        match self.0.path() {
            "/" => Ok(()),
            path => f.write_str(path),
        }
    }
}

impl fmt::Debug for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for HttpAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FORM: &str = "write an address such as https://host:port/path";
        let text = String::deserialize(deserializer).map_err(|_| D::Error::custom(FORM))?;
        let url = Url::parse(text.trim()).map_err(|why| D::Error::custom(format!("{why}: {FORM}")))?;
        let fits = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        if fits { Ok(Self(url)) } else { Err(D::Error::custom(format!("this is no HTTP address: {FORM}"))) }
    }
}

/// Secrets, one or several. None is ever shown.
#[derive(Debug, Clone, Default)]
pub struct Secrets(pub Vec<SecretString>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Words::read(deserializer, "write one secret, or several separated by commas")?;
        Ok(Self(words.into_iter().map(SecretString::from).collect()))
    }
}

/// One key of the video provider, as the operator wrote it.
#[derive(Clone)]
pub struct KieKeyText {
    /// The account it belongs to; limits are counted by account.
    pub account: String,
    /// The key.
    pub secret: SecretString,
}

/// The keys of the video provider. Shown only by account.
#[derive(Clone, Default)]
pub struct KieKeys(pub Vec<KieKeyText>);

impl KieKeys {
    /// The account of keys that name none.
    pub const DEFAULT_ACCOUNT: &str = "main";
}

impl fmt::Debug for KieKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| format!("{}:[redacted]", key.account))).finish()
    }
}

impl<'de> Deserialize<'de> for KieKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FORM: &str = "write account:key entries separated by commas, such as main:KEY1,spare:KEY2";
        let words = Words::read(deserializer, FORM)?;
        let keys = words.iter().map(|word| {
            let (account, secret) = word.split_once(':').unwrap_or((Self::DEFAULT_ACCOUNT, word));
            let (account, secret) = (account.trim(), secret.trim());
            if account.is_empty() || secret.is_empty() {
                return Err(D::Error::custom(format!("an entry lacks its account or its key: {FORM}")));
            }
            Ok(KieKeyText { account: account.to_owned(), secret: SecretString::from(secret) })
        });
        keys.collect::<Result<_, _>>().map(Self)
    }
}
