//! Single paths with a meaning of their own.

use maintenance_mode::RouteOverride;

/// What the author fixed for single paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    force_on: Vec<String>,
    force_off: Vec<String>,
    control: Vec<String>,
}

impl Paths {
    pub(crate) fn force_on(&mut self, path: &str) {
        self.force_on.push(literal(path));
    }

    pub(crate) fn force_off(&mut self, path: &str) {
        self.force_off.push(literal(path));
    }

    pub(crate) fn control(&mut self, path: &str) {
        self.control.push(literal(path));
    }

    /// Whether some path is closed even while every site is online.
    #[inline]
    pub(crate) const fn close_some(&self) -> bool {
        !self.force_on.is_empty()
    }

    /// What is fixed for a path as it came, and whether it is for control.
    pub(crate) fn of(&self, path: &str) -> (Option<RouteOverride>, bool) {
        let is_in = |paths: &[String]| paths.iter().any(|p| p == path);
        let forced = if is_in(&self.force_on) {
            Some(RouteOverride::ForceOn)
        } else {
            is_in(&self.force_off).then_some(RouteOverride::ForceOff)
        };
        (forced, is_in(&self.control))
    }
}

/// Byte for byte what poem's router takes to one route: to a literal it prefers nothing.
#[track_caller]
fn literal(path: &str) -> String {
    let is_literal =
        path.starts_with('/') && !path.contains("//") && !path.contains([':', '*', '<']);
    assert!(
        is_literal,
        "`{path}` is no single path: a gate around a router does not see which pattern will match, so leave \
         the routes of a pattern outside of the gate, or exempt them by `allow.paths` in the policy"
    );
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_compared_byte_by_byte() {
        let mut paths = Paths::default();
        paths.force_off("/open");
        paths.control("/control");
        paths.force_off("/shut");
        paths.force_on("/shut");
        assert_eq!(paths.of("/open"), (Some(RouteOverride::ForceOff), false));
        assert_eq!(paths.of("/control"), (None, true));
        assert_eq!(paths.of("/shut"), (Some(RouteOverride::ForceOn), false));
        for path in ["/open/", "//open", "/%6fpen", "/OPEN", "/", ""] {
            assert_eq!(paths.of(path), (None, false), "{path}");
        }
    }

    #[test]
    fn what_is_no_single_path_is_refused() {
        for path in ["/users/:id", "/files/*", "/n/<\\d+>", "//open", "open", ""] {
            let refused = std::panic::catch_unwind(|| literal(path));
            assert!(refused.is_err(), "{path}");
        }
    }
}
