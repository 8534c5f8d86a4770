//! Who asks, as the application's own session says: the owned form that `identify` functions return.

use crate::request::{User, Visitor};

/// Who asks. An adapter's `identify` function returns it; the engine sees it as a [`Visitor`].
///
/// ```
/// use maintenance_mode::Identity;
///
/// let editor = Identity::user("ada").role("staff");
/// assert_eq!(editor.id(), Some("ada"));
/// assert_eq!(Identity::anonymous().id(), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Identity {
    user: Option<KnownUser>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownUser {
    id: String,
    roles: Vec<String>,
    inside: bool,
}

impl Identity {
    /// Nobody is logged in.
    pub const fn anonymous() -> Self {
        Self { user: None }
    }

    /// This user is logged in, with no role yet.
    pub fn user(id: impl Into<String>) -> Self {
        Self {
            user: Some(KnownUser {
                id: id.into(),
                roles: Vec::new(),
                inside: false,
            }),
        }
    }

    /// Adds a role. Nothing happens to an anonymous visitor.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        if let Some(user) = &mut self.user {
            user.roles.push(role.into());
        }
        self
    }

    /// Adds roles. Nothing happens to an anonymous visitor.
    pub fn roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        if let Some(user) = &mut self.user {
            user.roles.extend(roles.into_iter().map(Into::into));
        }
        self
    }

    /// Says whether the user's session is older than the present maintenance: while a site is closing,
    /// whoever was inside may finish. Nothing happens to an anonymous visitor.
    pub const fn inside(mut self, inside: bool) -> Self {
        if let Some(user) = &mut self.user {
            user.inside = inside;
        }
        self
    }

    /// The user's id; `None` if nobody is logged in.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.id.as_str())
    }

    /// Calls `with` with the form that facts take.
    pub fn with_visitor<T>(&self, with: impl FnOnce(Visitor<'_>) -> T) -> T {
        match &self.user {
            None => with(Visitor::Anonymous),
            Some(user) => {
                let roles: Vec<&str> = user.roles.iter().map(String::as_str).collect();
                with(Visitor::User(
                    User::new(&user.id).roles(&roles).inside(user.inside),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_sees_what_was_said() {
        let identity = Identity::user("ada")
            .role("staff")
            .roles(["editor"])
            .inside(true);
        identity.with_visitor(|visitor| {
            assert!(matches!(
                visitor,
                Visitor::User(User {
                    id: "ada",
                    roles: ["staff", "editor"],
                    inside: true
                })
            ));
        });
        let nobody = Identity::anonymous().role("superuser").inside(true);
        assert!(nobody.with_visitor(|visitor| matches!(visitor, Visitor::Anonymous)));
    }
}
