//! What comes out: let through or blocked, and why.

use std::fmt;

/// Why a request was let through or blocked. Each has a stable code for logs, metrics, JSON and `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The route is forced off: always open.
    ForceOff,
    /// The route is forced on: always closed.
    ForceOn,
    /// The site is online.
    Online,
    /// A health endpoint.
    Health,
    /// A control endpoint, known by its route.
    Control,
    /// The target of the redirect answer.
    RedirectTarget,
    /// An asset of the page.
    Asset,
    /// The application runs under test.
    Test,
    /// A path rule.
    Path,
    /// A safe method of a read-only site.
    SafeMethod,
    /// A client address rule.
    Address,
    /// The bypass header with the right value.
    BypassHeader,
    /// A custom exemption; its place in the order of the policy.
    Custom(u16),
    /// A role rule; its place in the order of the policy.
    Role(u16),
    /// The rule for everybody who is logged in.
    Authenticated,
    /// The rule for everybody who is not.
    Anonymous,
    /// Was inside before the site began to close.
    Inside,
    /// The site is offline.
    Offline,
    /// The site is read-only and the method is not safe.
    ReadOnly,
    /// The site is closing and the visitor was not inside.
    Pending,
    /// The site holds requests.
    Paused,
    /// No site claims the host, and some site is not online.
    UnknownHost,
    /// The host is malformed, doubled or missing, and some site is not online.
    BadHost,
}

impl Reason {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ForceOff => "force_off",
            Self::ForceOn => "force_on",
            Self::Online => "online",
            Self::Health => "health",
            Self::Control => "control",
            Self::RedirectTarget => "redirect_target",
            Self::Asset => "asset",
            Self::Test => "test",
            Self::Path => "path",
            Self::SafeMethod => "safe_method",
            Self::Address => "address",
            Self::BypassHeader => "bypass_header",
            Self::Custom(_) => "custom",
            Self::Role(_) => "role",
            Self::Authenticated => "authenticated",
            Self::Anonymous => "anonymous",
            Self::Inside => "inside",
            Self::Offline => "offline",
            Self::ReadOnly => "read_only",
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::UnknownHost => "unknown_host",
            Self::BadHost => "bad_host",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
