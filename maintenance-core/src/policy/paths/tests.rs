//! Rules against paths, and the tree against the plain comparison.

use proptest::prelude::*;

use super::*;

fn compile(rules: &[PathRuleConfig]) -> Result<PathRules, Complaints> {
    let mut complaints = Complaints::new();
    let rules = PathRules::compile(rules, Reason::Path, "paths", &mut complaints);
    complaints.none_or(rules)
}

fn admits(rule: &PathRuleConfig, path: &str) -> Option<bool> {
    let rules = compile(std::slice::from_ref(rule)).ok()?;
    let facts = Facts::new("GET", path);
    Some(rules.admits(&RequestPaths::of(&facts), &facts))
}

#[test]
fn each_kind_matches_at_segment_boundaries() {
    let cases: [(PathRuleConfig, &[&str], &[&str]); 9] = [
        ("/a".into(), &["/a"], &["/a/", "/a/b", "/ab", "/", "/A"]),
        (
            PathRuleConfig::prefix("/a"),
            &["/a", "/a/", "/a/b/c"],
            &["/ab", "/b/a", "/"],
        ),
        (
            PathRuleConfig::prefix("/a/"),
            &["/a/", "/a/b"],
            &["/a", "/ab"],
        ),
        (
            "/a/*".into(),
            &["/a/b", "/a/*"],
            &["/a", "/a/", "/a/b/", "/a/b/c"],
        ),
        (
            "/a/*/c".into(),
            &["/a/b/c"],
            &["/a/c", "/a/b/x/c", "/a/b/c/d", "/a/b/cc"],
        ),
        (
            "/a/*/**".into(),
            &["/a/b", "/a/b/", "/a/b/c/d"],
            &["/a", "/a/", "/ab/c"],
        ),
        ("/*".into(), &["/a", "/b"], &["/", "/a/b"]),
        ("/*/".into(), &["/a/"], &["/a", "/"]),
        (
            PathRuleConfig::regex("/v[0-9]+"),
            &["/v1", "/v22"],
            &["/v", "/v1/x", "/x/v1"],
        ),
    ];
    for (rule, matching, others) in cases {
        for path in matching {
            assert_eq!(admits(&rule, path), Some(true), "{rule} {path}");
        }
        for path in others {
            assert_eq!(admits(&rule, path), Some(false), "{rule} {path}");
        }
    }
}

#[test]
fn rules_that_cannot_mean_what_they_say_are_refused() {
    let cases: [(PathRuleConfig, &str); 13] = [
        ("a".into(), "begin the path with `/`"),
        ("".into(), "begin the path"),
        ("/a//b".into(), "single slashes"),
        ("/a?x=1".into(), "as escapes"),
        ("/a b".into(), "%20"),
        ("/a/../b".into(), "without `.`"),
        (PathRuleConfig::prefix("/"), "all = true"),
        ("/**".into(), "all = true"),
        ("/a/**/b".into(), "whole segment"),
        ("/a*".into(), "whole segment"),
        (PathRuleConfig::regex("/a(?=b)"), "look-around"),
        (PathRuleConfig::regex("/a)|(?:/b"), "whole path"),
        (
            PathRuleConfig::exact("/a").methods(Vec::<String>::new()),
            "leave `methods` out",
        ),
    ];
    for (rule, hint) in cases {
        let text = compile(std::slice::from_ref(&rule))
            .err()
            .map(|c| c.to_string())
            .unwrap_or_default();
        assert!(text.contains(hint), "{rule}: {text}");
    }
}

#[test]
fn the_first_rule_in_the_order_of_the_configuration_is_named() {
    let rules =
        compile(&[PathRuleConfig::prefix("/a"), "/a/b".into(), "/a/*".into()]).unwrap_or_default();
    let facts = Facts::new("GET", "/a/b");
    let named = rules
        .first(&RequestPaths::of(&facts), &facts)
        .map(|r| r.shown().to_owned());
    assert_eq!(named.as_deref(), Some("{ prefix = \"/a\" }"));
}

#[test]
fn the_routed_path_must_match_the_same_rule() {
    let rules = compile(&[
        PathRuleConfig::prefix("/admin"),
        PathRuleConfig::prefix("/x"),
    ])
    .unwrap_or_default();
    for (routed, expected) in [
        ("/admin/y", true),
        ("/x", false),
        ("/secret", false),
        ("//admin", false),
    ] {
        let facts = Facts::new("GET", "/admin/y").routed_path(Some(routed));
        assert_eq!(
            rules.admits(&RequestPaths::of(&facts), &facts),
            expected,
            "{routed}"
        );
    }
}

#[test]
fn a_preflight_goes_where_the_request_may_go() {
    let rules = compile(&[PathRuleConfig::exact("/login").methods(["POST"])]).unwrap_or_default();
    for (asked, expected) in [("POST", true), ("PUT", false)] {
        let headers = [
            ("origin", "https://a.example"),
            ("access-control-request-method", asked),
        ];
        let facts = Facts::new("OPTIONS", "/login").headers(&headers);
        assert_eq!(
            rules.admits(&RequestPaths::of(&facts), &facts),
            expected,
            "{asked}"
        );
    }
    let facts = Facts::new("OPTIONS", "/login");
    assert!(!rules.admits(&RequestPaths::of(&facts), &facts));
}

fn segment() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "ab", "*", "%C3%A9", "x.y"]).prop_map(ToOwned::to_owned)
}

fn rule() -> impl Strategy<Value = PathRuleConfig> {
    (prop::collection::vec(segment(), 1..4), 0..4).prop_map(|(segments, kind)| {
        let path = format!("/{}", segments.join("/"));
        match kind {
            0 => PathRuleConfig::exact(path),
            1 => PathRuleConfig::prefix(path),
            2 => PathRuleConfig::glob(path),
            _ => PathRuleConfig::glob(path + "/**"),
        }
    })
}

proptest! {
    #[test]
    fn the_tree_finds_exactly_what_the_plain_comparison_finds(
        configs in prop::collection::vec(rule(), 1..12),
        segments in prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "abc", "%c3%a9", "x.y", "*"]), 0..5),
        slash in any::<bool>(),
    ) {
        let rules = compile(&configs).map_err(|c| TestCaseError::fail(c.to_string()))?;
        let mut path = format!("/{}", segments.join("/"));
        if slash && path.len() > 1 {
            path.push('/');
        }
        let facts = Facts::new("GET", &path);
        let paths = RequestPaths::of(&facts);
        let plain = rules.rules.iter().position(|r| r.admits(&paths, &facts));
        let named = rules.first(&paths, &facts).map(|r| r.shown().to_owned());
        prop_assert_eq!(named, plain.map(|i| configs[i].to_string()));
        prop_assert_eq!(rules.admits(&paths, &facts), plain.is_some());
    }

    #[test]
    fn a_path_that_is_not_canonical_matches_no_rule(path in "/[a-z/.;%0-9A-F]{0,24}") {
        let rules = compile(&[
            PathRuleConfig::Table(PathRuleTable { all: true, ..Default::default() }),
            PathRuleConfig::regex(".*"),
        ]).unwrap_or_default();
        let facts = Facts::new("GET", &path);
        prop_assert_eq!(
            rules.admits(&RequestPaths::of(&facts), &facts),
            CanonicalPath::parse(&path).is_ok()
        );
    }
}
